//! The learned map x·W + b of a block's numbers, before and after its couplings (the invertible 1×1 convolution of
//! Kingma & Dhariwal 2018, for blocks instead of pixels).
//!
//! Couplings alone have to learn that neighbouring pixels are alike; a map says so in one matrix, which can be computed
//! from the data before training starts.

#[cfg(feature = "autodiff")]
use burn::backend::Autodiff;
use burn::module::{Module, Param};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use nalgebra::DMatrix;

use crate::backend::FlowBackend;
use crate::shape::Direction;

/// The trainable map x·W + b. A new one is the identity.
#[derive(Module, Debug)]
pub struct InvertibleMap<B: Backend> {
    /// W, `[dim, dim]`.
    pub weight: Param<Tensor<B, 2>>,
    /// b, `[dim]`.
    pub bias: Param<Tensor<B, 1>>,
}

impl<B: FlowBackend> InvertibleMap<B> {
    /// The identity.
    pub fn new(dim: usize, device: &B::Device) -> Self {
        Self {
            weight: Param::from_tensor(Tensor::eye(dim, device)),
            bias: Param::from_tensor(Tensor::zeros([dim], device)),
        }
    }

    /// The map with its inverse and log-determinant, which are not finite if W is singular. `values` are W's numbers.
    pub fn fold(&self, values: &[f32]) -> FoldedMap<B> {
        let weight = self.weight.val();
        let dim = weight.dims()[0];
        let (inverse, log_det) = invert(values, dim).unwrap_or((vec![f32::NAN; dim * dim], f32::NEG_INFINITY));
        let inverse = Tensor::<B, 2>::from_data(TensorData::new(inverse, [dim, dim]), &weight.device());
        // The value comes from the factorisation, the gradient, W⁻ᵀ, from a term that is zero.
        let change = (weight.clone() - weight.clone().detach()) * inverse.clone().transpose();
        FoldedMap { weight, bias: self.bias.val(), inverse, log_det: change.sum() + log_det }
    }
}

/// A map ready to run in both directions.
#[derive(Clone, Debug)]
pub struct FoldedMap<B: Backend> {
    /// W, `[dim, dim]`.
    pub weight: Tensor<B, 2>,
    /// b, `[dim]`.
    pub bias: Tensor<B, 1>,
    /// W⁻¹, `[dim, dim]`.
    pub inverse: Tensor<B, 2>,
    /// log |det W|, `[1]`: the forward direction's log-determinant, the same for every row.
    pub log_det: Tensor<B, 1>,
}

impl<B: Backend> FoldedMap<B> {
    /// From `dim`² and `dim` numbers; `None` if W has no inverse that f32 can hold.
    pub fn new(weight: Vec<f32>, bias: Vec<f32>, device: &B::Device) -> Option<Self> {
        let dim = bias.len();
        let (inverse, log_det) = invert(&weight, dim)?;
        let matrix = |values: Vec<f32>| Tensor::from_data(TensorData::new(values, [dim, dim]), device);
        Some(Self {
            weight: matrix(weight),
            bias: Tensor::from_data(TensorData::new(bias, [dim]), device),
            inverse: matrix(inverse),
            log_det: Tensor::from_data(TensorData::new(vec![log_det], [1]), device),
        })
    }

    /// Applies the map or its inverse.
    ///
    /// # Shapes
    /// - rows, output: `[n, dim]`
    pub fn run(&self, direction: Direction, rows: Tensor<B, 2>) -> Tensor<B, 2> {
        let bias = self.bias.clone().unsqueeze_dim(0);
        match direction {
            Direction::Forward => rows.matmul(self.weight.clone()) + bias,
            Direction::Inverse => (rows - bias).matmul(self.inverse.clone()),
        }
    }

    /// The map of this direction as W and then b of x·W + b.
    ///
    /// # Shapes
    /// - output: `[dim² + dim]`
    pub fn flatten(&self, direction: Direction) -> Tensor<B, 1> {
        let (weight, bias) = match direction {
            Direction::Forward => (self.weight.clone(), self.bias.clone()),
            Direction::Inverse => {
                let bias = self.bias.clone().neg().unsqueeze_dim::<2>(0).matmul(self.inverse.clone());
                (self.inverse.clone(), bias.flatten(0, 1))
            }
        };
        Tensor::cat(vec![weight.flatten(0, 1), bias], 0)
    }

    /// Applies the map or its inverse to tangents of rows, which the bias does not change.
    ///
    /// # Shapes
    /// - tangents, output: `[n, dim]`
    pub fn run_tangents(&self, direction: Direction, tangents: Tensor<B, 2>) -> Tensor<B, 2> {
        tangents.matmul(match direction {
            Direction::Forward => self.weight.clone(),
            Direction::Inverse => self.inverse.clone(),
        })
    }
}

#[cfg(feature = "autodiff")]
impl<B: Backend> FoldedMap<B> {
    /// The same map, sharing its memory, on the backend that takes gradients.
    pub fn with_gradients(&self) -> FoldedMap<Autodiff<B>> {
        FoldedMap {
            weight: Tensor::from_inner(self.weight.clone()),
            bias: Tensor::from_inner(self.bias.clone()),
            inverse: Tensor::from_inner(self.inverse.clone()),
            log_det: Tensor::from_inner(self.log_det.clone()),
        }
    }
}

/// Inverse and log |det| of a row-major matrix; `None` if they are not finite.
fn invert(values: &[f32], dim: usize) -> Option<(Vec<f32>, f32)> {
    let matrix = DMatrix::from_row_iterator(dim, dim, values.iter().map(|&v| f64::from(v)));
    let lu = matrix.lu();
    // The determinant itself may over- or underflow.
    let log_det = lu.u().diagonal().iter().map(|d| d.abs().ln()).sum::<f64>() as f32;
    // nalgebra stores by columns.
    let inverse: Vec<f32> = lu.try_inverse()?.transpose().iter().map(|&v| v as f32).collect();
    (log_det.is_finite() && inverse.iter().all(|v| v.is_finite())).then_some((inverse, log_det))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverse_and_determinant_of_a_known_matrix() {
        let (inverse, log_det) = invert(&[0.0, 2.0, 3.0, 4.0], 2).unwrap();
        let expected = [-2.0 / 3.0, 1.0 / 3.0, 0.5, 0.0];
        assert!(inverse.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{inverse:?}");
        assert!((log_det - 6f32.ln()).abs() < 1e-6);
        assert!(invert(&[1.0, 2.0, 2.0, 4.0], 2).is_none());
        assert!(invert(&[f32::NAN, 0.0, 0.0, 1.0], 2).is_none());
    }
}
