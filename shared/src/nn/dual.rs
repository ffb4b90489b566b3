//! Values with their tangents: forward differentiation of a bijector, exact and in plain tensor operations.
//!
//! Without tangents these are the bijector's plain operations, so that one code serves both.

use burn::tensor::activation::sigmoid;
use burn::tensor::backend::Backend;
use burn::tensor::{Bool, Tensor};

/// Numbers of some nets' rows, and how they change along k directions.
#[derive(Clone, Debug)]
pub(super) struct Dual<B: Backend> {
    /// `[nets, n, width]`
    pub value: Tensor<B, 3>,
    /// `[nets, n, k, width]`
    pub tangents: Option<Tensor<B, 4>>,
}

impl<B: Backend> Dual<B> {
    /// A value without tangents.
    pub fn constant(value: Tensor<B, 3>) -> Self {
        Self { value, tangents: None }
    }

    /// The chain rule: tangents times a derivative `[nets, n, width]`.
    fn chain(tangents: Option<Tensor<B, 4>>, factor: impl FnOnce() -> Tensor<B, 3>) -> Option<Tensor<B, 4>> {
        tangents.map(|t| t * factor().unsqueeze_dim(2))
    }

    /// x·sigmoid(αx), α `[nets, width]`.
    pub fn swish(self, alpha: Tensor<B, 2>) -> Self {
        let scaled = self.value.clone() * alpha.unsqueeze_dim(1);
        let gate = sigmoid(scaled.clone());
        let slope = || gate.clone() * (scaled * (gate.clone().neg() + 1.0) + 1.0);
        let tangents = Self::chain(self.tangents, slope);
        Self { value: self.value * gate, tangents }
    }

    /// x·weight + bias; weight `[nets, width, outputs]`, bias `[nets, outputs]`.
    pub fn linear(self, weight: Tensor<B, 3>, bias: Tensor<B, 2>) -> Self {
        let outputs = weight.dims()[2];
        let tangents = self.tangents.map(|t| {
            let [nets, n, k, width] = t.dims();
            t.reshape([nets, n * k, width]).matmul(weight.clone()).reshape([nets, n, k, outputs])
        });
        Self { value: self.value.matmul(weight) + bias.unsqueeze_dim(1), tangents }
    }

    /// x·factor, factor `[nets, width]`.
    pub fn scale(self, factor: Tensor<B, 2>) -> Self {
        let factor = factor.unsqueeze_dim::<3>(1);
        let tangents = Self::chain(self.tangents, || factor.clone());
        Self { value: self.value * factor, tangents }
    }

    /// tanh.
    pub fn tanh(self) -> Self {
        // Some GPUs' tanh is NaN for large arguments, where it should be ±1.
        let value = self.value.clamp(-20.0, 20.0).tanh();
        let tangents = Self::chain(self.tangents, || value.clone().square().neg() + 1.0);
        Self { value, tangents }
    }

    /// x·e^s.
    pub fn times_exp(self, s: Self) -> Self {
        let factor = s.value.exp();
        let value = self.value * factor.clone();
        let along_x = Self::chain(self.tangents, || factor);
        let along_s = Self::chain(s.tangents, || value.clone());
        Self { value, tangents: Self::sum(along_x, along_s) }
    }

    /// −x.
    pub fn negated(self) -> Self {
        Self { value: self.value.neg(), tangents: self.tangents.map(Tensor::neg) }
    }

    /// The sum of two, of which one may be constant.
    pub fn add(self, other: Self) -> Self {
        Self { value: self.value + other.value, tangents: Self::sum(self.tangents, other.tangents) }
    }

    /// The difference of two.
    pub fn subtract(self, other: Self) -> Self {
        let tangents = Self::sum(self.tangents, other.tangents.map(Tensor::neg));
        Self { value: self.value - other.value, tangents }
    }

    /// The product of two.
    pub fn multiply(self, other: Self) -> Self {
        let left = Self::chain(self.tangents, || other.value.clone());
        let right = Self::chain(other.tangents, || self.value.clone());
        Self { value: self.value * other.value, tangents: Self::sum(left, right) }
    }

