//! Checkpoints of the authors' PyTorch code, `*.state`, as models of ours.

use std::collections::HashMap;
use std::path::Path;

use burn_store::pytorch::PytorchReader;
use shared::weights::{Card, ModelFile};
use shared::{BlockOrder, LevelConfig, PriorKind, RgFlowConfig, shapes};

use crate::error::{Error, Result};

/// Reads an official checkpoint. The prior's kind is not in it but its scale is: 1 for Gaussian, 1/√2 for Laplace.
///
/// # Errors
/// [`Error::Content`] if the file is no such checkpoint or is incomplete.
pub fn import(path: &Path) -> Result<ModelFile> {
    let state = State::read(path)?;
    let config = state.config()?;
    let mut tensors = HashMap::new();
    for (stage, shape) in shapes(&config).iter().enumerate() {
        let order = official_order(&config);
        let prefix = format!("levels.{}.{}", stage / 2, if stage % 2 == 0 { "disentangler" } else { "decimator" });
        for (i, linear) in shape.linears().iter().enumerate() {
            let (block, k) = (i / (shape.level.mlp + 1), i % (shape.level.mlp + 1));
            // The numbers of a block are in another order here; hidden features are not.
            let identity = |n: usize| (0..n).collect::<Vec<_>>();
            let inputs = if k == 0 { order.clone() } else { identity(linear.inputs) };
            let outputs = if k == shape.level.mlp { order.clone() } else { identity(linear.outputs) };
            let (mut alpha, mut weight, mut bias) = (Vec::new(), Vec::new(), Vec::new());
            for net in nets(stage, shape.level.layers) {
                let of = |part: &str| format!("{net}.res_blocks.{block}.{part}");
                alpha.extend(pick(&state.numbers(&of(&format!("{}.scale", 2 * k)), linear.inputs)?, &inputs));
                bias.extend(pick(&state.numbers(&of(&format!("{}.bias", 2 * k + 1)), linear.outputs)?, &outputs));
                let v = state.numbers(&of(&format!("{}.weight_v", 2 * k + 1)), linear.inputs * linear.outputs)?;
                let g = state.numbers(&of(&format!("{}.weight_g", 2 * k + 1)), linear.outputs)?;
                let norm =
                    |o: usize| v[o * linear.inputs..(o + 1) * linear.inputs].iter().map(|v| v * v).sum::<f32>().sqrt();
                let factor: Vec<f32> = (0..linear.outputs).map(|o| g[o] / norm(o)).collect();
                weight.extend(
                    inputs
                        .iter()
                        .flat_map(|&i| outputs.iter().map(move |&o| (i, o)))
                        .map(|(i, o)| v[o * linear.inputs + i] * factor[o]),
                );
            }
            tensors.insert(format!("{prefix}.linears.{i}.alpha"), alpha);
            tensors.insert(format!("{prefix}.linears.{i}.weight"), weight);
            tensors.insert(format!("{prefix}.linears.{i}.bias"), bias);
        }
        let mut scale = Vec::new();
        for net in nets(stage, shape.level.layers) {
            scale.extend(pick(&state.numbers(&format!("{net}.scale.scale"), shape.dim)?, &order));
        }
        tensors.insert(format!("{prefix}.scale"), scale);
    }
    let card = Card {
        name: state.file_stem(),
        training: "imported from a checkpoint of the authors' code".into(),
        ..Card::default()
    };
    ModelFile::from_tensors(config, card, tensors)
        .map_err(|source| Error::Model { file: path.display().to_string(), source })
}

/// Prefixes of a stage's nets, in our order: s and t of each layer.
fn nets(stage: usize, layers: usize) -> impl Iterator<Item = String> {
    (0..layers).flat_map(move |l| ["s", "t"].map(|net| format!("layers.{stage}.{net}_layers.{l}")))
}

fn pick(values: &[f32], order: &[usize]) -> Vec<f32> {
    order.iter().map(|&i| values[i]).collect()
}

