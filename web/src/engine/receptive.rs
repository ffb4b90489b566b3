//! What single latents do to the picture (eq. 8).

use std::rc::Rc;

use burn::tensor::Tensor;
use shared::FlowBackend;
use shared::Temperature;
use shared::edit::receptive::{Jacobian, leading, push_forward};
use shared::geometry::Levels;
use shared::prior::draw_latents;

use super::Engine;
use super::pixels::finite;
use super::strips::histogram;
use crate::error::{Error, Result};
use crate::protocol::Factor;

/// Samples of the prior that a receptive field is averaged over.
const SAMPLES: u64 = 4;
/// The seed of these samples.
const SEED: u64 = 0;
/// How many latents are differentiated by at once.
const COLUMNS: usize = 48;

/// Strengths of all latents, on the way to the leading ones.
pub struct Search<B: FlowBackend> {
    jacobian: Jacobian<B>,
    strengths: Vec<f32>,
    next: usize,
    count: usize,
}

impl<B: FlowBackend> Search<B> {
    /// How many of a hundred latents it has been through.
    pub fn percent(&self) -> u8 {
        (100 * self.next / self.count) as u8
    }
}

impl<B: FlowBackend> Engine<B> {
    /// The receptive field of a latent, [L, L], its largest value 1.
    ///
    /// # Errors
    /// [`Error::Request`] if there is no such latent, or the backend fails.
    pub async fn receptive_field(&self, index: u32) -> Result<Vec<f32>> {
        let (dims, index) = (self.config().dims(), index as usize);
        if index >= dims {
            return Err(Error::Request(format!("there is no latent {index}")));
        }
        let draw = |i| draw_latents(self.config(), SEED, i, &Temperature::uniform(1.0));
        let latents = self.flow.batch((0..SAMPLES).flat_map(draw).collect(), &self.device)?;
        let mut unit = vec![0.0; dims];
        unit[index] = 1.0;
        let tangents = self.flow.batch(unit.repeat(SAMPLES as usize), &self.device)?;
        let (_, columns) = push_forward(&self.flow, latents, tangents)?;
        let field: Tensor<B, 2> = columns.abs().sum_dim(1).mean_dim(0).squeeze_dims(&[0, 1]);
        Ok(normal(finite(field).await?))
    }

    /// Starts the search for the latents with the strongest receptive fields, by the derivatives at one sample.
    ///
    /// # Errors
    /// [`Error::Model`] if the model has none.
    pub fn search(&self) -> Result<Search<B>> {
        let latents = draw_latents(self.config(), SEED, 0, &Temperature::uniform(1.0));
        let jacobian = Jacobian::at(&self.flow, self.flow.batch(latents, &self.device)?)?;
        Ok(Search { jacobian, strengths: vec![], next: 0, count: self.config().dims() })
    }

    /// Goes on with a search; false when it is finished.
    ///
    /// # Errors
    /// [`Error::Request`] if the backend fails.
    pub async fn go_on(&self, search: &mut Search<B>) -> Result<bool> {
        let end = (search.next + COLUMNS).min(search.count);
        if search.next == end {
            self.strengths.replace(Some(Rc::new(search.strengths.clone())));
            return Ok(false);
        }
        let places: Vec<usize> = (search.next..end).collect();
        let columns = search.jacobian.columns(&places)?;
        let totals: Tensor<B, 1> = columns.abs().reshape([places.len() as i32, -1]).sum_dim(1).squeeze_dim(1);
        search.strengths.extend(finite(totals).await?);
        search.next = end;
        Ok(true)
    }

    /// Whether all strengths are known from a search before.
    pub fn is_searched(&self) -> bool {
        self.strengths.borrow().is_some()
    }

    /// How many latents of a level have which strength, after a search.
    pub fn strengths_of(&self, search: &Search<B>, level: usize) -> Vec<u32> {
        let places = Levels::new(self.config()).indices(level);
        histogram(places.iter().filter_map(|&place| search.strengths.get(place).copied()))
    }

    /// What a search found: the `count` leading latents of a level, with their fields.
    ///
    /// # Errors
    /// [`Error::Model`] if the search is not finished.
    pub async fn found(&self, search: &Search<B>, level: usize, count: usize) -> Result<Vec<Factor>> {
        let places = leading(self.config(), &search.strengths, level, count)?;
        let fields = search.jacobian.columns(&places)?.abs().sum_dim(1);
        let (fields, area) = (finite(fields).await?, self.config().size * self.config().size);
        let factor = |(&index, field): (&usize, &[f32])| Factor {
            index: index as u32,
            strength: search.strengths[index],
            field: normal(field.to_vec()),
        };
        Ok(places.iter().zip(fields.chunks_exact(area)).map(factor).collect())
    }
}

/// Divides by the largest value.
fn normal(field: Vec<f32>) -> Vec<f32> {
    let largest = field.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    field.into_iter().map(|value| value / largest).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{now, tiny};
    use shared::geometry::{Levels, generation_cone};

    #[test]
    fn a_field_lies_in_the_cone() {
        let engine = tiny();
        let levels = Levels::new(engine.config());
        let index = levels.indices(0)[70];
        let at = levels.address(index).unwrap();
        let field = now(engine.receptive_field(index as u32)).unwrap();
        let cone = &generation_cone(engine.config(), &[(0, (at.row, at.col))])[0].pixels;
        assert_eq!(field.iter().copied().fold(0.0, f32::max), 1.0);
        for (pixel, value) in field.iter().enumerate() {
            assert!(*value == 0.0 || cone.contains(&(pixel / 16, pixel % 16)), "{pixel}");
        }
        assert!(now(engine.receptive_field(768)).is_err());
    }

    #[test]
    fn the_search_finds_the_strongest() {
        let engine = tiny();
        let mut search = engine.search().unwrap();
        assert_eq!(search.percent(), 0);
        while now(engine.go_on(&mut search)).unwrap() {}
        assert_eq!(search.percent(), 100);
        let levels = Levels::new(engine.config());
        for level in 0..3 {
            let found = now(engine.found(&search, level, 2)).unwrap();
            let strongest = levels.indices(level).iter().map(|&i| search.strengths[i]).fold(0.0, f32::max);
            assert_eq!((found.len(), found[0].strength), (2, strongest));
            assert!(found[1].strength <= strongest && found[1].strength > 0.0);
            assert!(found.iter().all(|f| f.field.contains(&1.0)));
        }
    }
}
