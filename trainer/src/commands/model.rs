//! Models from whatever file the user has: weights, checkpoints, a run's folder.

use std::path::Path;

use shared::weights::{AnyModelFile, Card, ModelFile};
use shared::{Flow, FlowBackend, ImageFlow};

use crate::device::{DeviceChoice, Job, TrainBackend, dispatch};
use crate::error::{Error, Result};
use crate::files::read_limited;
use crate::train::checkpoint::Run;
use crate::train::newest;
use crate::train::state::RunState;

/// Largest weights file: twice what the largest model takes.
const MAX_BYTES: u64 = 4 << 30;

/// A model, and where its training stood if it came from a checkpoint.
pub struct Loaded<F = ModelFile> {
    /// The model.
    pub file: F,
    /// Its run.
    pub state: Option<RunState>,
}

/// Reads an RG-Flow's weights file, checkpoint or the newest checkpoint of its run's folder.
///
/// # Errors
/// [`Error::Model`] or [`Error::Content`], with the file's name; a model of another architecture is one.
pub fn load(path: &Path) -> Result<Loaded> {
    let Loaded { file, state } = load_any(path)?;
    match file {
        AnyModelFile::RgFlow(file) => Ok(Loaded { file, state }),
        AnyModelFile::RealNvp(_) => {
            Err(Error::content(path.display(), "a Real NVP, which has no levels of this kind", "give an RG-Flow"))
        }
    }
}

/// Reads a model of either architecture.
///
/// # Errors
/// [`Error::Model`] or [`Error::Content`], with the file's name.
pub fn load_any(path: &Path) -> Result<Loaded<AnyModelFile>> {
    let path = newest(path)?;
    if path.extension().is_some_and(|e| e == "ckpt") {
        return dispatch(DeviceChoice::Cpu, Checkpoint { path: &path });
    }
    let bytes = read_limited(&path, MAX_BYTES)?;
    let file =
        AnyModelFile::from_bytes(&bytes).map_err(|source| Error::Model { file: path.display().to_string(), source })?;
    Ok(Loaded { file, state: None })
}

struct Checkpoint<'a> {
    path: &'a Path,
}

impl Job for Checkpoint<'_> {
    type Output = Loaded<AnyModelFile>;

    fn run<B: TrainBackend>(self, device: B::Device) -> Result<Loaded<AnyModelFile>> {
        let run = Run::<B>::load(self.path, &device)?;
        let state = &run.state;
        let recipe = &state.recipe;
        let card = Card {
            dataset: [&state.earlier_data[..], std::slice::from_ref(&state.data)].concat().join(", then "),
            licence: state.licence.clone().unwrap_or_default(),
            images_seen: state.images(),
            training: format!(
                "{} steps of {} images in {:.0} minutes; AdamW {}, weight decay {}, warm-up {}, {}, average {}, seed {}",
                state.step,
                recipe.batch,
                state.seconds / 60.0,
                recipe.learning_rate,
                recipe.weight_decay,
                recipe.warmup,
                if recipe.cosine { "cosine decay" } else { "constant rate" },
                recipe.ema,
                recipe.seed
            ),
            ..Card::default()
        };
        let file = AnyModelFile::from_model(&run.best(), card);
        Ok(Loaded { file, state: Some(run.state) })
    }
}

/// The model's flow on a device.
///
/// # Errors
/// [`Error::Model`] if a tensor is missing.
pub fn flow<B: FlowBackend>(loaded: &Loaded, path: &Path, device: &B::Device) -> Result<Flow<B>> {
    loaded.file.clone().into_flow(device).map_err(|source| Error::Model { file: path.display().to_string(), source })
}

/// The same for a model of either architecture.
///
/// # Errors
/// [`Error::Model`] if a tensor is missing.
pub fn any_flow<B: FlowBackend>(
    loaded: &Loaded<AnyModelFile>,
    path: &Path,
    device: &B::Device,
) -> Result<Box<dyn ImageFlow<B>>> {
    loaded.file.to_flow(device).map_err(|source| Error::Model { file: path.display().to_string(), source })
}
