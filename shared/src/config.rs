//! The architecture as data: everything that decides the shapes of a model.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Largest edge that a configuration may ask for; keeps a hostile file from asking for the memory of a data centre.
pub const MAX_SIZE: usize = 1024;
/// Largest number of parameters that a configuration may ask for.
pub const MAX_PARAMS: usize = 400_000_000;

/// Which of the two stages of a level works on the shifted grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BlockOrder {
    /// Equation (5): the disentangler's blocks are shifted by half a block.
    Paper,
    /// The authors' code: the decimator's blocks are shifted instead.
    Official,
}

/// The factorised prior, of unit variance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PriorKind {
    /// The paper's sparse prior, with scale 1/√2.
    Laplace,
    /// The usual prior, invariant under rotations of latent space.
    Gaussian,
}

/// What a coupling layer does with the half that it changes, given the other half.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CouplingKind {
    /// x·e^s + t: the paper's.
    #[default]
    Affine,
    /// The same, and then a monotone rational-quadratic spline of so many bins, in tensor operations on every backend:
    /// no kernel runs it, and its gradient stores activations, so that it takes the CPU ten times as long. Made for
    /// models with linear maps, whose couplings see numbers of unit variance.
    Spline(usize),
}

impl CouplingKind {
    /// Numbers that each of the two nets gives for each number that changes.
    pub fn outputs(self) -> usize {
        match self {
            Self::Affine => 1,
            // s or t, and half of the bins' widths, heights and slopes; one too many where their number is odd.
            Self::Spline(bins) => 1 + bins.saturating_mul(3).saturating_sub(1).div_ceil(2),
        }
    }

    pub(crate) fn is_affine(&self) -> bool {
        *self == Self::Affine
    }
}

/// The bijectors of one level; disentangler and decimator have the same shape and weights of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelConfig {
    /// Coupling layers.
    pub layers: usize,
    /// Residual blocks in each of a layer's two nets.
    pub res_blocks: usize,
    /// Hidden layers in a residual block.
    pub mlp: usize,
    /// Width of the hidden layers.
    pub hidden: usize,
}

/// An RG-Flow's architecture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RgFlowConfig {
    /// Edge L of the square images: `block`·2^k.
    pub size: usize,
    /// Colour channels C.
    pub channels: usize,
    /// Edge m of the blocks that the bijectors act on.
    pub block: usize,
    /// Which stage is shifted.
    pub order: BlockOrder,
    /// Distribution of the latents.
    pub prior: PriorKind,
    /// The bijector of a coupling layer.
    #[serde(default, skip_serializing_if = "CouplingKind::is_affine")]
    pub coupling: CouplingKind,
    /// Whether every bijector has a learned linear map before and after its couplings ([`crate::nn::InvertibleLinear`]).
    /// Not in the paper, whose structure takes any bijector; models learn in a fraction of the time with them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub linear_maps: bool,
    /// Whether a learned mean image is taken off first: for data in which places have a meaning, such as aligned faces,
    /// which blocks that share their weights cannot know. Not in the paper.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mean_image: bool,
    /// One entry a level, finest (h = 0) first.
    pub levels: Vec<LevelConfig>,
}

impl RgFlowConfig {
    /// A model of edge `size` with the given levels, in the paper's order, with the sparse prior.
    pub fn new(size: usize, levels: Vec<LevelConfig>) -> Self {
        Self {
            size,
            channels: 3,
            block: 4,
            order: BlockOrder::Paper,
            prior: PriorKind::Laplace,
            coupling: CouplingKind::Affine,
            linear_maps: false,
            mean_image: false,
            levels,
        }
    }

    /// The authors' CelebA model at 32×32: 100,647,680 parameters.
    pub fn official_celeba32() -> Self {
        let level = |layers| LevelConfig { layers, res_blocks: 4, mlp: 2, hidden: 512 };
        Self { order: BlockOrder::Official, ..Self::new(32, [8, 6, 4, 2].map(level).to_vec()) }
    }

    /// The shipped models, for two CPU cores: most of the work where most of the latents are, at the finest level, and
    /// little depth at the top, where more of it gains nothing.
    pub fn demo() -> Self {
        let level = |layers, res_blocks, hidden| LevelConfig { layers, res_blocks, mlp: 2, hidden };
        let levels = vec![level(6, 1, 96), level(4, 1, 128), level(2, 2, 128), level(2, 2, 128)];
        Self { linear_maps: true, mean_image: true, ..Self::new(32, levels) }
    }

