//! Arguments of the commands that look at a trained model as a whole.

use std::path::PathBuf;

use clap::Args;

use super::numbers::{MOST_IMAGES, count, within, zoom};
use super::{DataSetArgs, DeviceArgs, TemperatureArgs};

/// Arguments of `sample`.
#[derive(Args, Debug, Clone)]
pub struct SampleArgs {
    /// Weights file, checkpoint, or a run's folder.
    pub model: PathBuf,
    /// Samples.
    #[arg(long, default_value_t = 64, value_parser = count(1..=10_000_u64))]
    pub count: u64,
    /// Temperatures.
    #[command(flatten)]
    pub temperature: TemperatureArgs,
    /// Seed; random where none is given.
    #[arg(long)]
    pub seed: Option<u64>,
    /// The sheet.
    #[arg(long, default_value = "samples.png")]
    pub out: PathBuf,
    /// How many times each pixel is enlarged.
    #[arg(long, default_value_t = 4, value_parser = zoom())]
    pub zoom: u32,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Arguments of `eval`.
#[derive(Args, Debug, Clone)]
pub struct EvalArgs {
    /// Weights file, checkpoint, or a run's folder.
    pub model: PathBuf,
    /// The images; the test part is evaluated.
    #[command(flatten)]
    pub data: DataSetArgs,
    /// Dequantisation samples of the importance-weighted bound.
    #[arg(long, default_value_t = 1, value_parser = count(1..=10_000_u64))]
    pub draws: u64,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Arguments of `ovals`.
#[derive(Args, Debug, Clone)]
pub struct OvalsArgs {
    /// Weights file, checkpoint, or a run's folder.
    pub model: PathBuf,
    /// The images: msds1 or msds2; pictures of the test part are changed.
    #[command(flatten)]
    pub data: DataSetArgs,
    /// Pictures.
    #[arg(long, default_value_t = 16, value_parser = count(1..=MOST_IMAGES))]
    pub images: usize,
    /// What is added to a latent, whose standard deviation is 1.
    #[arg(long, default_value_t = 3.0, value_parser = within(-100.0..=100.0_f32), allow_negative_numbers = true)]
    pub change: f32,
    /// Seed of the choice of latents where a level has many.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Arguments of `neighbours`.
#[derive(Args, Debug, Clone)]
pub struct NeighboursArgs {
    /// Weights file, checkpoint, or a run's folder.
    pub model: PathBuf,
    /// The images that it was trained on, with test images to compare with.
    #[command(flatten)]
    pub data: DataSetArgs,
    /// Samples.
    #[arg(long, default_value_t = 256, value_parser = count(1..=10_000_u64))]
    pub count: u64,
    /// Temperatures.
    #[command(flatten)]
    pub temperature: TemperatureArgs,
    /// Seed of the samples.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Also a sheet of the nearest samples, each with its training image.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Arguments of `pinwheel`.
#[derive(Args, Debug, Clone)]
pub struct PinwheelArgs {
    /// Arms of the wheel; a sparse prior in the plane has four.
    #[arg(long, default_value_t = 4, value_parser = count(2..=16_usize))]
    pub arms: usize,
    /// Steps of training.
    #[arg(long, default_value_t = 1000, value_parser = count(1..=1_000_000_usize))]
    pub steps: usize,
    /// Seed of points and weights.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// The picture.
    #[arg(long, default_value = "pinwheel.png")]
    pub out: PathBuf,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Arguments of `paper`.
#[derive(Args, Debug, Clone)]
pub struct PaperArgs {
    /// Weights file, checkpoint, or a run's folder.
    pub model: PathBuf,
    /// The data that it was trained on.
    #[command(flatten)]
    pub data: DataSetArgs,
    /// Models to compare with: the other prior, a Real NVP.
    #[arg(long, num_args = 1..)]
    pub compare: Vec<PathBuf>,
    /// Temperatures of samples.
    #[command(flatten)]
    pub temperature: TemperatureArgs,
    /// Mix and complete test images instead of samples.
    #[arg(long)]
    pub test_images: bool,
    /// Test images that averages are taken over.
    #[arg(long, default_value_t = 32, value_parser = count(1..=MOST_IMAGES))]
    pub images: usize,
    /// Folder for index.html and the pictures.
    #[arg(long, default_value = "paper")]
    pub out: PathBuf,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}
