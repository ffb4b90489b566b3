//! A model of either architecture, for what works on both: training, evaluation, files.

use burn::module::Module;
use burn::tensor::read_sync;
use serde::{Deserialize, Serialize, Serializer};

use crate::backend::FlowBackend;
use crate::config::{DataKind, PriorKind, RgFlowConfig};
use crate::error::{Error, Result};
use crate::flow::RgFlow;
use crate::image_flow::ImageFlow;
use crate::real_nvp::{RealNvp, RealNvpConfig};

/// An architecture as data.
///
/// In JSON a Real NVP has `"architecture": "real-nvp"`; without that key it is an RG-Flow.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub enum ModelConfig {
    /// The paper's.
    RgFlow(RgFlowConfig),
    /// The one that it is compared with.
    RealNvp(RealNvpConfig),
}

/// The value of `architecture` for a Real NVP.
const REAL_NVP: &str = "real-nvp";
/// The value of `architecture` for an RG-Flow, which may be left out.
const RG_FLOW: &str = "rg-flow";

impl TryFrom<serde_json::Value> for ModelConfig {
    type Error = String;

    fn try_from(mut value: serde_json::Value) -> std::result::Result<Self, String> {
        let name = value.as_object_mut().and_then(|object| object.remove("architecture")).unwrap_or(RG_FLOW.into());
        let config = match name.as_str() {
            Some(RG_FLOW) => serde_json::from_value(value).map(Self::RgFlow),
            Some(REAL_NVP) => serde_json::from_value(value).map(Self::RealNvp),
            _ => return Err(format!("architecture {name} is unknown; this program knows {RG_FLOW} and {REAL_NVP}")),
        };
        config.map_err(|e| e.to_string())
    }
}

impl Serialize for ModelConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Tagged<'a> {
            architecture: &'static str,
            #[serde(flatten)]
            config: &'a RealNvpConfig,
        }
        match self {
            // Without a tag, as files were before there was a second architecture.
            Self::RgFlow(config) => config.serialize(serializer),
            Self::RealNvp(config) => Tagged { architecture: REAL_NVP, config }.serialize(serializer),
        }
    }
}

impl ModelConfig {
    /// From a weights file's metadata, not yet validated.
    ///
    /// # Errors
    /// [`Error::Weights`] if it is not a configuration.
    pub(crate) fn from_json(json: &str) -> Result<Self> {
        serde_json::from_str(json).map_err(|e| Error::Weights(format!("`config` in the metadata: {e}")))
    }

    /// Checks that the configuration describes a model of sensible size.
    ///
    /// # Errors
    /// [`Error::Config`] says which value is off and what it may be.
    pub fn validate(&self) -> Result<()> {
        match self {
            Self::RgFlow(config) => config.validate(),
            Self::RealNvp(config) => config.validate(),
        }
    }

    /// Channels and edge of the images.
    pub fn image_shape(&self) -> [usize; 2] {
        match self {
            Self::RgFlow(config) => [config.channels, config.size],
            Self::RealNvp(config) => [config.channels, config.size],
        }
    }

    /// Number of the latents' levels, or of scales.
    pub fn level_count(&self) -> usize {
        match self {
            Self::RgFlow(config) => config.level_count(),
            Self::RealNvp(config) => config.scales.len(),
        }
    }

    /// Numbers in an image, C·L².
    pub fn dims(&self) -> usize {
        let [channels, size] = self.image_shape();
        channels * size * size
    }

    /// Distribution of the latents.
    pub fn prior(&self) -> PriorKind {
        match self {
            Self::RgFlow(config) => config.prior,
            Self::RealNvp(config) => config.prior,
        }
    }

    /// The same with another distribution of the latents.
    pub fn with_prior(mut self, prior: PriorKind) -> Self {
        match &mut self {
            Self::RgFlow(config) => config.prior = prior,
            Self::RealNvp(config) => config.prior = prior,
        }
        self
    }

    /// What the data are.
    pub fn data(&self) -> DataKind {
        match self {
            Self::RgFlow(config) => config.data,
            Self::RealNvp(_) => DataKind::Images,
        }
    }

    /// Trainable parameters.
    pub fn param_count(&self) -> usize {
        match self {
            Self::RgFlow(config) => config.param_count(),
            Self::RealNvp(config) => config.param_count(),
        }
    }

