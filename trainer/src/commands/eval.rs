//! `trainer eval`: the likelihood of test images.

use std::path::PathBuf;

use clap::Args;
use shared::geometry::counts_by_level;
use shared::logit::{self, middles};
use shared::{DataKind, MAX_SIZE};

use crate::args::numbers::count;
use crate::args::{DataSetArgs, DeviceArgs, WhichArgs, source};
use crate::data::TestSet;
use crate::engine::Engine;
use crate::error::Result;
use crate::evaluate::{Score, moments, suits, whole};
use crate::open::{AnyModel, at_size, load};
use crate::output::say;
use crate::progress::Progress;

/// Arguments of `eval`.
#[derive(Args, Debug, Clone)]
pub struct EvalArgs {
    /// Weights file, checkpoint, or run folder.
    pub model: PathBuf,
    /// Edge of the images: any m·2^k for a model whose levels share their weights, its own times 2, 4
    /// or 8 for others, which grow by their second coarsest level, repeated. A model with a mean image or place features has one
    /// size [default: the model's own].
    #[arg(long, value_parser = count(8..=MAX_SIZE))]
    pub size: Option<usize>,
    /// The images; the test part is evaluated.
    #[command(flatten)]
    pub data: DataSetArgs,
    /// Dequantisation samples of each image in the importance-weighted bound, 1 to 10000; more make it tighter. With one, the
    /// bits of each level are printed too.
    #[arg(long, default_value_t = 1, value_parser = count(1..=10_000_u64))]
    pub draws: u64,
    /// Also print the usual bits of each level as web/models/index.json has them: mean and deviation over the images
    /// as they are, without dequantisation noise, coarsest level first.
    #[arg(long)]
    pub usual: bool,
    /// Which checkpoint of a run folder.
    #[command(flatten)]
    pub which: WhichArgs,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Pictures that are encoded at once.
const PICTURES: usize = 1024;

/// Prints the test set's bits/dim, and with one draw how the levels share them.
///
/// # Errors
/// A model or data that cannot be read.
pub fn run(args: EvalArgs) -> Result<()> {
    let file = at_size(load(&args.model, args.which.which)?, args.size, &args.model)?;
    let model = AnyModel::of(file, &args.model, args.device.device)?;
    let data = args.data.of_model(&args.model, args.which.which)?;
    // Before fields are drawn, which takes a while.
    suits(model.config.data(), source(data.name())?.kind())?;
    let test = data.load_test(model.config.image_shape())?;
    suits(model.config.data(), test.images.kind())?;
    let counts = counts_by_level(&model.engine.latent_levels());
    if args.draws > 1 {
        // The bound is a logarithm of a mean: it has no parts.
        tell(&model.engine.bits_per_dim(&test.images, args.draws)?, &test, args.draws)?;
    } else {
        by_level(&*model.engine, &test, &counts)?;
    }
    if args.usual {
        say!("\"usual\": {}", usual(&*model.engine, &test, &counts)?)?;
    }
    Ok(())
}

/// Prints the score, and how levels share it.
fn by_level(engine: &dyn Engine, test: &TestSet, counts: &[usize]) -> Result<()> {
    let bits = engine.bits_by_level(&test.images)?;
    let sums: Vec<f64> = bits.iter().map(|bits| whole(bits, counts)).collect();
    tell(&Score::of(&sums, &test.images)?, test, 1)?;
    let kind = test.images.kind();
    let (unit, adds) = (if kind == DataKind::Images { "bits" } else { "nats" }, format!("adds to {}", kind.unit()));
    say!("level  numbers  {unit} for each of them  deviation  {adds:>17}")?;
    for (level, &count) in counts.iter().enumerate().rev() {
        let (mean, deviation) = moments(&bits.iter().map(|bits| bits[level]).collect::<Vec<_>>());
        let adds = mean * count as f64 / counts.iter().sum::<usize>() as f64;
        say!("{level:>5}  {count:>7}  {mean:>21.4}  {deviation:>9.4}  {adds:>17.4}")?;
    }
    Ok(())
}

/// Mean and deviation of each level's bits as JSON, coarsest first, of images whose values are the middles of their cells.
/// Fields are taken as they are.
fn usual(engine: &dyn Engine, test: &TestSet, counts: &[usize]) -> Result<String> {
    let bits = match test.images.kind() {
        DataKind::Images => bits_of_middles(engine, test, counts)?,
        DataKind::Field => engine.bits_by_level(&test.images)?,
    };
    let of = |level: usize| {
        let (mean, deviation) = moments(&bits.iter().map(|bits: &Vec<f64>| bits[level]).collect::<Vec<_>>());
        format!("[{mean:.3}, {deviation:.3}]")
    };
    Ok(format!("[{}]", (0..counts.len()).rev().map(of).collect::<Vec<_>>().join(", ")))
}

/// Each level's bits of each image, whose values are the middles of their cells.
fn bits_of_middles(engine: &dyn Engine, test: &TestSet, counts: &[usize]) -> Result<Vec<Vec<f64>>> {
    let mut bits = Vec::with_capacity(test.images.len());
    let pictures: Vec<&[u8]> = test.images.iter().collect();
    let progress = Progress::new("likelihoods of images", pictures.len());
    // Not all at once: numbers take four times as much memory as bytes.
    for some in pictures.chunks(PICTURES) {
        let logits: Vec<f32> = some.iter().flat_map(|picture| middles(picture)).collect();
        let parts = engine.encode(&logits)?.log_prob;
        for (logits, parts) in logits.chunks_exact(test.images.image_len()).zip(parts) {
            let slopes = logits.iter().map(|&y| logit::log_derivative(y)).sum();
            bits.push(DataKind::Images.cost_by_level(&parts, slopes, counts));
        }
        progress.set(bits.len());
    }
    Score::of(&bits.iter().map(|bits| whole(bits, counts)).collect::<Vec<_>>(), &test.images)?;
    Ok(bits)
}

fn tell(score: &Score, test: &TestSet, draws: u64) -> Result<()> {
    let Score { mean, standard_error, images } = score;
    let (unit, name) = (test.images.kind().unit(), &test.name);
    let what = if test.images.kind() == DataKind::Field { "fields" } else { "images" };
    say!("{mean:.4} ± {standard_error:.4} {unit} on {images} test {what} of {name} (k = {draws})")
}
