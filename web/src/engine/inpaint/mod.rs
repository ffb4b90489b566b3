//! Holes filled in, step by step. This takes gradients, which nothing else in the engine does.

pub mod race;

use std::rc::Rc;

use burn::backend::Autodiff;
use shared::edit::inpaint::{Free, Inpainting, Mask, Wish};
use shared::sampler::Latents;
use shared::{Flow, FlowBackend, ImageFlow};

use super::Engine;
use super::pixels::{finite, numbers};
use crate::error::{Error, Result};
use crate::protocol::{Completion, Hole, Source};

/// An inpainting under way.
pub type Filling<B> = Inpainting<Autodiff<B>>;

/// A loaded model that fills holes.
pub struct Mender<B: FlowBackend> {
    engine: Rc<Engine<B>>,
    trainable: Rc<Flow<Autodiff<B>>>,
}

impl<B: FlowBackend> Mender<B> {
    /// Of a loaded model.
    pub fn new(engine: Rc<Engine<B>>) -> Self {
        let trainable = Rc::new(engine.flow.with_gradients());
        Self { engine, trainable }
    }

    /// Starts to fill the unknown pixels.
    ///
    /// # Errors
    /// [`Error::Request`] if the picture or a pixel does not belong to the model, [`Error::Model`] if all pixels or none
    /// are unknown.
    pub async fn begin(&self, hole: &Hole) -> Result<Filling<B>> {
        let (mask, logits) = self.holed(hole).await?;
        let sampler = self.engine.sampler.clone().filter(|_| !as_in_the_paper(&hole.source));
        let wish = Wish::recommended(hole.samples as usize, hole.seed, &self.engine.card, sampler);
        let flow: Rc<dyn ImageFlow<Autodiff<B>>> = self.trainable.clone();
        Ok(Inpainting::new(flow, logits, &mask, Free::Coarse, wish, &self.engine.device)?)
    }

    /// The unknown pixels and the picture's logits, [C·L²].
    async fn holed(&self, hole: &Hole) -> Result<(Mask, Vec<f32>)> {
        let size = self.engine.config().size;
        let mut flags = vec![false; size * size];
        for &pixel in &hole.unknown {
            let flag = flags.get_mut(pixel as usize);
            *flag.ok_or_else(|| Error::Request(format!("there is no pixel {pixel}")))? = true;
        }
        let mask = Mask::new(size, flags)?;
        let latents = self.engine.latents(&hole.source).await?;
        Ok((mask, finite(self.engine.flow.inverse(latents).0).await?))
    }

    /// Takes one step; false if there was none left to take.
    ///
    /// # Errors
    /// [`Error::Request`] if the backend fails.
    pub async fn go_on(&self, filling: &mut Filling<B>) -> Result<bool> {
        let Some(look) = filling.look() else { return Ok(false) };
        filling.take(numbers(look).await?);
        Ok(true)
    }

    /// How far it has got.
    ///
    /// # Errors
    /// [`Error::Request`] if there is no picture.
    pub fn completion(&self, filling: &Filling<B>) -> Result<Completion> {
        let (taken, of) = filling.progress();
        let shown = |images: Vec<Vec<f32>>| {
            images.iter().map(|image| self.engine.picture(image, self.engine.config().size)).collect()
        };
        let images: Vec<_> = shown(filling.images());
        let image = images.into_iter().next().ok_or_else(|| Error::Request("nothing is being filled in".to_owned()))?;
        Ok(Completion { image, samples: shown(filling.others()), taken, of })
    }
}

/// Whether a picture's latents were drawn independently: then its holes are filled so, too.
fn as_in_the_paper(source: &Source) -> bool {
    matches!(source, Source::Sample { drawing, .. } if drawing.latents == Latents::Independent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::tests::{now, tiny};
    use crate::protocol::Drawing;
    use shared::Temperature;

    #[test]
    fn holes_are_filled_and_all_else_stays() {
        let engine = tiny();
        let source = Source::Sample { seed: 7, index: 3, drawing: Drawing::independent(Temperature::uniform(0.8)) };
        let original = now(engine.pictures(now(engine.latents(&source)).unwrap())).unwrap().remove(0);
        let unknown: Vec<u32> = (4..8).flat_map(|row| (4..8).map(move |col| row * 16 + col)).collect();
        let hole = |unknown: &[u32]| Hole { source: source.clone(), unknown: unknown.to_vec(), samples: 2, seed: 1 };
        let mender = Mender::new(Rc::new(engine));
        let mut filling = now(mender.begin(&hole(&unknown))).unwrap();
        let first = mender.completion(&filling).unwrap();
        assert!(first.samples.is_empty() && first.taken == 0);
        while now(mender.go_on(&mut filling)).unwrap() {}
        let last = mender.completion(&filling).unwrap();
        assert_eq!((last.taken, last.samples.len()), (last.of, 2));
        assert_ne!(last.image, first.image);
        for image in [&last.image].into_iter().chain(&last.samples) {
            for (pixel, (a, b)) in image.rgba.chunks(4).zip(original.rgba.chunks(4)).enumerate() {
                assert!(a == b || unknown.contains(&(pixel as u32)), "pixel {pixel}");
            }
        }
        assert!(now(mender.begin(&hole(&[256]))).is_err());
        assert!(now(mender.begin(&hole(&[]))).is_err());
    }
}
