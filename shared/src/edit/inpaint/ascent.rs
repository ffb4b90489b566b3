//! Climbing a density: Adam (Kingma & Ba 2015) with a rate that falls along a half cosine.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.99;
const EPSILON: f64 = 1e-6;

/// Moments of the gradients so far.
#[derive(Clone, Debug)]
pub(crate) struct Ascent<B: Backend> {
    first: Tensor<B, 2>,
    second: Tensor<B, 2>,
    taken: u32,
    steps: u32,
    rate: f64,
}

impl<B: Backend> Ascent<B> {
    /// For variables of that shape, with a rate that starts at `rate` and falls to a hundredth over `steps`.
    pub(crate) fn new(like: &Tensor<B, 2>, steps: u32, rate: f64) -> Self {
        Self { first: like.zeros_like(), second: like.zeros_like(), taken: 0, steps, rate }
    }

    /// One step uphill.
    pub(crate) fn step(&mut self, value: Tensor<B, 2>, gradient: Tensor<B, 2>) -> Tensor<B, 2> {
        let done = f64::from(self.taken) / f64::from(self.steps.max(1));
        let rate = self.rate * (0.01 + 0.99 * 0.5 * (1.0 + (std::f64::consts::PI * done.min(1.0)).cos()));
        self.taken += 1;
        self.first = self.first.clone() * BETA_1 + gradient.clone() * (1.0 - BETA_1);
        self.second = self.second.clone() * BETA_2 + gradient.square() * (1.0 - BETA_2);
        let unbiased = |beta: f64| 1.0 - beta.powi(self.taken as i32);
        let size = (self.second.clone() / unbiased(BETA_2)).sqrt() + EPSILON;
        value + self.first.clone() * (rate / unbiased(BETA_1)) / size
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn_flex::Flex;

    #[test]
    fn the_top_of_a_hill_is_found_whatever_its_scale() {
        let top = Tensor::<Flex, 2>::from_data([[1.0, -2.0], [0.5, 3.0]], &Default::default());
        let steepness = Tensor::<Flex, 2>::from_data([[100.0, 0.1]], &Default::default());
        let mut value = top.zeros_like();
        let mut ascent = Ascent::new(&value, 300, 0.1);
        for _ in 0..300 {
            let gradient = (top.clone() - value.clone()) * steepness.clone();
            value = ascent.step(value, gradient);
        }
        let off: f32 = (value - top).abs().max().into_scalar();
        assert!(off < 1e-2, "{off}");
    }
}
