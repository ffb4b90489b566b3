//! What the page and the worker that trains say to each other.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::answer::Image;
use super::backend::BackendChoice;

/// The name of the worker that trains: web/js/engine.js knows by it which program to load.
pub const TRAINER: &str = "train";
/// The name of the worker that trains on the GPU for it, likewise.
pub const GPU_TRAINER: &str = "train-gpu";
/// The name of the workers that take shares of its batches, likewise.
pub const HAND: &str = "hand";
/// Edge of the pictures that are learned from, in pixels.
pub const TRAINING_EDGE: u32 = 32;
/// Pictures that can be learned from: the fewest and the most.
pub const TRAINING_PICTURES: (usize, usize) = (20, 4096);
/// Learning rates that can be asked for: the lowest and the highest.
pub const LEARNING_RATES: (f64, f64) = (1e-4, 5e-2);

/// What the worker that trains serves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrainTask {
    /// What to train on from now on. Answered by [`Last::Done`](super::Last::Done), while it learns too.
    Use {
        /// The reader's choice.
        backend: BackendChoice,
    },
    /// Take up the run that the browser keeps, if it keeps one. Answered by [`Last::Run`](super::Last::Run).
    Find,
    /// A new run in place of the one before. It has learned nothing yet but the mean and the covariances of its pictures.
    /// Answered by [`Last::Run`](super::Last::Run).
    Begin(Box<Plan>),
    /// Learn until this is cancelled. Parts are [`Part::Learned`](super::Part::Learned), the end is
    /// [`Last::Run`](super::Last::Run).
    Learn {
        /// The learning rate.
        rate: f64,
    },
    /// Another learning rate from the next step on, or on a GPU from the next look on. Answered by [`Last::Done`](super::Last::Done), while it learns too.
    Rate {
        /// The learning rate.
        rate: f64,
    },
    /// The weights as they are now, as a file. Answered by [`Last::File`](super::Last::File), while it learns too.
    Weights,
    /// Delete the run, also from where the browser keeps it. Answered by [`Last::Done`](super::Last::Done).
    Forget,
}

impl TrainTask {
    /// Whether it is served at once, beside whatever else is.
    pub fn is_apart(&self) -> bool {
        matches!(self, Self::Use { .. } | Self::Rate { .. } | Self::Weights)
    }
}

/// What the worker that trains on the GPU serves: a run is lent to it, and given back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoanTask {
    /// Take this run in place of the one before. Answered by [`Last::Done`](super::Last::Done).
    Take {
        /// The run, as the browser would keep it.
        run: ByteBuf,
    },
    /// Learn until it is time to look, and look. Answered by [`Last::Run`](super::Last::Run), or, if this was cancelled, by
    /// [`Last::Cancelled`](super::Last::Cancelled).
    Learn {
        /// The learning rate.
        rate: f64,
        /// Look after so many steps instead.
        steps: Option<u32>,
    },
    /// The run as it is now. Answered by [`Last::File`](super::Last::File).
    Give,
}

/// What a worker serves that takes shares of another's batches. Only shares are waited for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandTask {
    /// Be a replica of this run. Answered by [`Last::Done`](super::Last::Done).
    Take {
        /// The run, as the browser would keep it, without pictures.
        run: ByteBuf,
    },
    /// Find the loss and its gradient for some pictures of a step. Answered by [`Last::File`](super::Last::File): numbers of
    /// four bytes each.
    Share {
        /// The step's number.
        step: u64,
        /// Which of its pictures is the first.
        first: u32,
        /// The pictures, one after the other, planar.
        pixels: ByteBuf,
    },
    /// Take the step. Answered by [`Last::Done`](super::Last::Done).
    Settle {
        /// The learning rate.
        rate: f64,
        /// The sum of what all found, spelled like a share.
        sum: ByteBuf,
    },
}

/// What to train, and on what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// How large the model is.
    pub size: ModelSize,
    /// What it learns from.
    pub pictures: Pictures,
    /// The learning rate.
    pub rate: f64,
    /// Seed of the initial weights, of the order of the pictures, and of pictures that are made.
    pub seed: u64,
}

/// How large a model is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelSize {
    /// Shows something after seconds.
    #[default]
    Small,
    /// Takes minutes.
    Medium,
    /// The architecture of the shipped models at this size; takes hours.
    Large,
}

/// What a model learns from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pictures {
    /// The paper's first synthetic set, made on the spot.
    Ovals,
    /// The reader's own.
    Own {
        /// One after the other, each row by row, three bytes per pixel, of edge [`TRAINING_EDGE`].
        rgb: ByteBuf,
        /// Whether they may be mirrored: not where left and right differ, as in writing.
        mirrored: bool,
    },
}

/// A run: what is trained, and how it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// How large the model is.
    pub size: ModelSize,
    /// Whether it learns from the reader's own pictures.
    pub own: bool,
    /// Pictures that it learns from.
    pub pictures: u32,
    /// Pictures that it never learns from, for comparison.
    pub held_out: u32,
    /// Trainable parameters.
    pub params: u32,
    /// The learning rate.
    pub rate: f64,
    /// How it stands.
    pub learned: Learned,
}

/// How a run stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Learned {
    /// Steps taken.
    pub step: u64,
    /// Pictures seen, those seen again included.
    pub images: u64,
    /// Milliseconds spent learning.
    pub millis: f64,
    /// Pictures a second, of late.
    pub speed: f64,
    /// The whole curve, thinned out, oldest first.
    pub curve: Vec<CurvePoint>,
    /// Sixteen samples, always from the same latents.
    pub samples: Vec<Image>,
    /// Whether the browser keeps the run as it was a moment ago.
    pub kept: bool,
}

/// A point of the learning curve, in bits/dim.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Milliseconds spent learning until then.
    pub millis: f64,
    /// Of the pictures that it learned from since the point before; none before the first step.
    pub train: Option<f32>,
    /// Of pictures that it never learned from.
    pub held_out: f32,
}
