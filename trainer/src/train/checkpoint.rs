//! All that a run needs to be resumed exactly, in one file written atomically.
//!
//! The container is safetensors, so that a truncated file is noticed: the records of model, average and optimizer as
//! bytes, and the state as JSON in the metadata.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use burn::module::{AutodiffModule, Module};
use burn::record::{FullPrecisionSettings, NamedMpkBytesRecorder, Recorder};
use burn::tensor::backend::Backend;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use shared::train::{AdamW, TrainBackend};
use shared::{FlowBackend, Model};

use super::state::{FORMAT, RunState, damaged};
use crate::error::{Error, Result};
use crate::files::{read_limited, write_atomically};
use crate::panics::caught;

/// A checkpoint of the largest model that a configuration may ask for takes 16 bytes a parameter.
const MAX_BYTES: u64 = 8 << 30;

/// A run in memory.
pub struct Run<B: TrainBackend> {
    /// The weights being trained.
    pub model: Model<B>,
    /// Their moving average.
    pub average: Model<B::InnerBackend>,
    /// AdamW and its moments.
    pub optimizer: AdamW<B::InnerBackend>,
    /// Everything else.
    pub state: RunState,
}

impl<B: TrainBackend> Run<B> {
    /// The weights to evaluate, show and export: the average where there is one.
    pub fn best(&self) -> Model<B::InnerBackend> {
        if self.state.recipe.ema > 0.0 { self.average.clone() } else { self.model.valid() }
    }

    /// Writes the checkpoint: to a temporary file first, so that a crash leaves the old one.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let parts = [
            ("model", encode(path, &self.model)?),
            ("average", encode(path, &self.average)?),
            ("first_moment", encode(path, &self.optimizer.first)?),
            ("second_moment", encode(path, &self.optimizer.second)?),
        ];
        let state = serde_json::to_string(&self.state).map_err(|e| damaged(path, &e))?;
        let metadata = HashMap::from([("format".to_owned(), FORMAT.to_owned()), ("state".to_owned(), state)]);
        let views =
            parts.iter().map(|(name, bytes)| Ok((*name, TensorView::new(Dtype::U8, vec![bytes.len()], bytes)?)));
        let views: Vec<_> =
            views.collect::<std::result::Result<_, safetensors::SafeTensorError>>().map_err(|e| damaged(path, &e))?;
        let bytes = safetensors::serialize(views, Some(metadata)).map_err(|e| damaged(path, &e))?;
        write_atomically(path, &bytes)
    }

    /// Reads a checkpoint that may be anything.
    ///
    /// # Errors
    /// [`Error::Content`] names the file and says what is wrong with it.
    pub fn load(path: &Path, device: &B::Device) -> Result<Self> {
        let bytes = read_limited(path, MAX_BYTES)?;
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(path, &e))?;
        let state = RunState::of(path, &header.metadata().clone().unwrap_or_default())?;
        let file = SafeTensors::deserialize(&bytes).map_err(|e| damaged(path, &e))?;
        // A file of a few bytes may name a model of gigabytes, which is not made before its weights are seen.
        let least = state.config.param_count().saturating_mul(size_of::<f32>());
        let part = |name: &str| match file.tensor(name).map(|t| t.data()) {
            Ok(data) if data.len() >= least => Ok(data),
            Ok(_) => Err(damaged(path, &"it has fewer weights than its configuration asks for")),
            Err(e) => Err(damaged(path, &e)),
        };
        part("model")?;
        let of_config = Error::model(path);
        let model = Model::<B>::new(&state.config, 0, device).map_err(of_config)?;
        let plain = model.valid();
        let expected = shapes(&plain);
        let load = |name: &str| -> Result<Model<B::InnerBackend>> {
            let loaded = decode(path, plain.clone(), part(name)?, device)?;
            if shapes(&loaded) == expected {
                Ok(loaded)
            } else {
                Err(damaged(path, &"its weights do not match its configuration"))
            }
        };
        let (average, first, second) = (load("average")?, load("first_moment")?, load("second_moment")?);
        let model = decode(path, model, part("model")?, device)?;
        if shapes(&model.valid()) != expected {
            return Err(damaged(path, &"its weights do not match its configuration"));
        }
        Ok(Self { model, average, optimizer: AdamW { first, second }, state })
    }
}

