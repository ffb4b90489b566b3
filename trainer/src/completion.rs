//! Completions of images as bytes: how far they are from the truth, and how they are shown.

use shared::edit::inpaint::Mask;
use shared::logit::{middles, to_pixels};

/// Colour of unknown pixels in pictures, as in the paper's fig. 7.
const UNKNOWN: [u8; 3] = [220, 40, 40];

/// Peak signal-to-noise ratio of the pixels in the hole, in dB; infinite where they are the same.
pub fn hole_psnr(truth: &[u8], completed: &[u8], mask: &Mask) -> f64 {
    20.0 * (255.0 / hole_distance(truth, completed, mask)).log10()
}

/// Root mean square of the difference in the hole, in grey levels.
pub fn hole_distance(one: &[u8], other: &[u8], mask: &Mask) -> f64 {
    let places = mask.places(one.len() / (mask.size() * mask.size()));
    let off = |i: &usize| f64::from(one[*i].abs_diff(other[*i])).powi(2);
    (places.iter().map(off).sum::<f64>() / places.len() as f64).sqrt()
}

/// The picture with its unknown pixels marked.
pub fn marked(picture: &[u8], mask: &Mask) -> Vec<u8> {
    let plane = mask.size() * mask.size();
    let of = |(i, &value): (usize, &u8)| if mask.flags()[i % plane] { UNKNOWN[i / plane % 3] } else { value };
    picture.iter().enumerate().map(of).collect()
}

/// The picture with its hole filled smoothly, without a model: the baseline.
pub fn smooth(picture: &[u8], mask: &Mask) -> Vec<u8> {
    let mut values = middles(picture);
    mask.fill(&mut values);
    to_pixels(&values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hole_is_measured_marked_and_filled() {
        let mask = Mask::square(4, 1, 1, 2).unwrap();
        let truth = vec![100u8; 48];
        let mut other = truth.clone();
        other[0] = 0;
        assert_eq!(hole_psnr(&truth, &other, &mask), f64::INFINITY);
        mask.places(3).into_iter().for_each(|i| other[i] = 151);
        assert!((hole_distance(&truth, &other, &mask) - 51.0).abs() < 1e-9);
        assert!((hole_psnr(&truth, &other, &mask) - 20.0 * 5f64.log10()).abs() < 1e-9);
        let red = marked(&other, &mask);
        assert_eq!((red[0], red[5], red[16 + 5], red[32 + 5], red[15]), (0, 220, 40, 40, 100));
        let filled = smooth(&other, &mask);
        assert!(mask.places(3).into_iter().all(|i| filled[i] < 101));
        assert_eq!((filled[0], filled[15]), (0, 100));
    }
}
