//! Holes filled in, step by step.

use std::rc::Rc;

use burn::backend::Autodiff;
use shared::edit::inpaint::{Inpainting, Mask, Schedule, Variables};
use shared::{Flow, FlowBackend, ImageFlow};

use super::Engine;
use super::edit::numbers;
use crate::error::{Error, Result};
use crate::messages::edit::{Completion, Hole};

/// Steps to the most likely completion; the page shows every few of them.
const SEARCH: u32 = 40;
/// Steps of the other completions from there.
const SAMPLING: u32 = 40;

/// An inpainting under way.
pub type Filling<B> = Inpainting<Autodiff<B>>;

impl<B: FlowBackend> Engine<B> {
    /// Starts to fill the unknown pixels.
    ///
    /// # Errors
    /// [`Error::Request`] if the picture or a pixel is none of the model's, [`Error::Model`] if all or none are unknown.
    pub async fn inpainting(&self, hole: &Hole) -> Result<Filling<B>> {
        let size = self.config().size;
        let mut flags = vec![false; size * size];
        for &pixel in &hole.unknown {
            let flag = flags.get_mut(pixel as usize);
            *flag.ok_or_else(|| Error::Request(format!("there is no pixel {pixel}")))? = true;
        }
        let mask = Mask::new(size, flags)?;
        let logits = numbers(self.flow.inverse(self.latents(&hole.source)?).0).await?;
        let schedule = Schedule { search: SEARCH, sampling: SAMPLING, chains: hole.samples as usize, seed: hole.seed };
        let flow: Rc<dyn ImageFlow<Autodiff<B>>> = self.differentiable();
        Ok(Inpainting::new(flow, logits, &mask, Variables::Pixels, schedule, &self.device)?)
    }

    /// How far it is.
    ///
    /// # Errors
    /// [`Error::Request`] if the backend fails.
    pub async fn completion(&self, filling: &Filling<B>) -> Result<Completion> {
        let (taken, of) = filling.progress();
        let image = self.shown(filling.image()).await?;
        let samples = match filling.samples() {
            Some(samples) => self.shown(samples).await?,
            None => vec![],
        };
        let image = image.into_iter().next().ok_or_else(|| Error::Request("nothing is being filled in".to_owned()))?;
        Ok(Completion { image, samples, taken, of })
    }

    /// The flow with gradients, made at its first use.
    fn differentiable(&self) -> Rc<Flow<Autodiff<B>>> {
        let mut made = self.trainable.borrow_mut();
        Rc::clone(made.get_or_insert_with(|| Rc::new(self.flow.with_gradients())))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{now, tiny};
    use super::*;
    use crate::messages::edit::Source;
    use shared::Temperature;

    #[test]
    fn holes_are_filled_and_all_else_stays() {
        let engine = tiny();
        let source = Source::Sample { seed: 7, index: 3, temperature: Temperature::uniform(0.8) };
        let original = now(engine.pictures(engine.latents(&source).unwrap())).unwrap().remove(0);
        let unknown: Vec<u32> = (4..8).flat_map(|row| (4..8).map(move |col| row * 16 + col)).collect();
        let hole = |unknown: &[u32]| Hole { source: source.clone(), unknown: unknown.to_vec(), samples: 2, seed: 1 };
        let mut filling = now(engine.inpainting(&hole(&unknown))).unwrap();
        let first = now(engine.completion(&filling)).unwrap();
        assert!(first.samples.is_empty() && first.taken == 0);
        while filling.step() {}
        let last = now(engine.completion(&filling)).unwrap();
        assert_eq!((last.taken, last.samples.len()), (last.of, 2));
        assert_ne!(last.image, first.image);
        for image in [&last.image].into_iter().chain(&last.samples) {
            for (pixel, (a, b)) in image.rgba.chunks(4).zip(original.rgba.chunks(4)).enumerate() {
                assert!(a == b || unknown.contains(&(pixel as u32)), "pixel {pixel}");
            }
        }
        assert!(now(engine.inpainting(&hole(&[256]))).is_err());
        assert!(now(engine.inpainting(&hole(&[]))).is_err());
    }
}
