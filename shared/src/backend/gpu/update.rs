//! The optimizer's passes over the parameters, in place where a tensor has no other owner.

use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeRuntime, cubecl};

use super::launch::{owned, spread};
use super::net::UNITS;
use crate::backend::optimizer::{Adam, Moments};

/// As [`crate::backend::DifferentiableKernels::blend`].
pub fn blend<R: CubeRuntime>(mean: CubeTensor<R>, towards: CubeTensor<R>, keep: f32) -> CubeTensor<R> {
    let (mean, towards) = (owned(mean), into_contiguous(towards));
    blend_kernel::launch::<R>(
        &mean.client,
        spread(mean.meta.num_elements()),
        CubeDim::new_1d(UNITS),
        mean.clone().into_array_arg(),
        towards.into_array_arg(),
        keep,
    );
    mean
}

#[cube(launch)]
fn blend_kernel(mean: &mut Array<f32>, towards: &Array<f32>, keep: f32) {
    let mut i = ABSOLUTE_POS;
    while i < mean.len() {
        mean[i] = keep * mean[i] + (1.0 - keep) * towards[i];
        i += CUBE_COUNT * CUBE_DIM as usize;
    }
}

/// As [`crate::backend::DifferentiableKernels::adam`].
pub fn adam<R: CubeRuntime>(
    parameter: Moments<CubeTensor<R>>,
    grad: CubeTensor<R>,
    adam: Adam,
) -> Moments<CubeTensor<R>> {
    let Moments { value, first, second } = parameter;
    let (value, first, second, grad) = (owned(value), owned(first), owned(second), into_contiguous(grad));
    adam_kernel::launch::<R>(
        &value.client,
        spread(value.meta.num_elements()),
        CubeDim::new_1d(UNITS),
        value.clone().into_array_arg(),
        first.clone().into_array_arg(),
        second.clone().into_array_arg(),
        grad.into_array_arg(),
        adam.factor as f32,
        adam.keep[0] as f32,
        adam.keep[1] as f32,
        adam.rate as f32,
        adam.second_factor as f32,
        adam.epsilon as f32,
        adam.decay as f32,
    );
    Moments { value, first, second }
}

#[cube(launch)]
fn adam_kernel(
    value: &mut Array<f32>,
    first: &mut Array<f32>,
    second: &mut Array<f32>,
    grad: &Array<f32>,
    factor: f32,
    keep_first: f32,
    keep_second: f32,
    rate: f32,
    second_factor: f32,
    epsilon: f32,
    decay: f32,
) {
    let mut i = ABSOLUTE_POS;
    while i < value.len() {
        let g = factor * grad[i];
        let m = keep_first * first[i] + (1.0 - keep_first) * g;
        let v = keep_second * second[i] + (1.0 - keep_second) * (g * g);
        first[i] = m;
        second[i] = v;
        value[i] = decay * value[i] - rate * m / (Sqrt::sqrt(second_factor * v) + epsilon);
        i += CUBE_COUNT * CUBE_DIM as usize;
    }
}
