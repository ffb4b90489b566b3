//! Arguments of the commands that complete images.

use std::path::PathBuf;

use clap::Args;
use shared::edit::inpaint::Schedule;

use super::{DataSetArgs, DeviceArgs};

/// How long to search and to sample.
#[derive(Args, Debug, Clone)]
pub struct SearchArgs {
    /// Steps uphill, to the most likely completion.
    #[arg(long, default_value_t = 200)]
    pub steps: u32,
    /// Langevin steps of each sampled completion.
    #[arg(long, default_value_t = 400)]
    pub sample_steps: u32,
    /// Sampled completions of an image.
    #[arg(long, default_value_t = 6)]
    pub samples: usize,
    /// Seed of the samples.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

impl SearchArgs {
    /// As the library takes it.
    pub fn schedule(&self) -> Schedule {
        Schedule { search: self.steps, sampling: self.sample_steps, chains: self.samples, seed: self.seed }
    }
}

/// Arguments of `inpaint`.
#[derive(Args, Debug, Clone)]
pub struct InpaintArgs {
    /// The image.
    pub image: PathBuf,
    /// White where it is unknown.
    pub mask: PathBuf,
    /// Weights file, checkpoint, or a run's folder.
    #[arg(long)]
    pub model: PathBuf,
    /// The whole image, to measure against.
    #[arg(long)]
    pub truth: Option<PathBuf>,
    /// How long.
    #[command(flatten)]
    pub search: SearchArgs,
    /// The sheet: the truth if given, the image, the most likely completion, the samples.
    #[arg(long, default_value = "inpainted.png")]
    pub out: PathBuf,
    /// How many times each pixel is enlarged.
    #[arg(long, default_value_t = 4)]
    pub zoom: u32,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Arguments of `eval-inpaint`.
#[derive(Args, Debug, Clone)]
pub struct EvalInpaintArgs {
    /// Weights files, checkpoints, or runs' folders.
    #[arg(required = true)]
    pub models: Vec<PathBuf>,
    /// The images; the first of the test part are completed.
    #[command(flatten)]
    pub data: DataSetArgs,
    /// How many.
    #[arg(long, default_value_t = 32)]
    pub images: usize,
    /// Edge of the square hole, which stands somewhere else every eight images.
    #[arg(long, default_value_t = 10)]
    pub hole: usize,
    /// How long.
    #[command(flatten)]
    pub search: SearchArgs,
    /// Also a sheet of the first images: the truth, the image, and each row of the table.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}
