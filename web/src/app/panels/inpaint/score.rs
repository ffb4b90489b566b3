//! How close a completion is to the truth.

use crate::protocol::Image;

/// The peak signal-to-noise ratio in the unknown pixels, in dB; `None` where nothing is unknown or nothing differs.
pub fn psnr(truth: &Image, completed: &Image, unknown: &[(usize, usize)]) -> Option<f64> {
    let size = truth.size as usize;
    if truth.size != completed.size || truth.rgba.len() != completed.rgba.len() {
        return None;
    }
    let places = unknown.iter().flat_map(|&(row, col)| (0..3).map(move |c| (row * size + col) * 4 + c));
    let off = |i: usize| Some(f64::from(truth.rgba.get(i)?.abs_diff(*completed.rgba.get(i)?)).powi(2));
    let squares: Vec<f64> = places.map(off).collect::<Option<_>>()?;
    let mean = squares.iter().sum::<f64>() / squares.len() as f64;
    (mean > 0.0).then(|| 10.0 * (255.0f64.powi(2) / mean).log10())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hole_counts() {
        let image = |values: [u8; 4]| Image { size: 2, rgba: values.map(|v| [v, v, v, 255]).concat().into() };
        let (truth, completed) = (image([10, 20, 30, 40]), image([10, 20, 35, 140]));
        let expected = 20.0 * (255.0f64 / 5.0).log10();
        assert!((psnr(&truth, &completed, &[(1, 0)]).unwrap() - expected).abs() < 1e-9);
        assert!(psnr(&truth, &completed, &[(1, 1)]).unwrap() < expected);
        assert_eq!(psnr(&truth, &completed, &[]), None);
        assert_eq!(psnr(&truth, &completed, &[(0, 0)]), None);
        assert_eq!(psnr(&truth, &completed, &[(5, 0)]), None);
    }
}
