//! `trainer mix`: images mixed by level.

use std::path::PathBuf;

use clap::Args;
use image::RgbImage;

use crate::args::FigureArgs;
use crate::args::numbers::count;
use crate::error::{Error, Result};
use crate::figures::figure::{Row, figure};
use crate::figures::sheet;
use crate::open::Model;
use crate::output::say;

/// Arguments of `mix`.
#[derive(Args, Debug, Clone)]
pub struct MixArgs {
    /// The images to mix, 2 to 16.
    #[arg(required = true, num_args = 2..=16)]
    pub images: Vec<PathBuf>,
    /// Weights file, checkpoint, or run folder.
    #[arg(long)]
    pub model: PathBuf,
    /// Where to write the mixes of the first two images: at every level, in both directions, and interpolated.
    #[arg(long, default_value = "mix.png")]
    pub out: PathBuf,
    /// Where to write the grid of all images mixed with each other.
    #[arg(long, default_value = "mix-grid.png")]
    pub grid: PathBuf,
    /// Level at which the grid mixes: levels from it up are the row's image's, finer ones the column's.
    #[arg(long, default_value_t = 2, value_parser = count(0..=64_usize))]
    pub theta: usize,
    /// Size and device.
    #[command(flatten)]
    pub figure: FigureArgs,
}

/// Draws the mixes of two images at all levels (fig. 6a, 6b), and of all images with each other at one (fig. 6c).
///
/// # Errors
/// A model or an image that cannot be read, a figure that cannot be written.
pub fn run(args: MixArgs) -> Result<()> {
    let model = Model::open(&args.model, args.figure.which.which, args.figure.device.device)?;
    let levels = model.config.level_count();
    if args.theta > levels {
        let problem = format!("{} is above the {levels} levels of this model", args.theta);
        return Err(Error::usage("--theta", problem, format!("use 0 to {levels}")));
    }
    let latents = model.latents_of(&args.images)?;
    let images: Vec<&[f32]> = latents.chunks_exact(model.config.dims()).collect();
    let edge = model.config.size as u32 * args.figure.zoom;
    sheet::save(&pair(&model, images[0], images[1], edge)?, &args.out)?;
    sheet::save(&grid(&model, &images, args.theta, edge)?, &args.grid)?;
    say!("two images mixed at every level: {}", args.out.display())?;
    say!("all images mixed at level {}: {}", args.theta, args.grid.display())
}

/// Both directions and the interpolation, below the levels' names.
fn pair(model: &Model, a: &[f32], b: &[f32], edge: u32) -> Result<RgbImage> {
    let levels = model.config.level_count();
    let lambdas: Vec<f32> = (0..=levels).map(|k| 1.0 - k as f32 / levels as f32).collect();
    let row = |label: &str, latents: Vec<f32>| Ok(Row { label: label.into(), pictures: model.paint(&latents)? });
    let rows = [
        row("A from level Θ on, B below", model.engine.mix(a, b)?)?,
        row("B from level Θ on, A below", model.engine.mix(b, a)?)?,
        row("λ of A, from 1 to 0, at all levels", model.engine.interpolate(a, b, &lambdas)?)?,
    ];
    let columns: Vec<String> = (0..=levels).map(|theta| format!("Θ = {theta}")).collect();
    figure(&columns, &rows, edge)
}

/// Every image's levels from `theta` on, with every image's levels below.
fn grid(model: &Model, images: &[&[f32]], theta: usize, edge: u32) -> Result<RgbImage> {
    let originals = model.paint(&images.concat())?;
    let blank = RgbImage::from_pixel(1, 1, image::Rgb([255; 3]));
    let header = [blank].into_iter().chain(originals.iter().cloned()).collect();
    let mut rows = vec![Row { label: format!("levels below {theta} of:"), pictures: header }];
    for (i, (coarse, original)) in images.iter().zip(&originals).enumerate() {
        let mut pictures = vec![original.clone()];
        for fine in images {
            let mixes = model.engine.mix(coarse, fine)?;
            let dims = model.config.dims();
            pictures.extend(model.paint(&mixes[theta * dims..(theta + 1) * dims])?);
        }
        let label = if i == 0 { format!("levels from {theta} on of:") } else { String::new() };
        rows.push(Row { label, pictures });
    }
    figure(&[], &rows, edge)
}
