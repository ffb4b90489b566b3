//! The coupling layers (Real NVP, appendix A) in plain tensor operations, which every backend can run: the nets, then
//! x·e^s + t, then a spline where one is wanted.

#[cfg(feature = "autodiff")]
use burn::backend::Autodiff;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::dual::Dual;
use super::spline;
use crate::config::CouplingKind;
use crate::shape::{BijectorShape, Direction};

/// One layer of all nets, weight norm applied. The first index is the net: 2·layer for s, 2·layer + 1 for t.
#[derive(Clone, Debug)]
pub struct FoldedLinear<B: Backend> {
    /// Swish slopes, `[nets, inputs]`.
    pub alpha: Tensor<B, 2>,
    /// Weights, `[nets, inputs, outputs]`.
    pub weight: Tensor<B, 3>,
    /// Biases, `[nets, outputs]`.
    pub bias: Tensor<B, 2>,
}

/// The coupling layers of a bijector.
#[derive(Clone, Debug)]
pub struct Couplings<B: Backend> {
    /// What the tensors' shapes follow from.
    pub shape: BijectorShape,
    /// Residual block by residual block.
    pub linears: Vec<FoldedLinear<B>>,
    /// Factor of each of the nets' outputs, `[nets, outputs]`.
    pub scale: Tensor<B, 2>,
}

impl<B: Backend> Couplings<B> {
    /// Runs the couplings.
    ///
    /// # Shapes
    /// - rows: `[n, dim]`
    /// - output: `[n, dim]` and the log-determinants `[n]` of this direction
    pub fn run(&self, direction: Direction, rows: Tensor<B, 2>) -> (Tensor<B, 2>, Tensor<B, 1>) {
        let (rows, log_det) = self.layers(direction, Dual::constant(rows.unsqueeze_dim(0)));
        (rows.value.squeeze_dim(0), log_det)
    }

    /// Runs the couplings, and the tangents of the rows with them: exact Jacobian-vector products.
    ///
    /// # Shapes
    /// - rows: `[n, dim]`, tangents: `[n, k, dim]`
    /// - output: the same of the other side
    pub fn run_tangents(
        &self,
        direction: Direction,
        rows: Tensor<B, 2>,
        tangents: Tensor<B, 3>,
    ) -> (Tensor<B, 2>, Tensor<B, 3>) {
        let shape = tangents.dims();
        let rows = Dual { value: rows.unsqueeze_dim(0), tangents: Some(tangents.unsqueeze_dim(0)) };
        let (Dual { value, tangents }, _) = self.layers(direction, rows);
        let tangents = tangents.map_or_else(|| Tensor::zeros(shape, &value.device()), |t| t.squeeze_dim(0));
        (value.squeeze_dim(0), tangents)
    }

    /// Half-step after half-step on rows `[1, n, dim]`, with log-determinants `[n]`.
    fn layers(&self, direction: Direction, rows: Dual<B>) -> (Dual<B>, Tensor<B, 1>) {
        let half = self.shape.half();
        let mut halves = [rows.clone().narrow(0, half), rows.narrow(half, half)];
        let mut log_det: Option<Tensor<B, 3>> = None;
        let layers = self.shape.level.layers;
        for step in 0..2 * layers {
            let at = if direction == Direction::Forward { step } else { 2 * layers - 1 - step };
            let (layer, from) = (at / 2, at % 2);
            let (nets, spline) = self.nets(layer, from, halves[from].clone());
            let (after, change) = half_step(direction, halves[1 - from].clone(), nets, spline);
            halves[1 - from] = after;
            let change = change.sum_dim(2);
            log_det = Some(match log_det {
                Some(sum) => sum + change,
                None => change,
            });
        }
        let [first, second] = halves;
        let rows = first.join(second);
        let log_det = log_det.unwrap_or_else(|| rows.value.clone().narrow(2, 0, 1).zeros_like());
        (rows, log_det.flatten(0, 2))
    }

