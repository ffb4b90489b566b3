//! The reader in Python against the library, and checkpoints as PyTorch itself writes them. `cargo xtask test --only python`
//! runs these tests with a Python that has torch and safetensors, which `RG_FLOW_PYTHON` names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use burn::backend::Flex;
use burn::module::Param;
use burn::tensor::Tensor;
use clap::Parser;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use shared::logit::{bits_per_dim, image_to_logit, to_pixel};
use shared::prior::draw_latents;
use shared::real_nvp::{RealNvp, RealNvpConfig, ScaleConfig};
use shared::sampler::Sampler;
use shared::weights::{AnyModelFile, Card, ModelFile, Precision, to_safetensors};
use shared::{BlockOrder, CouplingKind, LevelConfig, Model, ModelConfig, PriorKind, RgFlow, RgFlowConfig, Temperature};
use trainer::cli::{self, Cli};

/// Pictures of each model.
const COUNT: usize = 3;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Runs a script of the folder `python`, and shows what it prints.
fn python(script: &str, words: &[&Path]) {
    let python = std::env::var_os("RG_FLOW_PYTHON").unwrap_or_else(|| "python3".into());
    let mut command = Command::new(python);
    command.arg(root().join("python").join(script)).args(words).env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command.output().unwrap();
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success(), "{script}: {err}");
    println!("{out}");
}

fn rg_flow(config: &RgFlowConfig) -> ModelFile {
    // Little noise: f32's rounding is multiplied by the linear maps' condition. The couplings may be stronger.
    let mut model = RgFlow::<Flex>::random(config, 0.04, 8, &Default::default()).unwrap();
    for bijector in &mut model.bijectors {
        bijector.scale = Param::from_tensor(bijector.scale.val() * 4.0);
    }
    let card = Card { name: "tiny".into(), temperature: vec![0.6, 0.8], ..Card::default() };
    ModelFile::from_model(&model, card)
}

/// Two directions of length one, at right angles.
fn sampler(dims: usize) -> Sampler {
    let mean = (0..dims).map(|i| 0.3 * (i as f32 * 0.7).sin()).collect();
    let part = |odd: usize| (0..dims).map(move |i| if i % 2 == odd { (2.0 / dims as f32).sqrt() } else { 0.0 });
    Sampler::new(mean, part(0).chain(part(1)).collect(), vec![4.0, 0.5]).unwrap()
}

/// Small models of every kind.
fn models() -> Vec<(String, AnyModelFile)> {
    let level = |layers, res_blocks, mlp| LevelConfig { layers, res_blocks, mlp, hidden: 14 };
    let plain = RgFlowConfig::new(16, vec![level(2, 2, 1), level(1, 1, 2), level(3, 2, 2)]);
    let mut models = Vec::new();
    for (order, prior, channels) in [
        (BlockOrder::Paper, PriorKind::Laplace, 3),
        (BlockOrder::Official, PriorKind::Gaussian, 1),
        (BlockOrder::Official, PriorKind::Laplace, 4),
    ] {
        for (linear_maps, mean_image) in [(false, false), (true, true)] {
            let config = RgFlowConfig {
                order,
                prior,
                channels,
                linear_maps,
                mean_image,
                place_features: if mean_image { 3 } else { 0 },
                places_from: usize::from(channels == 4 && mean_image),
                ..plain.clone()
            };
            let mut file = rg_flow(&config);
            file.sampler = linear_maps.then(|| sampler(config.dims()));
            models.push((format!("{order:?}-{prior:?}-{linear_maps}"), AnyModelFile::RgFlow(file)));
        }
    }
    let wide = RgFlowConfig { block: 6, ..RgFlowConfig::new(12, vec![level(2, 2, 1); 2]) };
    models.push(("blocks-of-6".into(), AnyModelFile::RgFlow(rg_flow(&wide))));
    let shared = RgFlowConfig { linear_maps: true, ..RgFlowConfig::new(16, vec![level(2, 2, 1); 3]).shared() };
    models.push(("shared-levels".into(), AnyModelFile::RgFlow(rg_flow(&shared))));
    for (bins, res_blocks) in [(4, 1), (5, 2)] {
        let coupling = CouplingKind::Spline(bins);
        let config = RgFlowConfig {
            coupling,
            linear_maps: true,
            place_features: 2,
            ..RgFlowConfig::new(8, vec![level(2, res_blocks, 1); 2])
        };
        models.push((format!("spline-{bins}"), AnyModelFile::RgFlow(rg_flow(&config))));
    }
    let scale = |couplings, res_blocks| ScaleConfig { couplings, res_blocks, hidden: 7 };
    let scales = vec![scale(3, 1), scale(2, 2), scale(1, 1)];
    let config = RealNvpConfig { size: 8, channels: 3, prior: PriorKind::Laplace, scales };
    let model = Model::RealNvp(RealNvp::<Flex>::random(&config, 0.15, 4, &Default::default()).unwrap());
    models.push(("real-nvp".into(), AnyModelFile::from_model(&model, Card::default())));
    models
}