    /// The quotient of two.
    pub fn divide(self, other: Self) -> Self {
        let value = self.value / other.value.clone();
        let top = Self::chain(self.tangents, || other.value.clone().recip());
        let bottom = Self::chain(other.tangents, || value.clone().neg() / other.value);
        Self { value, tangents: Self::sum(top, bottom) }
    }

    /// x².
    pub fn square(self) -> Self {
        let tangents = Self::chain(self.tangents, || self.value.clone() * 2.0);
        Self { value: self.value.square(), tangents }
    }

    /// e^x.
    pub fn exp(self) -> Self {
        let value = self.value.exp();
        let tangents = Self::chain(self.tangents, || value.clone());
        Self { value, tangents }
    }

    /// x + term, a number.
    pub fn plus(self, term: f64) -> Self {
        Self { value: self.value + term, tangents: self.tangents }
    }

    /// x within two bounds that only rounding can have taken it across: the tangents stay.
    pub fn clamp(self, low: f64, high: f64) -> Self {
        Self { value: self.value.clamp(low, high), tangents: self.tangents }
    }

    /// √x.
    pub fn sqrt(self) -> Self {
        let value = self.value.sqrt();
        let tangents = Self::chain(self.tangents, || value.clone().recip() * 0.5);
        Self { value, tangents }
    }

    /// `other` where the mask holds; either may be constant.
    pub fn choose(self, mask: Tensor<B, 3, Bool>, other: Self) -> Self {
        let wide = |t: Tensor<B, 4>| (mask.clone().unsqueeze_dim::<4>(2).expand(t.dims()), t);
        let tangents = match (self.tangents, other.tangents.map(wide)) {
            (None, None) => None,
            (Some(a), Some((mask, b))) => Some(a.mask_where(mask, b)),
            (None, Some((mask, b))) => Some(b.zeros_like().mask_where(mask, b)),
            (Some(a), None) => {
                let (mask, a) = wide(a);
                Some(a.mask_fill(mask, 0.0))
            }
        };
        Self { value: self.value.mask_where(mask, other.value), tangents }
    }

    /// The sum of tangents, either of which may be missing.
    fn sum(left: Option<Tensor<B, 4>>, right: Option<Tensor<B, 4>>) -> Option<Tensor<B, 4>> {
        match (left, right) {
            (Some(left), Some(right)) => Some(left + right),
            (left, right) => left.or(right),
        }
    }

    /// x·factor, a number.
    pub fn times(self, factor: f64) -> Self {
        Self { value: self.value * factor, tangents: self.tangents.map(|t| t * factor) }
    }

    /// Zeros of the same shape.
    pub fn zeros(&self) -> Self {
        Self { value: self.value.zeros_like(), tangents: self.tangents.as_ref().map(Tensor::zeros_like) }
    }

    /// Two side by side.
    pub fn join(self, right: Self) -> Self {
        let tangents = self.tangents.zip(right.tangents).map(|(a, b)| Tensor::cat(vec![a, b], 3));
        Self { value: Tensor::cat(vec![self.value, right.value], 2), tangents }
    }

    /// A range of the width.
    pub fn narrow(self, start: usize, len: usize) -> Self {
        Self { value: self.value.narrow(2, start, len), tangents: self.tangents.map(|t| t.narrow(3, start, len)) }
    }

    /// One net's rows as the input of two nets.
    pub fn twice(self) -> Self {
        let [_, n, width] = self.value.dims();
        let tangents = self.tangents.map(|t| {
            let k = t.dims()[2];
            t.expand([2, n, k, width])
        });
        Self { value: self.value.expand([2, n, width]), tangents }
    }

    /// The rows of two nets.
    pub fn split(self) -> [Self; 2] {
        [0, 1].map(|net| Self {
            value: self.value.clone().narrow(0, net, 1),
            tangents: self.tangents.clone().map(|t| t.narrow(0, net, 1)),
        })
    }
}
