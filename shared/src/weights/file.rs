//! Reading and writing the exported file, as bytes.

use std::collections::HashMap;

use burn::tensor::{Tensor, TensorData};
use half::f16;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::Card;
use crate::backend::FlowBackend;
use crate::config::RgFlowConfig;
use crate::error::{Error, Result};
use crate::flow::{Flow, RgFlow, shapes};
use crate::geometry::Stage;
use crate::nn::{BijectorShape, BijectorWeights, Layered, LayeredLinear, LinearMap};

/// Version of the names and shapes below; a reader refuses what it does not know.
pub const FORMAT_VERSION: &str = "2";
/// The version before linear maps came; its files are read as before.
const WITHOUT_LINEAR_MAPS: &str = "1";

/// How numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Half the size; the default for the browser.
    F16,
    /// As trained.
    F32,
}

/// An exported model in memory: configuration, card, and the weights with weight norm applied.
///
/// Tensors are named `levels.H.STAGE.linears.I.alpha|weight|bias` and `levels.H.STAGE.scale`, where STAGE is
/// `disentangler` or `decimator` and I counts the linears of all residual blocks; shapes are those of
/// [`crate::nn::SwishLinear`]. With linear maps there are also `levels.H.STAGE.entry|exit.weight|bias`, applied as
/// x·weight + bias before and after the couplings. Metadata: `format` = `rg-flow`, `format_version`, `config` and `card` as JSON.
#[derive(Clone, Debug)]
pub struct ModelFile {
    /// The architecture.
    pub config: RgFlowConfig,
    /// What to know of it.
    pub card: Card,
    tensors: HashMap<String, Vec<f32>>,
}

impl ModelFile {
    /// Exports a trained model.
    pub fn from_model<B: FlowBackend>(model: &RgFlow<B>, config: &RgFlowConfig, card: Card) -> Self {
        let mut tensors = HashMap::new();
        for ((bijector, shape), stage) in model.bijectors.iter().zip(shapes(config)).zip(names(config)) {
            let weights = bijector.fold(shape.level);
            for (name, map) in [("entry", weights.entry), ("exit", weights.exit)] {
                if let Some(map) = map {
                    tensors.insert(format!("{stage}.{name}.weight"), numbers(map.weight));
                    tensors.insert(format!("{stage}.{name}.bias"), numbers(map.bias));
                }
            }
            let layered = weights.couplings;
            for (i, linear) in layered.linears.into_iter().enumerate() {
                tensors.insert(format!("{stage}.linears.{i}.alpha"), numbers(linear.alpha));
                tensors.insert(format!("{stage}.linears.{i}.weight"), numbers(linear.weight));
                tensors.insert(format!("{stage}.linears.{i}.bias"), numbers(linear.bias));
            }
            tensors.insert(format!("{stage}.scale"), numbers(layered.scale));
        }
        Self { config: config.clone(), card, tensors }
    }

    /// From tensors by name.
    ///
    /// # Errors
    /// [`Error::Config`] or [`Error::Weights`] if they are not those of the configuration.
    pub fn from_tensors(config: RgFlowConfig, card: Card, tensors: HashMap<String, Vec<f32>>) -> Result<Self> {
        config.validate()?;
        for (name, shape) in expected(&config) {
            let found = tensors.get(&name).map(Vec::len);
            if found != Some(shape.iter().product()) {
                return Err(Error::Weights(format!(
                    "tensor {name} of shape {shape:?} is needed, but there are {found:?} numbers"
                )));
            }
        }
        Ok(Self { config, card, tensors })
    }

    /// The flow on a device.
    ///
    /// # Errors
    /// [`Error::Weights`] if a tensor is missing; [`ModelFile::from_bytes`] has seen to that already.
    pub fn to_flow<B: FlowBackend>(&self, device: &B::Device) -> Result<Flow<B>> {
        let stages = shapes(&self.config).into_iter().zip(names(&self.config));
        let stages = stages.map(|(shape, stage)| self.stage(&shape, &stage, device)).collect::<Result<_>>()?;
        Ok(Flow::new(&self.config, stages))
    }

