//! Edits of pictures: what the panels besides the samples ask of the engine, and what it answers.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use shared::Temperature;

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
        /// Factors on the prior's scale.
        temperature: Temperature,
    },
    /// The reader's own picture.
    Own {
        /// Three bytes a pixel, row by row, of the model's edge.
        rgb: ByteBuf,
    },
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

/// What can be asked. The answer is one [`EditAnswer`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EditKind {
    /// Pictures whose coarse levels come from one source and whose fine ones come from another.
    Mix {
        /// The pictures to mix.
        sources: Vec<Source>,
        /// The mixtures, in the order of the answer's images.
        cells: Vec<MixCell>,
    },
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
    /// The coarse-to-fine pictures from which a picture grows (fig. 4a), coarsest first.
    Steps {
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
    /// Unknown pixels filled in. The answer comes in parts, each better than the one before.
    Inpaint(Hole),
}

/// Values of one latent, one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Walk {
    /// Its place in the flat picture.
    pub index: u32,
    /// The values.
    pub values: Vec<f32>,
}

/// A picture of any edge, four bytes a pixel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// Its edge.
    pub size: u32,
    /// Four bytes a pixel, row by row.
    pub rgba: ByteBuf,
}

/// The engine's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EditAnswer {
    /// Pictures, in the order that was asked for.
    Images(Vec<Image>),
    /// Latents, as a flat picture [C, L, L].
    Latents(Vec<f32>),
    /// A receptive field, row by row, its largest value 1.
    Field(Vec<f32>),
    /// The leading latents of each level, finest first.
    Leading(Vec<Vec<Factor>>),
    /// Unknown pixels, as far as they are filled in.
    Completion(Completion),
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
