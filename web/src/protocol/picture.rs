//! What tasks are made of: pictures to start from, and what is to be done to them.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use shared::Temperature;
use shared::sampler::Latents;

use crate::index::ModelEntry;

/// A picture to start from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A sample of the model.
    Sample {
        /// The seed.
        seed: u64,
        /// Which sample of that seed.
        index: u32,
        /// How it is drawn.
        drawing: Drawing,
    },
    /// The reader's own picture.
    Own {
        /// Three bytes per pixel, row by row, of the model's edge.
        rgb: ByteBuf,
    },
    /// Another picture, moved along leading directions of encoded pictures.
    Moved {
        /// The picture, not moved itself.
        from: Box<Source>,
        /// Where it is to be along them.
        moves: Vec<Move>,
    },
    /// A picture with its finer levels drawn anew.
    Rerolled {
        /// The picture, which is none of this kind.
        of: Box<Source>,
        /// One after the other.
        rerolls: Vec<Reroll>,
        /// How latents are drawn.
        drawing: Drawing,
    },
}

/// The latents of the levels below one, drawn anew; those at it and above stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reroll {
    /// The lowest level that stays.
    pub below: u32,
    /// What the others are drawn from.
    pub seed: u64,
}

/// A place along one of a sampler's directions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Move {
    /// Which direction.
    pub direction: u32,
    /// Standard deviations from the mean.
    pub to: f32,
}

/// A photograph, small enough to look for faces in it: its longer side has at most
/// [`MAX_SIDE`](face_finder::MAX_SIDE) pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Pixels in a row.
    pub width: u32,
    /// Pixels in a column.
    pub height: u32,
    /// Three bytes per pixel, row by row.
    pub rgb: ByteBuf,
}

/// How samples are drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drawing {
    /// Whether latents are drawn on their own or jointly; a model that cannot do the latter does the former.
    pub latents: Latents,
    /// Factors on the prior's scale.
    pub temperature: Temperature,
}

impl Drawing {
    /// With latents drawn on their own, as in the paper.
    pub fn independent(temperature: Temperature) -> Self {
        Self { latents: Latents::Independent, temperature }
    }
}

/// One mixed picture (eq. 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MixCell {
    /// Where levels at and above the cut come from: its place among the sources.
    pub high: u32,
    /// Where levels below the cut come from.
    pub low: u32,
    /// The dividing level Θ.
    pub cut: u32,
}

/// A latent's new value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Its place in the flat picture.
    pub index: u32,
    /// The value.
    pub value: f32,
}

/// Values of one latent, one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Walk {
    /// Its place in the flat picture.
    pub index: u32,
    /// The values.
    pub values: Vec<f32>,
}

/// A picture with unknown pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hole {
    /// The picture.
    pub source: Source,
    /// The unknown pixels, row by row.
    pub unknown: Vec<u32>,
    /// How many completions are wanted besides the best one.
    pub samples: u32,
    /// What these are drawn from.
    pub seed: u64,
}

/// A hole that two models fill side by side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Race {
    /// The hole; other completions are not made.
    pub hole: Hole,
    /// The address of the models' folder, with its last slash.
    pub base: String,
    /// The model that runs beside the loaded one; it is fetched if it is not here.
    pub rival: Box<ModelEntry>,
}
