//! What a backend may do better than tensor operations: a whole bijector in one kernel, and its gradient.

#[cfg(feature = "autodiff")]
mod autodiff;
#[cfg(feature = "flex")]
mod cpu;
#[cfg(any(feature = "cuda", feature = "wgpu"))]
mod gpu;

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
    /// This backend's kernels, if it has some that pay.
    fn kernels() -> Option<&'static dyn Kernels<Self>> {
        None
    }

    /// The same with gradients, for use under automatic differentiation.
    fn differentiable() -> Option<&'static dyn DifferentiableKernels<Self>> {
        None
    }
}

/// What is quicker as one operation.
pub trait Kernels<B: Backend>: Send + Sync {
    /// Whether [`Kernels::bijector`] runs bijectors of this shape; others take tensor operations, as all with splines do.
    fn takes(&self, _shape: &BijectorShape) -> bool {
        true
    }

    /// Whether [`Kernels::bijector`] applies the linear maps around the couplings too, where they follow in theta.
    fn joins_maps(&self) -> bool {
        false
    }

    /// Runs a whole bijector on rows.
    ///
    /// # Shapes
    /// - rows: `[n, dim]`, theta: `[shape.len()]`; with maps, as [`Kernels::joins_maps`] says, `4·(dim² + dim)` more: W
    ///   and b of x·W + b before and after the couplings, those of the forward direction first
    /// - output: `[n·dim + n]`: the rows one after the other, then the log-determinants of this direction
    fn bijector(
        &self,
        shape: &BijectorShape,
        direction: Direction,
        rows: FloatTensor<B>,
        theta: FloatTensor<B>,
    ) -> FloatTensor<B>;

    /// Applies the weight norm: g·v/‖v‖, the norm taken over the inputs.
    ///
    /// # Shapes
    /// - v: `[nets, inputs, outputs]`, g: `[nets, outputs]`; output: as v
    fn weight_norm(&self, v: FloatTensor<B>, g: FloatTensor<B>) -> FloatTensor<B>;
}

/// Gradients of [`Kernels`].
pub trait DifferentiableKernels<B: Backend>: Kernels<B> {
    /// Whether [`DifferentiableKernels::bijector_grad`] takes bijectors of this shape, of those that [`Kernels::takes`].
    fn differentiates(&self, _shape: &BijectorShape) -> bool {
        true
    }

    /// Gradients of [`Kernels::bijector`] with respect to the rows and, if wanted, the weights.
    ///
    /// Takes the operation's output, not its input: the kernel walks back through the inverse, so that
    /// memory does not grow with the number of layers.
    ///
    /// # Shapes
    /// - output, grad: `[n·dim + n]`; results: `[n, dim]` and `[shape.len()]`
    fn bijector_grad(
        &self,
        shape: &BijectorShape,
        direction: Direction,
        output: FloatTensor<B>,
        theta: FloatTensor<B>,
        grad: FloatTensor<B>,
        want_theta: bool,
    ) -> (FloatTensor<B>, Option<FloatTensor<B>>);

    /// Gradients of [`Kernels::weight_norm`] with respect to v and g.
    fn weight_norm_grad(
        &self,
        v: FloatTensor<B>,
        g: FloatTensor<B>,
        grad: FloatTensor<B>,
    ) -> (FloatTensor<B>, FloatTensor<B>);

    /// A running mean's next value: keep·mean + (1 − keep)·x, where x = factor·towards, or its square.
    ///
    /// # Shapes
    /// - mean, towards, output: the same
    fn blend(
        &self,
        mean: FloatTensor<B>,
        towards: FloatTensor<B>,
        keep: f64,
        factor: f64,
        squared: bool,
    ) -> FloatTensor<B>;

    /// The sum of the squares of all numbers of all tensors, `[1]`; nothing of no tensors.
    fn sum_of_squares(&self, tensors: Vec<FloatTensor<B>>) -> Option<FloatTensor<B>> {
        sum_of_squares::<B>(tensors)
    }

    /// AdamW's step of a parameter.
    ///
    /// # Shapes
    /// - value, first, second, output: the same
    fn adam(&self, value: FloatTensor<B>, first: FloatTensor<B>, second: FloatTensor<B>, adam: Adam) -> FloatTensor<B>;
}

/// [`DifferentiableKernels::sum_of_squares`] in tensor operations.
pub fn sum_of_squares<B: Backend>(tensors: Vec<FloatTensor<B>>) -> Option<FloatTensor<B>> {
    let squares = tensors.into_iter().map(|tensor| B::float_sum(B::float_mul(tensor.clone(), tensor)));
    squares.reduce(B::float_add)
}

/// Factors of one AdamW step: value ← decay·value − rate·first / (√(second_factor·second) + epsilon).
#[derive(Clone, Copy, Debug)]
pub struct Adam {
    /// Learning rate over the first moment's bias correction.
    pub rate: f64,
    /// One over the second moment's bias correction.
    pub second_factor: f64,
    /// Keeps the quotient finite.
    pub epsilon: f64,
    /// 1 − learning rate · weight decay.
    pub decay: f64,
}

// Deprecated in favour of Flex, but one of this project's devices as long as Burn has it.
#[cfg(feature = "candle")]
#[expect(deprecated)]
impl FlowBackend for burn::backend::Candle {}
