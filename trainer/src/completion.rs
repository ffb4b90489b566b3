//! Completions of images as bytes, how far they are from the truth, and the holes that methods are compared on.

use shared::edit::inpaint::Mask;
use shared::logit;

/// Colour of unknown pixels in pictures, as in the paper's fig. 7.
const UNKNOWN: [u8; 3] = [220, 40, 40];

/// The holes that methods are compared on: top, left, bottom and right as shares of the edge.
pub const HOLES: [(&str, [f32; 4]); 5] = [
    ("left-half", [0.0, 0.0, 1.0, 0.5]),
    ("lower-half", [0.5, 0.0, 1.0, 1.0]),
    ("centre", [0.344, 0.344, 0.656, 0.656]),
    ("eyes", [0.281, 0.125, 0.469, 0.844]),
    ("mouth", [0.625, 0.281, 0.844, 0.719]),
];

/// Planar pictures as logits, each value at the middle of its cell.
pub fn logits(pixels: &[u8]) -> Vec<f32> {
    logit::image_to_logit(pixels, || 0.5).0
}

/// Logits as bytes.
pub fn bytes(logits: &[f32]) -> Vec<u8> {
    logits.iter().map(|&y| logit::to_pixel(y)).collect()
}

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

/// The picture with its hole filled smoothly, without a model: what every model has to beat.
pub fn smooth(picture: &[u8], mask: &Mask) -> Vec<u8> {
    let mut values = logits(picture);
    mask.fill(&mut values);
    bytes(&values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_from_their_logits() {
        let pixels: Vec<u8> = (0..96).map(|i| (i * 5 % 256) as u8).collect();
        assert_eq!(bytes(&logits(&pixels)), pixels);
    }

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

    #[test]
    fn the_holes_are_the_same_share_of_every_size() {
        for size in [32, 64, 128] {
            for (name, shares) in HOLES {
                let share = Mask::region(size, shares).unwrap().pixels().len() as f32 / (size * size) as f32;
                let area = (shares[2] - shares[0]) * (shares[3] - shares[1]);
                assert!((share / area - 1.0).abs() < 0.15, "{name} of {size}: {share}");
            }
        }
    }
}
