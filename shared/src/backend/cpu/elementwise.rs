//! Elementwise passes, written so that the compiler vectorises them for the widest instructions the processor has.

use pulp::Arch;

/// e^x for finite x, within 2 units in the last place for results that f32 can hold.
#[inline(always)]
fn exp(x: f32) -> f32 {
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    // ln 2 in two parts, the first with so few bits that n·LN2_HI is exact.
    const LN2_HI: f32 = 0.693_359_4;
    const LN2_LO: f32 = -2.121_944_4e-4;
    // Adding and subtracting 1.5·2^23 rounds to the nearest integer without a library call.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let n = x * LOG2_E + ROUND - ROUND;
    let r = (x - n * LN2_HI) - n * LN2_LO;
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_5e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 0.5;
    let e = p * r * r + r + 1.0;
    // n is an integer between -126 and 127, so the exponent's bits neither overflow nor turn negative.
    e * f32::from_bits(((n + ROUND).to_bits() << 23).wrapping_add(127 << 23))
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[inline(always)]
fn tanh(x: f32) -> f32 {
    2.0 * sigmoid(2.0 * x) - 1.0
}

/// act = x·σ(αx), row by row.
pub fn swish(x: &[f32], alpha: &[f32], act: &mut [f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (x, act) in x.chunks_exact(alpha.len()).zip(act.chunks_exact_mut(alpha.len())) {
                for ((x, act), a) in x.iter().zip(act).zip(alpha) {
                    *act = x * sigmoid(a * x);
                }
            }
        },
    );
}

/// The same, keeping σ for the gradient.
pub fn swish_keep(x: &[f32], alpha: &[f32], act: &mut [f32], sigma: &mut [f32]) {
    let n = alpha.len();
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for ((x, act), sigma) in x.chunks_exact(n).zip(act.chunks_exact_mut(n)).zip(sigma.chunks_exact_mut(n)) {
                for (((x, act), sigma), a) in x.iter().zip(act).zip(sigma).zip(alpha) {
                    *sigma = sigmoid(a * x);
                    *act = x * *sigma;
                }
            }
        },
    );
}

/// Turns the gradient of act into that of x, in place, and adds that of α.
pub fn swish_grad(x: &[f32], act: &[f32], sigma: &[f32], alpha: &[f32], grad: &mut [f32], d_alpha: Option<&mut [f32]>) {
    let n = alpha.len();
    let mut unused = Vec::new();
    let d_alpha = d_alpha.unwrap_or_else(|| {
        unused.resize(n, 0.0);
        &mut unused
    });
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let rows =
                x.chunks_exact(n).zip(act.chunks_exact(n)).zip(sigma.chunks_exact(n)).zip(grad.chunks_exact_mut(n));
            for (((x, act), sigma), grad) in rows {
                for (((((x, act), sigma), grad), a), da) in
                    x.iter().zip(act).zip(sigma).zip(grad).zip(alpha).zip(d_alpha.iter_mut())
                {
                    let slope = act * (1.0 - sigma);
                    *da += *grad * x * slope;
                    *grad *= sigma + a * slope;
                }
            }
        },
    );
}

/// y += bias, row by row.
pub fn add_bias(y: &mut [f32], bias: &[f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for y in y.chunks_exact_mut(bias.len()) {
                for (y, b) in y.iter_mut().zip(bias) {
                    *y += b;
                }
            }
        },
    );
}

/// sum += column sums of y.
pub fn add_columns(y: &[f32], sum: &mut [f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for y in y.chunks_exact(sum.len()) {
                for (s, y) in sum.iter_mut().zip(y) {
                    *s += y;
                }
            }
        },
    );
}

/// y += x.
pub fn add(y: &mut [f32], x: &[f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (y, x) in y.iter_mut().zip(x) {
                *y += x;
            }
        },
    );
}

/// y ← f·(y + x).
pub fn add_scaled(y: &mut [f32], x: &[f32], f: f32) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (y, x) in y.iter_mut().zip(x) {
                *y = f * (*y + x);
            }
        },
    );
}

/// One affine half-step on `value`, from the nets' raw outputs, in place: s becomes tanh of its scaled self.
///
/// Forward: v·e^s + t; backward in direction: (v − t)·e^−s. Adds ±Σs of each row to `log_det`.
pub fn affine(
    value: &mut [f32],
    s: &mut [f32],
    t: &mut [f32],
    scale_s: &[f32],
    scale_t: &[f32],
    log_det: Option<&mut [f32]>,
    forward: bool,
) {
    let n = scale_s.len();
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for ((v, s), t) in value.chunks_exact_mut(n).zip(s.chunks_exact_mut(n)).zip(t.chunks_exact_mut(n)) {
                for ((((v, s), t), ks), kt) in v.iter_mut().zip(s).zip(t).zip(scale_s).zip(scale_t) {
                    *s = tanh(ks * *s);
                    *t *= kt;
                    *v = if forward { *v * exp(*s) + *t } else { (*v - *t) * exp(-*s) };
                }
            }
            if let Some(log_det) = log_det {
                let sign = if forward { 1.0 } else { -1.0 };
                for (sum, s) in log_det.iter_mut().zip(s.chunks_exact(n)) {
                    *sum += sign * s.iter().sum::<f32>();
                }
            }
        },
    );
}

