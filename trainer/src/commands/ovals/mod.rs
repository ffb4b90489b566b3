//! `trainer ovals`: what single latents do to MSDS pictures.

mod compare;

use std::path::PathBuf;

use clap::Args;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use shared::logit::{middles, to_pixels};

use self::compare::{Difference, Kind, compare};
use crate::args::numbers::{MOST_IMAGES, count, seed, within};
use crate::args::{DataSetArgs, DeviceArgs, WhichArgs};
use crate::data::ImageSet;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::open::AnyModel;
use crate::output::say;
use crate::progress::Progress;

/// Latents tried at each level.
const TRIED: usize = 96;
/// Latents reported at each level: those with the largest effect.
const LEADING: usize = 8;

/// Arguments of `ovals`.
#[derive(Args, Debug, Clone)]
pub struct OvalsArgs {
    /// Weights file, checkpoint, or run folder.
    pub model: PathBuf,
    /// The images: msds1 or msds2; the pictures changed are of the test part.
    #[command(flatten)]
    pub data: DataSetArgs,
    /// Number of test pictures to average over.
    #[arg(long, default_value_t = 16, value_parser = count(1..=MOST_IMAGES))]
    pub images: usize,
    /// Amount added to a latent, whose standard deviation is 1; -100 to 100.
    #[arg(long, default_value_t = 3.0, value_parser = within(-100.0..=100.0_f32), allow_negative_numbers = true)]
    pub change: f32,
    /// Seed of the random choice of latents at levels that have many.
    #[arg(long, default_value_t = 0, value_parser = seed())]
    pub seed: u64,
    /// Which checkpoint of a run folder.
    #[command(flatten)]
    pub which: WhichArgs,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Prints, level by level, what a change of one latent does to the ovals of MSDS pictures.
///
/// # Errors
/// A model or data that cannot be read, or pictures without three channels and sixteen tiles.
pub fn run(args: OvalsArgs) -> Result<()> {
    let model = AnyModel::open(&args.model, args.which.which, args.device.device)?;
    let [channels, size] = model.config.image_shape();
    if channels != 3 || !size.is_multiple_of(4) {
        return Err(Error::content(
            args.model.display(),
            "it is not a model of MSDS pictures, which have 3 channels and 4×4 tiles",
            "give a model of msds1 or msds2",
        ));
    }
    let test = args.data.load_test([channels, size])?;
    let images = test.images.subset(&(0..args.images.clamp(1, test.images.len())).collect::<Vec<_>>())?;
    say!("one latent changed by {}, {} pictures of {}", args.change, images.len(), test.name)?;
    let levels = effects(&*model.engine, &images, args.change, args.seed)?;
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

/// What latents of each level do to the images, level by level, those that do most first.
fn effects(engine: &dyn Engine, images: &ImageSet, change: f32, seed: u64) -> Result<Vec<Vec<Effect>>> {
    let (dims, size) = (images.image_len(), images.size);
    let latents = engine.encode(&middles(&images.pixels()))?.latents;
    let decode = |latents: &[f32]| engine.decode(latents).map(|logits| to_pixels(&logits));
    let base = decode(&latents)?;
    let levels = engine.latent_levels();
    let count = levels.iter().max().map_or(0, |top| top + 1);
    let tried = |level: usize| levels.iter().filter(|&&of| of == level).count().min(TRIED);
    let progress = Progress::new("latents tried", (0..count).map(tried).sum());
    let effect = |place: usize| {
        progress.add(1);
        let mut edited = latents.clone();
        edited.chunks_exact_mut(dims).for_each(|z| z[place] += change);
        let after = decode(&edited)?;
        let pairs = base.chunks(dims).zip(after.chunks(dims));
        let differences: Vec<_> = pairs.map(|(a, b)| compare(a, b, size)).collect();
        let strength: u64 = base.iter().zip(&after).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        Ok((strength, Effect { place, mean: Difference::mean(&differences) }))
    };
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let of_level = |level: usize| {
        let mut places: Vec<usize> = (0..dims).filter(|&place| levels[place] == level).collect();
        places.shuffle(&mut rng);
        places.truncate(TRIED);
        let mut effects = places.into_iter().map(effect).collect::<Result<Vec<_>>>()?;
        effects.sort_by_key(|(strength, _)| std::cmp::Reverse(*strength));
        Ok(effects.into_iter().map(|(_, effect)| effect).collect())
    };
    (0..count).map(of_level).collect()
}
