//! AdamW (Loshchilov & Hutter 2019) with its moments as two more models, and the averaged weights.
//!
//! Burn's own AdamW builds a dozen temporaries for each parameter; for this model, with most of its parameters where
//! there are few blocks, that took as long as the network. Here a backend may update in place.

use burn::module::{AutodiffModule, Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Tensor, TensorPrimitive};
use shared::backend::Adam;
use shared::{FlowBackend, Model};

use super::recipe::Recipe;
use crate::device::TrainBackend;

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// The optimizer's state.
#[derive(Clone, Debug)]
pub struct AdamW<B: FlowBackend> {
    /// Running mean of the gradients.
    pub first: Model<B>,
    /// Running mean of their squares.
    pub second: Model<B>,
}

impl<B: FlowBackend> AdamW<B> {
    /// Zero moments for a model.
    pub fn new(model: &Model<B>) -> Self {
        struct Zero;
        impl<B: FlowBackend> ModuleMapper<B> for Zero {
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
                param.map(|value| value.zeros_like())
            }
        }
        Self { first: model.clone().map(&mut Zero), second: model.clone().map(&mut Zero) }
    }

    /// One step of the model, number `step` counted from 0, with gradients multiplied by `factor` first.
    pub fn step<A: TrainBackend<InnerBackend = B>>(
        self,
        model: Model<A>,
        grads: &GradientsParams,
        factor: f64,
        recipe: &Recipe,
        step: u64,
    ) -> (Self, Model<A>) {
        let gradient = Source::Gradients(grads);
        let first = self.first.map(&mut Blend { towards: gradient, keep: BETA_1, factor, squared: false });
        let gradient = Source::Gradients(grads);
        let second = self.second.map(&mut Blend { towards: gradient, keep: BETA_2, factor, squared: true });
        let rate = recipe.learning_rate_at(step);
        let bias = |beta: f64| 1.0 - beta.powf(step as f64 + 1.0);
        let adam = Adam {
            rate: rate / bias(BETA_1),
            second_factor: 1.0 / bias(BETA_2),
            epsilon: EPSILON,
            decay: 1.0 - rate * recipe.weight_decay,
        };
        let mut update = Update { first: Values::of(&first), second: Values::of(&second), adam };
        let model = model.map(&mut update);
        (Self { first, second }, model)
    }
}

/// Moves the averaged weights towards the model's: average ← keep·average + (1 − keep)·model.
pub fn average<A: TrainBackend>(
    average: Model<A::InnerBackend>,
    model: &Model<A>,
    keep: f64,
) -> Model<A::InnerBackend> {
    let values = Values::of(&model.valid());
    average.map(&mut Blend { towards: Source::Values(&values), keep, factor: 1.0, squared: false })
}

/// A model's tensors by parameter, whatever their rank.
struct Values<B: FlowBackend>(std::collections::HashMap<ParamId, B::FloatTensorPrimitive>);

impl<B: FlowBackend> Values<B> {
    fn of(model: &Model<B>) -> Self {
        let mut values = Self(Default::default());
        model.visit(&mut values);
        values
    }

    fn get<const D: usize>(&self, id: ParamId) -> Option<Tensor<B, D>> {
        self.0.get(&id).map(|value| Tensor::from_primitive(TensorPrimitive::Float(value.clone())))
    }
}

impl<B: FlowBackend> ModuleVisitor<B> for Values<B> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        self.0.insert(param.id, param.val().into_primitive().tensor());
    }
}

/// Where a mean's next value comes from.
enum Source<'a, B: FlowBackend> {
    Gradients(&'a GradientsParams),
    Values(&'a Values<B>),
}

struct Blend<'a, B: FlowBackend> {
    towards: Source<'a, B>,
    keep: f64,
    factor: f64,
    squared: bool,
}

impl<B: FlowBackend> ModuleMapper<B> for Blend<'_, B> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let towards = match &self.towards {
            Source::Gradients(grads) => grads.get::<B, D>(param.id),
            Source::Values(values) => values.get::<D>(param.id),
        };
        let Some(towards) = towards else { return param };
        let (keep, factor, squared) = (self.keep, self.factor, self.squared);
        param.map(|mean| match B::differentiable() {
            Some(kernels) => {
                let (mean, towards) = (mean.into_primitive().tensor(), towards.into_primitive().tensor());
                Tensor::from_primitive(TensorPrimitive::Float(kernels.blend(mean, towards, keep, factor, squared)))
            }
            None => {
                let towards = if squared { (towards * factor).square() } else { towards * factor };
                mean * keep + towards * (1.0 - keep)
            }
        })
    }
}

struct Update<B: FlowBackend> {
    first: Values<B>,
    second: Values<B>,
    adam: Adam,
}

impl<A: AutodiffBackend<InnerBackend: FlowBackend>> ModuleMapper<A> for Update<A::InnerBackend> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<A, D>>) -> Param<Tensor<A, D>> {
        let (Some(first), Some(second)) = (self.first.get::<D>(param.id), self.second.get::<D>(param.id)) else {
            return param;
        };
        let adam = self.adam;
        param.map(|value| {
            let value = value.inner();
            let value = match A::InnerBackend::differentiable() {
                Some(kernels) => {
                    let [value, first, second] = [value, first, second].map(|t| t.into_primitive().tensor());
                    Tensor::from_primitive(TensorPrimitive::Float(kernels.adam(value, first, second, adam)))
                }
                None => {
                    let step = first * adam.rate / ((second * adam.second_factor).sqrt() + adam.epsilon);
                    value * adam.decay - step
                }
            };
            Tensor::from_inner(value).require_grad()
        })
    }
}
