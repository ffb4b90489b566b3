//! Models that are small enough to be trained in a browser.

use shared::{LevelConfig, RgFlowConfig};

use crate::protocol::{ModelSize, TRAINING_EDGE};

impl ModelSize {
    /// The architecture.
    pub fn config(self) -> RgFlowConfig {
        let (layers, hidden) = match self {
            Self::Small => ([4, 2, 2, 2], [32; 4]),
            Self::Medium => ([4, 4, 2, 2], [64; 4]),
            Self::Large => return RgFlowConfig::demo(),
        };
        let level = |(layers, hidden)| LevelConfig { layers, res_blocks: 1, mlp: 1, hidden };
        let levels = layers.into_iter().zip(hidden).map(level).collect();
        RgFlowConfig { linear_maps: true, mean_image: true, ..RgFlowConfig::new(TRAINING_EDGE as usize, levels) }
    }

    /// A learning rate that suits it.
    pub fn rate(self) -> f64 {
        match self {
            Self::Small => 0.016,
            Self::Medium => 0.012,
            Self::Large => 0.008,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::LEARNING_RATES;

    #[test]
    fn each_size_is_a_larger_model_of_the_pictures_edge() {
        let sizes = [ModelSize::Small, ModelSize::Medium, ModelSize::Large];
        for size in sizes {
            let config = size.config();
            config.validate().unwrap();
            assert_eq!((config.size, config.channels), (TRAINING_EDGE as usize, 3));
            assert!(size.rate() > LEARNING_RATES.0 && size.rate() < LEARNING_RATES.1);
        }
        let work = sizes.map(|size| size.config().macs());
        assert!(work.windows(2).all(|pair| 2 * pair[0] < pair[1]), "{work:?}");
    }
}
