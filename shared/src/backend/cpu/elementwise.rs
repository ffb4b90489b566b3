//! Elementwise passes over strips. Written in vectors, since a compiler makes none of loops that it is to keep small: the
//! page's.
//!
//! Where a parameter belongs to a column, the lanes are those of one strip or of several one after the other.

use pulp::{Simd, WithSimd};

use super::exponential::sigmoid_of_negative;
use super::strip::{Lane, vectors, vectors_mut};
use super::vectors::arch_for;

/// act = x·σ(αx), on one strip; σ is stored if there is memory for it.
pub fn swish<const N: usize>(x: &[Lane<N>], alpha: &[f32], act: &mut [Lane<N>], sigma: Option<&mut [Lane<N>]>) {
    arch_for::<N>().dispatch(Swish { x, alpha, act, sigma });
}

struct Swish<'a, const N: usize> {
    x: &'a [Lane<N>],
    alpha: &'a [f32],
    act: &'a mut [Lane<N>],
    sigma: Option<&'a mut [Lane<N>]>,
}

impl<const N: usize> WithSimd for Swish<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = self.x.iter().zip(self.act).zip(self.alpha);
        match self.sigma {
            Some(sigma) => lanes.zip(sigma).for_each(|(((x, act), a), sigma)| gated(simd, *a, x, act, sigma)),
            None => {
                let mut unused = Lane::<N>::ZERO;
                lanes.for_each(|((x, act), a)| gated(simd, *a, x, act, &mut unused));
            }
        }
    }
}

#[inline(always)]
fn gated<S: Simd, const N: usize>(simd: S, alpha: f32, x: &Lane<N>, act: &mut Lane<N>, sigma: &mut Lane<N>) {
    let parts = vectors::<S, N>(x).iter().zip(vectors_mut::<S, N>(act)).zip(vectors_mut::<S, N>(sigma));
    for ((x, act), sigma) in parts {
        *sigma = sigmoid_of_negative(simd, simd.mul_f32s(*x, simd.splat_f32s(-alpha)));
        *act = simd.mul_f32s(*x, *sigma);
    }
}

/// act = x·σ.
pub fn gate<const N: usize>(x: &[Lane<N>], sigma: &[Lane<N>], act: &mut [Lane<N>]) {
    arch_for::<N>().dispatch(Gate { x, sigma, act });
}

struct Gate<'a, const N: usize> {
    x: &'a [Lane<N>],
    sigma: &'a [Lane<N>],
    act: &'a mut [Lane<N>],
}

impl<const N: usize> WithSimd for Gate<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for ((x, sigma), act) in self.x.iter().zip(self.sigma).zip(self.act) {
            for ((x, sigma), act) in vectors::<S, N>(x).iter().zip(vectors::<S, N>(sigma)).zip(vectors_mut::<S, N>(act))
            {
                *act = simd.mul_f32s(*x, *sigma);
            }
        }
    }
}

/// Turns the gradient of act into that of x, in place, and adds to that of α. Takes x, act and σ.
pub fn swish_grad<const N: usize>(
    values: [&[Lane<N>]; 3],
    alpha: &[f32],
    grad: &mut [Lane<N>],
    d_alpha: Option<&mut [f32]>,
) {
    arch_for::<N>().dispatch(SwishGrad { values, alpha, grad, d_alpha });
}

struct SwishGrad<'a, const N: usize> {
    /// x, act and σ.
    values: [&'a [Lane<N>]; 3],
    alpha: &'a [f32],
    grad: &'a mut [Lane<N>],
    d_alpha: Option<&'a mut [f32]>,
}

