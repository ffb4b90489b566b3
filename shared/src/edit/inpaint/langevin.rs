//! Sampling a density by its gradient: Langevin steps that keep most of their momentum, with a Metropolis test
//! (Horowitz 1991), many chains at once.
//!
//! Momentum carries a chain along the directions in which the density is wide, where steps that fit the narrow ones
//! would only tremble. A refused step turns the momentum round; refusals come in bunches, not one by one, if the test's
//! threshold itself moves slowly (Neal 2020).
//!
//! The test makes the chains exact whatever the step. While they burn in, each chain finds its step by the rate at
//! which steps are accepted, and all together find each variable's scale from the gradients, whose variance is the
//! density's curvature. After that both stand still, as an exact sampler demands.

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::config::PriorKind;

/// Share of steps to be accepted: high, so that momentum lasts.
const ACCEPTANCE: f64 = 0.9;
/// Share of the momentum that a step keeps.
const PERSISTENCE: f64 = 0.98;
/// What the threshold moves by.
const DRIFT: f64 = 0.03;

/// A point of each chain, with the density there.
#[derive(Clone, Debug)]
pub(crate) struct Point<B: Backend> {
    /// Variables, `[chains, variables]`.
    pub value: Tensor<B, 2>,
    /// Log of the density up to a constant, `[chains]`.
    pub log_density: Tensor<B, 1>,
    /// Its gradient, `[chains, variables]`.
    pub gradient: Tensor<B, 2>,
}

/// The chains.
#[derive(Clone, Debug)]
pub(crate) struct Langevin<B: Backend> {
    at: Point<B>,
    /// Running mean of the squared gradients, `[1, variables]`.
    curvature: Tensor<B, 2>,
    /// `[chains, variables]`, of unit variance.
    momentum: Tensor<B, 2>,
    /// Uniform in [−1, 1], `[chains, 1]`: a step is accepted if the ratio of densities is above its absolute value.
    threshold: Tensor<B, 2>,
    /// Squared step where the curvature is 1, `[chains, 1]`.
    step: Tensor<B, 2>,
    rng: ChaCha8Rng,
    taken: u32,
    burn_in: u32,
}

impl<B: Backend> Langevin<B> {
    /// Chains that start at a point and adapt for `burn_in` steps.
    pub(crate) fn new(at: Point<B>, burn_in: u32, seed: u64) -> Self {
        let [chains, variables] = at.value.dims();
        let device = at.value.device();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let threshold = (0..chains).map(|_| 2.0 * ((f64::from(rng.next_u32()) + 0.5) / 4_294_967_296.0) as f32 - 1.0);
        let threshold: Vec<f32> = threshold.collect();
        Self {
            curvature: Tensor::ones([1, variables], &device),
            momentum: normal([chains, variables], &mut rng, &device),
            threshold: Tensor::from_data(TensorData::new(threshold, [chains, 1]), &device),
            step: Tensor::full([chains, 1], 0.05, &device),
            at,
            rng,
            taken: 0,
            burn_in,
        }
    }

    /// Where the chains are.
    pub(crate) fn at(&self) -> &Point<B> {
        &self.at
    }