fn floats<const D: usize>(tensor: Tensor<Flex, D>) -> Vec<f32> {
    tensor.into_data().iter().collect()
}

/// What the library computes of a model, in a file for Python.
fn expected(file: &AnyModelFile) -> Vec<u8> {
    let device = Default::default();
    let flow = file.to_flow::<Flex>(&device).unwrap();
    let dims = flow.dims();
    let temperature = Temperature::uniform(0.7);
    let mut drawn: Vec<f32> = (0..COUNT * dims).map(|i| (i as f32 * 0.9).sin()).collect();
    if let AnyModelFile::RgFlow(file) = file {
        drawn = (0..COUNT as u64).flat_map(|i| draw_latents(&file.config, 5, i, &temperature)).collect();
    }
    let decoded = flow.inverse(flow.batch(drawn.clone(), &device).unwrap()).0;
    // The model's own: of pictures that it finds unlikely f32 cannot tell the likelihoods apart.
    let pictures: Vec<u8> = floats(decoded).into_iter().map(to_pixel).collect();
    let (logits, of_pixels): (Vec<Vec<f32>>, Vec<f32>) =
        pictures.chunks_exact(dims).map(|picture| image_to_logit(picture, || 0.5)).unzip();
    let batch = flow.batch(logits.concat(), &device).unwrap();
    let encoded = flow.forward(batch.clone());
    let log_prob = floats(flow.log_prob(batch));
    let bits = log_prob.iter().zip(&of_pixels).map(|(p, l)| bits_per_dim(f64::from(p + l), dims) as f32).collect();
    let levels = flow.latent_levels();
    let mut numbers: BTreeMap<&str, Vec<f32>> = BTreeMap::from([
        ("latents", floats(encoded.latents)),
        ("log_det", floats(encoded.log_det)),
        ("log_prob", log_prob),
        ("bits_per_dim", bits),
    ]);
    if let AnyModelFile::RgFlow(file) = file {
        // The library makes normal numbers of a Laplace prior's by quantile; here only those that are normal are known.
        if let Some(sampler) = file.sampler.as_ref().filter(|_| file.config.prior == PriorKind::Gaussian) {
            let joint = |t: &Temperature| -> Vec<f32> {
                (0..COUNT as u64).flat_map(|i| sampler.draw(&file.config, 5, i, t).unwrap()).collect()
            };
            let noise = |i| draw_latents(&file.config, 5, i, &Temperature::uniform(1.0));
            numbers.insert("noise", (0..COUNT as u64).flat_map(noise).collect());
            numbers.insert("joint", joint(&temperature));
            numbers.insert("joint_by_level", joint(&Temperature { levels: vec![0.5, 0.9] }));
        }
    }
    numbers.insert("drawn", drawn);
    let [channels, size] = flow.image_shape();
    let shape = vec![COUNT, channels, size, size];
    let bytes: BTreeMap<&str, Vec<u8>> =
        numbers.iter().map(|(name, values)| (*name, values.iter().flat_map(|v| v.to_le_bytes()).collect())).collect();
    let levels: Vec<u8> = levels.into_iter().map(|level| level as u8).collect();
    let mut views: Vec<(&str, TensorView<'_>)> = bytes
        .iter()
        .map(|(name, bytes)| (*name, TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes).unwrap()))
        .collect();
    views.push(("pictures", TensorView::new(Dtype::U8, shape, &pictures).unwrap()));
    views.push(("levels", TensorView::new(Dtype::U8, vec![dims], &levels).unwrap()));
    to_safetensors(views, &BTreeMap::new()).unwrap()
}

