//! The shape of a bijector, the direction in which it runs, and where each of its folded weights stands in one flat
//! vector: what the tensor operations ([`crate::nn`]) and the kernels ([`crate::backend`]) both build on.

use crate::config::{CouplingKind, LevelConfig, RgFlowConfig};

/// Which way a bijector is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The RG transformation: from the image to the latents.
    Forward,
    /// Generation: from the latents to the image.
    Inverse,
}

/// The shape of one stage's bijector: `layers` coupling layers on rows of `dim` numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BijectorShape {
    /// Numbers in a row, C·m².
    pub dim: usize,
    /// Coupling layers, residual blocks, hidden layers and their width.
    pub level: LevelConfig,
    /// What a coupling does.
    pub coupling: CouplingKind,
}

/// The shape of one stage: its couplings, and what stands around them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageShape {
    /// Numbers in a row, C·m².
    pub dim: usize,
    /// Blocks of a picture, one row each.
    pub blocks: usize,
    /// Whether there is a linear map before and after the couplings.
    pub maps: bool,
    /// Learned numbers for each block's place, which both halves of a row get besides
    /// ([`crate::nn::Places`]); 0 for none.
    pub features: usize,
    /// The couplings, on rows of `dim` + 2·`features` numbers.
    pub couplings: BijectorShape,
}

/// The shapes of the stages that have weights of their own, in the order of [`RgFlow::bijectors`](crate::RgFlow).
pub fn shapes(config: &RgFlowConfig) -> Vec<StageShape> {
    let stage = |(h, &level): (usize, &LevelConfig)| {
        let (dim, features) = (config.block_dims(), config.features(h));
        let couplings = BijectorShape { dim: dim + 2 * features, level, coupling: config.coupling };
        StageShape { dim, blocks: config.blocks(h), maps: config.linear_maps, features, couplings }
    };
    config.levels[..config.own_levels()].iter().enumerate().flat_map(|level| [stage(level); 2]).collect()
}

/// One linear layer of a bijector's nets, all nets stacked. The first index is the net: 2·layer for s, 2·layer + 1 for
/// t.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinearShape {
    /// Numbers in.
    pub inputs: usize,
    /// Numbers out.
    pub outputs: usize,
    /// Start of the swish slopes [nets, inputs].
    pub alpha: usize,
    /// Start of the weights [nets, inputs, outputs].
    pub weight: usize,
    /// Start of the biases [nets, outputs].
    pub bias: usize,
}

impl BijectorShape {
    /// Numbers in half a row.
    pub fn half(&self) -> usize {
        self.dim / 2
    }

    /// Numbers that a net outputs for a whole row.
    pub fn outputs(&self) -> usize {
        self.dim * self.coupling.outputs()
    }

    /// Nets in the bijector: s and t of each layer.
    pub fn nets(&self) -> usize {
        2 * self.level.layers
    }

    /// The nets' linear layers in the order of the flat vector: residual block by residual block.
    pub fn linears(&self) -> Vec<LinearShape> {
        let widths = self.level.widths(self.dim);
        let nets = self.nets();
        let last = self.level.res_blocks * (self.level.mlp + 1) - 1;
        let mut start = 0;
        let mut linears = Vec::with_capacity(self.level.res_blocks * (self.level.mlp + 1));
        for _ in 0..self.level.res_blocks {
            for w in widths.windows(2) {
                let factor = if linears.len() == last { self.coupling.outputs() } else { 1 };
                let (inputs, outputs) = (w[0], factor * w[1]);
                let (alpha, weight) = (start, start + nets * inputs);
                let bias = weight + nets * inputs * outputs;
                start = bias + nets * outputs;
                linears.push(LinearShape { inputs, outputs, alpha, weight, bias });
            }
        }
        linears
    }

    /// Start of the last scale [nets, outputs].
    pub fn scale(&self) -> usize {
        self.linears().last().map_or(0, |l| l.bias + self.nets() * l.outputs)
    }

    /// Length of the flat vector.
    pub fn len(&self) -> usize {
        self.scale() + self.nets() * self.outputs()
    }

    /// Always false, since every bijector has weights; `len` should come with `is_empty`.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_vector_has_no_gap_and_no_overlap() {
        let shape = BijectorShape {
            dim: 6,
            level: LevelConfig { layers: 2, res_blocks: 2, mlp: 1, hidden: 5 },
            coupling: CouplingKind::Affine,
        };
        let linears = shape.linears();
        assert_eq!(linears.len(), 4);
        let mut at = 0;
        for l in &linears {
            assert_eq!((l.alpha, l.weight, l.bias), (at, at + 4 * l.inputs, at + 4 * l.inputs * (1 + l.outputs)));
            at = l.bias + 4 * l.outputs;
        }
        assert_eq!(shape.scale(), at);
        assert_eq!(shape.len(), 2 * 4 * ((6 + 30 + 5) + (5 + 30 + 6)) + 4 * 6);
    }
}
