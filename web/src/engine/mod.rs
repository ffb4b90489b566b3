//! A loaded model and what can be asked of it, on any backend.

mod bits;
mod edit;
pub mod inpaint;
mod pixels;
pub mod random;
mod receptive;
mod session;
mod strips;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use burn::tensor::Tensor;
use shared::logit::log_derivative;
use shared::prior::{draw_latents, redraw_latents};
use shared::sampler::{Latents, Sampler};
use shared::weights::{Card, ModelFile};
use shared::{Flow, FlowBackend, RgFlowConfig};

use crate::error::Result;
use crate::protocol::{Drawing, Reroll};

pub use pixels::{Look, finite, planes};
pub use receptive::Search;
use session::Session;

/// A model on a device.
#[derive(Clone, Debug)]
pub struct Engine<B: FlowBackend> {
    flow: Flow<B>,
    device: B::Device,
    look: Look,
    session: RefCell<Option<Session<B>>>,
    card: Card,
    sampler: Option<Arc<Sampler>>,
    /// Strengths of all latents, once they were searched.
    strengths: RefCell<Option<Rc<Vec<f32>>>>,
}

/// A sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// Four bytes per pixel.
    pub rgba: Vec<u8>,
    /// How unlikely it is, in bits per dimension; a field, in nats for each site.
    pub bits: f32,
}

impl<B: FlowBackend> Engine<B> {
    /// From an exported file that may be anything.
    ///
    /// # Errors
    /// [`Error::Model`](crate::error::Error::Model) if it is not a model,
    /// [`Error::Request`](crate::error::Error::Request) if its pictures cannot be shown.
    pub fn from_bytes(bytes: &[u8], device: B::Device) -> Result<Self> {
        Self::from_file(ModelFile::from_bytes(bytes)?, device)
    }

    /// From a file that was read.
    ///
    /// # Errors
    /// As [`Engine::from_bytes`].
    pub fn from_file(file: ModelFile, device: B::Device) -> Result<Self> {
        let look = Look::of(&file.config, &file.card)?;
        let (session, strengths) = Default::default();
        let (card, sampler) = (file.card.clone(), file.sampler.clone().map(Arc::new));
        Ok(Self { flow: file.into_flow(&device)?, device, look, session, card, sampler, strengths })
    }

    /// The architecture.
    pub fn config(&self) -> &RgFlowConfig {
        self.flow.config()
    }

    /// What to know of the weights.
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// Whether it can draw latents jointly.
    pub fn is_joint(&self) -> bool {
        self.sampler.is_some()
    }

    /// The latents of sample number `index` of a seed, as a flat picture.
    ///
    /// # Errors
    /// [`Error::Model`](crate::error::Error::Model) if the model's sampler does not fit it.
    pub fn draw(&self, seed: u64, index: u32, drawing: &Drawing) -> Result<Vec<f32>> {
        let (config, index) = (self.config(), u64::from(index));
        match (&self.sampler, drawing.latents) {
            (Some(sampler), Latents::Joint) => Ok(sampler.draw(config, seed, index, &drawing.temperature)?),
            _ => Ok(draw_latents(config, seed, index, &drawing.temperature)),
        }
    }

    /// Latents with those below a level drawn anew, as a flat picture.
    ///
    /// # Errors
    /// [`Error::Model`](crate::error::Error::Model) if the model's sampler does not fit it.
    pub fn redraw(&self, latents: &[f32], reroll: Reroll, drawing: &Drawing) -> Result<Vec<f32>> {
        let (config, below, t) = (self.config(), reroll.below as usize, &drawing.temperature);
        match (&self.sampler, drawing.latents) {
            (Some(sampler), Latents::Joint) => Ok(sampler.redraw(config, latents, below, reroll.seed, t)?),
            _ => Ok(redraw_latents(config, latents, below, reroll.seed, t)?),
        }
    }

