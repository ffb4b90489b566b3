//! The weights file read as docs/weights.md says, with candle and nothing of ours: the library must find the same.

use std::collections::HashMap;

use burn::backend::Flex;
use burn::module::Param;
use candle_core::{DType, Device, Result, Tensor, safetensors::load_buffer};
use nalgebra::DMatrix;
use safetensors::SafeTensors;
use serde_json::Value;
use shared::logit::{bits_per_dim, image_to_logit};
use shared::real_nvp::{RealNvp, RealNvpConfig, ScaleConfig};
use shared::weights::{AnyModelFile, Card, ModelFile, Precision};
use shared::{BlockOrder, CouplingKind, LevelConfig, Model, PriorKind, RgFlow, RgFlowConfig};

/// What the page says.
const PAGE: &str = include_str!("../../../docs/weights.md");

/// A file by its page.
pub struct Reader {
    config: Value,
    tensors: HashMap<String, Tensor>,
}

impl Reader {
    fn new(bytes: &[u8]) -> Result<Self> {
        let (_, header) = SafeTensors::read_metadata(bytes).unwrap();
        let metadata = header.metadata().clone().unwrap();
        assert_eq!(metadata["format"], "rg-flow");
        assert!(["1", "2", "3", "5", "6"].contains(&metadata["format_version"].as_str()));
        let tensors = load_buffer(bytes, &Device::Cpu)?;
        let tensors = tensors.into_iter().map(|(name, tensor)| Ok((name, tensor.to_dtype(DType::F32)?)));
        Ok(Self {
            config: serde_json::from_str(&metadata["config"]).unwrap(),
            tensors: tensors.collect::<Result<_>>()?,
        })
    }

    /// The latents of logits, and the log-determinant.
    fn latents(&self, y: &[f64]) -> Result<(Vec<f64>, f64)> {
        match self.config["architecture"].as_str() {
            None | Some("rg-flow") => self.rg_flow(y),
            Some("real-nvp") => self.real_nvp(y),
            Some(other) => panic!("{other}"),
        }
    }

    fn log_density(&self, z: f64) -> f64 {
        match self.config["prior"].as_str() {
            Some("laplace") => -2f64.sqrt() * z.abs() - 2f64.ln() / 2.0,
            Some("gaussian") => -z * z / 2.0 - (2.0 * std::f64::consts::PI).ln() / 2.0,
            other => panic!("{other:?}"),
        }
    }

    pub fn tensor(&self, name: &str) -> &Tensor {
        &self.tensors[name]
    }

    pub fn config(&self) -> &Value {
        &self.config
    }

    /// K, with splines.
    fn bins(&self) -> Option<usize> {
        self.config["coupling"]["spline"].as_u64().map(|bins| bins as usize)
    }

    fn rg_flow(&self, y: &[f64]) -> Result<(Vec<f64>, f64)> {
        let [size, channels, m] = ["size", "channels", "block"].map(|key| number(&self.config[key]));
        let mut x = y.to_vec();
        if self.config["mean_image"] == true {
            let mean = numbers(self.tensor("mean"))?;
            x.iter_mut().zip(mean).for_each(|(x, mean)| *x -= mean);
        }
        let mut log_det = 0.0;
        for (h, level) in self.config["levels"].as_array().unwrap().iter().enumerate() {
            let step = 1 << h;
            let n = size / step;
            for stage in ["disentangler", "decimator"] {
                let shifted = (self.config["order"] == "paper") == (stage == "disentangler");
                let s = if shifted { m / 2 } else { 0 };
                let mut places = Vec::new();
                for (i, j) in (0..n / m).flat_map(|i| (0..n / m).map(move |j| (i, j))) {
                    for parity in [0, 1] {
                        let pixels = (0..m).flat_map(|a| (0..m).map(move |b| (a, b)));
                        for (a, b) in pixels.filter(|(a, b)| (a + b) % 2 == parity) {
                            let (row, col) = ((m * i + a + s) % n, (m * j + b + s) % n);
                            places.extend((0..channels).map(|c| (c * size + row * step) * size + col * step));
                        }
                    }
                }
                let rows: Vec<f32> = places.iter().map(|&place| x[place] as f32).collect();
                let rows = Tensor::from_vec(rows, ((n / m).pow(2), channels * m * m), &Device::Cpu)?;
                let weights = if self.config["share_levels"] == true { 0 } else { h };
                let (rows, change) = self.bijector(&format!("levels.{weights}.{stage}"), (h, level), rows)?;
                log_det += change;
                places.iter().zip(numbers(&rows)?).for_each(|(&place, number)| x[place] = number);
            }
        }
        Ok((x, log_det))
    }

