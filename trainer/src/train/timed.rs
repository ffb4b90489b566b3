//! Training steps one after the other, as `trainer train` takes them, to be timed.

use burn::module::AutodiffModule;
use shared::{FlowBackend, Model, ModelConfig};

use super::adamw::AdamW;
use super::recipe::Recipe;
use super::step::{Measured, step};
use crate::data::{Batch, dequantise};
use crate::device::TrainBackend;

/// A run on meaningless pictures.
pub struct TimedRun<B: TrainBackend> {
    config: ModelConfig,
    recipe: Recipe,
    device: B::Device,
    model: Model<B>,
    optimizer: AdamW<B::InnerBackend>,
    number: u64,
}

impl<B: TrainBackend> TimedRun<B> {
    /// Starts from a new model: what its parameters are makes no difference to the time.
    ///
    /// # Errors
    /// A configuration that does not describe a model.
    pub fn start(config: &ModelConfig, device: &B::Device) -> shared::Result<Self> {
        let model = Model::<B>::new(config, 1, device)?;
        let optimizer = AdamW::new(&model.valid());
        let (config, device) = (config.clone(), device.clone());
        Ok(Self { config, recipe: Recipe::cosine(1000), device, model, optimizer, number: 0 })
    }

    /// One step on that many images: loss, gradient, clipping, AdamW. The loss is read back, so that the step is over.
    pub fn step(self, images: usize) -> (Self, Measured) {
        let Self { config, recipe, device, model, optimizer, number } = self;
        let batch = noise(config.image_shape(), images, &device);
        let (model, optimizer, measured) = step(model, optimizer, &recipe, number, batch);
        (Self { config, recipe, device, model, optimizer, number: number + 1 }, measured)
    }
}

/// Meaningless pictures of the given channels and edge.
pub fn noise<B: FlowBackend>([channels, size]: [usize; 2], images: usize, device: &B::Device) -> Batch<B> {
    let pixels: Vec<u8> = (0..images * channels * size * size).map(|i| (i * i % 251) as u8).collect();
    dequantise(&pixels, [channels, size], 1, 0, device)
}
