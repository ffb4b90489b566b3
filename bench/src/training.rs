//! Training steps, one after the other, as `trainer train` takes them.

use burn::module::AutodiffModule;
use shared::{FlowBackend, Model, ModelConfig, RgFlow, RgFlowConfig};
use trainer::device::TrainBackend;
use trainer::error::Result;
use trainer::train::adamw::AdamW;
use trainer::train::batch::{Batch, dequantise};
use trainer::train::recipe::Recipe;
use trainer::train::step::{Measured, step};

/// A run that has started, at randomised parameters.
pub struct Training<B: TrainBackend> {
    config: RgFlowConfig,
    recipe: Recipe,
    device: B::Device,
    model: Model<B>,
    optimizer: AdamW<B::InnerBackend>,
    number: u64,
}

impl<B: TrainBackend> Training<B> {
    /// Starts.
    ///
    /// # Errors
    /// A configuration that describes no model.
    pub fn start(config: &RgFlowConfig, device: &B::Device) -> shared::Result<Self> {
        let model = Model::RgFlow(RgFlow::<B>::random(config, 0.02, 1, device)?);
        let optimizer = AdamW::new(&model.valid());
        let (config, device) = (config.clone(), device.clone());
        Ok(Self { config, recipe: Recipe::cosine(1000), device, model, optimizer, number: 0 })
    }

    /// One step on as many images: loss, gradient, clipping, AdamW. Its numbers are read back, so that it is over.
    ///
    /// # Errors
    /// The step's own.
    pub fn step(self, images: usize) -> Result<(Self, Measured)> {
        let Self { config, recipe, device, model, optimizer, number } = self;
        let batch = noise(&config, images, &device);
        let of_model = ModelConfig::RgFlow(config.clone());
        let (model, optimizer, measured) = step(model, optimizer, &of_model, &recipe, number, batch)?;
        Ok((Self { config, recipe, device, model, optimizer, number: number + 1 }, measured))
    }
}

/// Pictures of a model's size, of nothing.
pub fn noise<B: FlowBackend>(config: &RgFlowConfig, images: usize, device: &B::Device) -> Batch<B> {
    let pixels: Vec<u8> = (0..images * config.dims()).map(|i| (i * i % 251) as u8).collect();
    dequantise(&pixels, [config.channels, config.size], 1, 0, device)
}
