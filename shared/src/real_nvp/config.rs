//! A Real NVP's architecture as data.

use serde::{Deserialize, Serialize};

use crate::config::{MAX_PARAMS, MAX_SIZE, PriorKind};
use crate::error::{Error, Result};

/// One scale of a Real NVP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScaleConfig {
    /// Checkerboard couplings, and as many channel-wise ones after the squeeze, which the last scale does not have.
    pub couplings: usize,
    /// Residual blocks in each coupling's net.
    pub res_blocks: usize,
    /// Channels of the hidden layers.
    pub hidden: usize,
}

/// A Real NVP's architecture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RealNvpConfig {
    /// Edge L of the square images, a multiple of 2^(scales − 1) pixels.
    pub size: usize,
    /// Colour channels C.
    pub channels: usize,
    /// Distribution of the latents.
    pub prior: PriorKind,
    /// One entry for each scale, finest first.
    pub scales: Vec<ScaleConfig>,
}

/// One step of an image's way through the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// An affine coupling.
    Couple(Coupling),
    /// Each 2×2 square becomes one place with four times the channels.
    Squeeze,
    /// The second half of the channels stays behind as latents of this level.
    Split(usize),
}

/// Shape of a coupling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coupling {
    /// Which numbers are kept.
    pub mask: CouplingMask,
    /// Channels of its input.
    pub channels: usize,
    /// Edge of its input in pixels.
    pub edge: usize,
    /// Residual blocks and width of its net.
    pub scale: ScaleConfig,
}

/// Which numbers a coupling keeps; the others are scaled and shifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CouplingMask {
    /// Places whose row + column has this parity.
    Checkerboard(usize),
    /// The first half of the channels (0) or the second (1).
    Channels(usize),
}

impl CouplingMask {
    /// Whether a number is kept.
    pub fn keeps(self, channels: usize, channel: usize, row: usize, col: usize) -> bool {
        match self {
            Self::Checkerboard(parity) => (row + col) % 2 == parity,
            Self::Channels(half) => usize::from(channel >= channels / 2) == half,
        }
    }
}

impl RealNvpConfig {
    /// Checks that the configuration describes a model of sensible size.
    ///
    /// # Errors
    /// [`Error::Config`] says which value is off and what it may be.
    pub fn validate(&self) -> Result<()> {
        let fail = |what: String| Err(Error::Config(what));
        if self.channels == 0 || self.channels > 4 {
            return fail(format!("channels is {}, but must be 1 to 4", self.channels));
        }
        if self.scales.is_empty() || self.scales.len() > 8 {
            return fail(format!("there are {} scales, but there must be 1 to 8", self.scales.len()));
        }
        let coarsest = 1 << (self.scales.len() - 1);
        if self.size == 0 || self.size > MAX_SIZE || !self.size.is_multiple_of(coarsest) {
            return fail(format!("size is {}, but must be a multiple of {coarsest} and at most {MAX_SIZE}", self.size));
        }
        for (k, scale) in self.scales.iter().enumerate() {
            let in_range = (1..=64).contains(&scale.couplings)
                && (1..=64).contains(&scale.res_blocks)
                && (1..=4096).contains(&scale.hidden);
            if !in_range {
                return fail(format!(
                    "scale {k}: couplings and res_blocks must be 1 to 64 and hidden 1 to 4096, but got {scale:?}"
                ));
            }
        }
        match self.param_count() {
            count if count > MAX_PARAMS => fail(format!("{count} parameters are too many; the limit is {MAX_PARAMS}")),
            _ => Ok(()),
        }
    }

    /// Numbers in an image, C·L².
    pub fn dims(&self) -> usize {
        self.channels * self.size * self.size
    }