    /// A smaller one, in arithmetic: narrow where there are many blocks, deep at the top, where a block costs little.
    pub fn small() -> Self {
        let level = |layers, res_blocks, hidden| LevelConfig { layers, res_blocks, mlp: 2, hidden };
        let levels = vec![level(4, 1, 64), level(4, 1, 128), level(6, 2, 128), level(6, 2, 128)];
        Self { linear_maps: true, mean_image: true, ..Self::new(32, levels) }
    }

    /// The model of the speed comparisons: 0.143 GMAC per image.
    pub fn bench() -> Self {
        let level = |layers| LevelConfig { layers, res_blocks: 2, mlp: 2, hidden: 128 };
        Self::new(32, [4, 3, 2, 1].map(level).to_vec())
    }

    /// A model of a few thousand parameters for tests and the first moments of a lesson.
    pub fn tiny() -> Self {
        let level = |layers| LevelConfig { layers, res_blocks: 2, mlp: 1, hidden: 12 };
        Self::new(16, [2, 2, 2].map(level).to_vec())
    }

    /// The preset of that name, as the command line and model cards spell it.
    pub fn preset(name: &str) -> Option<Self> {
        match name {
            "official_celeba32" => Some(Self::official_celeba32()),
            "demo" => Some(Self::demo()),
            "small" => Some(Self::small()),
            "bench" => Some(Self::bench()),
            "tiny" => Some(Self::tiny()),
            _ => None,
        }
    }

    /// Names that [`RgFlowConfig::preset`] knows.
    pub const PRESETS: [&'static str; 5] = ["demo", "small", "bench", "tiny", "official_celeba32"];

    /// Checks that the configuration describes a model of sensible size.
    ///
    /// # Errors
    /// [`Error::Config`] says which value is off and what it may be.
    pub fn validate(&self) -> Result<()> {
        let fail = |what: String| Err(Error::Config(what));
        if self.block < 2 || !self.block.is_multiple_of(2) || self.block > 16 {
            return fail(format!("block edge {} must be even, 2 to 16", self.block));
        }
        if self.channels == 0 || self.channels > 4 {
            return fail(format!("{} channels; 1 to 4 are possible", self.channels));
        }
        if self.size > MAX_SIZE || !self.size.is_multiple_of(self.block) || !(self.size / self.block).is_power_of_two()
        {
            return fail(format!("size {} must be {}·2^k and at most {MAX_SIZE}", self.size, self.block));
        }
        if self.levels.len() != self.level_count() {
            return fail(format!(
                "{} levels given; size {} with blocks of {} has {}",
                self.levels.len(),
                self.size,
                self.block,
                self.level_count()
            ));
        }
        for (h, level) in self.levels.iter().enumerate() {
            let in_range = (1..=64).contains(&level.layers)
                && (1..=16).contains(&level.res_blocks)
                && (1..=8).contains(&level.mlp)
                && (1..=4096).contains(&level.hidden);
            if !in_range {
                return fail(format!(
                    "level {h}: layers 1 to 64, res_blocks 1 to 16, mlp 1 to 8, hidden 1 to 4096, but got {level:?}"
                ));
            }
        }
        if let CouplingKind::Spline(bins) = self.coupling
            && !(2..=32).contains(&bins)
        {
            return fail(format!("splines of {bins} bins; 2 to 32 are possible"));
        }
        if self.param_count() > MAX_PARAMS {
            return fail(format!("{} parameters; at most {MAX_PARAMS} are accepted", self.param_count()));
        }
        Ok(())
    }

    /// Number of levels, h_L + 1 = log2(L/m) + 1.
    pub fn level_count(&self) -> usize {
        (self.size / self.block).ilog2() as usize + 1
    }

    /// Numbers in an image, C·L².
    pub fn dims(&self) -> usize {
        self.channels * self.size * self.size
    }

    /// Numbers in a block, C·m².
    pub fn block_dims(&self) -> usize {
        self.channels * self.block * self.block
    }

    /// Trainable parameters, with weight norm's gains counted.
    pub fn param_count(&self) -> usize {
        // A browser's usize cannot hold the number of the largest configuration that is asked for.
        let d = self.block_dims() as u64;
        let maps = if self.linear_maps { 2 * (d * d + d) } else { 0 };
        let mean = if self.mean_image { self.dims() as u64 } else { 0 };
        let nets = |level: &LevelConfig| 2 * level.layers as u64 * level.net_params(d, self.coupling);
        let levels: u64 = self.levels.iter().map(|level| 2 * (nets(level) + maps)).sum();
        usize::try_from(mean + levels).unwrap_or(usize::MAX)
    }

    /// Multiply-adds of one pass of one image.
    pub fn macs(&self) -> usize {
        let d = self.block_dims();
        let blocks = |h: usize| ((self.size / self.block) >> h).pow(2);
        self.levels
            .iter()
            .enumerate()
            .map(|(h, level)| {
                let widths = level.widths(d);
                let wider = (self.coupling.outputs() - 1) * d * level.hidden;
                let net = level.res_blocks * widths.windows(2).map(|w| w[0] * w[1]).sum::<usize>() + wider;
                let maps = if self.linear_maps { 2 * d * d } else { 0 };
                2 * blocks(h) * (level.layers * 2 * 2 * net + maps)
            })
            .sum()
    }
}

impl LevelConfig {
    /// Widths of a residual block's layers, `mlp` + 2 of them: d, hidden, …, hidden, d.
    pub fn widths(&self, d: usize) -> Vec<usize> {
        let mut widths = vec![d];
        widths.resize(self.mlp + 1, self.hidden);
        widths.push(d);
        widths
    }

