//! Real NVP (Dinh, Sohl-Dickstein & Bengio 2017): the globally connected multi-scale flow that the paper compares with.
//!
//! Checkerboard couplings, a squeeze, channel-wise couplings, then half of the channels stay behind as latents; the
//! same again on the rest. The nets are convolutional, and every latent can reach nearly every pixel. There is no batch
//! norm, which would make an image's likelihood depend on its batch; the nets start at zero instead.

mod config;
mod flow;
mod net;

use burn::module::Module;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

pub use config::{Coupling, CouplingMask, RealNvpConfig, ScaleConfig, Step};
pub use flow::RealNvpFlow;
pub use net::{Conv, CouplingNet, ResBlock};

use crate::backend::FlowBackend;
use crate::error::Result;

/// The trainable model: the couplings' nets in the order of [`RealNvpConfig::couplings`].
#[derive(Module, Debug)]
pub struct RealNvp<B: FlowBackend> {
    /// One for each coupling.
    pub nets: Vec<CouplingNet<B>>,
    #[module(skip)]
    config: RealNvpConfig,
}

impl<B: FlowBackend> RealNvp<B> {
    /// A new model, the identity up to the order of its numbers. The same seed gives the same model everywhere.
    ///
    /// # Errors
    /// [`crate::Error::Config`] if the configuration is not valid.
    pub fn new(config: &RealNvpConfig, seed: u64, device: &B::Device) -> Result<Self> {
        config.validate()?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let nets = config.couplings().iter().map(|coupling| CouplingNet::new(coupling, &mut rng, device)).collect();
        Ok(Self { nets, config: config.clone() })
    }

    /// The architecture.
    pub fn config(&self) -> &RealNvpConfig {
        &self.config
    }

    /// The flow with these weights; gradients of what it computes reach this model's parameters.
    pub fn fold(&self) -> RealNvpFlow<B> {
        RealNvpFlow::new(&self.config, self.nets.clone())
    }
}
