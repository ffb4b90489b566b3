//! What the kernels are compiled for: a bijector's nets, and where their numbers are.

use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;

use crate::shape::BijectorShape;

/// Rows of a group: the length of a shader's vectors.
pub const ROWS: usize = 4;
/// One number of each of a group's rows.
pub type Rows = Vector<f32, Const<ROWS>>;

/// Invocations of a workgroup, as every WebGPU device allows.
pub const UNITS: u32 = 256;
/// The most workgroups along one dimension, of which every WebGPU device allows 65,535.
pub const MAX_CUBES: u32 = 1 << 15;

/// The nets of a bijector, all of one shape.
///
/// Linears are counted from 0 through all residual blocks. The first uses one half of its inputs, since the others are
/// zero, and the last one half of its outputs, since the others are not needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Net {
    /// Numbers in a row.
    pub dim: usize,
    /// Width of the hidden layers.
    pub hidden: usize,
    /// Hidden layers in a residual block.
    pub mlp: usize,
    /// Residual blocks.
    pub res_blocks: usize,
}

impl Net {
    /// The nets of these bijectors.
    pub fn new(shape: &BijectorShape) -> Self {
        let level = &shape.level;
        Self { dim: shape.dim, hidden: level.hidden, mlp: level.mlp, res_blocks: level.res_blocks }
    }

    /// Numbers in half a row.
    pub fn half(self) -> usize {
        self.dim / 2
    }

    /// The widest layer.
    pub fn width(self) -> usize {
        self.dim.max(self.hidden)
    }

    /// Number of linears.
    pub fn linears(self) -> usize {
        self.res_blocks * (self.mlp + 1)
    }

    /// Whether linear l is the first of its block.
    pub fn enters(self, l: usize) -> bool {
        l.is_multiple_of(self.mlp + 1)
    }

    /// Whether linear l is the last of its block.
    pub fn leaves(self, l: usize) -> bool {
        self.enters(l + 1)
    }

    /// Whether linear l is the net's last.
    pub fn ends(self, l: usize) -> bool {
        l + 1 == self.linears()
    }

    /// Inputs of linear l as it is stored.
    pub fn stored_inputs(self, l: usize) -> usize {
        if self.enters(l) { self.dim } else { self.hidden }
    }

    /// Outputs of linear l as it is stored.
    pub fn stored_outputs(self, l: usize) -> usize {
        if self.leaves(l) { self.dim } else { self.hidden }
    }

    /// Numbers of linear l's matrix.
    pub fn matrix(self, l: usize) -> usize {
        self.stored_inputs(l) * self.stored_outputs(l)
    }

    /// Inputs of linear l that are used.
    pub fn inputs(self, l: usize) -> usize {
        if l == 0 { self.half() } else { self.stored_inputs(l) }
    }

    /// Outputs of linear l that are used.
    pub fn outputs(self, l: usize) -> usize {
        if self.ends(l) { self.half() } else { self.stored_outputs(l) }
    }

    /// A net's weights before those of linear l. As linears are stacked, this times the number of nets is where the
    /// slopes of linear l start, and then follow weights and biases.
    pub fn before(self, l: usize) -> usize {
        (0..l).map(|l| self.stored_inputs(l) + self.matrix(l) + self.stored_outputs(l)).sum()
    }

    /// Used inputs and outputs before those of linear l: where a net's inputs of linear l stand, and then its outputs,
    /// in what one kernel leaves for the next.
    pub fn place(self, l: usize) -> usize {
        (0..l).map(|l| self.inputs(l) + self.outputs(l)).sum()
    }

    /// Numbers that a net leaves of each row for the gradients of its matrices: the inputs and the outputs' gradients
    /// of all linears.
    pub fn kept(self) -> usize {
        self.place(self.linears())
    }

    /// Numbers that a net leaves of each group for the gradients that are sums over rows: slopes and biases, then
    /// scales.
    pub fn sums(self) -> usize {
        self.kept() + self.half()
    }
}