/// For each number of our rows (even pixels of the checkerboard, then odd ones, channels together), its place in the
/// official rows (channel by channel).
fn official_order(config: &RgFlowConfig) -> Vec<usize> {
    let m = config.block;
    let pixels = |odd: usize| (0..m * m).filter(move |k| (k / m + k % m) % 2 == odd);
    pixels(0).chain(pixels(1)).flat_map(|k| (0..config.channels).map(move |c| c * m * m + k)).collect()
}

struct State<'a> {
    path: &'a Path,
    reader: PytorchReader,
}

impl<'a> State<'a> {
    fn read(path: &'a Path) -> Result<Self> {
        let fail = |e: &dyn std::fmt::Display| content(path, format!("not a PyTorch checkpoint ({e})"));
        std::fs::metadata(path).map_err(Error::io(path, "look at it"))?;
        let reader = PytorchReader::with_top_level_key(path, "flow").map_err(|e| fail(&e))?;
        Ok(Self { path, reader })
    }

    fn file_stem(&self) -> String {
        self.path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default()
    }

    fn numbers(&self, name: &str, len: usize) -> Result<Vec<f32>> {
        let tensor = self.reader.get(name).ok_or_else(|| content(self.path, format!("{name} is missing")))?;
        let data = tensor.to_data().map_err(|e| content(self.path, format!("{name} cannot be read ({e:?})")))?;
        let values: Vec<f32> = data.iter::<f32>().collect();
        if values.len() != len {
            return Err(content(self.path, format!("{name} holds {} numbers, not {len}", values.len())));
        }
        Ok(values)
    }

    /// The largest number that follows `prefix` in a tensor's name, plus one.
    fn count(&self, prefix: &str) -> usize {
        let number = |key: &String| key.strip_prefix(prefix)?.split('.').next()?.parse::<usize>().ok();
        self.reader.keys().iter().filter_map(number).max().map_or(0, |n| n + 1)
    }

    fn shape(&self, name: &str) -> Result<Vec<usize>> {
        self.reader.get(name).map(|t| t.shape.to_vec()).ok_or_else(|| content(self.path, format!("{name} is missing")))
    }

    fn config(&self) -> Result<RgFlowConfig> {
        let mask = self.shape("layers.0.mask_left")?;
        let &[channels, block, _] = mask.as_slice() else {
            return Err(content(self.path, format!("mask_left has shape {mask:?}")));
        };
        let stages = self.count("layers.");
        if stages == 0 || !stages.is_multiple_of(2) || stages > 16 {
            return Err(content(self.path, format!("{stages} stages; two a level are expected")));
        }
        let mut levels = Vec::new();
        for stage in (0..stages).step_by(2) {
            let net = format!("layers.{stage}.s_layers");
            let linears = self.count(&format!("{net}.0.res_blocks.0.")) / 2;
            let hidden = self.shape(&format!("{net}.0.res_blocks.0.1.bias"))?.iter().product();
            levels.push(LevelConfig {
                layers: self.count(&format!("{net}.")),
                res_blocks: self.count(&format!("{net}.0.res_blocks.")),
                mlp: linears.saturating_sub(1),
                hidden,
            });
        }
        let gaussian = self.numbers("prior.scale", 1)?[0] > 0.85;
        let prior = if gaussian { PriorKind::Gaussian } else { PriorKind::Laplace };
        let size = block << (levels.len() - 1);
        let config =
            RgFlowConfig { channels, block, order: BlockOrder::Official, prior, ..RgFlowConfig::new(size, levels) };
        config.validate().map_err(|source| Error::Model { file: self.path.display().to_string(), source })?;
        Ok(config)
    }
}

fn content(path: &Path, problem: String) -> Error {
    Error::Content {
        file: path.display().to_string(),
        problem,
        advice: "give a *.state file as the authors' code writes it".into(),
    }
}
