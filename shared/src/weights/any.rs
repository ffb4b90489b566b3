//! A weights file of either architecture.

use super::container::header;
use super::file::VERSIONS;
use super::{Card, ModelFile, Precision};
use crate::backend::FlowBackend;
use crate::error::{Error, Result};
use crate::image_flow::ImageFlow;
use crate::model::{Model, ModelConfig};
use crate::real_nvp::RealNvpFile;

/// An exported model in memory, whatever its architecture.
#[derive(Clone, Debug)]
pub enum AnyModelFile {
    /// An RG-Flow's.
    RgFlow(ModelFile),
    /// A Real NVP's.
    RealNvp(RealNvpFile),
}

impl AnyModelFile {
    /// Exports a trained model.
    ///
    /// # Errors
    /// [`Error::Config`] if the configuration is of the other architecture.
    pub fn from_model<B: FlowBackend>(model: &Model<B>, config: &ModelConfig, card: Card) -> Result<Self> {
        match (model, config) {
            (Model::RgFlow(model), ModelConfig::RgFlow(config)) => {
                Ok(Self::RgFlow(ModelFile::from_model(model, config, card)))
            }
            (Model::RealNvp(model), ModelConfig::RealNvp(config)) => {
                Ok(Self::RealNvp(RealNvpFile::from_model(model, config, card)))
            }
            _ => Err(Error::Config("model and configuration are of different architectures".into())),
        }
    }

    /// The architecture.
    pub fn config(&self) -> ModelConfig {
        match self {
            Self::RgFlow(file) => file.config.clone().into(),
            Self::RealNvp(file) => file.config.clone().into(),
        }
    }

    /// What to know of it.
    pub fn card(&self) -> &Card {
        match self {
            Self::RgFlow(file) => &file.card,
            Self::RealNvp(file) => &file.card,
        }
    }

    /// The same, to change it.
    pub fn card_mut(&mut self) -> &mut Card {
        match self {
            Self::RgFlow(file) => &mut file.card,
            Self::RealNvp(file) => &mut file.card,
        }
    }

    /// The flow on a device.
    ///
    /// # Errors
    /// [`Error::Weights`] if a tensor is missing.
    pub fn to_flow<B: FlowBackend>(&self, device: &B::Device) -> Result<Box<dyn ImageFlow<B>>> {
        match self {
            Self::RgFlow(file) => Ok(Box::new(file.clone().into_flow(device)?)),
            Self::RealNvp(file) => Ok(Box::new(file.to_flow(device)?)),
        }
    }

    /// Writes the file.
    ///
    /// # Errors
    /// [`Error::Weights`] if a number is not finite, or does not fit the precision.
    pub fn to_bytes(&self, precision: Precision) -> Result<Vec<u8>> {
        match self {
            Self::RgFlow(file) => file.to_bytes(precision),
            Self::RealNvp(file) => file.to_bytes(precision),
        }
    }

    /// Reads a file that may be anything.
    ///
    /// # Errors
    /// [`Error::Weights`] or [`Error::Config`] says what is wrong with it and what to do.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        match ModelConfig::from_json(&header(bytes, &VERSIONS)?.config)? {
            ModelConfig::RgFlow(_) => ModelFile::from_bytes(bytes).map(Self::RgFlow),
            ModelConfig::RealNvp(_) => RealNvpFile::from_bytes(bytes).map(Self::RealNvp),
        }
    }
}
