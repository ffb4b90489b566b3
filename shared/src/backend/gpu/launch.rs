//! How elementwise kernels are launched, and within which limits.

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

/// Workgroups for this many numbers: one for each invocation, up to the most workgroups that are allowed.
pub fn spread(len: usize) -> CubeCount {
    CubeCount::Static((len.div_ceil(UNITS as usize) as u32).clamp(1, MAX_CUBES), 1, 1)
}

/// The tensor in contiguous memory that has no other owner: itself if it is that already.
pub fn owned<R: CubeRuntime>(tensor: CubeTensor<R>) -> CubeTensor<R> {
    let tensor = into_contiguous(tensor);
    if tensor.can_mut() {
        return tensor;
    }
    // On CUDA the rows of a copy are padded, unless there is only one.
    let (shape, len) = (tensor.meta.shape().clone(), tensor.meta.num_elements());
    reshape(reshape(tensor, Shape::new([len])).copy(), shape)
}

/// The same contiguous memory with another shape.
fn reshape<R: CubeRuntime>(tensor: CubeTensor<R>, shape: Shape) -> CubeTensor<R> {
    CubeTensor::new_contiguous(tensor.client, tensor.device, shape, tensor.handle, tensor.dtype)
}
