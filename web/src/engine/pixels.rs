//! From the flow's tensors to numbers, and to what a canvas takes.

use burn::tensor::Tensor;
use shared::FlowBackend;
use shared::logit::to_pixel;

use crate::error::{Error, Result};

/// Logits [C, L, L] as opaque pixels, four bytes each. One channel is grey; of more, the first three are shown.
pub fn to_rgba(logits: &[f32], channels: usize) -> Vec<u8> {
    let area = logits.len() / channels.max(1);
    let channel = |c: usize, pixel: usize| to_pixel(logits[c.min(channels - 1) * area + pixel]);
    (0..area).flat_map(|pixel| [channel(0, pixel), channel(1, pixel), channel(2, pixel), u8::MAX]).collect()
}

/// A tensor's numbers; a browser's GPU answers later, so that nothing here may block.
pub async fn numbers<B: FlowBackend, const D: usize>(tensor: Tensor<B, D>) -> Result<Vec<f32>> {
    let data = tensor.into_data_async().await.map_err(|e| Error::Request(e.to_string()))?;
    Ok(data.iter::<f32>().collect())
}

/// The same, of what is shown or gone on with: weights that are valid may still lead beyond all numbers.
///
/// # Errors
/// [`Error::Overflow`] if they are not finite, and those of reading them back.
pub async fn finite<B: FlowBackend, const D: usize>(tensor: Tensor<B, D>) -> Result<Vec<f32>> {
    let numbers = numbers(tensor).await?;
    if numbers.iter().all(|number| number.is_finite()) { Ok(numbers) } else { Err(Error::Overflow) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::now;
    use super::*;
    use burn_flex::Flex;
    use shared::logit::to_logit;

    #[test]
    fn what_is_no_number_is_said_so() {
        let of = |numbers: [f32; 2]| now(finite(Tensor::<Flex, 1>::from_floats(numbers, &Default::default())));
        assert_eq!(of([1.0, -2.0]).unwrap(), [1.0, -2.0]);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(of([1.0, bad]).unwrap_err().to_string().contains("lower the temperature"));
        }
    }

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
