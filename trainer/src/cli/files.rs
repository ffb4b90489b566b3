//! Arguments of the commands that read and write files of models and data.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::DeviceArgs;

/// Numbers in a weights file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PrecisionName {
    /// Half precision.
    F16,
    /// Single precision.
    F32,
}

/// Arguments of `export`.
#[derive(Args, Debug, Clone)]
pub struct ExportArgs {
    /// Checkpoint, or a run's folder.
    pub model: PathBuf,
    /// The weights file.
    #[arg(long)]
    pub out: PathBuf,
    /// Short name of the model.
    #[arg(long, default_value = "model")]
    pub name: String,
    /// Evaluate on the test part of this data and note it on the card.
    #[arg(long)]
    pub data: Option<String>,
    /// Name of the data on the card.
    #[arg(long)]
    pub dataset: Option<String>,
    /// Licence and attribution of the data, for the card.
    #[arg(long)]
    pub licence: Option<String>,
    /// Temperatures that samples look best at, for the card: one, or one a level, finest first, with commas.
    #[arg(long, value_delimiter = ',')]
    pub temperatures: Vec<f32>,
    /// Numbers.
    #[arg(long, value_enum, default_value = "f16")]
    pub precision: PrecisionName,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Arguments of `import`.
#[derive(Args, Debug, Clone)]
pub struct ImportArgs {
    /// The *.state file.
    pub state: PathBuf,
    /// The weights file.
    #[arg(long)]
    pub out: PathBuf,
    /// Numbers.
    #[arg(long, value_enum, default_value = "f16")]
    pub precision: PrecisionName,
}

/// Arguments of `info`.
#[derive(Args, Debug, Clone)]
pub struct InfoArgs {
    /// Weights file, checkpoint, or a run's folder.
    pub model: PathBuf,
}

/// Arguments of `data`.
#[derive(Args, Debug, Clone)]
pub struct DataArgs {
    /// Name or path, as for `train --data`.
    pub data: String,
    /// A new folder.
    #[arg(long)]
    pub out: PathBuf,
    /// At most so many training images, and a tenth as many test images.
    #[arg(long)]
    pub limit: Option<usize>,
    /// Edge of the images.
    #[arg(long, default_value_t = 32)]
    pub size: usize,
    /// Seed of generated sets.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}
