//! From bytes to what the flow takes, dequantised, squeezed, through the logit; and back.

use burn::tensor::{Tensor, TensorData};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use shared::{FlowBackend, logit};

/// A batch on the device.
pub struct Batch<B: FlowBackend> {
    /// Logits, `[batch, C, L, L]`.
    pub images: Tensor<B, 4>,
    /// log-determinant of the logit transform, `[batch]`.
    pub log_det: Tensor<B, 1>,
}

/// Images of the given channels and edge, with noise that depends on the seed and on each image's own stream number alone.
pub fn dequantise<B: FlowBackend>(
    pixels: &[u8],
    [channels, size]: [usize; 2],
    seed: u64,
    first_stream: u64,
    device: &B::Device,
) -> Batch<B> {
    let one = |(i, pixels): (usize, &[u8])| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(first_stream + i as u64);
        logit::image_to_logit(pixels, || rng.random())
    };
    let (images, log_det): (Vec<Vec<f32>>, Vec<f32>) =
        pixels.par_chunks_exact(channels * size * size).enumerate().map(one).unzip();
    let batch = images.len();
    let shape = [batch, channels, size, size];
    Batch {
        images: Tensor::from_data(TensorData::new(images.concat(), shape), device),
        log_det: Tensor::from_data(TensorData::new(log_det, [batch]), device),
    }
}

/// Planar pictures as logits, each value the middle of its cell.
pub fn middles(pixels: &[u8]) -> Vec<f32> {
    logit::image_to_logit(pixels, || 0.5).0
}

/// Logits as pixels.
pub fn to_pixels(logits: &[f32]) -> Vec<u8> {
    logits.iter().map(|&y| logit::to_pixel(y)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;

    #[test]
    fn bytes_come_back_from_their_logits() {
        let pixels: Vec<u8> = (0..96).map(|i| (i * 5 % 256) as u8).collect();
        assert_eq!(to_pixels(&middles(&pixels)), pixels);
    }

    #[test]
    fn noise_belongs_to_the_stream_and_pixels_come_back() {
        let pixels: Vec<u8> = (0..2 * 3 * 256).map(|i| (i * 7 % 256) as u8).collect();
        let images = |seed, first| {
            dequantise::<Flex>(&pixels, [3, 16], seed, first, &Default::default())
                .images
                .into_data()
                .to_vec::<f32>()
                .unwrap()
        };
        let (base, later) = (images(1, 5), images(1, 6));
        assert_eq!(base, images(1, 5));
        assert_ne!(base, later);
        assert_ne!(base, images(2, 5));
        assert_eq!(base.iter().map(|&y| logit::to_pixel(y)).collect::<Vec<_>>(), pixels);
    }
}
