//! One half-step back: a coupling is undone, and it and its two nets are differentiated. A workgroup takes a few groups
//! of rows through it; the terms of the weights' gradients go to global memory.

use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;

use super::net::{Net, ROWS, Rows, item_at, load, minus, product, share, sigmoid, squash, store, swish};

/// What the kernel is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Half {
    /// The coupling's nets.
    pub net: Net,
    /// Groups of rows that a workgroup takes, a power of two.
    pub groups: usize,
    /// Whether the weights' gradients are wanted.
    pub want_theta: bool,
}

/// Where a workgroup's numbers are.
#[derive(CubeType, Clone, Copy)]
struct Place {
    /// Nets of the bijector.
    nets: usize,
    /// The layer's net for s; the one for t follows.
    net_s: usize,
    /// First column of the half that the nets see.
    this: usize,
    /// First column of the half that changes.
    other: usize,
    /// Its first group in `kept` and `sums`.
    group: usize,
    /// Its first row.
    row: usize,
    /// Number of rows.
    n: usize,
}

/// Half-step `at`: 2·layer, or 2·layer + 1 where the second half changes the first. The first workgroup begins with
/// group `first`.
///
/// # Shapes
/// - x: the rows after the half-step, `[n · dim]`, replaced by those before it
/// - d: their gradients, `[n · dim]`, replaced likewise, then those of the log-determinants, `[n]`
/// - theta: all weights as [`crate::shape::BijectorShape`] orders them; transposed: the same, each matrix transposed
/// - kept: for each group `[2 · net.kept()]`: each net's inputs of the linears, after the swish, and the gradients of
///   their outputs
/// - sums: for each group `[2 · net.sums()]`: each net's gradients of slopes and biases, and then of scales
#[cube(launch)]
pub fn half_step(
    x: &mut Array<f32>,
    d: &mut Array<f32>,
    theta: &Array<f32>,
    transposed: &Array<f32>,
    kept: &mut Array<Rows>,
    sums: &mut Array<f32>,
    n: u32,
    layers: u32,
    at: u32,
    first: u32,
    inverse: u32,
    #[comptime] of: Half,
) {
    let half = comptime!(of.net.half());
    let dim = comptime!(of.net.dim);
    let groups = comptime!(of.groups);
    let this = (at % 2) as usize * half;
    let place = Place {
        nets: 2 * layers as usize,
        net_s: (at / 2 * 2) as usize,
        this,
        other: half - this,
        group: CUBE_POS * groups,
        row: (first as usize + CUBE_POS * groups) * ROWS,
        n: n as usize,
    };

    // First s, then t, as everywhere here; each number for all groups.
    let mut stream = SharedMemory::<Rows>::new(comptime!(2 * of.net.dim * of.groups));
    let mut even = SharedMemory::<Rows>::new(comptime!(2 * of.net.width() * of.groups));
    let mut odd = SharedMemory::<Rows>::new(comptime!(2 * of.net.width() * of.groups));

    let share = comptime!(share(half, groups));
    let mut number = UNIT_POS as usize;
    while number < comptime!(2 * half * groups / share) {
        let item = item_at(number, half, share);
        let alpha = theta[(place.net_s + item.which) * dim + place.this + item.i];
        #[unroll]
        for p in 0..share {
            let group = item.group + p;
            let value = load(x, place.row + group * ROWS, place.n, place.this + item.i, dim);
            stream[(item.which * dim + place.this + item.i) * groups + group] = value;
            stream[(item.which * dim + place.other + item.i) * groups + group] = Rows::new(0.0);
            kept[kept_at(&place, group, item.which, of) + item.i] = value;
            even[(item.which * half + item.i) * groups + group] = swish(value, alpha);
        }
        number += CUBE_DIM as usize;
    }
    sync_cube();

    #[unroll]
    for l in 0..comptime!(of.net.linears()) {
        if comptime!(l % 2 == 0) {
            forward(&even, &mut odd, &mut stream, kept, theta, &place, l, of);
        } else {
            forward(&odd, &mut even, &mut stream, kept, theta, &place, l, of);
        }
        sync_cube();
    }

    let inverse = inverse == 1;
    if comptime!(of.net.linears().is_multiple_of(2)) {
        coupling(&even, &mut odd, &mut stream, x, d, kept, sums, theta, &place, inverse, of);
    } else {
        coupling(&odd, &mut even, &mut stream, x, d, kept, sums, theta, &place, inverse, of);
    }
    sync_cube();

    #[unroll]
    for back in 0..comptime!(of.net.linears()) {
        let l = comptime!(of.net.linears() - 1 - back);
        if comptime!(l % 2 == 0) {
            backward(&even, &mut odd, &mut stream, kept, sums, theta, transposed, &place, l, of);
        } else {
            backward(&odd, &mut even, &mut stream, kept, sums, theta, transposed, &place, l, of);
        }
        sync_cube();
    }

    let mut number = UNIT_POS as usize;
    while number < comptime!(half * groups) {
        let group = number / half;
        let i = number % half;
        let row = place.row + group * ROWS;
        let grad =
            load(d, row, place.n, place.this + i, dim) + odd[i * groups + group] + odd[(half + i) * groups + group];
        store(d, row, place.n, place.this + i, grad, dim);
        number += CUBE_DIM as usize;
    }
}

