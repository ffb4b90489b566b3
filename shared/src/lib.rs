//! RG-Flow: a flow-based generative model whose locality follows the renormalization group
//! ("RG-Flow: a hierarchical and explainable flow model based on renormalization group and sparse prior").
//!
//! The same code is trained natively and runs in a browser: everything is generic over Burn's backends, and nothing
//! here knows of files, threads or browsers.
//!
//! - [`RgFlowConfig`] is the architecture, [`geometry`] its levels, blocks, addresses and causal cones, [`PRESETS`] the
//!   architectures with a name;
//! - [`nn`] is the bijector of a block, [`backend`] the kernels that a backend may have for it;
//! - [`RgFlow`] holds trainable parameters, [`Flow`] is the bijection they describe;
//! - [`real_nvp`] is the architecture to compare with; [`Model`] is a model of either;
//! - [`ImageFlow`] is what a flow of either can do;
//! - [`prior`] and [`logit`] are the flow's two ends: noise and pixels; [`sampler`] draws noise that goes together;
//! - [`train`] is training, step by step, and [`msds`] the paper's synthetic pictures to do it on;
//! - [`edit`] is what can be done with a trained model;
//! - [`read`] has the numbers of what is on a device;
//! - [`weights`] is the exported file, and [`colours`] show a field's signs.
//!
//! In `[batch, C, L, L]` and the like, C is the number of colour channels and L the edge of an image.

pub mod backend;
pub mod colours;
mod config;
pub mod edit;
mod error;
mod flow;
pub mod geometry;
mod image_flow;
pub mod logit;
mod model;
pub mod msds;
pub mod nn;
mod presets;
pub mod prior;
mod random;
pub mod read;
pub mod real_nvp;
pub mod sampler;
mod shape;
mod sizes;
mod threads;
pub mod train;
pub mod weights;

pub use backend::FlowBackend;
pub use config::{
    BlockOrder, CouplingKind, DataKind, LevelConfig, MAX_PARAMS, MAX_SIZE, MOST_FEATURES, PriorKind, RgFlowConfig,
};
pub use error::{Error, Result};
pub use flow::{Flow, RgFlow};
pub use image_flow::{Encoded, EncodedByLevel, ImageFlow};
pub use model::{Model, ModelConfig};
pub use presets::{PRESETS, Preset};
pub use prior::Temperature;
pub use shape::{BijectorShape, Direction, LinearShape, StageShape, shapes};