/// Gradients of one affine half-step.
///
/// On entry `s` is tanh'd, `before` and `after` are the step's value before and after it, `grad` is the gradient of
/// `after`; on return it is that of `before`, and `ds`, `dt` hold the gradients of the nets' scaled outputs.
pub fn affine_grad(
    [before, after, s, d_log_det]: [&[f32]; 4],
    [grad, ds, dt]: [&mut [f32]; 3],
    n: usize,
    forward: bool,
) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let rows = before.chunks_exact(n).zip(after.chunks_exact(n)).zip(s.chunks_exact(n)).zip(d_log_det);
            let grads = grad.chunks_exact_mut(n).zip(ds.chunks_exact_mut(n)).zip(dt.chunks_exact_mut(n));
            for ((((before, after), s), dl), ((grad, ds), dt)) in rows.zip(grads) {
                let inputs = before.iter().zip(after).zip(s);
                for (((before, after), s), ((grad, ds), dt)) in inputs.zip(grad.iter_mut().zip(ds).zip(dt)) {
                    let g = *grad;
                    if forward {
                        let e = exp(*s);
                        *grad = g * e;
                        *dt = g;
                        *ds = (g * before * e + dl) * (1.0 - s * s);
                    } else {
                        let e = exp(-*s);
                        *grad = g * e;
                        *dt = -g * e;
                        *ds = (-g * after - dl) * (1.0 - s * s);
                    }
                }
            }
        },
    );
}

/// d ← scale·d and d_scale += Σ raw·d, where y = scale·raw.
pub fn scale_grad(raw: &[f32], scale: &[f32], grad: &mut [f32], d_scale: Option<&mut [f32]>) {
    let n = scale.len();
    Arch::new().dispatch(
        #[inline(always)]
        || {
            if let Some(d_scale) = d_scale {
                for (raw, grad) in raw.chunks_exact(n).zip(grad.chunks_exact(n)) {
                    for ((d, raw), g) in d_scale.iter_mut().zip(raw).zip(grad) {
                        *d += raw * g;
                    }
                }
            }
            for grad in grad.chunks_exact_mut(n) {
                for (g, k) in grad.iter_mut().zip(scale) {
                    *g *= k;
                }
            }
        },
    );
}

/// sums += column sums of x·y.
pub fn column_products(x: &[f32], y: &[f32], sums: &mut [f32]) {
    let n = sums.len();
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (x, y) in x.chunks_exact(n).zip(y.chunks_exact(n)) {
                for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
                    *sum += x * y;
                }
            }
        },
    );
}

/// y = x with each column multiplied by its factor.
pub fn scale_columns(x: &[f32], factors: &[f32], y: &mut [f32]) {
    let n = factors.len();
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (x, y) in x.chunks_exact(n).zip(y.chunks_exact_mut(n)) {
                for ((y, x), f) in y.iter_mut().zip(x).zip(factors) {
                    *y = x * f;
                }
            }
        },
    );
}

/// The weight norm's gradient in its directions: f·(grad − along·v), column by column.
pub fn norm_grad(v: &[f32], grad: &[f32], factors: &[f32], along: &[f32], d_v: &mut [f32]) {
    let n = factors.len();
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for ((v, grad), d_v) in v.chunks_exact(n).zip(grad.chunks_exact(n)).zip(d_v.chunks_exact_mut(n)) {
                for ((((d, v), g), f), a) in d_v.iter_mut().zip(v).zip(grad).zip(factors).zip(along) {
                    *d = f * (g - a * v);
                }
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_right_over_the_whole_range() {
        for i in -86_000..88_000 {
            let x = i as f32 * 1e-3;
            let (got, want) = (exp(x) as f64, (x as f64).exp());
            assert!((got / want - 1.0).abs() < 3e-7, "exp({x}) = {got}, not {want}");
        }
        assert!(exp(-1e30) < 1e-37 && exp(1e30).is_finite());
    }

    #[test]
    fn swish_and_its_gradient_agree_with_differences() {
        let (x, alpha) = (vec![-3.0, 0.5, 2.0, 30.0], vec![1.0, 0.7]);
        let value = |x: &[f32], alpha: &[f32]| {
            let mut act = vec![0.0; 4];
            swish(x, alpha, &mut act);
            act
        };
        let (mut act, mut sigma) = (vec![0.0; 4], vec![0.0; 4]);
        swish_keep(&x, &alpha, &mut act, &mut sigma);
        assert_eq!(act, value(&x, &alpha));
        let (mut grad, mut d_alpha) = (vec![1.0; 4], vec![0.0; 2]);
        swish_grad(&x, &act, &sigma, &alpha, &mut grad, Some(&mut d_alpha));
        let eps = 1e-2;
        for i in 0..4 {
            let mut y = x.clone();
            y[i] += eps;
            let up = value(&y, &alpha)[i];
            y[i] -= 2.0 * eps;
            let slope = (up - value(&y, &alpha)[i]) / (2.0 * eps);
            assert!((slope - grad[i]).abs() < 2e-3, "{i}: {slope} {}", grad[i]);
        }
        let total = |a0: f32| value(&x, &[a0, 0.7]).iter().sum::<f32>();
        assert!(((total(1.01) - total(0.99)) / 0.02 - d_alpha[0]).abs() < 2e-3);
    }
}
