//! One half-step back: a coupling is undone and differentiated, and so are its two nets. A workgroup takes a group of
//! rows through it; what the weights' gradients are summed from goes to global memory.

use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;

use super::net::{Net, ROWS, Rows, load, product, sigmoid, squash, store, swish};

/// Where a workgroup's numbers stand.
#[derive(CubeType, Clone, Copy)]
struct Place {
    /// Nets of the bijector.
    nets: usize,
    /// The layer's net for s; that for t follows.
    net_s: usize,
    /// First column of the half that the nets see.
    this: usize,
    /// First column of the half that changes.
    other: usize,
    /// Start of the group's part of `kept`.
    kept: usize,
    /// Start of the group's part of `sums`.
    sums: usize,
}

/// Half-step `at`, 2·layer, and one more where the second half changes the first; workgroups count from the group of
/// rows `first` on.
///
/// # Shapes
/// - x: the rows after the half-step, `[n · dim]`, replaced by those before it
/// - d: their gradients, `[n · dim]`, replaced likewise, then those of the log-determinants, `[n]`
/// - theta: all weights as [`crate::nn::BijectorShape`] orders them; transposed: the same, each matrix transposed
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
    #[comptime] net: Net,
    #[comptime] want_theta: bool,
) {
    let half = comptime!(net.half());
    let n = n as usize;
    let this = (at % 2) as usize * half;
    let place = Place {
        nets: 2 * layers as usize,
        net_s: (at / 2 * 2) as usize,
        this,
        other: half - this,
        kept: CUBE_POS * comptime!(2 * net.kept()),
        sums: CUBE_POS * comptime!(2 * net.sums()),
    };
    let row = (first as usize + CUBE_POS) * ROWS;

    // Of s and of t, one after the other, as everything here.
    let mut stream = SharedMemory::<Rows>::new(comptime!(2 * net.dim));
    let mut even = SharedMemory::<Rows>::new(comptime!(2 * net.width()));
    let mut odd = SharedMemory::<Rows>::new(comptime!(2 * net.width()));

    let mut item = UNIT_POS as usize;
    while item < comptime!(2 * half) {
        let which = item / half;
        let i = item % half;
        let value = load(x, row, n, place.this + i, net.dim);
        stream[which * comptime!(net.dim) + place.this + i] = value;
        stream[which * comptime!(net.dim) + place.other + i] = Rows::new(0.0);
        kept[place.kept + which * comptime!(net.kept()) + i] = value;
        even[item] = swish(value, theta[(place.net_s + which) * comptime!(net.dim) + place.this + i]);
        item += CUBE_DIM as usize;
    }
    sync_cube();

    #[unroll]
    for l in 0..comptime!(net.linears()) {
        if comptime!(l % 2 == 0) {
            forward(&even, &mut odd, &mut stream, kept, theta, &place, l, net);
        } else {
            forward(&odd, &mut even, &mut stream, kept, theta, &place, l, net);
        }
        sync_cube();
    }

    if comptime!(net.linears() % 2 == 0) {
        coupling(&even, &mut odd, &mut stream, x, d, kept, sums, theta, &place, row, n, inverse, net, want_theta);
    } else {
        coupling(&odd, &mut even, &mut stream, x, d, kept, sums, theta, &place, row, n, inverse, net, want_theta);
    }
    sync_cube();

    #[unroll]
    for back in 0..comptime!(net.linears()) {
        let l = comptime!(net.linears() - 1 - back);
        // The outputs' gradients stand where the outputs of the forward direction do not: one after the other again.
        if comptime!(l % 2 == 0) {
            backward(&even, &mut odd, &mut stream, kept, sums, theta, transposed, &place, l, net, want_theta);
        } else {
            backward(&odd, &mut even, &mut stream, kept, sums, theta, transposed, &place, l, net, want_theta);
        }
        sync_cube();
    }

    let mut i = UNIT_POS as usize;
    while i < half {
        let column = place.this + i;
        let grad = load(d, row, n, column, net.dim) + odd[i] + odd[half + i];
        store(d, row, n, column, grad, net.dim);
        i += CUBE_DIM as usize;
    }
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
    #[comptime] net: Net,
) {
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
    let mut item = UNIT_POS as usize;
    while item < comptime!(2 * outputs) {
        let which = item / outputs;
        let i = item % outputs;
        let o = to + i;
        let net_o = (place.net_s + which) * stride + o;
        let column = weight + (place.net_s + which) * comptime!(net.matrix(l)) + from * stride + o;
        let mut value = product(Rows::new(theta[bias + net_o]), theta, column, input, which * inputs, inputs, stride);
        if comptime!(net.leaves(l)) {
            let skip = which * comptime!(net.dim) + o;
            value = (stream[skip] + value) * Rows::new(core::f32::consts::FRAC_1_SQRT_2);
            stream[skip] = value;
        }
        if comptime!(net.ends(l)) {
            output[item] = value;
        } else {
            // Read by the same invocation on the way back.
            kept[place.kept + which * comptime!(net.kept()) + comptime!(net.place(l + 1)) + i] = value;
            output[item] = swish(value, theta[place.nets * comptime!(net.before(l + 1)) + net_o]);
        }
        item += CUBE_DIM as usize;
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
    row: usize,
    n: usize,
    inverse: u32,
    #[comptime] net: Net,
    #[comptime] want_theta: bool,
) {
    let half = comptime!(net.half());
    let dim = comptime!(net.dim);
    let mut i = UNIT_POS as usize;
    while i < half {
        let column = place.other + i;
        let scale = place.nets * comptime!(net.before(net.linears())) + place.net_s * dim + column;
        let scale_s = Rows::new(theta[scale]);
        let scale_t = Rows::new(theta[scale + dim]);
        let raw_s = outputs[i];
        let raw_t = outputs[half + i];
        let s = squash(raw_s * scale_s);
        let t = raw_t * scale_t;
        let after = load(x, row, n, column, dim);
        let grad = load(d, row, n, column, dim);
        let log_det = load(d, n * dim + row, n * dim + n, 0usize, 1usize);
        let backwards = inverse == 1;
        let grow = Exp::exp(s);
        let shrink = Exp::exp(-s);
        let before = select(backwards, after * grow + t, (after - t) * shrink);
        let d_before = grad * select(backwards, shrink, grow);
        let d_t = select(backwards, -d_before, grad);
        let d_s = select(backwards, -grad * after - log_det, grad * (after - t) + log_det) * (Rows::new(1.0) - s * s);
        store(x, row, n, column, before, dim);
        store(d, row, n, column, d_before, dim);
        if comptime!(want_theta) {
            let at = place.sums + comptime!(net.kept()) + i;
            sums[at] = add_up(d_s * raw_s);
            sums[at + comptime!(net.sums())] = add_up(d_t * raw_t);
        }
        // The last block's output is (stream + outputs)/√2.
        let factor = Rows::new(core::f32::consts::FRAC_1_SQRT_2);
        let l = comptime!(net.linears());
        deliver(d_s * scale_s * factor, 0usize, i, grads, kept, sums, place, l, net, want_theta);
        deliver(d_t * scale_t * factor, 1usize, i, grads, kept, sums, place, l, net, want_theta);
        stream[column] = grads[i];
        stream[dim + column] = grads[half + i];
        stream[place.this + i] = Rows::new(0.0);
        stream[dim + place.this + i] = Rows::new(0.0);
        i += CUBE_DIM as usize;
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
    #[comptime] net: Net,
    #[comptime] want_theta: bool,
) {
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
    let mut item = UNIT_POS as usize;
    while item < comptime!(2 * inputs) {
        let which = item / inputs;
        let i = item % inputs;
        let net_i = (place.net_s + which) * stride + from + i;
        let column = weight + (place.net_s + which) * comptime!(net.matrix(l)) + to * stride + from + i;
        let d_act = product(Rows::new(0.0), transposed, column, grads, which * outputs, outputs, stride);
        let at = place.kept + which * comptime!(net.kept()) + comptime!(net.place(l)) + i;
        let input = kept[at];
        let alpha = theta[slopes + net_i];
        let sigma = sigmoid(input, alpha);
        let act = input * sigma;
        let bend = act * (Rows::new(1.0) - sigma);
        if comptime!(want_theta) {
            kept[at] = act;
            sums[place.sums + which * comptime!(net.sums()) + comptime!(net.place(l)) + i] =
                add_up(d_act * input * bend);
        }
        let mut grad = d_act * (sigma + Rows::new(alpha) * bend);
        if comptime!(net.enters(l)) {
            let skip = which * comptime!(net.dim) + from + i;
            grad += stream[skip];
            if comptime!(l > 0) {
                grad *= Rows::new(core::f32::consts::FRAC_1_SQRT_2);
                stream[skip] = grad;
            }
        }
        if comptime!(l > 0) {
            deliver(grad, which, i, next, kept, sums, place, l, net, want_theta);
        } else {
            next[item] = grad;
        }
        item += CUBE_DIM as usize;
    }
}

/// The gradient of output i of the linear before l, to where it is needed.
#[cube]
fn deliver(
    grad: Rows,
    which: usize,
    i: usize,
    grads: &mut SharedMemory<Rows>,
    kept: &mut Array<Rows>,
    sums: &mut Array<f32>,
    place: &Place,
    #[comptime] l: usize,
    #[comptime] net: Net,
    #[comptime] want_theta: bool,
) {
    let outputs = comptime!(net.outputs(l - 1));
    grads[which * outputs + i] = grad;
    if comptime!(want_theta) {
        let at = comptime!(net.place(l) - outputs) + i;
        kept[place.kept + which * comptime!(net.kept()) + at] = grad;
        // The bias takes part in each row once.
        sums[place.sums + which * comptime!(net.sums()) + at] = add_up(grad);
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
