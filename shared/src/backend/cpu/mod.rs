//! The CPU's bijector: tiles of rows that stay in the cache, gemm by the Flex backend, everything else fused.

mod elementwise;
mod kernel;
mod net;
mod tile;

use burn::tensor::ops::FloatTensor;
use burn_flex::Flex;

use super::{Direction, FlowBackend, FusedBijector, FusedGradient};
use crate::nn::BijectorShape;

impl FlowBackend for Flex {
    fn fused() -> Option<&'static dyn FusedBijector<Self>> {
        Some(&CpuKernel)
    }

    fn fused_gradient() -> Option<&'static dyn FusedGradient<Self>> {
        Some(&CpuKernel)
    }
}

/// The kernel; it has no state.
struct CpuKernel;

impl FusedBijector<Flex> for CpuKernel {
    fn run(
        &self,
        shape: &BijectorShape,
        direction: Direction,
        rows: FloatTensor<Flex>,
        theta: FloatTensor<Flex>,
    ) -> FloatTensor<Flex> {
        kernel::run(shape, direction, &rows.to_contiguous(), theta.to_contiguous())
    }
}

impl FusedGradient<Flex> for CpuKernel {
    fn grad(
        &self,
        shape: &BijectorShape,
        direction: Direction,
        output: FloatTensor<Flex>,
        theta: FloatTensor<Flex>,
        grad: FloatTensor<Flex>,
        want_theta: bool,
    ) -> (FloatTensor<Flex>, Option<FloatTensor<Flex>>) {
        kernel::grad(
            shape,
            direction,
            &output.to_contiguous(),
            theta.to_contiguous(),
            &grad.to_contiguous(),
            want_theta,
        )
    }
}
