//! `trainer fit-latents`: how latents vary together.

use std::path::{Path, PathBuf};

use clap::Args;
use nalgebra::DMatrix;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shared::geometry::Levels;
use shared::logit::middles;
use shared::sampler::{MOST_DIRECTIONS, Sampler};
use shared::weights::{AnyModelFile, Card, ModelFile};

use crate::args::numbers::{count, within};
use crate::args::{DataSetArgs, DeviceArgs, PrecisionName, WhichArgs, one_or_each};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::files::{writable, write_atomically};
use crate::open::{Model, load_of_images};
use crate::output::say;
use crate::pca::Principal;
use crate::progress::Progress;

/// The share of the images along which variances are measured, and which the directions do not see.
const HELD_OUT: usize = 10;
/// Directions, where there are images enough.
const DIRECTIONS: usize = 96;

/// Arguments of `fit-latents`.
#[derive(Args, Debug, Clone)]
pub struct FitLatentsArgs {
    /// Weights file, checkpoint, or run folder.
    pub model: PathBuf,
    /// The images that it was trained on.
    #[command(flatten)]
    pub data: DataSetArgs,
    /// Number of leading directions of the latents to store, 1 to 1024; each adds as many numbers to the file as an image has
    /// [default: 96, or a quarter of the images if that is less].
    #[arg(long, value_parser = count(1..=MOST_DIRECTIONS))]
    pub directions: Option<usize>,
    /// Temperatures of joint draws for the card, 0 to 1.5: one, or one for each level, finest first, separated by commas
    /// [default: from 0.15 at the finest level to 0.75 at the coarsest].
    #[arg(long, value_delimiter = ',', value_parser = within(0.0..=Card::MAX_TEMPERATURE))]
    pub temperatures: Vec<f32>,
    /// Do not mirror images left to right: for a model trained with --no-flips.
    #[arg(long)]
    pub no_flips: bool,
    /// Format of the stored numbers.
    #[arg(long, value_enum, default_value_t = PrecisionName::F16)]
    pub precision: PrecisionName,
    /// Where to write the weights file [default: over the model's own].
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Which checkpoint of a run folder.
    #[command(flatten)]
    pub which: WhichArgs,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Measures how the latents of encoded training images vary together, and stores it for `sample` and the page.
///
/// # Errors
/// A model or data that cannot be read, too few images, a file that cannot be written.
pub fn run(args: FitLatentsArgs) -> Result<()> {
    let out = args.out.clone().unwrap_or_else(|| args.model.clone());
    if out.is_dir() || out.extension().is_some_and(|extension| extension == "ckpt") {
        let advice = "give --out a weights file, for instance model.safetensors";
        return Err(Error::usage("--out", "a run's checkpoints cannot hold a sampler", advice));
    }
    writable(&out)?;
    let mut file = load_of_images(&args.model, args.which.which)?;
    let levels = file.config.level_count();
    one_or_each(&args.temperatures, levels)?;
    let model = Model::of(file.clone(), &args.model, args.device.device)?;
    let data = args.data.of_model(&args.model, args.which.which)?;
    let dataset = data.load([file.config.channels, file.config.size])?;
    let mirrored = dataset.mirrors && !args.no_flips;
    let images = dataset.train.len();
    let most = images / 4;
    if images < 2 * HELD_OUT {
        let problem = format!("{} has {images} training images", dataset.name);
        return Err(Error::usage("--data", problem, format!("give at least {}", 2 * HELD_OUT)));
    }
    let directions = args.directions.unwrap_or(DIRECTIONS.min(most));
    if directions > most {
        let problem = format!("{images} training images show no {directions} directions");
        return Err(Error::usage("--directions", problem, format!("ask for at most {most}, a quarter of the images")));
    }
    say!("{images} training images of {}, {directions} directions", dataset.name)?;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut order: Vec<usize> = (0..images).collect();
    order.shuffle(&mut rng);
    let flips: Vec<bool> = order.iter().map(|_| mirrored && rng.random()).collect();
    let latents = encode(&*model.engine, &dataset.train.gather(&order, &flips), dataset.train.image_len())?;
    let fit = fit(latents, images / HELD_OUT, directions);
    report(&fit, &file)?;
    file.sampler = Some(fit.sampler().map_err(Error::model(&args.model))?);
    file.card.joint_temperature = match args.temperatures.is_empty() {
        true => recommended(levels),
        false => args.temperatures.clone(),
    };
    write(file, args.precision, &out)
}

/// Temperatures by level, finest first, close to those at which the fewest samples of the shipped models failed in blind
/// counts (docs/experiments.md): the finest latents near their means, the coarsest nearly free.
fn recommended(levels: usize) -> Vec<f32> {
    // A single level is the coarsest.
    let share = |level: usize| if levels == 1 { 1.0 } else { level as f32 / (levels - 1) as f32 };
    (0..levels).map(|level| (20.0 * (0.15 + 0.6 * share(level).powf(1.3))).round() / 20.0).collect()
}

fn write(file: ModelFile, precision: PrecisionName, out: &Path) -> Result<()> {
    let bytes = AnyModelFile::RgFlow(file).to_bytes(precision.into()).map_err(Error::model(out))?;
    write_atomically(out, &bytes)?;
    say!("{}: {:.2} MB", out.display(), bytes.len() as f64 / 1e6)
}

/// Latents of pictures, `[dims, pictures]`.
fn encode(engine: &(impl Engine + ?Sized), pictures: &[u8], dims: usize) -> Result<DMatrix<f32>> {
    let mut latents = Vec::with_capacity(pictures.len());
    let progress = Progress::new("images encoded", pictures.len() / dims);
    // In parts: numbers take four times as much memory as bytes.
    for part in pictures.chunks(1024 * dims) {
        latents.extend(engine.encode(&middles(part))?.latents);
        progress.set(latents.len() / dims);
    }
    Ok(DMatrix::from_vec(dims, pictures.len() / dims, latents))
}

/// What was found.
struct Fit {
    principal: Principal,
    /// The variance along each direction, measured on latents that the directions were not fitted to.
    held_out: Vec<f32>,
}

/// Directions of the latents but for the last `held_out`, on which their variances are measured.
fn fit(latents: DMatrix<f32>, held_out: usize, directions: usize) -> Fit {
    let _progress = Progress::new("leading directions", 0);
    let known = latents.ncols() - held_out;
    let last = latents.columns(known, held_out).into_owned();
    let principal = Principal::of(latents.remove_columns(known, held_out), directions);
    let mut off = last;
    off.column_iter_mut().for_each(|mut column| column -= &principal.mean);
    let along = principal.directions.tr_mul(&off);
    let held_out = along.row_iter().map(|row| row.norm_squared() / row.len() as f32).collect();
    Fit { principal, held_out }
}

impl Fit {
    fn sampler(&self) -> shared::Result<Sampler> {
        let Principal { mean, directions, .. } = &self.principal;
        Sampler::new(mean.as_slice().to_vec(), directions.as_slice().to_vec(), self.held_out.clone())
    }
}

fn report(fit: &Fit, file: &ModelFile) -> Result<()> {
    let levels = Levels::new(&file.config).of_picture();
    say!("direction  variance (the prior's is 1)  share of each level, finest first")?;
    for (k, variance) in fit.held_out.iter().enumerate().take(10) {
        let direction = fit.principal.directions.column(k);
        let share = |level: usize| -> f32 {
            direction.iter().zip(&levels).filter(|&(_, &h)| h == level).map(|(v, _)| v * v).sum()
        };
        let shares: Vec<String> =
            (0..file.config.level_count()).map(|h| format!("{:.0} %", 100.0 * share(h))).collect();
        say!("{k:>9}  {variance:>8.2}                     {}", shares.join("  "))?;
    }
    let above = fit.held_out.iter().filter(|&&variance| variance > 1.4).count();
    say!("{above} of {} directions have a variance above 1.4 on held-out images", fit.held_out.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_are_those_that_vary_and_their_variance_is_of_the_images_held_out() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut normal = || (0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0;
        // Of ten latents, the first two move together, four times as far as the others.
        let latents = DMatrix::from_fn(10, 4000, |_, _| normal());
        let mut latents = latents;
        for mut column in latents.column_iter_mut() {
            let common = 4.0 * column[0];
            (column[0], column[1]) = (common * 0.6, common * 0.8 + 1.0);
        }
        let fit = fit(latents, 400, 1);
        let direction = fit.principal.directions.column(0);
        assert!((direction[0] * direction[1] - 0.48).abs() < 0.01, "{direction}");
        assert!((fit.held_out[0] - 16.0).abs() < 4.0, "{:?}", fit.held_out);
        assert!((fit.principal.mean[1] - 1.0).abs() < 0.3);
        let sampler = fit.sampler().unwrap();
        assert_eq!((sampler.mean().len(), sampler.variances().len()), (10, 1));
        assert!((sampler.direction(0).unwrap()[0] - direction[0]).abs() < 1e-6);
    }
}
