//! The GPU's bijector and its gradient: a few dispatches instead of hundreds, since small models spend their time
//! waiting for dispatches. In CubeCL, for all of its runtimes.

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

use self::launch::Limits;
use super::optimizer::{Adam, Moments};
use super::{DifferentiableKernels, FlowBackend, Kernels};
use crate::shape::{BijectorShape, Direction};

/// What every WebGPU device offers.
const WEBGPU: GpuKernels = GpuKernels { limits: Limits { memory: 16 << 10, binding: 128 << 20 } };

#[cfg(feature = "wgpu")]
impl FlowBackend for burn::backend::Wgpu {
    fn kernels() -> Option<&'static dyn Kernels<Self>> {
        Some(&WEBGPU)
    }

    fn differentiable() -> Option<&'static dyn DifferentiableKernels<Self>> {
        Some(&WEBGPU)
    }
}

/// What every CUDA device offers; a larger buffer would not stay in its cache.
#[cfg(feature = "cuda")]
const CUDA: GpuKernels = GpuKernels { limits: Limits { memory: 48 << 10, ..WEBGPU.limits } };

#[cfg(feature = "cuda")]
impl FlowBackend for burn::backend::Cuda {
    fn kernels() -> Option<&'static dyn Kernels<Self>> {
        Some(&CUDA)
    }

    fn differentiable() -> Option<&'static dyn DifferentiableKernels<Self>> {
        Some(&CUDA)
    }
}

/// The kernels, within the limits of a runtime.
struct GpuKernels {
    limits: Limits,
}

/// CubeCL's backend as Burn names it for each runtime, without fusion.
type Gpu<R, BT> = CubeBackend<R, f32, i32, BT>;

impl<R: CubeRuntime, BT: BoolElement> Kernels<Gpu<R, BT>> for GpuKernels {
    fn takes(&self, shape: &BijectorShape) -> bool {
        kernel::memory(shape) <= self.limits.memory && shape.len() * size_of::<f32>() <= self.limits.binding
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
    /// Not of wide nets: matrix products do better, since they read each weight once for more rows.
    fn differentiates(&self, shape: &BijectorShape) -> bool {
        grad::memory(shape) <= WEBGPU.limits.memory
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
        grad::run(shape, direction, output, theta, grad, want_theta, &self.limits)
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
    ) -> FloatTensor<Gpu<R, BT>> {
        update::blend(mean, towards, keep as f32)
    }

    fn sum_of_squares(&self, tensors: Vec<FloatTensor<Gpu<R, BT>>>) -> Option<FloatTensor<Gpu<R, BT>>> {
        norm::sum_of_squares(tensors)
    }

    fn adam(
        &self,
        parameter: Moments<FloatTensor<Gpu<R, BT>>>,
        grad: FloatTensor<Gpu<R, BT>>,
        adam: Adam,
    ) -> Moments<FloatTensor<Gpu<R, BT>>> {
        update::adam(parameter, grad, adam)
    }
}
