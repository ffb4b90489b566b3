//! One picture under the reader's hands: an edit is followed through its cone, not through the whole flow.

use burn::tensor::{Tensor, TensorData};
use shared::FlowBackend;
use shared::edit::local::Trace;

use super::Engine;
use super::edit::numbers;
use crate::error::{Error, Result};
use crate::protocol::{Change, Image, Source};

/// A picture, what its latents were, and what they are now.
#[derive(Clone, Debug)]
pub struct Session<B: FlowBackend> {
    source: Source,
    original: Vec<f32>,
    current: Vec<f32>,
    trace: Trace<B>,
}

impl<B: FlowBackend> Session<B> {
    async fn start(engine: &Engine<B>, source: &Source) -> Result<Self> {
        let latents = engine.latents(source)?;
        let original = numbers(latents.clone()).await?;
        let trace = Trace::generate(&engine.flow, latents)?;
        Ok(Self { source: source.clone(), current: original.clone(), original, trace })
    }

    /// Makes the latents what they were, but for the changes.
    fn change(&mut self, changes: &[Change], device: &B::Device) -> Result<()> {
        let mut wanted = self.original.clone();
        for change in changes {
            let place = wanted.get_mut(change.index as usize);
            *place.ok_or_else(|| Error::Request(format!("there is no latent {}", change.index)))? = change.value;
        }
        let places: Vec<usize> = (0..wanted.len()).filter(|&i| wanted[i] != self.current[i]).collect();
        if !places.is_empty() {
            let values: Vec<f32> = places.iter().map(|&i| wanted[i]).collect();
            let values = Tensor::from_data(TensorData::new(values, [1, places.len()]), device);
            self.trace.edit_latents(&places, values)?;
            self.current = wanted;
        }
        Ok(())
    }
}

impl<B: FlowBackend> Engine<B> {
    /// The session of a picture; the last one's if it is the same picture.
    async fn session(&self, source: &Source) -> Result<Session<B>> {
        match self.session.take() {
            Some(session) if session.source == *source => Ok(session),
            _ => Session::start(self, source).await,
        }
    }

    /// A picture's latents, as a flat picture [C, L, L].
    ///
    /// # Errors
    /// As [`Engine::latents`].
    pub async fn values(&self, source: &Source) -> Result<Vec<f32>> {
        let session = self.session(source).await?;
        let values = session.original.clone();
        self.session.replace(Some(session));
        Ok(values)
    }

    /// The picture with some of its latents changed.
    ///
    /// # Errors
    /// [`Error::Request`] if there is no such latent, and as [`Engine::latents`].
    pub async fn changed(&self, source: &Source, changes: &[Change]) -> Result<Image> {
        let mut session = self.session(source).await?;
        session.change(changes, &self.device)?;
        let images = self.shown(session.trace.images()).await?;
        self.session.replace(Some(session));
        images.into_iter().next().ok_or_else(|| Error::Request("there is no picture to change".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{now, tiny};
    use super::*;
    use shared::Temperature;

    #[test]
    fn an_edited_picture_is_that_of_its_latents() {
        let engine = tiny();
        let source = Source::Sample { seed: 7, index: 3, temperature: Temperature::uniform(0.8) };
        let mut values = now(engine.values(&source)).unwrap();
        let picture = |values: &[f32]| {
            let latents = engine.flow.batch(values.to_vec(), &engine.device).unwrap();
            now(engine.pictures(latents)).unwrap().remove(0)
        };
        let close = |a: &Image, b: &Image| a.rgba.iter().zip(b.rgba.iter()).all(|(a, b)| a.abs_diff(*b) <= 1);
        let original = picture(&values);
        assert!(close(&now(engine.changed(&source, &[])).unwrap(), &original));
        let changes = [Change { index: 5, value: 3.0 }, Change { index: 0, value: -2.0 }];
        let edited = now(engine.changed(&source, &changes)).unwrap();
        for Change { index, value } in changes {
            values[index as usize] = value;
        }
        assert!(close(&edited, &picture(&values)) && !close(&edited, &original));
        // What is not changed any more is as it was.
        values[5] = now(engine.values(&source)).unwrap()[5];
        assert!(close(&now(engine.changed(&source, &changes[1..])).unwrap(), &picture(&values)));
        assert!(now(engine.changed(&source, &[Change { index: 768, value: 0.0 }])).is_err());
        assert!(close(&now(engine.changed(&source, &[])).unwrap(), &original));
    }
}
