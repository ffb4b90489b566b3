//! The GPU's bijector: one dispatch instead of hundreds, since small models wait for dispatches and nothing else.

mod kernel;

use burn::backend::Wgpu;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorPrimitive};

use super::{Direction, FlowBackend, Kernels};
use crate::nn::{BijectorShape, norm_weights};

impl FlowBackend for Wgpu {
    fn kernels() -> Option<&'static dyn Kernels<Self>> {
        Some(&GpuKernels)
    }
}

/// The kernels; they have no state.
struct GpuKernels;

impl Kernels<Wgpu> for GpuKernels {
    fn takes(&self, shape: &BijectorShape) -> bool {
        kernel::fits(shape)
    }

    fn joins_maps(&self) -> bool {
        true
    }

    fn bijector(
        &self,
        shape: &BijectorShape,
        direction: Direction,
        rows: FloatTensor<Wgpu>,
        theta: FloatTensor<Wgpu>,
    ) -> FloatTensor<Wgpu> {
        kernel::run(shape, direction, rows, theta)
    }

    fn weight_norm(&self, v: FloatTensor<Wgpu>, g: FloatTensor<Wgpu>) -> FloatTensor<Wgpu> {
        let [v, g] = [v, g].map(TensorPrimitive::Float);
        norm_weights::<Wgpu>(Tensor::from_primitive(v), Tensor::from_primitive(g)).into_primitive().tensor()
    }
}
