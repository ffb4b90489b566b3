//! `trainer progressive`.

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
        (model.draw(seed, args.count, &args.temperature.of(&model.card)), what)
    } else {
        (model.latents_of(&args.images)?, format!("{} images", args.images.len()))
    };
    let (count, size) = (latents.len() / model.config.dims(), model.config.size);
    let top = model.config.level_count() - 1;
    let mut rows: Vec<Row> = (0..count).map(|_| Row { label: String::new(), pictures: Vec::new() }).collect();
    let mut columns = Vec::new();
    for (step, logits) in model.engine.progressive(&latents)?.iter().enumerate() {
        let level = top - step;
        columns.push(format!("h = {level}"));
        let pictures = match level {
            0 => model.pictures(logits, size)?,
            _ => model.pictures(&stretched(logits), size >> level)?,
        };
        rows.iter_mut().zip(pictures).for_each(|(row, picture)| row.pictures.push(picture));
    }
    sheet::save(&figure(&columns, &rows, size as u32 * args.figure.zoom)?, &args.out)?;
    say!("{what} after each inverse RG step: {}", args.out.display())?;
    Ok(())
}

/// A coarse level's numbers brought into the range of pixels: the flow may scale them as it likes.
fn stretched(numbers: &[f32]) -> Vec<f32> {
    /// Standard deviation of logits whose pixels use most of the range.
    const SPREAD: f32 = 1.2;
    let n = numbers.len().max(1) as f32;
    let mean = numbers.iter().sum::<f32>() / n;
    let deviation = (numbers.iter().map(|y| (y - mean).powi(2)).sum::<f32>() / n).sqrt();
    numbers.iter().map(|y| SPREAD * (y - mean) / deviation.max(f32::MIN_POSITIVE)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_scale_becomes_visible_and_order_is_kept() {
        let numbers: Vec<f32> = (0..100).map(|i| 500.0 + 70.0 * (i as f32 * 0.7).sin()).collect();
        let pixels: Vec<u8> = stretched(&numbers).iter().map(|&y| shared::logit::to_pixel(y)).collect();
        let (low, high) = (pixels.iter().min().unwrap(), pixels.iter().max().unwrap());
        assert!(*low < 50 && *high > 205 && *low > 0 && *high < 255, "{low} {high}");
        assert_eq!(numbers[0] < numbers[1], pixels[0] < pixels[1]);
    }
}
