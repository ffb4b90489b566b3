//! What wasm's vectors do in one instruction, but pulp number by number or in many.

use core::arch::wasm32::{
    f32x4, f32x4_extract_lane, f32x4_pmax, f32x4_pmin, f32x4_splat, u32x4, u32x4_extract_lane, u32x4_shl, v128,
};

/// Clamped to bounds; NaN stays NaN.
#[inline(always)]
pub fn clamp(x: [f32; 4], low: f32, high: f32) -> [f32; 4] {
    let [a, b, c, d] = x;
    let x = f32x4_pmin(f32x4_pmax(f32x4(a, b, c, d), f32x4_splat(low)), f32x4_splat(high));
    [f32x4_extract_lane::<0>(x), f32x4_extract_lane::<1>(x), f32x4_extract_lane::<2>(x), f32x4_extract_lane::<3>(x)]
}

/// Shifted left by the number of bits in an f32's fraction.
#[inline(always)]
pub fn to_exponent([a, b, c, d]: [u32; 4]) -> [u32; 4] {
    let x: v128 = u32x4_shl(u32x4(a, b, c, d), 23);
    [u32x4_extract_lane::<0>(x), u32x4_extract_lane::<1>(x), u32x4_extract_lane::<2>(x), u32x4_extract_lane::<3>(x)]
}
