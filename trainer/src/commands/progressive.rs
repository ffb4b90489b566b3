//! `trainer progressive`: the images on their way from coarse to fine.

use std::path::PathBuf;

use clap::Args;
use shared::edit::progressive;

use crate::args::numbers::count;
use crate::args::{FigureArgs, TemperatureArgs};
use crate::draw::figure::{Row, figure};
use crate::draw::sheet;
use crate::error::Result;
use crate::evaluate::random_seed;
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
    #[arg(long)]
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
    let model = Model::open(&args.model, args.figure.device.device)?;
    let rows = if args.images.is_empty() { args.count as usize } else { args.images.len() };
    sheet::fits(model.config.level_count(), rows, model.config.size * args.figure.zoom as usize)?;
    let seed = args.seed.unwrap_or_else(random_seed);
    let (latents, what) = if args.images.is_empty() {
        let what = format!("{} samples of seed {seed}", args.count);
        (model.draw(seed, args.count, &args.temperature.of(&model.card)), what)
    } else {
        (model.latents_of(&args.images)?, format!("{} images", args.images.len()))
    };
    let (count, size, channels) = (latents.len() / model.config.dims(), model.config.size, model.config.channels);
    let top = model.config.level_count() - 1;
    let mut rows: Vec<Row> = (0..count).map(|_| Row { label: String::new(), pictures: Vec::new() }).collect();
    let mut columns = Vec::new();
    let steps = model.engine.progressive(&latents)?;
    for (step, logits) in steps.iter().enumerate() {
        let level = top - step;
        columns.push(format!("h = {level}"));
        let pictures = match (level, steps.last()) {
            (1.., Some(finished)) => model.pictures(&coloured(logits, finished, count, channels), size >> level)?,
            _ => model.pictures(logits, size)?,
        };
        rows.iter_mut().zip(pictures).for_each(|(row, picture)| row.pictures.push(picture));
    }
    sheet::save(&figure(&columns, &rows, size as u32 * args.figure.zoom)?, &args.out)?;
    say!("{what} after each inverse RG step: {}", args.out.display())
}

/// `count` images of a coarse level, each in the colours of its own finished picture.
fn coloured(logits: &[f32], finished: &[f32], count: usize, channels: usize) -> Vec<f32> {
    let images = |all: &[f32]| (all.len() / count.max(1)).max(1);
    let pairs = logits.chunks(images(logits)).zip(finished.chunks(images(finished)));
    pairs.flat_map(|(coarse, finished)| progressive::coloured(coarse, finished, channels)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_looks_the_same_alone_and_among_others() {
        let [logits, finished] = [3 * 12, 3 * 48].map(|n| (0..n).map(|i| (i as f32 * 0.7).sin()).collect::<Vec<_>>());
        let together = coloured(&logits, &finished, 3, 3);
        let alone = coloured(&logits[12..24], &finished[48..96], 1, 3);
        assert_eq!((together.len(), &together[12..24]), (36, alone.as_slice()));
        assert!(together.iter().all(|y| y.is_finite()) && together != logits);
    }
}
