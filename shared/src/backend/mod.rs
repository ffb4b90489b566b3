//! What a backend may do better than tensor operations: a whole bijector in one kernel, and its gradient.

#[cfg(feature = "autodiff")]
mod autodiff;
#[cfg(feature = "flex")]
mod cpu;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;

use crate::nn::BijectorShape;

/// Which way a bijector is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The RG transformation: from the image to the latents.
    Forward,
    /// Generation: from the latents to the image.
    Inverse,
}

/// A backend that the model runs on; kernels of its own are optional.
pub trait FlowBackend: Backend {
    /// This backend's fused bijector, if it has one that pays.
    fn fused() -> Option<&'static dyn FusedBijector<Self>> {
        None
    }

    /// The same with a gradient, for use under automatic differentiation.
    fn fused_gradient() -> Option<&'static dyn FusedGradient<Self>> {
        None
    }
}

/// A whole bijector as one operation.
pub trait FusedBijector<B: Backend>: Send + Sync {
    /// Runs the bijector on rows.
    ///
    /// # Shapes
    /// - rows: `[n, dim]`, theta: `[shape.len()]`
    /// - output: `[n, dim + 1]`; the last column is the log-determinant of this direction
    fn run(
        &self,
        shape: &BijectorShape,
        direction: Direction,
        rows: FloatTensor<B>,
        theta: FloatTensor<B>,
    ) -> FloatTensor<B>;
}

/// Gradient of a [`FusedBijector`].
pub trait FusedGradient<B: Backend>: FusedBijector<B> {
    /// Gradients with respect to the rows and, if wanted, the weights.
    ///
    /// Takes the operation's output, not its input: the kernel walks back through the inverse, so that
    /// memory does not grow with the number of layers.
    ///
    /// # Shapes
    /// - output, grad: `[n, dim + 1]`; results: `[n, dim]` and `[shape.len()]`
    fn grad(
        &self,
        shape: &BijectorShape,
        direction: Direction,
        output: FloatTensor<B>,
        theta: FloatTensor<B>,
        grad: FloatTensor<B>,
        want_theta: bool,
    ) -> (FloatTensor<B>, Option<FloatTensor<B>>);
}

#[cfg(feature = "wgpu")]
impl FlowBackend for burn::backend::Wgpu {}
#[cfg(feature = "cuda")]
impl FlowBackend for burn::backend::Cuda {}
#[cfg(feature = "candle")]
impl FlowBackend for burn::backend::Candle {}