/// Start of a net's numbers in `kept`.
#[cube]
fn kept_at(place: &Place, group: usize, which: usize, #[comptime] of: Half) -> usize {
    (2 * (place.group + group) + which) * comptime!(of.net.kept())
}

/// Start of a net's numbers in `sums`.
#[cube]
fn sums_at(place: &Place, group: usize, which: usize, #[comptime] of: Half) -> usize {
    (2 * (place.group + group) + which) * comptime!(of.net.sums())
}

/// Linear l of both nets: from its inputs after the swish to the next one's, or to the nets' outputs before the scale.
#[cube]
fn forward(
    input: &SharedMemory<Rows>,
    output: &mut SharedMemory<Rows>,
    stream: &mut SharedMemory<Rows>,
    kept: &mut Array<Rows>,
    theta: &Array<f32>,
    place: &Place,
    #[comptime] l: usize,
    #[comptime] of: Half,
) {
    let net = comptime!(of.net);
    let groups = comptime!(of.groups);
    let inputs = comptime!(net.inputs(l));
    let outputs = comptime!(net.outputs(l));
    let stride = comptime!(net.stored_outputs(l));
    let weight = place.nets * comptime!(net.before(l) + net.stored_inputs(l));
    let bias = weight + place.nets * comptime!(net.matrix(l));
    let mut from = 0;
    if comptime!(l == 0) {
        from += place.this;
    }
    let mut to = 0;
    if comptime!(net.ends(l)) {
        to += place.other;
    }
    let share = comptime!(share(outputs, groups));
    let mut number = UNIT_POS as usize;
    while number < comptime!(2 * outputs * groups / share) {
        let item = item_at(number, outputs, share);
        let o = to + item.i;
        let net_o = (place.net_s + item.which) * stride + o;
        let column = weight + (place.net_s + item.which) * comptime!(net.matrix(l)) + from * stride + o;
        let start = Rows::new(theta[bias + net_o]);
        let mut sums = Array::<Rows>::new(share);
        #[unroll]
        for p in 0..share {
            sums[p] = start;
        }
        product(&mut sums, theta, column, input, item.which * inputs, item.group, inputs, stride, groups, share);
        #[unroll]
        for p in 0..share {
            let group = item.group + p;
            let mut value = sums[p];
            if comptime!(net.leaves(l)) {
                let skip = (item.which * comptime!(net.dim) + o) * groups + group;
                value = (stream[skip] + value) * Rows::new(core::f32::consts::FRAC_1_SQRT_2);
                stream[skip] = value;
            }
            let at = (item.which * outputs + item.i) * groups + group;
            if comptime!(net.ends(l)) {
                output[at] = value;
            } else {
                // The same invocation reads it on the way back.
                kept[kept_at(place, group, item.which, of) + comptime!(net.place(l + 1)) + item.i] = value;
                output[at] = swish(value, theta[place.nets * comptime!(net.before(l + 1)) + net_o]);
            }
        }
        number += CUBE_DIM as usize;
    }
}

/// Undoes the coupling, and gives the gradients of the last linear's outputs.
#[cube]
fn coupling(
    outputs: &SharedMemory<Rows>,
    grads: &mut SharedMemory<Rows>,
    stream: &mut SharedMemory<Rows>,
    x: &mut Array<f32>,
    d: &mut Array<f32>,
    kept: &mut Array<Rows>,
    sums: &mut Array<f32>,
    theta: &Array<f32>,
    place: &Place,
    inverse: bool,
    #[comptime] of: Half,
) {
    let net = comptime!(of.net);
    let groups = comptime!(of.groups);
    let half = comptime!(net.half());
    let dim = comptime!(net.dim);
    let mut number = UNIT_POS as usize;
    while number < comptime!(half * groups) {
        let group = number / half;
        let i = number % half;
        let row = place.row + group * ROWS;
        let column = place.other + i;
        let scale = place.nets * comptime!(net.before(net.linears())) + place.net_s * dim + column;
        let scale_s = Rows::new(theta[scale]);
        let scale_t = Rows::new(theta[scale + dim]);
        let raw_s = outputs[i * groups + group];
        let raw_t = outputs[(half + i) * groups + group];
        let s = squash(raw_s * scale_s);
        let t = raw_t * scale_t;
        let after = load(x, row, place.n, column, dim);
        let grad = load(d, row, place.n, column, dim);
        let log_det = load(d, place.n * dim + row, place.n * dim + place.n, 0usize, 1usize);
        let grow = Exp::exp(s);
        let shrink = Exp::exp(minus(s));
        let before = select(inverse, after * grow + t, (after - t) * shrink);
        let d_before = grad * select(inverse, shrink, grow);
        let d_t = select(inverse, minus(d_before), grad);
        let d_s =
            select(inverse, minus(grad * after) - log_det, grad * (after - t) + log_det) * (Rows::new(1.0) - s * s);
        store(x, row, place.n, column, before, dim);
        store(d, row, place.n, column, d_before, dim);
        if comptime!(of.want_theta) {
            let at = comptime!(net.kept()) + i;
            sums[sums_at(place, group, 0usize, of) + at] = add_up(d_s * raw_s);
            sums[sums_at(place, group, 1usize, of) + at] = add_up(d_t * raw_t);
        }
        // The last block's output is (stream + outputs)/√2.
        let factor = Rows::new(core::f32::consts::FRAC_1_SQRT_2);
        let d_s = d_s * scale_s * factor;
        let d_t = d_t * scale_t * factor;
        let l = comptime!(net.linears());
        deliver(d_s, group, 0usize, i, grads, kept, sums, place, l, of);
        deliver(d_t, group, 1usize, i, grads, kept, sums, place, l, of);
        stream[column * groups + group] = d_s;
        stream[(dim + column) * groups + group] = d_t;
        stream[(place.this + i) * groups + group] = Rows::new(0.0);
        stream[(dim + place.this + i) * groups + group] = Rows::new(0.0);
        number += CUBE_DIM as usize;
    }
}

