//! Architectures with a name: the one list that the command line, its help and the README follow.

use crate::config::{BlockOrder, DataKind, LevelConfig, PriorKind, RgFlowConfig};
use crate::model::ModelConfig;
use crate::real_nvp::{RealNvpConfig, ScaleConfig};

/// An architecture with a name.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// As the command line and model cards spell it.
    pub name: &'static str,
    /// An older name, which still works.
    pub alias: Option<&'static str>,
    /// What it is for, in a few words.
    pub purpose: &'static str,
    make: fn() -> ModelConfig,
}

impl Preset {
    const fn new(name: &'static str, purpose: &'static str, make: fn() -> ModelConfig) -> Self {
        Self { name, alias: None, purpose, make }
    }

    const fn formerly(self, alias: &'static str) -> Self {
        Self { alias: Some(alias), ..self }
    }

    /// The architecture.
    pub fn config(&self) -> ModelConfig {
        (self.make)()
    }
}

/// All presets, the default first.
pub const PRESETS: [Preset; 12] = [
    Preset::new("demo", "two CPU cores; the shipped models", || RgFlowConfig::demo().into()),
    Preset::new("demo16", "`demo` at 16×16", || at_size(RgFlowConfig::demo(), 16)),
    Preset::new("demo64", "`demo` at 64×64", || at_size(RgFlowConfig::demo(), 64)),
    Preset::new("demo128", "`demo` at 128×128, on a GPU", || at_size(RgFlowConfig::demo(), 128)),
    Preset::new("deep", "two CPU cores, less time", || RgFlowConfig::deep().into()).formerly("small"),
    Preset::new("phi4", "fields of phi4, 16×16", || RgFlowConfig::phi4().into()),
    Preset::new("bench", "the speed comparisons", || RgFlowConfig::bench().into()),
    Preset::new("tiny", "tests, lessons", || RgFlowConfig::tiny().into()),
    Preset::new("official_celeba32", "the authors' model, on a GPU", || RgFlowConfig::official_celeba32().into()),
    Preset::new("realnvp_demo", "a Real NVP of the same size as `demo`, to compare", || RealNvpConfig::demo().into()),
    Preset::new("realnvp_deep", "a Real NVP of the same size as `deep`, to compare", || RealNvpConfig::deep().into())
        .formerly("realnvp_small"),
    Preset::new("realnvp_tiny", "a Real NVP for tests", || RealNvpConfig::tiny().into()),
];

/// The same architecture at another size. One of the presets' own sizes is always possible, which a test sees to.
fn at_size(config: RgFlowConfig, size: usize) -> ModelConfig {
    config.resized(size).unwrap_or(config).into()
}

impl ModelConfig {
    /// The preset of that name, or of that older name.
    pub fn preset(name: &str) -> Option<Self> {
        PRESETS.iter().find(|preset| preset.name == name || preset.alias == Some(name)).map(Preset::config)
    }

    /// The names of all presets.
    pub fn presets() -> Vec<&'static str> {
        PRESETS.iter().map(|preset| preset.name).collect()
    }
}

impl RgFlowConfig {
    /// The preset of that name, if it is an RG-Flow.
    pub fn preset(name: &str) -> Option<Self> {
        match ModelConfig::preset(name)? {
            ModelConfig::RgFlow(config) => Some(config),
            ModelConfig::RealNvp(_) => None,
        }
    }

    /// The shipped models: most of the work where most of the latents are, at the finest level, and little depth at the
    /// top, where more of it gains nothing.
    pub fn demo() -> Self {
        let level = |layers, res_blocks, hidden| LevelConfig { layers, res_blocks, mlp: 2, hidden };
        let levels = vec![level(6, 1, 96), level(4, 1, 128), level(2, 2, 128), level(2, 2, 128)];
        Self { linear_maps: true, mean_image: true, ..Self::new(32, levels) }
    }

    /// More parameters than `demo` but fewer multiply-adds: narrow at the finest level, where there are many blocks,
    /// and deep at the top, where a block costs little.
    pub fn deep() -> Self {
        let level = |layers, res_blocks, hidden| LevelConfig { layers, res_blocks, mlp: 2, hidden };
        let levels = vec![level(4, 1, 64), level(4, 1, 128), level(6, 2, 128), level(6, 2, 128)];
        Self { linear_maps: true, mean_image: true, ..Self::new(32, levels) }
    }

