//! How samples of a model are drawn: at which temperatures, and with independent latents or with latents that go together.

use shared::prior::draw_latents;
use shared::sampler::{Latents, Sampler};
use shared::weights::{AnyModelFile, Card, ModelFile};
use shared::{RgFlowConfig, Temperature};

use crate::cli::TemperatureArgs;
use crate::error::{Error, Result};

/// How samples are drawn.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// Factors on the prior's scale.
    pub temperature: Temperature,
    /// What draws latents that go together; without it they are independent.
    pub joint: Option<Joint>,
}

/// A sampler and the architecture that it is for.
#[derive(Clone, Debug)]
pub struct Joint {
    sampler: Sampler,
    config: RgFlowConfig,
}

impl Joint {
    /// Of a model that has one.
    pub fn of(file: &ModelFile) -> Option<Self> {
        Some(Self { sampler: file.sampler.clone()?, config: file.config.clone() })
    }

    /// Latents of a sample, as a flat picture.
    ///
    /// # Errors
    /// A sampler that was fit for a model of another size.
    pub fn draw(&self, seed: u64, index: u64, temperature: &Temperature) -> Result<Vec<f32>> {
        let wrong = |source| Error::Model { file: "the model's sampler".into(), source };
        self.sampler.draw(&self.config, seed, index, temperature).map_err(wrong)
    }
}

impl Drawing {
    /// With independent latents, as in the paper.
    pub fn independent(temperature: Temperature) -> Self {
        Self { temperature, joint: None }
    }

    /// As the command line and the model say: joint, where the model can and `--independent` is not given.
    pub fn of(file: &AnyModelFile, args: &TemperatureArgs) -> Self {
        let joint = match file {
            AnyModelFile::RgFlow(file) => Joint::of(file),
            AnyModelFile::RealNvp(_) => None,
        };
        Self::new(joint, file.card(), args)
    }

    /// The same for a model of that card, with what it has for joint draws.
    pub fn new(joint: Option<Joint>, card: &Card, args: &TemperatureArgs) -> Self {
        let joint = joint.filter(|_| !args.independent);
        let latents = if joint.is_some() { Latents::Joint } else { Latents::Independent };
        Self { temperature: args.of(card, latents), joint }
    }

    /// In a word.
    pub fn name(&self) -> &'static str {
        match self.joint {
            Some(_) => "joint",
            None => "independent",
        }
    }

    /// Latents of the samples 0 to `count` of a seed, as flat pictures one after the other.
    ///
    /// # Errors
    /// As [`Joint::draw`].
    pub fn latents(&self, config: &RgFlowConfig, seed: u64, count: u64) -> Result<Vec<f32>> {
        let one = |index| match &self.joint {
            Some(joint) => joint.draw(seed, index, &self.temperature),
            None => Ok(draw_latents(config, seed, index, &self.temperature)),
        };
        Ok((0..count).map(one).collect::<Result<Vec<_>>>()?.concat())
    }
}
