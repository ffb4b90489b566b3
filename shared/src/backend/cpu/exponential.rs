//! e^x, sigmoid and tanh, on vectors; a single number is a vector of one.

use pulp::Simd;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use pulp::bytemuck::cast;

/// e^x for finite x, within 2 units in the last place for results that f32 can hold.
#[inline(always)]
pub fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    // ln 2 in two parts, the first with so few bits that n·LN2_HI is exact.
    const LN2_HI: f32 = 0.693_359_4;
    const LN2_LO: f32 = -2.121_944_4e-4;
    // Adding and subtracting 1.5·2^23 rounds to the nearest integer without a library call.
    const ROUND: f32 = 12_582_912.0;
    const POLYNOMIAL: [f32; 6] = [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_5e-2, 1.666_666_5e-1, 0.5];
    let splat = |x: f32| simd.splat_f32s(x);
    let fused = |a, b, c| simd.mul_add_e_f32s(a, b, c);
    let x = clamp(simd, x, -87.0, 88.0);
    let shifted = fused(x, splat(std::f32::consts::LOG2_E), splat(ROUND));
    let n = simd.sub_f32s(shifted, splat(ROUND));
    let r = fused(n, splat(-LN2_LO), fused(n, splat(-LN2_HI), x));
    let mut p = splat(POLYNOMIAL[0]);
    for coefficient in &POLYNOMIAL[1..] {
        p = fused(p, r, splat(*coefficient));
    }
    let e = simd.add_f32s(fused(p, simd.mul_f32s(r, r), r), splat(1.0));
    // n is an integer between -126 and 127, so the exponent's bits neither overflow nor turn negative.
    let exponent = to_exponent(simd, simd.transmute_u32s_f32s(shifted));
    let power = simd.add_u32s(exponent, simd.splat_u32s(127 << 23));
    simd.mul_f32s(e, simd.transmute_f32s_u32s(power))
}

/// Clamped to bounds.
#[inline(always)]
fn clamp<S: Simd>(simd: S, x: S::f32s, low: f32, high: f32) -> S::f32s {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    if S::F32_LANES == 4 {
        return cast(super::simd128::clamp(cast(x), low, high));
    }
    // The bounds come first, so that NaN passes on x86.
    simd.min_f32s(simd.splat_f32s(high), simd.max_f32s(simd.splat_f32s(low), x))
}

/// Shifted left to an f32's exponent.
#[inline(always)]
fn to_exponent<S: Simd>(simd: S, n: S::u32s) -> S::u32s {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    if S::F32_LANES == 4 {
        return cast(super::simd128::to_exponent(cast(n)));
    }
    simd.wrapping_dyn_shl_u32s(n, simd.splat_u32s(23))
}

/// 1 / (1 + e^−x), from −x.
#[inline(always)]
pub fn sigmoid_of_negative<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let one = simd.splat_f32s(1.0);
    simd.div_f32s(one, simd.add_f32s(one, exp(simd, x)))
}

/// The hyperbolic tangent.
#[inline(always)]
pub fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let sigmoid = sigmoid_of_negative(simd, simd.mul_f32s(x, simd.splat_f32s(-2.0)));
    simd.mul_add_e_f32s(sigmoid, simd.splat_f32s(2.0), simd.splat_f32s(-1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulp::{Arch, Scalar, WithSimd};

    struct Exp<'a>(&'a mut [f32]);

    impl WithSimd for Exp<'_> {
        type Output = ();

        fn with_simd<S: Simd>(self, simd: S) {
            let (vectors, rest) = S::as_mut_simd_f32s(self.0);
            vectors.iter_mut().for_each(|x| *x = exp(simd, *x));
            rest.iter_mut().for_each(|x| *x = exp(Scalar, *x));
        }
    }

    #[test]
    fn exp_is_right_over_the_whole_range() {
        let x: Vec<f32> = (-86_000..88_000).map(|i| i as f32 * 1e-3).collect();
        let mut vectors = x.clone();
        Arch::new().dispatch(Exp(&mut vectors));
        for (x, got) in x.iter().zip(vectors) {
            let want = (*x as f64).exp();
            for got in [got, exp(Scalar, *x)] {
                assert!((got as f64 / want - 1.0).abs() < 3e-7, "exp({x}) = {got}, not {want}");
            }
        }
        assert!(exp(Scalar, -1e30) < 1e-37 && exp(Scalar, 1e30).is_finite());
    }

    #[test]
    fn sigmoid_and_tanh_are_made_of_it() {
        for x in [-30.0, -2.0, -0.1, 0.0, 0.3, 5.0, 40.0f32] {
            assert!((sigmoid_of_negative(Scalar, -x) - 1.0 / (1.0 + (-x).exp())).abs() < 1e-6);
            assert!((tanh(Scalar, x) - x.tanh()).abs() < 1e-6);
        }
    }
}
