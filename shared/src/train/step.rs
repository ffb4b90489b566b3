//! One step: loss, gradient, clipping by the global norm, AdamW, and the averaged weights.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorPrimitive};

use super::TrainBackend;
use super::adamw::AdamW;
use super::recipe::Recipe;
use super::share::Share;
use super::values::Batch;
use crate::backend::{FlowBackend, sum_of_squares};
use crate::image_flow::ImageFlow;
use crate::model::Model;
use crate::read::numbers;

/// What a step measured.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// Training loss of the batch, before the step: of fields in nats a site.
    pub bits_per_dim: f64,
    /// Norm of the whole gradient, before clipping.
    pub grad_norm: f64,
    /// What the gradient was multiplied by: 1, or less if it was clipped.
    pub factor: f64,
}

/// −log p per dimension of a batch in nats, of images with values in [0, 1].
pub fn loss<B: FlowBackend>(flow: &dyn ImageFlow<B>, batch: Batch<B>) -> Tensor<B, 1> {
    let dims = flow.dims() as f64;
    (flow.log_prob(batch.images) + batch.log_det).mean() / -dims
}

/// Takes one step. If the loss or the gradient is not finite, the model stays as it was.
///
/// The CPU has taken it when this is first polled; a native program blocks on a GPU ([`burn::tensor::read_sync`]), and a
/// browser waits.
pub async fn step<B: TrainBackend>(
    model: Model<B>,
    optimizer: AdamW<B::InnerBackend>,
    recipe: &Recipe,
    number: u64,
    batch: Batch<B>,
) -> (Model<B>, AdamW<B::InnerBackend>, Measured) {
    let Share { loss, grads } = Share::of(&model, batch, 1.0).await;
    apply(model, optimizer, recipe, number, loss, &grads).await
}

/// The step's second half, where the loss, `[1]` in nats, and its gradient are known.
pub async fn apply<B: TrainBackend>(
    model: Model<B>,
    optimizer: AdamW<B::InnerBackend>,
    recipe: &Recipe,
    number: u64,
    loss: Tensor<B::InnerBackend, 1>,
    grads: &GradientsParams,
) -> (Model<B>, AdamW<B::InnerBackend>, Measured) {
    let squares = squares_of(&model, grads).unwrap_or_else(|| loss.zeros_like());
    let read = numbers([loss, squares]).await.concat();
    let [value, squares] = [0, 1].map(|i| read.get(i).copied().map_or(f64::NAN, f64::from));
    let grad_norm = squares.sqrt();
    let factor = (recipe.clip / (grad_norm + 1e-6)).min(1.0);
    let measured = Measured { bits_per_dim: model.config().data().cost(-value, 1), grad_norm, factor };
    if !(measured.bits_per_dim.is_finite() && grad_norm.is_finite()) {
        return (model, optimizer, measured);
    }
    let (optimizer, model) = optimizer.step(model, grads, factor, recipe, number);
    (model, optimizer, measured)
}

/// The sum of the squares of the gradient of all parameters together, `[1]`; none if no parameter has one.
fn squares_of<B: TrainBackend>(model: &Model<B>, grads: &GradientsParams) -> Option<Tensor<B::InnerBackend, 1>> {
    struct All<'a, B: AutodiffBackend> {
        grads: &'a GradientsParams,
        found: Vec<FloatTensor<B::InnerBackend>>,
    }
    impl<B: AutodiffBackend> ModuleVisitor<B> for All<'_, B> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            let grad = self.grads.get::<B::InnerBackend, D>(param.id);
            self.found.extend(grad.map(|grad| grad.into_primitive().tensor()));
        }
    }
    let mut all = All::<B> { grads, found: Vec::new() };
    model.visit(&mut all);
    let sum = match B::InnerBackend::differentiable() {
        Some(kernels) => kernels.sum_of_squares(all.found),
        None => sum_of_squares::<B::InnerBackend>(all.found),
    };
    sum.map(|sum| Tensor::from_primitive(TensorPrimitive::Float(sum)))
}
