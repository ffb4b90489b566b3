//! A whole bijector as one kernel, in CubeCL. A workgroup takes a group of rows through all layers; their activations
//! stay in its shared memory, and only weights are read from global memory.

use burn::tensor::Shape;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeRuntime, cubecl};

use super::net::{MAX_CUBES, Net, ROWS, Rows, UNITS, load, minus, product, squash, store, swish};
use crate::shape::{BijectorShape, Direction};

/// Bytes of a workgroup's shared memory that the kernel needs.
pub fn memory(shape: &BijectorShape) -> usize {
    let net = Net::new(shape);
    let vectors = net.dim + 2 * net.dim + 4 * net.width() + net.half();
    vectors * ROWS * size_of::<f32>()
}

/// As [`crate::backend::Kernels::bijector`].
pub fn run<R: CubeRuntime>(
    shape: &BijectorShape,
    direction: Direction,
    rows: CubeTensor<R>,
    theta: CubeTensor<R>,
) -> CubeTensor<R> {
    let (rows, theta) = (into_contiguous(rows), into_contiguous(theta));
    let n = rows.meta.num_elements() / shape.dim;
    let output = empty_device_contiguous_dtype(
        rows.client.clone(),
        rows.device.clone(),
        Shape::new([n * shape.dim + n]),
        rows.dtype,
    );
    let cubes = n.div_ceil(ROWS) as u32;
    let wide = cubes.clamp(1, MAX_CUBES);
    let inverse = u32::from(direction == Direction::Inverse);
    let maps = theta.meta.num_elements() > shape.len();
    let of_direction = if inverse == 1 { 2 * (shape.dim * shape.dim + shape.dim) } else { 0 };
    bijector::launch::<R>(
        &output.client,
        CubeCount::Static(wide, cubes.div_ceil(wide), 1),
        CubeDim::new_1d(UNITS),
        rows.into_array_arg(),
        theta.into_array_arg(),
        output.clone().into_array_arg(),
        n as u32,
        shape.level.layers as u32,
        inverse,
        (shape.len() + of_direction) as u32,
        Net::new(shape),
        maps,
    );
    output
}