fn shapes<B: Backend, M: Module<B>>(model: &M) -> Vec<Vec<usize>> {
    struct Shapes(Vec<Vec<usize>>);
    impl<B: Backend> burn::module::ModuleVisitor<B> for Shapes {
        fn visit_float<const D: usize>(&mut self, param: &burn::module::Param<burn::tensor::Tensor<B, D>>) {
            self.0.push(param.dims().to_vec());
        }
    }
    let mut shapes = Shapes(Vec::new());
    model.visit(&mut shapes);
    shapes.0
}

/// The architecture is in the state, so that the record is the plain model's.
fn encode<B: FlowBackend>(path: &Path, model: &Model<B>) -> Result<Vec<u8>> {
    let record = match model.clone() {
        Model::RgFlow(model) => Recorder::<B>::record(&recorder(), model.into_record(), ()),
        Model::RealNvp(model) => Recorder::<B>::record(&recorder(), model.into_record(), ()),
    };
    record.map_err(|e| damaged(path, &e))
}

/// The model with the weights of a record.
fn decode<B: FlowBackend>(path: &Path, model: Model<B>, bytes: &[u8], device: &B::Device) -> Result<Model<B>> {
    let bytes = bytes.to_vec();
    // Burn panics at a parameter without a proper name, for instance.
    let loaded = caught(|| match model {
        Model::RgFlow(model) => recorder().load(bytes, device).map(|r| Model::RgFlow(model.load_record(r))),
        Model::RealNvp(model) => recorder().load(bytes, device).map(|r| Model::RealNvp(model.load_record(r))),
    });
    loaded.map_err(|panic| damaged(path, &panic))?.map_err(|e| damaged(path, &e))
}

fn recorder() -> NamedMpkBytesRecorder<FullPrecisionSettings> {
    NamedMpkBytesRecorder::new()
}

/// The run's checkpoints, oldest first: files that are named like [`name`], whatever else there is.
///
/// # Errors
/// [`Error::Io`] if the folder cannot be read.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).map_err(Error::io(folder, "list it"))?;
    let mut found: Vec<PathBuf> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
    found.retain(|path| step_of(path).is_some());
    found.sort_by_key(|path| step_of(path));
    Ok(found)
}

/// Name of the checkpoint of a step; names sort like steps.
pub fn name(step: u64) -> String {
    format!("step-{step:08}.ckpt")
}

/// The step in the name of a checkpoint, if it is one that a run gave.
pub fn step_of(path: &Path) -> Option<u64> {
    let found = path.file_name()?.to_str()?;
    let step = found.strip_prefix("step-")?.strip_suffix(".ckpt")?.parse().ok()?;
    (name(step) == found).then_some(step)
}

/// Deletes all but the newest `keep` checkpoints up to a step, that of the last one written, and one that is `spared`.
///
/// # Errors
/// [`Error::Io`] if one cannot be deleted.
pub fn prune(folder: &Path, step: u64, keep: usize, spared: Option<&Path>) -> Result<()> {
    let mut found = list(folder)?;
    found.retain(|path| step_of(path).is_some_and(|s| s <= step));
    let old = &found[..found.len().saturating_sub(keep.max(1))];
    for path in old.iter().filter(|path| Some(path.as_path()) != spared) {
        fs::remove_file(path).map_err(Error::io(path, "delete it"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_run_wrote_before_is_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let names = ["step-00000010.ckpt", "step-00000020.ckpt", "step-00000030.ckpt"];
        let foreign = ["best.ckpt", "step-7.ckpt", "step-00000001.ckpt.old", "0.ckpt"];
        for name in names.iter().chain(&foreign) {
            fs::write(dir.path().join(name), name).unwrap();
        }
        prune(dir.path(), 20, 1, Some(&dir.path().join(names[0]))).unwrap();
        assert_eq!(list(dir.path()).unwrap().len(), 3, "it is spared");
        prune(dir.path(), 20, 1, None).unwrap();
        assert_eq!(list(dir.path()).unwrap(), names[1..].iter().map(|n| dir.path().join(n)).collect::<Vec<_>>());
        assert!(foreign.iter().all(|name| dir.path().join(name).exists()));
        assert_eq!(step_of(Path::new("a/step-123456789.ckpt")), Some(123_456_789));
    }
}
