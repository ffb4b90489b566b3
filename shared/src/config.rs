//! The architecture as data: everything that decides the shapes of a model.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::logit::bits_per_dim;

/// Largest edge that a configuration may ask for, so that a hostile file cannot ask for terabytes of memory.
pub const MAX_SIZE: usize = 1024;
/// Largest number of parameters that a configuration may ask for.
pub const MAX_PARAMS: usize = 400_000_000;
/// Most features of a place that a configuration may ask for.
pub const MOST_FEATURES: usize = 64;

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
    /// x·e^s + t, as in the paper.
    #[default]
    Affine,
    /// The same, then a monotone rational-quadratic spline with this many bins. It runs in tensor operations on every
    /// backend, since no kernel has it, and its gradient stores activations: on the CPU it takes ten times as long.
    /// Meant for models with linear maps, whose couplings see numbers of about unit variance.
    Spline(usize),
}

impl CouplingKind {
    /// Numbers that each of the two nets outputs for each number that changes.
    pub fn outputs(self) -> usize {
        match self {
            Self::Affine => 1,
            // s or t, and half of the bins' widths, heights and slopes: rounded up where their number is odd.
            Self::Spline(bins) => 1 + bins.saturating_mul(3).saturating_sub(1).div_ceil(2),
        }
    }

    pub(crate) fn is_affine(&self) -> bool {
        *self == Self::Affine
    }
}

/// What a model's data are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataKind {
    /// Pictures of bytes, which are dequantised and passed through the logit.
    #[default]
    Images,
    /// Fields on a lattice: real numbers, taken as they are.
    Field,
}

impl DataKind {
    fn is_images(&self) -> bool {
        *self == Self::Images
    }

    /// What the data cost: bits/dim of pictures (of values in [0, 1]), −log p in nats for each number of fields.
    pub fn cost(self, log_prob: f64, dims: usize) -> f64 {
        match self {
            Self::Images => bits_per_dim(log_prob, dims),
            Self::Field => -log_prob / dims as f64,
        }
    }

    /// What each level's numbers cost, from what the levels add to log p in nats
    /// ([`ImageFlow::log_prob_by_level`](crate::ImageFlow::log_prob_by_level)) and how many numbers each has, both finest
    /// first. The logit's log-determinant counts where the pixels are, at the finest level; fields have none.
    ///
    /// # Examples
    /// ```
    /// use shared::DataKind;
    ///
    /// assert_eq!(DataKind::Field.cost_by_level(&[-6.0, -2.0], 0.0, &[3, 1]), [2.0, 2.0]);
    /// ```
    pub fn cost_by_level(self, parts: &[f64], logit_log_det: f64, counts: &[usize]) -> Vec<f64> {
        let pixels = |level: usize| if level == 0 { logit_log_det } else { 0.0 };
        let cost = |(level, (part, &count)): (usize, (&f64, &usize))| self.cost(part + pixels(level), count);
        parts.iter().zip(counts).enumerate().map(cost).collect()
    }

    /// The unit of [`DataKind::cost`].
    pub fn unit(self) -> &'static str {
        match self {
            Self::Images => "bits/dim",
            Self::Field => "nats/site",
        }
    }
}

/// The bijectors of one level. Disentangler and decimator have the same shape, but not the same weights.
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

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// An RG-Flow's architecture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RgFlowConfig {
    /// Edge L of the square images in pixels: `block`·2^k.
    pub size: usize,
    /// Colour channels C.
    pub channels: usize,
    /// Edge m of the blocks that the bijectors act on, in pixels.
    pub block: usize,
    /// Which stage is shifted.
    pub order: BlockOrder,
    /// Distribution of the latents.
    pub prior: PriorKind,
    /// What the coupling layers do.
    #[serde(default, skip_serializing_if = "CouplingKind::is_affine")]
    pub coupling: CouplingKind,
    /// Whether every bijector has a learned map before and after its couplings ([`crate::nn::InvertibleMap`]). Not in
    /// the paper, whose structure takes any bijector; with maps, models learn in a fraction of the time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub linear_maps: bool,
    /// Whether a learned mean image is subtracted first: for data in which positions have a meaning, such as aligned
    /// faces. Blocks share their weights and cannot know where they are. Not in the paper.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mean_image: bool,
    /// Learned numbers for each block's place, which condition the couplings ([`crate::nn::Places`]): for the same data.
    /// 0 for none; not in the paper.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub place_features: usize,
    /// The finest level whose blocks know their places. At finer ones, where latents may be cold, all blocks stay alike.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub places_from: usize,
    /// Whether all levels have the same two bijectors, as a system without a scale of its own wants it. Not in the paper; the
    /// idea is that of non-linear wavelets by flows (arXiv 2101.11306).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub share_levels: bool,
    /// What the data are.
    #[serde(default, skip_serializing_if = "DataKind::is_images")]
    pub data: DataKind,
    /// One entry for each level, finest (h = 0) first.
    pub levels: Vec<LevelConfig>,
}

