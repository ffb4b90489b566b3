//! Edits in latent space: from pictures to latents, and back to other pictures.

use burn::tensor::Tensor;
use serde_bytes::ByteBuf;
use shared::edit::mix;
use shared::geometry::Levels;
use shared::{FlowBackend, RgFlowConfig};

use super::Engine;
use super::pixels::{Look, finite, planes};
use super::session::Session;
use crate::error::{Error, Result};
use crate::protocol::{Change, Grown, Image, MixCell, Move, Source};

impl<B: FlowBackend> Engine<B> {
    /// A picture's latents. A sample's are those that it was drawn with.
    ///
    /// # Shapes
    /// - output: `[1, C, L, L]`
    ///
    /// # Errors
    /// [`Error::Request`] if the picture is not of the model's size, or the backend fails.
    pub async fn latents(&self, source: &Source) -> Result<Tensor<B, 4>> {
        let Source::Moved { from, moves } = source else { return self.unmoved_latents(source).await };
        let latents = self.unmoved_latents(from).await?;
        moves.iter().try_fold(latents, |latents, &one| self.moved(latents, one))
    }

    /// The latents of a picture that was not moved along a direction.
    async fn unmoved_latents(&self, source: &Source) -> Result<Tensor<B, 4>> {
        let Source::Rerolled { of, rerolls, drawing } = source else { return self.plain_latents(source) };
        let mut latents = match &**of {
            // These need not be read from the device first.
            Source::Sample { seed, index, drawing } => self.draw(*seed, *index, drawing)?,
            other => finite(self.plain_latents(other)?).await?,
        };
        for reroll in rerolls {
            latents = self.redraw(&latents, *reroll, drawing)?;
        }
        Ok(self.flow.batch(latents, &self.device)?)
    }

    /// The latents of a picture in which nothing was drawn anew.
    fn plain_latents(&self, source: &Source) -> Result<Tensor<B, 4>> {
        match source {
            Source::Sample { seed, index, drawing } => {
                Ok(self.flow.batch(self.draw(*seed, *index, drawing)?, &self.device)?)
            }
            Source::Own { rgb } => {
                let numbers = self.look.numbers(&planar(self.config(), rgb)?);
                Ok(self.flow.forward(self.flow.batch(numbers, &self.device)?).latents)
            }
            Source::Moved { .. } | Source::Rerolled { .. } => {
                Err(Error::Request("a picture is drawn anew once, and then moved once".to_owned()))
            }
        }
    }

    /// Latents moved along a leading direction v, of deviation d, to the place p: z + v·(p·d − v·(z − μ)).
    fn moved(&self, latents: Tensor<B, 4>, Move { direction, to }: Move) -> Result<Tensor<B, 4>> {
        let missing = || Error::Request(format!("the model has no leading direction {direction}"));
        let sampler = self.sampler.as_ref().ok_or_else(missing)?;
        let unit = sampler.direction(direction as usize).ok_or_else(missing)?;
        let unit = self.flow.batch(unit.to_vec(), &self.device)?;
        let mean = self.flow.batch(sampler.mean().to_vec(), &self.device)?;
        let here: Tensor<B, 4> = ((latents.clone() - mean) * unit.clone()).sum().reshape([1, 1, 1, 1]);
        Ok(latents + unit * (here.neg() + to * sampler.deviation(direction as usize)))
    }

    /// The pictures of some latents, one after the other.
    ///
    /// # Shapes
    /// - latents: `[batch, C, L, L]`
    ///
    /// # Errors
    /// [`Error::Request`] if the backend fails.
    pub async fn pictures(&self, latents: Tensor<B, 4>) -> Result<Vec<Image>> {
        self.shown(self.flow.inverse(latents).0).await
    }

    /// Images, as logits, one after the other.
    pub(super) async fn shown(&self, images: Tensor<B, 4>) -> Result<Vec<Image>> {
        let logits = finite(images).await?;
        Ok(logits.chunks_exact(self.config().dims()).map(|image| self.picture(image, self.config().size)).collect())
    }

