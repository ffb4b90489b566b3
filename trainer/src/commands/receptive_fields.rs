//! `trainer receptive-fields`.

use image::RgbImage;
use shared::edit::receptive::leading;
use shared::geometry::Levels;
use shared::sampler::Latents;

use crate::cli::ReceptiveArgs;
use crate::engine::Model;
use crate::error::{Error, Result};
use crate::figure::{Row, figure, heat};
use crate::output::say;
use crate::{plot, sheet};

/// Draws the fields of each level's leading latents (fig. 4b) and the histogram of all strengths (fig. 4c).
///
/// # Errors
/// A model that cannot be read, a figure that cannot be written.
pub fn run(args: ReceptiveArgs) -> Result<()> {
    let model = Model::open(&args.model, args.figure.device.device)?;
    let samples = model.draw(args.seed, args.samples, &args.temperature.of(&model.card, Latents::Independent));
    let strengths = model.engine.strengths(&samples)?;
    let levels = Levels::new(&model.config);
    let mut rows = Vec::new();
    let mut groups = Vec::new();
    for level in (0..levels.count()).rev() {
        let places = leading_of(&model, &strengths, level, args.count as usize)?;
        rows.push(Row { label: format!("h = {level}"), pictures: fields(&model, &places, &samples)? });
        let of_level: Vec<f32> = levels.indices(level).iter().map(|&place| strengths[place]).collect();
        let visible = of_level.iter().filter(|s| **s > 1.0).count();
        let most = of_level.iter().copied().fold(0.0, f32::max);
        say!("h = {level}: {visible} of {} latents stronger than 1, the strongest {most:.1}", of_level.len())?;
        groups.push((format!("h = {level}"), of_level.iter().map(|s| f64::from(*s).log10()).collect()));
    }
    let edge = model.config.size as u32 * args.figure.zoom;
    sheet::save(&figure(&[], &rows, edge)?, &args.out)?;
    plot::histograms(&args.histogram, "strength of the receptive field, log10", &groups)?;
    say!("fields: {}; strengths: {}", args.out.display(), args.histogram.display())?;
    Ok(())
}

/// The strongest latents of a level.
pub fn leading_of(model: &Model, strengths: &[f32], level: usize, count: usize) -> Result<Vec<usize>> {
    leading(&model.config, strengths, level, count).map_err(|source| Error::Model { file: "strengths".into(), source })
}

/// Receptive fields as pictures.
pub fn fields(model: &Model, places: &[usize], samples: &[f32]) -> Result<Vec<RgbImage>> {
    let size = model.config.size;
    let fields = model.engine.receptive_fields(places, samples)?;
    Ok(fields.chunks_exact(size * size).map(|field| heat(field, size)).collect())
}
