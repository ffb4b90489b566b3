//! Arguments of `train`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use shared::PriorKind;

use super::numbers::{MOST_IMAGES, MOST_STEPS, count, positive, share_below_one, within};
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

impl RecipeName {
    /// The recipe of that name.
    pub fn recipe(self, steps: u64) -> Recipe {
        match self {
            Self::Cosine => Recipe::cosine(steps),
            Self::Official => Recipe::official(steps),
        }
    }
}

/// Arguments of `train`. What has no value was not given: a resumed run keeps its own.
#[derive(Args, Debug, Clone)]
pub struct TrainArgs {
    /// The images.
    #[command(flatten)]
    pub data: DataSetArgs,
    /// Architecture: demo, deep, bench, tiny, official_celeba32, realnvp_demo or realnvp_deep [default: demo].
    #[arg(long, conflicts_with = "config")]
    pub preset: Option<String>,
    /// Architecture from a JSON file instead (see `trainer info` for one).
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Prior of the latents instead of the preset's.
    #[arg(long, value_parser = parse_prior)]
    pub prior: Option<PriorKind>,
    /// Hyper-parameters to start from [default: cosine].
    #[arg(long, value_enum)]
    pub recipe: Option<RecipeName>,
    /// Steps in all [default: 20000, or the resumed run's own].
    #[arg(long, value_parser = count(0..=MOST_STEPS))]
    pub steps: Option<u64>,
    /// Images a step.
    #[arg(long, value_parser = count(1..=Recipe::MOST_BATCH))]
    pub batch: Option<usize>,
    /// Highest learning rate.
    #[arg(long, value_parser = positive(1000.0))]
    pub learning_rate: Option<f64>,
    /// Steps of warm-up.
    #[arg(long, value_parser = count(0..=MOST_STEPS))]
    pub warmup: Option<u64>,
    /// AdamW's weight decay.
    #[arg(long, value_parser = within(0.0..=1.0_f64))]
    pub weight_decay: Option<f64>,
    /// Bound on the global gradient norm.
    #[arg(long, value_parser = positive(1e6))]
    pub clip: Option<f64>,
    /// Decay of the averaged weights; 0 for none.
    #[arg(long, value_parser = share_below_one())]
    pub ema: Option<f64>,
    /// Mirror images left to right, each with probability ½. That is the default but for digits and letters.
    #[arg(long, overrides_with = "no_flips")]
    pub flips: bool,
    /// Do not mirror images.
    #[arg(long, overrides_with = "flips")]
    pub no_flips: bool,
    /// Seed of the run [default: 0].
    #[arg(long)]
    pub seed: Option<u64>,
    /// Folder of the run [default: runs/latest, or the resumed run's own].
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Go on from this checkpoint, or from the newest of this run's folder. Options for how to train change the run
    /// from there on.
    #[arg(long)]
    pub resume: Option<PathBuf>,
    /// Steps between checkpoints.
    #[arg(long, default_value_t = 500, value_parser = count(1..=MOST_STEPS))]
    pub checkpoint_every: u64,
    /// Checkpoints kept.
    #[arg(long, default_value_t = 3, value_parser = count(1..=MOST_IMAGES))]
    pub keep: usize,
    /// Test images evaluated at each checkpoint.
    #[arg(long, default_value_t = 512, value_parser = count(0..=MOST_IMAGES))]
    pub test_images: usize,
    /// Steps between lines of metrics.jsonl, and of the output where it is no terminal [default: 100, and 5 seconds].
    #[arg(long, value_parser = count(1..=MOST_STEPS))]
    pub log_every: Option<u64>,
    /// Save and stop after this many minutes.
    #[arg(long, value_parser = within(0.0..=1e6_f64))]
    pub max_minutes: Option<f64>,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

impl TrainArgs {
    /// The recipe of a new run.
    pub fn recipe(&self) -> Recipe {
        let base = self.recipe.unwrap_or(RecipeName::Cosine).recipe(self.steps.unwrap_or(20_000));
        Recipe { seed: self.seed.unwrap_or(base.seed), ..self.changed(base) }
    }

    /// A recipe with what was given of it in its place, but for the seed.
    pub fn changed(&self, base: Recipe) -> Recipe {
        Recipe {
            steps: self.steps.unwrap_or(base.steps),
            batch: self.batch.unwrap_or(base.batch),
            learning_rate: self.learning_rate.unwrap_or(base.learning_rate),
            warmup: self.warmup.unwrap_or(base.warmup),
            weight_decay: self.weight_decay.unwrap_or(base.weight_decay),
            clip: self.clip.unwrap_or(base.clip),
            ema: self.ema.unwrap_or(base.ema),
            flips: self.mirrored().unwrap_or(base.flips),
            ..base
        }
    }

    /// Whether images are to be mirrored, if it was said.
    pub fn mirrored(&self) -> Option<bool> {
        (self.flips || self.no_flips).then_some(self.flips)
    }
}

fn parse_prior(name: &str) -> Result<PriorKind, String> {
    match name {
        "laplace" => Ok(PriorKind::Laplace),
        "gaussian" => Ok(PriorKind::Gaussian),
        _ => Err(format!("no prior is called {name}; use laplace or gaussian")),
    }
}