    /// Samples number `indices` of a seed, all at once: the same pixels as the native program's, up to rounding. Four
    /// bytes per pixel.
    ///
    /// # Errors
    /// [`Error::Request`](crate::error::Error::Request) if the backend fails.
    pub async fn samples(&self, seed: u64, indices: &[u32], drawing: &Drawing) -> Result<Vec<Drawn>> {
        let (config, count) = (self.config(), indices.len());
        let latents = indices.iter().map(|&i| self.draw(seed, i, drawing)).collect::<Result<Vec<_>>>()?.concat();
        let latents = self.flow.batch(latents, &self.device)?;
        let log_prior = config.prior.log_prob(latents.clone().reshape([count, config.dims()]));
        let (images, log_det) = self.flow.inverse(latents);
        // Together: reading from a GPU is a wait.
        let numbers = Tensor::cat(vec![images.reshape([count * config.dims()]), log_prior - log_det], 0);
        let mut logits = pixels::finite(numbers).await?;
        let log_density = logits.split_off(count * config.dims());
        let drawn = |(logits, log_density): (&[f32], f32)| {
            let log_slopes = match self.look {
                Look::Pixels(_) => logits.iter().map(|&y| log_derivative(y)).sum(),
                Look::Field(_) => 0.0,
            };
            let bits = config.data.cost(f64::from(log_density) + log_slopes, config.dims()) as f32;
            Drawn { rgba: self.look.rgba(logits), bits }
        };
        Ok(logits.chunks_exact(config.dims()).zip(log_density).map(drawn).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::inpaint::Mender;
    use super::*;
    use crate::error::Error;
    use crate::protocol::{Hole, Source};
    use burn_flex::Flex;
    use safetensors::SafeTensors;
    use shared::logit::bits_per_dim;
    use shared::weights::Precision;
    use shared::{DataKind, Temperature};
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    /// A CPU backend answers at once.
    pub(super) fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("the CPU made us wait"),
        }
    }

    pub(super) fn tiny() -> Engine<Flex> {
        Engine::from_bytes(&random::model_bytes(&RgFlowConfig::tiny(), "random").unwrap(), Default::default()).unwrap()
    }

    #[test]
    fn samples_are_those_of_the_library() {
        let engine = tiny();
        let temperature = Temperature::mixed(0.8, 0.2, 1);
        let expected = engine.flow.sample(7, 2..5, &temperature, &engine.device).into_data().to_vec::<f32>().unwrap();
        // Neither their order nor what else is in the batch makes a difference.
        let drawing = Drawing::independent(temperature);
        let mut pictures = now(engine.samples(7, &[4, 3], &drawing)).unwrap();
        pictures.extend(now(engine.samples(7, &[2], &drawing)).unwrap());
        pictures.reverse();
        assert_eq!(pictures.len(), 3);
        for (Drawn { rgba, bits }, logits) in pictures.iter().zip(expected.chunks_exact(engine.config().dims())) {
            let x = engine.flow.batch(logits.to_vec(), &engine.device).unwrap();
            let log_prob = engine.flow.log_prob(x).into_data().to_vec::<f32>().unwrap()[0];
            let slopes: f64 = logits.iter().map(|&y| log_derivative(y)).sum();
            assert!((f64::from(*bits) - bits_per_dim(f64::from(log_prob) + slopes, 768)).abs() < 1e-3);
            let differing = rgba.iter().zip(engine.look.rgba(logits)).filter(|&(&a, b)| a.abs_diff(b) > 1).count();
            assert_eq!(differing, 0);
        }
    }

    #[test]
    fn the_fingerprint_that_browsers_must_reproduce() {
        let rgba = now(random::probe()).unwrap();
        assert!(random::is_reference(&rgba), "{:?}", random::fingerprint(&rgba));
        assert!(now(random::check()).unwrap());
    }