impl RgFlowConfig {
    /// A model for colour images of edge `size` with the given levels, the paper's blocks of 4×4 pixels, its order and
    /// its sparse prior.
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
            place_features: 0,
            places_from: 0,
            share_levels: false,
            data: DataKind::Images,
            levels,
        }
    }

    /// Checks that the configuration describes a model of sensible size.
    ///
    /// # Errors
    /// [`Error::Config`] says which value is off and what it may be.
    pub fn validate(&self) -> Result<()> {
        let fail = |what: String| Err(Error::Config(what));
        if self.block < 2 || !self.block.is_multiple_of(2) || self.block > 16 {
            return fail(format!("block is {}, but must be even and 2 to 16", self.block));
        }
        if self.channels == 0 || self.channels > 4 {
            return fail(format!("channels is {}, but must be 1 to 4", self.channels));
        }
        self.check_size()?;
        if self.levels.len() != self.level_count() {
            return fail(format!(
                "there are {} levels, but size {} with blocks of {} needs {}",
                self.levels.len(),
                self.size,
                self.block,
                self.level_count()
            ));
        }
        for (h, level) in self.levels.iter().enumerate() {
            let values = [
                ("layers", level.layers, 64),
                ("res_blocks", level.res_blocks, 16),
                ("mlp", level.mlp, 8),
                ("hidden", level.hidden, 4096),
            ];
            if let Some((key, value, most)) = values.into_iter().find(|&(_, value, most)| !(1..=most).contains(&value))
            {
                return fail(format!("levels[{h}].{key} is {value}, but must be 1 to {most}"));
            }
        }
        if let CouplingKind::Spline(bins) = self.coupling
            && !(2..=32).contains(&bins)
        {
            return fail(format!("splines have {bins} bins, but must have 2 to 32"));
        }
        if self.place_features > MOST_FEATURES {
            let (count, most) = (self.place_features, MOST_FEATURES);
            return fail(format!("place_features is {count}, but must be 0 to {most}"));
        }
        if self.places_from >= self.levels.len() {
            let (from, last) = (self.places_from, self.levels.len() - 1);
            return fail(format!("places_from is {from}, but must be a level, 0 to {last}"));
        }
        if self.share_levels {
            if let Some(h) = (1..self.levels.len()).find(|&h| self.levels[h] != self.levels[0]) {
                return fail(format!(
                    "levels[{h}] is not levels[0], but levels that share their weights are all alike"
                ));
            }
            if self.place_features > 0 {
                return fail("place_features tell one level from another, so none go with share_levels".into());
            }
        }
        if self.param_count() > MAX_PARAMS {
            return fail(format!("{} parameters are too many; the limit is {MAX_PARAMS}", self.param_count()));
        }
        Ok(())
    }

    /// Checks the size alone.
    pub(crate) fn check_size(&self) -> Result<()> {
        let Self { size, block, .. } = *self;
        if size <= MAX_SIZE && size.is_multiple_of(block) && (size / block).is_power_of_two() {
            return Ok(());
        }
        Err(Error::Config(format!("size is {size}, but must be {block}·2^k and at most {MAX_SIZE}")))
    }

    /// Number of levels, h_L + 1 = log2(L/m) + 1.
    pub fn level_count(&self) -> usize {
        (self.size / self.block).ilog2() as usize + 1
    }

    /// Levels that have weights of their own, finest first: one where all levels share theirs.
    pub fn own_levels(&self) -> usize {
        if self.share_levels { self.levels.len().min(1) } else { self.levels.len() }
    }

    /// The same with one pair of bijectors for all levels, which take the shape of the finest.
    pub fn shared(mut self) -> Self {
        self.share_levels = true;
        if let Some(&finest) = self.levels.first() {
            self.levels.fill(finest);
        }
        self
    }

    /// Numbers in an image, C·L².
    pub fn dims(&self) -> usize {
        self.channels * self.size * self.size
    }

    /// Numbers in a block, C·m².
    pub fn block_dims(&self) -> usize {
        self.channels * self.block * self.block
    }

    /// Blocks of each of a level's two stages.
    pub fn blocks(&self, level: usize) -> usize {
        ((self.size / self.block) >> level).pow(2)
    }

    /// Features of each of a level's places: none where there is only one place, nor below [`Self::places_from`].
    pub fn features(&self, level: usize) -> usize {
        if level >= self.places_from && self.blocks(level) > 1 { self.place_features } else { 0 }
    }

    /// Trainable parameters, including the weight norm's gains.
    pub fn param_count(&self) -> usize {
        // In u64: a browser's usize is too small for the largest configuration that a file can ask for.
        let d = self.block_dims() as u64;
        let maps = if self.linear_maps { 2 * (d * d + d) } else { 0 };
        let mean = if self.mean_image { self.dims() as u64 } else { 0 };
        let levels: u64 = (0..self.own_levels())
            .map(|h| {
                let (level, blocks, features) = (&self.levels[h], self.blocks(h) as u64, self.features(h) as u64);
                let nets = 2 * level.layers as u64 * level.net_params(d + 2 * features, self.coupling);
                2 * (nets + maps + blocks * features)
            })
            .sum();
        usize::try_from(mean + levels).unwrap_or(usize::MAX)
    }

    /// Multiply-adds of one image's pass through the flow.
    pub fn macs(&self) -> usize {
        let maps = if self.linear_maps { 2 * self.block_dims().pow(2) } else { 0 };
        self.levels
            .iter()
            .enumerate()
            .map(|(h, level)| {
                let d = self.block_dims() + 2 * self.features(h);
                let widths = level.widths(d);
                let wider = (self.coupling.outputs() - 1) * d * level.hidden;
                let net = level.res_blocks * widths.windows(2).map(|w| w[0] * w[1]).sum::<usize>() + wider;
                2 * self.blocks(h) * (level.layers * 2 * 2 * net + maps)
            })
            .sum()
    }
}

