//! What every flow over images can do, whatever its architecture.

use std::ops::Range;

use burn::tensor::{Tensor, TensorData};

use crate::backend::FlowBackend;
use crate::config::PriorKind;
use crate::error::{Error, Result};
use crate::flow::{Encoded, Flow};
use crate::geometry::{Levels, inference_cone};
use crate::prior::{Temperature, draw};

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

    /// log p(x) of images given as logits, in nats (eq. 1); the logit transform's own log-determinant is not in it.
    ///
    /// # Shapes
    /// - x: `[batch, C, L, L]`; output: `[batch]`
    fn log_prob(&self, x: Tensor<B, 4>) -> Tensor<B, 1> {
        let batch = x.dims()[0];
        let Encoded { latents, log_det } = self.forward(x);
        self.prior().log_prob(latents.reshape([batch, self.dims()])) + log_det
    }

    /// Samples number `indices` of a seed, as logits.
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
    /// [`Error::Input`] if the numbers are not a multiple of an image's.
    fn batch(&self, values: Vec<f32>, device: &B::Device) -> Result<Tensor<B, 4>> {
        let (dims, [channels, size]) = (self.dims(), self.image_shape());
        if values.is_empty() || !values.len().is_multiple_of(dims) {
            return Err(Error::Input(format!("{} numbers are not a multiple of an image's {dims}", values.len())));
        }
        let shape = [values.len() / dims, channels, size, size];
        Ok(Tensor::from_data(TensorData::new(values, shape), device))
    }
}

impl<B: FlowBackend> ImageFlow<B> for Flow<B> {
    fn image_shape(&self) -> [usize; 2] {
        [self.config().channels, self.config().size]
    }

    fn prior(&self) -> PriorKind {
        self.config().prior
    }

    fn latent_levels(&self) -> Vec<usize> {
        Levels::new(self.config()).of_picture()
    }

    /// The latents in the inference cone (fig. 2d).
    fn reached_latents(&self, pixels: &[(usize, usize)]) -> Vec<usize> {
        let [channels, size] = self.image_shape();
        let mut reached = Vec::new();
        for (level, cone) in inference_cone(self.config(), pixels).iter().enumerate() {
            let places = cone.latents.iter().map(|(row, col)| (row << level) * size + (col << level));
            reached.extend(places.flat_map(|place| (0..channels).map(move |c| c * size * size + place)));
        }
        reached.sort_unstable();
        reached
    }

    fn forward(&self, x: Tensor<B, 4>) -> Encoded<B> {
        Flow::forward(self, x)
    }

    fn inverse(&self, latents: Tensor<B, 4>) -> (Tensor<B, 4>, Tensor<B, 1>) {
        Flow::inverse(self, latents)
    }
}