    /// All blocks of a stage, `[blocks, d]`.
    fn bijector(&self, name: &str, (h, level): (usize, &Value), rows: Tensor) -> Result<(Tensor, f64)> {
        let maps = self.config["linear_maps"] == true;
        let (blocks, d) = rows.dims2()?;
        let map = |part: &str, rows: Tensor| match maps {
            true => rows
                .matmul(self.tensor(&format!("{name}.{part}.weight")))?
                .broadcast_add(self.tensor(&format!("{name}.{part}.bias"))),
            false => Ok(rows),
        };
        let rows = map("entry", rows)?;
        let own = d / 2;
        let mut halves = [rows.narrow(1, 0, own)?, rows.narrow(1, own, own)?];
        let from = self.config["places_from"].as_u64().unwrap_or(0) as usize;
        let features = if blocks > 1 && h >= from { number(&self.config["place_features"]) } else { 0 };
        if features > 0 {
            for half in &mut halves {
                *half = Tensor::cat(&[&*half, self.tensor(&format!("{name}.places"))], 1)?;
            }
        }
        let d = d + 2 * features;
        let mut log_det = 0.0;
        for layer in 0..number(&level["layers"]) {
            for (given, changed) in [(0, 1), (1, 0)] {
                let zeros = halves[given].zeros_like()?;
                let pair = if given == 0 { [&halves[0], &zeros] } else { [&zeros, &halves[1]] };
                let input = Tensor::cat(&pair, 1)?;
                // What the nets give for the half that is changed.
                let [s, t] = [2 * layer, 2 * layer + 1].map(|net| {
                    let out = self.net(name, level, net, &input)?;
                    let width = out.dim(1)? / 2;
                    out.narrow(1, changed * width, width)
                });
                let (s, t) = (s?, t?);
                let scale = s.narrow(1, 0, d / 2)?.tanh()?;
                let moved = ((&halves[changed] * scale.exp()?)? + t.narrow(1, 0, d / 2)?)?;
                log_det += sum(&scale.narrow(1, 0, own)?)?;
                halves[changed] = match self.bins() {
                    None => moved,
                    Some(bins) => {
                        let rest = |out: &Tensor| out.narrow(1, d / 2, out.dim(1)? - d / 2);
                        let numbers = Tensor::cat(&[rest(&s)?, rest(&t)?], 1)?.to_vec2::<f32>()?;
                        let mut bent = moved.to_vec2::<f32>()?;
                        for (row, numbers) in bent.iter_mut().zip(&numbers) {
                            for (i, u) in row.iter_mut().enumerate() {
                                let own: Vec<f64> =
                                    numbers.iter().skip(i).step_by(d / 2).map(|&v| f64::from(v)).collect();
                                let (y, log) = bend(f64::from(*u), &own, bins);
                                *u = y as f32;
                                log_det += log;
                            }
                        }
                        Tensor::new(bent, &Device::Cpu)?
                    }
                };
            }
        }
        if maps {
            for part in ["entry", "exit"] {
                log_det += blocks as f64 * self.log_abs_det(&format!("{name}.{part}.weight"))?;
            }
        }
        let halves = [halves[0].narrow(1, 0, own)?, halves[1].narrow(1, 0, own)?];
        Ok((map("exit", Tensor::cat(&halves, 1)?)?, log_det))
    }

