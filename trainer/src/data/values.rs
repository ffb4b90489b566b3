//! What batches are made of: bytes of pictures, or fields as they are.

use std::ops::Range;

use burn::tensor::{Tensor, TensorData};
use shared::FlowBackend;

use super::dequantise::{Batch, dequantise};

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
}
