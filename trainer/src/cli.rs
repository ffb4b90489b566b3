//! The command line.

mod bench;
mod edit;
mod files;
mod inpaint;
mod measure;
pub mod numbers;
mod train;

use shared::sampler::Latents;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use shared::weights::Card;
use shared::{RgFlowConfig, Temperature};

use self::numbers::{MOST_IMAGES, count, temperature};
use crate::device::DeviceChoice;

pub use bench::{BenchArgs, Timed};
pub use edit::{DecodeArgs, EncodeArgs, FactorsArgs, FigureArgs, MixArgs, ProgressiveArgs, ReceptiveArgs};
pub use files::{DataArgs, ExportArgs, ImportArgs, InfoArgs, PrecisionName};
pub use inpaint::{EvalInpaintArgs, InpaintArgs, WishArgs};
pub use measure::{EvalArgs, NeighboursArgs, OvalsArgs, PaperArgs, PinwheelArgs, SampleArgs};
pub use train::{RecipeName, TrainArgs};

/// Train, evaluate and export RG-Flow models. Without a command it trains the preset `demo` on MSDS1.
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
        after_help = "Example:\n  trainer train --data faces-train.zip --preset demo --steps 20000 --out runs/faces\n  trainer train --resume runs/faces --steps 40000 --learning-rate 0.003"
    )]
    Train(Box<TrainArgs>),
    /// Draw samples into a PNG sheet.
    #[command(
        after_help = "Example:\n  trainer sample runs/faces --count 64 --temperature 0.8 --low-temperature 0.2 --cutoff 1 --out samples.png"
    )]
    Sample(SampleArgs),
    /// Fill in the unknown pixels of an image: the best completion, and others.
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
    /// Show samples, or images, after each inverse RG step (fig. 4a); coarse levels take the finished picture's colours.
    #[command(after_help = "Example:\n  trainer progressive faces.safetensors --count 8 --out progressive.png")]
    Progressive(ProgressiveArgs),
    /// Write images' exact latents into a file, and print their bits/dim.
    #[command(
        after_help = "Example:\n  trainer encode a.png b.png --model faces.safetensors --out latents.safetensors"
    )]
    Encode(EncodeArgs),
    /// Turn latents back into images, every pixel as it was.
    #[command(after_help = "Example:\n  trainer decode latents.safetensors --model faces.safetensors --out decoded")]
    Decode(DecodeArgs),
    /// Show which pixels a latent reaches, and how strongly (fig. 4b, 4c).
    #[command(
        after_help = "Example:\n  trainer receptive-fields faces.safetensors --temperature 1 --out fields.png --histogram strengths.png"
    )]
    ReceptiveFields(ReceptiveArgs),
    /// Mix images by level, in both directions, and by the usual interpolation (fig. 6).
    #[command(after_help = "Example:\n  trainer mix a.png b.png --model faces.safetensors --out mix.png")]
    Mix(MixArgs),
    /// Vary the leading latents of each level (fig. 5), and score what they have to do with known factors.
    #[command(after_help = "Example:\n  trainer factors runs/msds1 --data msds1 --out factors")]
    Factors(FactorsArgs),
    /// Test bits/dim, with its standard error.
    #[command(after_help = "Example:\n  trainer eval faces.safetensors --data faces-train.zip")]
    Eval(EvalArgs),
    /// Score the samples of models by scale and as a whole, beside what training images score.
    #[command(after_help = "Example:\n  trainer quality faces.safetensors --data faces-train.zip")]
    Quality(crate::commands::quality::QualityArgs),
    /// Write shuffled sheets of samples to count failures on, without knowing whose they are; then count them.
    #[command(
        after_help = "Example:\n  trainer blind faces.safetensors faces.safetensors:independent --out blind\n  trainer blind --count-failed blind"
    )]
    Blind(crate::commands::blind::BlindArgs),
    /// Measure how encoded images' latents go together, so that samples are drawn jointly.
    #[command(
        name = "fit-latents",
        after_help = "Example:\n  trainer fit-latents faces.safetensors --data faces-train.zip --directions 96"
    )]
    FitLatents(crate::commands::fit_latents::FitLatentsArgs),
    /// Say how near samples come to training images, against how near test images do.
    #[command(after_help = "Example:\n  trainer neighbours faces.safetensors --data faces-train.zip --count 256")]
    Neighbours(NeighboursArgs),
    /// Measure what one latent of each level does to the ovals of MSDS pictures.
    #[command(after_help = "Example:\n  trainer ovals msds1.safetensors --data msds1")]
    Ovals(OvalsArgs),
    /// Everything that the paper has a figure for, from one model, into one folder with a page to look at.
    #[command(
        after_help = "Example:\n  trainer paper faces.safetensors --data faces-train.zip --temperature 0.7 --low-temperature 0.4 --out paper"
    )]
    Paper(PaperArgs),
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
    /// Time training steps, sampling and encoding on a device, in images a second.
    #[command(after_help = "Example:\n  trainer bench demo --batch 16 --batch 64 --device cuda --out rates.json")]
    Bench(BenchArgs),
}

