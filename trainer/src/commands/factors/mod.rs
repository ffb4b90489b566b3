//! `trainer factors`: what single latents change, and how well they match known factors.

mod lasso;
mod scores;

use std::path::PathBuf;

use clap::Args;
use image::RgbImage;
use shared::geometry::Levels;
use shared::logit::middles;

use self::scores::{Codes, Scores, scores};
use crate::args::numbers::{count, seed, within};
use crate::args::{FigureArgs, TemperatureArgs, keep_apart, test_part};
use crate::data::{DataOptions, factors_of};
use crate::error::{Error, Result};
use crate::figures::figure::{Row, animation, figure};
use crate::figures::sheet;
use crate::files::{make_folder, write_atomically};
use crate::open::Model;
use crate::output::say;
use crate::progress::Progress;

/// Samples whose receptive fields choose the leading latents.
const FIELD_SAMPLES: u64 = 16;
/// Pictures of a walk side by side, draws that it visits, and frames from one to the next.
const WALKERS: u64 = 6;
const STOPS: u64 = 5;
const FRAMES: usize = 12;

/// Arguments of `factors`.
#[derive(Args, Debug, Clone)]
pub struct FactorsArgs {
    /// Weights file, checkpoint, or run folder.
    pub model: PathBuf,
    /// Start from this image instead of a sample.
    #[arg(long)]
    pub image: Option<PathBuf>,
    /// Number of latents to vary at each level, strongest first, 1 to 64.
    #[arg(long, default_value_t = 6, value_parser = count(1..=64_u64))]
    pub count: u64,
    /// A latent varies from minus this value to plus this value, 0 to 100; its standard deviation is 1.
    #[arg(long, default_value_t = 4.0, value_parser = within(0.0..=100.0_f32))]
    pub range: f32,
    /// Number of images in a strip, 2 to 64.
    #[arg(long, default_value_t = 9, value_parser = count(2..=64_u64))]
    pub steps: u64,
    /// Temperatures.
    #[command(flatten)]
    pub temperature: TemperatureArgs,
    /// Seed of the samples and walks.
    #[arg(long, default_value_t = 0, value_parser = seed())]
    pub seed: u64,
    /// Score the levels' disentanglement on the test part of these data: msds1, msds2, or images with a .csv of labels.
    #[arg(long)]
    pub data: Option<String>,
    /// Test part of --data, if it is a separate folder or file.
    #[arg(long, requires = "data")]
    pub test_data: Option<PathBuf>,
    /// Write the scores only, and no pictures.
    #[arg(long, requires = "data")]
    pub only_scores: bool,
    /// Number of test images to score on, 64 to 100000.
    #[arg(long, default_value_t = 2000, value_parser = count(64..=100_000_u64))]
    pub images: u64,
    /// Folder for traversal-hH.png, walk-hH.gif and scores.json. Strips are labelled LEVEL.ROW.COLUMN.CHANNEL.
    #[arg(long, default_value = "factors")]
    pub out: PathBuf,
    /// Size and device.
    #[command(flatten)]
    pub figure: FigureArgs,
}

/// Draws strips of images along the leading latents of each level (fig. 5) and a walk within each level; scores the
/// levels on data with known factors.
///
/// # Errors
/// A model, an image or data that cannot be read, files that cannot be written.
pub fn run(args: FactorsArgs) -> Result<()> {
    if let Some(data) = &args.data {
        keep_apart(data, args.test_data.as_deref(), &args.out)?;
    }
    let model = Model::open(&args.model, args.figure.which.which, args.figure.device.device)?;
    make_folder(&args.out)?;
    if !args.only_scores {
        draw(&model, &args)?;
    }
    match &args.data {
        Some(data) => score(&model, &args, data),
        None => Ok(()),
    }
}

/// Strips and walks of every level.
fn draw(model: &Model, args: &FactorsArgs) -> Result<()> {
    // A walk is as large as all its frames together.
    let frames = STOPS as usize * FRAMES;
    sheet::fits(WALKERS as usize, frames, model.config.size * args.figure.zoom as usize)?;
    let start = match &args.image {
        Some(image) => model.latents_of(std::slice::from_ref(image))?,
        None => drawn(model, args, 1)?,
    };
    let samples = drawn(model, args, FIELD_SAMPLES)?;
    let strengths = model.engine.strengths(&samples)?;
    for level in (0..model.config.level_count()).rev() {
        let places = model.leading(&strengths, level, args.count as usize)?;
        let progress = Progress::new(format!("level {level}, rows and frames drawn"), places.len() + frames);
        let strips = args.out.join(format!("traversal-h{level}.png"));
        sheet::save(&traversal(model, args, &start, &places, &samples, &progress)?, &strips)?;
        let walks = args.out.join(format!("walk-h{level}.gif"));
        animation(&walks, walk(model, args, level, &progress)?, 80)?;
        drop(progress);
        say!("level {level}: {}, {}", strips.display(), walks.display())?;
    }
    Ok(())
}

/// The latents of some samples.
fn drawn(model: &Model, args: &FactorsArgs, count: u64) -> Result<Vec<f32>> {
    args.temperature.drawing(model.joint.as_ref(), &model.card).latents(&model.config, args.seed, count)
}

