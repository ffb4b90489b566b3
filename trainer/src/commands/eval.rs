//! `trainer eval`: the likelihood of test images.

use std::path::PathBuf;

use clap::Args;

use crate::args::numbers::count;
use crate::args::{DataSetArgs, DeviceArgs, WhichArgs};
use crate::error::Result;
use crate::evaluate::Score;
use crate::open::AnyModel;
use crate::output::say;

/// Arguments of `eval`.
#[derive(Args, Debug, Clone)]
pub struct EvalArgs {
    /// Weights file, checkpoint, or run folder.
    pub model: PathBuf,
    /// The images; the test part is evaluated.
    #[command(flatten)]
    pub data: DataSetArgs,
    /// Dequantisation samples of each image in the importance-weighted bound, 1 to 10000; more make it tighter.
    #[arg(long, default_value_t = 1, value_parser = count(1..=10_000_u64))]
    pub draws: u64,
    /// Which checkpoint of a run folder.
    #[command(flatten)]
    pub which: WhichArgs,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Prints the test set's bits/dim.
///
/// # Errors
/// A model or data that cannot be read.
pub fn run(args: EvalArgs) -> Result<()> {
    let model = AnyModel::open(&args.model, args.which.which, args.device.device)?;
    let test = args.data.load_test(model.config.image_shape())?;
    let Score { mean, standard_error, images } = model.engine.bits_per_dim(&test.images, args.draws)?;
    say!("{mean:.4} ± {standard_error:.4} bits/dim on {images} test images of {} (k = {})", test.name, args.draws)
}