impl<const N: usize> WithSimd for SwishGrad<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { values: [x, act, sigma], alpha, grad, mut d_alpha } = self;
        let (n, one) = (alpha.len(), simd.splat_f32s(1.0));
        let strips = x.chunks_exact(n).zip(act.chunks_exact(n)).zip(sigma.chunks_exact(n));
        for (((x, act), sigma), grad) in strips.zip(grad.chunks_exact_mut(n)) {
            for (k, (((x, act), sigma), grad)) in x.iter().zip(act).zip(sigma).zip(grad).enumerate() {
                let (a, mut by_alpha) = (simd.splat_f32s(alpha[k]), simd.splat_f32s(0.0));
                let values = vectors::<S, N>(x).iter().zip(vectors::<S, N>(act)).zip(vectors::<S, N>(sigma));
                for (((x, act), sigma), grad) in values.zip(vectors_mut::<S, N>(grad)) {
                    let slope = simd.mul_f32s(*act, simd.sub_f32s(one, *sigma));
                    by_alpha = simd.mul_add_e_f32s(simd.mul_f32s(*grad, *x), slope, by_alpha);
                    *grad = simd.mul_f32s(*grad, simd.mul_add_e_f32s(a, slope, *sigma));
                }
                if let Some(d_alpha) = d_alpha.as_deref_mut() {
                    d_alpha[k] += simd.reduce_sum_f32s(by_alpha);
                }
            }
        }
    }
}

/// sums += the sums over all rows of each column of y.
pub fn add_sums<const N: usize>(y: &[Lane<N>], sums: &mut [f32]) {
    arch_for::<N>().dispatch(AddSums { y, sums });
}

struct AddSums<'a, const N: usize> {
    y: &'a [Lane<N>],
    sums: &'a mut [f32],
}

impl<const N: usize> WithSimd for AddSums<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for y in self.y.chunks_exact(self.sums.len()) {
            for (total, y) in self.sums.iter_mut().zip(y) {
                let sum = vectors::<S, N>(y).iter().fold(simd.splat_f32s(0.0), |sum, y| simd.add_f32s(sum, *y));
                *total += simd.reduce_sum_f32s(sum);
            }
        }
    }
}

/// y += x.
pub fn add<const N: usize>(y: &mut [Lane<N>], x: &[Lane<N>]) {
    add_scaled(y, x, 1.0);
}

/// y += f·x.
fn add_scaled<const N: usize>(y: &mut [Lane<N>], x: &[Lane<N>], f: f32) {
    arch_for::<N>().dispatch(AddScaled { y, x, f });
}

struct AddScaled<'a, const N: usize> {
    y: &'a mut [Lane<N>],
    x: &'a [Lane<N>],
    f: f32,
}

impl<const N: usize> WithSimd for AddScaled<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let f = simd.splat_f32s(self.f);
        for (y, x) in self.y.iter_mut().zip(self.x) {
            for (y, x) in vectors_mut::<S, N>(y).iter_mut().zip(vectors::<S, N>(x)) {
                *y = simd.mul_add_e_f32s(f, *x, *y);
            }
        }
    }
}

/// y ← f·y.
pub fn scale<const N: usize>(y: &mut [Lane<N>], f: f32) {
    arch_for::<N>().dispatch(Scale { y, f });
}

struct Scale<'a, const N: usize> {
    y: &'a mut [Lane<N>],
    f: f32,
}

impl<const N: usize> WithSimd for Scale<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let f = simd.splat_f32s(self.f);
        for y in self.y.iter_mut().flat_map(vectors_mut::<S, N>) {
            *y = simd.mul_f32s(*y, f);
        }
    }
}

/// Adds each row's sum of s, times `sign`, to its strip's lane.
pub fn add_rows<const N: usize>(sums: &mut [Lane<N>], s: &[Lane<N>], sign: f32) {
    let n = s.len() / sums.len().max(1);
    for (sum, s) in sums.iter_mut().zip(s.chunks_exact(n)) {
        for s in s {
            add_scaled(std::slice::from_mut(sum), std::slice::from_ref(s), sign);
        }
    }
}

/// d ← scale·d and d_scale += Σ raw·d, where y = scale·raw.
pub fn scale_grad<const N: usize>(raw: &[Lane<N>], scale: &[f32], grad: &mut [Lane<N>], d_scale: Option<&mut [f32]>) {
    arch_for::<N>().dispatch(ScaleGrad { raw, scale, grad, d_scale });
}