    /// What the levels from the coarsest on have decided, one more in each picture, each of the edge that they reach: the
    /// picture with all finer latents at their most likely values. The last is the picture itself.
    ///
    /// The numbers between two levels of the flow have units of their own, so they are no picture of what comes (fig. 4a).
    /// Of a field the means over blocks are shown: block spins.
    ///
    /// # Errors
    /// As [`Engine::latents`] and [`Engine::pictures`].
    pub async fn steps(&self, source: &Source) -> Result<Grown> {
        let config = self.config();
        let latents = finite(self.latents(source).await?).await?;
        let levels = (0..config.level_count()).rev();
        let decided = levels.clone().map(|level| self.expected(&latents, level)).collect::<Result<Vec<_>>>()?;
        let images = finite(self.flow.inverse(self.flow.batch(decided.concat(), &self.device)?).0).await?;
        let pictures = images.chunks_exact(config.dims()).zip(levels);
        let shown = |(numbers, level): (&[f32], usize)| {
            let rgba = match self.look {
                Look::Pixels(_) => shrunk(&self.look.rgba(numbers), config.size, level),
                Look::Field(_) => self.look.rgba(&block_means(numbers, config.size, level)),
            };
            Image { size: (config.size >> level) as u32, rgba: ByteBuf::from(rgba) }
        };
        let mean = |numbers: &[f32]| numbers.iter().sum::<f32>() / numbers.len() as f32;
        let means = match self.look {
            Look::Pixels(_) => vec![],
            Look::Field(_) => images.chunks_exact(config.dims()).map(mean).collect(),
        };
        Ok(Grown { images: pictures.map(shown).collect(), means })
    }

    /// Latents with those below a level at their most likely values, given the others.
    fn expected(&self, latents: &[f32], below: usize) -> Result<Vec<f32>> {
        match &self.sampler {
            _ if below == 0 => Ok(latents.to_vec()),
            Some(sampler) => Ok(sampler.most_likely(self.config(), latents, below)?),
            // Without a sampler latents are independent, and 0 is the most likely value.
            None => {
                let levels = Levels::new(self.config()).of_picture();
                Ok(latents.iter().zip(levels).map(|(&z, level)| if level >= below { z } else { 0.0 }).collect())
            }
        }
    }

    /// Logits, or a field's values, [C, n, n] as a picture.
    pub(super) fn picture(&self, logits: &[f32], size: usize) -> Image {
        Image { size: size as u32, rgba: ByteBuf::from(self.look.rgba(logits)) }
    }

    /// Latents of a mixture (eq. 9): levels ≥ `cut` of one picture, levels below of another.
    ///
    /// # Shapes
    /// - sources: `[1, C, L, L]` each; output: the same
    ///
    /// # Errors
    /// [`Error::Request`] if a source is not there, [`Error::Model`] if the model has no such level.
    pub fn mixed(&self, sources: &[Tensor<B, 4>], cell: MixCell) -> Result<Tensor<B, 4>> {
        let source =
            |i: u32| sources.get(i as usize).cloned().ok_or_else(|| Error::Request(format!("there is no source {i}")));
        Ok(mix::by_level(self.config(), source(cell.high)?, source(cell.low)?, cell.cut as usize)?)
    }

    /// Latents of the conventional mixture λ·z_A + (1 − λ)·z_B.
    ///
    /// # Shapes
    /// - a, b: `[1, C, L, L]`; output: the same
    ///
    /// # Errors
    /// [`Error::Model`] if the pictures are not of this model.
    pub fn interpolated(&self, a: Tensor<B, 4>, b: Tensor<B, 4>, share: f32) -> Result<Tensor<B, 4>> {
        Ok(mix::interpolate(self.config(), a, b, &[share])?)
    }

    /// The session of a picture; the last one's if it is the same picture.
    async fn session(&self, source: &Source) -> Result<Session<B>> {
        match self.session.take() {
            Some(session) if session.source() == source => Ok(session),
            _ => Session::start(&self.flow, source, self.latents(source).await?).await,
        }
    }

    /// A picture's latents, as a flat picture [C, L, L].
    ///
    /// # Errors
    /// As [`Engine::latents`].
    pub async fn values(&self, source: &Source) -> Result<Vec<f32>> {
        let session = self.session(source).await?;
        let values = session.original().to_vec();
        self.session.replace(Some(session));
        Ok(values)
    }

    /// The picture with some of its latents changed.
    ///
    /// # Errors
    /// [`Error::Request`] if there is no such latent, and as [`Engine::latents`].
    pub async fn changed(&self, source: &Source, changes: &[Change]) -> Result<Image> {
        let mut session = self.session(source).await?;
        session.change(changes, &self.device)?;
        let images = self.shown(session.images()).await?;
        self.session.replace(Some(session));
        images.into_iter().next().ok_or_else(|| Error::Request("there is no picture to change".to_owned()))
    }
}