impl Command {
    /// Where it computes, if it does: whether that is there is looked at before anything is read.
    pub fn device(&self) -> Option<DeviceChoice> {
        let args = match self {
            Self::Train(args) => &args.device,
            Self::Sample(args) => &args.device,
            Self::Inpaint(args) => &args.device,
            Self::EvalInpaint(args) => &args.device,
            Self::Progressive(args) => &args.figure.device,
            Self::Encode(args) => &args.device,
            Self::Decode(args) => &args.device,
            Self::ReceptiveFields(args) => &args.figure.device,
            Self::Mix(args) => &args.figure.device,
            Self::Factors(args) => &args.figure.device,
            Self::Eval(args) => &args.device,
            Self::Quality(args) => &args.device,
            Self::Blind(args) => &args.device,
            Self::FitLatents(args) => &args.device,
            Self::Neighbours(args) => &args.device,
            Self::Ovals(args) => &args.device,
            Self::Paper(args) => &args.device,
            Self::Export(args) => &args.device,
            Self::Pinwheel(args) => &args.device,
            Self::Bench(args) => &args.device,
            Self::Import(_) | Self::Info(_) | Self::Data(_) => return None,
        };
        Some(args.device)
    }
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
    /// msds1, msds2, a folder or .zip of images (with folders train and test, or val, inside; else a tenth is held out by
    /// name), CelebA's img_align_celeba.zip, CIFAR-10's or MNIST's files [default: msds1, or a resumed run's own].
    #[arg(long)]
    pub data: Option<String>,
    /// A folder or .zip of test images, instead of those that --data has.
    #[arg(long)]
    pub test_data: Option<PathBuf>,
    /// Use at most this many training images, picked at random by --data-seed (of msds1 and msds2 the first).
    #[arg(long, value_parser = count(1..=MOST_IMAGES))]
    pub limit: Option<usize>,
    /// Use at most this many test images: the first in their order (by name, where they are files).
    #[arg(long, value_parser = count(1..=MOST_IMAGES))]
    pub test_limit: Option<usize>,
    /// Go on without images that cannot be read, and say which these are.
    #[arg(long)]
    pub skip_broken: bool,
    /// Licence and attribution of the data, for the model's card.
    #[arg(long)]
    pub licence: Option<String>,
    /// Seed of what is random in the data: generated sets, and the split where none is given [default: 0].
    #[arg(long)]
    pub data_seed: Option<u64>,
}

impl DataSetArgs {
    /// The data's name or path.
    pub fn name(&self) -> &str {
        self.data.as_deref().unwrap_or("msds1")
    }
}

/// Temperatures of samples.
#[derive(Args, Debug, Clone)]
pub struct TemperatureArgs {
    /// Factor on the prior's scale [default: what the model's card recommends, or 0.8].
    #[arg(long, value_parser = temperature())]
    pub temperature: Option<f32>,
    /// Another factor for the levels below --cutoff.
    #[arg(long, value_parser = temperature())]
    pub low_temperature: Option<f32>,
    /// Level from which on --temperature holds.
    #[arg(long, default_value_t = 1, value_parser = count(0..=64_usize))]
    pub cutoff: usize,
    /// Draw all latents independently, as in the paper, even if the model has directions found by `fit-latents`.
    #[arg(long)]
    pub independent: bool,
}

impl TemperatureArgs {
    /// As the library takes it, for the model of that card.
    pub fn of(&self, card: &Card, latents: Latents) -> Temperature {
        let high = self.temperature.unwrap_or(0.8);
        match (self.temperature, self.low_temperature) {
            (_, Some(low)) => Temperature::mixed(high, low, self.cutoff.min(RgFlowConfig::demo().level_count() + 8)),
            (None, None) => card.recommended(latents).unwrap_or_else(|| Temperature::uniform(high)),
            (Some(_), None) => Temperature::uniform(high),
        }
    }

    /// The words that say the same on a command line.
    pub fn words(&self) -> Vec<String> {
        let cutoff = self.low_temperature.map(|_| self.cutoff.to_string());
        let text = |t: Option<f32>| t.map(|t| t.to_string());
        let options = [
            ("--temperature", text(self.temperature)),
            ("--low-temperature", text(self.low_temperature)),
            ("--cutoff", cutoff),
        ];
        let given = options.into_iter().filter_map(|(name, value)| Some([name.to_owned(), value?]));
        given.flatten().chain(self.independent.then(|| "--independent".to_owned())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::recipe::Recipe;
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
        let card = Card { temperature: vec![0.5, 0.7], ..Card::default() };
        let parse = |args: &[&str]| match Cli::parse_from([&["trainer", "sample", "m"], args].concat()).command {
            Some(Command::Sample(args)) => args.temperature,
            _ => panic!("not sample"),
        };
        let of = |args: &[&str], card: &Card| parse(args).of(card, Latents::Independent);
        assert_eq!(of(&[], &Card::default()), Temperature::uniform(0.8));
        assert_eq!(of(&[], &card), Temperature { levels: vec![0.5, 0.7] });
        assert_eq!(of(&["--temperature", "0.9"], &card), Temperature::uniform(0.9));
        let mixed = ["--low-temperature", "0.2", "--cutoff", "2"];
        assert_eq!(of(&mixed, &card), Temperature::mixed(0.8, 0.2, 2));
        assert_eq!(parse(&mixed).words(), mixed);
        assert!(parse(&[]).words().is_empty());
        assert_eq!(parse(&["--independent"]).words(), ["--independent"]);
        let joint = Card { joint_temperature: vec![0.45], ..card };
        assert_eq!(parse(&[]).of(&joint, Latents::Joint), Temperature::uniform(0.45));
    }
}
