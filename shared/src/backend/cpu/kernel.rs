//! The bijector on many rows: tiles in parallel, each through all coupling layers.

use super::elementwise::{affine, affine_grad, scale_grad};
use super::net::{Half, Kept, Weights};
use super::threads::{each, map_each, threads};
use crate::backend::Direction;
use crate::nn::BijectorShape;
use burn::tensor::{Bytes, DType, Shape};
use burn_flex::{FlexTensor, Layout};

/// Rows of a tile: enough for gemm to run at speed, few enough for a tile's activations to stay in the cache.
const TILE_ROWS: usize = 64;

/// Rows of the tiles into which `rows` are cut: every thread gets some, none gets a sliver.
fn tile_rows(rows: usize) -> usize {
    rows.div_ceil(threads()).clamp(1, TILE_ROWS)
}

/// One tile on its way through the layers.
struct Rows {
    halves: [Vec<f32>; 2],
    log_det: Vec<f32>,
}

impl Rows {
    /// Splits rows of 2·half numbers.
    fn split(rows: &[f32], log_det: &[f32], half: usize) -> Self {
        let part = |range: std::ops::Range<usize>| {
            rows.chunks_exact(2 * half).flat_map(|row| &row[range.clone()]).copied().collect()
        };
        Self { halves: [part(0..half), part(half..2 * half)], log_det: log_det.to_vec() }
    }

    fn join(&self, rows: &mut [f32], half: usize) {
        let halves = self.halves[0].chunks_exact(half).zip(self.halves[1].chunks_exact(half));
        for (row, (first, second)) in rows.chunks_exact_mut(2 * half).zip(halves) {
            row[..half].copy_from_slice(first);
            row[half..].copy_from_slice(second);
        }
    }

    fn of(&self, half: Half) -> &[f32] {
        &self.halves[half as usize]
    }
}

/// The half-steps in the order of a direction: layer, and the half that conditions the other.
fn steps(layers: usize, direction: Direction) -> Vec<(usize, Half)> {
    let mut steps: Vec<_> = (0..layers).flat_map(|layer| [(layer, Half::First), (layer, Half::Second)]).collect();
    if direction == Direction::Inverse {
        steps.reverse();
    }
    steps
}

/// See [`crate::backend::Kernels::bijector`].
pub fn run(shape: &BijectorShape, direction: Direction, rows: &FlexTensor, theta: FlexTensor) -> FlexTensor {
    let (dim, half) = (shape.dim, shape.half());
    let n = rows.layout().shape()[0];
    let weights = Weights::new(shape, theta);
    let steps = steps(shape.level.layers, direction);
    let mut output = vec![0.0; n * dim + n];
    let (out_rows, out_log_det) = output.split_at_mut(n * dim);
    let tile = tile_rows(n);
    let input: &[f32] = rows.storage();
    let tiles = out_rows.chunks_mut(tile * dim).zip(out_log_det.chunks_mut(tile)).zip(input.chunks(tile * dim));
    each(tiles.collect(), |((out_rows, out_log_det), rows)| {
        let mut rows = Rows::split(rows, out_log_det, half);
        for &(layer, from) in &steps {
            let [mut s, mut t] = [0, 1].map(|net| weights.forward(2 * layer + net, from, rows.of(from), None));
            let [scale_s, scale_t] = [0, 1].map(|net| weights.values(weights.scale(2 * layer + net, from.other())));
            let value = &mut rows.halves[from.other() as usize];
            let forward = direction == Direction::Forward;
            affine(value, s.values_mut(), t.values_mut(), scale_s, scale_t, Some(&mut rows.log_det), forward);
        }
        rows.join(out_rows, half);
        out_log_det.copy_from_slice(&rows.log_det);
    });
    tensor(output, [n * dim + n])
}