    /// s (after tanh) and t of a layer for the other half of the rows, and the splines' parameters if there are
    /// splines.
    ///
    /// # Shapes
    /// - x: `[1, n, dim/2]`; output: two of `[1, n, dim/2]`, and one of `[1, n, (3K − 1)·dim/2]`
    fn nets(&self, layer: usize, from: usize, x: Dual<B>) -> ([Dual<B>; 2], Option<Dual<B>>) {
        let (level, half) = (&self.shape.level, self.shape.half());
        let (this, other) = (from * half, (1 - from) * half);
        let per = self.shape.coupling.outputs();
        let mut stream = x.twice();
        for r in 0..level.res_blocks {
            let (first, last) = (r == 0, r + 1 == level.res_blocks);
            let skip = stream.clone();
            for k in 0..=level.mlp {
                let linear = &self.linears[r * (level.mlp + 1) + k];
                let mut alpha = linear.alpha.clone().narrow(0, 2 * layer, 2);
                let mut weight = linear.weight.clone().narrow(0, 2 * layer, 2);
                let mut bias = linear.bias.clone().narrow(0, 2 * layer, 2);
                // Half of the first linear's inputs are zero and half of the last one's outputs are not used.
                if first && k == 0 {
                    alpha = alpha.narrow(1, this, half);
                    weight = weight.narrow(1, this, half);
                }
                if last && k == level.mlp {
                    weight = weight.narrow(2, other * per, half * per);
                    bias = bias.narrow(1, other * per, half * per);
                }
                stream = stream.swish(alpha).linear(weight, bias);
            }
            let skip = match (first, last) {
                (true, true) => None,
                (true, false) => {
                    let zeros = skip.zeros();
                    Some(if from == 0 { skip.join(zeros) } else { zeros.join(skip) })
                }
                (false, true) => Some(skip.narrow(other, half)),
                (false, false) => Some(skip),
            };
            stream = match skip {
                Some(skip) if last && per > 1 => {
                    let rest = stream.clone().narrow(half, (per - 1) * half);
                    stream.narrow(0, half).add(skip).join(rest)
                }
                Some(skip) => stream.add(skip),
                None => stream,
            };
            stream = stream.times(std::f64::consts::FRAC_1_SQRT_2);
        }
        let scale = self.scale.clone().narrow(0, 2 * layer, 2).narrow(1, other * per, half * per);
        let [s, t] = stream.scale(scale).split();
        let spline = match self.shape.coupling {
            CouplingKind::Affine => None,
            CouplingKind::Spline(bins) => {
                let [s, t] = [&s, &t].map(|net| net.clone().narrow(half, (per - 1) * half));
                Some(s.join(t).narrow(0, (3 * bins - 1) * half))
            }
        };
        ([s.narrow(0, half).tanh(), t.narrow(0, half)], spline)
    }

    /// All weights in one vector, in the order that [`BijectorShape`] describes.
    ///
    /// # Shapes
    /// - output: `[shape.len()]`
    pub fn flatten(self) -> Tensor<B, 1> {
        let mut parts = Vec::new();
        for linear in self.linears {
            parts.extend([linear.alpha.flatten(0, 1), linear.weight.flatten(0, 2), linear.bias.flatten(0, 1)]);
        }
        parts.push(self.scale.flatten(0, 1));
        Tensor::cat(parts, 0)
    }

    /// The layers of a flat vector, in the order that [`BijectorShape`] describes.
    ///
    /// # Shapes
    /// - theta: `[shape.len()]`
    pub fn from_flat(shape: &BijectorShape, theta: &Tensor<B, 1>) -> Self {
        let nets = shape.nets();
        let part = |start: usize, len: usize| theta.clone().narrow(0, start, len);
        let linears = shape.linears().into_iter().map(|l| FoldedLinear {
            alpha: part(l.alpha, nets * l.inputs).reshape([nets, l.inputs]),
            weight: part(l.weight, nets * l.inputs * l.outputs).reshape([nets, l.inputs, l.outputs]),
            bias: part(l.bias, nets * l.outputs).reshape([nets, l.outputs]),
        });
        let scale = part(shape.scale(), nets * shape.outputs()).reshape([nets, shape.outputs()]);
        Self { shape: *shape, linears: linears.collect(), scale }
    }
}

/// The half of the rows that a half-step changes, and the logarithms of this direction's derivatives.
///
/// # Shapes
/// - x: `[1, n, dim/2]`; output: two of the same
fn half_step<B: Backend>(
    direction: Direction,
    x: Dual<B>,
    [s, t]: [Dual<B>; 2],
    spline: Option<Dual<B>>,
) -> (Dual<B>, Tensor<B, 3>) {
    let log = match direction {
        Direction::Forward => s.value.clone(),
        Direction::Inverse => s.value.clone().neg(),
    };
    let affine = |x: Dual<B>| match direction {
        // x·e^s + t
        Direction::Forward => x.times_exp(s).add(t),
        // (x − t)·e^(−s)
        Direction::Inverse => x.subtract(t).times_exp(s.negated()),
    };
    match (direction, spline) {
        (_, None) => (affine(x), log),
        (Direction::Forward, Some(parameters)) => {
            let (x, bent) = spline::run(direction, affine(x), parameters);
            (x, log + bent)
        }
        (Direction::Inverse, Some(parameters)) => {
            let (x, bent) = spline::run(direction, x, parameters);
            (affine(x), log + bent)
        }
    }
}

#[cfg(feature = "autodiff")]
impl<B: Backend> Couplings<B> {
    /// The same couplings, sharing their memory, on the backend that takes gradients.
    pub fn with_gradients(&self) -> Couplings<Autodiff<B>> {
        let linear = |linear: &FoldedLinear<B>| FoldedLinear {
            alpha: Tensor::from_inner(linear.alpha.clone()),
            weight: Tensor::from_inner(linear.weight.clone()),
            bias: Tensor::from_inner(linear.bias.clone()),
        };
        let linears = self.linears.iter().map(linear).collect();
        Couplings { shape: self.shape, linears, scale: Tensor::from_inner(self.scale.clone()) }
    }
}
