//! A weights file of either architecture.

use super::card::Card;
use super::container::{Precision, header};
use super::real_nvp::RealNvpFile;
use super::rg_flow::ModelFile;
use crate::backend::FlowBackend;
use crate::error::Result;
use crate::image_flow::ImageFlow;
use crate::model::{Model, ModelConfig};

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
    pub fn from_model<B: FlowBackend>(model: &Model<B>, card: Card) -> Self {
        match model {
            Model::RgFlow(model) => Self::RgFlow(ModelFile::from_model(model, card)),
            Model::RealNvp(model) => Self::RealNvp(RealNvpFile::from_model(model, card)),
        }
    }

    /// The architecture.
    pub fn config(&self) -> ModelConfig {
        match self {
            Self::RgFlow(file) => file.config.clone().into(),
            Self::RealNvp(file) => file.config.clone().into(),
        }
    }

    /// The model's card.
    pub fn card(&self) -> &Card {
        match self {
            Self::RgFlow(file) => &file.card,
            Self::RealNvp(file) => &file.card,
        }
    }

    /// The model's card, to change it.
    pub fn card_mut(&mut self) -> &mut Card {
        match self {
            Self::RgFlow(file) => &mut file.card,
            Self::RealNvp(file) => &mut file.card,
        }
    }

    /// The flow on a device.
    ///
    /// # Errors
    /// [`crate::Error::Weights`] if a tensor is missing.
    pub fn to_flow<B: FlowBackend>(&self, device: &B::Device) -> Result<Box<dyn ImageFlow<B>>> {
        match self {
            Self::RgFlow(file) => Ok(Box::new(file.clone().into_flow(device)?)),
            Self::RealNvp(file) => Ok(Box::new(file.to_flow(device)?)),
        }
    }

    /// A trainable model with these weights, on a device.
    ///
    /// # Errors
    /// As [`AnyModelFile::to_flow`].
    pub fn to_model<B: FlowBackend>(&self, device: &B::Device) -> Result<Model<B>> {
        match self {
            Self::RgFlow(file) => file.to_model(device).map(Model::RgFlow),
            Self::RealNvp(file) => file.to_model(device).map(Model::RealNvp),
        }
    }

    /// Writes the file.
    ///
    /// # Errors
    /// [`crate::Error::Weights`] if a number is not finite, or does not fit the precision.
    pub fn to_bytes(&self, precision: Precision) -> Result<Vec<u8>> {
        match self {
            Self::RgFlow(file) => file.to_bytes(precision),
            Self::RealNvp(file) => file.to_bytes(precision),
        }
    }

    /// Reads a file that may be anything.
    ///
    /// # Errors
    /// [`crate::Error::Weights`] or [`crate::Error::Config`] says what is wrong with it and what to do.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        match ModelConfig::from_json(&header(bytes)?.config)? {
            ModelConfig::RgFlow(_) => ModelFile::from_bytes(bytes).map(Self::RgFlow),
            ModelConfig::RealNvp(_) => RealNvpFile::from_bytes(bytes).map(Self::RealNvp),
        }
    }
}