impl LevelConfig {
    /// The `mlp` + 2 widths of a residual block: d, hidden, …, hidden, d.
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
        // With splines only the very last linear is wider.
        self.res_blocks as u64 * block + (outputs - 1) * d * (hidden + 2) + outputs * d
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_data_are_written_only_where_they_are_not_images() {
        let images = serde_json::to_string(&RgFlowConfig::tiny()).unwrap();
        assert!(
            !images.contains("\"data\"") && serde_json::from_str::<RgFlowConfig>(&images).unwrap().data.is_images()
        );
        let field = RgFlowConfig { data: DataKind::Field, ..RgFlowConfig::tiny() };
        let text = serde_json::to_string(&field).unwrap();
        assert!(text.contains(r#""data":"field""#) && serde_json::from_str::<RgFlowConfig>(&text).unwrap() == field);
        assert_eq!((DataKind::Images.cost(0.0, 9), DataKind::Field.cost(18.0, 9)), (8.0, -2.0));
    }

    #[test]
    fn impossible_configurations_are_named() {
        let spoil = |f: fn(&mut RgFlowConfig)| {
            let mut config = RgFlowConfig::tiny();
            f(&mut config);
            config.validate().unwrap_err().to_string()
        };
        assert!(spoil(|c| c.size = 24).contains("size is 24"));
        assert!(spoil(|c| c.size = 1 << 40).contains("at most"));
        assert!(spoil(|c| c.block = 3).contains("block is 3"));
        assert!(spoil(|c| c.channels = 0).contains("channels is 0"));
        assert!(
            spoil(|c| {
                c.levels.pop();
            })
            .contains("2 levels")
        );
        assert!(spoil(|c| c.coupling = CouplingKind::Spline(0)).contains("0 bins"));
        assert!(spoil(|c| c.coupling = CouplingKind::Spline(33)).contains("33 bins"));
        assert!(spoil(|c| c.coupling = CouplingKind::Spline(usize::MAX)).contains("2 to 32"));
        assert!(
            spoil(|c| {
                c.share_levels = true;
                c.levels[2].hidden = 9;
            })
            .contains("levels[2] is not levels[0]")
        );
        assert!(
            spoil(|c| {
                c.share_levels = true;
                c.place_features = 1;
            })
            .contains("place_features")
        );
        assert!(spoil(|c| c.levels[1].hidden = 0).contains("levels[1].hidden is 0, but must be 1 to 4096"));
        assert!(
            spoil(|c| c.levels = vec![LevelConfig { layers: 64, res_blocks: 16, mlp: 8, hidden: 4096 }; 3])
                .contains("parameters")
        );
    }
}
