//! The optimizer's passes over the parameters in tensor operations, for backends without kernels.

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;

/// A parameter with AdamW's running means.
#[derive(Clone, Debug)]
pub struct Moments<T> {
    /// The parameter.
    pub value: T,
    /// Running mean of its gradients.
    pub first: T,
    /// Running mean of their squares.
    pub second: T,
}

/// Numbers of one AdamW step. With g = factor·gradient and keep = [β₁, β₂]:
///
/// first ← β₁·first + (1 − β₁)·g, second ← β₂·second + (1 − β₂)·g²,
/// value ← decay·value − rate·first / (√(second_factor·second) + epsilon)
#[derive(Clone, Copy, Debug)]
pub struct Adam {
    /// The factor on the gradient, which clips it.
    pub factor: f64,
    /// β₁ and β₂, the shares that the moments keep.
    pub keep: [f64; 2],
    /// Learning rate divided by the first moment's bias correction.
    pub rate: f64,
    /// One divided by the second moment's bias correction.
    pub second_factor: f64,
    /// Keeps the quotient finite.
    pub epsilon: f64,
    /// 1 − learning rate · weight decay.
    pub decay: f64,
}

/// AdamW's step of a parameter; arguments as [`super::DifferentiableKernels::adam`]'s.
pub fn adam<B: Backend>(
    parameter: Moments<FloatTensor<B>>,
    grad: FloatTensor<B>,
    adam: Adam,
) -> Moments<FloatTensor<B>> {
    let times = |x: FloatTensor<B>, factor: f64| B::float_mul_scalar(x, factor.into());
    let grad = times(grad, adam.factor);
    let first = blend::<B>(parameter.first, grad.clone(), adam.keep[0]);
    let second = blend::<B>(parameter.second, B::float_mul(grad.clone(), grad), adam.keep[1]);
    let root = B::float_sqrt(times(second.clone(), adam.second_factor));
    let step = B::float_div(times(first.clone(), adam.rate), B::float_add_scalar(root, adam.epsilon.into()));
    Moments { value: B::float_sub(times(parameter.value, adam.decay), step), first, second }
}

/// A running mean's next value; arguments as [`super::DifferentiableKernels::blend`]'s.
pub fn blend<B: Backend>(mean: FloatTensor<B>, towards: FloatTensor<B>, keep: f64) -> FloatTensor<B> {
    let times = |x: FloatTensor<B>, factor: f64| B::float_mul_scalar(x, factor.into());
    B::float_add(times(mean, keep), times(towards, 1.0 - keep))
}

/// The sum of the squares of all numbers of all tensors, `[1]`; `None` if there are no tensors.
pub fn sum_of_squares<B: Backend>(tensors: Vec<FloatTensor<B>>) -> Option<FloatTensor<B>> {
    let squares = tensors.into_iter().map(|tensor| B::float_sum(B::float_mul(tensor.clone(), tensor)));
    squares.reduce(B::float_add)
}
