//! One pair of bijectors for all levels, held against a model whose levels have equal weights of their own.

use burn::backend::{Autodiff, Flex};
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use shared::weights::{Card, ModelFile, Precision};
use shared::{DataKind, FlowBackend, ImageFlow, LevelConfig, PriorKind, RgFlow, RgFlowConfig, Temperature};

use crate::numbers::{largest_difference, values};

type Ad = Autodiff<Flex>;

fn config() -> RgFlowConfig {
    let level = LevelConfig { layers: 2, res_blocks: 2, mlp: 1, hidden: 10 };
    let (channels, prior, data) = (1, PriorKind::Gaussian, DataKind::Field);
    RgFlowConfig { channels, prior, data, linear_maps: true, ..RgFlowConfig::new(16, vec![level; 3]).shared() }
}

fn model<B: FlowBackend>() -> RgFlow<B> {
    RgFlow::random(&config(), 0.05, 4, &Default::default()).unwrap()
}

/// Copies that gradients tell apart.
struct Apart;

impl<B: Backend> ModuleMapper<B> for Apart {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        Param::from_tensor((param.val() * 1.0).detach())
    }
}

/// The same function, with weights of its own at every level.
fn unshared<B: FlowBackend>(model: &RgFlow<B>) -> RgFlow<B> {
    let config = RgFlowConfig { share_levels: false, ..model.config().clone() };
    let mut apart = RgFlow::new(&config, 0, &Default::default()).unwrap();
    for (i, bijector) in apart.bijectors.iter_mut().enumerate() {
        *bijector = model.bijectors[i % 2].clone().map(&mut Apart);
    }
    apart
}

fn fields<B: FlowBackend>(count: usize, edge: usize) -> Tensor<B, 4> {
    let values: Vec<f32> = (0..count * edge * edge).map(|i| 1.5 * (i as f32 * 0.37 + 0.2).sin()).collect();
    Tensor::from_data(TensorData::new(values, [count, 1, edge, edge]), &Default::default())
}

#[test]
fn it_is_the_model_whose_levels_have_equal_weights_and_a_bijection() {
    let shared = model::<Flex>();
    let (flow, other) = (shared.fold(), unshared(&shared).fold());
    assert_eq!((shared.bijectors.len(), shared.num_params()), (2, config().param_count()));
    assert_eq!(config().param_count() * 3, other.config().param_count());
    assert_eq!(config().macs(), other.config().macs());
    let x = fields::<Flex>(3, 16);
    let (ours, theirs) = (flow.forward(x.clone()), other.forward(x.clone()));
    assert_eq!(values(ours.latents.clone()), values(theirs.latents));
    assert_eq!(values(ours.log_det.clone()), values(theirs.log_det));
    let (back, log_det) = flow.inverse(ours.latents);
    assert!(largest_difference(&values(back), &values(x.clone())) < 1e-3);
    assert!(largest_difference(&values(log_det), &values(ours.log_det.neg())) < 0.01);
    let parts = flow.log_prob_by_level(x.clone());
    assert!(largest_difference(&values(parts.sum_dim(1)), &values(flow.log_prob(x))) < 0.01);
}

#[test]
fn its_gradients_are_the_sums_over_the_levels() {
    let shared = model::<Ad>();
    let apart = unshared(&shared);
    let x = fields::<Ad>(2, 16);
    let ours = ImageFlow::log_prob(&shared.fold(), x.clone()).sum().backward();
    let theirs = ImageFlow::log_prob(&apart.fold(), x).sum().backward();
    let close = |what: &str, one: Vec<f32>, levels: Vec<Vec<f32>>| {
        let sum: Vec<f32> = (0..one.len()).map(|i| levels.iter().map(|level| level[i]).sum()).collect();
        let size = sum.iter().fold(0f32, |most, v| most.max(v.abs()));
        assert!(size > 0.01 && largest_difference(&one, &sum) < 1e-3 * size, "{what}: {one:?} {sum:?}");
        // No level is without a part in it.
        assert!(levels.iter().all(|level| level.iter().any(|v| v.abs() > 1e-4 * size)), "{what}");
    };
    for stage in 0..2 {
        let one = &shared.bijectors[stage];
        let each: Vec<_> = (0..3).map(|level| &apart.bijectors[2 * level + stage]).collect();
        macro_rules! check {
            ($what:literal, $of:expr) => {
                close(
                    $what,
                    values($of(one).grad(&ours).unwrap()),
                    each.iter().map(|bijector| values($of(bijector).grad(&theirs).unwrap())).collect(),
                )
            };
        }
        check!("scale", |b: &shared::nn::Bijector<Ad>| b.scale.val());
        check!("direction", |b: &shared::nn::Bijector<Ad>| b.linears[1].direction.val());
        check!("gain", |b: &shared::nn::Bijector<Ad>| b.linears[0].gain.val());
        check!("alpha", |b: &shared::nn::Bijector<Ad>| b.linears[2].alpha.val());
        check!("entry", |b: &shared::nn::Bijector<Ad>| b.entry.as_ref().unwrap().weight.val());
        check!("exit", |b: &shared::nn::Bijector<Ad>| b.exit.as_ref().unwrap().bias.val());
    }
}

