//! What every flow over images can do, whatever its architecture.

use std::ops::Range;

use burn::tensor::{Tensor, TensorData};

use crate::backend::FlowBackend;
use crate::config::PriorKind;
use crate::error::{Error, Result};
use crate::prior::{Temperature, draw};

/// An image in latent space.
#[derive(Clone, Debug)]
pub struct Encoded<B: FlowBackend> {
    /// Latents as a picture, `[batch, C, L, L]`; an RG-Flow's each stand where their pixel stood.
    pub latents: Tensor<B, 4>,
    /// log |det ∂z/∂x|, `[batch]`.
    pub log_det: Tensor<B, 1>,
}

/// A bijection between images and latents of a factorised prior.
pub trait ImageFlow<B: FlowBackend> {
    /// Channels and edge of the images.
    fn image_shape(&self) -> [usize; 2];

    /// Distribution of the latents.
    fn prior(&self) -> PriorKind;

    /// The level of each number of a flat latent picture, 0 the finest.
    fn latent_levels(&self) -> Vec<usize>;

    /// Places in the flat latent picture that a change of the given pixels (row, column) can change, ascending.
    fn reached_latents(&self, pixels: &[(usize, usize)]) -> Vec<usize>;

    /// Images, as logits, to latents.
    ///
    /// # Shapes
    /// - x: `[batch, C, L, L]`
    fn forward(&self, x: Tensor<B, 4>) -> Encoded<B>;

    /// Latents to images, with log |det ∂x/∂z|.
    ///
    /// # Shapes
    /// - latents: `[batch, C, L, L]`; output: the same and `[batch]`
    fn inverse(&self, latents: Tensor<B, 4>) -> (Tensor<B, 4>, Tensor<B, 1>);

    /// Numbers in an image, C·L².
    fn dims(&self) -> usize {
        let [channels, size] = self.image_shape();
        channels * size * size
    }

    /// log p(x) of images given as logits, in nats (eq. 1), without the log-determinant of the logit transform.
    ///
    /// # Shapes
    /// - x: `[batch, C, L, L]`; output: `[batch]`
    fn log_prob(&self, x: Tensor<B, 4>) -> Tensor<B, 1> {
        let batch = x.dims()[0];
        let Encoded { latents, log_det } = self.forward(x);
        self.prior().log_prob(latents.reshape([batch, self.dims()])) + log_det
    }

    /// The samples of a seed with these indices, as logits.
    ///
    /// # Shapes
    /// - output: `[indices.len(), C, L, L]`
    fn sample(&self, seed: u64, indices: Range<u64>, temperature: &Temperature, device: &B::Device) -> Tensor<B, 4> {
        let [channels, size] = self.image_shape();
        let batch = (indices.end - indices.start) as usize;
        let levels = self.latent_levels();
        let latents: Vec<f32> = indices.flat_map(|i| draw(self.prior(), &levels, seed, i, temperature)).collect();
        self.inverse(Tensor::from_data(TensorData::new(latents, [batch, channels, size, size]), device)).0
    }

    /// A batch of images or latents from plain numbers, in `[batch, C, L, L]` order.
    ///
    /// # Errors
    /// [`Error::Input`] if their number is not a multiple of an image's C·L².
    fn batch(&self, values: Vec<f32>, device: &B::Device) -> Result<Tensor<B, 4>> {
        let (dims, [channels, size]) = (self.dims(), self.image_shape());
        if values.is_empty() || !values.len().is_multiple_of(dims) {
            let count = values.len();
            return Err(Error::Input(format!("{count} numbers: not a multiple of the image size, {dims}")));
        }
        let shape = [values.len() / dims, channels, size, size];
        Ok(Tensor::from_data(TensorData::new(values, shape), device))
    }
}