    /// Multiply-adds of one image's pass through the flow.
    pub fn macs(&self) -> usize {
        match self {
            Self::RgFlow(config) => config.macs(),
            Self::RealNvp(config) => config.macs(),
        }
    }
}

impl From<RgFlowConfig> for ModelConfig {
    fn from(config: RgFlowConfig) -> Self {
        Self::RgFlow(config)
    }
}

impl From<RealNvpConfig> for ModelConfig {
    fn from(config: RealNvpConfig) -> Self {
        Self::RealNvp(config)
    }
}

/// A trainable model of either architecture.
#[derive(Module, Debug)]
pub enum Model<B: FlowBackend> {
    /// The paper's.
    RgFlow(RgFlow<B>),
    /// The one that it is compared with.
    RealNvp(RealNvp<B>),
}

impl<B: FlowBackend> Model<B> {
    /// A new model, the identity up to the order of its numbers. The same seed gives the same model everywhere.
    ///
    /// # Errors
    /// [`Error::Config`] if the configuration is not valid.
    pub fn new(config: &ModelConfig, seed: u64, device: &B::Device) -> Result<Self> {
        match config {
            ModelConfig::RgFlow(config) => RgFlow::new(config, seed, device).map(Self::RgFlow),
            ModelConfig::RealNvp(config) => RealNvp::new(config, seed, device).map(Self::RealNvp),
        }
    }

    /// The architecture.
    pub fn config(&self) -> ModelConfig {
        match self {
            Self::RgFlow(model) => model.config().clone().into(),
            Self::RealNvp(model) => model.config().clone().into(),
        }
    }

    /// The flow with these weights; gradients of what it computes reach this model's parameters.
    ///
    /// # Panics
    /// In a browser, if the model is on a GPU: see [`Model::fold_async`].
    pub fn fold(&self) -> Box<dyn ImageFlow<B>> {
        read_sync(self.fold_async())
    }

    /// [`Model::fold`] where a device's answer has to be waited for.
    pub async fn fold_async(&self) -> Box<dyn ImageFlow<B>> {
        match self {
            Self::RgFlow(model) => Box::new(model.fold_async().await),
            Self::RealNvp(model) => Box::new(model.fold()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_keep_their_architecture_through_json() {
        for (config, tagged) in [(RgFlowConfig::tiny().into(), false), (RealNvpConfig::tiny().into(), true)] {
            let json = serde_json::to_string::<ModelConfig>(&config).unwrap();
            assert_eq!(serde_json::from_str::<ModelConfig>(&json).unwrap(), config);
            assert_eq!(json.contains("architecture"), tagged);
        }
        let plain = serde_json::to_string(&RgFlowConfig::tiny()).unwrap();
        assert_eq!(serde_json::from_str::<ModelConfig>(&plain).unwrap(), RgFlowConfig::tiny().into());
        let tagged = plain.replacen('{', r#"{"architecture": "rg-flow", "#, 1);
        assert_eq!(serde_json::from_str::<ModelConfig>(&tagged).unwrap(), RgFlowConfig::tiny().into());
        let misspelt = plain.replacen('{', r#"{"couplings": "affine", "#, 1);
        assert!(serde_json::from_str::<ModelConfig>(&misspelt).unwrap_err().to_string().contains("couplings"));
        let other = r#"{"architecture": "glow"}"#;
        assert!(serde_json::from_str::<ModelConfig>(other).unwrap_err().to_string().contains("glow"));
    }

    #[test]
    fn sizes_and_priors_are_the_architectures_own() {
        let (ours, theirs) = (RgFlowConfig::deep(), RealNvpConfig::deep());
        for (config, params, macs) in [
            (ModelConfig::from(ours.clone()), ours.param_count(), ours.macs()),
            (ModelConfig::from(theirs.clone()), theirs.param_count(), theirs.macs()),
        ] {
            assert_eq!((config.param_count(), config.macs()), (params, macs));
            assert_eq!((config.image_shape(), config.dims()), ([3, 32], 3072));
            assert!((2..=4).contains(&config.level_count()));
            config.validate().unwrap();
            let json = serde_json::to_string(&config.with_prior(PriorKind::Gaussian)).unwrap();
            assert!(json.contains("gaussian"));
        }
    }
}
