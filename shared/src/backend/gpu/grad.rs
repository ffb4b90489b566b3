//! The bijector's gradient: back half-step by half-step, two kernels each.

use burn::tensor::Shape;
use burn_cubecl::CubeRuntime;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::{into_contiguous, slice};
use burn_cubecl::ops::numeric::{empty_device_contiguous_dtype, zeros_client};
use burn_cubecl::tensor::CubeTensor;

use super::half_step::{Half, half_step};
use super::launch::{Limits, owned, spread};
use super::net::{MAX_CUBES, Net, ROWS, UNITS};
use super::weights::{add_parts, matrix_cubes, sum_cubes, transpose, weight_gradients};
use crate::shape::{BijectorShape, Direction};

/// The fewest groups of rows in a part of the weights' sums.
const DEPTH: usize = 32;
/// The most parts of the weights' sums.
const PARTS: usize = 32;

/// The most groups of rows that a workgroup takes.
const GROUPS: usize = 4;
/// Workgroups that keep a large card busy; only with more work than that does each take several groups.
const ENOUGH: usize = 128;

/// Bytes of a workgroup's shared memory that the kernels need for each of its groups of rows.
pub fn memory(shape: &BijectorShape) -> usize {
    let net = Net::new(shape);
    (2 * net.dim + 4 * net.width()) * ROWS * size_of::<f32>()
}

/// Groups of rows that a workgroup takes: with more, weights are read fewer times.
fn groups_of_cube(shape: &BijectorShape, limits: &Limits, groups: usize) -> usize {
    let fits = |&of_cube: &usize| of_cube * memory(shape) <= limits.memory && of_cube * ENOUGH <= groups;
    std::iter::successors(Some(GROUPS), |of_cube| Some(of_cube / 2)).take_while(|&g| g > 1).find(fits).unwrap_or(1)
}

/// As [`crate::backend::DifferentiableKernels::bijector_grad`], within these limits.
pub fn run<R: CubeRuntime>(
    shape: &BijectorShape,
    direction: Direction,
    output: CubeTensor<R>,
    theta: CubeTensor<R>,
    grad: CubeTensor<R>,
    want_theta: bool,
    limits: &Limits,
) -> (CubeTensor<R>, Option<CubeTensor<R>>) {
    let net = Net::new(shape);
    let (x, d, theta) = (owned(output), owned(grad), into_contiguous(theta));
    let (client, device, dtype) = (theta.client.clone(), theta.device.clone(), theta.dtype);
    let empty = |len: usize| empty_device_contiguous_dtype(client.clone(), device.clone(), Shape::new([len]), dtype);
    let n = x.meta.num_elements() / (shape.dim + 1);
    let len = shape.len();
    let layers = shape.level.layers as u32;

    let transposed = empty(len);
    transpose::launch::<R>(
        &client,
        spread(len),
        CubeDim::new_1d(UNITS),
        theta.clone().into_array_arg(),
        transposed.clone().into_array_arg(),
        layers,
        net,
    );

    // As many groups of rows at once as fit into one buffer.
    let of_group = 2 * net.kept() * ROWS;
    let groups = n.div_ceil(ROWS);
    let of_cube = groups_of_cube(shape, limits, groups);
    let most = (limits.binding / (of_group * size_of::<f32>())).min(MAX_CUBES as usize) / of_cube * of_cube;
    let chunk = groups.next_multiple_of(of_cube).min(most).max(of_cube);
    let half = Half { net, groups: of_cube, want_theta };
    let count = chunk.div_ceil(DEPTH).min(PARTS).min(limits.binding / (len * size_of::<f32>())).max(1);
    let kept = empty(chunk * of_group);
    let sums = empty(if want_theta { chunk * 2 * net.sums() } else { 1 });
    let parts = want_theta.then(|| zeros_client(client.clone(), device.clone(), Shape::new([count * len]), dtype));

    let steps = 2 * layers;
    for step in 0..steps {
        // The last step first.
        let at = if direction == Direction::Inverse { step } else { steps - 1 - step };
        for first in (0..groups).step_by(chunk) {
            let groups = chunk.min(groups - first);
            half_step::launch::<R>(
                &client,
                CubeCount::Static(groups.div_ceil(of_cube) as u32, 1, 1),
                CubeDim::new_1d(UNITS),
                x.clone().into_array_arg(),
                d.clone().into_array_arg(),
                theta.clone().into_array_arg(),
                transposed.clone().into_array_arg(),
                kept.clone().into_array_arg(),
                sums.clone().into_array_arg(),
                n as u32,
                layers,
                at,
                first as u32,
                u32::from(direction == Direction::Inverse),
                half,
            );
            if let Some(parts) = &parts {
                weight_gradients::launch::<R>(
                    &client,
                    CubeCount::Static((matrix_cubes(net) + sum_cubes(net, UNITS as usize)) as u32, count as u32, 1),
                    CubeDim::new_1d(UNITS),
                    kept.clone().into_array_arg(),
                    sums.clone().into_array_arg(),
                    parts.clone().into_array_arg(),
                    groups as u32,
                    groups.div_ceil(count) as u32,
                    layers,
                    at,
                    len as u32,
                    net,
                );
            }
        }
    }

    let d_theta = parts.map(|parts| match count {
        1 => parts,
        _ => {
            let total = empty(len);
            add_parts::launch::<R>(
                &client,
                spread(len),
                CubeDim::new_1d(UNITS),
                parts.into_array_arg(),
                total.clone().into_array_arg(),
                count as u32,
            );
            total
        }
    });
    let without_log_dets = 0..n * shape.dim;
    let rows = slice(d, std::slice::from_ref(&without_log_dets));
    let rows = CubeTensor::new_contiguous(client, device, Shape::new([n, shape.dim]), rows.handle, dtype);
    (rows, d_theta)
}
