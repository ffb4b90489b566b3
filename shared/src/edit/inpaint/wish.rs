//! How many completions to compute, and from which draws.

use std::sync::Arc;

use crate::prior::Temperature;
use crate::sampler::{Latents, Sampler};
use crate::weights::Card;

/// Which completions to compute.
#[derive(Clone, Debug, PartialEq)]
pub struct Wish {
    /// Other completions of each image, besides the best one.
    pub others: usize,
    /// Temperatures of the draws that the other completions start from.
    pub temperature: Temperature,
    /// Temperature of the finest level inside the hole, for the texture of the best completion; 0 leaves it smooth.
    pub texture: f32,
    /// Seed of the draws.
    pub seed: u64,
    /// What says which latents go together; without it they are independent, as in the paper.
    pub sampler: Option<Arc<Sampler>>,
}

impl Wish {
    /// Factor on the recommended temperatures for other completions: what is drawn has to fit what is known.
    const COOLER: f32 = 0.7;
    /// Factor on that again for the texture: enough to see, too little to make the completion much less likely.
    const TEXTURE: f32 = 0.7;

    /// With draws that suit a model, given the temperatures that its card recommends for samples, if any.
    pub fn new(others: usize, seed: u64, recommended: Option<&Temperature>) -> Self {
        let mut temperature = recommended.cloned().unwrap_or_else(|| Temperature::uniform(0.7));
        temperature.levels.iter_mut().for_each(|t| *t *= Self::COOLER);
        let texture = Self::TEXTURE * temperature.at(0);
        Self { others, temperature, texture, seed, sampler: None }
    }

    /// The same with latents that go together, given the temperatures that the card recommends for joint draws. Those are
    /// cold already; the directions alone are drawn cooler.
    pub fn joint(others: usize, seed: u64, recommended: Option<&Temperature>, sampler: Arc<Sampler>) -> Self {
        let wish = Self::new(others, seed, recommended);
        let temperature = recommended.cloned().unwrap_or(wish.temperature);
        Self { texture: Self::TEXTURE * temperature.at(0), temperature, sampler: Some(sampler), ..wish }
    }

    /// As a model's card recommends: with latents that go together where there is a sampler.
    pub fn recommended(others: usize, seed: u64, card: &Card, sampler: Option<Arc<Sampler>>) -> Self {
        match sampler {
            Some(sampler) => Self::joint(others, seed, card.recommended(Latents::Joint).as_ref(), sampler),
            None => Self::new(others, seed, card.recommended(Latents::Independent).as_ref()),
        }
    }

    /// The directions' temperature, of a model with this coarsest level.
    pub(super) fn along(&self, top: usize) -> f32 {
        Self::COOLER * Sampler::joint_temperature(top, &self.temperature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_cooler_than_samples_and_texture_cooler_still() {
        let card = Temperature { levels: vec![0.5, 0.75] };
        let wish = Wish::new(4, 7, Some(&card));
        assert_eq!((wish.others, wish.seed), (4, 7));
        assert!((wish.temperature.at(0) - 0.35).abs() < 1e-6 && (wish.temperature.at(3) - 0.525).abs() < 1e-6);
        assert!(wish.texture > 0.0 && wish.texture < wish.temperature.at(0));
        assert!(Wish::new(0, 0, None).temperature.at(2) > 0.0);
        let sampler = Arc::new(Sampler::new(vec![0.0; 2], vec![1.0, 0.0], vec![4.0]).unwrap());
        let joint = Wish::joint(4, 7, Some(&card), sampler);
        assert!(joint.temperature == card && joint.texture < 0.5 && joint.sampler.is_some());
        assert!(joint.along(1) > 0.5 && joint.along(1) < 0.75);
    }
}
