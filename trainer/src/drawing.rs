//! How a model's samples are drawn: at which temperatures, and with latents drawn independently or jointly.

use std::ops::Range;
use std::sync::Arc;

use shared::prior::draw_latents;
use shared::sampler::Sampler;
use shared::weights::{AnyModelFile, ModelFile};
use shared::{RgFlowConfig, Temperature};

use crate::error::{Error, Result};

/// How samples are drawn.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// Factors on the prior's scale.
    pub temperature: Temperature,
    /// Draws latents jointly; without it they are drawn independently.
    pub joint: Option<Joint>,
}

/// A sampler and the architecture that it is for.
#[derive(Clone, Debug)]
pub struct Joint {
    sampler: Arc<Sampler>,
    config: RgFlowConfig,
}

impl Joint {
    /// The model's, if it has one.
    pub fn of(file: &ModelFile) -> Option<Self> {
        Some(Self { sampler: Arc::new(file.sampler.clone()?), config: file.config.clone() })
    }

    /// The same for a model of either architecture.
    pub fn of_any(file: &AnyModelFile) -> Option<Self> {
        match file {
            AnyModelFile::RgFlow(file) => Self::of(file),
            AnyModelFile::RealNvp(_) => None,
        }
    }

    /// The sampler.
    pub fn sampler(&self) -> Arc<Sampler> {
        Arc::clone(&self.sampler)
    }

    /// Latents of samples of a seed, as flat pictures one after the other.
    ///
    /// # Errors
    /// A sampler that was fit for a model of another size.
    pub fn draw(&self, seed: u64, indices: Range<u64>, temperature: &Temperature) -> Result<Vec<f32>> {
        let one = |index| self.sampler.draw(&self.config, seed, index, temperature);
        Ok(indices.map(one).collect::<shared::Result<Vec<_>>>().map_err(of_sampler)?.concat())
    }
}

/// The library's error with a name for what was wrong.
pub fn of_sampler(source: shared::Error) -> Error {
    Error::Model { file: "the model's sampler".into(), source }
}

impl Drawing {
    /// With independent latents, as in the paper.
    pub fn independent(temperature: Temperature) -> Self {
        Self { temperature, joint: None }
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
        match &self.joint {
            Some(joint) => joint.draw(seed, 0..count, &self.temperature),
            None => Ok((0..count).flat_map(|index| draw_latents(config, seed, index, &self.temperature)).collect()),
        }
    }
}
