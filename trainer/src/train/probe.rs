//! How good a run's samples are, at each checkpoint.

use shared::{FlowBackend, ImageFlow};

use super::best::BestBy;
use super::state::RunState;
use crate::data::Dataset;
use crate::drawing::Drawing;
use crate::error::Result;
use crate::evaluate::sample_pictures;
use crate::quality::{Reference, Scores};

/// Samples at a checkpoint, and test images that they are compared with: too few to compare runs of different counts, enough
/// to see a run get better.
pub const SAMPLES: usize = 256;
/// The largest share of the arithmetic of training that may go into scores.
const SHARE: f64 = 0.02;
/// Passes through the model that a training step takes for each image.
const PASSES: f64 = 4.0;
/// Multiply-adds of comparing the pictures, for each of their numbers.
const COMPARISON: f64 = 800.0;

/// Compares samples with test images.
pub struct Probe {
    reference: Option<Reference>,
}

impl Probe {
    /// For a run's images; it scores nothing where there are too few of them, or where that would cost more than a
    /// fiftieth of the training between checkpoints and the best checkpoint is not picked by it.
    pub fn new(dataset: &Dataset, state: &RunState, checkpoint_every: u64) -> Self {
        let wanted = state.best_by == BestBy::Quality || affordable(state, checkpoint_every);
        let reference = (enough(dataset) && wanted)
            .then(|| Reference::new(&dataset.train, &dataset.test, SAMPLES, state.recipe.flips));
        Self { reference }
    }

    /// Samples of a fixed seed: as many as are scored, or else `least` to look at.
    ///
    /// # Errors
    /// A sample that is not finite.
    pub fn samples<B: FlowBackend>(
        &self,
        flow: &dyn ImageFlow<B>,
        drawing: &Drawing,
        least: usize,
        device: &B::Device,
    ) -> Result<Vec<Vec<u8>>> {
        let count = self.reference.as_ref().map_or(least, |_| SAMPLES.max(least));
        sample_pictures(flow, 0, 0..count as u64, drawing, device)
    }

    /// What they score, if they are scored.
    pub fn score(&self, samples: &[Vec<u8>]) -> Option<Scores> {
        let pictures: Vec<&[u8]> = samples.iter().take(SAMPLES).map(Vec::as_slice).collect();
        self.reference.as_ref().map(|reference| reference.score(&pictures))
    }
}

/// Whether there are images enough to score samples.
pub fn enough(dataset: &Dataset) -> bool {
    dataset.train.len() >= SAMPLES && dataset.test.len() >= SAMPLES
}

fn affordable(state: &RunState, checkpoint_every: u64) -> bool {
    let (macs, dims) = (state.config.macs() as f64, state.config.dims() as f64);
    let images = checkpoint_every as f64 * state.recipe.batch as f64;
    SAMPLES as f64 * (macs + COMPARISON * dims) <= SHARE * PASSES * macs * images
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::ImageSet;
    use burn::backend::Flex;
    use shared::train::Recipe;
    use shared::{ModelConfig, RgFlow, RgFlowConfig, Temperature};

    fn state(preset: &str, batch: usize) -> RunState {
        let recipe = Recipe { batch, ..Recipe::cosine(1000) };
        RunState::new(ModelConfig::preset(preset).unwrap(), recipe, "msds1".into())
    }

    fn dataset(count: usize) -> Dataset {
        let pixels = |seed: usize| (0..count * 768).map(|i| ((i * 7919 + seed * i / 768 * 31) % 251) as u8).collect();
        let set = |name, seed| ImageSet::new(name, 16, pixels(seed), None).unwrap();
        let (train, test) = (set("train", 1), set("test", 2));
        let (name, description) = ("stripes".to_owned(), String::new());
        Dataset { name, train, test, licence: None, description, notes: vec![], mirrors: true }
    }

    #[test]
    fn samples_are_scored_where_there_are_enough_images() {
        let device = Default::default();
        let flow = RgFlow::<Flex>::random(&RgFlowConfig::tiny(), 0.1, 1, &device).unwrap().fold();
        let drawing = Drawing::independent(Temperature::uniform(0.8));
        for (images, scored) in [(SAMPLES, true), (SAMPLES - 1, false)] {
            let probe = Probe::new(&dataset(images), &state("tiny", 64), 2000);
            let samples = probe.samples(&flow, &drawing, 32, &device).unwrap();
            assert_eq!(samples.len(), if scored { SAMPLES } else { 32 });
            let scores = probe.score(&samples);
            assert_eq!(scores.is_some(), scored);
            // A random model's samples are unlike any stripes.
            assert!(scores.iter().all(|scores| scores.swd_mean() > 50.0 && scores.precision < 0.5), "{scores:?}");
        }
    }

    #[test]
    fn scores_are_made_whatever_they_cost_where_the_best_checkpoint_is_picked_by_them() {
        let device = Default::default();
        let flow = RgFlow::<Flex>::random(&RgFlowConfig::tiny(), 0.1, 1, &device).unwrap().fold();
        let drawing = Drawing::independent(Temperature::uniform(0.8));
        for (best_by, scored) in [(BestBy::Bits, false), (BestBy::Quality, true)] {
            let mut state = state("tiny", 16);
            state.best_by = best_by;
            let probe = Probe::new(&dataset(SAMPLES), &state, 1);
            let samples = probe.samples(&flow, &drawing, 2, &device).unwrap();
            assert_eq!(probe.score(&samples).is_some(), scored);
        }
    }

    #[test]
    fn scores_are_made_where_they_cost_little() {
        assert!(affordable(&state("demo", 16), 500));
        assert!(affordable(&state("official_celeba32", 64), 500));
        assert!(!affordable(&state("demo", 16), 100));
        assert!(affordable(&state("tiny", 16), 500) && !affordable(&state("tiny", 16), 200));
    }
}
