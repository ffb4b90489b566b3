//! The GPU's bijector and its gradient: a few dispatches instead of hundreds, since small models wait for dispatches and
//! nothing else. In CubeCL, for each of its runtimes.

mod grad;
mod half_step;
mod kernel;
mod launch;
mod net;
mod norm;
mod update;
mod weight_norm;
mod weights;

#[cfg(all(test, feature = "flex", feature = "autodiff"))]
mod tests;

use burn::tensor::ops::FloatTensor;
use burn_cubecl::element::BoolElement;
use burn_cubecl::{CubeBackend, CubeRuntime};

use super::{Adam, DifferentiableKernels, Direction, FlowBackend, Kernels};
use crate::nn::BijectorShape;

/// What every WebGPU device offers.
const WEBGPU: GpuKernels = GpuKernels { memory: 16 << 10, binding: 128 << 20 };

#[cfg(feature = "wgpu")]
impl FlowBackend for burn::backend::Wgpu {
    fn kernels() -> Option<&'static dyn Kernels<Self>> {
        Some(&WEBGPU)
    }

    fn differentiable() -> Option<&'static dyn DifferentiableKernels<Self>> {
        Some(&WEBGPU)
    }
}

/// What every CUDA device offers; more than that in a buffer would not stay in its cache.
#[cfg(feature = "cuda")]
const CUDA: GpuKernels = GpuKernels { memory: 48 << 10, ..WEBGPU };

#[cfg(feature = "cuda")]
impl FlowBackend for burn::backend::Cuda {
    fn kernels() -> Option<&'static dyn Kernels<Self>> {
        Some(&CUDA)
    }

    fn differentiable() -> Option<&'static dyn DifferentiableKernels<Self>> {
        Some(&CUDA)
    }
}

/// The kernels, with the limits of a runtime.
struct GpuKernels {
    /// Bytes that a workgroup has of its own.
    memory: usize,
    /// Bytes of a buffer that a kernel sees.
    binding: usize,
}

/// CubeCL's backend as Burn names it for each runtime, without fusion.
type Gpu<R, BT> = CubeBackend<R, f32, i32, BT>;

impl<R: CubeRuntime, BT: BoolElement> Kernels<Gpu<R, BT>> for GpuKernels {
    fn takes(&self, shape: &BijectorShape) -> bool {
        kernel::memory(shape) <= self.memory && shape.len() * size_of::<f32>() <= self.binding
    }

    fn joins_maps(&self) -> bool {
        true
    }

    fn bijector(
        &self,
        shape: &BijectorShape,
        direction: Direction,
        rows: FloatTensor<Gpu<R, BT>>,
        theta: FloatTensor<Gpu<R, BT>>,
    ) -> FloatTensor<Gpu<R, BT>> {
        kernel::run(shape, direction, rows, theta)
    }

    fn weight_norm(&self, v: FloatTensor<Gpu<R, BT>>, g: FloatTensor<Gpu<R, BT>>) -> FloatTensor<Gpu<R, BT>> {
        weight_norm::run(v, g)
    }
}

impl<R: CubeRuntime, BT: BoolElement> DifferentiableKernels<Gpu<R, BT>> for GpuKernels {
    /// Wider nets are left to matrix products, which read each weight for more rows at once.
    fn differentiates(&self, shape: &BijectorShape) -> bool {
        grad::memory(shape) <= WEBGPU.memory
    }

    fn bijector_grad(
        &self,
        shape: &BijectorShape,
        direction: Direction,
        output: FloatTensor<Gpu<R, BT>>,
        theta: FloatTensor<Gpu<R, BT>>,
        grad: FloatTensor<Gpu<R, BT>>,
        want_theta: bool,
    ) -> (FloatTensor<Gpu<R, BT>>, Option<FloatTensor<Gpu<R, BT>>>) {
        grad::run(shape, direction, output, theta, grad, want_theta, self)
    }

    fn weight_norm_grad(
        &self,
        v: FloatTensor<Gpu<R, BT>>,
        g: FloatTensor<Gpu<R, BT>>,
        grad: FloatTensor<Gpu<R, BT>>,
    ) -> (FloatTensor<Gpu<R, BT>>, FloatTensor<Gpu<R, BT>>) {
        weight_norm::grad(v, g, grad)
    }

    fn blend(
        &self,
        mean: FloatTensor<Gpu<R, BT>>,
        towards: FloatTensor<Gpu<R, BT>>,
        keep: f64,
        factor: f64,
        squared: bool,
    ) -> FloatTensor<Gpu<R, BT>> {
        update::blend(mean, towards, keep as f32, factor as f32, squared)
    }

    fn sum_of_squares(&self, tensors: Vec<FloatTensor<Gpu<R, BT>>>) -> Option<FloatTensor<Gpu<R, BT>>> {
        norm::sum_of_squares(tensors)
    }

    fn adam(
        &self,
        value: FloatTensor<Gpu<R, BT>>,
        first: FloatTensor<Gpu<R, BT>>,
        second: FloatTensor<Gpu<R, BT>>,
        adam: Adam,
    ) -> FloatTensor<Gpu<R, BT>> {
        update::adam(value, first, second, adam)
    }
}
