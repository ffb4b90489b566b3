//! How kernels that work on one number after the other are launched.

use burn_cubecl::CubeRuntime;
use burn_cubecl::cubecl::prelude::CubeCount;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::net::{MAX_CUBES, UNITS};

/// Workgroups for so many numbers: one an invocation, where so many workgroups are possible.
pub fn spread(len: usize) -> CubeCount {
    CubeCount::Static((len.div_ceil(UNITS as usize) as u32).clamp(1, MAX_CUBES), 1, 1)
}

/// The tensor as one piece of memory that nobody else sees: itself if it was that before.
pub fn owned<R: CubeRuntime>(tensor: CubeTensor<R>) -> CubeTensor<R> {
    let tensor = into_contiguous(tensor);
    if tensor.can_mut() { tensor } else { tensor.copy() }
}
