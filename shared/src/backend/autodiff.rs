//! The fused bijector as an operation of Burn's automatic differentiation.

use burn::backend::Autodiff;
use burn::tensor::ops::FloatTensor;
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::CheckpointStrategy;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};

use super::{Direction, FlowBackend, FusedBijector};
use crate::nn::BijectorShape;

impl<B: FlowBackend, C: CheckpointStrategy> FlowBackend for Autodiff<B, C> {
    fn fused() -> Option<&'static dyn FusedBijector<Self>> {
        B::fused_gradient().map(|_| &Tracked as &'static dyn FusedBijector<Self>)
    }
}

/// Runs the inner backend's kernel and records how to differentiate it.
struct Tracked;

#[derive(Debug)]
struct Step {
    shape: BijectorShape,
    direction: Direction,
}

impl<B: FlowBackend> Backward<B, 2> for Step {
    /// The operation's output and its weights.
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [rows, theta] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (output, weights) = ops.state;
        let Some(kernel) = B::fused_gradient() else {
            return;
        };
        let (d_rows, d_theta) = kernel.grad(&self.shape, self.direction, output, weights, grad, theta.is_some());
        if let Some(node) = rows {
            grads.register::<B>(node.id, d_rows);
        }
        if let (Some(node), Some(d_theta)) = (theta, d_theta) {
            grads.register::<B>(node.id, d_theta);
        }
    }
}

impl<B: FlowBackend, C: CheckpointStrategy> FusedBijector<Autodiff<B, C>> for Tracked {
    fn run(
        &self,
        shape: &BijectorShape,
        direction: Direction,
        rows: FloatTensor<Autodiff<B, C>>,
        theta: FloatTensor<Autodiff<B, C>>,
    ) -> FloatTensor<Autodiff<B, C>> {
        let nodes = [rows.node.clone(), theta.node.clone()];
        let (rows, theta) = (rows.primitive, theta.primitive);
        let output = match B::fused() {
            Some(kernel) => kernel.run(shape, direction, rows, theta.clone()),
            None => rows,
        };
        match (Step { shape: *shape, direction }).prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((output.clone(), theta), output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }
}