/// Pixels of a picture halved so many times, each the mean of those that it takes the place of.
fn shrunk(rgba: &[u8], size: usize, times: usize) -> Vec<u8> {
    let (edge, block) = (size >> times, 1 << times);
    let value = |i: usize| {
        let (row, col, channel) = (i / 4 / edge, i / 4 % edge, i % 4);
        let rows = (row * block..(row + 1) * block).flat_map(|r| (col * block..(col + 1) * block).map(move |c| (r, c)));
        let sum: usize = rows.map(|(r, c)| usize::from(rgba[(r * size + c) * 4 + channel])).sum();
        ((sum + block * block / 2) / (block * block)) as u8
    };
    (0..edge * edge * 4).map(value).collect()
}

/// Means over blocks of a field of one channel: its edge halved so many times.
fn block_means(field: &[f32], size: usize, times: usize) -> Vec<f32> {
    let (edge, block) = (size >> times, 1 << times);
    let mean = |i: usize| {
        let (row, col) = (i / edge * block, i % edge * block);
        let sum: f32 = (0..block * block).map(|j| field[(row + j / block) * size + col + j % block]).sum();
        sum / (block * block) as f32
    };
    (0..edge * edge).map(mean).collect()
}

/// RGB bytes as the model's channels, one after the other; grey is the mean.
pub(super) fn planar(config: &RgFlowConfig, rgb: &[u8]) -> Result<Vec<u8>> {
    let area = config.size * config.size;
    if rgb.len() != area * 3 {
        return Err(Error::Request(format!("a picture of {0}×{0} pixels is needed", config.size)));
    }
    if config.channels == 1 {
        let mean = |pixel: &[u8]| (pixel.iter().map(|&v| u16::from(v)).sum::<u16>() / 3) as u8;
        return Ok(rgb.chunks_exact(3).map(mean).collect());
    }
    Ok(planes(rgb))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{now, tiny};
    use super::*;
    use shared::Temperature;

    use crate::protocol::{Drawing, Reroll, without_alpha};

    fn drawing() -> Drawing {
        Drawing::independent(Temperature::uniform(0.8))
    }

    fn sample(index: u32) -> Source {
        Source::Sample { seed: 7, index, drawing: drawing() }
    }

    fn rgb(image: &Image) -> ByteBuf {
        without_alpha(&image.rgba).into()
    }

    #[test]
    fn a_picture_comes_back_from_its_latents() {
        let engine = tiny();
        let latents = now(engine.latents(&sample(3))).unwrap();
        let image = now(engine.pictures(latents)).unwrap().remove(0);
        let expected = now(engine.samples(7, &[3], &drawing())).unwrap().remove(0).rgba;
        assert_eq!(image.rgba, expected);
        let own = Source::Own { rgb: rgb(&image) };
        let again = now(engine.pictures(now(engine.latents(&own)).unwrap())).unwrap().remove(0);
        assert_eq!(again, image);
    }

    #[test]
    fn a_reroll_keeps_what_is_coarser() {
        let engine = tiny();
        let values = |source: &Source| now(finite(now(engine.latents(source)).unwrap())).unwrap();
        let reroll = |of: Source, steps: &[(u32, u64)]| Source::Rerolled {
            of: Box::new(of),
            rerolls: steps.iter().map(|&(below, seed)| Reroll { below, seed }).collect(),
            drawing: drawing(),
        };
        let levels = Levels::new(engine.config()).of_picture();
        let [old, new, newer] = [&[][..], &[(2, 5)], &[(2, 5), (1, 6)]].map(|steps| values(&reroll(sample(3), steps)));
        assert_eq!(old, values(&sample(3)));
        for (i, &level) in levels.iter().enumerate() {
            assert_eq!((new[i] == old[i], newer[i] == new[i]), (level >= 2, level >= 1), "{i}");
        }
        // The reader's own picture, too.
        let image = now(engine.pictures(now(engine.latents(&sample(3))).unwrap())).unwrap().remove(0);
        let own = Source::Own { rgb: rgb(&image) };
        let rerolled = values(&reroll(own.clone(), &[(1, 5)]));
        assert!(values(&own).iter().zip(rerolled).zip(&levels).all(|((a, b), &level)| (*a == b) == (level >= 1)));
        assert!(now(engine.latents(&reroll(reroll(own, &[]), &[]))).is_err());
    }

    #[test]
    fn mixtures_run_from_one_picture_to_the_other() {
        let engine = tiny();
        let sources = [0, 1].map(|i| now(engine.latents(&sample(i))).unwrap());
        let picture = |latents| now(engine.pictures(latents)).unwrap().remove(0);
        let mix = |cut| picture(engine.mixed(&sources, MixCell { high: 0, low: 1, cut }).unwrap());
        let [a, b] = sources.clone().map(picture);
        assert_eq!((mix(0), mix(3)), (a.clone(), b.clone()));
        assert!(mix(1) != a && mix(1) != b && mix(1) != mix(2));
        assert!(engine.mixed(&sources, MixCell { high: 2, low: 0, cut: 1 }).is_err());
        assert!(engine.mixed(&sources, MixCell { high: 0, low: 1, cut: 4 }).is_err());
        let between = |share| picture(engine.interpolated(sources[0].clone(), sources[1].clone(), share).unwrap());
        assert_eq!((between(1.0), between(0.0)), (a.clone(), b));
        assert_ne!(between(0.5), a);
    }

    #[test]
    fn a_picture_grows_from_coarse_to_fine() {
        let engine = tiny();
        let Grown { images: steps, means } = now(engine.steps(&sample(3))).unwrap();
        assert!(means.is_empty());
        assert_eq!(steps.iter().map(|image| image.size).collect::<Vec<_>>(), [4, 8, 16]);
        let whole = now(engine.samples(7, &[3], &drawing())).unwrap().remove(0).rgba;
        assert_eq!(steps[2].rgba, whole);
        // Another picture with the same coarse latents starts from the same small one.
        let reroll = |below| Source::Rerolled {
            of: Box::new(sample(3)),
            rerolls: vec![Reroll { below, seed: 5 }],
            drawing: drawing(),
        };
        let other = now(engine.steps(&reroll(1))).unwrap().images;
        assert_eq!(other[..2], steps[..2]);
        assert_ne!(other[2], steps[2]);
        assert_ne!(now(engine.steps(&reroll(2))).unwrap().images[1], steps[1]);
    }

    #[test]
    fn a_field_grows_by_block_spins_and_says_its_magnetisation() {
        let engine = super::super::tests::phi4();
        let Grown { images, means } = now(engine.steps(&sample(3))).unwrap();
        assert_eq!(images.iter().map(|image| image.size).collect::<Vec<_>>(), [4, 8, 16]);
        let field = now(finite(engine.flow.inverse(now(engine.latents(&sample(3))).unwrap()).0)).unwrap();
        let mean = field.iter().sum::<f32>() / 256.0;
        assert!(means.len() == 3 && (means[2] - mean).abs() < 1e-5, "{means:?} {mean}");
        assert_eq!(block_means(&[1.0, 2.0, 3.0, 6.0], 2, 1), [3.0]);
        assert_eq!(block_means(&[1.0, 2.0, 3.0, 6.0], 2, 0), [1.0, 2.0, 3.0, 6.0]);
        let blocks = block_means(&(0..16).map(|i| i as f32).collect::<Vec<_>>(), 4, 1);
        assert_eq!(blocks, [2.5, 4.5, 10.5, 12.5]);
    }

    #[test]
    fn small_pictures_are_means_of_large_ones() {
        let rgba: Vec<u8> = (0..4u8).flat_map(|i| [i * 10, 7, 0, 255]).collect();
        assert_eq!(shrunk(&rgba, 2, 0), rgba);
        assert_eq!(shrunk(&rgba, 2, 1), [15, 7, 0, 255]);
    }

    #[test]
    fn pictures_of_another_size_are_refused() {
        let error = now(tiny().latents(&Source::Own { rgb: vec![0; 12].into() })).unwrap_err();
        assert!(error.to_string().contains("16×16"), "{error}");
    }

    #[test]
    fn grey_models_see_the_mean() {
        let config = RgFlowConfig { channels: 1, size: 1, ..RgFlowConfig::tiny() };
        assert_eq!(planar(&config, &[30, 60, 90]).unwrap(), [60]);
        let config = RgFlowConfig { size: 2, ..RgFlowConfig::tiny() };
        assert_eq!(
            planar(&config, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]).unwrap(),
            [1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12]
        );
    }
}
