//! The permutations between the flow's bijectors: everything between two of them is one gather.

use super::{Levels, Stage};
use crate::config::RgFlowConfig;

/// One stage of one level.
#[derive(Clone, Debug)]
pub struct StagePlan {
    /// RG level h.
    pub level: usize,
    /// Disentangler or decimator.
    pub stage: Stage,
    /// Number of rows, one for each block.
    pub blocks: usize,
    /// Index in the picture of each number of the rows, `[blocks · C·m²]`.
    pub picture: Vec<usize>,
    /// Index of each number of the rows among the numbers that reach this stage.
    pub gather: Vec<usize>,
    /// Generation: index of each number of the rows in what comes from above. For a decimator that is the picture of
    /// all latents followed by the coarser level's rows, for a disentangler the decimator's rows.
    pub ungather: Vec<usize>,
}

/// The way of an image through all stages, in the order of the RG transformation.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Two stages for each level, finest level first.
    pub stages: Vec<StagePlan>,
    /// For each stage, which of its outputs stay behind as latents.
    pub latents: Vec<Vec<usize>>,
    /// Index of each number of the picture among all latents, in the order in which they stay behind.
    pub to_picture: Vec<usize>,
    /// For each level, the index of each number of its grid in its disentangler's rows.
    pub from_rows: Vec<Vec<usize>>,
}

impl Plan {
    /// The plan of a valid configuration.
    pub fn new(config: &RgFlowConfig) -> Self {
        let levels = Levels::new(config);
        let mut stages = Vec::new();
        let mut latents = Vec::new();
        let mut left: Vec<usize> = Vec::new();
        // Picture indices of the numbers that reach the next stage, in their order.
        let mut current: Vec<usize> = (0..config.dims()).collect();
        for level in 0..config.level_count() {
            for stage in Stage::BOTH {
                let picture = rows(config, level, stage.shift(config.order, config.block));
                let place = inverse(&current, config.dims());
                let gather = picture.iter().map(|&p| place[p]).collect();
                let (stay, go): (Vec<usize>, Vec<usize>) = (0..picture.len()).partition(|&i| {
                    stage == Stage::Decimator && {
                        let (row, col) = place_of(picture[i], config.size);
                        level + 1 == config.level_count() || levels.level_at(row, col) == level
                    }
                });
                left.extend(stay.iter().map(|&i| picture[i]));
                let next: Vec<usize> = go.iter().map(|&i| picture[i]).collect();
                stages.push(StagePlan {
                    level,
                    stage,
                    blocks: picture.len() / config.block_dims(),
                    picture: picture.clone(),
                    gather,
                    ungather: Vec::new(),
                });
                // The next gather looks into this stage's whole output, so `current` keeps the latents' places too.
                current = if next.is_empty() { Vec::new() } else { picture };
                latents.push(stay);
            }
        }
        for i in 0..stages.len() {
            let above = stages.get(i + 1).map(|s: &StagePlan| inverse(&s.picture, config.dims()));
            let picture = stages[i].picture.iter();
            stages[i].ungather = match (stages[i].stage, above) {
                (Stage::Disentangler, Some(above)) => picture.map(|&p| above[p]).collect(),
                (Stage::Decimator, Some(above)) => {
                    picture.map(|&p| if above[p] == usize::MAX { p } else { config.dims() + above[p] }).collect()
                }
                (_, None) => picture.copied().collect(),
            };
        }
        let to_picture = inverse(&left, config.dims());
        let on_grid = |level: usize| {
            let place = inverse(&stages[2 * level].picture, config.dims());
            place.into_iter().filter(|&i| i != usize::MAX).collect()
        };
        let from_rows = (0..config.level_count()).map(on_grid).collect();
        Self { stages, latents, to_picture, from_rows }
    }
}

fn place_of(index: usize, size: usize) -> (usize, usize) {
    (index / size % size, index % size)
}

/// The position of each picture index in a list; indices that are not in it get `usize::MAX`.
fn inverse(list: &[usize], dims: usize) -> Vec<usize> {
    let mut place = vec![usize::MAX; dims];
    for (i, &p) in list.iter().enumerate() {
        place[p] = i;
    }
    place
}

/// Picture indices of a stage's rows: blocks in reading order, within a block the checkerboard's even pixels first.
fn rows(config: &RgFlowConfig, level: usize, shift: usize) -> Vec<usize> {
    let (m, size) = (config.block, config.size);
    let edge = size >> level;
    let pixels = |odd: usize| (0..m * m).map(move |k| (k / m, k % m)).filter(move |(a, b)| (a + b) % 2 == odd);
    let mut rows = Vec::with_capacity(config.channels * edge * edge);
    for block in 0..(edge / m).pow(2) {
        let (p, q) = (block / (edge / m), block % (edge / m));
        for (a, b) in pixels(0).chain(pixels(1)) {
            let (row, col) = ((m * p + a + shift) % edge, (m * q + b + shift) % edge);
            rows.extend((0..config.channels).map(|c| (c * size + (row << level)) * size + (col << level)));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_covers_its_grid_once() {
        for config in [RgFlowConfig::tiny(), RgFlowConfig::official_celeba32()] {
            let plan = Plan::new(&config);
            assert_eq!(plan.stages.len(), 2 * config.level_count());
            for stage in &plan.stages {
                let mut seen = stage.picture.clone();
                seen.sort_unstable();
                seen.dedup();
                assert_eq!(seen.len(), config.channels * (config.size >> stage.level).pow(2));
                let stride = 1 << stage.level;
                assert!(seen.iter().all(|&i| {
                    let (r, c) = place_of(i, config.size);
                    r % stride == 0 && c % stride == 0
                }));
            }
        }
    }

    #[test]
    fn latents_come_back_to_their_places() {
        let config = RgFlowConfig::tiny();
        let plan = Plan::new(&config);
        let left: Vec<usize> =
            plan.latents.iter().zip(&plan.stages).flat_map(|(l, s)| l.iter().map(|&i| s.picture[i])).collect();
        for (place, &from) in plan.to_picture.iter().enumerate() {
            assert_eq!(left[from], place);
        }
    }

    #[test]
    fn following_the_gathers_reads_the_right_pixels() {
        let config = RgFlowConfig::tiny();
        let plan = Plan::new(&config);
        let mut values: Vec<usize> = (0..config.dims()).collect();
        for stage in &plan.stages {
            values = stage.gather.iter().map(|&i| values[i]).collect();
            assert_eq!(values, stage.picture);
        }
    }

    #[test]
    fn papers_disentangler_is_shifted_and_the_officials_decimator() {
        let mut config = RgFlowConfig::tiny();
        let first_pixel =
            |config: &RgFlowConfig, stage: usize| place_of(Plan::new(config).stages[stage].picture[0], config.size);
        assert_eq!((first_pixel(&config, 0), first_pixel(&config, 1)), ((2, 2), (0, 0)));
        config.order = crate::BlockOrder::Official;
        assert_eq!((first_pixel(&config, 0), first_pixel(&config, 1)), ((0, 0), (2, 2)));
    }
}