/// The index-th number of each row of the group that begins with row `first`; 0 for rows beyond the last.
#[cube]
pub fn load(rows: &Array<f32>, first: usize, n: usize, index: usize, #[comptime] dim: usize) -> Rows {
    let mut value = Rows::new(0.0);
    #[unroll]
    for r in 0..ROWS {
        if first + r < n {
            value[r] = rows[(first + r) * dim + index];
        }
    }
    value
}

/// Undoes [`load`].
#[cube]
pub fn store(rows: &mut Array<f32>, first: usize, n: usize, index: usize, value: Rows, #[comptime] dim: usize) {
    #[unroll]
    for r in 0..ROWS {
        if first + r < n {
            rows[(first + r) * dim + index] = value[r];
        }
    }
}

/// 1 / (1 + e^(−α·x))
#[cube]
pub fn sigmoid(x: Rows, alpha: f32) -> Rows {
    Rows::new(1.0) / (Rows::new(1.0) + Exp::exp(x * Rows::new(-alpha)))
}

/// −x. CubeCL would write a minus sign before a vector, which CUDA does not have.
#[cube]
pub fn minus(x: Rows) -> Rows {
    Rows::new(0.0) - x
}

/// x · sigmoid(α·x)
#[cube]
pub fn swish(x: Rows, alpha: f32) -> Rows {
    x * sigmoid(x, alpha)
}

/// s of a coupling from its net's scaled output: tanh, clamped since some GPUs' tanh is NaN for large arguments.
#[cube]
pub fn squash(x: Rows) -> Rows {
    Tanh::tanh(clamp(x, Rows::new(-20.0), Rows::new(20.0)))
}

/// How many of `groups` groups of rows an invocation takes for one of `width` numbers of each of the two nets: as few
/// as give every invocation work.
pub fn share(width: usize, groups: usize) -> usize {
    let enough = |share: &usize| 2 * width * (groups / share) <= UNITS as usize;
    (0..=groups.ilog2()).map(|k| 1 << k).find(enough).unwrap_or(groups)
}

/// What one invocation does, in a layer of `width` numbers of each of the two nets.
#[derive(CubeType, Clone, Copy)]
pub struct Item {
    /// The first of its groups.
    pub group: usize,
    /// The net: s or t.
    pub which: usize,
    /// The number.
    pub i: usize,
}

/// Item number `item` of 2 · width · groups / share; those of one group come one after the other.
#[cube]
pub fn item_at(item: usize, #[comptime] width: usize, #[comptime] share: usize) -> Item {
    Item { group: item / comptime!(2 * width) * share, which: item / width % 2, i: item % width }
}

/// Adds Σ_j weights[at + j·stride] · values[from + j] to the sums, one for each of an invocation's groups.
///
/// # Shapes
/// - values: `[_, groups]`
#[cube]
pub fn product(
    sums: &mut Array<Rows>,
    weights: &Array<f32>,
    at: usize,
    values: &SharedMemory<Rows>,
    from: usize,
    group: usize,
    #[comptime] len: usize,
    #[comptime] stride: usize,
    #[comptime] groups: usize,
    #[comptime] share: usize,
) {
    // This many weights at once, so that their latencies overlap.
    let at_once = comptime!(8usize);
    for part in 0..comptime!(len / at_once) {
        #[unroll]
        for k in 0..at_once {
            let j = part * at_once + k;
            let weight = Rows::new(weights[at + j * stride]);
            #[unroll]
            for p in 0..share {
                sums[p] += weight * values[(from + j) * groups + group + p];
            }
        }
    }
    #[unroll]
    for k in 0..comptime!(len % at_once) {
        let j = comptime!(len / at_once * at_once + k);
        let weight = Rows::new(weights[at + j * stride]);
        #[unroll]
        for p in 0..share {
            sums[p] += weight * values[(from + j) * groups + group + p];
        }
    }
}
