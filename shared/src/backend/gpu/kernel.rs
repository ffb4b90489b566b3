//! A whole bijector as one kernel, in CubeCL. A workgroup takes a few rows through all layers; their activations stay
//! in its own memory, and only weights come from outside.

use burn::tensor::Shape;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_dtype;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeRuntime, cubecl};

use crate::backend::Direction;
use crate::nn::BijectorShape;

/// Rows of a workgroup: as many as a shader's vector has places.
const ROWS: usize = 4;
type Rows = Vector<f32, Const<ROWS>>;

/// Invocations of a workgroup, which every WebGPU device offers.
const UNITS: u32 = 256;
/// The most workgroups along a dimension, which every WebGPU device offers, or a little less.
const MAX_CUBES: u32 = 1 << 15;
/// A workgroup's memory in bytes, which every WebGPU device offers.
const MEMORY: usize = 16 << 10;

/// What the kernel is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Net {
    dim: usize,
    hidden: usize,
    mlp: usize,
    res_blocks: usize,
    /// Whether linear maps follow the weights.
    maps: bool,
}

impl Net {
    fn new(shape: &BijectorShape, maps: bool) -> Self {
        let level = &shape.level;
        Self { dim: shape.dim, hidden: level.hidden, mlp: level.mlp, res_blocks: level.res_blocks, maps }
    }

    fn half(self) -> usize {
        self.dim / 2
    }

    /// The widest layer.
    fn width(self) -> usize {
        self.dim.max(self.hidden)
    }
}

/// Whether a workgroup has room for the activations.
pub fn fits(shape: &BijectorShape) -> bool {
    let net = Net::new(shape, true);
    let vectors = net.dim + 2 * net.dim + 4 * net.width() + net.half();
    vectors * ROWS * size_of::<f32>() <= MEMORY
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
    let output =
        empty_device_dtype(rows.client.clone(), rows.device.clone(), Shape::new([n * shape.dim + n]), rows.dtype);
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
        Net::new(shape, maps),
    );
    output
}

/// `maps` is where the direction's linear maps stand in theta, if they do.
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
        let mut value = Rows::new(0.0);
        #[unroll]
        for r in 0..ROWS {
            if first_row + r < n {
                value[r] = rows[(first_row + r) * dim + i];
            }
        }
        x[i] = value;
        if i < half {
            change[i] = Rows::new(0.0);
        }
        i += CUBE_DIM as usize;
    }
    sync_cube();
    if comptime!(net.maps) {
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

        let mut start = 0;
        #[unroll]
        for block in 0..comptime!(net.res_blocks) {
            let mut i = unit;
            while i < comptime!(2 * dim) {
                even[i] = swish(stream[i], theta[start + (net_s + i / dim) * dim + i % dim]);
                i += CUBE_DIM as usize;
            }
            sync_cube();
            #[unroll]
            for k in 0..comptime!(net.mlp + 1) {
                let inputs = comptime!(if k == 0 { net.dim } else { net.hidden });
                let outputs = comptime!(if k == net.mlp { net.dim } else { net.hidden });
                let weight = start + nets * inputs;
                let bias = weight + nets * comptime!(inputs * outputs);
                start = bias + nets * outputs;
                // Half of the first linear's inputs are zero and half of the last one's outputs are not used.
                let first = comptime!(block == 0 && k == 0);
                let last = comptime!(block + 1 == net.res_blocks && k == net.mlp);
                let some = comptime!(if last { half } else { outputs });
                let mut item = unit;
                while item < comptime!(2 * some) {
                    let which = item / some;
                    let mut o = item % some;
                    if last {
                        o += other;
                    }
                    let net_o = (net_s + which) * outputs + o;
                    let mut from = 0;
                    if first {
                        from += this;
                    }
                    let column = weight + (net_s + which) * comptime!(inputs * outputs) + from * outputs + o;
                    let row = which * inputs + from;
                    let mut sum = Rows::new(theta[bias + net_o]);
                    for j in 0..comptime!(if first { half } else { inputs }) {
                        let factor = Rows::new(theta[column + j * outputs]);
                        if comptime!(k % 2 == 0) {
                            sum += factor * even[row + j];
                        } else {
                            sum += factor * odd[row + j];
                        }
                    }
                    if comptime!(k == net.mlp) {
                        let place = which * dim + o;
                        stream[place] = (stream[place] + sum) * Rows::new(core::f32::consts::FRAC_1_SQRT_2);
                    } else {
                        // The next linear's slopes stand where this one's weights end.
                        let act = swish(sum, theta[start + net_o]);
                        if comptime!(k % 2 == 0) {
                            odd[which * outputs + o] = act;
                        } else {
                            even[which * outputs + o] = act;
                        }
                    }
                    item += CUBE_DIM as usize;
                }
                sync_cube();
            }
        }

        let mut i = unit;
        while i < half {
            let o = other + i;
            let scale = start + net_s * dim + o;
            // Some GPUs' tanh is not a number far out, where it is 1.
            let s = stream[o] * Rows::new(theta[scale]);
            let s = Tanh::tanh(clamp(s, Rows::new(-20.0), Rows::new(20.0)));
            let t = stream[dim + o] * Rows::new(theta[scale + dim]);
            if inverse == 1 {
                x[o] = (x[o] - t) * Exp::exp(-s);
                change[i] -= s;
            } else {
                x[o] = x[o] * Exp::exp(s) + t;
                change[i] += s;
            }
            i += CUBE_DIM as usize;
        }
        sync_cube();
    }
    if comptime!(net.maps) {
        map(&mut x, &mut stream, theta, maps as usize + comptime!(dim * dim + dim), dim);
    }

    let mut i = unit;
    while i < dim {
        let value = x[i];
        #[unroll]
        for r in 0..ROWS {
            if first_row + r < n {
                output[(first_row + r) * dim + i] = value[r];
            }
        }
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
        let mut sum = Rows::new(theta[start + comptime!(dim * dim) + i]);
        for j in 0..dim {
            sum += Rows::new(theta[start + j * dim + i]) * x[j];
        }
        result[i] = sum;
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

/// x · sigmoid(α·x)
#[cube]
fn swish(x: Rows, alpha: f32) -> Rows {
    x / (Rows::new(1.0) + Exp::exp(-x * Rows::new(alpha)))
}
