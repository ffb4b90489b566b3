//! What a reader should know of a model besides its architecture.

use serde::{Deserialize, Serialize};

use crate::geometry::{LatentAddress, Levels};
use crate::prior::Temperature;
use crate::sampler::Latents;

/// A model's card. Every field may be empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Card {
    /// Short name.
    pub name: String,
    /// The data set that the model was trained on.
    pub dataset: String,
    /// Licence and attribution of the data, and thus of the model.
    pub licence: String,
    /// Test bits/dim of these weights.
    pub bits_per_dim: Option<f64>,
    /// The temperatures at which samples look best: one for all levels, or one for each level, finest first.
    pub temperature: Vec<f32>,
    /// The same for samples whose latents are drawn jointly ([`Latents::Joint`]).
    pub joint_temperature: Vec<f32>,
    /// Images seen in training.
    pub images_seen: u64,
    /// How the model was trained, in a sentence.
    pub training: String,
    /// Of a model of fields: the value that the ends of a colour map stand for, which most of a field's values are within.
    pub range: Option<f32>,
    /// Latents that control one thing each (fig. 5), the clearest first.
    pub factors: Vec<NamedFactor>,
}

/// A latent, and what it controls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedFactor {
    /// Which latent.
    pub at: LatentAddress,
    /// What it controls, in a few words.
    pub name: String,
}

impl Card {
    /// The highest temperature that a card may recommend.
    pub const MAX_TEMPERATURE: f32 = 1.5;

    /// The most factors of a card that are used; the rest are ignored.
    pub const MAX_FACTORS: usize = 24;

    /// [`Card::range`], or 3 where the card has none that makes sense.
    pub fn shown_range(&self) -> f32 {
        self.range.filter(|range| (1e-6..=1e6).contains(range)).unwrap_or(3.0)
    }

    /// The named latents that a model with these levels has.
    pub fn known_factors(&self, levels: &Levels) -> Vec<&NamedFactor> {
        let known = |factor: &&NamedFactor| levels.index(factor.at).is_ok() && !factor.name.trim().is_empty();
        self.factors.iter().filter(known).take(Self::MAX_FACTORS).collect()
    }

    /// The temperatures at which samples that are drawn so look best, if the card has sensible ones.
    pub fn recommended(&self, latents: Latents) -> Option<Temperature> {
        let levels = match latents {
            Latents::Independent => &self.temperature,
            Latents::Joint => &self.joint_temperature,
        };
        let sane = levels.iter().all(|t| (0.0..=Self::MAX_TEMPERATURE).contains(t));
        (sane && !levels.is_empty()).then(|| Temperature { levels: levels.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RgFlowConfig;

    #[test]
    fn factors_of_latents_that_the_model_lacks_are_left_out() {
        let factor = |at: &str| NamedFactor { at: at.parse().unwrap(), name: at.to_owned() };
        let blank = NamedFactor { name: " ".to_owned(), ..factor("2.0.1.1") };
        let mut factors = ["2.0.1.0", "9.0.1.0", "0.0.0.0", "0.0.1.2"].map(factor).to_vec();
        factors.push(blank);
        let card = Card { factors, ..Card::default() };
        let known = card.known_factors(&Levels::new(&RgFlowConfig::tiny()));
        assert_eq!(known.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["2.0.1.0", "0.0.1.2"]);
        let many = Card { factors: vec![factor("2.0.1.0"); 100], ..Card::default() };
        assert_eq!(many.known_factors(&Levels::new(&RgFlowConfig::tiny())).len(), Card::MAX_FACTORS);
        let old: Card = serde_json::from_str(r#"{"name": "before factors had names"}"#).unwrap();
        assert!(old.factors.is_empty());
    }

    #[test]
    fn only_a_sensible_range_is_shown() {
        let of = |range| Card { range, ..Card::default() }.shown_range();
        assert_eq!((of(Some(2.0)), of(None)), (2.0, 3.0));
        for bad in [0.0, -2.0, f32::NAN, f32::INFINITY] {
            assert_eq!(of(Some(bad)), 3.0, "{bad}");
        }
    }

    #[test]
    fn only_sensible_temperatures_are_recommended() {
        let of = |temperature: &[f32]| {
            Card { temperature: temperature.to_vec(), ..Card::default() }.recommended(Latents::Independent)
        };
        assert_eq!(of(&[0.5, 0.75]).map(|t| (t.at(0), t.at(1), t.at(7))), Some((0.5, 0.75, 0.75)));
        for bad in [&[][..], &[-0.1], &[0.5, 2.5], &[f32::NAN], &[f32::INFINITY]] {
            assert_eq!(of(bad), None, "{bad:?}");
        }
        let both = Card { joint_temperature: vec![0.45, 0.7], temperature: vec![0.5], ..Card::default() };
        assert_eq!(both.recommended(Latents::Joint).map(|t| (t.at(0), t.at(1))), Some((0.45, 0.7)));
        assert_eq!(both.recommended(Latents::Independent), Some(Temperature::uniform(0.5)));
    }
}