/// One latent a row: its receptive field, then the image for each of its values.
fn traversal(
    model: &Model,
    args: &FactorsArgs,
    start: &[f32],
    places: &[usize],
    samples: &[f32],
    progress: &Progress,
) -> Result<RgbImage> {
    let steps = args.steps as usize;
    let values: Vec<f32> = (0..steps).map(|k| args.range * (2.0 * k as f32 / (steps - 1) as f32 - 1.0)).collect();
    let levels = Levels::new(&model.config);
    let mut rows = Vec::new();
    for (&place, field) in places.iter().zip(model.fields(places, samples)?) {
        let mut latents = start.repeat(steps);
        latents.chunks_exact_mut(start.len()).zip(&values).for_each(|(picture, value)| picture[place] = *value);
        let at = levels.address(place).map_err(|source| Error::Model { file: "latent".into(), source })?;
        let label = format!("latent {at}");
        let pictures = [field].into_iter().chain(model.paint(&latents)?).collect();
        rows.push(Row { label, pictures });
        progress.add(1);
    }
    let columns: Vec<String> =
        ["field".to_string()].into_iter().chain(values.iter().map(|value| format!("{value:+.1}"))).collect();
    figure(&columns, &rows, model.config.size as u32 * args.figure.zoom)
}

/// Frames of several samples of which one level wanders from draw to draw, and home again.
fn walk(model: &Model, args: &FactorsArgs, level: usize, progress: &Progress) -> Result<Vec<RgbImage>> {
    let own = Levels::new(&model.config).indices(level);
    let dims = model.config.dims();
    // Further draws of the same seed; the first stop is where the samples are.
    let draws = drawn(model, args, WALKERS * STOPS)?;
    let base = draws[..WALKERS as usize * dims].to_vec();
    let stop = |k: usize| &draws[k % STOPS as usize * base.len()..][..base.len()];
    let mut frames = Vec::new();
    for frame in 0..STOPS as usize * FRAMES {
        let (from, to) = (stop(frame / FRAMES), stop(frame / FRAMES + 1));
        // Along a circle, so that the variance stays the prior's.
        let angle = (frame % FRAMES) as f32 / FRAMES as f32 * std::f32::consts::FRAC_PI_2;
        let mut latents = base.clone();
        for walker in (0..latents.len()).step_by(dims) {
            for place in own.iter().map(|place| walker + place) {
                latents[place] = angle.cos() * from[place] + angle.sin() * to[place];
            }
        }
        let row = Row { label: String::new(), pictures: model.paint(&latents)? };
        frames.push(figure(&[], &[row], model.config.size as u32 * args.figure.zoom)?);
        progress.add(1);
    }
    Ok(frames)
}

/// Prints and writes each level's scores.
fn score(model: &Model, args: &FactorsArgs, data: &str) -> Result<()> {
    let options = DataOptions {
        size: model.config.size,
        test_data: args.test_data.clone(),
        test_limit: Some(args.images as usize),
        ..DataOptions::default()
    };
    let images = test_part(data, &options, model.config.channels)?.images;
    let factors = images.labels().map(factors_of).unwrap_or_default();
    if factors.is_empty() {
        let problem = format!("{} has no known factors that vary", images.name);
        return Err(Error::usage("--data", problem, "give msds1, msds2, or images with a .csv of labels"));
    }
    let latents = model.engine.encode(&middles(&images.pixels()))?.latents;
    let levels = Levels::new(&model.config);
    say!("{} images of {}, {} factors", images.len(), images.name, factors.len())?;
    say!("level  MIG    disentanglement  completeness  informativeness (DCI, lasso)")?;
    let mut all = Vec::new();
    for level in 0..levels.count() {
        let codes = Codes::of_places(&latents, model.config.dims(), &levels.indices(level));
        let progress = Progress::new(format!("scores of level {level}"), 0);
        let found = scores(&codes, &factors);
        drop(progress);
        let Scores { mig, disentanglement, completeness, informativeness } = found;
        say!("{level:<5}  {mig:.3}  {disentanglement:<15.3}  {completeness:<12.3}  {informativeness:.3}")?;
        all.push(serde_json::json!({ "level": level, "scores": found }));
    }
    let json = serde_json::json!({ "data": images.name, "images": images.len(), "levels": all });
    let path = args.out.join("scores.json");
    write_atomically(&path, json.to_string().as_bytes())?;
    say!("scores: {}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use shared::sampler::Sampler;
    use shared::weights::{Card, ModelFile, Precision};
    use shared::{RgFlow, RgFlowConfig};

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: FactorsArgs,
    }

    #[test]
    fn what_is_varied_is_drawn_as_other_samples_are() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("joint.safetensors");
        let config = RgFlowConfig::tiny();
        let model = RgFlow::<burn::backend::Flex>::random(&config, 0.15, 4, &Default::default()).unwrap();
        let mut file = ModelFile::from_model(&model, Card::default());
        let direction = (0..config.dims()).map(|i| f32::from(u8::from(i == 0))).collect();
        file.sampler = Some(Sampler::new(vec![0.0; config.dims()], direction, vec![9.0]).unwrap());
        std::fs::write(&path, file.to_bytes(Precision::F32).unwrap()).unwrap();
        let drawn = |how: &[&str]| {
            let words = ["factors", path.to_str().unwrap(), "--device", "cpu", "--seed", "2"];
            let args = Line::try_parse_from(words.iter().chain(how)).unwrap().args;
            let model = Model::open(&args.model, args.figure.which.which, args.figure.device.device).unwrap();
            let drawing = args.temperature.drawing(model.joint.as_ref(), &model.card);
            let latents = super::drawn(&model, &args, 2).unwrap();
            assert_eq!(latents, drawing.latents(&config, 2, 2).unwrap());
            latents
        };
        assert_ne!(drawn(&[]), drawn(&["--independent"]));
    }
}
