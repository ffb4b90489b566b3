//! What batches are made of: bytes of pictures, which are dequantised, squeezed and passed through the logit, or fields as
//! they are.

use std::ops::Range;

use burn::tensor::{Tensor, TensorData};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::backend::FlowBackend;
use crate::logit;
use crate::threads::map_each;

/// A batch on the device.
pub struct Batch<B: FlowBackend> {
    /// Logits, or fields, `[batch, C, L, L]`.
    pub images: Tensor<B, 4>,
    /// log-determinant of the logit transform, `[batch]`; 0 of fields.
    pub log_det: Tensor<B, 1>,
}

/// Planar images of the given channels and edge, with noise that depends on the seed and on each image's own stream number
/// alone.
pub fn dequantise<B: FlowBackend>(
    pixels: &[u8],
    [channels, size]: [usize; 2],
    seed: u64,
    first_stream: u64,
    device: &B::Device,
) -> Batch<B> {
    let (images, log_det): (Vec<Vec<f32>>, Vec<f32>) =
        logits(pixels, channels * size * size, seed, first_stream).into_iter().unzip();
    let batch = images.len();
    let shape = [batch, channels, size, size];
    Batch {
        images: Tensor::from_data(TensorData::new(images.concat(), shape), device),
        log_det: Tensor::from_data(TensorData::new(log_det, [batch]), device),
    }
}

/// The logits of images of `dims` numbers with that noise, each with the log-determinant of the transform.
pub(super) fn logits(pixels: &[u8], dims: usize, seed: u64, first_stream: u64) -> Vec<(Vec<f32>, f32)> {
    let one = |(stream, pixels): (u64, &[u8])| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        logit::image_to_logit(pixels, || rng.random())
    };
    map_each((first_stream..).zip(pixels.chunks_exact(dims)).collect(), one)
}

/// Numbers of some pictures or fields, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Planar pictures of bytes.
    Pixels(Vec<u8>),
    /// Fields.
    Field(Vec<f32>),
}

impl Values {
    /// Some of them, each of `dims` numbers.
    pub fn part(&self, range: Range<usize>, dims: usize) -> Self {
        let range = range.start * dims..range.end * dims;
        match self {
            Self::Pixels(pixels) => Self::Pixels(pixels[range].to_vec()),
            Self::Field(field) => Self::Field(field[range].to_vec()),
        }
    }

    /// All of them on a device: pictures with dequantisation noise that depends on the seed and each one's stream number,
    /// fields without any.
    pub fn batch<B: FlowBackend>(
        &self,
        shape: [usize; 2],
        seed: u64,
        first_stream: u64,
        device: &B::Device,
    ) -> Batch<B> {
        let [channels, size] = shape;
        match self {
            Self::Pixels(pixels) => dequantise(pixels, shape, seed, first_stream, device),
            Self::Field(field) => {
                let count = field.len() / (channels * size * size);
                let data = TensorData::new(field.clone(), [count, channels, size, size]);
                Batch { images: Tensor::from_data(data, device), log_det: Tensor::zeros([count], device) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;

    #[test]
    fn fields_come_as_they_are_and_pictures_with_noise() {
        let field: Vec<f32> = (0..8).map(|i| i as f32 - 3.5).collect();
        let values = Values::Field(field.clone());
        let batch = values.batch::<Flex>([1, 2], 1, 0, &Default::default());
        assert_eq!((batch.images.dims(), batch.images.into_data().to_vec::<f32>().unwrap()), ([2, 1, 2, 2], field));
        assert_eq!(batch.log_det.into_data().to_vec::<f32>().unwrap(), [0.0; 2]);
        assert_eq!(values.part(1..2, 4), Values::Field(vec![0.5, 1.5, 2.5, 3.5]));
        let pixels = Values::Pixels(vec![9; 24]);
        let [one, other] = [0, 7].map(|stream| pixels.batch::<Flex>([3, 2], 1, stream, &Default::default()).images);
        assert!((one - other).abs().max().into_scalar() > 1e-6);
        assert_eq!(pixels.part(0..1, 12), Values::Pixels(vec![9; 12]));
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