    fn stage<B: FlowBackend>(
        &self,
        shape: &BijectorShape,
        stage: &str,
        device: &B::Device,
    ) -> Result<BijectorWeights<B>> {
        let nets = shape.nets();
        let linear = |(i, l): (usize, crate::nn::LinearShape)| {
            Ok(LayeredLinear {
                alpha: self.tensor(&format!("{stage}.linears.{i}.alpha"), [nets, l.inputs], device)?,
                weight: self.tensor(&format!("{stage}.linears.{i}.weight"), [nets, l.inputs, l.outputs], device)?,
                bias: self.tensor(&format!("{stage}.linears.{i}.bias"), [nets, l.outputs], device)?,
            })
        };
        let linears = shape.linears().into_iter().enumerate().map(linear).collect::<Result<_>>()?;
        let scale = self.tensor(&format!("{stage}.scale"), [nets, shape.dim], device)?;
        let couplings = Layered { shape: *shape, linears, scale };
        let map = |name: &str| match self.config.linear_maps {
            true => self.map(&format!("{stage}.{name}"), device).map(Some),
            false => Ok(None),
        };
        Ok(BijectorWeights { entry: map("entry")?, couplings, exit: map("exit")? })
    }

    fn map<B: FlowBackend>(&self, name: &str, device: &B::Device) -> Result<LinearMap<B>> {
        let (weight, bias) = (self.values(&format!("{name}.weight"))?, self.values(&format!("{name}.bias"))?);
        LinearMap::new(weight.clone(), bias.clone(), device)
            .ok_or_else(|| Error::Weights(format!("{name} cannot be inverted; export the model again")))
    }

    fn values(&self, name: &str) -> Result<&Vec<f32>> {
        self.tensors.get(name).ok_or_else(|| Error::Weights(format!("tensor {name} is missing")))
    }

    fn tensor<B: FlowBackend, const D: usize>(
        &self,
        name: &str,
        shape: [usize; D],
        device: &B::Device,
    ) -> Result<Tensor<B, D>> {
        Ok(Tensor::from_data(TensorData::new(self.values(name)?.clone(), shape), device))
    }

    /// Writes the file.
    ///
    /// # Errors
    /// [`Error::Weights`] if a number is not finite, or does not fit the precision.
    pub fn to_bytes(&self, precision: Precision) -> Result<Vec<u8>> {
        let mut stored = Vec::new();
        for (name, shape) in expected(&self.config) {
            let values = self.values(&name)?;
            let fits = |v: &f32| v.is_finite() && (precision == Precision::F32 || f16::from_f32(*v).is_finite());
            if let Some(bad) = values.iter().find(|v| !fits(v)) {
                return Err(Error::Weights(format!(
                    "{name} holds {bad}, which {precision:?} cannot store; was training stable?"
                )));
            }
            let (dtype, bytes): (_, Vec<u8>) = match precision {
                Precision::F16 => (Dtype::F16, values.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes()).collect()),
                Precision::F32 => (Dtype::F32, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
            };
            stored.push((name, dtype, shape, bytes));
        }
        let views = stored
            .iter()
            .map(|(name, dtype, shape, bytes)| Ok((name.as_str(), TensorView::new(*dtype, shape.clone(), bytes)?)));
        let views =
            views.collect::<std::result::Result<Vec<_>, safetensors::SafeTensorError>>().map_err(write_error)?;
        let json =
            |value: serde_json::Result<String>| value.map_err(|e| Error::Weights(format!("writing the metadata: {e}")));
        // What an older program can read it should.
        let version = if self.config.linear_maps { FORMAT_VERSION } else { WITHOUT_LINEAR_MAPS };
        let metadata = HashMap::from([
            ("format".to_owned(), "rg-flow".to_owned()),
            ("format_version".to_owned(), version.to_owned()),
            ("config".to_owned(), json(serde_json::to_string(&self.config))?),
            ("card".to_owned(), json(serde_json::to_string(&self.card))?),
        ]);
        safetensors::serialize(views, Some(metadata)).map_err(write_error)
    }

