//! `trainer neighbours`: whether a model only repeats what it saw.

mod nearest;

use std::path::PathBuf;

use clap::Args;

use self::nearest::{nearest, quantile};
use crate::args::numbers::{count, seed};
use crate::args::{DataSetArgs, DeviceArgs, TemperatureArgs, WhichArgs};
use crate::error::Result;
use crate::figures::sheet;
use crate::open::AnyModel;
use crate::output::say;

/// Arguments of `neighbours`.
#[derive(Args, Debug, Clone)]
pub struct NeighboursArgs {
    /// Weights file, checkpoint, or run folder.
    pub model: PathBuf,
    /// The images that it was trained on, and test images to compare with.
    #[command(flatten)]
    pub data: DataSetArgs,
    /// Number of samples, 1 to 10000.
    #[arg(long, default_value_t = 256, value_parser = count(1..=10_000_u64))]
    pub count: u64,
    /// Temperatures.
    #[command(flatten)]
    pub temperature: TemperatureArgs,
    /// Seed of the samples.
    #[arg(long, default_value_t = 0, value_parser = seed())]
    pub seed: u64,
    /// Also write a sheet of the nearest samples here, each beside its training image.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Which checkpoint of a run folder.
    #[command(flatten)]
    pub which: WhichArgs,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Compares how near samples and test images come to training images.
///
/// # Errors
/// A model or data that cannot be read, or a picture that cannot be written.
pub fn run(args: NeighboursArgs) -> Result<()> {
    let data = args.data.of_model(&args.model, args.which.which)?;
    if let Some(out) = &args.out {
        data.keep_apart(out)?;
    }
    let model = AnyModel::open(&args.model, args.which.which, args.device.device)?;
    let [channels, size] = model.config.image_shape();
    let dims = channels * size * size;
    let dataset = data.load([channels, size])?;
    let samples =
        model.engine.sample(args.seed, args.count, &args.temperature.drawing(model.joint.as_ref(), &model.card))?;
    let test: Vec<_> = (0..dataset.test.len().min(samples.len())).collect();
    let train = dataset.train.pixels();
    let near_samples = nearest(&samples.concat(), &train, dims, size);
    let near_test = nearest(&dataset.test.subset(&test)?.pixels(), &train, dims, size);
    say!("distance to the nearest of {} training images, in grey levels (root mean square)", dataset.train.len())?;
    say!("             smallest   5 %  median")?;
    for (name, found) in [("samples", &near_samples), ("test images", &near_test)] {
        let [smallest, low, median] = [0.0, 0.05, 0.5].map(|share| quantile(found, share));
        say!("{name:<12} {smallest:>8.1} {low:>5.1} {median:>7.1}")?;
    }
    if let Some(out) = &args.out {
        let pair = |(sample, &(_, i)): (&Vec<u8>, &(f64, usize))| [sample.clone(), dataset.train.image(i).to_vec()];
        let mut order: Vec<_> = samples.iter().zip(&near_samples).collect();
        order.sort_by(|a, b| a.1.0.total_cmp(&b.1.0));
        let pairs: Vec<Vec<u8>> = order.into_iter().take(32).flat_map(pair).collect();
        sheet::save(&sheet::sheet(&pairs, size, channels, 8, 3), out)?;
        say!("the nearest samples, each with its training image: {}", out.display())?;
    }
    Ok(())
}
