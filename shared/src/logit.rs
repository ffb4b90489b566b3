//! Between pixels of 8 bits and the unbounded numbers that the flow works on.
//!
//! A value v becomes (v + u)/256 with dequantisation noise u in [0, 1), is squeezed into [.05, .95] and passed
//! through the logit.

use std::f64::consts::LN_2;

/// Share of [0, 1] that the squeezed values cover.
const SQUEEZE: f64 = 0.9;

/// The logit of a pixel value, and the logarithm of its derivative with respect to the value in [0, 1].
pub fn to_logit(value: u8, noise: f32) -> (f32, f32) {
    let x = (f64::from(value) + f64::from(noise)) / 256.0;
    let p = (SQUEEZE * (2.0 * x - 1.0) + 1.0) / 2.0;
    ((p / (1.0 - p)).ln() as f32, log_slope(p) as f32)
}

/// The logarithm of the logit's derivative with respect to the value in [0, 1], where the logit is y.
pub fn log_derivative(y: f32) -> f64 {
    log_slope(1.0 / (1.0 + f64::from(-y).exp()))
}

/// The same, as a function of the squeezed value.
fn log_slope(p: f64) -> f64 {
    (SQUEEZE / (p * (1.0 - p)).max(f64::MIN_POSITIVE)).ln()
}

/// The value that has this logit: outside [0, 1] if the logit is outside the data's range.
pub fn from_logit(y: f32) -> f32 {
    let p = 1.0 / (1.0 + (-f64::from(y)).exp());
    (((2.0 * p - 1.0) / SQUEEZE + 1.0) / 2.0) as f32
}

/// The pixel value whose cell holds this logit.
pub fn to_pixel(y: f32) -> u8 {
    // `as` turns NaN into 0.
    (from_logit(y) * 256.0).floor().clamp(0.0, 255.0) as u8
}

/// The logits of an image, and the log-determinant of the transform.
///
/// `noise` gives u for each value; 0.5 everywhere is the middle of each cell.
pub fn image_to_logit(pixels: &[u8], mut noise: impl FnMut() -> f32) -> (Vec<f32>, f32) {
    let mut log_det = 0.0;
    let logits = pixels
        .iter()
        .map(|&value| {
            let (y, derivative) = to_logit(value, noise());
            log_det += f64::from(derivative);
            y
        })
        .collect();
    (logits, log_det as f32)
}

/// Planar pictures as logits, each value the middle of its cell.
pub fn middles(pixels: &[u8]) -> Vec<f32> {
    image_to_logit(pixels, || 0.5).0
}

/// Logits as the pixels whose cells hold them.
pub fn to_pixels(logits: &[f32]) -> Vec<u8> {
    logits.iter().map(|&y| to_pixel(y)).collect()
}

/// Bits per dimension of an image of `dims` values in 0 .. 255, from log p of its values in [0, 1].
pub fn bits_per_dim(log_prob: f64, dims: usize) -> f64 {
    (-log_prob / dims as f64) / LN_2 + 8.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_comes_back_with_any_noise() {
        for value in 0..=255 {
            for noise in [0.001, 0.5, 0.999] {
                assert_eq!(to_pixel(to_logit(value, noise).0), value, "{value} + {noise}");
            }
        }
    }

    #[test]
    fn bytes_come_back_from_their_logits() {
        let pixels: Vec<u8> = (0..96).map(|i| (i * 5 % 256) as u8).collect();
        assert_eq!(to_pixels(&middles(&pixels)), pixels);
    }

    #[test]
    fn values_out_of_range_are_clamped() {
        assert_eq!((to_pixel(-30.0), to_pixel(30.0), to_pixel(f32::NAN)), (0, 255, 0));
    }

    #[test]
    fn log_derivative_agrees_with_differences() {
        for value in [0, 3, 128, 255] {
            let slope = (to_logit(value, 0.9).0 - to_logit(value, 0.1).0) * 256.0 / 0.8;
            let (logit, log_slope) = to_logit(value, 0.5);
            assert!((slope.ln() - log_slope).abs() < 1e-3);
            assert!((log_derivative(logit) - f64::from(log_slope)).abs() < 1e-5);
        }
        for extreme in [-1e4, 1e4] {
            assert!(log_derivative(extreme).is_finite());
        }
    }

    #[test]
    fn uniform_density_costs_eight_bits() {
        assert_eq!(bits_per_dim(0.0, 3072), 8.0);
        assert!((bits_per_dim(3072.0 * LN_2, 3072) - 7.0).abs() < 1e-12);
    }

    #[test]
    fn an_images_log_det_is_the_sum() {
        let (logits, log_det) = image_to_logit(&[10, 200], || 0.25);
        assert_eq!(logits, [to_logit(10, 0.25).0, to_logit(200, 0.25).0]);
        assert!((log_det - to_logit(10, 0.25).1 - to_logit(200, 0.25).1).abs() < 1e-6);
    }
}
