//! A model being trained, in memory: the native trainer's steps ([`shared::train`]) on a few thousand small pictures.
//!
//! [`Training`] knows of neither clocks nor storage nor messages; the worker has those.

mod curve;
mod kept;
mod pictures;
mod shares;
mod size;

use burn::backend::Autodiff;
use burn::module::AutodiffModule;
use burn_flex::Flex;
use serde_bytes::ByteBuf;
use shared::logit::bits_per_dim;
use shared::train::{AdamW, Batches, Recipe, Share, Values, apply, average, flips, start};
use shared::weights::{AnyModelFile, Card, Precision};
use shared::{FlowBackend, Model, RgFlowConfig, Temperature};

use crate::engine::{Look, finite};
use crate::error::{Error, Result};
use crate::protocol::{Image, LEARNING_RATES, Learned, ModelSize, Plan, Run};
use curve::Curve;
pub use kept::{MOST_BYTES, parameters};
pub use pictures::Set;
pub use shares::{Part, Replica, Sum};

/// Pictures that the linear maps are computed from: a block stands at many places of each, so that these are plenty.
const WHITENED: usize = 512;
/// Samples that are shown, and what they are drawn from.
const SAMPLES: u64 = 16;
const SAMPLE_SEED: u64 = 3;
/// The temperature at which samples are shown, and which the card recommends.
const TEMPERATURE: f32 = 0.8;
/// Noise of the held-out pictures, which stays the same from one look to the next.
const HELD_OUT_SEED: u64 = 0x5EED;

/// A model being trained.
pub struct Training<B: FlowBackend> {
    config: RgFlowConfig,
    size: ModelSize,
    recipe: Recipe,
    set: Set,
    device: B::Device,
    model: Model<Autodiff<B>>,
    average: Model<B>,
    optimizer: AdamW<B>,
    batches: Batches,
    step: u64,
    millis: f64,
    curve: Curve,
}

/// How to train a model of the page: a constant rate, since nobody knows beforehand how long the reader will stay.
pub fn recipe(rate: f64, mirrored: bool, seed: u64) -> Recipe {
    Recipe {
        steps: u64::MAX,
        learning_rate: rate.clamp(LEARNING_RATES.0, LEARNING_RATES.1),
        // Short ones throw new maps off: samples break up before they get better.
        warmup: 200,
        cosine: false,
        flips: mirrored,
        seed,
        ..Recipe::cosine(0)
    }
}

impl<B: FlowBackend> Training<B> {
    /// A new model that has learned nothing yet but the mean and the covariances of its pictures.
    ///
    /// # Errors
    /// [`Error::Learning`] if there is nothing to learn from the pictures.
    pub fn begin(plan: Plan, device: B::Device) -> Result<Self> {
        let Plan { size, pictures, rate, seed } = plan;
        let set = Set::new(pictures, seed)?;
        let recipe = recipe(rate, set.is_mirrored(), seed);
        Self::start(size, recipe, set, device)
    }

    /// The same by any recipe.
    ///
    /// # Errors
    /// [`Error::Model`] if the configuration is not valid.
    pub fn start(size: ModelSize, recipe: Recipe, mut set: Set, device: B::Device) -> Result<Self> {
        let first = (0..set.len().min(WHITENED)).flat_map(|i| set.picture(i).to_vec()).collect();
        let model = start::<Autodiff<B>>(&size.config().into(), &Values::Pixels(first), recipe.seed, &device)?;
        Ok(Self::of(size, recipe, set, model, device))
    }

    fn of(size: ModelSize, recipe: Recipe, set: Set, model: Model<Autodiff<B>>, device: B::Device) -> Self {
        let average = model.valid();
        let (optimizer, batches) = (AdamW::new(&average), Batches::new(set.len(), recipe.batch, recipe.seed));
        let (config, (step, millis, curve)) = (size.config(), Default::default());
        Self { config, size, recipe, set, device, model, average, optimizer, batches, step, millis, curve }
    }

    /// Another learning rate from the next step on.
    pub fn set_rate(&mut self, rate: f64) {
        self.recipe.learning_rate = rate.clamp(LEARNING_RATES.0, LEARNING_RATES.1);
    }

    /// Takes a step. On the CPU nothing is waited for.
    ///
    /// # Errors
    /// [`Error::Learning`] if its loss or gradient is not finite; the model stays as it was.
    pub async fn step(mut self) -> (Self, Result<()>) {
        let pixels = self.pixels();
        let share = self.share(0, pixels).await;
        self.settle(share).await
    }

    /// The pictures of the next step, one after the other.
    fn pixels(&mut self) -> Vec<u8> {
        let (number, recipe) = (self.step, &self.recipe);
        let mirror = if recipe.flips { flips(recipe.batch, recipe.seed, number) } else { vec![] };
        self.set.batch(&self.batches.indexes(number), &mirror)
    }

