//! The kernels as operations of Burn's automatic differentiation.

use burn::backend::Autodiff;
use burn::tensor::ops::FloatTensor;
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::CheckpointStrategy;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};

use super::{DifferentiableKernels, FlowBackend, Kernels};
use crate::shape::{BijectorShape, Direction};

impl<B: FlowBackend, C: CheckpointStrategy> FlowBackend for Autodiff<B, C> {
    fn kernels() -> Option<&'static dyn Kernels<Self>> {
        B::differentiable().map(|_| &Tracked as &'static dyn Kernels<Self>)
    }
}

/// Runs the inner backend's kernels and records how to differentiate them.
struct Tracked;

/// The inner kernels; there is a [`Tracked`] only where they exist.
fn inner<B: FlowBackend>() -> &'static dyn DifferentiableKernels<B> {
    match B::differentiable() {
        Some(kernels) => kernels,
        None => unreachable!("tracked kernels on a backend without kernels"),
    }
}

#[derive(Debug)]
struct BijectorStep {
    shape: BijectorShape,
    direction: Direction,
}

impl<B: FlowBackend> Backward<B, 2> for BijectorStep {
    /// The operation's output and its weights.
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [rows, theta] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (output, weights) = ops.state;
        let (d_rows, d_theta) =
            inner::<B>().bijector_grad(&self.shape, self.direction, output, weights, grad, theta.is_some());
        if let Some(node) = rows {
            grads.register::<B>(node.id, d_rows);
        }
        if let (Some(node), Some(d_theta)) = (theta, d_theta) {
            grads.register::<B>(node.id, d_theta);
        }
    }
}

#[derive(Debug)]
struct WeightNormStep;

impl<B: FlowBackend> Backward<B, 2> for WeightNormStep {
    /// v and g.
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let (v, g) = ops.state;
        let (d_v, d_g) = inner::<B>().weight_norm_grad(v, g, grad);
        for (node, grad) in ops.parents.into_iter().zip([d_v, d_g]) {
            if let Some(node) = node {
                grads.register::<B>(node.id, grad);
            }
        }
    }
}

impl<B: FlowBackend, C: CheckpointStrategy> Kernels<Autodiff<B, C>> for Tracked {
    fn takes(&self, shape: &BijectorShape) -> bool {
        inner::<B>().takes(shape) && inner::<B>().differentiates(shape)
    }

    fn bijector(
        &self,
        shape: &BijectorShape,
        direction: Direction,
        rows: FloatTensor<Autodiff<B, C>>,
        theta: FloatTensor<Autodiff<B, C>>,
    ) -> FloatTensor<Autodiff<B, C>> {
        let nodes = [rows.node.clone(), theta.node.clone()];
        let output = inner::<B>().bijector(shape, direction, rows.primitive, theta.primitive.clone());
        match (BijectorStep { shape: *shape, direction }).prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((output.clone(), theta.primitive), output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }

    fn weight_norm(
        &self,
        v: FloatTensor<Autodiff<B, C>>,
        g: FloatTensor<Autodiff<B, C>>,
    ) -> FloatTensor<Autodiff<B, C>> {
        let nodes = [v.node.clone(), g.node.clone()];
        let output = inner::<B>().weight_norm(v.primitive.clone(), g.primitive.clone());
        match WeightNormStep.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((v.primitive, g.primitive), output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }
}