    /// A valid file whose numbers grow beyond all bounds.
    fn wild() -> Engine<Flex> {
        let whole = ModelFile::from_bytes(&random::model_bytes(&RgFlowConfig::tiny(), "wild").unwrap()).unwrap();
        let bytes = whole.to_bytes(Precision::F32).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let larger = |bytes: &[u8]| bytes.chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()) * 1e9).collect();
        let tensors = tensors.tensors().into_iter().map(|(name, tensor)| (name, larger(tensor.data()))).collect();
        let file = ModelFile::from_tensors(whole.config, Card::default(), tensors).unwrap();
        Engine::from_bytes(&file.to_bytes(Precision::F32).unwrap(), Default::default()).unwrap()
    }

    #[test]
    fn numbers_that_overflow_are_an_error_and_no_black_picture() {
        let engine = wild();
        let drawing = Drawing::independent(Temperature::uniform(1.0));
        let sample = Source::Sample { seed: 7, index: 3, drawing: drawing.clone() };
        let own = Source::Own { rgb: vec![200; 768].into() };
        let hole = |source: &Source| Hole { source: source.clone(), unknown: vec![1, 2], samples: 1, seed: 1 };
        let refused = [
            now(engine.samples(7, &[3], &drawing)).map(drop),
            now(engine.steps(&sample)).map(drop),
            now(engine.steps(&own)).map(drop),
            now(engine.values(&own)).map(drop),
            now(engine.changed(&sample, &[])).map(drop),
            now(engine.pictures(now(engine.latents(&sample)).unwrap())).map(drop),
            now(Mender::new(Rc::new(engine.clone())).begin(&hole(&sample))).map(drop),
            now(engine.receptive_field(3)).map(drop),
            now(engine.bits(&sample)).map(drop),
            now(engine.bits(&own)).map(drop),
        ];
        for (at, refused) in refused.into_iter().enumerate() {
            assert!(matches!(refused, Err(Error::Overflow)), "{at}: {refused:?}");
        }
    }

    pub(super) fn phi4() -> Engine<Flex> {
        Engine::from_bytes(&random::model_bytes(&RgFlowConfig::phi4(), "phi4").unwrap(), Default::default()).unwrap()
    }

    #[test]
    fn fields_are_coloured_by_their_sign_and_cost_nats() {
        let engine = phi4();
        let drawing = Drawing::independent(Temperature::uniform(1.0));
        let drawn = now(engine.samples(7, &[3], &drawing)).unwrap().remove(0);
        let field = engine.flow.sample(7, 3..4, &drawing.temperature, &engine.device);
        let log_prob = engine.flow.log_prob(field.clone()).into_data().to_vec::<f32>().unwrap()[0];
        assert!((drawn.bits + log_prob / 256.0).abs() < 1e-4);
        let field = field.into_data().to_vec::<f32>().unwrap();
        assert!(field.iter().any(|&phi| phi > 0.5) && field.iter().any(|&phi| phi < -0.5));
        for (pixel, phi) in drawn.rgba.chunks_exact(4).zip(field).filter(|(_, phi)| phi.abs() > 0.1) {
            assert_eq!(pixel[0] > pixel[2], phi > 0.0, "{phi}: {pixel:?}");
        }
        // A picture's grey levels are a field, too.
        let own = Source::Own { rgb: vec![140; 768].into() };
        let image = now(engine.pictures(now(engine.latents(&own)).unwrap())).unwrap().remove(0);
        let expected = engine.look.rgba(&engine.look.numbers(&[140]));
        assert!(
            image.rgba[..4].iter().zip(&expected).all(|(a, b)| a.abs_diff(*b) <= 2),
            "{:?} {expected:?}",
            &image.rgba[..4]
        );
    }

    #[test]
    fn what_is_not_a_model_is_refused() {
        for bytes in [&b""[..], b"<!doctype html>", &[0xff; 64]] {
            assert!(Engine::<Flex>::from_bytes(bytes, Default::default()).is_err());
        }
        let mut bytes = random::model_bytes(&RgFlowConfig::tiny(), "random").unwrap();
        bytes.truncate(bytes.len() / 2);
        let error = Engine::<Flex>::from_bytes(&bytes, Default::default()).unwrap_err().to_string();
        assert!(error.contains("not a complete safetensors file"), "{error}");
        let four = RgFlowConfig { channels: 4, ..RgFlowConfig::tiny() };
        let error =
            Engine::<Flex>::from_bytes(&random::model_bytes(&four, "four").unwrap(), Default::default()).unwrap_err();
        assert!(error.to_string().contains("4 channels"), "{error}");
        let colour = RgFlowConfig { data: DataKind::Field, ..RgFlowConfig::tiny() };
        let error = Engine::<Flex>::from_bytes(&random::model_bytes(&colour, "three").unwrap(), Default::default())
            .unwrap_err();
        assert!(error.to_string().contains("fields have 3 channels"), "{error}");
    }
}