    /// What the next step finds in some of its pictures, of which the first is its number `first`.
    async fn share(&self, first: usize, pixels: Vec<u8>) -> Share<B> {
        let (recipe, shape) = (&self.recipe, [self.config.channels, self.config.size]);
        let part = (pixels.len() / self.config.dims()) as f64 / recipe.batch as f64;
        let first = self.images() + first as u64;
        let batch = Values::Pixels(pixels).batch::<Autodiff<B>>(shape, recipe.seed, first, &self.device);
        Share::of(&self.model, batch, part).await
    }

    /// Takes the step where all of its loss and gradient is known.
    async fn settle(mut self, whole: Share<B>) -> (Self, Result<()>) {
        let number = self.step;
        let Share { loss, grads } = whole;
        let (model, optimizer, measured) = apply(self.model, self.optimizer, &self.recipe, number, loss, &grads).await;
        (self.model, self.optimizer) = (model, optimizer);
        if !(measured.bits_per_dim.is_finite() && measured.grad_norm.is_finite()) {
            let advice = "a step led beyond all numbers; go on with a lower learning rate";
            return (self, Err(Error::Learning(advice.to_owned())));
        }
        self.average = average::<Autodiff<B>>(self.average, &self.model, self.recipe.ema_at(number));
        self.curve.learned(measured.bits_per_dim);
        self.step += 1;
        (self, Ok(()))
    }

    /// Counts time spent learning, in milliseconds.
    pub fn spend(&mut self, millis: f64) {
        self.millis += millis;
    }

    /// Looks at the model as it is: a point of the curve, and samples. `kept` is whether the browser keeps the run.
    ///
    /// # Errors
    /// [`Error::Overflow`] if the model draws what is no picture, [`Error::Request`] if the backend fails.
    pub async fn look(&mut self, kept: bool) -> Result<Learned> {
        let flow = self.average.fold_async().await;
        let (shape, count) = ([self.config.channels, self.config.size], self.set.held_out().len() / self.config.dims());
        let held_out = Values::Pixels(self.set.held_out().to_vec()).batch::<B>(shape, HELD_OUT_SEED, 0, &self.device);
        let log_prob = finite(flow.log_prob(held_out.images) + held_out.log_det).await?;
        let mean = log_prob.iter().map(|&p| f64::from(p)).sum::<f64>() / count.max(1) as f64;
        let temperature = Temperature::uniform(TEMPERATURE);
        let samples = finite(flow.sample(SAMPLE_SEED, 0..SAMPLES, &temperature, &self.device)).await?;
        let (images, size) = (self.images(), self.config.size as u32);
        self.curve.look(self.millis, images, bits_per_dim(mean, self.config.dims()));
        let image =
            |logits: &[f32]| Image { size, rgba: ByteBuf::from(Look::Pixels(self.config.channels).rgba(logits)) };
        Ok(Learned {
            step: self.step,
            images,
            millis: self.millis,
            speed: self.curve.speed(),
            curve: self.curve.points().to_vec(),
            samples: samples.chunks_exact(self.config.dims()).map(image).collect(),
            kept,
        })
    }

    /// The run as a whole, as it stands.
    ///
    /// # Errors
    /// As [`Training::look`].
    pub async fn run(&mut self, kept: bool) -> Result<Run> {
        Ok(Run {
            size: self.size,
            own: self.set.is_own(),
            pictures: self.set.len() as u32,
            held_out: (self.set.held_out().len() / self.config.dims()) as u32,
            params: self.params() as u32,
            rate: self.recipe.learning_rate,
            learned: self.look(kept).await?,
        })
    }

    /// The learning rate.
    pub fn rate(&self) -> f64 {
        self.recipe.learning_rate
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Trainable parameters.
    pub fn params(&self) -> usize {
        self.config.param_count()
    }

    /// Milliseconds spent learning.
    pub fn spent(&self) -> f64 {
        self.millis
    }

    fn images(&self) -> u64 {
        self.step * self.recipe.batch as u64
    }
}

/// What only the CPU does: it reads numbers without waiting for them.
impl Training<Flex> {
    /// The averaged weights as a file.
    ///
    /// # Errors
    /// [`Error::Model`] if a weight is not finite.
    pub fn weights(&self) -> Result<Vec<u8>> {
        let data = if self.set.is_own() { "pictures of the reader's own" } else { "msds1" };
        let card = Card {
            name: "trained on the page".to_owned(),
            dataset: data.to_owned(),
            bits_per_dim: self.curve.held_out().map(|bits| (bits * 1e4).round() / 1e4),
            temperature: vec![TEMPERATURE],
            images_seen: self.images(),
            training: format!(
                "{} steps of {} pictures in a browser, {:.0} minutes; AdamW {}, average {}, seed {}",
                self.step,
                self.recipe.batch,
                self.millis / 60e3,
                self.recipe.learning_rate,
                self.recipe.ema,
                self.recipe.seed
            ),
            ..Card::default()
        };
        Ok(AnyModelFile::from_model(&self.average, card).to_bytes(Precision::F16)?)
    }
}

#[cfg(test)]
mod tests;
