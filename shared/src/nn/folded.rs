//! A bijector ready to run, in the form that its backend is quickest with.

use burn::tensor::{Tensor, TensorPrimitive};

use super::{BijectorShape, Layered};
use crate::backend::{Direction, FlowBackend};

/// A bijector with the weight norm applied.
#[derive(Clone, Debug)]
pub struct FoldedBijector<B: FlowBackend> {
    shape: BijectorShape,
    weights: Weights<B>,
}

#[derive(Clone, Debug)]
enum Weights<B: FlowBackend> {
    /// For the backend's own kernel: one vector.
    Flat(Tensor<B, 1>),
    /// For tensor operations.
    Layered(Layered<B>),
}

impl<B: FlowBackend> FoldedBijector<B> {
    /// Takes the weights in the form that the backend wants.
    pub fn new(layered: Layered<B>) -> Self {
        let shape = layered.shape;
        let weights = match B::kernels().filter(|kernels| kernels.takes(&shape)) {
            Some(_) => Weights::Flat(layered.flatten()),
            None => Weights::Layered(layered),
        };
        Self { shape, weights }
    }

    /// Runs the bijector.
    ///
    /// # Shapes
    /// - rows: `[n, dim]`
    /// - output: `[n, dim]` and the log-determinants `[n]` of this direction
    pub fn run(&self, direction: Direction, rows: Tensor<B, 2>) -> (Tensor<B, 2>, Tensor<B, 1>) {
        match (&self.weights, B::kernels()) {
            (Weights::Layered(layered), _) => layered.run(direction, rows),
            (Weights::Flat(theta), Some(kernels)) => {
                let (n, dim) = (rows.dims()[0], self.shape.dim);
                let (rows, theta) = (rows.into_primitive().tensor(), theta.clone().into_primitive().tensor());
                let output = kernels.bijector(&self.shape, direction, rows, theta);
                let output = Tensor::<B, 1>::from_primitive(TensorPrimitive::Float(output));
                (output.clone().narrow(0, 0, n * dim).reshape([n, dim]), output.narrow(0, n * dim, n))
            }
            // `new` only flattens for a backend with a kernel, and that does not change.
            (Weights::Flat(_), None) => unreachable!("flat weights without a kernel"),
        }
    }
}
