//! Where things are: levels, blocks, latents' addresses and causal cones. No tensors here.
//!
//! Three orders of an image's numbers are used:
//! - the **picture** `[C, L, L]`, in which a latent stands where its pixel stood (stride 2^h at level h);
//! - the **grid** of a level, `[C, n, n]` with n = L/2^h, which is left after h RG steps;
//! - the **rows** of a stage, one row of C·m² numbers for each block, the checkerboard's two colours one after the
//!   other.

mod address;
mod cone;
mod plan;

use crate::config::BlockOrder;

pub use address::{LatentAddress, Levels, counts_by_level};
pub use cone::{Cone, LevelCone, generation_cone, inference_cone};
pub use plan::{Plan, StagePlan};

/// The two local transformations of an RG step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Mixes across the borders of the decimator's blocks.
    Disentangler,
    /// Splits a block's numbers into coarse pixels and latents.
    Decimator,
}

impl Stage {
    /// Both, in the order of the RG transformation.
    pub const BOTH: [Self; 2] = [Self::Disentangler, Self::Decimator];

    /// How far this stage's blocks are shifted, in pixels of the level's grid.
    pub fn shift(self, order: BlockOrder, block: usize) -> usize {
        let shifted = match order {
            BlockOrder::Paper => self == Self::Disentangler,
            BlockOrder::Official => self == Self::Decimator,
        };
        if shifted { block / 2 } else { 0 }
    }

    /// Its name in weights files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disentangler => "disentangler",
            Self::Decimator => "decimator",
        }
    }
}
