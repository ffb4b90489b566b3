//! The bijector on many rows: tiles in parallel, each through all coupling layers.

use burn::tensor::{Bytes, DType, Shape};
use burn_flex::{FlexTensor, Layout};
#[cfg(feature = "parallel")]
use rayon::prelude::*;

use super::elementwise::{affine, affine_grad, scale_grad};
use super::net::{Half, Kept, Weights};
use crate::backend::Direction;
use crate::nn::BijectorShape;

/// Rows of a tile: enough for gemm to run at speed, few enough for a tile's activations to stay in the cache.
const TILE_ROWS: usize = 64;

/// Rows of the tiles into which `rows` are cut: every thread gets some, none gets a sliver.
fn tile_rows(rows: usize) -> usize {
    rows.div_ceil(threads()).clamp(1, TILE_ROWS)
}

fn threads() -> usize {
    #[cfg(feature = "parallel")]
    return rayon::current_num_threads();
    #[cfg(not(feature = "parallel"))]
    1
}

/// One tile on its way through the layers.
struct Rows {
    halves: [Vec<f32>; 2],
    log_det: Vec<f32>,
}

impl Rows {
    /// Splits rows of `width` ≥ 2·half numbers; a further column starts the log-determinant.
    fn split(rows: &[f32], width: usize, half: usize) -> Self {
        let part = |range: std::ops::Range<usize>| {
            rows.chunks_exact(width).flat_map(|row| &row[range.clone()]).copied().collect()
        };
        let log_det = if width > 2 * half { part(2 * half..2 * half + 1) } else { vec![0.0; rows.len() / width] };
        Self { halves: [part(0..half), part(half..2 * half)], log_det }
    }

    fn join(&self, rows: &mut [f32], width: usize, half: usize) {
        for (i, row) in rows.chunks_exact_mut(width).enumerate() {
            for (side, values) in self.halves.iter().enumerate() {
                row[side * half..][..half].copy_from_slice(&values[i * half..][..half]);
            }
            if let Some(last) = row.get_mut(2 * half) {
                *last = self.log_det[i];
            }
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

/// See [`crate::backend::FusedBijector::run`].
pub fn run(shape: &BijectorShape, direction: Direction, rows: &FlexTensor, theta: FlexTensor) -> FlexTensor {
    let (dim, half) = (shape.dim, shape.half());
    let n = rows.layout().shape()[0];
    let weights = Weights::new(shape, theta);
    let steps = steps(shape.level.layers, direction);
    let mut output = vec![0.0; n * (dim + 1)];
    let tile = tile_rows(n);
    let one = |(output, rows): (&mut [f32], &[f32])| {
        let mut rows = Rows::split(rows, dim, half);
        for &(layer, from) in &steps {
            let [mut s, mut t] = [0, 1].map(|net| weights.forward(2 * layer + net, from, rows.of(from), None));
            let [scale_s, scale_t] = [0, 1].map(|net| weights.values(weights.scale(2 * layer + net, from.other())));
            let value = &mut rows.halves[from.other() as usize];
            let forward = direction == Direction::Forward;
            affine(value, s.values_mut(), t.values_mut(), scale_s, scale_t, Some(&mut rows.log_det), forward);
        }
        rows.join(output, dim + 1, half);
    };
    let input: &[f32] = rows.storage();
    #[cfg(feature = "parallel")]
    output.par_chunks_mut(tile * (dim + 1)).zip(input.par_chunks(tile * dim)).for_each(one);
    #[cfg(not(feature = "parallel"))]
    output.chunks_mut(tile * (dim + 1)).zip(input.chunks(tile * dim)).for_each(one);
    tensor(output, [n, dim + 1])
}

/// See [`crate::backend::FusedGradient::grad`].
pub fn grad(
    shape: &BijectorShape,
    direction: Direction,
    output: &FlexTensor,
    theta: FlexTensor,
    grad: &FlexTensor,
    want_theta: bool,
) -> (FlexTensor, Option<FlexTensor>) {
    let width = shape.dim + 1;
    let n = output.layout().shape()[0];
    let weights = Weights::new(shape, theta);
    let mut d_rows = vec![0.0; n * shape.dim];
    // One share of the rows a thread, each with its own sum over its tiles: the same sums in the same order every time.
    let share = n.div_ceil(threads()).max(1);
    let one = |((d_rows, output), grad): ((&mut [f32], &[f32]), &[f32])| {
        let mut d_theta = want_theta.then(|| vec![0.0; shape.len()]);
        let tile = tile_rows(n);
        let tiles = d_rows.chunks_mut(tile * shape.dim).zip(output.chunks(tile * width)).zip(grad.chunks(tile * width));
        for ((d_rows, output), grad) in tiles {
            tile_grad(&weights, direction, output, grad, d_rows, d_theta.as_deref_mut());
        }
        d_theta
    };
    let (output, grad): (&[f32], &[f32]) = (output.storage(), grad.storage());
    #[cfg(feature = "parallel")]
    let sums: Vec<_> = {
        let shares = d_rows
            .par_chunks_mut(share * shape.dim)
            .zip(output.par_chunks(share * width))
            .zip(grad.par_chunks(share * width));
        shares.map(one).collect()
    };
    #[cfg(not(feature = "parallel"))]
    let sums: Vec<_> = d_rows
        .chunks_mut(share * shape.dim)
        .zip(output.chunks(share * width))
        .zip(grad.chunks(share * width))
        .map(one)
        .collect();
    let d_theta = sums.into_iter().flatten().reduce(|mut sum, next| {
        super::elementwise::add(&mut sum, &next);
        sum
    });
    (
        tensor(d_rows, [n, shape.dim]),
        d_theta.map(|d| {
            let len = d.len();
            tensor(d, [len])
        }),
    )
}

/// Walks one tile back through the layers, undoing each half-step before differentiating it.
fn tile_grad(
    weights: &Weights,
    direction: Direction,
    output: &[f32],
    grad: &[f32],
    d_rows: &mut [f32],
    mut d_theta: Option<&mut [f32]>,
) {
    let (dim, half) = (weights.shape.dim, weights.shape.half());
    let mut rows = Rows::split(output, dim + 1, half);
    let mut d = Rows::split(grad, dim + 1, half);
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
    d.join(d_rows, dim, half);
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(values), Layout::contiguous(Shape::new(shape)), DType::F32)
}
