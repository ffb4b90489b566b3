//! Weight norm and its gradient: one invocation for each output of each net, which loops over the inputs.

use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeRuntime, cubecl};

use super::launch::spread;
use super::net::UNITS;

/// As [`crate::backend::Kernels::weight_norm`].
pub fn run<R: CubeRuntime>(v: CubeTensor<R>, g: CubeTensor<R>) -> CubeTensor<R> {
    let (v, g) = (into_contiguous(v), into_contiguous(g));
    let w = like(&v);
    let (columns, inputs, outputs) = sizes(&v);
    weight_norm::launch::<R>(
        &v.client,
        spread(columns),
        CubeDim::new_1d(UNITS),
        v.clone().into_array_arg(),
        g.into_array_arg(),
        w.clone().into_array_arg(),
        inputs,
        outputs,
    );
    w
}

/// As [`crate::backend::DifferentiableKernels::weight_norm_grad`].
pub fn grad<R: CubeRuntime>(v: CubeTensor<R>, g: CubeTensor<R>, grad: CubeTensor<R>) -> (CubeTensor<R>, CubeTensor<R>) {
    let (v, g, grad) = (into_contiguous(v), into_contiguous(g), into_contiguous(grad));
    let (d_v, d_g) = (like(&v), like(&g));
    let (columns, inputs, outputs) = sizes(&v);
    weight_norm_grad::launch::<R>(
        &v.client,
        spread(columns),
        CubeDim::new_1d(UNITS),
        v.clone().into_array_arg(),
        g.into_array_arg(),
        grad.into_array_arg(),
        d_v.clone().into_array_arg(),
        d_g.clone().into_array_arg(),
        inputs,
        outputs,
    );
    (d_v, d_g)
}

fn like<R: CubeRuntime>(tensor: &CubeTensor<R>) -> CubeTensor<R> {
    empty_device_contiguous_dtype(
        tensor.client.clone(),
        tensor.device.clone(),
        tensor.meta.shape().clone(),
        tensor.dtype,
    )
}

/// Outputs of all nets together, inputs and outputs of one.
fn sizes<R: CubeRuntime>(v: &CubeTensor<R>) -> (usize, u32, u32) {
    let shape = v.meta.shape();
    (shape[0] * shape[2], shape[1] as u32, shape[2] as u32)
}

/// # Shapes
/// - v, w: `[nets, inputs, outputs]`, g: `[nets, outputs]`
#[cube(launch)]
fn weight_norm(v: &Array<f32>, g: &Array<f32>, w: &mut Array<f32>, inputs: u32, outputs: u32) {
    let inputs = inputs as usize;
    let outputs = outputs as usize;
    let mut column = ABSOLUTE_POS;
    while column < g.len() {
        let start = column / outputs * inputs * outputs + column % outputs;
        let mut square = 0.0f32;
        for i in 0..inputs {
            let x = v[start + i * outputs];
            square += x * x;
        }
        let factor = g[column] / Sqrt::sqrt(square);
        for i in 0..inputs {
            w[start + i * outputs] = factor * v[start + i * outputs];
        }
        column += CUBE_COUNT * CUBE_DIM as usize;
    }
}

/// # Shapes
/// - v, grad, d_v: `[nets, inputs, outputs]`, g, d_g: `[nets, outputs]`
#[cube(launch)]
fn weight_norm_grad(
    v: &Array<f32>,
    g: &Array<f32>,
    grad: &Array<f32>,
    d_v: &mut Array<f32>,
    d_g: &mut Array<f32>,
    inputs: u32,
    outputs: u32,
) {
    let inputs = inputs as usize;
    let outputs = outputs as usize;
    let mut column = ABSOLUTE_POS;
    while column < g.len() {
        let start = column / outputs * inputs * outputs + column % outputs;
        let mut square = 0.0f32;
        let mut projection = 0.0f32;
        for i in 0..inputs {
            let x = v[start + i * outputs];
            square += x * x;
            projection += x * grad[start + i * outputs];
        }
        let norm = Sqrt::sqrt(square);
        let factor = g[column] / norm;
        let along = projection / square;
        for i in 0..inputs {
            let at = start + i * outputs;
            d_v[at] = factor * (grad[at] - along * v[at]);
        }
        d_g[column] = projection / norm;
        column += CUBE_COUNT * CUBE_DIM as usize;
    }
}