/// `maps` is where this direction's maps begin in theta, if they are there.
///
/// # Shapes
/// - rows: `[n · dim]`, theta: all weights as [`BijectorShape`] orders them, then the maps
/// - output: `[n · dim + n]`
#[cube(launch)]
fn bijector(
    rows: &Array<f32>,
    theta: &Array<f32>,
    output: &mut Array<f32>,
    n: u32,
    layers: u32,
    inverse: u32,
    maps: u32,
    #[comptime] net: Net,
    #[comptime] with_maps: bool,
) {
    let dim = comptime!(net.dim);
    let half = comptime!(net.half());
    let n = n as usize;
    let nets = 2 * layers as usize;
    let unit = UNIT_POS as usize;
    let first_row = CUBE_POS * ROWS;

    let mut x = SharedMemory::<Rows>::new(dim);
    let mut change = SharedMemory::<Rows>::new(half);
    // Of s and of t, one after the other.
    let mut stream = SharedMemory::<Rows>::new(comptime!(2 * dim));
    let mut even = SharedMemory::<Rows>::new(comptime!(2 * net.width()));
    let mut odd = SharedMemory::<Rows>::new(comptime!(2 * net.width()));

    let mut i = unit;
    while i < dim {
        x[i] = load(rows, first_row, n, i, dim);
        if i < half {
            change[i] = Rows::new(0.0);
        }
        i += CUBE_DIM as usize;
    }
    sync_cube();
    if comptime!(with_maps) {
        map(&mut x, &mut stream, theta, maps as usize, dim);
    }

    for step in 0..nets {
        let at = select(inverse == 1, nets - 1 - step, step);
        let net_s = at / 2 * 2;
        let this = at % 2 * half;
        let other = half - this;

        let mut i = unit;
        while i < comptime!(2 * dim) {
            let place = i % dim;
            let here = place >= this && place < this + half;
            stream[i] = select(here, x[place], Rows::new(0.0));
            i += CUBE_DIM as usize;
        }
        sync_cube();

        #[unroll]
        for l in 0..comptime!(net.linears()) {
            let stored = comptime!(net.stored_inputs(l));
            let inputs = comptime!(net.inputs(l));
            let outputs = comptime!(net.outputs(l));
            let stride = comptime!(net.stored_outputs(l));
            let alpha = nets * comptime!(net.before(l));
            let weight = alpha + nets * stored;
            let bias = weight + nets * comptime!(net.matrix(l));
            let mut from = 0;
            if comptime!(l == 0) {
                from += this;
            }
            if comptime!(net.enters(l)) {
                let mut i = unit;
                while i < comptime!(2 * inputs) {
                    let place = i / inputs * dim + from + i % inputs;
                    let act = swish(stream[place], theta[alpha + (net_s + i / inputs) * stored + from + i % inputs]);
                    if comptime!(l % 2 == 0) {
                        even[i] = act;
                    } else {
                        odd[i] = act;
                    }
                    i += CUBE_DIM as usize;
                }
                sync_cube();
            }
            let mut item = unit;
            while item < comptime!(2 * outputs) {
                let which = item / outputs;
                let mut o = item % outputs;
                if comptime!(net.ends(l)) {
                    o += other;
                }
                let net_o = (net_s + which) * stride + o;
                let column = weight + (net_s + which) * comptime!(net.matrix(l)) + from * stride + o;
                let mut sums = Array::<Rows>::new(1usize);
                sums[0] = Rows::new(theta[bias + net_o]);
                if comptime!(l % 2 == 0) {
                    product(&mut sums, theta, column, &even, which * inputs, 0usize, inputs, stride, 1usize, 1usize);
                } else {
                    product(&mut sums, theta, column, &odd, which * inputs, 0usize, inputs, stride, 1usize, 1usize);
                }
                let sum = sums[0];
                if comptime!(net.leaves(l)) {
                    let place = which * dim + o;
                    stream[place] = (stream[place] + sum) * Rows::new(core::f32::consts::FRAC_1_SQRT_2);
                } else {
                    // The next linear's slopes begin where this one's weights end.
                    let act = swish(sum, theta[nets * comptime!(net.before(l + 1)) + net_o]);
                    if comptime!(l % 2 == 0) {
                        odd[item] = act;
                    } else {
                        even[item] = act;
                    }
                }
                item += CUBE_DIM as usize;
            }
            sync_cube();
        }

        let mut i = unit;
        while i < half {
            let o = other + i;
            let scale = nets * comptime!(net.before(net.linears())) + net_s * dim + o;
            let s = squash(stream[o] * Rows::new(theta[scale]));
            let t = stream[dim + o] * Rows::new(theta[scale + dim]);
            if inverse == 1 {
                x[o] = (x[o] - t) * Exp::exp(minus(s));
                change[i] -= s;
            } else {
                x[o] = x[o] * Exp::exp(s) + t;
                change[i] += s;
            }
            i += CUBE_DIM as usize;
        }
        sync_cube();
    }
    if comptime!(with_maps) {
        map(&mut x, &mut stream, theta, maps as usize + comptime!(dim * dim + dim), dim);
    }

    let mut i = unit;
    while i < dim {
        store(output, first_row, n, i, x[i], dim);
        i += CUBE_DIM as usize;
    }
    if unit == 0 {
        let mut sum = Rows::new(0.0);
        for i in 0..half {
            sum += change[i];
        }
        #[unroll]
        for r in 0..ROWS {
            if first_row + r < n {
                output[n * dim + first_row + r] = sum[r];
            }
        }
    }
}

/// x ← x·W + b, with W and b from place `start` of theta on.
#[cube]
fn map(
    x: &mut SharedMemory<Rows>,
    result: &mut SharedMemory<Rows>,
    theta: &Array<f32>,
    start: usize,
    #[comptime] dim: usize,
) {
    let mut i = UNIT_POS as usize;
    while i < dim {
        let mut sums = Array::<Rows>::new(1usize);
        sums[0] = Rows::new(theta[start + comptime!(dim * dim) + i]);
        product(&mut sums, theta, start + i, x, 0usize, 0usize, dim, dim, 1usize, 1usize);
        result[i] = sums[0];
        i += CUBE_DIM as usize;
    }
    sync_cube();
    let mut i = UNIT_POS as usize;
    while i < dim {
        x[i] = result[i];
        i += CUBE_DIM as usize;
    }
    sync_cube();
}
