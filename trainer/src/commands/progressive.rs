//! `trainer progressive`.

use shared::edit::progressive;

use crate::cli::ProgressiveArgs;
use crate::engine::Model;
use crate::error::Result;
use crate::evaluate::random_seed;
use crate::figure::{Row, figure};
use crate::output::say;
use crate::sheet;

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
        (model.samples(seed, args.count, &args.temperature)?, what)
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
    say!("{what} after each inverse RG step: {}", args.out.display())?;
    Ok(())
}
