//! The file with the two nets' weights: bytes, and for each tensor what a byte is worth.

use safetensors::{Dtype, SafeTensors};

use crate::error::{Error, Result};
use crate::map::{Dense, Depthwise};

/// The tensors of one net.
pub struct Weights<'a> {
    file: &'a SafeTensors<'a>,
    net: &'static str,
}

/// A 3×3 filter for each channel, and the matrix that is applied to what comes out.
#[derive(Clone, Debug)]
pub struct Separable {
    /// The filter.
    pub filter: Depthwise,
    /// The matrix.
    pub dense: Dense,
}

/// Opens the file.
///
/// # Errors
/// [`Error::Damaged`] if it is no such file.
pub fn open(bytes: &[u8]) -> Result<SafeTensors<'_>> {
    SafeTensors::deserialize(bytes).map_err(|error| Error::Damaged(error.to_string()))
}

impl<'a> Weights<'a> {
    /// Those of a net.
    pub fn new(file: &'a SafeTensors<'a>, net: &'static str) -> Self {
        Self { file, net }
    }

    /// A tensor's numbers.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is not there in this shape.
    fn numbers(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let path = format!("{}/{name}", self.net);
        let wrong = || Error::Damaged(format!("{path} is not there in the shape {shape:?}"));
        let tensor = self.file.tensor(&path).map_err(|_| wrong())?;
        let range = self.file.tensor(&format!("{path}/range")).map_err(|_| wrong())?;
        let range: Vec<f32> = range.data().as_chunks().0.iter().map(|&number| f32::from_le_bytes(number)).collect();
        match range[..] {
            [scale, least] if tensor.dtype() == Dtype::U8 && tensor.shape() == shape => {
                Ok(tensor.data().iter().map(|&byte| f32::from(byte) * scale + least).collect())
            }
            _ => Err(wrong()),
        }
    }

    /// A convolution: `name` is its matrix, of this shape.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is not there.
    pub fn dense(&self, name: &str, bias: &str, shape: &[usize]) -> Result<Dense> {
        let outputs = shape.last().copied().unwrap_or_default();
        Ok(Dense::new(&self.numbers(name, shape)?, &self.numbers(bias, &[outputs])?))
    }

    /// A 3×3 convolution from all channels to all.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is not there.
    pub fn full(&self, name: &str, inputs: usize, outputs: usize) -> Result<Dense> {
        self.dense(&format!("{name}/filters"), &format!("{name}/bias"), &[3, 3, inputs, outputs])
    }

    /// A separable convolution.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is not there.
    pub fn separable(&self, name: &str, inputs: usize, outputs: usize) -> Result<Separable> {
        let filter = Depthwise(self.numbers(&format!("{name}/depthwise_filter"), &[3, 3, inputs, 1])?);
        let (matrix, bias) = (format!("{name}/pointwise_filter"), format!("{name}/bias"));
        Ok(Separable { filter, dense: self.dense(&matrix, &bias, &[1, 1, inputs, outputs])? })
    }
}
