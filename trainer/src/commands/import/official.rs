//! Checkpoints of the authors' PyTorch code, `*.state`, as models of ours.

use std::collections::HashMap;
use std::path::Path;

use shared::weights::{Card, ModelFile};
use shared::{BlockOrder, LevelConfig, PriorKind, RgFlowConfig, shapes};

use super::torch::TorchFile;
use crate::error::{Error, Result};

/// Reads an official checkpoint. The prior's kind is not in it but its scale is: 1 for Gaussian, 1/√2 for Laplace.
///
/// # Errors
/// [`Error::Content`] if the file is not such a checkpoint or is incomplete.
pub fn import(path: &Path) -> Result<ModelFile> {
    let state = State::read(path)?;
    let config = state.config()?;
    let mut tensors = HashMap::new();
    for (stage, shape) in shapes(&config).iter().map(|shape| shape.couplings).enumerate() {
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
                let rows = state.weight(&of(&(2 * k + 1).to_string()), linear.inputs, linear.outputs)?;
                weight.extend(
                    inputs
                        .iter()
                        .flat_map(|&i| outputs.iter().map(move |&o| (i, o)))
                        .map(|(i, o)| rows[o * linear.inputs + i]),
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
    // No name: files that hold the same weights give the same bytes, whatever they are called.
    let card = Card { training: "imported from a checkpoint of the authors' code".into(), ..Card::default() };
    ModelFile::from_tensors(config, card, tensors).map_err(Error::model(path))
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

/// The flow's tensors in a file that may hold other things, and call the flow by other names.
struct State<'a> {
    path: &'a Path,
    file: TorchFile,
    /// What stands before the names of the flow's own tensors.
    prefix: String,
}

/// A tensor that every flow has.
const LANDMARK: &str = "layers.0.mask_left";

impl<'a> State<'a> {
    fn read(path: &'a Path) -> Result<Self> {
        let file = TorchFile::open(path)?;
        let prefix =
            |name: &str| name.strip_suffix(LANDMARK).filter(|p| p.is_empty() || p.ends_with('.')).map(String::from);
        let mut prefixes: Vec<String> = file.names().filter_map(prefix).collect();
        // The authors' own key, where a file has averages or copies beside it.
        if let Some(own) = prefixes.iter().position(|prefix| prefix.split('.').next() == Some("flow")) {
            prefixes.swap(0, own);
            prefixes.truncate(1);
        }
        match prefixes.as_slice() {
            [prefix] => Ok(Self { path, prefix: prefix.clone(), file }),
            [] => {
                let some: Vec<&str> = file.names().take(3).collect();
                let has = if some.is_empty() {
                    "no tensors in dictionaries; of a whole model that was saved, save model.state_dict()".into()
                } else {
                    format!("others, for instance {}", some.join(", "))
                };
                Err(file.refuse(format!(
                    "it holds no flow of the authors' code: no tensor is called {LANDMARK}; it has {has}"
                )))
            }
            several => Err(file.refuse(format!("it holds several flows: {}", several.join(", ")))),
        }
    }

    fn numbers(&self, name: &str, len: usize) -> Result<Vec<f32>> {
        self.file.numbers(&format!("{}{name}", self.prefix), len)
    }

    /// The weight of a linear, `[outputs, inputs]`: made of a direction and a length, under the names of either of
    /// PyTorch's weight norms, or as it is where weight norm was taken off.
    fn weight(&self, linear: &str, inputs: usize, outputs: usize) -> Result<Vec<f32>> {
        let name = |part: &str| format!("{linear}.{part}");
        let has = |name: &str| self.file.has(&format!("{}{name}", self.prefix));
        if has(&name("weight")) {
            return self.numbers(&name("weight"), inputs * outputs);
        }
        let newer = ["parametrizations.weight.original0", "parametrizations.weight.original1"].map(name);
        let [length, direction] = if has(&newer[1]) { newer } else { ["weight_g", "weight_v"].map(name) };
        let mut rows = self.numbers(&direction, inputs * outputs)?;
        let lengths = self.numbers(&length, outputs)?;
        for (row, length) in rows.chunks_exact_mut(inputs).zip(lengths) {
            let factor = length / row.iter().map(|v| v * v).sum::<f32>().sqrt();
            row.iter_mut().for_each(|v| *v *= factor);
        }
        Ok(rows)
    }

    /// The largest number that follows `prefix` in a tensor's name, plus one.
    fn count(&self, prefix: &str) -> usize {
        let number = |name: &str| {
            name.strip_prefix(&self.prefix)?.strip_prefix(prefix)?.split('.').next()?.parse::<usize>().ok()
        };
        self.file.names().filter_map(number).max().map_or(0, |n| n.saturating_add(1))
    }

    fn shape(&self, name: &str) -> Result<&[usize]> {
        self.file.shape(&format!("{}{name}", self.prefix))
    }

    fn config(&self) -> Result<RgFlowConfig> {
        let mask = self.shape("layers.0.mask_left")?;
        let &[channels, block, width] = mask else {
            return Err(self.file.refuse(format!("mask_left has shape {mask:?}")));
        };
        if block != width || mask.contains(&0) {
            return Err(self.file.refuse(format!("mask_left has shape {mask:?}, which is not a square")));
        }
        let stages = self.count("layers.");
        if stages == 0 || !stages.is_multiple_of(2) || stages > 16 {
            return Err(self.file.refuse(format!("{stages} stages; expected two for each level")));
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
        config.validate().map_err(Error::model(self.path))?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::super::torch::testing::{Saved, row, write_zip};
    use super::*;
    use shared::weights::Precision;

    fn authors() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/official-gaussian-16.state")
    }

    /// The authors' tensors.
    fn saved() -> Vec<Saved> {
        let file = TorchFile::open(&authors()).unwrap();
        let one = |name: &str| {
            let shape = file.shape(name).unwrap().to_vec();
            let values = file.numbers(name, shape.iter().product()).unwrap();
            Saved::plain(name.strip_prefix("flow.").unwrap(), &shape, values)
        };
        file.names().map(one).collect()
    }

    fn renamed(prefix: &str) -> Vec<Saved> {
        saved().into_iter().map(|saved| Saved { name: format!("{prefix}{}", saved.name), ..saved }).collect()
    }

    #[test]
    fn the_same_weights_are_the_same_file_however_they_were_saved() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = |path: &Path| import(path).unwrap().to_bytes(Precision::F16).unwrap();
        let expected = bytes(&authors());
        let strided: Vec<Saved> = saved().iter().map(Saved::strided).collect();
        let averages = renamed("ema.").into_iter().map(|mut saved| {
            saved.storage.iter_mut().for_each(|value| *value *= 2.0);
            saved
        });
        let beside = renamed("flow.").into_iter().chain(averages).collect::<Vec<_>>();
        let path = dir.path().join("other-name.state");
        for (saved, keys) in [
            (saved(), &[][..]),
            (renamed("module.net."), &["flow"]),
            (renamed("module."), &["state_dict"]),
            (beside, &[]),
            (strided, &["flow"]),
        ] {
            write_zip(&path, &saved, keys, &[]);
            assert!(bytes(&path) == expected, "{} in {keys:?}", saved[0].name);
            std::fs::write(&path, row(&saved, keys)).unwrap();
            assert!(bytes(&path) == expected, "{} in {keys:?}, the old layout", saved[0].name);
        }
    }

    #[test]
    fn files_without_one_flow_say_what_they_hold() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.state");
        let error = |saved: &[Saved], without: &[usize]| {
            write_zip(&path, saved, &[], without);
            import(&path).unwrap_err().to_string()
        };
        let other = error(&[Saved::plain("encoder.weight", &[2], vec![1.0; 2])], &[]);
        assert!(
            other.contains("x.state: it holds no flow of the authors") && other.contains("encoder.weight"),
            "{other}"
        );
        let two: Vec<Saved> = ["a.", "b."].iter().flat_map(|prefix| renamed(prefix)).collect();
        assert!(error(&two, &[]).contains("it holds several flows: a., b."));
        let saved = saved();
        for (i, one) in saved.iter().enumerate().filter(|(_, one)| one.name.ends_with("weight_v")).take(3) {
            let error = error(&saved, &[i]);
            assert!(error.contains(&format!("the numbers of {} are not in the file", one.name)), "{error}");
        }
    }

    #[test]
    fn a_model_of_one_channel_keeps_its_channel() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("grey.state");
        let mut all = vec![Saved::plain("prior.scale", &[], vec![1.0])];
        let (hidden, dim) = (8, 16);
        for stage in 0..4 {
            for mask in ["mask_left", "mask_right"] {
                all.push(Saved::plain(&format!("layers.{stage}.{mask}"), &[1, 4, 4], vec![1.0; 16]));
            }
            for net in ["s", "t"] {
                let net = format!("layers.{stage}.{net}_layers.0");
                for (k, (inputs, outputs)) in [(dim, hidden), (hidden, dim)].into_iter().enumerate() {
                    let of = |part: &str| format!("{net}.res_blocks.0.{part}");
                    let values = |n: usize| (0..n).map(|i| ((i * 7 + stage) % 11) as f32 / 11.0 - 0.4).collect();
                    all.push(Saved::plain(&of(&format!("{}.scale", 2 * k)), &[inputs], values(inputs)));
                    all.push(Saved::plain(&of(&format!("{}.bias", 2 * k + 1)), &[outputs], values(outputs)));
                    let v = &of(&format!("{}.weight_v", 2 * k + 1));
                    all.push(Saved::plain(v, &[outputs, inputs], values(inputs * outputs)));
                    all.push(Saved::plain(&of(&format!("{}.weight_g", 2 * k + 1)), &[outputs, 1], vec![1.0; outputs]));
                }
                all.push(Saved::plain(&format!("{net}.scale.scale"), &[1, 4, 4], vec![0.1; dim]));
            }
        }
        write_zip(&path, &all, &["flow"], &[]);
        let config = import(&path).unwrap().config;
        assert_eq!((config.channels, config.size, config.block, config.levels.len()), (1, 8, 4, 2));
        all[1].shape = vec![1, 2, 8];
        write_zip(&path, &all, &["flow"], &[]);
        assert!(import(&path).unwrap_err().to_string().contains("not a square"));
    }
}
