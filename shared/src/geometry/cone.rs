//! Causal cones (fig. 2c, 2d): what an edit of latents can change, and which latents a change of pixels can change.

use super::{Levels, Stage};
use crate::config::RgFlowConfig;

/// What a change touches at one level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelCone {
    /// Latents of this level: positions (row, col) in its grid, in reading order; all channels alike.
    pub latents: Vec<(usize, usize)>,
    /// Pixels of this level's grid x^(h), in reading order.
    pub pixels: Vec<(usize, usize)>,
    /// The disentangler's blocks that have to be computed again, in the order of the rows.
    pub disentangler: Vec<usize>,
    /// The decimator's blocks likewise.
    pub decimator: Vec<usize>,
}

/// A cone, level by level, finest first.
pub type Cone = Vec<LevelCone>;

/// The latents, blocks and coarser pixels that can change when the given pixels of the image do.
///
/// O(log L) of each for a bounded number of pixels.
pub fn inference_cone(config: &RgFlowConfig, pixels: &[(usize, usize)]) -> Cone {
    let levels = Levels::new(config);
    let mut grid = Grid::new(config.size);
    for &(row, col) in pixels {
        grid.set(row % config.size, col % config.size);
    }
    let mut cone = Cone::new();
    for level in 0..levels.count() {
        let touched = grid.places();
        let [disentangler, decimator] =
            Stage::BOTH.map(|stage| grid.spread(config.block, stage.shift(config.order, config.block)));
        let top = level + 1 == levels.count();
        let (coarse, latents): (Vec<_>, Vec<_>) =
            grid.places().into_iter().partition(|&(r, c)| !top && r % 2 == 0 && c % 2 == 0);
        cone.push(LevelCone { latents, pixels: touched, disentangler, decimator });
        grid = Grid::new(grid.edge / 2);
        coarse.iter().for_each(|&(r, c)| grid.set(r / 2, c / 2));
    }
    cone
}

/// The blocks and pixels that can change when the given latents do; level and grid position of each.
pub fn generation_cone(config: &RgFlowConfig, latents: &[(usize, (usize, usize))]) -> Cone {
    let levels = Levels::new(config);
    let mut coarse: Vec<(usize, usize)> = Vec::new();
    let mut cone = Cone::new();
    for level in (0..levels.count()).rev() {
        let mut grid = Grid::new(levels.edge(level));
        let mut own: Vec<_> = latents.iter().filter(|(l, _)| *l == level).map(|&(_, place)| place).collect();
        own.sort_unstable();
        own.dedup();
        for &(r, c) in own.iter().chain(&coarse.iter().map(|&(r, c)| (2 * r, 2 * c)).collect::<Vec<_>>()) {
            grid.set(r % grid.edge, c % grid.edge);
        }
        let decimator = grid.spread(config.block, Stage::Decimator.shift(config.order, config.block));
        let disentangler = grid.spread(config.block, Stage::Disentangler.shift(config.order, config.block));
        coarse = grid.places();
        cone.push(LevelCone { latents: own, pixels: coarse.clone(), disentangler, decimator });
    }
    cone.reverse();
    cone
}

/// Which places of an n×n grid are touched.
struct Grid {
    edge: usize,
    touched: Vec<bool>,
}

impl Grid {
    fn new(edge: usize) -> Self {
        Self { edge, touched: vec![false; edge * edge] }
    }

    fn set(&mut self, row: usize, col: usize) {
        self.touched[row * self.edge + col] = true;
    }

    fn places(&self) -> Vec<(usize, usize)> {
        (0..self.touched.len()).filter(|&i| self.touched[i]).map(|i| (i / self.edge, i % self.edge)).collect()
    }

    /// Fills every block of edge m that holds a touched place, and returns those blocks.
    fn spread(&mut self, m: usize, shift: usize) -> Vec<usize> {
        let (edge, across) = (self.edge, self.edge / m);
        let block_of =
            |(r, c): (usize, usize)| ((r + edge - shift) % edge / m) * across + (c + edge - shift) % edge / m;
        let mut blocks: Vec<usize> = self.places().into_iter().map(block_of).collect();
        blocks.sort_unstable();
        blocks.dedup();
        for &block in &blocks {
            for k in 0..m * m {
                self.set((block / across * m + k / m + shift) % edge, (block % across * m + k % m + shift) % edge);
            }
        }
        blocks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BlockOrder, LevelConfig};

    fn config(size: usize) -> RgFlowConfig {
        let level = LevelConfig { layers: 2, res_blocks: 1, mlp: 1, hidden: 4 };
        RgFlowConfig::new(size, vec![level; (size / 4).ilog2() as usize + 1])
    }

    #[test]
    fn cones_grow_like_log_l() {
        let blocks = |size| {
            inference_cone(&config(size), &[(5, 5)])
                .iter()
                .map(|l| l.disentangler.len() + l.decimator.len())
                .collect::<Vec<_>>()
        };
        let (small, large) = (blocks(64), blocks(1024));
        assert_eq!(large.len() - small.len(), 4);
        assert!(large.iter().all(|&n| n <= 20), "{large:?}");
        let latents =
            |size| inference_cone(&config(size), &[(5, 5)]).iter().map(|l| l.latents.len()).collect::<Vec<_>>();
        assert!(latents(1024).iter().all(|&n| n <= 12 * 12), "{:?}", latents(1024));
    }

    #[test]
    fn a_top_latent_reaches_every_pixel_and_a_fine_one_only_its_neighbours() {
        for order in [BlockOrder::Paper, BlockOrder::Official] {
            let config = RgFlowConfig { order, ..config(32) };
            assert_eq!(generation_cone(&config, &[(3, (1, 2))])[0].pixels.len(), 32 * 32);
            assert_eq!(generation_cone(&config, &[(0, (9, 9))])[0].pixels.len(), 8 * 8);
        }
    }
}
