//! A coupling's residual net on strips of rows, and its gradient.

use std::f32::consts::FRAC_1_SQRT_2;
use std::ops::Range;

use super::elementwise::{add, add_sums, gate, scale, swish, swish_grad};
use super::product::{Matrix, add_outer, apply, apply_transposed};
use super::strip::{Lane, Lanes};
use crate::shape::{BijectorShape, LinearShape};

/// One colour of the checkerboard: the first or the second half of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Half {
    /// Columns 0 .. dim/2.
    First,
    /// Columns dim/2 .. dim.
    Second,
}

impl Half {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    /// Its columns.
    pub fn range(self, half: usize) -> Range<usize> {
        match self {
            Self::First => 0..half,
            Self::Second => half..2 * half,
        }
    }
}

/// A bijector's weights, in its flat vector.
pub struct Weights<'a> {
    /// The flat vector.
    pub theta: &'a [f32],
    /// The shape that it has.
    pub shape: BijectorShape,
    /// Where each linear is in it.
    linears: Vec<LinearShape>,
}

/// A linear of one net, with the inputs and outputs that are used.
struct Used {
    linear: LinearShape,
    net: usize,
    inputs: Range<usize>,
    outputs: Range<usize>,
}

impl Used {
    fn alpha(&self) -> Range<usize> {
        offset(&self.inputs, self.linear.alpha + self.net * self.linear.inputs)
    }

    fn bias(&self) -> Range<usize> {
        offset(&self.outputs, self.linear.bias + self.net * self.linear.outputs)
    }

    fn matrix(&self) -> Matrix {
        let LinearShape { inputs, outputs, weight, .. } = self.linear;
        Matrix {
            start: weight + self.net * inputs * outputs + self.inputs.start * outputs + self.outputs.start,
            inputs: self.inputs.len(),
            outputs: self.outputs.len(),
            stride: outputs,
        }
    }
}

