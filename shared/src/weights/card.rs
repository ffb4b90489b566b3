//! What a reader should know of a model besides its architecture.

use serde::{Deserialize, Serialize};

/// A model's card. Every field may be empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Card {
    /// Short name.
    pub name: String,
    /// The data set that it was trained on.
    pub dataset: String,
    /// Licence and attribution of the data, and so of the model.
    pub licence: String,
    /// Test bits/dim of these weights.
    pub bits_per_dim: Option<f64>,
    /// The temperatures that its samples look best at: one for all levels, or one a level, finest first.
    pub temperature: Vec<f32>,
    /// Images seen in training.
    pub images_seen: u64,
    /// How it was trained, in a sentence.
    pub training: String,
}
