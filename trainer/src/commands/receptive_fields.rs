//! `trainer receptive-fields`: where latents act, and how strongly.

use std::path::PathBuf;

use clap::Args;
use shared::geometry::Levels;

use crate::args::numbers::{count, seed};
use crate::args::{FigureArgs, TemperatureArgs};
use crate::error::Result;
use crate::figures::figure::{Row, figure};
use crate::figures::{plot, sheet};
use crate::open::{Model, load_rg_flow};
use crate::output::say;

/// Arguments of `receptive-fields`.
#[derive(Args, Debug, Clone)]
pub struct ReceptiveArgs {
    /// Weights file, checkpoint, or run folder, of a model of images or of fields.
    pub model: PathBuf,
    /// Number of latents to show of each level, strongest first, 1 to 64.
    #[arg(long, default_value_t = 8, value_parser = count(1..=64_u64))]
    pub count: u64,
    /// Number of samples to average over, 1 to 1024.
    #[arg(long, default_value_t = 16, value_parser = count(1..=1024_u64))]
    pub samples: u64,
    /// Their temperatures; equation 8 has 1.
    #[command(flatten)]
    pub temperature: TemperatureArgs,
    /// Seed of the samples.
    #[arg(long, default_value_t = 0, value_parser = seed())]
    pub seed: u64,
    /// Where to write the sheet of fields.
    #[arg(long, default_value = "receptive-fields.png")]
    pub out: PathBuf,
    /// Where to write the histogram of strengths.
    #[arg(long, default_value = "strengths.png")]
    pub histogram: PathBuf,
    /// Size and device.
    #[command(flatten)]
    pub figure: FigureArgs,
}

/// Draws the fields of each level's leading latents (fig. 4b) and the histogram of all strengths (fig. 4c).
///
/// # Errors
/// A model that cannot be read, a figure that cannot be written.
pub fn run(args: ReceptiveArgs) -> Result<()> {
    let file = load_rg_flow(&args.model, args.figure.which.which)?;
    let model = Model::of(file, &args.model, args.figure.device.device)?;
    let drawing = args.temperature.drawing(model.joint.as_ref(), &model.card);
    let samples = drawing.latents(&model.config, args.seed, args.samples)?;
    let strengths = model.engine.strengths(&samples)?;
    let levels = Levels::new(&model.config);
    let mut rows = Vec::new();
    let mut groups = Vec::new();
    for level in (0..levels.count()).rev() {
        let places = model.leading(&strengths, level, args.count as usize)?;
        rows.push(Row { label: format!("h = {level}"), pictures: model.fields(&places, &samples)? });
        let of_level: Vec<f32> = levels.indices(level).iter().map(|&place| strengths[place]).collect();
        let visible = of_level.iter().filter(|s| **s > 1.0).count();
        let most = of_level.iter().copied().fold(0.0, f32::max);
        say!("h = {level}: {visible} of {} latents stronger than 1, the strongest {most:.1}", of_level.len())?;
        groups.push((format!("h = {level}"), of_level.iter().map(|s| f64::from(*s).log10()).collect()));
    }
    let edge = model.config.size as u32 * args.figure.zoom;
    sheet::save(&figure(&[], &rows, edge)?, &args.out)?;
    plot::histograms(&args.histogram, "strength of the receptive field, log10", &groups)?;
    say!("fields: {}; strengths: {}", args.out.display(), args.histogram.display())
}