/// See [`crate::backend::DifferentiableKernels::bijector_grad`].
pub fn grad(
    shape: &BijectorShape,
    direction: Direction,
    output: &FlexTensor,
    theta: FlexTensor,
    grad: &FlexTensor,
    want_theta: bool,
) -> (FlexTensor, Option<FlexTensor>) {
    let dim = shape.dim;
    let n = output.layout().shape()[0] / (dim + 1);
    let weights = Weights::new(shape, theta);
    let mut d_rows = vec![0.0; n * dim];
    let (rows, _) = output.storage::<f32>().split_at(n * dim);
    let (grad_rows, grad_log_det) = grad.storage::<f32>().split_at(n * dim);
    // One share of the rows a thread, each with its own sum over its tiles: the same sums in the same order every time.
    let share = n.div_ceil(threads()).max(1);
    let tile = tile_rows(n);
    let shares = d_rows
        .chunks_mut(share * dim)
        .zip(rows.chunks(share * dim))
        .zip(grad_rows.chunks(share * dim).zip(grad_log_det.chunks(share)));
    let sums = map_each(shares.collect(), |((d_rows, rows), (grad, log_det))| {
        let mut d_theta = want_theta.then(|| vec![0.0; shape.len()]);
        let tiles = d_rows
            .chunks_mut(tile * dim)
            .zip(rows.chunks(tile * dim))
            .zip(grad.chunks(tile * dim).zip(log_det.chunks(tile)));
        for ((d_rows, rows), (grad, log_det)) in tiles {
            tile_grad(&weights, direction, [rows, grad, log_det], d_rows, d_theta.as_deref_mut());
        }
        d_theta
    });
    let d_theta = sums.into_iter().flatten().reduce(|mut sum, next| {
        super::elementwise::add(&mut sum, &next);
        sum
    });
    let d_theta = d_theta.map(|d| {
        let len = d.len();
        tensor(d, [len])
    });
    (tensor(d_rows, [n, dim]), d_theta)
}

/// Walks one tile back through the layers, undoing each half-step before differentiating it.
fn tile_grad(
    weights: &Weights,
    direction: Direction,
    [rows, grad, grad_log_det]: [&[f32]; 3],
    d_rows: &mut [f32],
    mut d_theta: Option<&mut [f32]>,
) {
    let half = weights.shape.half();
    let mut rows = Rows::split(rows, grad_log_det, half);
    let mut d = Rows::split(grad, grad_log_det, half);
    let forward = direction == Direction::Forward;
    for &(layer, from) in steps(weights.shape.level.layers, direction).iter().rev() {
        let to = from.other();
        let mut kept: [Vec<Kept>; 2] = [Vec::new(), Vec::new()];
        let mut nets = kept
            .iter_mut()
            .enumerate()
            .map(|(net, kept)| weights.forward(2 * layer + net, from, rows.of(from), Some(kept)));
        let (Some(raw_s), Some(raw_t)) = (nets.next(), nets.next()) else {
            return;
        };
        drop(nets);
        let scales = [0, 1].map(|net| weights.scale(2 * layer + net, to));
        let [scale_s, scale_t] = scales.clone().map(|range| weights.values(range));
        let (mut s, mut t) = (raw_s.values().to_vec(), raw_t.values().to_vec());
        let after = rows.of(to).to_vec();
        affine(&mut rows.halves[to as usize], &mut s, &mut t, scale_s, scale_t, None, !forward);
        let (mut ds, mut dt) = (vec![0.0; s.len()], vec![0.0; t.len()]);
        affine_grad(
            [rows.of(to), &after, &s, &d.log_det],
            [&mut d.halves[to as usize], &mut ds, &mut dt],
            half,
            forward,
        );
        for (net, ((raw, kept), (range, mut d_net))) in
            [raw_s, raw_t].iter().zip(kept).zip(scales.into_iter().zip([ds, dt])).enumerate()
        {
            scale_grad(
                raw.values(),
                weights.values(range.clone()),
                &mut d_net,
                d_theta.as_deref_mut().map(|d| &mut d[range]),
            );
            let d_x = weights.backward(2 * layer + net, from, kept, &d_net, d_theta.as_deref_mut());
            super::elementwise::add(&mut d.halves[from as usize], &d_x);
        }
    }
    d.join(d_rows, half);
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(values), Layout::contiguous(Shape::new(shape)), DType::F32)
}