    /// Reads a file that may be anything.
    ///
    /// # Errors
    /// [`Error::Weights`] says what is wrong with it and what to do.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let fail = |what: String| Error::Weights(what);
        let (_, header) = SafeTensors::read_metadata(bytes)
            .map_err(|e| fail(format!("not a complete safetensors file ({e}); download or export it again")))?;
        let metadata = header.metadata().as_ref();
        let get = |key: &str| metadata.and_then(|m| m.get(key)).map(String::as_str);
        if get("format") != Some("rg-flow") {
            return Err(fail("a safetensors file, but not of an RG-Flow; export one with `trainer export`".into()));
        }
        match get("format_version") {
            Some(FORMAT_VERSION | WITHOUT_LINEAR_MAPS) => {}
            other => {
                return Err(fail(format!(
                    "format version {other:?}, but this program reads {FORMAT_VERSION}; export the model again"
                )));
            }
        }
        let config =
            get("config").ok_or_else(|| fail("the metadata has no `config`; export the model again".into()))?;
        let config: RgFlowConfig =
            serde_json::from_str(config).map_err(|e| fail(format!("`config` in the metadata: {e}")))?;
        config.validate()?;
        let card = get("card")
            .map(serde_json::from_str)
            .transpose()
            .map_err(|e| fail(format!("`card` in the metadata: {e}")))?;
        let file = SafeTensors::deserialize(bytes).map_err(|e| fail(format!("{e}; download or export it again")))?;
        let mut tensors = HashMap::new();
        for (name, shape) in expected(&config) {
            let view =
                file.tensor(&name).map_err(|_| fail(format!("tensor {name} is missing; export the model again")))?;
            if view.shape() != shape {
                return Err(fail(format!("tensor {name} has shape {:?}, not {shape:?}", view.shape())));
            }
            let values = decode(&view)
                .ok_or_else(|| fail(format!("tensor {name} is {:?}; f16 and f32 can be read", view.dtype())))?;
            if values.iter().any(|v| !v.is_finite()) {
                return Err(fail(format!("tensor {name} holds numbers that are not finite")));
            }
            tensors.insert(name, values);
        }
        Ok(Self { config, card: card.unwrap_or_default(), tensors })
    }
}

fn write_error(error: safetensors::SafeTensorError) -> Error {
    Error::Weights(format!("writing safetensors: {error}"))
}

fn decode(view: &TensorView<'_>) -> Option<Vec<f32>> {
    let data = view.data();
    match view.dtype() {
        Dtype::F16 => Some(data.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect()),
        Dtype::F32 => Some(data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()),
        _ => None,
    }
}

/// Name prefixes of the stages, in the order of [`shapes`].
fn names(config: &RgFlowConfig) -> impl Iterator<Item = String> + use<> {
    (0..config.levels.len()).flat_map(|h| Stage::BOTH.map(|stage| format!("levels.{h}.{}", stage.name())))
}

/// Names and shapes of all tensors.
fn expected(config: &RgFlowConfig) -> Vec<(String, Vec<usize>)> {
    let mut tensors = Vec::new();
    for (shape, stage) in shapes(config).iter().zip(names(config)) {
        let nets = shape.nets();
        for (i, l) in shape.linears().iter().enumerate() {
            tensors.push((format!("{stage}.linears.{i}.alpha"), vec![nets, l.inputs]));
            tensors.push((format!("{stage}.linears.{i}.weight"), vec![nets, l.inputs, l.outputs]));
            tensors.push((format!("{stage}.linears.{i}.bias"), vec![nets, l.outputs]));
        }
        tensors.push((format!("{stage}.scale"), vec![nets, shape.dim]));
        for map in if config.linear_maps { &["entry", "exit"][..] } else { &[] } {
            tensors.push((format!("{stage}.{map}.weight"), vec![shape.dim; 2]));
            tensors.push((format!("{stage}.{map}.bias"), vec![shape.dim]));
        }
    }
    tensors
}

fn numbers<B: FlowBackend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
