//! What single latents and leading directions do to one picture: strips (fig. 5), and places along directions.

use shared::FlowBackend;
use shared::edit::receptive::leading;

use super::Engine;
use crate::error::{Error, Result};
use crate::protocol::{STRENGTH_BINS, Source, Which};

impl<B: FlowBackend> Engine<B> {
    /// Where a picture is along the first `count` leading directions, in standard deviations; nowhere without any.
    ///
    /// # Errors
    /// As [`Engine::latents`].
    pub async fn positions(&self, source: &Source, count: usize) -> Result<Vec<f32>> {
        let Some(sampler) = self.sampler.as_ref() else { return Ok(vec![]) };
        let values = self.values(source).await?;
        Ok((0..count.min(sampler.count())).filter_map(|k| sampler.position(&values, k)).collect())
    }

    /// The places of the latents that strips are made of; for the leading ones, all strengths have to be known.
    ///
    /// # Errors
    /// [`Error::Request`] if one is not there.
    pub fn places(&self, which: &Which) -> Result<Vec<u32>> {
        match which {
            Which::These(places) => match places.iter().find(|&&place| place as usize >= self.config().dims()) {
                Some(place) => Err(Error::Request(format!("there is no latent {place}"))),
                None => Ok(places.clone()),
            },
            Which::Leading(count) => {
                let strengths = self.strengths.borrow();
                let strengths = strengths.as_ref().ok_or_else(|| Error::Request("nothing was searched".to_owned()))?;
                let (config, coarsest) = (self.config(), self.config().level_count().saturating_sub(1));
                let found = leading(config, strengths, coarsest, *count as usize)?;
                Ok(found.into_iter().map(|place| place as u32).collect())
            }
        }
    }
}

/// How many of a level's strengths are in each of [`STRENGTH_BINS`].
pub fn histogram(strengths: impl Iterator<Item = f32>) -> Vec<u32> {
    let (count, [from, to]) = STRENGTH_BINS;
    let mut bins = vec![0; count];
    for strength in strengths {
        let share = (strength.max(f32::MIN_POSITIVE).log10() - from) / (to - from);
        bins[((share * count as f32).max(0.0) as usize).min(count - 1)] += 1;
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::super::tests::{now, tiny};
    use super::*;
    use shared::Temperature;
    use std::sync::Arc;

    use shared::sampler::Sampler;

    use crate::engine::Engine;
    use crate::protocol::{Drawing, Move};
    use burn_flex::Flex;

    fn sample() -> Source {
        Source::Sample { seed: 7, index: 3, drawing: Drawing::independent(Temperature::uniform(0.8)) }
    }

    /// With two directions, of two latents each.
    fn directed() -> Engine<Flex> {
        let mut engine = tiny();
        let dims = engine.config().dims();
        let half = 0.5f32.sqrt();
        let mut directions = vec![0.0; 2 * dims];
        (directions[3], directions[9], directions[dims + 4], directions[dims + 5]) = (half, -half, half, half);
        let sampler = Sampler::new(vec![0.0; dims], directions, vec![4.0, 2.0]).unwrap();
        engine.sampler = Some(Arc::new(sampler));
        engine
    }

    #[test]
    fn a_picture_is_moved_along_a_direction() {
        let engine = directed();
        let before = now(engine.positions(&sample(), 8)).unwrap();
        assert_eq!(before.len(), 2);
        let moved = |to| Source::Moved { from: Box::new(sample()), moves: vec![Move { direction: 0, to }] };
        let after = now(engine.positions(&moved(2.0), 8)).unwrap();
        assert!((after[0] - 2.0).abs() < 1e-4 && (after[1] - before[1]).abs() < 1e-4, "{after:?}");
        let [here, there] = [sample(), moved(2.0)].map(|source| now(engine.values(&source)).unwrap());
        let changed: Vec<usize> = (0..here.len()).filter(|&i| (here[i] - there[i]).abs() > 1e-6).collect();
        assert_eq!(changed, [3, 9]);
        assert_ne!(now(engine.changed(&moved(2.0), &[])).unwrap(), now(engine.changed(&sample(), &[])).unwrap());
        // Where it is already, nothing moves.
        let same = now(engine.values(&moved(before[0]))).unwrap();
        assert!(here.iter().zip(same).all(|(a, b)| (a - b).abs() < 1e-5));
        let none = Source::Moved { from: Box::new(sample()), moves: vec![Move { direction: 2, to: 0.0 }] };
        assert!(now(engine.latents(&none)).unwrap_err().to_string().contains("no leading direction 2"));
        assert!(now(tiny().latents(&moved(1.0))).unwrap_err().to_string().contains("no leading direction 0"));
        assert!(now(tiny().positions(&sample(), 8)).unwrap().is_empty());
    }

    #[test]
    fn strips_are_of_latents_that_are_there() {
        let engine = tiny();
        assert_eq!(engine.places(&Which::These(vec![0, 767])).unwrap(), [0, 767]);
        assert!(engine.places(&Which::These(vec![768])).is_err());
        assert!(engine.places(&Which::Leading(2)).is_err());
        let mut search = engine.search().unwrap();
        while now(engine.go_on(&mut search)).unwrap() {}
        let strongest = now(engine.found(&search, 2, 2)).unwrap();
        let found = engine.places(&Which::Leading(2)).unwrap();
        assert_eq!(found, strongest.iter().map(|factor| factor.index).collect::<Vec<_>>());
    }

    #[test]
    fn every_strength_is_in_a_bin() {
        let bins = histogram([0.0, 1e-9, 0.011, 1.01, 9.9e3, 1e9, f32::NAN].into_iter());
        assert_eq!(bins.iter().sum::<u32>(), 7);
        assert_eq!((bins[0], bins[10], bins[29]), (4, 1, 2));
    }
}
