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
    /// Taken out while a step is under way.
    state: Option<(Model<B>, AdamW<B::InnerBackend>)>,
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
        let state = Some((model, optimizer));
        Ok(Self { config: config.clone(), recipe: Recipe::cosine(1000), device: device.clone(), state, number: 0 })
    }

    /// One step on as many images: loss, gradient, clipping, AdamW. Its numbers are read back, so that it is over.
    ///
    /// # Errors
    /// After an error there is no more step.
    pub fn step(&mut self, images: usize) -> Result<Option<Measured>> {
        let Some((model, optimizer)) = self.state.take() else { return Ok(None) };
        let batch = noise(&self.config, images, &self.device);
        let of_model = ModelConfig::RgFlow(self.config.clone());
        let (model, optimizer, measured) = step(model, optimizer, &of_model, &self.recipe, self.number, batch)?;
        self.state = Some((model, optimizer));
        self.number += 1;
        Ok(Some(measured))
    }
}

/// Pictures of a model's size, of nothing.
pub fn noise<B: FlowBackend>(config: &RgFlowConfig, images: usize, device: &B::Device) -> Batch<B> {
    let pixels: Vec<u8> = (0..images * config.dims()).map(|i| (i * i % 251) as u8).collect();
    dequantise(&pixels, [config.channels, config.size], 1, 0, device)
}