/// Linear l of both nets: from the gradients of its outputs to those of the previous one's, or of what the nets see.
#[cube]
fn backward(
    grads: &SharedMemory<Rows>,
    next: &mut SharedMemory<Rows>,
    stream: &mut SharedMemory<Rows>,
    kept: &mut Array<Rows>,
    sums: &mut Array<f32>,
    theta: &Array<f32>,
    transposed: &Array<f32>,
    place: &Place,
    #[comptime] l: usize,
    #[comptime] of: Half,
) {
    let net = comptime!(of.net);
    let groups = comptime!(of.groups);
    let inputs = comptime!(net.inputs(l));
    let outputs = comptime!(net.outputs(l));
    let stride = comptime!(net.stored_inputs(l));
    let slopes = place.nets * comptime!(net.before(l));
    let weight = slopes + place.nets * stride;
    let mut from = 0;
    if comptime!(l == 0) {
        from += place.this;
    }
    let mut to = 0;
    if comptime!(net.ends(l)) {
        to += place.other;
    }
    let share = comptime!(share(inputs, groups));
    let mut number = UNIT_POS as usize;
    while number < comptime!(2 * inputs * groups / share) {
        let item = item_at(number, inputs, share);
        let column = from + item.i;
        let alpha = theta[slopes + (place.net_s + item.which) * stride + column];
        let start = weight + (place.net_s + item.which) * comptime!(net.matrix(l)) + to * stride + column;
        let mut d_acts = Array::<Rows>::new(share);
        #[unroll]
        for p in 0..share {
            d_acts[p] = Rows::new(0.0);
        }
        let of_net = item.which * outputs;
        product(&mut d_acts, transposed, start, grads, of_net, item.group, outputs, stride, groups, share);
        #[unroll]
        for p in 0..share {
            let group = item.group + p;
            let d_act = d_acts[p];
            let at = kept_at(place, group, item.which, of) + comptime!(net.place(l)) + item.i;
            let input = kept[at];
            let sigma = sigmoid(input, alpha);
            let act = input * sigma;
            let bend = act * (Rows::new(1.0) - sigma);
            if comptime!(of.want_theta) {
                kept[at] = act;
                sums[sums_at(place, group, item.which, of) + comptime!(net.place(l)) + item.i] =
                    add_up(d_act * input * bend);
            }
            let mut grad = d_act * (sigma + Rows::new(alpha) * bend);
            if comptime!(net.enters(l)) {
                let skip = (item.which * comptime!(net.dim) + column) * groups + group;
                grad += stream[skip];
                if comptime!(l > 0) {
                    grad *= Rows::new(core::f32::consts::FRAC_1_SQRT_2);
                    stream[skip] = grad;
                }
            }
            if comptime!(l > 0) {
                deliver(grad, group, item.which, item.i, next, kept, sums, place, l, of);
            } else {
                next[(item.which * inputs + item.i) * groups + group] = grad;
            }
        }
        number += CUBE_DIM as usize;
    }
}

/// Stores the gradient of output i of the linear before l where it is needed.
#[cube]
fn deliver(
    grad: Rows,
    group: usize,
    which: usize,
    i: usize,
    grads: &mut SharedMemory<Rows>,
    kept: &mut Array<Rows>,
    sums: &mut Array<f32>,
    place: &Place,
    #[comptime] l: usize,
    #[comptime] of: Half,
) {
    let outputs = comptime!(of.net.outputs(l - 1));
    grads[(which * outputs + i) * comptime!(of.groups) + group] = grad;
    if comptime!(of.want_theta) {
        let at = comptime!(of.net.place(l) - outputs) + i;
        kept[kept_at(place, group, which, of) + at] = grad;
        // Each row adds the bias once.
        sums[sums_at(place, group, which, of) + at] = add_up(grad);
    }
}

/// The sum over a group's rows.
#[cube]
fn add_up(rows: Rows) -> f32 {
    let mut sum = rows[0];
    #[unroll]
    for r in 1..ROWS {
        sum += rows[r];
    }
    sum
}
