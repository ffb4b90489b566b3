//! Training, step by step, without files, threads or clocks: the native trainer and the page run this code.
//!
//! - [`Recipe`] says how to train, [`Batches`] and [`flips`] which pictures a step sees, and [`Values`] makes a [`Batch`]
//!   of them;
//! - [`start`] makes a new model, whose linear maps fit the data's second moments ([`whiten`]);
//! - [`step`](step()) takes a step of [`AdamW`], and [`average`] moves the averaged weights, which are the ones to use;
//! - a [`Share`] is what one of several devices or workers finds for its part of a batch, and [`apply`] takes the step with
//!   the sum.
//!
//! # Examples
//! Ten steps on ovals:
//! ```
//! use burn::backend::{Autodiff, Flex};
//! use burn::module::AutodiffModule;
//! use burn::tensor::read_sync;
//! use shared::RgFlowConfig;
//! use shared::msds::{Msds, Part};
//! use shared::train::{AdamW, Batches, Recipe, Values, start, step};
//!
//! let (config, device) = (RgFlowConfig::tiny().into(), Default::default());
//! let recipe = Recipe { batch: 4, ..Recipe::cosine(10) };
//! let pictures: Vec<_> = (0..32).map(|i| Msds::Msds1.picture(2, 0, Part::Train, i)).collect();
//! let mut model = start::<Autodiff<Flex>>(&config, &Values::Pixels(pictures.concat()), recipe.seed, &device)?;
//! let mut optimizer = AdamW::new(&model.valid());
//! let (mut batches, mut losses) = (Batches::new(pictures.len(), recipe.batch, recipe.seed), vec![]);
//! for number in 0..recipe.steps {
//!     let pixels = batches.indexes(number).into_iter().flat_map(|i| pictures[i].clone()).collect();
//!     let first = number * recipe.batch as u64;
//!     let batch = Values::Pixels(pixels).batch([3, 16], recipe.seed, first, &device);
//!     let (next, state, measured) = read_sync(step(model, optimizer, &recipe, number, batch));
//!     (model, optimizer) = (next, state);
//!     losses.push(measured.bits_per_dim);
//! }
//! assert!(losses[9] < losses[0]);
//! # Ok::<(), shared::Error>(())
//! ```

mod adamw;
mod order;
mod recipe;
mod share;
mod step;
mod values;
pub mod whiten;

use burn::tensor::backend::AutodiffBackend;

use crate::backend::FlowBackend;
use crate::error::Result;
use crate::model::{Model, ModelConfig};

pub use adamw::{AdamW, average};
pub use order::{Batches, flips};
pub use recipe::{Recipe, half_cosine};
pub use share::{Share, parts};
pub use step::{Measured, apply, loss, step};
pub use values::{Batch, Values, dequantise};

/// A backend that can train a model: itself a [`FlowBackend`], and so is what it differentiates.
pub trait TrainBackend: FlowBackend + AutodiffBackend<InnerBackend: FlowBackend> {}

impl<B: FlowBackend + AutodiffBackend<InnerBackend: FlowBackend>> TrainBackend for B {}

/// A new model for data like these, of which [`whiten::IMAGES`] are enough. An RG-Flow with linear maps already fits their
/// means and covariances, scale by scale.
///
/// # Errors
/// [`Error::Config`](crate::Error::Config) if the configuration is not valid.
pub fn start<B: TrainBackend>(
    config: &ModelConfig,
    values: &Values,
    seed: u64,
    device: &B::Device,
) -> Result<Model<B>> {
    Ok(match (Model::<B>::new(config, seed, device)?, config) {
        (Model::RgFlow(model), ModelConfig::RgFlow(config)) => {
            Model::RgFlow(whiten::whiten(model, config, whiten::grids(config, values, seed), device))
        }
        (other, _) => other,
    })
}