#[test]
fn a_file_holds_the_weights_once_and_gives_the_model_back() {
    let shared = model::<Flex>();
    let file = ModelFile::from_model(&shared, Card::default());
    let bytes = file.to_bytes(Precision::F32).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains(r#""format_version":"6""#) && text.contains(r#"\"share_levels\":true"#));
    assert!(text.contains("levels.0.decimator.scale") && !text.contains("levels.1."));
    let read = ModelFile::from_bytes(&bytes).unwrap();
    assert_eq!(read.config, config());
    let sample =
        |flow: shared::Flow<Flex>| values(flow.sample(2, 0..2, &Temperature::uniform(1.0), &Default::default()));
    assert_eq!(sample(read.clone().into_flow(&Default::default()).unwrap()), sample(shared.fold()));
    let trainable = read.to_model::<Flex>(&Default::default()).unwrap();
    assert_eq!(trainable.bijectors.len(), 2);
    assert!(largest_difference(&sample(trainable.fold()), &sample(shared.fold())) < 1e-4);
    let other = ModelFile::from_model(&unshared(&shared), Card::default()).to_bytes(Precision::F32).unwrap();
    assert!(other.len() > 2 * bytes.len());
}

/// A field that repeats itself costs at each level what it costs on the small lattice, so many times.
#[test]
fn it_is_a_model_for_every_size() {
    let file = ModelFile::from_model(&model::<Flex>(), Card::default());
    let device = Default::default();
    let parts = |file: &ModelFile, x: Tensor<Flex, 4>| {
        values(file.clone().into_flow::<Flex>(&device).unwrap().log_prob_by_level(x))
    };
    let one = parts(&file, fields(1, 16));
    for size in [32, 64] {
        let grown = file.grown(size).unwrap();
        assert_eq!((grown.config.size, grown.config.param_count()), (size, file.config.param_count()));
        let copies = size / 16;
        let tiled = parts(&grown, fields::<Flex>(1, 16).repeat(&[1, 1, copies, copies]));
        for level in 0..2 {
            let (small, large) = (one[level] * (copies * copies) as f32, tiled[level]);
            assert!((small - large).abs() < 1e-3 * large.abs(), "{size}, {level}: {one:?} {tiled:?}");
        }
        let flow = grown.into_flow::<Flex>(&device).unwrap();
        assert_eq!(flow.sample(1, 0..1, &Temperature::uniform(1.0), &device).dims(), [1, 1, size, size]);
    }
    let small = file.grown(4).unwrap();
    assert_eq!(small.config.levels.len(), 1);
    assert!(parts(&small, fields(1, 4))[0].is_finite());
    let images = RgFlowConfig { channels: 3, data: DataKind::Images, ..config() };
    let images = RgFlow::<Flex>::random(&images, 0.05, 1, &device).unwrap();
    assert_eq!(ModelFile::from_model(&images, Card::default()).grown(64).unwrap().config.size, 64);
}

#[test]
fn what_knows_its_level_or_its_place_is_refused() {
    let file = ModelFile::from_model(&model::<Flex>(), Card::default());
    for size in [0, 24, 2048] {
        assert!(file.grown(size).unwrap_err().to_string().contains(&format!("size is {size}")));
    }
    let mean = RgFlowConfig { mean_image: true, ..config() };
    let mean = RgFlow::<Flex>::random(&mean, 0.05, 1, &Default::default()).unwrap();
    let error = ModelFile::from_model(&mean, Card::default()).grown(32).unwrap_err().to_string();
    assert!(error.contains("mean image"), "{error}");
    let refused = |config: RgFlowConfig| RgFlow::<Flex>::new(&config, 0, &Default::default()).unwrap_err().to_string();
    assert!(refused(RgFlowConfig { place_features: 1, ..config() }).contains("place_features"));
    let mut uneven = config();
    uneven.levels[1].layers = 3;
    assert!(refused(uneven).contains("levels[1]"));
}
