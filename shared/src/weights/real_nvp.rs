//! A Real NVP's weights file: the same container as an RG-Flow's.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

use super::card::Card;
use super::container::{self, Header, Precision, SECOND_VERSION};
use super::trainable::put;
use crate::backend::FlowBackend;
use crate::error::{Error, Result};
use crate::model::ModelConfig;
use crate::real_nvp::{RealNvp, RealNvpConfig, RealNvpFlow};

/// An exported Real NVP in memory.
///
/// Tensors are named as [`RealNvpConfig::tensors`] says.
#[derive(Clone, Debug)]
pub struct RealNvpFile {
    /// The architecture.
    pub config: RealNvpConfig,
    /// What a reader should know of it.
    pub card: Card,
    tensors: HashMap<String, Vec<f32>>,
}

impl RealNvpFile {
    /// Exports a trained model.
    pub fn from_model<B: FlowBackend>(model: &RealNvp<B>, card: Card) -> Self {
        struct Values(Vec<Vec<f32>>);
        impl<B: FlowBackend> ModuleVisitor<B> for Values {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
                self.0.push(param.val().into_data().iter::<f32>().collect());
            }
        }
        let mut values = Values(Vec::new());
        model.visit(&mut values);
        let config = model.config();
        let names = config.tensors().into_iter().map(|(name, _)| name);
        Self { config: config.clone(), card, tensors: names.zip(values.0).collect() }
    }

    /// The flow on a device.
    ///
    /// # Errors
    /// [`Error::Weights`] if a tensor is missing, which [`RealNvpFile::from_bytes`] does not let through.
    pub fn to_flow<B: FlowBackend>(&self, device: &B::Device) -> Result<RealNvpFlow<B>> {
        Ok(self.to_model(device)?.no_grad().fold())
    }

    /// A trainable model with these weights, on a device.
    ///
    /// # Errors
    /// As [`RealNvpFile::to_flow`].
    pub fn to_model<B: FlowBackend>(&self, device: &B::Device) -> Result<RealNvp<B>> {
        struct Set<'a> {
            names: std::vec::IntoIter<(String, Vec<usize>)>,
            tensors: &'a HashMap<String, Vec<f32>>,
            missing: Option<String>,
        }
        impl<B: FlowBackend> ModuleMapper<B> for Set<'_> {
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
                let (name, _) = self.names.next().unwrap_or_default();
                let Some(values) = self.tensors.get(&name) else {
                    self.missing = Some(name);
                    return param;
                };
                let mut param = param;
                put(&mut param, values.clone());
                param
            }
        }
        let mut set = Set { names: self.config.tensors().into_iter(), tensors: &self.tensors, missing: None };
        let model = RealNvp::new(&self.config, 0, device)?.map(&mut set);
        match set.missing {
            Some(name) => Err(Error::Weights(format!("tensor {name} is missing"))),
            None => Ok(model),
        }
    }

    /// Writes the file.
    ///
    /// # Errors
    /// [`Error::Weights`] if a number is not finite or does not fit the precision.
    pub fn to_bytes(&self, precision: Precision) -> Result<Vec<u8>> {
        let config = ModelConfig::from(self.config.clone());
        container::write(&config, &self.card, SECOND_VERSION, self.config.tensors(), &self.tensors, precision)
    }

    /// Reads a file that may be anything.
    ///
    /// # Errors
    /// [`Error::Weights`] says what is wrong with it and what to do.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let Header { config, card } = container::header(bytes)?;
        let ModelConfig::RealNvp(config) = ModelConfig::from_json(&config)? else {
            return Err(Error::Weights("the model is an RG-Flow, but a Real NVP is needed; give another one".into()));
        };
        config.validate()?;
        let tensors = container::tensors(bytes, config.tensors())?;
        Ok(Self { config, card, tensors })
    }
}
