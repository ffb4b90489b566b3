//! Reading and writing the exported file, as bytes.

use std::collections::HashMap;

use burn::tensor::{Tensor, TensorData, read_sync};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::card::Card;
use super::container::{
    self, FIFTH_VERSION, FIRST_VERSION, FOURTH_VERSION, Header, Precision, SECOND_VERSION, SIXTH_VERSION, THIRD_VERSION,
};
use crate::backend::FlowBackend;
use crate::config::{CouplingKind, DataKind, RgFlowConfig};
use crate::error::{Error, Result};
use crate::flow::{Flow, RgFlow};
use crate::geometry::Stage;
use crate::model::ModelConfig;
use crate::nn::{Couplings, FoldedBijector, FoldedLinear, FoldedMap, Places};
use crate::sampler::{MOST_DIRECTIONS, Sampler};
use crate::shape::{LinearShape, StageShape, shapes};

/// Name of the mean image.
pub(super) const MEAN: &str = "mean";
/// Names of the sampler's tensors, which a file may lack: its mean, directions and variances.
const SAMPLER: [&str; 3] = ["sampler.mean", "sampler.directions", "sampler.variances"];

/// An exported model in memory: configuration, card, and the weights with weight norm applied.
///
/// Tensors are named `levels.H.STAGE.linears.I.alpha|weight|bias` and `levels.H.STAGE.scale`, where STAGE is
/// `disentangler` or `decimator` and I counts the linears of all residual blocks; shapes are those of
/// [`crate::nn::FoldedLinear`]. With linear maps there are also `levels.H.STAGE.entry|exit.weight|bias`, applied as
/// x·weight + bias before and after the couplings; with a mean image, `mean`, which is subtracted from the image's
/// logits; with place features, `levels.H.STAGE.places` `[blocks, features]` where a stage has more than one block, and rows
/// of C·m² + 2·features numbers in the couplings. Where all levels share their weights, these are level 0's.
///
/// With splines of K bins the last linear's outputs and the scale are laid out as `[half, P, C·m²/2]`, where P is
/// [`CouplingKind::outputs`]: first s or t, to which alone the residual connection and, for s, the tanh apply, then
/// half of the splines' parameters. Net s's half followed by net t's are K widths, K heights and K − 1 slopes; for even
/// K there is one number more, which is not used.
///
/// A file may also have a [`Sampler`] of K directions, as `sampler.mean` `[C, L, L]`, `sampler.directions` `[K, C, L,
/// L]` and `sampler.variances` `[K]`.
///
/// Metadata: `format` = `rg-flow`, `format_version`, `config` and `card` as JSON.
///
/// # Examples
/// A file comes back as the flow that was written:
/// ```
/// use burn::backend::Flex;
/// use shared::weights::{Card, ModelFile, Precision};
/// use shared::{RgFlow, RgFlowConfig, Temperature};
///
/// let device = Default::default();
/// let model = RgFlow::<Flex>::random(&RgFlowConfig::tiny(), 0.1, 1, &device)?;
/// let bytes = ModelFile::from_model(&model, Card::default()).to_bytes(Precision::F32)?;
///
/// let file = ModelFile::from_bytes(&bytes)?;
/// assert_eq!(file.config.size, 16);
/// let flow = file.into_flow::<Flex>(&device)?;
/// let [before, after] = [model.fold(), flow].map(|flow| flow.sample(1, 0..1, &Temperature::uniform(1.0), &device));
/// assert!((before - after).abs().max().into_scalar() < 1e-6);
/// # Ok::<(), shared::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ModelFile {
    /// The architecture.
    pub config: RgFlowConfig,
    /// What a reader should know of it.
    pub card: Card,
    /// What draws latents that go together, if it was fit.
    pub sampler: Option<Sampler>,
    pub(super) tensors: HashMap<String, Vec<f32>>,
}

impl ModelFile {
    /// Exports a trained model.
    pub fn from_model<B: FlowBackend>(model: &RgFlow<B>, card: Card) -> Self {
        let config = model.config();
        let mut tensors = HashMap::new();
        if let Some(mean) = &model.mean {
            tensors.insert(MEAN.to_owned(), numbers(mean.val()));
        }
        for (folded, stage) in read_sync(model.fold_bijectors()).into_iter().zip(names(config)) {
            for (name, map) in [("entry", folded.entry()), ("exit", folded.exit())] {
                if let Some(map) = map {
                    tensors.insert(format!("{stage}.{name}.weight"), numbers(map.weight.clone()));
                    tensors.insert(format!("{stage}.{name}.bias"), numbers(map.bias.clone()));
                }
            }
            let couplings = folded.couplings();
            for (i, linear) in couplings.linears.into_iter().enumerate() {
                tensors.insert(format!("{stage}.linears.{i}.alpha"), numbers(linear.alpha));
                tensors.insert(format!("{stage}.linears.{i}.weight"), numbers(linear.weight));
                tensors.insert(format!("{stage}.linears.{i}.bias"), numbers(linear.bias));
            }
            tensors.insert(format!("{stage}.scale"), numbers(couplings.scale));
            if let Some(places) = folded.places() {
                tensors.insert(format!("{stage}.places"), numbers(places.features.clone()));
            }
        }
        Self { config: config.clone(), card, sampler: None, tensors }
    }

