//! `trainer progressive`: the images on their way from coarse to fine.

use std::path::PathBuf;

use clap::Args;
use shared::edit::progressive;

use crate::args::numbers::{count, seed};
use crate::args::{FigureArgs, TemperatureArgs};
use crate::error::Result;
use crate::evaluate::random_seed;
use crate::figures::figure::{Row, figure};
use crate::figures::sheet;
use crate::open::Model;
use crate::output::say;

/// Arguments of `progressive`.
#[derive(Args, Debug, Clone)]
pub struct ProgressiveArgs {
    /// Weights file, checkpoint, or run folder.
    pub model: PathBuf,
    /// Show these images instead of samples.
    #[arg(long, num_args = 1..)]
    pub images: Vec<PathBuf>,
    /// Number of samples, 1 to 256.
    #[arg(long, default_value_t = 8, value_parser = count(1..=256_u64))]
    pub count: u64,
    /// Temperatures.
    #[command(flatten)]
    pub temperature: TemperatureArgs,
    /// Seed of the samples [default: random].
    #[arg(long, value_parser = seed())]
    pub seed: Option<u64>,
    /// Where to write the figure: a row for each image, a column for each inverse RG step.
    #[arg(long, default_value = "progressive.png")]
    pub out: PathBuf,
    /// Size and device.
    #[command(flatten)]
    pub figure: FigureArgs,
}

/// Draws the images after each inverse RG step, one image a row (fig. 4a).
///
/// # Errors
/// A model or an image that cannot be read, a figure that cannot be written.
pub fn run(args: ProgressiveArgs) -> Result<()> {
    let model = Model::open(&args.model, args.figure.which.which, args.figure.device.device)?;
    let rows = if args.images.is_empty() { args.count as usize } else { args.images.len() };
    sheet::fits(model.config.level_count(), rows, model.config.size * args.figure.zoom as usize)?;
    let seed = args.seed.unwrap_or_else(random_seed);
    let (latents, what) = if args.images.is_empty() {
        let what = format!("{} samples of seed {seed}", args.count);
        (args.temperature.drawing(model.joint.as_ref(), &model.card).latents(&model.config, seed, args.count)?, what)
    } else {
        (model.latents_of(&args.images)?, format!("{} images", args.images.len()))
    };
    let (count, size, channels) = (latents.len() / model.config.dims(), model.config.size, model.config.channels);
    let top = model.config.level_count() - 1;
    let mut rows: Vec<Row> = (0..count).map(|_| Row { label: String::new(), pictures: Vec::new() }).collect();
    let mut columns = Vec::new();
    let steps = progressive::shown(model.engine.progressive(&latents)?, count, channels);
    for (step, logits) in steps.iter().enumerate() {
        let level = top - step;
        columns.push(format!("h = {level}"));
        let pictures = model.pictures(logits, size >> level)?;
        rows.iter_mut().zip(pictures).for_each(|(row, picture)| row.pictures.push(picture));
    }
    sheet::save(&figure(&columns, &rows, size as u32 * args.figure.zoom)?, &args.out)?;
    say!("{what} after each inverse RG step: {}", args.out.display())
}
