//! `trainer sample`: a sheet of samples.

use std::path::PathBuf;

use clap::Args;
use shared::MAX_SIZE;

use crate::args::numbers::{count, seed, zoom};
use crate::args::{DeviceArgs, TemperatureArgs, WhichArgs};
use crate::error::Result;
use crate::evaluate::random_seed;
use crate::figures::sheet;
use crate::open::{AnyModel, at_size, load, of_images};
use crate::output::say;

/// Arguments of `sample`.
#[derive(Args, Debug, Clone)]
pub struct SampleArgs {
    /// Weights file, checkpoint, or run folder.
    pub model: PathBuf,
    /// Edge of the images: any m·2^k for a model whose levels share their weights, its own times 2, 4
    /// or 8 for others, which grow by their second coarsest level, repeated. A model with a mean image or place features has one
    /// size [default: the model's own].
    #[arg(long, value_parser = count(8..=MAX_SIZE))]
    pub size: Option<usize>,
    /// Number of samples, 1 to 10000.
    #[arg(long, default_value_t = 64, value_parser = count(1..=10_000_u64))]
    pub count: u64,
    /// Temperatures.
    #[command(flatten)]
    pub temperature: TemperatureArgs,
    /// Seed of the samples [default: random].
    #[arg(long, value_parser = seed())]
    pub seed: Option<u64>,
    /// Where to write the sheet.
    #[arg(long, default_value = "samples.png")]
    pub out: PathBuf,
    /// Enlarge each pixel this many times, 1 to 32.
    #[arg(long, default_value_t = 4, value_parser = zoom())]
    pub zoom: u32,
    /// Which checkpoint of a run folder.
    #[command(flatten)]
    pub which: WhichArgs,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Writes a sheet of samples.
///
/// # Errors
/// A model that cannot be read, or a picture that cannot be written.
pub fn run(args: SampleArgs) -> Result<()> {
    let file = load(&args.model, args.which.which)?;
    of_images(file.config().data(), &args.model)?;
    let model = AnyModel::of(at_size(file, args.size, &args.model)?, &args.model, args.device.device)?;
    let [channels, size] = model.config.image_shape();
    let seed = args.seed.unwrap_or_else(random_seed);
    let columns = (args.count as f64).sqrt().ceil() as usize;
    sheet::fits(columns, (args.count as usize).div_ceil(columns), size * args.zoom as usize)?;
    let pictures =
        model.engine.sample(seed, args.count, &args.temperature.drawing(model.joint.as_ref(), &model.card))?;
    sheet::save(&sheet::sheet(&pictures, size, channels, columns, args.zoom), &args.out)?;
    say!("{} samples of seed {seed}: {}", pictures.len(), args.out.display())
}
