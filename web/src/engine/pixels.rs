//! From the flow's numbers to what a canvas takes.

use shared::logit::to_pixel;

/// Logits [C, L, L] as opaque pixels, four bytes each. One channel is grey; of more, the first three are shown.
pub fn to_rgba(logits: &[f32], channels: usize) -> Vec<u8> {
    let area = logits.len() / channels.max(1);
    let channel = |c: usize, pixel: usize| to_pixel(logits[c.min(channels - 1) * area + pixel]);
    (0..area).flat_map(|pixel| [channel(0, pixel), channel(1, pixel), channel(2, pixel), u8::MAX]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::logit::to_logit;

    fn logits<const N: usize>(values: [u8; N]) -> Vec<f32> {
        values.iter().map(|&v| to_logit(v, 0.5).0).collect()
    }

    #[test]
    fn colours_are_interleaved() {
        let rgba = to_rgba(&logits([1, 2, 10, 20, 100, 200]), 3);
        assert_eq!(rgba, [1, 10, 100, 255, 2, 20, 200, 255]);
    }

    #[test]
    fn one_channel_is_grey() {
        assert_eq!(to_rgba(&logits([7, 9]), 1), [7, 7, 7, 255, 9, 9, 9, 255]);
        assert!(to_rgba(&[], 3).is_empty());
    }
}
