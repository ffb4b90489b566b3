//! A model for a larger lattice, made of the levels of one for a smaller: what the renormalization group says of a system
//! at its critical point is that one level's step is the next one's.

use super::ModelFile;
use crate::config::RgFlowConfig;
use crate::error::{Error, Result};

impl ModelFile {
    /// The same model for fields of edge `size`: its second coarsest level is repeated as often as it takes. The finest
    /// levels see the same fields as before, and the coarsest still sees the whole. A sampler is left out. A model whose
    /// levels share their weights is one for any size, smaller ones too, and of images as of fields.
    ///
    /// # Errors
    /// [`Error::Config`] if the model knows places (a mean image, place features) or has only two levels that differ, or if
    /// `size` is not its own times a power of two.
    pub fn grown(&self, size: usize) -> Result<Self> {
        let old = &self.config;
        let refuse = |problem: String| Err(Error::Config(problem));
        if old.share_levels && !old.mean_image {
            return Self::from_tensors(old.resized(size)?, self.card.clone(), self.tensors.clone());
        }
        if size < old.size || !size.is_multiple_of(old.size) || !(size / old.size).is_power_of_two() {
            return refuse(format!("a model of {0}×{0} grows to {0} times 2, 4, 8, not to {size}", old.size));
        }
        if old.mean_image || old.place_features > 0 || old.level_count() < 3 {
            let problem =
                "a model grows by a level between its finest and its coarsest, without a mean image or place features";
            return refuse(format!("{problem}; train one of at least three levels, or with --share-levels"));
        }
        let (more, last) = ((size / old.size).ilog2() as usize, old.level_count() - 1);
        // Which level of this model each of the grown one's is.
        let source = |level: usize| if level < last { level } else { level.saturating_sub(more).max(last - 1) };
        let mut levels: Vec<usize> = (0..last + more).map(source).collect();
        levels.push(last);
        let config = RgFlowConfig { size, levels: levels.iter().map(|&l| old.levels[l]).collect(), ..old.clone() };
        let copies = levels.iter().enumerate().flat_map(|(new, old)| {
            let (from, to) = (format!("levels.{old}."), format!("levels.{new}."));
            self.tensors.iter().filter_map(move |(name, tensor)| {
                name.strip_prefix(&from).map(|rest| (format!("{to}{rest}"), tensor.clone()))
            })
        });
        Self::from_tensors(config, self.card.clone(), copies.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::Card;
    use crate::{LevelConfig, RgFlow};
    use burn::backend::Flex;

    /// Levels that differ in their width.
    fn file() -> ModelFile {
        let level = |hidden| LevelConfig { layers: 2, res_blocks: 1, mlp: 1, hidden };
        let config = RgFlowConfig { levels: vec![level(8), level(12), level(16)], ..RgFlowConfig::phi4() };
        let model = RgFlow::<Flex>::random(&config, 0.1, 1, &Default::default()).unwrap();
        ModelFile::from_model(&model, Card::default())
    }

    #[test]
    fn the_second_coarsest_level_is_repeated() {
        let file = file();
        for (size, widths) in [(16, vec![8, 12, 16]), (32, vec![8, 12, 12, 16]), (64, vec![8, 12, 12, 12, 16])] {
            let grown = file.grown(size).unwrap();
            let found: Vec<usize> = grown.config.levels.iter().map(|level| level.hidden).collect();
            assert_eq!((grown.config.size, found), (size, widths));
            let scale =
                |file: &ModelFile, level: usize| file.tensors[&format!("levels.{level}.decimator.scale")].clone();
            let top = grown.config.level_count() - 1;
            assert_eq!((scale(&grown, 0), scale(&grown, top)), (scale(&file, 0), scale(&file, 2)));
            assert!((1..top).all(|level| scale(&grown, level) == scale(&file, 1)));
            assert_eq!(grown.into_flow::<Flex>(&Default::default()).unwrap().config().size, size);
        }
    }

    /// A field that repeats itself costs at the finest level what it costs on the small lattice, so many times.
    #[test]
    fn fine_levels_see_the_same_fields() {
        let (file, device) = (file(), Default::default());
        let large = file.grown(32).unwrap().into_flow::<Flex>(&device).unwrap();
        let small = file.into_flow::<Flex>(&device).unwrap();
        let field: Vec<f32> = (0..256).map(|i| (i as f32 * 1.7).sin()).collect();
        let tiled = (0..1024).map(|i| field[i / 32 % 16 * 16 + i % 16]).collect();
        let parts = |flow: &crate::Flow<Flex>, field: Vec<f32>| -> Vec<f32> {
            crate::ImageFlow::log_prob_by_level(flow, flow.batch(field, &device).unwrap()).into_data().to_vec().unwrap()
        };
        let (one, four) = (parts(&small, field), parts(&large, tiled));
        for level in 0..2 {
            assert!((4.0 * one[level] - four[level]).abs() < 1e-3 * four[level].abs(), "{level}: {one:?} {four:?}");
        }
    }

    #[test]
    fn what_cannot_grow_says_why() {
        let file = file();
        for size in [8, 24, 48] {
            assert!(file.grown(size).unwrap_err().to_string().contains("16×16"), "{size}");
        }
        let model = RgFlow::<Flex>::new(&RgFlowConfig::demo(), 1, &Default::default()).unwrap();
        let error = ModelFile::from_model(&model, Card::default()).grown(64).unwrap_err().to_string();
        assert!(error.contains("mean image"), "{error}");
    }
}
