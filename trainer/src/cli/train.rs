//! Arguments of `train`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use shared::PriorKind;

use super::{DataSetArgs, DeviceArgs};
use crate::train::recipe::Recipe;

/// Hyper-parameters by a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RecipeName {
    /// Warm-up, cosine decay and averaged weights.
    Cosine,
    /// As the authors trained: constant rate, no average.
    Official,
}

/// Arguments of `train`.
#[derive(Args, Debug, Clone)]
pub struct TrainArgs {
    /// The images.
    #[command(flatten)]
    pub data: DataSetArgs,
    /// Architecture: demo, small, bench, tiny, official_celeba32, realnvp_demo or realnvp_small.
    #[arg(long, default_value = "demo")]
    pub preset: String,
    /// Architecture from a JSON file instead (see `trainer info` for one).
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Prior of the latents instead of the preset's.
    #[arg(long, value_parser = parse_prior)]
    pub prior: Option<PriorKind>,
    /// Hyper-parameters to start from.
    #[arg(long, value_enum, default_value = "cosine")]
    pub recipe: RecipeName,
    /// Steps in all [default: 20000, or the resumed run's own].
    #[arg(long)]
    pub steps: Option<u64>,
    /// Images a step.
    #[arg(long)]
    pub batch: Option<usize>,
    /// Highest learning rate.
    #[arg(long)]
    pub learning_rate: Option<f64>,
    /// Steps of warm-up.
    #[arg(long)]
    pub warmup: Option<u64>,
    /// AdamW's weight decay.
    #[arg(long)]
    pub weight_decay: Option<f64>,
    /// Bound on the global gradient norm.
    #[arg(long)]
    pub clip: Option<f64>,
    /// Decay of the averaged weights; 0 for none.
    #[arg(long)]
    pub ema: Option<f64>,
    /// Do not mirror images.
    #[arg(long)]
    pub no_flips: bool,
    /// Mirror images left to right, each with probability ½. That is the default but for digits and letters.
    #[arg(long, conflicts_with = "no_flips")]
    pub flips: bool,
    /// Seed of the run.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Folder of the run.
    #[arg(long, default_value = "runs/latest")]
    pub out: PathBuf,
    /// Go on from this checkpoint, or from the newest of this run's folder.
    #[arg(long)]
    pub resume: Option<PathBuf>,
    /// Steps between checkpoints.
    #[arg(long, default_value_t = 500)]
    pub checkpoint_every: u64,
    /// Checkpoints kept.
    #[arg(long, default_value_t = 3)]
    pub keep: usize,
    /// Test images evaluated at each checkpoint.
    #[arg(long, default_value_t = 512)]
    pub test_images: usize,
    /// Save and stop after so many minutes.
    #[arg(long)]
    pub max_minutes: Option<f64>,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

impl TrainArgs {
    /// The recipe that the arguments describe.
    pub fn recipe(&self) -> Recipe {
        let steps = self.steps.unwrap_or(20_000);
        let base = match self.recipe {
            RecipeName::Cosine => Recipe::cosine(steps),
            RecipeName::Official => Recipe::official(steps),
        };
        Recipe {
            batch: self.batch.unwrap_or(base.batch),
            learning_rate: self.learning_rate.unwrap_or(base.learning_rate),
            warmup: self.warmup.unwrap_or(base.warmup),
            weight_decay: self.weight_decay.unwrap_or(base.weight_decay),
            clip: self.clip.unwrap_or(base.clip),
            ema: self.ema.unwrap_or(base.ema),
            flips: base.flips && !self.no_flips,
            seed: self.seed,
            ..base
        }
    }
}

fn parse_prior(name: &str) -> Result<PriorKind, String> {
    match name {
        "laplace" => Ok(PriorKind::Laplace),
        "gaussian" => Ok(PriorKind::Gaussian),
        _ => Err(format!("no prior is called {name}; use laplace or gaussian")),
    }
}
