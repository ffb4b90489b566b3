//! How kernels that work on one number after the other are launched.

use burn::tensor::Shape;
use burn_cubecl::CubeRuntime;
use burn_cubecl::cubecl::prelude::CubeCount;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::net::{MAX_CUBES, UNITS};

/// What a runtime offers.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of memory shared within a workgroup.
    pub memory: usize,
    /// Bytes of a buffer that a kernel can see.
    pub binding: usize,
}

/// Workgroups for that many numbers: one number an invocation, as far as there are enough workgroups.
pub fn spread(len: usize) -> CubeCount {
    CubeCount::Static((len.div_ceil(UNITS as usize) as u32).clamp(1, MAX_CUBES), 1, 1)
}

/// The tensor as one piece of memory that nobody else sees: itself if it was that before.
pub fn owned<R: CubeRuntime>(tensor: CubeTensor<R>) -> CubeTensor<R> {
    let tensor = into_contiguous(tensor);
    if tensor.can_mut() {
        return tensor;
    }
    // On CUDA a copy's rows are apart, unless it has but one.
    let (shape, len) = (tensor.meta.shape().clone(), tensor.meta.num_elements());
    reshape(reshape(tensor, Shape::new([len])).copy(), shape)
}

/// One piece of memory by another shape.
fn reshape<R: CubeRuntime>(tensor: CubeTensor<R>, shape: Shape) -> CubeTensor<R> {
    CubeTensor::new_contiguous(tensor.client, tensor.device, shape, tensor.handle, tensor.dtype)
}