    /// The steps of an image's way through the flow.
    pub fn steps(&self) -> Vec<Step> {
        let (mut channels, mut edge) = (self.channels, self.size);
        let mut steps = Vec::new();
        for (level, &scale) in self.scales.iter().enumerate() {
            let couple = |mask, channels, edge| Step::Couple(Coupling { mask, channels, edge, scale });
            steps.extend((0..scale.couplings).map(|i| couple(CouplingMask::Checkerboard(i % 2), channels, edge)));
            if level + 1 == self.scales.len() {
                break;
            }
            (channels, edge) = (4 * channels, edge / 2);
            steps.push(Step::Squeeze);
            steps.extend((0..scale.couplings).map(|i| couple(CouplingMask::Channels(i % 2), channels, edge)));
            steps.push(Step::Split(level));
            channels /= 2;
        }
        steps
    }

    /// The couplings, in the order of the steps.
    pub fn couplings(&self) -> Vec<Coupling> {
        let coupling = |step| match step {
            Step::Couple(coupling) => Some(coupling),
            Step::Squeeze | Step::Split(_) => None,
        };
        self.steps().into_iter().filter_map(coupling).collect()
    }

    /// Trainable parameters.
    pub fn param_count(&self) -> usize {
        self.couplings().iter().flat_map(Coupling::tensors).map(|(_, shape)| shape.iter().product::<usize>()).sum()
    }

    /// Multiply-adds of one image's pass through the flow.
    pub fn macs(&self) -> usize {
        let of = |c: &Coupling| {
            let weights = c.tensors().into_iter().filter(|(name, _)| name.ends_with("weight"));
            c.edge * c.edge * weights.map(|(_, shape)| shape.iter().product::<usize>()).sum::<usize>()
        };
        self.couplings().iter().map(of).sum()
    }

    /// The level of each number of the flat latents; those that stayed behind first come first.
    pub fn latent_levels(&self) -> Vec<usize> {
        let (dims, last) = (self.dims(), self.scales.len() - 1);
        let mut levels: Vec<usize> = (0..last).flat_map(|h| std::iter::repeat_n(h, dims >> (h + 1))).collect();
        levels.resize(dims, last);
        levels
    }

    /// Names and shapes of all tensors of a weights file, in the order of the model's parameters.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let of = |(i, c): (usize, Coupling)| {
            c.tensors().into_iter().map(move |(name, shape)| (format!("nets.{i}.{name}"), shape))
        };
        self.couplings().into_iter().enumerate().flat_map(of).collect()
    }
}

impl Coupling {
    /// Names and shapes of the net's tensors, in the order of its parameters.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let hidden = self.scale.hidden;
        let mut convs = vec![("entry".to_owned(), self.channels, hidden, 3)];
        for block in 0..self.scale.res_blocks {
            convs.extend(["first", "second"].map(|part| (format!("blocks.{block}.{part}"), hidden, hidden, 3)));
        }
        convs.push(("exit".to_owned(), hidden, 2 * self.channels, 1));
        let mut tensors = Vec::new();
        for (name, inputs, outputs, edge) in convs {
            tensors.push((format!("{name}.weight"), vec![outputs, inputs, edge, edge]));
            tensors.push((format!("{name}.bias"), vec![outputs]));
        }
        tensors.push(("scale".to_owned(), vec![self.channels]));
        tensors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latents_halve_from_level_to_level() {
        let levels = RealNvpConfig::deep().latent_levels();
        let count = |h| levels.iter().filter(|&&l| l == h).count();
        assert_eq!([count(0), count(1), count(2)], [1536, 768, 768]);
    }

    #[test]
    fn impossible_configurations_are_named() {
        let spoil = |f: fn(&mut RealNvpConfig)| {
            let mut config = RealNvpConfig::tiny();
            f(&mut config);
            config.validate().unwrap_err().to_string()
        };
        assert!(spoil(|c| c.size = 9).contains("size is 9"));
        assert!(spoil(|c| c.size = 1 << 40).contains("at most"));
        assert!(spoil(|c| c.channels = 0).contains("channels is 0"));
        assert!(spoil(|c| c.scales.clear()).contains("0 scales"));
        assert!(spoil(|c| c.scales[1].hidden = 0).contains("scale 1"));
        assert!(
            spoil(|c| c.scales[0] = ScaleConfig { couplings: 64, res_blocks: 64, hidden: 4096 }).contains("parameters")
        );
    }
}
