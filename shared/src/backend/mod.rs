//! Kernels, which a backend may have in place of many tensor operations: a whole bijector in one, and its gradient.

#[cfg(feature = "autodiff")]
mod autodiff;
#[cfg(feature = "flex")]
mod cpu;
#[cfg(any(feature = "cuda", feature = "wgpu"))]
mod gpu;
mod optimizer;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;

use crate::shape::{BijectorShape, Direction};

#[cfg(feature = "flex")]
pub use cpu::{CpuVectors, cpu_vectors, use_vectors};
pub use optimizer::{Adam, Moments, adam, blend, sum_of_squares};

/// A backend that the model runs on, with or without kernels of its own.
pub trait FlowBackend: Backend {
    /// This backend's kernels, if it has any that pay.
    fn kernels() -> Option<&'static dyn Kernels<Self>> {
        None
    }

    /// The same with gradients, for automatic differentiation.
    fn differentiable() -> Option<&'static dyn DifferentiableKernels<Self>> {
        None
    }
}

/// What is faster as one operation than as many tensor operations.
pub trait Kernels<B: Backend>: Send + Sync {
    /// Whether [`Kernels::bijector`] runs bijectors of this shape; all others, and all with splines, run as tensor
    /// operations.
    fn takes(&self, _shape: &BijectorShape) -> bool {
        true
    }

    /// Whether [`Kernels::bijector`] also applies the maps before and after the couplings, which then follow in theta.
    fn joins_maps(&self) -> bool {
        false
    }

    /// Runs a whole bijector on rows.
    ///
    /// # Shapes
    /// - rows: `[n, dim]`, theta: `[shape.len()]`; `4·(dim² + dim)` more where [`Kernels::joins_maps`]: W and b of
    ///   the maps before and after the couplings, first of the forward direction, then of the inverse one
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
    /// Whether [`DifferentiableKernels::bijector_grad`] takes bijectors of this shape too, if [`Kernels::takes`] does.
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

    /// A running mean's next value: keep·mean + (1 − keep)·towards.
    ///
    /// # Shapes
    /// - mean, towards, output: the same
    fn blend(&self, mean: FloatTensor<B>, towards: FloatTensor<B>, keep: f64) -> FloatTensor<B>;

    /// The sum of the squares of all numbers of all tensors, `[1]`; `None` if there are no tensors.
    fn sum_of_squares(&self, tensors: Vec<FloatTensor<B>>) -> Option<FloatTensor<B>> {
        optimizer::sum_of_squares::<B>(tensors)
    }

    /// AdamW's step of a parameter.
    ///
    /// # Shapes
    /// - the parameter's tensors and its gradient: the same
    fn adam(&self, parameter: Moments<FloatTensor<B>>, grad: FloatTensor<B>, adam: Adam) -> Moments<FloatTensor<B>>;
}

// Burn deprecates it in favour of Flex; it stays a device of this project for as long as Burn has it.
#[cfg(feature = "candle")]
#[expect(deprecated)]
impl FlowBackend for burn::backend::Candle {}
