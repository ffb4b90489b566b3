//! What the page can want of its worker, sorted by what serves it.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::backend::BackendChoice;
use super::picture::{Change, Drawing, Hole, MixCell, Race, Snapshot, Source, Walk};
use crate::index::ModelEntry;

/// Everything that the page can want.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// The list of models.
    Index {
        /// Its address.
        url: String,
    },
    /// What to run models on from now on.
    Use {
        /// The reader's choice.
        backend: BackendChoice,
    },
    /// Another model.
    Load(Load),
    /// Pictures, from whatever draws them fastest.
    Draw(Draw),
    /// Something else about one picture, from the CPU.
    Edit(Edit),
    /// A hole filled in, by the helper.
    Fill(Fill),
    /// The same edit by another model, on the CPU.
    Beside(Box<Beside>),
    /// The faces in a photograph, by the helper. Needs no model and waits for nobody. Answered by [`Last::Faces`](super::Last::Faces).
    Faces {
        /// The address of the folder with the finder's weights, with its last slash.
        base: String,
        /// Where to look.
        photo: Snapshot,
    },
}

/// The name of the worker with the GPU: web/js/engine.js knows by it which program to load.
pub const GPU: &str = "gpu";

/// What the worker with the GPU serves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GpuTask {
    /// Another model.
    Load(Load),
    /// Pictures.
    Draw(Draw),
}

/// The name of the front's helper: web/js/engine.js knows by it which program to load.
pub const HELPER: &str = "helper";

/// What the front's helper serves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HelperTask {
    /// Another model.
    Load(Load),
    /// A hole filled in.
    Fill(Fill),
    /// The faces in a photograph, as [`Task::Faces`].
    Faces {
        /// The address of the folder with the finder's weights, with its last slash.
        base: String,
        /// Where to look.
        photo: Snapshot,
    },
}

/// Get ready to run a model. Answered by [`Last::Ready`](super::Last::Ready).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Load {
    /// A model of the list, which is fetched.
    Listed {
        /// The address of the models' folder, with its last slash.
        base: String,
        /// The model.
        model: Box<ModelEntry>,
    },
    /// The reader's own; the loaded one goes when this one is there.
    Own {
        /// The weights file.
        bytes: ByteBuf,
    },
}

/// Pictures that a GPU may draw faster than the CPU.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Draw {
    /// Samples, each a part of its own, in the order of `indices`; then [`Last::Done`](super::Last::Done).
    Samples {
        /// The seed, at most [`crate::address::MAX_SEED`].
        seed: u64,
        /// Which samples of that seed.
        indices: Vec<u32>,
        /// How they are drawn.
        drawing: Drawing,
    },
    /// Pictures whose coarse levels come from one source and whose fine ones come from another. Answered by
    /// [`Answer::Images`](super::Answer::Images).
    Mix {
        /// The pictures to mix.
        sources: Vec<Source>,
        /// The mixtures, in the order of the answer's images.
        cells: Vec<MixCell>,
    },
}

/// What the CPU does as well as a GPU. Answered by one [`Answer`](super::Answer).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edit {
    /// The conventional mixture λ·z_A + (1 − λ)·z_B.
    Interpolate {
        /// A.
        a: Source,
        /// B.
        b: Source,
        /// A's share λ.
        share: f32,
    },
    /// A picture's latents.
    Latents {
        /// The picture.
        source: Source,
    },
    /// The picture with some of its latents changed, once for each value of one more latent, or once without.
    Change {
        /// The picture.
        source: Source,
        /// The changes.
        changes: Vec<Change>,
        /// The latent that is walked along, and its values.
        walk: Option<Walk>,
    },
    /// Where a picture is along the model's leading directions; nowhere if the model has none.
    Positions {
        /// The picture.
        source: Source,
        /// How many directions.
        count: u32,
    },
    /// A strip for each of some latents (fig. 5): the picture for each value of that latent.
    Strips {
        /// The picture.
        source: Source,
        /// Which latents.
        which: Which,
        /// The values.
        values: Vec<f32>,
    },
    /// The coarse-to-fine pictures from which a picture grows (fig. 4a), coarsest first.
    Steps {
        /// The picture.
        source: Source,
    },
    /// How unlikely the picture is at each scale. Answered by [`Answer::Bits`](super::Answer::Bits).
    Bits {
        /// The picture.
        source: Source,
    },
    /// The receptive field of a latent (eq. 8).
    Field {
        /// Its place in the flat picture.
        index: u32,
    },
    /// The latents of each level with the strongest receptive fields (fig. 5).
    Leading {
        /// How many of each level.
        count: u32,
    },
}

/// A hole to fill. Parts come before the [`Answer`](super::Answer), each better than the one before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// Unknown pixels filled in.
    Hole(Hole),
    /// The same by two models, side by side.
    Race(Race),
}

/// Which latents strips are made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// Those at these places in the flat picture.
    These(Vec<u32>),
    /// Those of the coarsest level with the strongest receptive fields, that many.
    Leading(u32),
}

/// An edit of a picture by another model than the loaded one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Beside {
    /// The address of the models' folder, with its last slash.
    pub base: String,
    /// The model; it is fetched if it is not here.
    pub model: Box<ModelEntry>,
    /// The edit.
    pub edit: Edit,
}

impl From<Beside> for Task {
    fn from(beside: Beside) -> Self {
        Self::Beside(Box::new(beside))
    }
}

impl Task {
    /// Whether it needs neither the model nor what other tasks leave behind, so that it is served beside them.
    pub fn is_apart(&self) -> bool {
        matches!(self, Self::Faces { .. })
    }
}

impl From<Load> for Task {
    fn from(load: Load) -> Self {
        Self::Load(load)
    }
}

impl From<Draw> for Task {
    fn from(draw: Draw) -> Self {
        Self::Draw(draw)
    }
}

impl From<Edit> for Task {
    fn from(edit: Edit) -> Self {
        Self::Edit(edit)
    }
}

impl From<Fill> for Task {
    fn from(fill: Fill) -> Self {
        Self::Fill(fill)
    }
}

impl From<Load> for GpuTask {
    fn from(load: Load) -> Self {
        Self::Load(load)
    }
}

impl From<Draw> for GpuTask {
    fn from(draw: Draw) -> Self {
        Self::Draw(draw)
    }
}

impl From<Load> for HelperTask {
    fn from(load: Load) -> Self {
        Self::Load(load)
    }
}

impl From<Fill> for HelperTask {
    fn from(fill: Fill) -> Self {
        Self::Fill(fill)
    }
}
