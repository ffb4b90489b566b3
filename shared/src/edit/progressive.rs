//! How the images after each inverse RG step are shown in reports (fig. 4a).

/// The logits of the images x^(h) after each inverse RG step as they are shown: each channel of a coarse image with the
/// mean and the standard deviation of the finished image's channel.
///
/// A coarse level's numbers have units of their own, which may differ between channels: nothing in the likelihood makes
/// them look like colours. So scale and offset of each channel come from the image that the level will become, and only
/// from that one: a sample looks the same alone and among others. A flat channel takes the finished one's mean.
///
/// # Shapes
/// - steps, output: coarsest first, each `[batch, C, n, n]`; the last, `[batch, C, L, L]`, is the finished one and
///   stays as it is
pub fn shown(mut steps: Vec<Vec<f32>>, batch: usize, channels: usize) -> Vec<Vec<f32>> {
    if let Some((finished, coarse)) = steps.split_last_mut() {
        let image = |all: &[f32]| (all.len() / batch.max(1)).max(1);
        for step in coarse {
            let pairs = step.chunks(image(step)).zip(finished.chunks(image(finished)));
            *step = pairs.flat_map(|(coarse, finished)| coloured(coarse, finished, channels)).collect();
        }
    }
    steps
}

/// One image: coarse `[C, n, n]`, finished `[C, L, L]`; output as coarse.
fn coloured(coarse: &[f32], finished: &[f32], channels: usize) -> Vec<f32> {
    let planes = |image: &[f32]| (image.len() / channels.max(1)).max(1);
    let pairs = coarse.chunks(planes(coarse)).zip(finished.chunks(planes(finished)));
    let recolour = |(plane, wanted): (&[f32], &[f32])| {
        let ((mean, spread), (to_mean, to_spread)) = (moments(plane), moments(wanted));
        // A smaller spread is rounding.
        let factor = if spread > mean.abs() * f64::from(f32::EPSILON) * 4.0 { to_spread / spread } else { 0.0 };
        plane.iter().map(|&y| (to_mean + (f64::from(y) - mean) * factor) as f32).collect::<Vec<_>>()
    };
    pairs.flat_map(recolour).collect()
}

/// Mean and standard deviation.
fn moments(plane: &[f32]) -> (f64, f64) {
    let count = plane.len() as f64;
    let mean = plane.iter().map(|&y| f64::from(y)).sum::<f64>() / count;
    let variance = plane.iter().map(|&y| (f64::from(y) - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNELS: usize = 3;

    fn finished() -> Vec<f32> {
        (0..CHANNELS * 64).map(|i| (i as f32 * 0.9).sin() * (1.0 + (i / 64) as f32) - (i / 64) as f32).collect()
    }

    fn coarse() -> Vec<f32> {
        (0..CHANNELS * 16).map(|i| (i as f32 * 0.7).cos()).collect()
    }

    fn near(a: &[f32], b: &[f32], tolerance: f32) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < tolerance)
    }

    #[test]
    fn an_image_looks_the_same_alone_and_among_others() {
        let waves = |n: usize| (0..n).map(|i| (i as f32 * 0.7).sin()).collect::<Vec<_>>();
        let steps = [3 * 12, 3 * 48].map(waves);
        let together = shown(steps.to_vec(), 3, CHANNELS);
        let alone = shown(vec![steps[0][12..24].to_vec(), steps[1][48..96].to_vec()], 1, CHANNELS);
        assert_eq!((together[0].len(), &together[0][12..24]), (36, alone[0].as_slice()));
        assert!(together[0].iter().all(|y| y.is_finite()) && together[0] != steps[0]);
        assert_eq!(together[1], steps[1]);
        assert!(shown(vec![], 1, CHANNELS).is_empty());
    }

    #[test]
    fn each_channel_takes_the_finished_pictures_mean_and_spread() {
        let shown = coloured(&coarse(), &finished(), CHANNELS);
        for (plane, wanted) in shown.chunks(16).zip(finished().chunks(64)) {
            let ((mean, spread), (to_mean, to_spread)) = (moments(plane), moments(wanted));
            assert!((mean - to_mean).abs() < 1e-5 && (spread - to_spread).abs() < 1e-5 && spread > 0.5);
        }
        assert_eq!(moments(&[1.0, 3.0]), (2.0, 1.0));
    }

    #[test]
    fn a_channels_own_units_do_not_show_and_its_order_does() {
        let plain = coloured(&coarse(), &finished(), CHANNELS);
        let other: Vec<f32> = coarse().iter().enumerate().map(|(i, y)| [70.0, 0.02, 3.0][i / 16] * y + 50.0).collect();
        assert!(near(&coloured(&other, &finished(), CHANNELS), &plain, 2e-3));
        assert!(near(&coloured(&finished(), &finished(), CHANNELS), &finished(), 1e-5));
        for (plane, shown) in coarse().chunks(16).zip(plain.chunks(16)) {
            assert!((1..16).all(|i| (plane[i] < plane[0]) == (shown[i] < shown[0])));
        }
    }

    #[test]
    fn flat_channels_and_numbers_that_are_not_finite_are_shown_too() {
        let mean = moments(&finished()).0 as f32;
        for flat in [0.0, 0.1, 1e30] {
            let shown = coloured(&[flat; 16], &finished(), 1);
            assert!(near(&shown, &[mean; 16], 1e-5), "{flat}: {shown:?}");
        }
        assert_eq!(coloured(&[f32::NAN, f32::INFINITY], &finished(), 1).len(), 2);
        assert_eq!(coloured(&[], &[], 0).len(), 0);
    }
}