struct ScaleGrad<'a, const N: usize> {
    raw: &'a [Lane<N>],
    scale: &'a [f32],
    grad: &'a mut [Lane<N>],
    d_scale: Option<&'a mut [f32]>,
}

impl<const N: usize> WithSimd for ScaleGrad<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { raw, scale, grad, mut d_scale } = self;
        let n = scale.len();
        for (raw, grad) in raw.chunks_exact(n).zip(grad.chunks_exact_mut(n)) {
            for (k, (raw, grad)) in raw.iter().zip(grad).enumerate() {
                let (factor, mut sum) = (simd.splat_f32s(scale[k]), simd.splat_f32s(0.0));
                for (raw, grad) in vectors::<S, N>(raw).iter().zip(vectors_mut::<S, N>(grad)) {
                    sum = simd.mul_add_e_f32s(*raw, *grad, sum);
                    *grad = simd.mul_f32s(factor, *grad);
                }
                if let Some(d_scale) = d_scale.as_deref_mut() {
                    d_scale[k] += simd.reduce_sum_f32s(sum);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::strip::NARROW;
    use super::*;

    #[test]
    fn swish_and_its_gradient_agree_with_differences() {
        let lanes = |x: &[f32; 2]| {
            let rest = |i: usize| if i == 0 { x } else { &[0.3, -0.2] };
            [0, 1].map(|k| Lane(std::array::from_fn::<_, NARROW, _>(|i| rest(i)[k])))
        };
        let value = |x: &[f32; 2], alpha: &[f32]| {
            let mut act = [Lane::ZERO; 2];
            swish(&lanes(x), alpha, &mut act, None);
            act.map(|lane| lane.0)
        };
        let alpha = vec![1.0, 0.7];
        for x in [[-3.0, 0.5], [2.0, 30.0]] {
            let (mut act, mut sigma, mut grad) = ([Lane::ZERO; 2], [Lane::ZERO; 2], [Lane([1.0; NARROW]); 2]);
            swish(&lanes(&x), &alpha, &mut act, Some(&mut sigma));
            assert_eq!(act.map(|lane| lane.0), value(&x, &alpha));
            let mut gated = [Lane::ZERO; 2];
            gate(&lanes(&x), &sigma, &mut gated);
            assert_eq!(gated.map(|lane| lane.0), value(&x, &alpha));
            let mut d_alpha = vec![0.0; 2];
            swish_grad([&lanes(&x), &act, &sigma], &alpha, &mut grad, Some(&mut d_alpha));
            let eps = 1e-2;
            for k in 0..2 {
                let moved = |by: f32| {
                    let mut x = x;
                    x[k] += by;
                    value(&x, &alpha)[k][0]
                };
                let slope = (moved(eps) - moved(-eps)) / (2.0 * eps);
                assert!((slope - grad[k].0[0]).abs() < 2e-3, "{k}: {slope} {}", grad[k].0[0]);
                let total = |by: f32| {
                    let mut alpha = alpha.clone();
                    alpha[k] += by;
                    value(&x, &alpha)[k].iter().sum::<f32>()
                };
                assert!(((total(eps) - total(-eps)) / (2.0 * eps) - d_alpha[k]).abs() < 2e-3);
            }
        }
    }

    #[test]
    fn sums_over_rows_and_over_columns_take_every_lane() {
        let lanes: [Lane<48>; 4] = std::array::from_fn(|k| Lane(std::array::from_fn(|i| (k * 48 + i) as f32)));
        let mut columns = [0.5, 1.0];
        add_sums(&lanes, &mut columns);
        let column = |k: usize| (0..48).map(|i| (k * 48 + i + (k + 2) * 48 + i) as f32).sum::<f32>();
        assert_eq!(columns, [0.5 + column(0), 1.0 + column(1)]);
        let mut rows = [Lane([1.0; 48]); 2];
        add_rows(&mut rows, &lanes, -1.0);
        assert_eq!((rows[0].0[3], rows[1].0[5]), (1.0 - (3.0 + 51.0), 1.0 - (101.0 + 149.0)));
    }
}
