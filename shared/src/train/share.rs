//! A part of a batch and its gradient: several devices, or several workers, take parts of one batch and sum what they found.

use std::ops::Range;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;

use super::TrainBackend;
use super::step::loss;
use super::values::Batch;
use crate::backend::FlowBackend;
use crate::model::Model;

/// The images of a batch that each of several takes: consecutive, and equally many up to one.
pub fn parts(batch: usize, count: usize) -> impl Iterator<Item = Range<usize>> {
    (0..count).map(move |i| batch * i / count..batch * (i + 1) / count)
}

/// What one of several found, or all of them together.
pub struct Share<B: FlowBackend> {
    /// The loss, `[1]` in nats.
    pub loss: Tensor<B, 1>,
    /// Its gradient.
    pub grads: GradientsParams,
}

impl<B: FlowBackend> Share<B> {
    /// Of these images, which are this part of the whole batch. The sum over all parts is the whole batch's.
    pub async fn of<A: TrainBackend<InnerBackend = B>>(model: &Model<A>, batch: Batch<A>, part: f64) -> Self {
        let loss = loss(model.fold_async().await.as_ref(), batch) * part;
        let grads = GradientsParams::from_grads(loss.backward(), model);
        Self { loss: loss.inner(), grads }
    }

    /// The loss, then the gradient of one parameter after the other, `[1 + parameters]`. Burn gives a parameter that the
    /// loss does not depend on no gradient, so it has no numbers here.
    pub fn flat<A: TrainBackend<InnerBackend = B>>(&self, model: &Model<A>) -> Tensor<B, 1> {
        let mut joined = Joined { grads: &self.grads, parts: vec![self.loss.clone()] };
        model.visit(&mut joined);
        Tensor::cat(joined.parts, 0)
    }

    /// The inverse of [`flat`](Self::flat), for a sum over shares: gradients of the same parameters, from other numbers.
    ///
    /// # Panics
    /// If there are fewer numbers than [`flat`](Self::flat) gives.
    pub fn with<A: TrainBackend<InnerBackend = B>>(&self, model: &Model<A>, flat: Tensor<B, 1>) -> Self {
        let loss = flat.clone().narrow(0, 0, 1);
        let mut split = Split { grads: &self.grads, flat, at: 1, sums: GradientsParams::new() };
        model.visit(&mut split);
        Self { loss, grads: split.sums }
    }
}

/// Gradients one after the other, in the order of the parameters.
struct Joined<'a, B: FlowBackend> {
    grads: &'a GradientsParams,
    parts: Vec<Tensor<B, 1>>,
}

impl<A: AutodiffBackend<InnerBackend: FlowBackend>> ModuleVisitor<A> for Joined<'_, A::InnerBackend> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<A, D>>) {
        let grad = self.grads.get::<A::InnerBackend, D>(param.id);
        self.parts.extend(grad.map(|grad| grad.reshape([-1])));
    }
}

/// The inverse of [`Joined`].
struct Split<'a, B: FlowBackend> {
    grads: &'a GradientsParams,
    flat: Tensor<B, 1>,
    at: usize,
    sums: GradientsParams,
}

impl<A: AutodiffBackend<InnerBackend: FlowBackend>> ModuleVisitor<A> for Split<'_, A::InnerBackend> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<A, D>>) {
        if self.grads.get::<A::InnerBackend, D>(param.id).is_none() {
            return;
        }
        let shape = param.shape();
        let len = shape.num_elements();
        let part = self.flat.clone().narrow(0, self.at, len).reshape(shape);
        self.sums.register::<A::InnerBackend, D>(param.id, part);
        self.at += len;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Values;
    use crate::{RgFlow, RgFlowConfig};
    use burn::backend::{Autodiff, Flex};
    use burn::tensor::read_sync;

    #[test]
    fn parts_are_all_of_the_batch_and_nearly_equal() {
        assert_eq!(parts(7, 3).collect::<Vec<_>>(), [0..2, 2..4, 4..7]);
        assert_eq!(parts(16, 1).map(|part| part.len()).collect::<Vec<_>>(), [16]);
        assert_eq!(parts(16, 4).map(|part| part.len()).collect::<Vec<_>>(), [4; 4]);
    }

    #[test]
    fn shares_sum_to_the_whole_and_come_back_from_their_numbers() {
        let (config, device) = (RgFlowConfig::tiny(), Default::default());
        let model = Model::RgFlow(RgFlow::<Autodiff<Flex>>::random(&config, 0.1, 3, &device).unwrap());
        let dims = config.dims();
        let values = Values::Pixels((0..5 * dims).map(|i| (i * i % 251) as u8).collect());
        let of = |part: Range<usize>| {
            let batch = values.part(part.clone(), dims).batch([3, 16], 1, part.start as u64, &device);
            read_sync(Share::of(&model, batch, part.len() as f64 / 5.0))
        };
        let numbers = |share: &Share<Flex>| share.flat(&model).into_data().to_vec::<f32>().unwrap();
        let whole = of(0..5);
        let shares: Vec<_> = parts(5, 2).map(of).collect();
        let sum = shares[0].flat(&model) + shares[1].flat(&model);
        let again = shares[1].with(&model, sum);
        let (whole, again) = (numbers(&whole), numbers(&again));
        assert_eq!((whole.len(), again.len()), (1 + config.param_count(), whole.len()));
        let largest = whole.iter().fold(0.0f32, |most, number| most.max(number.abs()));
        let off = whole.iter().zip(&again).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
        assert!(off < 1e-5 * largest, "{off} of {largest}");
    }
}
