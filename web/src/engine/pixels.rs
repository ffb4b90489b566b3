//! From the flow's tensors to numbers, and between these and what a canvas takes.

use burn::tensor::Tensor;
use shared::logit::{image_to_logit, to_pixel};
use shared::weights::Card;
use shared::{DataKind, FlowBackend, RgFlowConfig};

use crate::error::{Error, Result};
use shared::colours::colour;

/// How a model's numbers are shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Look {
    /// Logits of pixels, with so many channels. One is grey; of more, the first three are shown.
    Pixels(usize),
    /// A field with one channel, in colours from minus this value to plus.
    Field(f32),
}

impl Look {
    /// Of a model.
    ///
    /// # Errors
    /// [`Error::Request`] if its pictures cannot be shown.
    pub fn of(config: &RgFlowConfig, card: &Card) -> Result<Self> {
        match (config.data, config.channels) {
            (DataKind::Images, channels @ (1 | 3)) => Ok(Self::Pixels(channels)),
            (DataKind::Field, 1) => Ok(Self::Field(card.shown_range())),
            (DataKind::Images, channels) => {
                Err(Error::Request(format!("its pictures have {channels} channels; 1 and 3 can be shown")))
            }
            (DataKind::Field, channels) => {
                Err(Error::Request(format!("its fields have {channels} channels; those with 1 can be shown")))
            }
        }
    }

    /// Numbers [C, n, n] as opaque pixels, four bytes each.
    pub fn rgba(self, numbers: &[f32]) -> Vec<u8> {
        match self {
            Self::Pixels(channels) => {
                let area = numbers.len() / channels.max(1);
                let channel = |c: usize, pixel: usize| to_pixel(numbers[c.min(channels - 1) * area + pixel]);
                (0..area).flat_map(|pixel| [channel(0, pixel), channel(1, pixel), channel(2, pixel), u8::MAX]).collect()
            }
            Self::Field(range) => numbers
                .iter()
                .flat_map(|number| {
                    let [red, green, blue] = colour(number / range);
                    [red, green, blue, u8::MAX]
                })
                .collect(),
        }
    }

    /// The numbers of bytes [C, n, n]: logits of the middles of their cells. In a field black is the lowest value that has
    /// a colour of its own, and white the highest.
    pub fn numbers(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::Pixels(_) => image_to_logit(bytes, || 0.5).0,
            Self::Field(range) => bytes.iter().map(|&byte| (f32::from(byte) / 127.5 - 1.0) * range).collect(),
        }
    }
}

/// Rows of three bytes a pixel as three planes.
pub fn planes(rgb: &[u8]) -> Vec<u8> {
    (0..3).flat_map(|channel| rgb.iter().skip(channel).step_by(3)).copied().collect()
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
        let rgba = Look::Pixels(3).rgba(&logits([1, 2, 10, 20, 100, 200]));
        assert_eq!(rgba, [1, 10, 100, 255, 2, 20, 200, 255]);
    }

    #[test]
    fn one_channel_is_grey() {
        assert_eq!(Look::Pixels(1).rgba(&logits([7, 9])), [7, 7, 7, 255, 9, 9, 9, 255]);
        assert!(Look::Pixels(3).rgba(&[]).is_empty());
    }

    #[test]
    fn bytes_are_logits_or_a_fields_values() {
        assert_eq!(Look::Pixels(1).numbers(&[7, 200]), logits([7, 200]));
        let field = Look::Field(2.0);
        assert_eq!(field.numbers(&[0, 255]), [-2.0, 2.0]);
        let [low, high] = [-2.0, 2.0].map(|value| field.rgba(&[value]));
        assert_eq!((field.rgba(&[-7.0]), field.rgba(&[7.0])), (low, high), "values beyond the ends have their colours");
    }
}
