//! The same architecture for images of another size.

use crate::config::{LevelConfig, RgFlowConfig};
use crate::error::{Error, Result};
use crate::model::ModelConfig;
use crate::real_nvp::{RealNvpConfig, ScaleConfig};

/// Two thirds of the layers or couplings of the level below, and no fewer than two where it has two.
fn fewer(layers: usize) -> usize {
    ((2 * layers + 1) / 3).max(layers.min(2))
}

/// Two thirds of the width, as the nearest multiple of 8.
fn narrower(width: usize) -> usize {
    ((2 * width / 3 + 4) / 8 * 8).clamp(width.min(8), width)
}

/// Takes levels away in front, or adds finer ones made from the one after them, until there are that many.
fn relevel<T: Copy>(levels: &mut Vec<T>, wanted: usize, finer: impl Fn(T) -> T) {
    levels.drain(..levels.len().saturating_sub(wanted));
    // Without any there is nothing to go by; such a configuration is not valid.
    while let Some(&next) = levels.first().filter(|_| levels.len() < wanted) {
        levels.insert(0, finer(next));
    }
}

impl RgFlowConfig {
    /// The same architecture for images of another size: finer levels are added in front, or taken away.
    ///
    /// There are four times as many blocks at each finer level, and a block costs the same at every level. So the new
    /// finest level has two thirds of the layers and of the width of the one after it: it costs one to two times as much
    /// as that one, not four times, and the coarser levels stay what they are. Levels that share their weights stay alike.
    ///
    /// # Errors
    /// [`Error::Config`] if it is not `block`·2^k, or the model would be too large.
    pub fn resized(&self, size: usize) -> Result<Self> {
        let mut config = Self { size, ..self.clone() };
        config.check_size()?;
        let wanted = config.level_count();
        relevel(&mut config.levels, wanted, |next: LevelConfig| match self.share_levels {
            true => next,
            false => LevelConfig { layers: fewer(next.layers), hidden: narrower(next.hidden), ..next },
        });
        config.places_from = config.places_from.min(wanted - 1);
        config.validate()?;
        Ok(config)
    }
}

impl RealNvpConfig {
    /// The same architecture for images of another size, by the rule of [`RgFlowConfig::resized`]: the coarsest scale
    /// keeps its edge, and finer scales are added in front, or taken away.
    ///
    /// # Errors
    /// [`Error::Config`] if the size is not the coarsest scale's edge times 2^k, or the model would be too large.
    pub fn resized(&self, size: usize) -> Result<Self> {
        self.validate()?;
        let coarsest = self.size >> (self.scales.len() - 1);
        if !size.is_multiple_of(coarsest) || !(size / coarsest).is_power_of_two() {
            return Err(Error::Config(format!("size is {size}, but must be {coarsest}·2^k for this architecture")));
        }
        let mut config = Self { size, ..self.clone() };
        let wanted = (size / coarsest).ilog2() as usize + 1;
        relevel(&mut config.scales, wanted, |next: ScaleConfig| ScaleConfig {
            couplings: fewer(next.couplings),
            hidden: narrower(next.hidden),
            ..next
        });
        config.validate()?;
        Ok(config)
    }
}

impl ModelConfig {
    /// The same architecture for images of another size.
    ///
    /// # Errors
    /// As [`RgFlowConfig::resized`] and [`RealNvpConfig::resized`].
    pub fn resized(&self, size: usize) -> Result<Self> {
        match self {
            Self::RgFlow(config) => config.resized(size).map(Self::RgFlow),
            Self::RealNvp(config) => config.resized(size).map(Self::RealNvp),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets::PRESETS;

    #[test]
    fn every_preset_comes_in_every_size_and_the_same_size_is_itself() {
        for preset in PRESETS {
            let config = preset.config();
            assert_eq!(config.resized(config.image_shape()[1]).unwrap(), config);
            for size in [8, 16, 32, 64, 128] {
                let [channels, _] = config.image_shape();
                assert_eq!(config.resized(size).unwrap().image_shape(), [channels, size], "{}", preset.name);
            }
        }
    }

    #[test]
    fn a_finer_level_is_narrower_and_the_coarser_ones_stay() {
        let demo = RgFlowConfig::demo();
        let large = demo.resized(128).unwrap();
        let shape = |level: &LevelConfig| (level.layers, level.res_blocks, level.mlp, level.hidden);
        assert_eq!(large.levels[2..], demo.levels[..]);
        assert_eq!((shape(&large.levels[0]), shape(&large.levels[1])), ((3, 1, 2, 40), (4, 1, 2, 64)));
        // Back again, the levels that were added are the ones taken away.
        assert_eq!(large.resized(32).unwrap(), demo);
        assert_eq!(demo.resized(8).unwrap().levels, demo.levels[2..]);
        // The new finest level costs one to two times as much as the one after it.
        let cost = |size: usize| demo.resized(size).unwrap().macs() as f64;
        let ratio = (cost(128) - cost(64)) / (cost(64) - cost(32));
        assert!((1.0..2.0).contains(&ratio), "{ratio}");
    }

    #[test]
    fn sizes_that_are_none_are_refused() {
        for size in [0, 2, 24, 33, 2048, usize::MAX] {
            let error = RgFlowConfig::demo().resized(size).unwrap_err().to_string();
            assert!(error.contains(&format!("size is {size}")) && error.contains("4·2^k"), "{error}");
        }
        for size in [0, 4, 24, 2048] {
            assert!(RealNvpConfig::demo().resized(size).is_err(), "{size}");
        }
    }
}