    fn net(&self, name: &str, level: &Value, net: usize, input: &Tensor) -> Result<Tensor> {
        let (res_blocks, mlp, d) = (number(&level["res_blocks"]), number(&level["mlp"]), input.dim(1)?);
        let mut h = input.clone();
        for r in 0..res_blocks {
            let mut f = h.clone();
            for k in 0..=mlp {
                let part = |part: &str| self.tensor(&format!("{name}.linears.{}.{part}", r * (mlp + 1) + k)).get(net);
                f = swish(&f, &part("alpha")?)?.matmul(&part("weight")?)?.broadcast_add(&part("bias")?)?;
            }
            // Splines: of each half the first numbers alone go on from h.
            let wider = f.dim(1)? / d;
            let mut parts = Vec::new();
            for half in 0..2 {
                let own = f.narrow(1, half * wider * d / 2, d / 2)?;
                parts.push((own + h.narrow(1, half * d / 2, d / 2)?)?);
                if wider > 1 {
                    parts.push(f.narrow(1, half * wider * d / 2 + d / 2, (wider - 1) * d / 2)?);
                }
            }
            h = (Tensor::cat(&parts, 1)? / 2f64.sqrt())?;
        }
        h.broadcast_mul(&self.tensor(&format!("{name}.scale")).get(net)?)
    }

    fn log_abs_det(&self, name: &str) -> Result<f64> {
        let rows = self.tensor(name).to_vec2::<f32>()?;
        let matrix = DMatrix::from_fn(rows.len(), rows.len(), |r, c| f64::from(rows[r][c]));
        Ok(matrix.lu().u().diagonal().iter().map(|v| v.abs().ln()).sum())
    }
}

pub fn number(value: &Value) -> usize {
    if value.is_null() { 0 } else { value.as_u64().unwrap() as usize }
}

pub fn numbers(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(tensor.flatten_all()?.to_vec1::<f32>()?.into_iter().map(f64::from).collect())
}

pub fn sum(tensor: &Tensor) -> Result<f64> {
    Ok(numbers(tensor)?.iter().sum())
}

/// x·σ(αx)
fn swish(x: &Tensor, alpha: &Tensor) -> Result<Tensor> {
    x / (x.broadcast_mul(alpha)?.neg()?.exp()? + 1.0)?
}

/// A spline's value and the logarithm of its slope, from K widths, K heights and K − 1 slopes.
fn bend(u: f64, numbers: &[f64], bins: usize) -> (f64, f64) {
    if u.abs() >= 3.0 {
        return (u, 0.0);
    }
    let positive: Vec<f64> = numbers.iter().map(|v| (2.0 * (v / 2.0).tanh()).exp()).collect();
    let sides = |first: usize| {
        let own = &positive[first..first + bins];
        own.iter().map(|w| 6.0 * w / own.iter().sum::<f64>()).collect::<Vec<_>>()
    };
    let (widths, heights) = (sides(0), sides(bins));
    let slope = |k: usize| if k == 0 || k == bins { 1.0 } else { positive[2 * bins + k - 1] };
    let (mut left, mut low, mut k) = (-3.0, -3.0, 0);
    while k + 1 < bins && u >= left + widths[k] {
        left += widths[k];
        low += heights[k];
        k += 1;
    }
    let (g, q) = (heights[k] / widths[k], (u - left) / widths[k]);
    let (r, d, e) = (q * (1.0 - q), slope(k), slope(k + 1));
    let below = g + (d + e - 2.0 * g) * r;
    let steepness = g * g * (e * q * q + 2.0 * g * r + d * (1.0 - q).powi(2)) / (below * below);
    (low + heights[k] * (g * q * q + d * r) / below, steepness.ln())
}