    /// A model of noise, the same on every machine. Unlike [`RgFlow::random`] it needs no parameters to train.
    ///
    /// # Errors
    /// [`Error::Config`] if the configuration is not valid.
    pub fn noise(config: &RgFlowConfig, seed: u64) -> Result<Self> {
        config.validate()?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let tensor = |(name, shape): (String, Vec<usize>)| {
            // What a layer gives is about as large as what it takes.
            let bound = if let [_, inputs, _] = shape[..] { (inputs as f32).sqrt().recip() } else { 0.3 };
            let count = shape.iter().product();
            (name, (0..count).map(|_| bound * (2.0 * rng.random::<f32>() - 1.0)).collect())
        };
        let tensors = expected(config).into_iter().map(tensor).collect();
        Ok(Self { config: config.clone(), card: Card::default(), sampler: None, tensors })
    }

    /// A file of these tensors.
    ///
    /// # Errors
    /// [`Error::Config`] or [`Error::Weights`] if they are not those of the configuration.
    pub fn from_tensors(config: RgFlowConfig, card: Card, tensors: HashMap<String, Vec<f32>>) -> Result<Self> {
        config.validate()?;
        for (name, shape) in expected(&config) {
            let found = tensors.get(&name).map(Vec::len);
            if found != Some(shape.iter().product()) {
                let count = found.unwrap_or(0);
                return Err(Error::Weights(format!(
                    "tensor {name} must have shape {shape:?}, but has {count} numbers"
                )));
            }
        }
        Ok(Self { config, card, sampler: None, tensors })
    }

    /// The flow on a device. Takes the file's numbers without copying them.
    ///
    /// # Errors
    /// [`Error::Weights`] if a tensor is missing or a map cannot be inverted.
    pub fn into_flow<B: FlowBackend>(mut self, device: &B::Device) -> Result<Flow<B>> {
        let stages = shapes(&self.config).into_iter().zip(names(&self.config));
        let stages = stages.map(|(shape, stage)| self.stage(&shape, &stage, device)).collect::<Result<_>>()?;
        let RgFlowConfig { size, channels, .. } = self.config;
        let mean = self.config.mean_image.then(|| self.tensor(MEAN, [channels, size, size], device)).transpose()?;
        Ok(Flow::new(&self.config, stages, mean))
    }

    fn stage<B: FlowBackend>(
        &mut self,
        shape: &StageShape,
        stage: &str,
        device: &B::Device,
    ) -> Result<FoldedBijector<B>> {
        let couplings = &shape.couplings;
        let nets = couplings.nets();
        let mut linear = |(i, l): (usize, LinearShape)| {
            Ok(FoldedLinear {
                alpha: self.tensor(&format!("{stage}.linears.{i}.alpha"), [nets, l.inputs], device)?,
                weight: self.tensor(&format!("{stage}.linears.{i}.weight"), [nets, l.inputs, l.outputs], device)?,
                bias: self.tensor(&format!("{stage}.linears.{i}.bias"), [nets, l.outputs], device)?,
            })
        };
        let linears = couplings.linears().into_iter().enumerate().map(&mut linear).collect::<Result<_>>()?;
        let scale = self.tensor(&format!("{stage}.scale"), [nets, couplings.outputs()], device)?;
        let couplings = Couplings { shape: *couplings, linears, scale };
        let features = [shape.blocks, shape.features];
        let places = (shape.features > 0).then(|| self.tensor(&format!("{stage}.places"), features, device));
        let places = places.transpose()?.map(|features| Places { features });
        let mut map = |name: &str| match shape.maps {
            true => self.map(&format!("{stage}.{name}"), device).map(Some),
            false => Ok(None),
        };
        Ok(FoldedBijector::new(shape, map("entry")?, couplings, map("exit")?, places))
    }

    fn map<B: FlowBackend>(&mut self, name: &str, device: &B::Device) -> Result<FoldedMap<B>> {
        let (weight, bias) = (self.values(&format!("{name}.weight"))?, self.values(&format!("{name}.bias"))?);
        FoldedMap::new(weight, bias, device)
            .ok_or_else(|| Error::Weights(format!("the map {name} cannot be inverted; export the model again")))
    }

    fn values(&mut self, name: &str) -> Result<Vec<f32>> {
        self.tensors.remove(name).ok_or_else(|| Error::Weights(format!("tensor {name} is missing")))
    }

    fn tensor<B: FlowBackend, const D: usize>(
        &mut self,
        name: &str,
        shape: [usize; D],
        device: &B::Device,
    ) -> Result<Tensor<B, D>> {
        Ok(Tensor::from_data(TensorData::new(self.values(name)?, shape), device))
    }