#[test]
#[ignore = "needs torch and safetensors: cargo xtask test --only python"]
fn python_computes_what_the_library_computes() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str, ending: &str| dir.path().join(format!("{name}.{ending}"));
    let mut files = models();
    for entry in std::fs::read_dir(root().join("web/models")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "safetensors") {
            let file = AnyModelFile::from_bytes(&std::fs::read(&path).unwrap()).unwrap();
            files.push((path.file_stem().unwrap().to_string_lossy().into_owned(), file));
        }
    }
    assert!(files.len() > 13, "the shipped models are missing");
    for (i, (name, file)) in files.iter().enumerate() {
        let precision = if i % 2 == 0 { Precision::F32 } else { Precision::F16 };
        let bytes = file.to_bytes(precision).unwrap();
        std::fs::write(at(name, "expected"), expected(&AnyModelFile::from_bytes(&bytes).unwrap())).unwrap();
        std::fs::write(at(name, "safetensors"), bytes).unwrap();
    }
    python("test_rg_flow.py", &[dir.path()]);
    // What Python saved is the same model.
    for (name, _) in &files {
        let [saved, own] = ["saved", "safetensors"]
            .map(|ending| AnyModelFile::from_bytes(&std::fs::read(at(name, ending)).unwrap()).unwrap());
        assert_eq!(saved.card(), own.card(), "{name}");
        assert!(saved.to_bytes(Precision::F32).unwrap() == own.to_bytes(Precision::F32).unwrap(), "{name}");
    }
}

#[test]
#[ignore = "needs torch and safetensors: cargo xtask test --only python"]
fn whatever_pytorch_saved_is_imported_or_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let authors = root().join("trainer/tests/data/official-gaussian-16.state");
    let import = |path: &Path, out: &Path| -> Result<Vec<u8>, String> {
        let words = [Path::new("trainer"), Path::new("import"), path, Path::new("--out"), out];
        cli::run(Cli::try_parse_from(words).unwrap()).map_err(|error| error.to_string())?;
        Ok(std::fs::read(out).unwrap())
    };
    let own = import(&authors, &dir.path().join("own.safetensors")).unwrap();
    let saved = dir.path().join("saved");
    std::fs::create_dir(&saved).unwrap();
    python("save_variants.py", &[&authors, &saved]);
    let mut seen = [0; 3];
    for entry in std::fs::read_dir(&saved).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let result = import(&path, &dir.path().join(format!("{name}.safetensors")));
        match name.split('-').next().unwrap() {
            "same" => {
                assert!(result.unwrap_or_else(|error| panic!("{error}")) == own, "{name}");
                seen[0] += 1;
            }
            "close" => {
                let file = AnyModelFile::from_bytes(&result.unwrap()).unwrap();
                assert_eq!(file.config(), AnyModelFile::from_bytes(&own).unwrap().config(), "{name}");
                assert!(matches!(file.config(), ModelConfig::RgFlow(_)));
                seen[1] += 1;
            }
            _ => {
                let error = result.unwrap_err();
                let says = match name.as_str() {
                    "not-a-flow" => "no flow of the authors' code: no tensor is called layers.0.mask_left",
                    "not-a-state-dict" => "save model.state_dict()",
                    "not-integers" => "does not hold numbers with a fraction",
                    _ => "layers.0.t_layers.0.res_blocks.0.1.weight_v is missing",
                };
                assert!(error.contains(&name) && error.contains(says), "{name}: {error}");
                seen[2] += 1;
            }
        }
    }
    assert_eq!(seen, [17, 3, 4]);
}