/// Reads the file by the page and with the library, and compares them on one image of logits.
fn compare(what: &str, bytes: &[u8]) {
    let flow = AnyModelFile::from_bytes(bytes).unwrap().to_flow::<Flex>(&Default::default()).unwrap();
    let y: Vec<f32> = (0..flow.dims()).map(|i| 1.5 * (i as f32 * 0.37 + 0.2).sin()).collect();
    let batch = flow.batch(y.clone(), &Default::default()).unwrap();
    let encoded = flow.forward(batch.clone());
    let z: Vec<f32> = encoded.latents.into_data().iter().collect();
    let [log_det, log_prob] =
        [encoded.log_det, flow.log_prob(batch)].map(|one| one.into_data().iter::<f64>().next().unwrap());
    let reader = Reader::new(bytes).unwrap();
    let (expected, expected_log_det) = reader.latents(&y.iter().map(|&y| f64::from(y)).collect::<Vec<_>>()).unwrap();
    assert_eq!(z.len(), expected.len(), "{what}");
    let size = expected.iter().fold(1f64, |m, z| m.max(z.abs()));
    let off = z.iter().zip(&expected).map(|(z, e)| (f64::from(*z) - e).abs()).fold(0.0, f64::max);
    assert!(off < 5e-5 * size, "{what}: z is off by {off} of {size}");
    assert!(expected_log_det.abs() > 0.1, "{what}: the model hardly changes volumes");
    assert!((log_det - expected_log_det).abs() < 1e-6 * z.len() as f64, "{what}: {log_det} {expected_log_det}");
    let expected = expected.iter().map(|&z| reader.log_density(z)).sum::<f64>() + expected_log_det;
    assert!((log_prob - expected).abs() < 1e-5 * expected.abs(), "{what}: {log_prob} {expected}");
}

fn rg_flow(config: &RgFlowConfig, precision: Precision) -> Vec<u8> {
    // Little noise: f32's rounding is multiplied by the linear maps' condition. The couplings may be stronger.
    let mut model = RgFlow::<Flex>::random(config, 0.04, 8, &Default::default()).unwrap();
    for bijector in &mut model.bijectors {
        bijector.scale = Param::from_tensor(bijector.scale.val() * 4.0);
    }
    ModelFile::from_model(&model, Card::default()).to_bytes(precision).unwrap()
}

#[test]
fn the_page_is_enough_to_read_an_rg_flow() {
    let level = |layers, res_blocks, mlp| LevelConfig { layers, res_blocks, mlp, hidden: 14 };
    let levels = vec![level(2, 2, 1), level(1, 1, 2), level(3, 2, 2)];
    for order in [BlockOrder::Paper, BlockOrder::Official] {
        for (linear_maps, mean_image) in [(false, false), (false, true), (true, false), (true, true)] {
            for prior in [PriorKind::Laplace, PriorKind::Gaussian] {
                // Grey images by the authors' prior, for a change.
                let channels = if prior == PriorKind::Laplace { 3 } else { 1 };
                let plain = RgFlowConfig::new(16, levels.clone());
                let place_features = if mean_image { 3 } else { 0 };
                let places_from = usize::from(mean_image && linear_maps);
                let places = RgFlowConfig { place_features, places_from, ..plain };
                let config = RgFlowConfig { order, prior, linear_maps, mean_image, channels, ..places };
                for precision in [Precision::F32, Precision::F16] {
                    compare(&format!("{precision:?} {config:?}"), &rg_flow(&config, precision));
                }
            }
        }
    }
}

#[test]
fn the_page_is_enough_to_read_other_blocks_and_splines() {
    let level = LevelConfig { layers: 2, res_blocks: 2, mlp: 1, hidden: 9 };
    for block in [2, 6] {
        let config = RgFlowConfig { block, ..RgFlowConfig::new(2 * block, vec![level; 2]) };
        compare(&format!("blocks of {block}"), &rg_flow(&config, Precision::F32));
    }
    for (bins, res_blocks) in [(4, 1), (5, 2)] {
        let levels = vec![LevelConfig { res_blocks, ..level }; 2];
        let coupling = CouplingKind::Spline(bins);
        let config = RgFlowConfig { coupling, linear_maps: true, place_features: 2, ..RgFlowConfig::new(8, levels) };
        compare(&format!("{bins} bins"), &rg_flow(&config, Precision::F32));
    }
}

