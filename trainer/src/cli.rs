//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use shared::edit::inpaint::Schedule;
use shared::{PriorKind, RgFlowConfig, Temperature};

use crate::device::DeviceChoice;
use crate::train::recipe::Recipe;

/// Train, evaluate and export RG-Flow models. Without a command it trains the small preset on MSDS1.
#[derive(Parser, Debug)]
#[command(name = "trainer", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Train a model, or go on training one.
    #[command(
        after_help = "Example:\n  trainer train --data faces-train.zip --preset small --steps 20000 --out runs/faces\n  trainer train --resume runs/faces --data faces-train.zip --out runs/faces"
    )]
    Train(Box<TrainArgs>),
    /// Draw samples into a PNG sheet.
    #[command(
        after_help = "Example:\n  trainer sample runs/faces --count 64 --temperature 0.8 --low-temperature 0.2 --cutoff 1 --out samples.png"
    )]
    Sample(SampleArgs),
    /// Fill in the unknown pixels of an image: the most likely completion, and samples.
    #[command(
        after_help = "Example:\n  trainer inpaint face.png mask.png --model faces.safetensors --truth whole.png --out completed.png\nWhite pixels of the mask are unknown."
    )]
    Inpaint(InpaintArgs),
    /// Compare models by the completions of test images.
    #[command(
        name = "eval-inpaint",
        after_help = "Example:\n  trainer eval-inpaint faces.safetensors realnvp.safetensors --data faces-train.zip --images 64 --hole 10"
    )]
    EvalInpaint(EvalInpaintArgs),
    /// Test bits/dim, with its standard error.
    #[command(after_help = "Example:\n  trainer eval faces.safetensors --data faces-train.zip")]
    Eval(EvalArgs),
    /// Write the weights file that the browser loads.
    #[command(after_help = "Example:\n  trainer export runs/faces --name faces --out web/models/faces.safetensors")]
    Export(ExportArgs),
    /// Turn a checkpoint of the authors' PyTorch code (*.state) into a weights file.
    #[command(after_help = "Example:\n  trainer import celeba.state --out celeba.safetensors")]
    Import(ImportArgs),
    /// Train two flows of the plane, with a Gaussian and a sparse prior, and draw where their axes lie.
    #[command(after_help = "Example:\n  trainer pinwheel --out pinwheel.png")]
    Pinwheel(PinwheelArgs),
    /// Say what a weights file or a checkpoint holds.
    #[command(after_help = "Example:\n  trainer info faces.safetensors")]
    Info(InfoArgs),
    /// Write a data set out as PNG images and labels.csv.
    #[command(after_help = "Example:\n  trainer data msds1 --limit 1000 --out msds1-images")]
    Data(DataArgs),
}

/// Where to compute.
#[derive(Args, Debug, Clone)]
pub struct DeviceArgs {
    /// auto (CUDA where a card answers, else the CPU), cuda, cuda:1, wgpu, cpu or candle.
    #[arg(long, default_value = "auto")]
    pub device: DeviceChoice,
}

/// Which images.
#[derive(Args, Debug, Clone)]
pub struct DataSetArgs {
    /// msds1, msds2, a folder or .zip of images, CelebA's img_align_celeba.zip, CIFAR-10's or MNIST's files.
    #[arg(long, default_value = "msds1")]
    pub data: String,
    /// Test images, where --data has none of its own.
    #[arg(long)]
    pub test_data: Option<PathBuf>,
    /// Use at most so many training images.
    #[arg(long)]
    pub limit: Option<usize>,
    /// Use at most so many test images.
    #[arg(long)]
    pub test_limit: Option<usize>,
    /// Licence and attribution of the data, for the model's card.
    #[arg(long)]
    pub licence: Option<String>,
    /// Seed of what is random in the data: generated sets, and the split where none is given.
    #[arg(long, default_value_t = 0)]
    pub data_seed: u64,
}

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
    /// Architecture: small, bench, tiny, official_celeba32 or realnvp_small.
    #[arg(long, default_value = "small")]
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

/// Temperatures of samples.
#[derive(Args, Debug, Clone)]
pub struct TemperatureArgs {
    /// Factor on the prior's scale.
    #[arg(long, default_value_t = 0.8)]
    pub temperature: f32,
    /// Another factor for the levels below --cutoff.
    #[arg(long)]
    pub low_temperature: Option<f32>,
    /// Level from which on --temperature holds.
    #[arg(long, default_value_t = 1)]
    pub cutoff: usize,
}

impl TemperatureArgs {
    /// As the library takes it.
    pub fn temperature(&self) -> Temperature {
        match self.low_temperature {
            Some(low) => {
                Temperature::mixed(self.temperature, low, self.cutoff.min(RgFlowConfig::small().level_count() + 8))
            }
            None => Temperature::uniform(self.temperature),
        }
    }
}

/// Arguments of `sample`.
#[derive(Args, Debug, Clone)]
pub struct SampleArgs {
    /// Weights file, checkpoint, or a run's folder.
    pub model: PathBuf,
    /// Samples.
    #[arg(long, default_value_t = 64)]
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
    #[arg(long, default_value_t = 4)]
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
    #[arg(long, default_value_t = 1)]
    pub draws: u64,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

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

/// Arguments of `pinwheel`.
#[derive(Args, Debug, Clone)]
pub struct PinwheelArgs {
    /// Arms of the wheel; a sparse prior in the plane has four.
    #[arg(long, default_value_t = 4)]
    pub arms: usize,
    /// Steps of training.
    #[arg(long, default_value_t = 1000)]
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound_and_every_command_has_an_example() {
        Cli::command().debug_assert();
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("trainer {}", command.get_name())), "{}", command.get_name());
        }
    }

    #[test]
    fn options_override_the_named_recipe() {
        let Some(Command::Train(args)) =
            Cli::parse_from(["trainer", "train", "--recipe", "official", "--batch", "7", "--no-flips"]).command
        else {
            panic!("not train");
        };
        assert_eq!(args.recipe(), Recipe { batch: 7, flips: false, ..Recipe::official(20_000) });
    }

    #[test]
    fn temperatures_are_mixed_when_asked() {
        let parse = |args: &[&str]| match Cli::parse_from([&["trainer", "sample", "m"], args].concat()).command {
            Some(Command::Sample(args)) => args.temperature.temperature(),
            _ => panic!("not sample"),
        };
        assert_eq!(parse(&[]), Temperature::uniform(0.8));
        assert_eq!(parse(&["--low-temperature", "0.2", "--cutoff", "2"]), Temperature::mixed(0.8, 0.2, 2));
    }
}