    /// Writes the file.
    ///
    /// # Errors
    /// [`Error::Weights`] if a number is not finite or does not fit the precision.
    pub fn to_bytes(&self, precision: Precision) -> Result<Vec<u8>> {
        // The lowest version that has all that is in the file, so that older programs can read it too.
        let version = match self.config.coupling {
            _ if self.config.share_levels => SIXTH_VERSION,
            _ if self.config.place_features > 0 => FIFTH_VERSION,
            _ if self.config.data == DataKind::Field => FOURTH_VERSION,
            CouplingKind::Spline(_) => THIRD_VERSION,
            CouplingKind::Affine if self.config.linear_maps || self.config.mean_image => SECOND_VERSION,
            CouplingKind::Affine => FIRST_VERSION,
        };
        let Some(sampler) = &self.sampler else {
            return container::write(
                &self.config,
                &self.card,
                version,
                expected(&self.config),
                &self.tensors,
                precision,
            );
        };
        let (mut shapes, mut tensors) = (expected(&self.config), self.tensors.clone());
        shapes.extend(sampler_shapes(&self.config, sampler.variances().len()));
        let values = [sampler.mean(), sampler.directions(), sampler.variances()].map(<[f32]>::to_vec);
        tensors.extend(SAMPLER.map(str::to_owned).into_iter().zip(values));
        container::write(&self.config, &self.card, version, shapes, &tensors, precision)
    }

    /// Reads a file that may be anything.
    ///
    /// # Errors
    /// [`Error::Weights`] says what is wrong with it and what to do.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let Header { config, card } = container::header(bytes)?;
        let config = match ModelConfig::from_json(&config)? {
            ModelConfig::RgFlow(config) => config,
            ModelConfig::RealNvp(_) => {
                return Err(Error::Weights(
                    "the model is a Real NVP, but an RG-Flow is needed; give another one".into(),
                ));
            }
        };
        config.validate()?;
        let [_, _, variances] = SAMPLER;
        let directions = container::shape(bytes, variances)?.map(|shape| shape.iter().product());
        let mut shapes = expected(&config);
        // A file with too many is refused before they are read.
        if directions.is_some_and(|k| k > MOST_DIRECTIONS) {
            return Err(Error::Weights(format!(
                "the sampler has more than {MOST_DIRECTIONS} directions; fit it again"
            )));
        }
        shapes.extend(directions.into_iter().flat_map(|k| sampler_shapes(&config, k)));
        let mut tensors = container::tensors(bytes, shapes)?;
        let sampler = SAMPLER.map(|name| tensors.remove(name));
        let sampler = match sampler {
            [Some(mean), Some(directions), Some(variances)] => Some(Sampler::new(mean, directions, variances)?),
            _ => None,
        };
        Ok(Self { config, card, sampler, tensors })
    }
}

/// Name prefixes of the stages, in the order of [`shapes`].
pub(super) fn names(config: &RgFlowConfig) -> impl Iterator<Item = String> + use<> {
    (0..config.own_levels()).flat_map(|h| Stage::BOTH.map(|stage| format!("levels.{h}.{}", stage.name())))
}

/// Names and shapes of all tensors.
fn expected(config: &RgFlowConfig) -> Vec<(String, Vec<usize>)> {
    let mut tensors = Vec::new();
    if config.mean_image {
        tensors.push((MEAN.to_owned(), vec![config.channels, config.size, config.size]));
    }
    for (shape, stage) in shapes(config).iter().zip(names(config)) {
        let nets = shape.couplings.nets();
        for (i, l) in shape.couplings.linears().iter().enumerate() {
            tensors.push((format!("{stage}.linears.{i}.alpha"), vec![nets, l.inputs]));
            tensors.push((format!("{stage}.linears.{i}.weight"), vec![nets, l.inputs, l.outputs]));
            tensors.push((format!("{stage}.linears.{i}.bias"), vec![nets, l.outputs]));
        }
        tensors.push((format!("{stage}.scale"), vec![nets, shape.couplings.outputs()]));
        if shape.features > 0 {
            tensors.push((format!("{stage}.places"), vec![shape.blocks, shape.features]));
        }
        for map in if shape.maps { &["entry", "exit"][..] } else { &[] } {
            tensors.push((format!("{stage}.{map}.weight"), vec![shape.dim; 2]));
            tensors.push((format!("{stage}.{map}.bias"), vec![shape.dim]));
        }
    }
    tensors
}

/// Names and shapes of the tensors of a sampler of that many directions.
fn sampler_shapes(config: &RgFlowConfig, directions: usize) -> Vec<(String, Vec<usize>)> {
    let picture = [config.channels, config.size, config.size];
    let shapes = [picture.to_vec(), [&[directions], &picture[..]].concat(), vec![directions]];
    SAMPLER.map(str::to_owned).into_iter().zip(shapes).collect()
}

fn numbers<B: FlowBackend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