#[test]
fn the_page_is_enough_to_read_levels_that_share_their_weights() {
    let level = LevelConfig { layers: 2, res_blocks: 2, mlp: 1, hidden: 9 };
    let config = RgFlowConfig { linear_maps: true, ..RgFlowConfig::new(16, vec![level; 3]).shared() };
    compare("shared levels", &rg_flow(&config, Precision::F32));
}

#[test]
fn the_page_is_enough_to_read_a_real_nvp() {
    let scale = |couplings, res_blocks| ScaleConfig { couplings, res_blocks, hidden: 7 };
    for (channels, prior) in [(1, PriorKind::Gaussian), (3, PriorKind::Laplace)] {
        let config = RealNvpConfig { size: 8, channels, prior, scales: vec![scale(3, 1), scale(2, 2), scale(1, 1)] };
        let model = Model::RealNvp(RealNvp::<Flex>::random(&config, 0.15, 4, &Default::default()).unwrap());
        let file = AnyModelFile::from_model(&model, Card::default());
        for precision in [Precision::F32, Precision::F16] {
            compare(&format!("{precision:?} {config:?}"), &file.to_bytes(precision).unwrap());
        }
    }
}

/// The numbers of a table of the page, by the heads of their rows.
fn table(head: &str) -> HashMap<&'static str, f64> {
    let rows = PAGE.lines().skip_while(|line| !line.contains(head)).skip(2).take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    let row = |cells: Vec<&'static str>| Some((cells[1].split(", of").next()?, cells[2].parse().ok()?));
    cells.filter_map(row).collect()
}

#[test]
fn the_pages_numbers_are_those_of_the_shipped_models() {
    for name in ["web/models/faces32.safetensors", "web/models/msds1-realnvp.safetensors"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
        let bytes = std::fs::read(path).unwrap();
        let reader = Reader::new(&bytes).unwrap();
        let flow = AnyModelFile::from_bytes(&bytes).unwrap().to_flow::<Flex>(&Default::default()).unwrap();
        let [channels, size] = flow.image_shape();
        let image: Vec<u8> = (0..channels * size * size)
            .map(|i| ((40 * (i / size / size) + 7 * (i / size % size) + 5 * (i % size)) % 256) as u8)
            .collect();
        let (y, slopes) = image_to_logit(&image, || 0.5);
        let log_prob = flow.log_prob(flow.batch(y.clone(), &Default::default()).unwrap());
        let log_prob = log_prob.into_data().iter::<f64>().next().unwrap();
        let (z, log_det) = reader.latents(&y.iter().map(|&y| f64::from(y)).collect::<Vec<_>>()).unwrap();
        let own = z.iter().map(|&z| reader.log_density(z)).sum::<f64>() + log_det;
        let bits = bits_per_dim(log_prob + f64::from(slopes), z.len());
        let mut found =
            vec![("log-determinant".to_owned(), log_det), ("ln p(y)".into(), own), ("bits/dim".into(), bits)];
        found.extend((0..z.len()).map(|i| (format!("latent {i}"), z[i])));
        let place = |i: usize| format!("z[{}][{}][{}]", i / size / size, i / size % size, i % size);
        found.extend((0..z.len()).map(|i| (place(i), z[i])));
        let found: HashMap<String, f64> = found.into_iter().collect();
        let page = table(name);
        assert!(page.len() >= 6, "docs/weights.md has no table of {name}: {page:?}");
        for (what, written) in page {
            let found = found[what];
            // The page has them in double precision.
            assert!(
                (found - written).abs() < 2e-3 + 1e-6 * written.abs(),
                "docs/weights.md, {name}: {what} is {found}, not {written}"
            );
        }
        assert!((log_prob - own).abs() < 0.05, "{name}: {log_prob} {own}");
    }
}
