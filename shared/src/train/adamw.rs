//! AdamW (Loshchilov & Hutter 2019) with its moments as two more models, and the averaged weights.
//!
//! Burn's own AdamW builds a dozen temporaries for each parameter; for this model, with most of its parameters where
//! there are few blocks, that took as long as the network. Here a backend may update in place.

use std::collections::HashMap;

use burn::module::{AutodiffModule, Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorPrimitive};

use super::TrainBackend;
use super::recipe::Recipe;
use crate::backend::{self, Adam, FlowBackend, Moments};
use crate::model::Model;

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

    /// The same on another device.
    pub fn to_device(self, device: &B::Device) -> Self {
        Self { first: self.first.to_device(device), second: self.second.to_device(device) }
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
        let rate = recipe.learning_rate_at(step);
        let bias = |beta: f64| 1.0 - beta.powf(step as f64 + 1.0);
        let adam = Adam {
            factor,
            keep: [BETA_1, BETA_2],
            rate: rate / bias(BETA_1),
            second_factor: 1.0 / bias(BETA_2),
            epsilon: EPSILON,
            decay: 1.0 - rate * recipe.weight_decay,
        };
        let (mut first, mut second) = (Values::default(), Values::default());
        let (empty_first, empty_second) = (self.first.map(&mut first.take()), self.second.map(&mut second.take()));
        let mut update = Update { first, second, grads, adam };
        let model = model.map(&mut update);
        let Update { mut first, mut second, .. } = update;
        (Self { first: empty_first.map(&mut first.give()), second: empty_second.map(&mut second.give()) }, model)
    }
}

/// Moves the averaged weights towards the model's: average ← keep·average + (1 − keep)·model.
pub fn average<A: TrainBackend>(
    average: Model<A::InnerBackend>,
    model: &Model<A>,
    keep: f64,
) -> Model<A::InnerBackend> {
    let values = Values::of(&model.valid());
    average.map(&mut Blend { towards: &values, keep })
}

/// A model's tensors by parameter, whatever their rank.
struct Values<B: FlowBackend>(HashMap<ParamId, FloatTensor<B>>);

impl<B: FlowBackend> Default for Values<B> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<B: FlowBackend> Values<B> {
    fn of(model: &Model<B>) -> Self {
        let mut values = Self::default();
        model.visit(&mut values);
        values
    }

    /// Takes a model's tensors out of it, so that they have no other owner and can be changed in place.
    fn take(&mut self) -> Take<'_, B> {
        Take(self)
    }

    /// Puts them back.
    fn give(&mut self) -> Give<'_, B> {
        Give(self)
    }
}

struct Take<'a, B: FlowBackend>(&'a mut Values<B>);

impl<B: FlowBackend> ModuleMapper<B> for Take<'_, B> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let id = param.id;
        param.map(|value| {
            let empty = Tensor::empty([1; D], &value.device());
            self.0.0.insert(id, value.into_primitive().tensor());
            empty
        })
    }
}

struct Give<'a, B: FlowBackend>(&'a mut Values<B>);

impl<B: FlowBackend> ModuleMapper<B> for Give<'_, B> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        match self.0.0.remove(&param.id) {
            Some(value) => param.map(|_| Tensor::from_primitive(TensorPrimitive::Float(value))),
            None => param,
        }
    }
}

impl<B: FlowBackend> ModuleVisitor<B> for Values<B> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        self.0.insert(param.id, param.val().into_primitive().tensor());
    }
}

struct Blend<'a, B: FlowBackend> {
    towards: &'a Values<B>,
    keep: f64,
}

impl<B: FlowBackend> ModuleMapper<B> for Blend<'_, B> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let Some(towards) = self.towards.0.get(&param.id).cloned() else { return param };
        param.map(|mean| {
            let mean = mean.into_primitive().tensor();
            let mean = match B::differentiable() {
                Some(kernels) => kernels.blend(mean, towards, self.keep),
                None => backend::blend::<B>(mean, towards, self.keep),
            };
            Tensor::from_primitive(TensorPrimitive::Float(mean))
        })
    }
}

struct Update<'a, B: FlowBackend> {
    first: Values<B>,
    second: Values<B>,
    grads: &'a GradientsParams,
    adam: Adam,
}

impl<A: AutodiffBackend<InnerBackend: FlowBackend>> ModuleMapper<A> for Update<'_, A::InnerBackend> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<A, D>>) -> Param<Tensor<A, D>> {
        let id = param.id;
        let Some(grad) = self.grads.get::<A::InnerBackend, D>(id) else { return param };
        let (Some(first), Some(second)) = (self.first.0.remove(&id), self.second.0.remove(&id)) else { return param };
        param.map(|value| {
            let parameter = Moments { value: value.inner().into_primitive().tensor(), first, second };
            let grad = grad.into_primitive().tensor();
            let Moments { value, first, second } = match A::InnerBackend::differentiable() {
                Some(kernels) => kernels.adam(parameter, grad, self.adam),
                None => backend::adam::<A::InnerBackend>(parameter, grad, self.adam),
            };
            self.first.0.insert(id, first);
            self.second.0.insert(id, second);
            Tensor::from_inner(Tensor::from_primitive(TensorPrimitive::Float(value))).require_grad()
        })
    }
}
