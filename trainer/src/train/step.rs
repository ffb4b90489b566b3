//! One step: loss, gradient, clipping by the global norm, AdamW, and the averaged weights.

use burn::module::{AutodiffModule, Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{AdamW, AdamWConfig, GradientsParams, Optimizer};
use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;
use shared::{Flow, FlowBackend, RgFlow, RgFlowConfig, logit};

use super::batch::Batch;
use super::recipe::Recipe;
use crate::device::TrainBackend;

/// The optimizer of the model.
pub type ModelOptimizer<B> = OptimizerAdaptor<AdamW, RgFlow<B>, B>;

/// AdamW as PyTorch has it, with the recipe's weight decay.
pub fn optimizer<B: TrainBackend>(recipe: &Recipe) -> ModelOptimizer<B> {
    AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(recipe.weight_decay as f32).init()
}

/// What a step measured.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// Training loss of the batch, before the step.
    pub bits_per_dim: f64,
    /// Norm of the whole gradient, before clipping.
    pub grad_norm: f64,
}

/// −log p per dimension of a batch in nats, of images with values in [0, 1].
pub fn loss<B: FlowBackend>(flow: &Flow<B>, batch: Batch<B>) -> Tensor<B, 1> {
    let dims = flow.config().dims() as f64;
    (flow.log_prob(batch.images) + batch.log_det).mean() / -dims
}

/// Takes one step. If the loss or the gradient is not finite, returns the model as it was.
pub fn step<B: TrainBackend>(
    model: RgFlow<B>,
    optimizer: &mut ModelOptimizer<B>,
    config: &RgFlowConfig,
    recipe: &Recipe,
    number: u64,
    batch: Batch<B>,
) -> (RgFlow<B>, Measured) {
    let loss = loss(&model.fold(config), batch);
    let value = loss.clone().into_data().iter::<f64>().next().unwrap_or(f64::NAN);
    let mut grads = GradientsParams::from_grads(loss.backward(), &model);
    let grad_norm = global_norm(&model, &grads);
    let measured = Measured { bits_per_dim: logit::bits_per_dim(-value, 1), grad_norm };
    if !(measured.bits_per_dim.is_finite() && grad_norm.is_finite()) {
        return (model, measured);
    }
    if grad_norm > recipe.clip {
        let factor = recipe.clip / (grad_norm + 1e-6);
        for_each_param(&model, Scale { grads: &mut grads, factor });
    }
    (optimizer.step(recipe.learning_rate_at(number), model, grads), measured)
}

fn for_each_param<B: TrainBackend>(model: &RgFlow<B>, mut visitor: impl ModuleVisitor<B>) {
    model.visit(&mut visitor);
}

/// Norm of the gradient of all parameters together.
pub fn global_norm<B: TrainBackend>(model: &RgFlow<B>, grads: &GradientsParams) -> f64 {
    struct Norm<'a, B: AutodiffBackend> {
        grads: &'a GradientsParams,
        sum: Option<Tensor<B::InnerBackend, 1>>,
    }
    impl<B: AutodiffBackend> ModuleVisitor<B> for Norm<'_, B> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            let Some(grad) = self.grads.get::<B::InnerBackend, D>(param.id) else { return };
            let square = grad.square().sum();
            self.sum = Some(match self.sum.take() {
                Some(sum) => sum + square,
                None => square,
            });
        }
    }
    let mut norm = Norm::<B> { grads, sum: None };
    model.visit(&mut norm);
    norm.sum.map_or(0.0, |sum| sum.into_data().iter::<f64>().next().unwrap_or(f64::NAN).sqrt())
}

struct Scale<'a> {
    grads: &'a mut GradientsParams,
    factor: f64,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for Scale<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        if let Some(grad) = self.grads.remove::<B::InnerBackend, D>(param.id) {
            self.grads.register::<B::InnerBackend, D>(param.id, grad * self.factor);
        }
    }
}

/// Moves the averaged weights towards the model's: average ← decay·average + (1 − decay)·model.
pub fn average<B: TrainBackend>(average: RgFlow<B::InnerBackend>, model: &RgFlow<B>, decay: f64) -> RgFlow<B::InnerBackend> {
    struct Collect<B: AutodiffBackend>(std::collections::HashMap<ParamId, Box<dyn std::any::Any>>, std::marker::PhantomData<B>);
    impl<B: AutodiffBackend> ModuleVisitor<B::InnerBackend> for Collect<B> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B::InnerBackend, D>>) {
            self.0.insert(param.id, Box::new(param.val()));
        }
    }
    struct Mix<B: AutodiffBackend> {
        towards: Collect<B>,
        decay: f64,
    }
    impl<B: AutodiffBackend> ModuleMapper<B::InnerBackend> for Mix<B> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<B::InnerBackend, D>>) -> Param<Tensor<B::InnerBackend, D>> {
            let target = self.towards.0.remove(&param.id).and_then(|t| t.downcast::<Tensor<B::InnerBackend, D>>().ok());
            let decay = self.decay;
            match target {
                Some(target) => param.map(|value| value * decay + *target * (1.0 - decay)),
                None => param,
            }
        }
    }
    let mut towards = Collect::<B>(Default::default(), std::marker::PhantomData);
    model.valid().visit(&mut towards);
    average.map(&mut Mix { towards, decay })
}