    /// Fields with one channel. Its numbers are nearly Gaussian, and no place differs from another.
    pub fn phi4() -> Self {
        let level = LevelConfig { layers: 6, res_blocks: 1, mlp: 1, hidden: 48 };
        let (channels, prior, data) = (1, PriorKind::Gaussian, DataKind::Field);
        Self { channels, prior, data, linear_maps: true, ..Self::new(16, vec![level; 3]) }
    }

    /// The model of the speed comparisons: 0.143 GMAC per image.
    pub fn bench() -> Self {
        let level = |layers| LevelConfig { layers, res_blocks: 2, mlp: 2, hidden: 128 };
        Self::new(32, [4, 3, 2, 1].map(level).to_vec())
    }

    /// Images of 16×16 pixels and some 70,000 parameters.
    pub fn tiny() -> Self {
        let level = |layers| LevelConfig { layers, res_blocks: 2, mlp: 1, hidden: 12 };
        Self::new(16, [2, 2, 2].map(level).to_vec())
    }

    /// The authors' CelebA model at 32×32: 100,647,680 parameters.
    pub fn official_celeba32() -> Self {
        let level = |layers| LevelConfig { layers, res_blocks: 4, mlp: 2, hidden: 512 };
        Self { order: BlockOrder::Official, ..Self::new(32, [8, 6, 4, 2].map(level).to_vec()) }
    }
}

impl RealNvpConfig {
    /// As many parameters as the RG-Flow preset `demo`, to a percent: many couplings with small nets, which learn more
    /// in the same time than few with large ones.
    pub fn demo() -> Self {
        let scale = |couplings, hidden| ScaleConfig { couplings, res_blocks: 1, hidden };
        let scales = vec![scale(6, 24), scale(6, 44), scale(6, 104)];
        Self { size: 32, channels: 3, prior: PriorKind::Laplace, scales }
    }

    /// As many parameters as the RG-Flow preset `deep`, to a percent.
    pub fn deep() -> Self {
        let scale = |couplings, hidden| ScaleConfig { couplings, res_blocks: 2, hidden };
        let scales = vec![scale(3, 32), scale(3, 64), scale(4, 126)];
        Self { size: 32, channels: 3, prior: PriorKind::Laplace, scales }
    }

    /// Images of 8×8 pixels and two scales.
    pub fn tiny() -> Self {
        let scale = ScaleConfig { couplings: 2, res_blocks: 1, hidden: 6 };
        Self { size: 8, channels: 3, prior: PriorKind::Laplace, scales: vec![scale; 2] }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn presets_are_valid_and_survive_json() {
        for preset in PRESETS {
            let config = preset.config();
            config.validate().unwrap();
            let json = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<ModelConfig>(&json).unwrap(), config);
            assert_eq!(matches!(config, ModelConfig::RealNvp(_)), preset.name.starts_with("realnvp_"));
            let size: String = preset.name.strip_prefix("demo").unwrap_or_default().to_owned();
            assert!(size.is_empty() || size == config.image_shape()[1].to_string(), "{}", preset.name);
        }
    }

    #[test]
    fn every_name_new_or_old_is_one_presets() {
        let names: Vec<&str> = PRESETS.iter().flat_map(|preset| [Some(preset.name), preset.alias]).flatten().collect();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
        assert_eq!(ModelConfig::preset("small"), Some(RgFlowConfig::deep().into()));
        assert_eq!(ModelConfig::preset("realnvp_small"), Some(RealNvpConfig::deep().into()));
        assert_eq!(
            (RgFlowConfig::preset("deep"), RgFlowConfig::preset("realnvp_deep")),
            (Some(RgFlowConfig::deep()), None)
        );
        assert!(ModelConfig::preset("no such preset").is_none());
    }

    #[test]
    fn models_to_compare_have_the_size_of_their_counterparts() {
        let pairs = [(RealNvpConfig::demo(), RgFlowConfig::demo()), (RealNvpConfig::deep(), RgFlowConfig::deep())];
        for (ours, theirs) in pairs {
            let ratio = ours.param_count() as f64 / theirs.param_count() as f64;
            assert!((ratio - 1.0).abs() < 0.02, "{ratio}");
        }
    }

    #[test]
    fn models_have_the_size_that_their_documentation_says() {
        assert_eq!(RgFlowConfig::official_celeba32().param_count(), 100_647_680);
        assert_eq!(RgFlowConfig::bench().macs() / 1_000_000, 143);
        let (demo, deep) = (RgFlowConfig::demo(), RgFlowConfig::deep());
        assert!(deep.param_count() > demo.param_count() && deep.macs() < demo.macs());
        assert!((65_000..75_000).contains(&RgFlowConfig::tiny().param_count()));
    }
}
