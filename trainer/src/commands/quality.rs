//! `trainer quality`: how good samples are, in numbers.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::args::numbers::{count, seed};
use crate::args::{DataSetArgs, DeviceArgs, TemperatureArgs, WhichArgs};
use crate::error::{Error, Result};
use crate::files::write_atomically;
use crate::open::AnyModel;
use crate::output::say;
use crate::progress::Progress;
use crate::quality::{Reference, Scores, edges};

/// Arguments of `quality`.
#[derive(Args, Debug, Clone)]
pub struct QualityArgs {
    /// The models: weights files, checkpoints, or run folders. One with a sampler (see `trainer fit-latents`) is scored with
    /// it and without.
    #[arg(required = true, num_args = 1..)]
    pub models: Vec<PathBuf>,
    /// The images that the models were trained on; samples are compared with the test part.
    #[command(flatten)]
    pub data: DataSetArgs,
    /// Number of samples, and of test images that they are compared with, 16 to 50000; fewer if there are fewer test
    /// images. Scores from different counts cannot be compared.
    #[arg(long, default_value_t = 2000, value_parser = count(16..=50_000_usize))]
    pub count: usize,
    /// Temperatures.
    #[command(flatten)]
    pub temperature: TemperatureArgs,
    /// Seed of the samples.
    #[arg(long, default_value_t = 0, value_parser = seed())]
    pub seed: u64,
    /// Compare with test images as they are, instead of mirroring each with probability ½ as in training.
    #[arg(long)]
    pub no_flips: bool,
    /// Also write the scores to this file, as JSON.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Which checkpoint of a run folder.
    #[command(flatten)]
    pub which: WhichArgs,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// A line of the table.
#[derive(Serialize)]
struct Row {
    name: String,
    draw: &'static str,
    temperature: Vec<f32>,
    #[serde(flatten)]
    scores: Scores,
}

/// Prints how good the samples of models are, beside what training images score.
///
/// # Errors
/// A model or data that cannot be read, models of different sizes, a file that cannot be written.
pub fn run(args: QualityArgs) -> Result<()> {
    let data = args.data.of_model(&args.models[0], args.which.which)?;
    if let Some(out) = &args.out {
        data.keep_apart(out)?;
    }
    let open = |path: &PathBuf| AnyModel::open(path, args.which.which, args.device.device);
    let models = args.models.iter().map(open).collect::<Result<Vec<_>>>()?;
    let shape = models.first().map(|model| model.config.image_shape()).unwrap_or_default();
    if let Some((path, other)) = args.models.iter().zip(&models).find(|(_, model)| model.config.image_shape() != shape)
    {
        let [_, size] = other.config.image_shape();
        let first = args.models[0].display();
        let problem = format!("{} makes images of {size} pixels, {first} of {}", path.display(), shape[1]);
        return Err(Error::usage("MODELS", problem, "compare models of one size"));
    }
    let dataset = data.load(shape)?;
    if dataset.train.len() < 2 || dataset.test.len() < 16 {
        let problem = format!("{} has {} test images", dataset.name, dataset.test.len());
        return Err(Error::usage("--data", problem, "give at least 16"));
    }
    let mirrored = dataset.mirrors && !args.no_flips;
    let measuring = |what: &str| Progress::new(format!("measuring {what}"), 0);
    let progress = measuring("the test images");
    let reference = Reference::new(&dataset.train, &dataset.test, args.count, mirrored);
    drop(progress);
    let against = if mirrored { ", mirrored at random" } else { "" };
    say!("{} samples against as many test images of {}{against}", reference.count(), dataset.name)?;
    say!("{}", heading(shape[1]))?;
    let mut rows = Vec::new();
    for (path, model) in args.models.iter().zip(&models) {
        let independent = TemperatureArgs { independent: true, ..args.temperature.clone() };
        let asked = args.temperature.drawing(model.joint.as_ref(), &model.card);
        let also = asked.joint.is_some().then(|| independent.drawing(None, &model.card));
        for drawing in std::iter::once(asked).chain(also) {
            let (draw, temperature) = (drawing.name(), drawing.temperature.levels.clone());
            let samples = model.engine.sample(args.seed, reference.count() as u64, &drawing)?;
            let progress = measuring("the samples");
            let scores = reference.score(&samples.iter().map(Vec::as_slice).collect::<Vec<_>>());
            drop(progress);
            let row = Row { name: name(path), draw, temperature, scores };
            say!("{}", line(&format!("{}, {draw}", row.name), &row.scores))?;
            rows.push(row);
        }
    }
    let progress = measuring("training images");
    let floor = reference.floor(&dataset.train, mirrored);
    drop(progress);
    say!("{}", line("floor: training images", &floor))?;
    rows.push(Row { name: "floor".into(), draw: "", temperature: vec![], scores: floor });
    if let Some(out) = &args.out {
        let json =
            serde_json::to_vec_pretty(&rows).map_err(|e| Error::content(out.display(), e.to_string(), "report it"))?;
        write_atomically(out, &json)?;
    }
    Ok(())
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn heading(size: usize) -> String {
    let scales: String = edges(size).iter().map(|edge| format!("{:>8}", format!("SWD {edge}"))).collect();
    format!("{:<36}{scales}    mean  Fréchet   white  precision  recall", "")
}

fn line(name: &str, scores: &Scores) -> String {
    let scales: String = scores.swd.iter().map(|(_, distance)| format!("{distance:>8.0}")).collect();
    let Scores { frechet, frechet_white, precision, recall, .. } = scores;
    let mean = scores.swd_mean();
    format!("{name:<36}{scales}{mean:>8.0} {frechet:>8.1} {frechet_white:>7.1} {precision:>10.3} {recall:>7.3}")
}
