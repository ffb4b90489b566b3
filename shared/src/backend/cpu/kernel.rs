//! The bijector on many rows: tiles in parallel, each through all coupling layers.

use super::affine::{affine, affine_grad, finish};
use super::elementwise::{add, add_rows, scale_grad};
use super::net::{Half, Pass, Scratch, Weights};
use super::strip::{Lane, Lanes, NARROW, WIDE, gather, scatter};
use crate::shape::{BijectorShape, Direction};
use crate::threads::{each, map_each, threads};
use burn::tensor::{Bytes, DType, Shape};
use burn_flex::{FlexTensor, Layout};

/// Rows that go through a layer together: enough to load weights rarely and to sum across a vector rarely, which ends
/// each weight's gradient; few enough to stay in the cache.
const TILE: usize = 4 * WIDE;

/// A thread's share of `rows`, in whole vectors.
fn share(rows: usize) -> usize {
    rows.div_ceil(threads()).next_multiple_of(NARROW).max(NARROW)
}

/// A tile's rows, such that all threads have the same number of tiles.
fn tile(rows: usize) -> usize {
    let share = share(rows);
    let tile = share.div_ceil(share.div_ceil(TILE));
    if tile > WIDE { tile.next_multiple_of(WIDE) } else { tile }
}

/// How many of `rows` go into wide strips, the last of which may be partly filled; the rest go into narrow ones.
fn wide(rows: usize) -> usize {
    let rest = rows % WIDE;
    if 2 * rest > WIDE { rows } else { rows - rest }
}

/// The half-steps in the order of a direction: layer, and the half that conditions the other.
fn steps(layers: usize, direction: Direction) -> Vec<(usize, Half)> {
    let mut steps: Vec<_> = (0..layers).flat_map(|layer| [(layer, Half::First), (layer, Half::Second)]).collect();
    if direction == Direction::Inverse {
        steps.reverse();
    }
    steps
}

/// Memory that all half-steps reuse.
struct Work<const N: usize> {
    /// Of the nets s and t.
    passes: [Pass<N>; 2],
    scratch: Scratch<N>,
}

impl<const N: usize> Work<N> {
    fn new(shape: &BijectorShape, strips: usize, keep: bool) -> Self {
        let pass = || Pass::new(shape, strips, keep);
        Self { passes: [pass(), pass()], scratch: Scratch::new(shape, strips) }
    }

    /// Runs both nets of a layer; returns their outputs, unscaled.
    fn nets(&mut self, weights: &Weights, layer: usize, from: Half, x: &[Lane<N>]) -> [&mut [Lane<N>]; 2] {
        for (net, pass) in self.passes.iter_mut().enumerate() {
            weights.forward(2 * layer + net, from, x, pass, &mut self.scratch);
        }
        self.passes.each_mut().map(|pass| pass.output(x.len()))
    }
}

/// The two halves of rows.
fn halves<const N: usize>(rows: &[f32], half: usize) -> [Lanes<N>; 2] {
    [Half::First, Half::Second].map(|h| gather(rows, 2 * half, h.range(half)))
}

/// The inverse of [`halves`].
fn join<const N: usize>(halves: &[Lanes<N>; 2], rows: &mut [f32], half: usize) {
    for (h, lanes) in [Half::First, Half::Second].into_iter().zip(halves) {
        scatter(lanes, rows, 2 * half, h.range(half));
    }
}

/// See [`crate::backend::Kernels::bijector`].
pub fn run(shape: &BijectorShape, direction: Direction, rows: &FlexTensor, theta: &FlexTensor) -> FlexTensor {
    let dim = shape.dim;
    let n = rows.layout().shape()[0];
    let weights = Weights::new(shape, theta.storage());
    let mut output = vec![0.0; n * dim + n];
    let (out_rows, out_log_det) = output.split_at_mut(n * dim);
    let tile = tile(n);
    let input: &[f32] = rows.storage();
    let tiles = out_rows.chunks_mut(tile * dim).zip(out_log_det.chunks_mut(tile)).zip(input.chunks(tile * dim));
    each(tiles.collect(), |((out_rows, out_log_det), rows)| {
        let wide = wide(out_log_det.len());
        let (wide_rows, narrow_rows) = rows.split_at(wide * dim);
        let (wide_out, narrow_out) = out_rows.split_at_mut(wide * dim);
        let (wide_log_det, narrow_log_det) = out_log_det.split_at_mut(wide);
        run_tile::<WIDE>(&weights, direction, wide_rows, wide_out, wide_log_det);
        run_tile::<NARROW>(&weights, direction, narrow_rows, narrow_out, narrow_log_det);
    });
    tensor(output, [n * dim + n])
}

fn run_tile<const N: usize>(
    weights: &Weights,
    direction: Direction,
    rows: &[f32],
    out_rows: &mut [f32],
    out_log_det: &mut [f32],
) {
    let half = weights.shape.half();
    let strips = out_log_det.len().div_ceil(N);
    if strips == 0 {
        return;
    }
    let mut values = halves::<N>(rows, half);
    let mut log_det = vec![Lane::ZERO; strips];
    let mut work = Work::new(&weights.shape, strips, false);
    let (forward, sign) = match direction {
        Direction::Forward => (true, 1.0),
        Direction::Inverse => (false, -1.0),
    };
    for (layer, from) in steps(weights.shape.level.layers, direction) {
        let [s, t] = work.nets(weights, layer, from, &values[from as usize]);
        finish(s, t, weights.scales(layer, from.other()));
        affine(&mut values[from.other() as usize], s, t, forward);
        add_rows(&mut log_det, s, sign);
    }
    join(&values, out_rows, half);
    scatter(&log_det, out_log_det, 1, 0..1);
}

