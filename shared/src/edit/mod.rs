//! What can be done with a trained model: functions on latents and images as tensors, for every backend.
//!
//! - [`mix`]: the levels of two images combined (eq. 9);
//! - [`local`]: edits that recompute only the blocks in their cone;
//! - [`inpaint`]: unknown pixels from the likelihood, over the latents in their cone (fig. 7);
//! - [`progressive`]: the images after each inverse RG step as colours (fig. 4a);
//! - [`receptive`]: what a latent does to the image (eq. 8), by exact derivatives.

pub mod inpaint;
pub mod local;
pub mod mix;
pub mod progressive;
pub mod receptive;

use burn::tensor::Tensor;

use crate::backend::FlowBackend;
use crate::config::RgFlowConfig;
use crate::error::{Error, Result};

/// Refuses a tensor that is no batch of this model's pictures, `[batch, C, L, L]`.
fn check<B: FlowBackend>(config: &RgFlowConfig, what: &str, pictures: &Tensor<B, 4>) -> Result<()> {
    let dims = pictures.dims();
    let expected = [dims[0], config.channels, config.size, config.size];
    if dims == expected {
        return Ok(());
    }
    Err(Error::Input(format!(
        "{what} of shape {dims:?}; this model's are [batch, {}, {1}, {1}]",
        config.channels, config.size
    )))
}
