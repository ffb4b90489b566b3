//! Elementwise passes over strips, written so that the compiler vectorises them for the instructions that the
//! processor has.
//!
//! Where a parameter belongs to a column, the lanes are those of one strip or of several one after the other.

use pulp::{Scalar, Simd, WithSimd};

use super::exponential::sigmoid_of_negative;
use super::strip::{Lane, NARROW};
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
    let (x, x_rest) = S::as_simd_f32s(&x.0);
    let (act, act_rest) = S::as_mut_simd_f32s(&mut act.0);
    let (sigma, sigma_rest) = S::as_mut_simd_f32s(&mut sigma.0);
    for ((x, act), sigma) in x.iter().zip(act).zip(sigma) {
        *sigma = sigmoid_of_negative(simd, simd.mul_f32s(*x, simd.splat_f32s(-alpha)));
        *act = simd.mul_f32s(*x, *sigma);
    }
    for ((x, act), sigma) in x_rest.iter().zip(act_rest).zip(sigma_rest) {
        *sigma = sigmoid_of_negative(Scalar, -alpha * x);
        *act = x * *sigma;
    }
}

/// act = x·σ.
pub fn gate<const N: usize>(x: &[Lane<N>], sigma: &[Lane<N>], act: &mut [Lane<N>]) {
    arch_for::<N>().dispatch(
        #[inline(always)]
        || {
            for ((x, sigma), act) in x.iter().zip(sigma).zip(act) {
                for ((x, sigma), act) in x.0.iter().zip(&sigma.0).zip(&mut act.0) {
                    *act = x * sigma;
                }
            }
        },
    );
}

/// Turns the gradient of act into that of x, in place, and adds to that of α. Takes x, act and σ.
pub fn swish_grad<const N: usize>(
    [x, act, sigma]: [&[Lane<N>]; 3],
    alpha: &[f32],
    grad: &mut [Lane<N>],
    mut d_alpha: Option<&mut [f32]>,
) {
    let n = alpha.len();
    arch_for::<N>().dispatch(
        #[inline(always)]
        || {
            let strips = x.chunks_exact(n).zip(act.chunks_exact(n)).zip(sigma.chunks_exact(n));
            for (((x, act), sigma), grad) in strips.zip(grad.chunks_exact_mut(n)) {
                for (k, (((x, act), sigma), grad)) in x.iter().zip(act).zip(sigma).zip(grad).enumerate() {
                    let a = alpha[k];
                    let mut by_alpha = Lane::<N>::ZERO;
                    let lanes = x.0.iter().zip(&act.0).zip(&sigma.0).zip(&mut grad.0).zip(&mut by_alpha.0);
                    for ((((x, act), sigma), grad), by_alpha) in lanes {
                        let slope = act * (1.0 - sigma);
                        *by_alpha = *grad * x * slope;
                        *grad *= sigma + a * slope;
                    }
                    if let Some(d_alpha) = d_alpha.as_deref_mut() {
                        d_alpha[k] += sum(&by_alpha);
                    }
                }
            }
        },
    );
}

/// The sum of a lane's numbers, in an order that vector instructions can follow.
#[inline(always)]
fn sum<const N: usize>(lane: &Lane<N>) -> f32 {
    let mut sums = [0.0; NARROW];
    for part in lane.0.as_chunks::<NARROW>().0 {
        for (sum, x) in sums.iter_mut().zip(part) {
            *sum += x;
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

/// sums += the sums over all rows of each column of y.
pub fn add_sums<const N: usize>(y: &[Lane<N>], sums: &mut [f32]) {
    arch_for::<N>().dispatch(
        #[inline(always)]
        || {
            for y in y.chunks_exact(sums.len()) {
                for (total, y) in sums.iter_mut().zip(y) {
                    *total += sum(y);
                }
            }
        },
    );
}

/// y += x.
pub fn add<const N: usize>(y: &mut [Lane<N>], x: &[Lane<N>]) {
    arch_for::<N>().dispatch(
        #[inline(always)]
        || {
            for (y, x) in y.iter_mut().zip(x) {
                for (y, x) in y.0.iter_mut().zip(&x.0) {
                    *y += x;
                }
            }
        },
    );
}

/// y ← f·y.
pub fn scale<const N: usize>(y: &mut [Lane<N>], f: f32) {
    arch_for::<N>().dispatch(
        #[inline(always)]
        || {
            for y in y {
                for y in &mut y.0 {
                    *y *= f;
                }
            }
        },
    );
}

/// Adds each row's sum of s, times `sign`, to its strip's lane.
pub fn add_rows<const N: usize>(sums: &mut [Lane<N>], s: &[Lane<N>], sign: f32) {
    let n = s.len() / sums.len().max(1);
    arch_for::<N>().dispatch(
        #[inline(always)]
        || {
            for (sum, s) in sums.iter_mut().zip(s.chunks_exact(n)) {
                for s in s {
                    for (sum, s) in sum.0.iter_mut().zip(&s.0) {
                        *sum += sign * s;
                    }
                }
            }
        },
    );
}

/// d ← scale·d and d_scale += Σ raw·d, where y = scale·raw.
pub fn scale_grad<const N: usize>(
    raw: &[Lane<N>],
    scale: &[f32],
    grad: &mut [Lane<N>],
    mut d_scale: Option<&mut [f32]>,
) {
    let n = scale.len();
    arch_for::<N>().dispatch(
        #[inline(always)]
        || {
            for (raw, grad) in raw.chunks_exact(n).zip(grad.chunks_exact_mut(n)) {
                for (k, (raw, grad)) in raw.iter().zip(grad).enumerate() {
                    let mut product = *grad;
                    for ((g, product), raw) in grad.0.iter_mut().zip(&mut product.0).zip(&raw.0) {
                        *product *= raw;
                        *g *= scale[k];
                    }
                    if let Some(d_scale) = d_scale.as_deref_mut() {
                        d_scale[k] += sum(&product);
                    }
                }
            }
        },
    );
}

#[cfg(test)]
mod tests {
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
