//! A coupling's residual net on a tile, and its gradient.

use std::f32::consts::FRAC_1_SQRT_2;
use std::ops::Range;

use burn_flex::FlexTensor;

use super::elementwise::{add, add_bias, add_columns, add_scaled, swish, swish_grad, swish_keep};
use super::tile::{Tile, window};
use crate::nn::{BijectorShape, LinearShape};

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

/// A bijector's weights, as views into its flat vector.
pub struct Weights {
    /// The flat vector.
    pub theta: FlexTensor,
    /// What it holds.
    pub shape: BijectorShape,
    /// Where its linears stand.
    pub linears: Vec<LinearShape>,
}

/// Where a linear of one net is used: some of its inputs, some of its outputs.
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

    fn weight(&self) -> usize {
        let LinearShape { inputs, outputs, weight, .. } = self.linear;
        weight + self.net * inputs * outputs + self.inputs.start * outputs + self.outputs.start
    }
}

fn offset(range: &Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

/// What the gradient of one linear needs: its input before and after the swish, and the swish's sigmoid.
pub struct Kept {
    before: Tile,
    after: Tile,
    sigma: Vec<f32>,
}

impl Weights {
    /// Views into `theta`.
    pub fn new(shape: &BijectorShape, theta: FlexTensor) -> Self {
        Self { linears: shape.linears(), shape: *shape, theta }
    }

    /// Scale of a net's output in the columns of `half`.
    pub fn scale(&self, net: usize, half: Half) -> Range<usize> {
        offset(&half.range(self.shape.half()), self.shape.scale() + net * self.shape.dim)
    }

    /// The numbers in a range of the flat vector.
    pub fn values(&self, range: Range<usize>) -> &[f32] {
        &self.theta.storage::<f32>()[range]
    }

    /// The linear number k of residual block r, cut down to what is used when `from` conditions the other half:
    /// the first one's other inputs are zero, the last one's other outputs go nowhere.
    fn used(&self, r: usize, k: usize, net: usize, from: Half) -> Used {
        let (level, half) = (&self.shape.level, self.shape.half());
        let linear = self.linears[r * (level.mlp + 1) + k];
        let inputs = if r == 0 && k == 0 { from.range(half) } else { 0..linear.inputs };
        let last = r + 1 == level.res_blocks && k == level.mlp;
        let outputs = if last { from.other().range(half) } else { 0..linear.outputs };
        Used { linear, net, inputs, outputs }
    }

    /// Net number `net`, conditioned on the half `from` of the rows; returns its unscaled output in the other half.
    ///
    /// Keeps in `kept`, linear by linear, what [`Weights::backward`] needs.
    pub fn forward(&self, net: usize, from: Half, x: &[f32], mut kept: Option<&mut Vec<Kept>>) -> Tile {
        let (level, dim, half) = (self.shape.level, self.shape.dim, self.shape.half());
        let rows = x.len() / half;
        let mut stream = Tile::new(x.to_vec(), rows, half);
        for r in 0..level.res_blocks {
            let skip = if r == 0 { embed(x, from, half) } else { stream.values().to_vec() };
            for k in 0..=level.mlp {
                let used = self.used(r, k, net, from);
                let alpha = self.values(used.alpha());
                let mut after = Tile::zeros(rows, alpha.len());
                if let Some(kept) = kept.as_deref_mut() {
                    let mut sigma = vec![0.0; rows * alpha.len()];
                    swish_keep(stream.values(), alpha, after.values_mut(), &mut sigma);
                    let before = std::mem::replace(&mut stream, self.linear(&used, &after));
                    kept.push(Kept { before, after, sigma });
                } else {
                    swish(stream.values(), alpha, after.values_mut());
                    stream = self.linear(&used, &after);
                }
            }
            let wanted = if r + 1 == level.res_blocks { columns(&skip, dim, from.other().range(half)) } else { skip };
            add_scaled(stream.values_mut(), &wanted, FRAC_1_SQRT_2);
        }
        stream
    }

    fn linear(&self, used: &Used, x: &Tile) -> Tile {
        let weights =
            window(&self.theta, used.weight(), [used.inputs.len(), used.outputs.len()], [used.linear.outputs, 1]);
        let mut y = x.matmul(weights);
        add_bias(y.values_mut(), self.values(used.bias()));
        y
    }

    /// Gradient of [`Weights::forward`]: takes that of the output, adds the weights' to `d_theta`, returns that of x.
    pub fn backward(
        &self,
        net: usize,
        from: Half,
        mut kept: Vec<Kept>,
        d_out: &[f32],
        mut d_theta: Option<&mut [f32]>,
    ) -> Vec<f32> {
        let (level, dim, half) = (self.shape.level, self.shape.dim, self.shape.half());
        let rows = d_out.len() / half;
        let scaled = |d: &[f32]| d.iter().map(|d| d * FRAC_1_SQRT_2).collect::<Vec<_>>();
        // The gradient through the last block's sum, in all columns of the stream.
        let mut d_stream = scaled(&embed(d_out, from.other(), half));
        let mut grad = Tile::new(scaled(d_out), rows, half);
        for r in (0..level.res_blocks).rev() {
            for k in (0..=level.mlp).rev() {
                let used = self.used(r, k, net, from);
                let Some(Kept { before, after, sigma }) = kept.pop() else {
                    return Vec::new();
                };
                if let Some(d_theta) = d_theta.as_deref_mut() {
                    add_columns(grad.values(), &mut d_theta[used.bias()]);
                    let d_weight = after.transposed_matmul(&grad);
                    let width = used.outputs.len();
                    let into = d_theta[used.weight()..].chunks_mut(used.linear.outputs);
                    for (into, from) in into.zip(d_weight.values().chunks_exact(width)) {
                        add(&mut into[..width], from);
                    }
                }
                let transposed = window(
                    &self.theta,
                    used.weight(),
                    [used.outputs.len(), used.inputs.len()],
                    [1, used.linear.outputs],
                );
                grad = grad.matmul(transposed);
                let d_alpha = d_theta.as_deref_mut().map(|d| &mut d[used.alpha()]);
                swish_grad(
                    before.values(),
                    after.values(),
                    &sigma,
                    self.values(used.alpha()),
                    grad.values_mut(),
                    d_alpha,
                );
            }
            if r == 0 {
                let mut d_x = columns(&d_stream, dim, from.range(half));
                add(&mut d_x, grad.values());
                return d_x;
            }
            add(&mut d_stream, grad.values());
            d_stream = scaled(&d_stream);
            grad = Tile::new(d_stream.clone(), rows, dim);
        }
        Vec::new()
    }
}

/// Half-rows in their columns of whole rows, the rest zero.
fn embed(x: &[f32], at: Half, half: usize) -> Vec<f32> {
    let mut rows = vec![0.0; 2 * x.len()];
    for (row, x) in rows.chunks_exact_mut(2 * half).zip(x.chunks_exact(half)) {
        row[at.range(half)].copy_from_slice(x);
    }
    rows
}

/// Some columns of rows of `dim` numbers.
fn columns(rows: &[f32], dim: usize, range: Range<usize>) -> Vec<f32> {
    rows.chunks_exact(dim).flat_map(|row| &row[range.clone()]).copied().collect()
}