/// See [`crate::backend::DifferentiableKernels::bijector_grad`].
pub fn grad(
    shape: &BijectorShape,
    direction: Direction,
    output: &FlexTensor,
    theta: &FlexTensor,
    grad: &FlexTensor,
    want_theta: bool,
) -> (FlexTensor, Option<FlexTensor>) {
    let dim = shape.dim;
    let n = output.layout().shape()[0] / (dim + 1);
    let weights = Weights::new(shape, theta.storage());
    let mut d_rows = vec![0.0; n * dim];
    let (rows, _) = output.storage::<f32>().split_at(n * dim);
    let (grad_rows, grad_log_det) = grad.storage::<f32>().split_at(n * dim);
    // Each thread has one share of the rows and its own sums over them: the same sums in the same order every time.
    let share = share(n);
    let shares = d_rows
        .chunks_mut(share * dim)
        .zip(rows.chunks(share * dim))
        .zip(grad_rows.chunks(share * dim).zip(grad_log_det.chunks(share)));
    let sums = map_each(shares.collect(), |((d_rows, rows), (grad, log_det))| {
        let mut d_theta = want_theta.then(|| vec![0.0; shape.len()]);
        let wide = wide(log_det.len());
        let (wide_d_rows, narrow_d_rows) = d_rows.split_at_mut(wide * dim);
        let (wide_rows, narrow_rows) = rows.split_at(wide * dim);
        let (wide_grad, narrow_grad) = grad.split_at(wide * dim);
        let (wide_log_det, narrow_log_det) = log_det.split_at(wide);
        let inputs = [wide_rows, wide_grad, wide_log_det];
        share_grad::<WIDE>(&weights, direction, inputs, wide_d_rows, d_theta.as_deref_mut());
        let inputs = [narrow_rows, narrow_grad, narrow_log_det];
        share_grad::<NARROW>(&weights, direction, inputs, narrow_d_rows, d_theta.as_deref_mut());
        d_theta
    });
    let d_theta = sums.into_iter().flatten().reduce(|mut sum, next| {
        sum.iter_mut().zip(&next).for_each(|(sum, x)| *sum += x);
        sum
    });
    let d_theta = d_theta.map(|d| {
        let len = d.len();
        tensor(d, [len])
    });
    (tensor(d_rows, [n, dim]), d_theta)
}

/// One share, tile by tile, adding the weights' gradients to the same sums.
fn share_grad<const N: usize>(
    weights: &Weights,
    direction: Direction,
    [rows, grad, grad_log_det]: [&[f32]; 3],
    d_rows: &mut [f32],
    mut d_theta: Option<&mut [f32]>,
) {
    let dim = weights.shape.dim;
    let strips = grad_log_det.len().div_ceil(N).min(TILE / N);
    if strips == 0 {
        return;
    }
    let mut work = Work::new(&weights.shape, strips, true);
    let tile = strips * N;
    let inputs = rows.chunks(tile * dim).zip(grad.chunks(tile * dim)).zip(grad_log_det.chunks(tile));
    for (d_rows, ((rows, grad), log_det)) in d_rows.chunks_mut(tile * dim).zip(inputs) {
        tile_grad::<N>(weights, direction, [rows, grad, log_det], d_rows, d_theta.as_deref_mut(), &mut work);
    }
}

/// Walks one tile back through the layers, undoing each half-step before differentiating it.
fn tile_grad<const N: usize>(
    weights: &Weights,
    direction: Direction,
    [rows, grad, grad_log_det]: [&[f32]; 3],
    d_rows: &mut [f32],
    mut d_theta: Option<&mut [f32]>,
    work: &mut Work<N>,
) {
    let half = weights.shape.half();
    let (mut values, mut d) = (halves::<N>(rows, half), halves::<N>(grad, half));
    let d_log_det = gather::<N>(grad_log_det, 1, 0..1);
    let forward = direction == Direction::Forward;
    for &(layer, from) in steps(weights.shape.level.layers, direction).iter().rev() {
        let to = from.other();
        let [mut s, mut t] = work.nets(weights, layer, from, &values[from as usize]).map(|raw| raw.to_vec());
        finish(&mut s, &mut t, weights.scales(layer, to));
        let after = values[to as usize].clone();
        affine(&mut values[to as usize], &s, &t, !forward);
        let before = &values[to as usize];
        affine_grad([before, &after, &d_log_det], [&mut d[to as usize], &mut s, &mut t], forward);
        for (net, (pass, mut d_out)) in work.passes.iter_mut().zip([s, t]).enumerate() {
            let range = weights.scale(2 * layer + net, to);
            let d_scale = d_theta.as_deref_mut().map(|d| &mut d[range.clone()]);
            scale_grad(pass.output(d_out.len()), &weights.theta[range], &mut d_out, d_scale);
            let d_x = weights.backward(2 * layer + net, from, pass, &d_out, &mut work.scratch, d_theta.as_deref_mut());
            add(&mut d[from as usize], d_x);
        }
    }
    join(&d, d_rows, half);
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(values), Layout::contiguous(Shape::new(shape)), DType::F32)
}