fn offset(range: &Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

/// What a net computed on the strips of a tile, in memory that all half-steps reuse.
pub struct Pass<const N: usize> {
    /// Each linear's input before the swish, then the net's output, unscaled.
    stages: Vec<Lanes<N>>,
    /// The swishes' sigmoids, if there will be a gradient.
    sigmas: Vec<Lanes<N>>,
}

impl<const N: usize> Pass<N> {
    /// For tiles of at most this many strips.
    pub fn new(shape: &BijectorShape, strips: usize, keep: bool) -> Self {
        let linears = shape.linears();
        let lanes = |width: usize| vec![Lane::ZERO; strips * width];
        let mut stages: Vec<_> = linears.iter().map(|l| lanes(l.inputs)).collect();
        stages.push(lanes(shape.half()));
        let sigmas = if keep { linears.iter().map(|l| lanes(l.inputs)).collect() } else { Vec::new() };
        Self { stages, sigmas }
    }

    /// The net's unscaled output, this many lanes.
    pub fn output(&mut self, lanes: usize) -> &mut [Lane<N>] {
        match self.stages.last_mut() {
            Some(output) => &mut output[..lanes],
            None => &mut [],
        }
    }
}

/// Memory for one linear's inputs after the swish, and for gradients on the way back.
pub struct Scratch<const N: usize> {
    after: Lanes<N>,
    grads: [Lanes<N>; 3],
}

impl<const N: usize> Scratch<N> {
    /// For tiles of at most this many strips.
    pub fn new(shape: &BijectorShape, strips: usize) -> Self {
        let widest = shape.dim.max(shape.level.hidden);
        let lanes = || vec![Lane::ZERO; strips * widest];
        Self { after: lanes(), grads: [lanes(), lanes(), lanes()] }
    }
}

impl<'a> Weights<'a> {
    /// From the flat vector.
    pub fn new(shape: &BijectorShape, theta: &'a [f32]) -> Self {
        Self { linears: shape.linears(), shape: *shape, theta }
    }

    /// Scale of a net's output in the columns of `half`.
    pub fn scale(&self, net: usize, half: Half) -> Range<usize> {
        offset(&half.range(self.shape.half()), self.shape.scale() + net * self.shape.dim)
    }

    /// The scales of a layer's s and t in the columns of `half`.
    pub fn scales(&self, layer: usize, half: Half) -> [&'a [f32]; 2] {
        [0, 1].map(|net| &self.theta[self.scale(2 * layer + net, half)])
    }

    /// Linear l, cut down to what is used when `from` conditions the other half: the first linear's other inputs are
    /// zero, the last one's other outputs are not needed.
    fn used(&self, l: usize, net: usize, from: Half) -> Used {
        let linear = self.linears[l];
        let half = self.shape.half();
        let inputs = if l == 0 { from.range(half) } else { 0..linear.inputs };
        let outputs = if l + 1 == self.linears.len() { from.other().range(half) } else { 0..linear.outputs };
        Used { linear, net, inputs, outputs }
    }

    /// Linears of a residual block.
    fn depth(&self) -> usize {
        self.shape.level.mlp + 1
    }

    /// Net number `net`, conditioned on the half `from` of the rows; `pass` then holds its unscaled output and what
    /// [`Weights::backward`] needs.
    pub fn forward<const N: usize>(
        &self,
        net: usize,
        from: Half,
        x: &[Lane<N>],
        pass: &mut Pass<N>,
        scratch: &mut Scratch<N>,
    ) {
        pass.stages[0][..x.len()].copy_from_slice(x);
        let strips = x.len() / self.shape.half();
        let mut block_inputs = 0..0;
        for l in 0..self.linears.len() {
            let used = self.used(l, net, from);
            let (inputs, outputs) = (used.inputs.len(), used.outputs.len());
            let (alpha, bias) = (&self.theta[used.alpha()], &self.theta[used.bias()]);
            let (block, k) = (l / self.depth() * self.depth(), l % self.depth());
            if k == 0 {
                block_inputs = used.inputs.clone();
            }
            let (before, later) = pass.stages.split_at_mut(l + 1);
            for strip in 0..strips {
                let x = &before[l][strip * inputs..][..inputs];
                let act = &mut scratch.after[..inputs];
                let sigma = pass.sigmas.get_mut(l).map(|sigma| &mut sigma[strip * inputs..][..inputs]);
                swish(x, alpha, act, sigma);
                let y = &mut later[0][strip * outputs..][..outputs];
                apply(self.theta, used.matrix(), bias, act, y);
                if k == self.shape.level.mlp {
                    let skip = &before[block][strip * block_inputs.len()..][..block_inputs.len()];
                    add_columns(y, used.outputs.start, skip, block_inputs.start);
                    scale(y, FRAC_1_SQRT_2);
                }
            }
        }
    }

    /// Gradient of [`Weights::forward`]: takes that of the output, adds the weights' to `d_theta`, returns that of x.
    pub fn backward<'s, const N: usize>(
        &self,
        net: usize,
        from: Half,
        pass: &Pass<N>,
        d_out: &[Lane<N>],
        scratch: &'s mut Scratch<N>,
        mut d_theta: Option<&mut [f32]>,
    ) -> &'s [Lane<N>] {
        let strips = d_out.len() / self.shape.half();
        let Scratch { after, grads: [d_sum, grad, next] } = scratch;
        // The gradient of the block's output, which is also that of its last linear and of its skip connection.
        d_sum[..d_out.len()].copy_from_slice(d_out);
        let mut sum_columns = from.other().range(self.shape.half());
        for l in (0..self.linears.len()).rev() {
            let used = self.used(l, net, from);
            let (inputs, outputs) = (used.inputs.len(), used.outputs.len());
            let k = l % self.depth();
            if k == self.shape.level.mlp {
                scale(&mut d_sum[..strips * outputs], FRAC_1_SQRT_2);
                grad[..strips * outputs].copy_from_slice(&d_sum[..strips * outputs]);
                sum_columns = used.outputs.clone();
            }
            let (dy, d_input) = (&grad[..strips * outputs], &mut next[..strips * inputs]);
            let (x, sigma) = (&pass.stages[l][..strips * inputs], &pass.sigmas[l][..strips * inputs]);
            let act = &mut after[..strips * inputs];
            gate(x, sigma, act);
            if let Some(d_theta) = d_theta.as_deref_mut() {
                add_sums(dy, &mut d_theta[used.bias()]);
                add_outer(d_theta, used.matrix(), act, dy);
            }
            for (dy, d_input) in dy.chunks_exact(outputs).zip(d_input.chunks_exact_mut(inputs)) {
                apply_transposed(self.theta, used.matrix(), dy, d_input);
            }
            let d_alpha = d_theta.as_deref_mut().map(|d| &mut d[used.alpha()]);
            swish_grad([x, act, sigma], &self.theta[used.alpha()], d_input, d_alpha);
            if k == 0 {
                let sums = d_sum.chunks_exact(sum_columns.len());
                for (d_input, d_sum) in d_input.chunks_exact_mut(inputs).zip(sums) {
                    add_columns(d_input, used.inputs.start, d_sum, sum_columns.start);
                }
                std::mem::swap(d_sum, next);
            } else {
                std::mem::swap(grad, next);
            }
        }
        &d_sum[..d_out.len()]
    }
}

/// Adds x to the columns that both have: `sum` begins at column `at`, `x` at `x_at`.
fn add_columns<const N: usize>(sum: &mut [Lane<N>], at: usize, x: &[Lane<N>], x_at: usize) {
    let common = at.max(x_at)..(at + sum.len()).min(x_at + x.len());
    if !common.is_empty() {
        add(&mut sum[common.start - at..common.end - at], &x[common.start - x_at..common.end - x_at]);
    }
}