    /// Parameters of one net: swish slopes, directions, gains and biases of each linear, and the last scale.
    fn net_params(&self, d: u64, coupling: CouplingKind) -> u64 {
        let linear = |inputs: u64, outputs: u64| inputs + inputs * outputs + 2 * outputs;
        let (hidden, outputs) = (self.hidden as u64, coupling.outputs() as u64);
        let block = linear(d, hidden) + (self.mlp as u64 - 1) * linear(hidden, hidden) + linear(hidden, d);
        // Only the last linear of all is wider with splines.
        self.res_blocks as u64 * block + (outputs - 1) * d * (hidden + 2) + outputs * d
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn official_model_has_the_published_size() {
        let config = RgFlowConfig::official_celeba32();
        config.validate().unwrap();
        assert_eq!(config.param_count(), 100_647_680);
    }

    #[test]
    fn bench_model_costs_what_the_comparison_says() {
        assert_eq!(RgFlowConfig::bench().macs() / 1_000_000, 143);
    }

    #[test]
    fn presets_are_valid_and_survive_json() {
        for name in RgFlowConfig::PRESETS {
            let config = RgFlowConfig::preset(name).unwrap();
            config.validate().unwrap();
            let json = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<RgFlowConfig>(&json).unwrap(), config);
        }
        assert!(RgFlowConfig::preset("no such preset").is_none());
    }

    #[test]
    fn impossible_configurations_are_named() {
        let spoil = |f: fn(&mut RgFlowConfig)| {
            let mut config = RgFlowConfig::tiny();
            f(&mut config);
            config.validate().unwrap_err().to_string()
        };
        assert!(spoil(|c| c.size = 24).contains("size 24"));
        assert!(spoil(|c| c.size = 1 << 40).contains("at most"));
        assert!(spoil(|c| c.block = 3).contains("block edge 3"));
        assert!(spoil(|c| c.channels = 0).contains("0 channels"));
        assert!(
            spoil(|c| {
                c.levels.pop();
            })
            .contains("2 levels given")
        );
        assert!(spoil(|c| c.coupling = CouplingKind::Spline(0)).contains("0 bins"));
        assert!(spoil(|c| c.coupling = CouplingKind::Spline(33)).contains("33 bins"));
        assert!(spoil(|c| c.coupling = CouplingKind::Spline(usize::MAX)).contains("2 to 32"));
        assert!(spoil(|c| c.levels[1].hidden = 0).contains("level 1"));
        assert!(
            spoil(|c| c.levels = vec![LevelConfig { layers: 64, res_blocks: 16, mlp: 8, hidden: 4096 }; 3])
                .contains("parameters")
        );
    }
}
