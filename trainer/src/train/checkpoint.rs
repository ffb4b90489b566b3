//! All that a run needs to go on exactly, in one file written atomically.
//!
//! The container is safetensors, so that a truncated file is noticed: the records of model, average and optimizer as
//! bytes, and the state as JSON in the metadata.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use burn::module::{AutodiffModule, Module};
use burn::record::{FullPrecisionSettings, NamedMpkBytesRecorder, Recorder};
use burn::tensor::backend::Backend;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use shared::{FlowBackend, Model, ModelConfig};

use super::adamw::AdamW;
use super::recipe::Recipe;
use crate::device::TrainBackend;
use crate::error::{Error, Result};
use crate::guard::caught;

const FORMAT: &str = "rg-flow-checkpoint-1";
/// A checkpoint of the largest model that a configuration may ask for takes 16 bytes a parameter.
const MAX_BYTES: u64 = 8 << 30;

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// The architecture.
    pub config: ModelConfig,
    /// The recipe.
    pub recipe: Recipe,
    /// Name or path of the data, as given.
    pub data: String,
    /// Licence of the data, if known.
    pub licence: Option<String>,
    /// Steps taken.
    pub step: u64,
    /// Seconds spent training.
    pub seconds: f64,
}

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
        let metadata = header.metadata().clone().unwrap_or_default();
        if metadata.get("format").map(String::as_str) != Some(FORMAT) {
            return Err(damaged(path, &format!("its format is {:?}, not {FORMAT}", metadata.get("format"))));
        }
        let state = metadata.get("state").ok_or_else(|| damaged(path, &"it has no state"))?;
        let state: RunState = serde_json::from_str(state).map_err(|e| damaged(path, &e))?;
        state.recipe.validate()?;
        let file = SafeTensors::deserialize(&bytes).map_err(|e| damaged(path, &e))?;
        let part = |name: &str| file.tensor(name).map(|t| t.data()).map_err(|e| damaged(path, &e));
        let of_config = |source| Error::Model { file: path.display().to_string(), source };
        let model = Model::<B>::new(&state.config, 0, device).map_err(of_config)?;
        let plain = model.valid();
        let expected = shapes(&plain);
        let load = |name: &str| -> Result<Model<B::InnerBackend>> {
            let loaded = decode(path, plain.clone(), part(name)?, device)?;
            if shapes(&loaded) == expected {
                Ok(loaded)
            } else {
                Err(damaged(path, &"its weights are not of its configuration"))
            }
        };
        let (average, first, second) = (load("average")?, load("first_moment")?, load("second_moment")?);
        let model = decode(path, model, part("model")?, device)?;
        if shapes(&model.valid()) != expected {
            return Err(damaged(path, &"its weights are not of its configuration"));
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
    // Records of other shapes and types make Burn panic.
    let loaded = caught(|| match model {
        Model::RgFlow(model) => recorder().load(bytes, device).map(|r| Model::RgFlow(model.load_record(r))),
        Model::RealNvp(model) => recorder().load(bytes, device).map(|r| Model::RealNvp(model.load_record(r))),
    });
    loaded.map_err(|panic| damaged(path, &panic))?.map_err(|e| damaged(path, &e))
}

fn recorder() -> NamedMpkBytesRecorder<FullPrecisionSettings> {
    NamedMpkBytesRecorder::new()
}

fn damaged(path: &Path, problem: &dyn std::fmt::Display) -> Error {
    Error::Content {
        file: path.display().to_string(),
        problem: format!("not a complete checkpoint of this program ({problem})"),
        advice: "resume from an older checkpoint of the run".into(),
    }
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, [`Error::Content`] if it is larger.
pub fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let size = fs::metadata(path).map_err(Error::io(path, "look at it"))?.len();
    if size > limit {
        return Err(Error::Content {
            file: path.display().to_string(),
            problem: format!("{size} bytes, more than the {limit} that such a file can have"),
            advice: "is it the right file?".into(),
        });
    }
    fs::read(path).map_err(Error::io(path, "read it"))
}

/// Replaces a file in one step: readers see the old content or the new one, never a part.
///
/// # Errors
/// [`Error::Io`] if the folder cannot be written.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(Error::io(folder, "create it"))?;
    let mut builder = tempfile::Builder::new();
    // Temporary files are for their owner alone; this one is to become an ordinary file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = builder.tempfile_in(folder).map_err(Error::io(folder, "write into it"))?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(Error::io(path, "write it"))?;
    file.persist(path).map_err(|e| Error::io(path, "replace it")(e.error))?;
    Ok(())
}

/// The run's checkpoints, oldest first.
///
/// # Errors
/// [`Error::Io`] if the folder cannot be read.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).map_err(Error::io(folder, "list it"))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|e| e.ok().map(|e| e.path()))
        .filter(|p| p.extension().is_some_and(|e| e == "ckpt"))
        .collect();
    found.sort();
    Ok(found)
}

/// Name of the checkpoint of a step; names sort like steps.
pub fn name(step: u64) -> String {
    format!("step-{step:08}.ckpt")
}

/// Deletes all but the newest `keep` checkpoints.
///
/// # Errors
/// [`Error::Io`] if one cannot be deleted.
pub fn prune(folder: &Path, keep: usize) -> Result<()> {
    let found = list(folder)?;
    for path in &found[..found.len().saturating_sub(keep.max(1))] {
        fs::remove_file(path).map_err(Error::io(path, "delete it"))?;
    }
    Ok(())
}
