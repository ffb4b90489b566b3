//! Arguments of `bench`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::DeviceArgs;
use super::numbers::{count, positive};

/// What can be timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Timed {
    /// Loss, gradient, clipping and AdamW.
    Train,
    /// From latents that are drawn to images.
    Sample,
    /// From images to latents and their likelihood.
    Encode,
}

impl Timed {
    /// As results are called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Sample => "sample",
            Self::Encode => "encode",
        }
    }
}

/// Arguments of `bench`.
#[derive(Args, Debug, Clone)]
pub struct BenchArgs {
    /// Architectures by name.
    #[arg(value_name = "PRESET", default_value = "demo")]
    pub presets: Vec<String>,
    /// Images at once; may be given several times.
    #[arg(long, default_value = "64", value_parser = count(1..=65_536_usize))]
    pub batch: Vec<usize>,
    /// Time this alone.
    #[arg(long, value_enum)]
    pub only: Option<Timed>,
    /// Repeat each measurement for this many seconds, and take the median.
    #[arg(long, default_value_t = 5.0, value_parser = positive(3600.0))]
    pub seconds: f64,
    /// Add the results to this JSON file.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}
