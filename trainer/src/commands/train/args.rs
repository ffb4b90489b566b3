//! Arguments of `train`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use shared::train::Recipe;
use shared::{MAX_SIZE, MOST_FEATURES, PriorKind};

use crate::args::numbers::{MOST_IMAGES, MOST_STEPS, count, positive, seed, share_below_one, within};
use crate::args::{DataSetArgs, DevicesArgs, Preset, preset};
use crate::train::action::Objective;
use crate::train::best::BestBy;

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
    /// Architecture by name [default: demo].
    #[arg(long, conflicts_with = "config", value_parser = preset())]
    pub preset: Option<Preset>,
    /// Architecture from a JSON file instead; `trainer info --config MODEL` prints one to start from.
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Edge of the images in pixels, 4·2^k from 8 to 1024: takes the preset to that size. Finer levels are added in front,
    /// each with two thirds of the layers and the width of the next one, or taken away; with --from, a model of fields grows by
    /// its second coarsest level, repeated, and one whose levels share their weights takes any size [default: the architecture's].
    #[arg(long, conflicts_with = "config", value_parser = count(8..=MAX_SIZE))]
    pub size: Option<usize>,
    /// Learned numbers for each place, 0 to 64, from which the nets know where in the picture their block stands: for images
    /// in which places have a meaning, such as aligned faces, where 8 are a good number. With --from, weights that lack them
    /// get them and stay the same model until they are trained further [default: the architecture's].
    #[arg(long, value_parser = count(0..=MOST_FEATURES))]
    pub place_features: Option<usize>,
    /// The finest level whose nets get the place features, 0 being the finest of all [default: 0].
    #[arg(long, value_name = "LEVEL", value_parser = count(0..=63_usize))]
    pub places_from: Option<usize>,
    /// One pair of bijectors for all levels, which take the shape of the finest one: for what looks alike at every scale, such
    /// as critical fields. Such a model is one for every size: see --size of eval, sample and physics.
    #[arg(long)]
    pub share_levels: bool,
    /// Start from these weights instead of new ones: a weights file, a checkpoint, or a run folder, whose best checkpoint
    /// is taken. The architecture is theirs; the optimizer, the schedule and the step count begin anew.
    #[arg(long, value_name = "MODEL", conflicts_with = "resume")]
    pub from: Option<PathBuf>,
    /// Prior of the latents, laplace or gaussian [default: the architecture's].
    #[arg(long, value_parser = parse_prior)]
    pub prior: Option<PriorKind>,
    /// Hyper-parameters to start from; the options below change them one by one [default: cosine].
    #[arg(long, value_enum)]
    pub recipe: Option<RecipeName>,
    /// What training makes small: likelihood, −log p of the data; or action, for fields of phi4 alone, the mean of log q + S over
    /// fields that the model draws itself, without data [default: likelihood, or the resumed run's own].
    #[arg(long, value_enum, hide_possible_values = true, value_name = "likelihood|action")]
    pub objective: Option<Objective>,
    /// Number of training steps, including those of a resumed run [default: 20000, or the resumed run's own].
    #[arg(long, value_parser = count(0..=MOST_STEPS))]
    pub steps: Option<u64>,
    /// Images in a batch, 1 to 65536 [default: the recipe's, 16 or 64].
    #[arg(long, value_parser = count(1..=Recipe::MOST_BATCH))]
    pub batch: Option<usize>,
    /// Highest learning rate, at most 1000 [default: the recipe's, 0.012 or 0.001].
    #[arg(long, value_parser = positive(1000.0))]
    pub learning_rate: Option<f64>,
    /// Steps over which the learning rate rises from zero [default: the recipe's, 200 or 0; a fifth of the run if it has less than
    /// 1000 steps].
    #[arg(long, value_parser = count(0..=MOST_STEPS))]
    pub warmup: Option<u64>,
    /// AdamW's weight decay, 0 to 1 [default: the recipe's, 0.01 or 0.05].
    #[arg(long, value_parser = within(0.0..=1.0_f64))]
    pub weight_decay: Option<f64>,
    /// Upper bound on the norm of the whole gradient, which is scaled down to it [default: 1].
    #[arg(long, value_parser = positive(1e6))]
    pub clip: Option<f64>,
    /// Decay of the moving average of the weights, from 0, no average, to less than 1 [default: the recipe's, 0.998 or 0].
    #[arg(long, value_parser = share_below_one())]
    pub ema: Option<f64>,
    /// Mirror images left to right with probability ½ [default: yes, except for digits and letters].
    #[arg(long, overrides_with = "no_flips")]
    pub flips: bool,
    /// Do not mirror images.
    #[arg(long, overrides_with = "flips")]
    pub no_flips: bool,
    /// Seed of the initial weights, the order of the images, the flips and the dequantisation noise [default: 0].
    #[arg(long, value_parser = seed())]
    pub seed: Option<u64>,
    /// Run folder [default: runs/latest, or the resumed run's own].
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Resume from this checkpoint, or from the newest one in this run folder. Options of the data and of how to train
    /// apply from there on; a run keeps its architecture, prior, schedule and seed (--preset, --config, --size,
    /// --place-features, --share-levels, --prior, --recipe, --seed, --objective).
    #[arg(long)]
    pub resume: Option<PathBuf>,
    /// Steps between checkpoints.
    #[arg(long, default_value_t = 500, value_parser = count(1..=MOST_STEPS))]
    pub checkpoint_every: u64,
    /// Number of checkpoints to keep, the newest ones; the best one is kept besides.
    #[arg(long, default_value_t = 3, value_parser = count(1..=MOST_IMAGES))]
    pub keep: usize,
    /// What makes a checkpoint the best: bits, the lowest bits/dim of test images, or quality, the lowest mean distance of
    /// samples from test images (SWD mean in `trainer quality`) [default: bits, or the resumed run's own].
    #[arg(long, value_enum, hide_possible_values = true, value_name = "bits|quality")]
    pub best_by: Option<BestBy>,
    /// Number of test images to evaluate at each checkpoint; 0 for none.
    #[arg(long, default_value_t = 512, value_parser = count(0..=MOST_IMAGES))]
    pub test_images: usize,
    /// Steps between lines of metrics.jsonl, and of the output when it is not a terminal [default: 100 steps for the file,
    /// 5 seconds for the output].
    #[arg(long, value_parser = count(1..=MOST_STEPS))]
    pub log_every: Option<u64>,
    /// Write no event files for TensorBoard.
    #[arg(long)]
    pub no_tensorboard: bool,
    /// Save a checkpoint and stop after this many minutes [default: no limit].
    #[arg(long, value_parser = within(0.0..=1e6_f64))]
    pub max_minutes: Option<f64>,
    /// Where to train.
    #[command(flatten)]
    pub device: DevicesArgs,
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

    /// What to say of a warm-up for which the run is too short, if it is.
    pub fn short_warmup(&self, recipe: &Recipe) -> Option<String> {
        let Recipe { warmup, steps, learning_rate, .. } = *recipe;
        if warmup > steps && steps > 0 {
            let reached = recipe.learning_rate_at(steps - 1);
            return Some(format!(
                "the warm-up takes {warmup} steps and the run {steps}: the learning rate ends at {reached:.2e} and never \
                 reaches {learning_rate}; --warmup makes it shorter"
            ));
        }
        let usual = self.recipe.unwrap_or(RecipeName::Cosine).recipe(MOST_STEPS).warmup;
        let shortened = self.resume.is_none() && self.warmup.is_none() && warmup < usual;
        shortened.then(|| {
            format!(
                "warm-up over {warmup} steps, a fifth of the run, instead of {usual}; --warmup takes another number"
            )
        })
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
        _ => Err(format!("there is no prior called {name}; use laplace or gaussian")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        train: TrainArgs,
    }

    #[test]
    fn options_override_the_named_recipe() {
        let args = Line::parse_from(["line", "--recipe", "official", "--batch", "7", "--no-flips"]).train;
        assert_eq!(args.recipe(), Recipe { batch: 7, flips: false, ..Recipe::official(20_000) });
    }

    #[test]
    fn the_defaults_in_the_help_are_the_recipes() {
        let (cosine, official) = (Recipe::cosine(20_000), Recipe::official(20_000));
        assert_eq!((cosine.batch, official.batch, Recipe::MOST_BATCH), (16, 64, 65_536));
        assert_eq!((cosine.learning_rate, official.learning_rate), (0.012, 0.001));
        assert_eq!((cosine.warmup, official.warmup), (200, 0));
        assert_eq!((Recipe::cosine(1000).warmup, Recipe::cosine(999).warmup), (200, 199));
        assert_eq!((cosine.weight_decay, official.weight_decay), (0.01, 0.05));
        assert_eq!((cosine.clip, official.clip, cosine.ema, official.ema), (1.0, 1.0, 0.998, 0.0));
    }
}
