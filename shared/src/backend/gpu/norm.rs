//! The sum of the squares of many tensors: one launch for each, and one to add up the results.

use burn::tensor::Shape;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeRuntime, cubecl};

use super::net::UNITS;

/// The fewest numbers that a workgroup sums.
const SHARE: usize = 1 << 12;
/// The most workgroups for a tensor.
const CUBES: usize = 64;

/// As [`crate::backend::DifferentiableKernels::sum_of_squares`].
pub fn sum_of_squares<R: CubeRuntime>(tensors: Vec<CubeTensor<R>>) -> Option<CubeTensor<R>> {
    let (client, device, dtype) = tensors.first().map(|t| (t.client.clone(), t.device.clone(), t.dtype))?;
    let empty = |len: usize| empty_device_contiguous_dtype(client.clone(), device.clone(), Shape::new([len]), dtype);
    let cubes = |tensor: &CubeTensor<R>| tensor.meta.num_elements().div_ceil(SHARE).clamp(1, CUBES);
    let count = tensors.iter().map(cubes).sum();
    let (parts, total) = (empty(count), empty(1));
    let mut at = 0;
    for tensor in tensors {
        let cubes = cubes(&tensor);
        squares::launch::<R>(
            &client,
            CubeCount::Static(cubes as u32, 1, 1),
            CubeDim::new_1d(UNITS),
            into_contiguous(tensor).into_array_arg(),
            parts.clone().into_array_arg(),
            at as u32,
            true,
        );
        at += cubes;
    }
    squares::launch::<R>(
        &client,
        CubeCount::Static(1, 1, 1),
        CubeDim::new_1d(UNITS),
        parts.into_array_arg(),
        total.clone().into_array_arg(),
        0,
        false,
    );
    Some(total)
}

/// Each workgroup's sum of the numbers, or of their squares, written to `sums` from `at` on.
#[cube(launch)]
fn squares(numbers: &Array<f32>, sums: &mut Array<f32>, at: u32, #[comptime] square: bool) {
    let unit = UNIT_POS as usize;
    let mut own = 0.0f32;
    let mut i = ABSOLUTE_POS;
    while i < numbers.len() {
        let x = numbers[i];
        own += if comptime!(square) { x * x } else { x };
        i += CUBE_COUNT * CUBE_DIM as usize;
    }
    let mut all = SharedMemory::<f32>::new(comptime!(UNITS as usize));
    all[unit] = own;
    sync_cube();
    #[unroll]
    for step in 0..comptime!(UNITS.ilog2() as usize) {
        let half = comptime!(UNITS as usize >> (step + 1));
        if unit < half {
            all[unit] += all[unit + half];
        }
        sync_cube();
    }
    if unit == 0 {
        sums[at as usize + CUBE_POS] = all[0];
    }
}