    /// One step of every chain; `density` evaluates points.
    pub(crate) fn step(&mut self, density: impl FnOnce(Tensor<B, 2>) -> Point<B>) {
        let (shape, device) = (self.at.value.dims(), self.at.value.device());
        let fresh = normal(shape, &mut self.rng, &device) * (1.0 - PERSISTENCE.powi(2)).sqrt();
        let momentum = self.momentum.clone() * PERSISTENCE + fresh;
        // Each variable's own step: half a kick, the move, half a kick.
        let length = (self.step.clone() / (self.curvature.clone() + 1e-6)).sqrt();
        let kicked = momentum.clone() + self.at.gradient.clone() * length.clone() * 0.5;
        let to = density(self.at.value.clone() + kicked.clone() * length.clone());
        let arrived = kicked + to.gradient.clone() * length * 0.5;
        let energy = |momentum: &Tensor<B, 2>| momentum.clone().square().sum_dim(1) * 0.5;
        let gain: Tensor<B, 2> = (to.log_density.clone() - self.at.log_density.clone()).unsqueeze_dim(1);
        let gain = gain + energy(&momentum) - energy(&arrived);
        // Not a number is never greater: a step into nonsense is refused.
        let accept = gain.clone().greater(self.threshold.clone().abs().log());
        if self.taken < self.burn_in {
            self.adapt(gain.clone());
        }
        let threshold = self.threshold.clone();
        let threshold = threshold.clone().mask_where(accept.clone(), threshold * gain.neg().exp()) + DRIFT;
        self.threshold = threshold.clone() - threshold.greater_elem(1.0).float() * 2.0;
        let every = accept.clone().expand(shape);
        self.momentum = momentum.neg().mask_where(every.clone(), arrived);
        self.at = Point {
            value: self.at.value.clone().mask_where(every.clone(), to.value),
            log_density: self.at.log_density.clone().mask_where(accept.squeeze_dim(1), to.log_density),
            gradient: self.at.gradient.clone().mask_where(every, to.gradient),
        };
        self.taken += 1;
    }

    fn adapt(&mut self, gain: Tensor<B, 2>) {
        let probability = gain.clamp(-30.0, 0.0).exp();
        let probability = probability.clone().mask_fill(probability.is_nan(), 0.0);
        // Large changes at first: a step that is far too short is accepted only a little too often.
        let pace = 3.0 / (1.0 + f64::from(self.taken) / 5.0).sqrt();
        self.step = self.step.clone() * ((probability - ACCEPTANCE) * pace).exp();
        // A mean over all steps at first, later over the last ones.
        let keep = 1.0 - 1.0 / (2.0 + f64::from(self.taken)).min(50.0);
        self.curvature = self.curvature.clone() * keep + self.at.gradient.clone().square().mean_dim(0) * (1.0 - keep);
    }
}

fn normal<B: Backend>(shape: [usize; 2], rng: &mut ChaCha8Rng, device: &B::Device) -> Tensor<B, 2> {
    let values: Vec<f32> = (0..shape[0] * shape[1]).map(|_| PriorKind::Gaussian.draw(rng)).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn_flex::Flex;

    #[test]
    fn chains_have_the_moments_of_their_density() {
        // A Gaussian of very different scales, and correlated: precision [[101, 10, 0], [10, 2, 0], [0, 0, .25]].
        let precision =
            Tensor::<Flex, 2>::from_data([[101.0, 10.0, 0.0], [10.0, 2.0, 0.0], [0.0, 0.0, 0.25]], &Default::default());
        let density = |value: Tensor<Flex, 2>| {
            let gradient = value.clone().matmul(precision.clone()).neg();
            let log_density = (value.clone() * gradient.clone()).sum_dim(1).squeeze_dim::<1>(1) * 0.5;
            Point { value, log_density, gradient }
        };
        let mut chains = Langevin::new(density(Tensor::ones([256, 3], &Default::default())), 300, 5);
        let mut sums = [0f64; 4];
        for step in 0..600 {
            chains.step(density);
            if step >= 400 && step % 4 == 0 {
                let values = chains.at().value.clone().into_data().to_vec::<f32>().unwrap();
                for v in values.chunks_exact(3) {
                    let n = 50.0 * 256.0;
                    sums[0] += f64::from(v[0] * v[0]) / n;
                    sums[1] += f64::from(v[1] * v[1]) / n;
                    sums[2] += f64::from(v[0] * v[1]) / n;
                    sums[3] += f64::from(v[2] * v[2]) / n;
                }
            }
        }
        // The inverse of the precision: [[2, −10], [−10, 101]]/102, and 4.
        for (got, expected) in sums.iter().zip([2.0 / 102.0, 101.0 / 102.0, -10.0 / 102.0, 4.0]) {
            assert!((got / expected - 1.0).abs() < 0.12, "{sums:?}");
        }
    }
}
