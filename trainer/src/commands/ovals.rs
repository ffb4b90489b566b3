//! `trainer ovals`.

use std::path::Path;

use burn::tensor::{Tensor, TensorData};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use shared::logit;
use shared::weights::AnyModelFile;

use super::model::{Loaded, any_flow, load_any};
use crate::cli::OvalsArgs;
use crate::data::ImageSet;
use crate::device::{Job, TrainBackend, dispatch};
use crate::error::{Error, Result};
use crate::output::say;
use crate::ovals::{Difference, Kind, compare};

/// Latents of a level that are tried.
const TRIED: usize = 96;
/// Latents of a level whose effect is reported: those with the largest.
const LEADING: usize = 8;

/// Prints, level by level, what a change of one latent does to the ovals of MSDS pictures.
///
/// # Errors
/// A model or data that cannot be read, or pictures without three channels and sixteen tiles.
pub fn run(args: OvalsArgs) -> Result<()> {
    let loaded = load_any(&args.model)?;
    let [channels, size] = loaded.file.config().image_shape();
    if channels != 3 || !size.is_multiple_of(4) {
        return Err(Error::content(
            args.model.display(),
            "its pictures are no MSDS pictures",
            "give a model of msds1 or msds2",
        ));
    }
    let test = super::load_test(&args.data, [channels, size])?;
    let images = test.images.subset(&(0..args.images.clamp(1, test.images.len())).collect::<Vec<_>>())?;
    let job = Probe { loaded: &loaded, path: &args.model, images: &images, change: args.change, seed: args.seed };
    say!("one latent changed by {}, {} pictures of {}", args.change, images.len(), test.name)?;
    let levels = dispatch(args.device.device, job)?;
    say!("level  latent ovals recoloured  turned  colour of 255  degrees")?;
    for (level, effects) in levels.iter().enumerate() {
        let leading = &effects[..effects.len().min(LEADING)];
        let all: Vec<Difference> = leading.iter().map(|e| e.mean).collect();
        let Difference { recoloured, turned, colour, degrees } = Difference::mean(&all);
        say!("{level:>5}  mean of {:<10} {recoloured:>10.1} {turned:>7.1} {colour:>14.1} {degrees:>8.1}", all.len())?;
        for effect in leading {
            let Difference { recoloured, turned, colour, degrees } = effect.mean;
            say!("       {:<18} {recoloured:>10.1} {turned:>7.1} {colour:>14.1} {degrees:>8.1}", effect.place)?;
        }
    }
    say!("level  of latents  {}", Kind::ALL.map(Kind::name).join("  "))?;
    for (level, effects) in levels.iter().enumerate() {
        let count = |kind: Kind| effects.iter().filter(|effect| kind.is(&effect.mean)).count();
        let counts = Kind::ALL.map(|kind| format!("{:>width$}", count(kind), width = kind.name().len()));
        say!("{level:>5}  {:>10}  {}", effects.len(), counts.join("  "))?;
    }
    Ok(())
}

/// What one latent does.
struct Effect {
    /// Its place in the flat picture.
    place: usize,
    /// Over the pictures.
    mean: Difference,
}

struct Probe<'a> {
    loaded: &'a Loaded<AnyModelFile>,
    path: &'a Path,
    images: &'a ImageSet,
    change: f32,
    seed: u64,
}

impl Job for Probe<'_> {
    type Output = Vec<Vec<Effect>>;

    fn run<B: TrainBackend>(self, device: B::Device) -> Result<Self::Output> {
        let flow = any_flow::<B::InnerBackend>(self.loaded, self.path, &device)?;
        let [channels, size] = flow.image_shape();
        let shape = [self.images.len(), channels, size, size];
        let logits: Vec<f32> =
            self.images.pixels().chunks(flow.dims()).flat_map(|p| logit::image_to_logit(p, || 0.5).0).collect();
        let tensor = |values: Vec<f32>| Tensor::from_data(TensorData::new(values, shape), &device);
        let latents: Vec<f32> = flow.forward(tensor(logits)).latents.into_data().iter::<f32>().collect();
        let decode = |latents: Vec<f32>| -> Vec<u8> {
            flow.inverse(tensor(latents)).0.into_data().iter::<f32>().map(logit::to_pixel).collect()
        };
        let base = decode(latents.clone());
        let dims = flow.dims();
        let levels = flow.latent_levels();
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let count = levels.iter().max().map_or(0, |top| top + 1);
        let of_level = |level: usize| {
            let mut places: Vec<usize> = (0..dims).filter(|&place| levels[place] == level).collect();
            places.shuffle(&mut rng);
            places.truncate(TRIED);
            let effect = |place: usize| {
                let mut edited = latents.clone();
                edited.chunks_exact_mut(dims).for_each(|z| z[place] += self.change);
                let after = decode(edited);
                let pairs = base.chunks(dims).zip(after.chunks(dims));
                let differences: Vec<_> = pairs.map(|(a, b)| compare(a, b, size)).collect();
                let strength: u64 = base.iter().zip(&after).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
                (strength, Effect { place, mean: Difference::mean(&differences) })
            };
            let mut effects: Vec<_> = places.into_iter().map(effect).collect();
            effects.sort_by_key(|(strength, _)| std::cmp::Reverse(*strength));
            effects.into_iter().map(|(_, effect)| effect).collect()
        };
        Ok((0..count).map(of_level).collect())
    }
}
