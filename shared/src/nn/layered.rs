//! A bijector's weights layer by layer, and the bijector in plain tensor operations: what any backend can run.

use burn::tensor::Tensor;
use burn::tensor::activation::sigmoid;
use burn::tensor::backend::Backend;

use super::BijectorShape;
use crate::backend::Direction;

/// One linear of all nets, weight norm applied. Shapes as in [`super::SwishLinear`].
#[derive(Clone, Debug)]
pub struct LayeredLinear<B: Backend> {
    /// Swish slopes, `[nets, inputs]`.
    pub alpha: Tensor<B, 2>,
    /// Weights, `[nets, inputs, outputs]`.
    pub weight: Tensor<B, 3>,
    /// Biases, `[nets, outputs]`.
    pub bias: Tensor<B, 2>,
}

/// The weights of a bijector.
#[derive(Clone, Debug)]
pub struct Layered<B: Backend> {
    /// What the tensors' shapes follow from.
    pub shape: BijectorShape,
    /// Residual block by residual block.
    pub linears: Vec<LayeredLinear<B>>,
    /// `[nets, dim]`.
    pub scale: Tensor<B, 2>,
}

impl<B: Backend> Layered<B> {
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

    /// Runs the couplings.
    ///
    /// # Shapes
    /// - rows: `[n, dim]`
    /// - output: `[n, dim]` and the log-determinants `[n]` of this direction
    pub fn run(&self, direction: Direction, rows: Tensor<B, 2>) -> (Tensor<B, 2>, Tensor<B, 1>) {
        let half = self.shape.half();
        let mut halves = [rows.clone().narrow(1, 0, half), rows.narrow(1, half, half)];
        let mut log_det: Option<Tensor<B, 2>> = None;
        let layers = self.shape.level.layers;
        for step in 0..2 * layers {
            let at = if direction == Direction::Forward { step } else { 2 * layers - 1 - step };
            let (layer, from) = (at / 2, at % 2);
            let [s, t] = self.nets(layer, from, halves[from].clone());
            let value = halves[1 - from].clone();
            let (value, change) = match direction {
                Direction::Forward => (value * s.clone().exp() + t, s.sum_dim(1)),
                Direction::Inverse => ((value - t) * s.clone().neg().exp(), s.neg().sum_dim(1)),
            };
            halves[1 - from] = value;
            log_det = Some(match log_det {
                Some(sum) => sum + change,
                None => change,
            });
        }
        let rows = Tensor::cat(halves.to_vec(), 1);
        let log_det = log_det.unwrap_or_else(|| rows.clone().narrow(1, 0, 1).zeros_like());
        (rows, log_det.squeeze_dim(1))
    }

    /// s (after tanh) and t of a layer, for the other half of the rows.
    ///
    /// # Shapes
    /// - x: `[n, dim/2]`; output: two of `[n, dim/2]`
    fn nets(&self, layer: usize, from: usize, x: Tensor<B, 2>) -> [Tensor<B, 2>; 2] {
        let (level, half) = (&self.shape.level, self.shape.half());
        let (this, other) = (from * half, (1 - from) * half);
        let rows = x.dims()[0];
        let mut stream = x.unsqueeze_dim::<3>(0).expand([2, rows, half]);
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
                    weight = weight.narrow(2, other, half);
                    bias = bias.narrow(1, other, half);
                }
                let act = stream.clone() * sigmoid(stream * alpha.unsqueeze_dim(1));
                stream = act.matmul(weight) + bias.unsqueeze_dim(1);
            }
            let skip = match (first, last) {
                (true, true) => None,
                (true, false) => {
                    let zeros = skip.zeros_like();
                    Some(Tensor::cat(if from == 0 { vec![skip, zeros] } else { vec![zeros, skip] }, 2))
                }
                (false, true) => Some(skip.narrow(2, other, half)),
                (false, false) => Some(skip),
            };
            stream = match skip {
                Some(skip) => (stream + skip) * std::f64::consts::FRAC_1_SQRT_2,
                None => stream * std::f64::consts::FRAC_1_SQRT_2,
            };
        }
        let scale = self.scale.clone().narrow(0, 2 * layer, 2).narrow(1, other, half);
        let out = stream * scale.unsqueeze_dim(1);
        let net = |i| out.clone().narrow(0, i, 1).squeeze_dim::<2>(0);
        [net(0).tanh(), net(1)]
    }
}
