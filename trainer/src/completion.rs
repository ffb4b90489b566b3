//! Completions of images as bytes, and how far they are from the truth.

use shared::edit::inpaint::Mask;
use shared::{FlowBackend, logit};

use burn::tensor::Tensor;

/// Colour of unknown pixels in pictures, as in the paper's fig. 7.
const UNKNOWN: [u8; 3] = [220, 40, 40];

/// Planar pictures as logits, each value at the middle of its cell.
pub fn logits(pixels: &[u8]) -> Vec<f32> {
    logit::image_to_logit(pixels, || 0.5).0
}

/// Logits as planar pictures of `dims` bytes.
pub fn pictures<B: FlowBackend>(images: Tensor<B, 4>) -> Vec<Vec<u8>> {
    let [_, channels, height, width] = images.dims();
    let values: Vec<f32> = images.into_data().iter::<f32>().collect();
    let picture = |y: &[f32]| y.iter().map(|&y| logit::to_pixel(y)).collect();
    values.chunks_exact(channels * height * width).map(picture).collect()
}

/// Peak signal-to-noise ratio of the pixels in the hole, in dB; infinite where they are the same.
pub fn hole_psnr(truth: &[u8], completed: &[u8], mask: &Mask) -> f64 {
    let places = mask.places(truth.len() / (mask.size() * mask.size()));
    let off = |i: &usize| f64::from(truth[*i].abs_diff(completed[*i])).powi(2);
    let mean = places.iter().map(off).sum::<f64>() / places.len() as f64;
    10.0 * (255f64.powi(2) / mean).log10()
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
    values.into_iter().map(logit::to_pixel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;
    use burn::tensor::TensorData;

    #[test]
    fn bytes_come_back_from_their_logits() {
        let pixels: Vec<u8> = (0..96).map(|i| (i * 5 % 256) as u8).collect();
        let tensor = Tensor::<Flex, 4>::from_data(TensorData::new(logits(&pixels), [2, 3, 4, 4]), &Default::default());
        assert_eq!(pictures(tensor), [pixels[..48].to_vec(), pixels[48..].to_vec()]);
    }

    #[test]
    fn only_the_hole_is_measured_marked_and_filled() {
        let mask = Mask::square(4, 1, 1, 2).unwrap();
        let truth = vec![100u8; 48];
        let mut other = truth.clone();
        other[0] = 0;
        assert_eq!(hole_psnr(&truth, &other, &mask), f64::INFINITY);
        mask.places(3).into_iter().for_each(|i| other[i] = 151);
        assert!((hole_psnr(&truth, &other, &mask) - 20.0 * 5f64.log10()).abs() < 1e-9);
        let red = marked(&other, &mask);
        assert_eq!((red[0], red[5], red[16 + 5], red[32 + 5], red[15]), (0, 220, 40, 40, 100));
        let filled = smooth(&other, &mask);
        assert!(mask.places(3).into_iter().all(|i| filled[i] < 101));
        assert_eq!((filled[0], filled[15]), (0, 100));
    }
}
