//! Arguments of the commands that look into a trained model and edit images with it.

use std::path::PathBuf;

use clap::Args;

use super::numbers::{count, within, zoom};
use super::{DeviceArgs, TemperatureArgs};

/// The figure and what it is drawn with.
#[derive(Args, Debug, Clone)]
pub struct FigureArgs {
    /// How many times each pixel is enlarged.
    #[arg(long, default_value_t = 3, value_parser = zoom())]
    pub zoom: u32,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Arguments of `progressive`.
#[derive(Args, Debug, Clone)]
pub struct ProgressiveArgs {
    /// Weights file, checkpoint, or a run's folder.
    pub model: PathBuf,
    /// Show these images instead of samples.
    #[arg(long, num_args = 1..)]
    pub images: Vec<PathBuf>,
    /// Samples.
    #[arg(long, default_value_t = 8, value_parser = count(1..=256_u64))]
    pub count: u64,
    /// Temperatures.
    #[command(flatten)]
    pub temperature: TemperatureArgs,
    /// Seed; random where none is given.
    #[arg(long)]
    pub seed: Option<u64>,
    /// The figure: one image a row, one inverse RG step a column.
    #[arg(long, default_value = "progressive.png")]
    pub out: PathBuf,
    /// Size and device.
    #[command(flatten)]
    pub figure: FigureArgs,
}

/// Arguments of `encode`.
#[derive(Args, Debug, Clone)]
pub struct EncodeArgs {
    /// The images.
    #[arg(required = true)]
    pub images: Vec<PathBuf>,
    /// Weights file, checkpoint, or a run's folder.
    #[arg(long)]
    pub model: PathBuf,
    /// The latents, as safetensors.
    #[arg(long, default_value = "latents.safetensors")]
    pub out: PathBuf,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Arguments of `decode`.
#[derive(Args, Debug, Clone)]
pub struct DecodeArgs {
    /// A file that `encode` wrote.
    pub latents: PathBuf,
    /// The model that encoded.
    #[arg(long)]
    pub model: PathBuf,
    /// Folder for the images, 0000.png on.
    #[arg(long, default_value = "decoded")]
    pub out: PathBuf,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Arguments of `receptive-fields`.
#[derive(Args, Debug, Clone)]
pub struct ReceptiveArgs {
    /// Weights file, checkpoint, or a run's folder.
    pub model: PathBuf,
    /// Latents shown of each level, strongest first.
    #[arg(long, default_value_t = 8, value_parser = count(1..=64_u64))]
    pub count: u64,
    /// Samples of the prior to average over.
    #[arg(long, default_value_t = 16, value_parser = count(1..=1024_u64))]
    pub samples: u64,
    /// Their temperatures; equation 8 itself says 1.
    #[command(flatten)]
    pub temperature: TemperatureArgs,
    /// Seed of the samples.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// The sheet of fields.
    #[arg(long, default_value = "receptive-fields.png")]
    pub out: PathBuf,
    /// The histogram of strengths.
    #[arg(long, default_value = "strengths.png")]
    pub histogram: PathBuf,
    /// Size and device.
    #[command(flatten)]
    pub figure: FigureArgs,
}

/// Arguments of `mix`.
#[derive(Args, Debug, Clone)]
pub struct MixArgs {
    /// Two images or more.
    #[arg(required = true, num_args = 2..=16)]
    pub images: Vec<PathBuf>,
    /// Weights file, checkpoint, or a run's folder.
    #[arg(long)]
    pub model: PathBuf,
    /// The first two images mixed at every level, in both directions, and interpolated.
    #[arg(long, default_value = "mix.png")]
    pub out: PathBuf,
    /// All images mixed with each other.
    #[arg(long, default_value = "mix-grid.png")]
    pub grid: PathBuf,
    /// Level of that grid from which on the row's image is taken, below it the column's.
    #[arg(long, default_value_t = 2, value_parser = count(0..=64_usize))]
    pub theta: usize,
    /// Size and device.
    #[command(flatten)]
    pub figure: FigureArgs,
}

/// Arguments of `factors`.
#[derive(Args, Debug, Clone)]
pub struct FactorsArgs {
    /// Weights file, checkpoint, or a run's folder.
    pub model: PathBuf,
    /// Start from this image instead of a sample.
    #[arg(long)]
    pub image: Option<PathBuf>,
    /// Latents traversed of each level, strongest first.
    #[arg(long, default_value_t = 6, value_parser = count(1..=64_u64))]
    pub count: u64,
    /// How far a latent goes to both sides.
    #[arg(long, default_value_t = 4.0, value_parser = within(0.0..=100.0_f32))]
    pub range: f32,
    /// Images of a strip.
    #[arg(long, default_value_t = 9, value_parser = count(2..=64_u64))]
    pub steps: u64,
    /// Temperatures.
    #[command(flatten)]
    pub temperature: TemperatureArgs,
    /// Seed of samples and walks.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Score the levels' disentanglement on the test part of this data with known factors: msds1, msds2, or images
    /// with a .csv of labels.
    #[arg(long)]
    pub data: Option<String>,
    /// Their test part, where it is a file of its own.
    #[arg(long, requires = "data")]
    pub test_data: Option<PathBuf>,
    /// Scores, and no pictures.
    #[arg(long, requires = "data")]
    pub only_scores: bool,
    /// Test images to score on.
    #[arg(long, default_value_t = 2000, value_parser = count(64..=100_000_u64))]
    pub images: u64,
    /// Folder for traversal-hH.png, walk-hH.gif and scores.json. Strips are labelled LEVEL.ROW.COLUMN.CHANNEL.
    #[arg(long, default_value = "factors")]
    pub out: PathBuf,
    /// Size and device.
    #[command(flatten)]
    pub figure: FigureArgs,
}
