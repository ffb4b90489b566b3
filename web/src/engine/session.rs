//! One picture under the reader's hands: an edit is followed through its cone, not through the whole flow.

use burn::tensor::{Tensor, TensorData};
use shared::edit::local::Trace;
use shared::{Flow, FlowBackend};

use super::pixels::finite;
use crate::error::{Error, Result};
use crate::protocol::{Change, Source};

/// A picture, what its latents were, and what they are now.
#[derive(Clone, Debug)]
pub struct Session<B: FlowBackend> {
    source: Source,
    original: Vec<f32>,
    current: Vec<f32>,
    trace: Trace<B>,
}

impl<B: FlowBackend> Session<B> {
    /// Starts with a picture of these latents, [1, C, L, L].
    ///
    /// # Errors
    /// [`Error::Request`] if the backend fails, [`Error::Model`] if the latents are not of this model.
    pub async fn start(flow: &Flow<B>, source: &Source, latents: Tensor<B, 4>) -> Result<Self> {
        let original = finite(latents.clone()).await?;
        let trace = Trace::generate(flow, latents)?;
        Ok(Self { source: source.clone(), current: original.clone(), original, trace })
    }

    /// What it started with.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The latents before all changes, as a flat picture [C, L, L].
    pub fn original(&self) -> &[f32] {
        &self.original
    }

    /// The picture as it is now, as logits [1, C, L, L].
    pub fn images(&self) -> Tensor<B, 4> {
        self.trace.images()
    }

    /// Makes the latents what they were, but for the changes.
    ///
    /// # Errors
    /// [`Error::Request`] if there is no such latent.
    pub fn change(&mut self, changes: &[Change], device: &B::Device) -> Result<()> {
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

#[cfg(test)]
mod tests {
    use super::super::tests::{now, tiny};
    use super::*;
    use crate::protocol::Drawing;
    use crate::protocol::Image;
    use shared::Temperature;

    #[test]
    fn an_edited_picture_is_that_of_its_latents() {
        let engine = tiny();
        let source = Source::Sample { seed: 7, index: 3, drawing: Drawing::independent(Temperature::uniform(0.8)) };
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
