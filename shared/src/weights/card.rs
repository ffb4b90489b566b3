//! What a reader should know of a model besides its architecture.

use serde::{Deserialize, Serialize};

use crate::prior::Temperature;

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

impl Card {
    /// The highest temperature that a card may recommend.
    pub const MAX_TEMPERATURE: f32 = 1.5;

    /// The temperatures that samples look best at, if the card names some that make sense.
    pub fn recommended(&self) -> Option<Temperature> {
        let sane = self.temperature.iter().all(|t| (0.0..=Self::MAX_TEMPERATURE).contains(t));
        (sane && !self.temperature.is_empty()).then(|| Temperature { levels: self.temperature.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sensible_temperatures_are_recommended() {
        let of = |temperature: &[f32]| Card { temperature: temperature.to_vec(), ..Card::default() }.recommended();
        assert_eq!(of(&[0.5, 0.75]).map(|t| (t.at(0), t.at(1), t.at(7))), Some((0.5, 0.75, 0.75)));
        for bad in [&[][..], &[-0.1], &[0.5, 2.5], &[f32::NAN], &[f32::INFINITY]] {
            assert_eq!(of(bad), None, "{bad:?}");
        }
    }
}
