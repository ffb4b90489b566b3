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
    /// The disentangler's blocks that have to be recomputed, in the order of the rows.
    pub disentangler: Vec<usize>,
    /// The decimator's blocks that have to be recomputed, in the order of the rows.
    pub decimator: Vec<usize>,
}

/// A cone, level by level, finest first.
pub type Cone = Vec<LevelCone>;

/// The latents, blocks and coarser pixels that can change when the given pixels of the image do.
///
/// There are O(log L) of each for a bounded number of pixels.
pub fn inference_cone(config: &RgFlowConfig, pixels: &[(usize, usize)]) -> Cone {
    let levels = Levels::new(config);
    let mut grid = Grid::new(config.size, pixels.iter().copied());
    let mut cone = Cone::new();
    for level in 0..levels.count() {
        let touched = grid.places.clone();
        let [disentangler, decimator] =
            Stage::BOTH.map(|stage| grid.spread(config.block, stage.shift(config.order, config.block)));
        let top = level + 1 == levels.count();
        let (coarse, latents): (Vec<(usize, usize)>, Vec<_>) =
            grid.places.iter().partition(|&(r, c)| !top && r % 2 == 0 && c % 2 == 0);
        cone.push(LevelCone { latents, pixels: touched, disentangler, decimator });
        grid = Grid::new(grid.edge / 2, coarse.iter().map(|&(r, c)| (r / 2, c / 2)));
    }
    cone
}

/// The blocks and pixels that can change when the given latents do, each given by its level and grid position.
pub fn generation_cone(config: &RgFlowConfig, latents: &[(usize, (usize, usize))]) -> Cone {
    let levels = Levels::new(config);
    let mut coarse: Vec<(usize, usize)> = Vec::new();
    let mut cone = Cone::new();
    for level in (0..levels.count()).rev() {
        let own = latents.iter().filter(|(l, _)| *l == level).map(|&(_, place)| place);
        let own = Grid::new(levels.edge(level), own).places;
        let above = coarse.iter().map(|&(r, c)| (2 * r, 2 * c));
        let mut grid = Grid::new(levels.edge(level), own.iter().copied().chain(above));
        let decimator = grid.spread(config.block, Stage::Decimator.shift(config.order, config.block));
        let disentangler = grid.spread(config.block, Stage::Disentangler.shift(config.order, config.block));
        coarse = grid.places;
        cone.push(LevelCone { latents: own, pixels: coarse.clone(), disentangler, decimator });
    }
    cone.reverse();
    cone
}

/// The touched places of an n×n grid. A list, not a mask: the cost of a cone must not grow with the grid.
struct Grid {
    edge: usize,
    /// In reading order, each once.
    places: Vec<(usize, usize)>,
}

impl Grid {
    fn new(edge: usize, places: impl Iterator<Item = (usize, usize)>) -> Self {
        let mut places: Vec<_> = places.map(|(row, col)| (row % edge, col % edge)).collect();
        places.sort_unstable();
        places.dedup();
        Self { edge, places }
    }

    /// Fills every block of edge m that holds a touched place, and returns those blocks.
    fn spread(&mut self, m: usize, shift: usize) -> Vec<usize> {
        let (edge, across) = (self.edge, self.edge / m);
        let block_of =
            |&(r, c): &(usize, usize)| ((r + edge - shift) % edge / m) * across + (c + edge - shift) % edge / m;
        let mut blocks: Vec<usize> = self.places.iter().map(block_of).collect();
        blocks.sort_unstable();
        blocks.dedup();
        let pixel = |block: usize, k: usize| (block / across * m + k / m + shift, block % across * m + k % m + shift);
        *self = Self::new(edge, blocks.iter().flat_map(|&block| (0..m * m).map(move |k| pixel(block, k))));
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
