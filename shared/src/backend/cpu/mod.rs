//! The CPU's bijector: tiles of rows that stay in the cache, from the first coupling layer to the last.

mod affine;
mod elementwise;
mod exponential;
mod kernel;
mod net;
mod product;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
mod strip;
mod update;
mod vectors;
mod weight_norm;

pub use vectors::{CpuVectors, cpu_vectors, use_vectors};

use burn::tensor::ops::FloatTensor;
use burn_flex::{Flex, FlexTensor};

use super::optimizer::{Adam, Moments};
use super::{DifferentiableKernels, FlowBackend, Kernels};
use crate::shape::{BijectorShape, Direction};

impl FlowBackend for Flex {
    fn kernels() -> Option<&'static dyn Kernels<Self>> {
        Some(&CpuKernels)
    }

    fn differentiable() -> Option<&'static dyn DifferentiableKernels<Self>> {
        Some(&CpuKernels)
    }
}

/// The kernels; they have no state.
struct CpuKernels;

/// The tensor in contiguous memory, still its only owner if it was before.
fn contiguous(tensor: FlexTensor) -> FlexTensor {
    tensor.to_contiguous()
}

impl Kernels<Flex> for CpuKernels {
    fn bijector(
        &self,
        shape: &BijectorShape,
        direction: Direction,
        rows: FloatTensor<Flex>,
        theta: FloatTensor<Flex>,
    ) -> FloatTensor<Flex> {
        kernel::run(shape, direction, &rows.to_contiguous(), &theta.to_contiguous())
    }

    fn weight_norm(&self, v: FloatTensor<Flex>, g: FloatTensor<Flex>) -> FloatTensor<Flex> {
        weight_norm::run(&v.to_contiguous(), &g.to_contiguous())
    }
}

impl DifferentiableKernels<Flex> for CpuKernels {
    fn bijector_grad(
        &self,
        shape: &BijectorShape,
        direction: Direction,
        output: FloatTensor<Flex>,
        theta: FloatTensor<Flex>,
        grad: FloatTensor<Flex>,
        want_theta: bool,
    ) -> (FloatTensor<Flex>, Option<FloatTensor<Flex>>) {
        let (output, theta, grad) = (output.to_contiguous(), theta.to_contiguous(), grad.to_contiguous());
        kernel::grad(shape, direction, &output, &theta, &grad, want_theta)
    }

    fn weight_norm_grad(
        &self,
        v: FloatTensor<Flex>,
        g: FloatTensor<Flex>,
        grad: FloatTensor<Flex>,
    ) -> (FloatTensor<Flex>, FloatTensor<Flex>) {
        weight_norm::grad(&v.to_contiguous(), &g.to_contiguous(), &grad.to_contiguous())
    }

    fn blend(&self, mean: FloatTensor<Flex>, towards: FloatTensor<Flex>, keep: f64) -> FloatTensor<Flex> {
        update::blend(contiguous(mean), &towards.to_contiguous(), keep as f32)
    }

    fn adam(
        &self,
        parameter: Moments<FloatTensor<Flex>>,
        grad: FloatTensor<Flex>,
        adam: Adam,
    ) -> Moments<FloatTensor<Flex>> {
        let Moments { value, first, second } = parameter;
        let parameter = Moments { value: contiguous(value), first: contiguous(first), second: contiguous(second) };
        update::adam(parameter, &grad.to_contiguous(), adam)
    }
}
