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

/// An image in latent space, with its likelihood level by level.
#[derive(Clone, Debug)]
pub struct EncodedByLevel<B: FlowBackend> {
    /// Latents as a picture, as [`Encoded::latents`].
    pub latents: Tensor<B, 4>,
    /// What each level adds to log p(x), `[batch, levels]`, finest first: see [`ImageFlow::log_prob_by_level`].
    pub log_prob: Tensor<B, 2>,
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

    /// The same, with the likelihood level by level.
    ///
    /// # Shapes
    /// - x: `[batch, C, L, L]`
    fn forward_by_level(&self, x: Tensor<B, 4>) -> EncodedByLevel<B>;

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

    /// What each level adds to log p(x), in nats: level h's step takes x^(h) to x^(h+1) and z^(h), so
    /// log p(x^(h)) − log p(x^(h+1)) = log p(z^(h)) + log |det ∂(x^(h+1), z^(h))/∂x^(h)|.
    ///
    /// The parts add up to [`ImageFlow::log_prob`]: eq. 1, one level at a time. The numbers of x^(h+1) have no units of
    /// their own: were they twice as large, a constant would move from one level to the next. So a level's part means
    /// little by itself; how much it differs between images means more.
    ///
    /// # Shapes
    /// - x: images as logits, `[batch, C, L, L]`; output: `[batch, levels]`, finest first
    ///
    /// # Examples
    /// ```
    /// use burn::backend::Flex;
    /// use shared::{ImageFlow, RgFlow, RgFlowConfig, Temperature};
    ///
    /// let device = Default::default();
    /// let flow = RgFlow::<Flex>::random(&RgFlowConfig::tiny(), 0.1, 1, &device)?.fold();
    /// let images = flow.sample(7, 0..2, &Temperature::uniform(1.0), &device);
    /// let parts = flow.log_prob_by_level(images.clone());
    /// assert_eq!(parts.dims(), [2, 3]);
    /// assert!((parts.sum_dim(1).squeeze_dim::<1>(1) - flow.log_prob(images)).abs().max().into_scalar() < 0.01);
    /// # Ok::<(), shared::Error>(())
    /// ```
    fn log_prob_by_level(&self, x: Tensor<B, 4>) -> Tensor<B, 2> {
        self.forward_by_level(x).log_prob
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
