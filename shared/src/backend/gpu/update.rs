//! The optimizer's passes over the parameters, in place where a tensor has no other owner.

use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeRuntime, cubecl};

use super::launch::{owned, spread};
use super::net::UNITS;
use crate::backend::Adam;

/// As [`crate::backend::DifferentiableKernels::blend`].
pub fn blend<R: CubeRuntime>(
    mean: CubeTensor<R>,
    towards: CubeTensor<R>,
    keep: f32,
    factor: f32,
    squared: bool,
) -> CubeTensor<R> {
    let (mean, towards) = (owned(mean), into_contiguous(towards));
    blend_kernel::launch::<R>(
        &mean.client,
        spread(mean.meta.num_elements()),
        CubeDim::new_1d(UNITS),
        mean.clone().into_array_arg(),
        towards.into_array_arg(),
        keep,
        factor,
        squared,
    );
    mean
}

#[cube(launch)]
fn blend_kernel(mean: &mut Array<f32>, towards: &Array<f32>, keep: f32, factor: f32, #[comptime] squared: bool) {
    let mut i = ABSOLUTE_POS;
    while i < mean.len() {
        let mut x = factor * towards[i];
        if comptime!(squared) {
            x *= x;
        }
        mean[i] = keep * mean[i] + (1.0 - keep) * x;
        i += CUBE_COUNT * CUBE_DIM as usize;
    }
}

/// As [`crate::backend::DifferentiableKernels::adam`].
pub fn adam<R: CubeRuntime>(
    value: CubeTensor<R>,
    first: CubeTensor<R>,
    second: CubeTensor<R>,
    adam: Adam,
) -> CubeTensor<R> {
    let (value, first, second) = (owned(value), into_contiguous(first), into_contiguous(second));
    adam_kernel::launch::<R>(
        &value.client,
        spread(value.meta.num_elements()),
        CubeDim::new_1d(UNITS),
        value.clone().into_array_arg(),
        first.into_array_arg(),
        second.into_array_arg(),
        adam.rate as f32,
        adam.second_factor as f32,
        adam.epsilon as f32,
        adam.decay as f32,
    );
    value
}

#[cube(launch)]
fn adam_kernel(
    value: &mut Array<f32>,
    first: &Array<f32>,
    second: &Array<f32>,
    rate: f32,
    second_factor: f32,
    epsilon: f32,
    decay: f32,
) {
    let mut i = ABSOLUTE_POS;
    while i < value.len() {
        let root = Sqrt::sqrt(second_factor * second[i]);
        value[i] = decay * value[i] - rate * first[i] / (root + epsilon);
        i += CUBE_COUNT * CUBE_DIM as usize;
    }
}
