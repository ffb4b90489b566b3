//! What the worker says: about itself, and in answer to a task.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use shared::RgFlowConfig;
use shared::weights::Card;

use super::backend::Backend;
use super::train::{Learned, Run};
use crate::index::ModelIndex;
use face_finder::Face;

/// Said unasked, about the worker itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Worker {
    /// The worker is up. Sent once.
    Hello {
        /// Its [`super::PROTOCOL`].
        protocol: u32,
    },
    /// What pictures are drawn on from now on.
    RunsOn {
        /// The backend.
        backend: Backend,
        /// Why, in words for the reader.
        note: String,
    },
    /// The worker can no longer be used.
    Failed {
        /// Why, in words for the reader.
        message: String,
    },
}

/// A part of a task's answer: more follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// How much of a model is loaded.
    Progress {
        /// Bytes loaded so far.
        loaded: u64,
        /// Bytes in total.
        total: u64,
    },
    /// One sample.
    Picture(Picture),
    /// A hole, partly filled in.
    Completion(Completion),
    /// How a race stands.
    Race(Standing),
    /// How many of a hundred latents a search has been through.
    Searched(u8),
    /// How a run stands.
    Learned(Learned),
}

/// The end of a task's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Last {
    /// The list of models.
    Index(ModelIndex),
    /// The model is loaded.
    Ready(Box<ModelInfo>),
    /// What a panel asked for.
    Answer(Answer),
    /// The faces in a photograph, the largest first.
    Faces(Vec<Face>),
    /// The run, if there is one.
    Run(Option<Box<Run>>),
    /// A file: weights, or between workers a run.
    File(ByteBuf),
    /// Everything was sent in parts, or there was nothing to send.
    Done,
    /// The task was cancelled.
    Cancelled,
    /// The task failed.
    Failed {
        /// Why, in words for the reader.
        message: String,
    },
}

/// What a panel asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Pictures, in the order that was asked for.
    Images(Vec<Image>),
    /// A picture, from coarse to fine.
    Grown(Grown),
    /// Latents, as a flat picture [C, L, L].
    Latents(Vec<f32>),
    /// Bits for each new number of each scale, coarsest first; of a field, nats.
    Bits(Vec<f32>),
    /// A receptive field, row by row, its largest value 1.
    Field(Vec<f32>),
    /// The leading latents, and how strong all are.
    Leading(Leading),
    /// Places along leading directions, in standard deviations.
    Positions(Vec<f32>),
    /// A strip for each latent.
    Strips(Vec<Strip>),
    /// Unknown pixels, partly or completely filled in.
    Completion(Completion),
    /// A race under way or over.
    Race(Standing),
    /// How many of a hundred latents a search has been through.
    Searched(u8),
}

/// A loaded model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// The architecture.
    pub config: RgFlowConfig,
    /// What to know of the weights.
    pub card: Card,
    /// Whether it can draw latents jointly.
    pub joint: bool,
    /// What it runs on.
    pub backend: Backend,
    /// Whether the weights came from the browser's cache.
    pub cached: bool,
    /// How long fetching and reading took.
    pub millis: f64,
}

/// A picture, ready to show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// Which sample of the seed.
    pub index: u32,
    /// Its edge.
    pub size: u32,
    /// Four bytes per pixel, row by row.
    pub rgba: ByteBuf,
    /// How unlikely it is, in bits per dimension; a field, in nats for each site.
    pub bits: f32,
    /// How long it took.
    pub millis: f64,
}

/// A picture of any edge, four bytes per pixel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// Its edge.
    pub size: u32,
    /// Four bytes per pixel, row by row.
    pub rgba: ByteBuf,
}

/// Pixels of three bytes as canvases have them, of four.
pub fn opaque(rgb: &[u8]) -> Vec<u8> {
    rgb.chunks_exact(3).flat_map(|pixel| [pixel[0], pixel[1], pixel[2], u8::MAX]).collect()
}

/// Pixels of a canvas without their last byte.
pub fn without_alpha(rgba: &[u8]) -> Vec<u8> {
    rgba.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect()
}

/// A picture after each step from which it grows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grown {
    /// The pictures, coarsest first.
    pub images: Vec<Image>,
    /// Of a field, the mean of each; else none.
    pub means: Vec<f32>,
}

/// A picture whose unknown pixels are being filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Completion {
    /// The best completion so far.
    pub image: Image,
    /// Others.
    pub samples: Vec<Image>,
    /// Steps taken.
    pub taken: u32,
    /// Steps in all.
    pub of: u32,
}

/// What a search for the strongest receptive fields found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leading {
    /// The leading latents of each level, finest first.
    pub levels: Vec<Vec<Factor>>,
    /// How many latents of each level have a strength in each of [`STRENGTH_BINS`].
    pub histogram: Vec<Vec<u32>>,
}

/// Bins of strengths: how many, and the powers of ten that the first begins and the last ends with. What is outside
/// counts in the nearest.
pub const STRENGTH_BINS: (usize, [f32; 2]) = (30, [-2.0, 4.0]);

/// The picture for several values of one latent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Strip {
    /// The latent's place in the flat picture.
    pub index: u32,
    /// The pictures.
    pub images: Vec<Image>,
}

/// A latent and what it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Factor {
    /// Its place in the flat picture.
    pub index: u32,
    /// The sum over its receptive field.
    pub strength: f32,
    /// The field, row by row, its largest value 1.
    pub field: Vec<f32>,
}

/// How a race stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// Bytes of the rival that are here.
    pub loaded: u64,
    /// Its bytes in all.
    pub total: u64,
    /// The loaded model's lane and the rival's; none before both are here.
    pub lanes: Vec<Lane>,
}

/// One model's lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// The picture as completed so far.
    pub image: Image,
    /// Latents that have changed so far.
    pub touched: u32,
    /// Latents that the completion may change.
    pub reach: u32,
    /// Latents in all.
    pub latents: u32,
    /// Gradients taken.
    pub taken: u32,
    /// Gradients in all.
    pub of: u32,
    /// What they took.
    pub millis: f64,
}
