//! The affine half-step on strips, and its gradient. Written in vectors, since not every compiler makes vectors of an
//! exponential that is written number by number.

use pulp::{Simd, WithSimd};

use super::exponential::{exp, tanh};
use super::strip::{Lane, vectors, vectors_mut};
use super::vectors::arch_for;

/// Turns the two nets' outputs into s = tanh(scale·raw) and t = scale·raw, in place.
pub fn finish<const N: usize>(s: &mut [Lane<N>], t: &mut [Lane<N>], scales: [&[f32]; 2]) {
    arch_for::<N>().dispatch(Finish { s, t, scales });
}

struct Finish<'a, const N: usize> {
    s: &'a mut [Lane<N>],
    t: &'a mut [Lane<N>],
    scales: [&'a [f32]; 2],
}

impl<const N: usize> WithSimd for Finish<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let [scale_s, scale_t] = self.scales;
        let n = scale_s.len();
        for (s, t) in self.s.chunks_exact_mut(n).zip(self.t.chunks_exact_mut(n)) {
            for (((s, t), ks), kt) in s.iter_mut().zip(t).zip(scale_s).zip(scale_t) {
                finish_lane(simd, vectors_mut::<S, N>(s), vectors_mut::<S, N>(t), [*ks, *kt]);
            }
        }
    }
}

#[inline(always)]
fn finish_lane<S: Simd>(simd: S, s: &mut [S::f32s], t: &mut [S::f32s], scales: [f32; 2]) {
    let [ks, kt] = scales.map(|scale| simd.splat_f32s(scale));
    for (s, t) in s.iter_mut().zip(t) {
        *s = tanh(simd, simd.mul_f32s(ks, *s));
        *t = simd.mul_f32s(kt, *t);
    }
}

/// One affine half-step, in place: v·e^s + t, or its inverse (v − t)·e^−s.
pub fn affine<const N: usize>(value: &mut [Lane<N>], s: &[Lane<N>], t: &[Lane<N>], forward: bool) {
    arch_for::<N>().dispatch(AffineStep { value, s, t, forward });
}

struct AffineStep<'a, const N: usize> {
    value: &'a mut [Lane<N>],
    s: &'a [Lane<N>],
    t: &'a [Lane<N>],
    forward: bool,
}

impl<const N: usize> WithSimd for AffineStep<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for ((v, s), t) in self.value.iter_mut().zip(self.s).zip(self.t) {
            affine_lane(simd, vectors_mut::<S, N>(v), [s, t].map(vectors::<S, N>), self.forward);
        }
    }
}

#[inline(always)]
fn affine_lane<S: Simd>(simd: S, value: &mut [S::f32s], [s, t]: [&[S::f32s]; 2], forward: bool) {
    for ((v, s), t) in value.iter_mut().zip(s).zip(t) {
        *v = if forward {
            simd.mul_add_e_f32s(*v, exp(simd, *s), *t)
        } else {
            simd.mul_f32s(simd.sub_f32s(*v, *t), exp(simd, negative(simd, *s)))
        };
    }
}

#[inline(always)]
fn negative<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    simd.mul_f32s(x, simd.splat_f32s(-1.0))
}

/// Gradients of one affine half-step.
///
/// `before` and `after` are the step's value before and after it; on entry `grad` is the gradient of `after`, on
/// return that of `before`; `s` and `t` are replaced by the gradients of the nets' scaled outputs, through the tanh.
pub fn affine_grad<const N: usize>(values: [&[Lane<N>]; 3], grads: [&mut [Lane<N>]; 3], forward: bool) {
    arch_for::<N>().dispatch(AffineGrad { values, grads, forward });
}

struct AffineGrad<'a, const N: usize> {
    /// Before, after, and the gradient of the log-determinant, a lane for each strip.
    values: [&'a [Lane<N>]; 3],
    /// Gradient, s and t.
    grads: [&'a mut [Lane<N>]; 3],
    forward: bool,
}

impl<const N: usize> WithSimd for AffineGrad<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { values: [before, after, d_log_det], grads: [grad, s, t], forward } = self;
        let n = before.len() / d_log_det.len().max(1);
        let strips = before.chunks_exact(n).zip(after.chunks_exact(n)).zip(d_log_det);
        let grads = grad.chunks_exact_mut(n).zip(s.chunks_exact_mut(n)).zip(t.chunks_exact_mut(n));
        for (((before, after), dl), ((grad, s), t)) in strips.zip(grads) {
            for ((before, after), ((grad, s), t)) in before.iter().zip(after).zip(grad.iter_mut().zip(s).zip(t)) {
                let values = [before, after, dl].map(vectors::<S, N>);
                affine_grad_lane(simd, values, [grad, s, t].map(vectors_mut::<S, N>), forward);
            }
        }
    }
}

#[inline(always)]
fn affine_grad_lane<S: Simd>(
    simd: S,
    [before, after, d_log_det]: [&[S::f32s]; 3],
    [grad, s, t]: [&mut [S::f32s]; 3],
    forward: bool,
) {
    let one = simd.splat_f32s(1.0);
    let values = before.iter().zip(after).zip(d_log_det);
    for (((before, after), dl), ((grad, s), t)) in values.zip(grad.iter_mut().zip(s).zip(t)) {
        let (g, slope) = (*grad, simd.sub_f32s(one, simd.mul_f32s(*s, *s)));
        let e = exp(simd, if forward { *s } else { negative(simd, *s) });
        let ge = simd.mul_f32s(g, e);
        *grad = ge;
        // In terms of the value before a step forward, or after one back, where e^s cancels.
        let by_s = if forward {
            *t = g;
            simd.mul_add_e_f32s(ge, *before, *dl)
        } else {
            *t = negative(simd, ge);
            negative(simd, simd.mul_add_e_f32s(g, *after, *dl))
        };
        *s = simd.mul_f32s(by_s, slope);
    }
}
