//! The command line: the commands' names, examples and order.

mod files;

use std::ffi::OsString;
use std::io::ErrorKind;

use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands::bench::{self, BenchArgs};
use crate::commands::blind::{self, BlindArgs};
use crate::commands::data::{self, DataArgs};
use crate::commands::decode::{self, DecodeArgs};
use crate::commands::encode::{self, EncodeArgs};
use crate::commands::eval::{self, EvalArgs};
use crate::commands::eval_inpaint::{self, EvalInpaintArgs};
use crate::commands::export::{self, ExportArgs};
use crate::commands::factors::{self, FactorsArgs};
use crate::commands::fit_latents::{self, FitLatentsArgs};
use crate::commands::import::{self, ImportArgs};
use crate::commands::info::{self, InfoArgs};
use crate::commands::inpaint::{self, InpaintArgs};
use crate::commands::licences::{self, LicencesArgs};
use crate::commands::mix::{self, MixArgs};
use crate::commands::neighbours::{self, NeighboursArgs};
use crate::commands::ovals::{self, OvalsArgs};
use crate::commands::paper::{self, PaperArgs};
use crate::commands::physics::{self, PhysicsArgs};
use crate::commands::pinwheel::{self, PinwheelArgs};
use crate::commands::presets::{self, PresetsArgs};
use crate::commands::progressive::{self, ProgressiveArgs};
use crate::commands::quality::{self, QualityArgs};
use crate::commands::receptive_fields::{self, ReceptiveArgs};
use crate::commands::sample::{self, SampleArgs};
use crate::commands::scales::{self, ScalesArgs};
use crate::commands::train::{self, TrainArgs};
use crate::device::{self, DeviceChoice};
use crate::error::{Error, Result};

/// Train, evaluate and export RG-Flow models. Without a command it trains the preset `demo` on MSDS1.
#[derive(Parser, Debug)]
#[command(name = "trainer", version, after_help = ENVIRONMENT)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What is not an option of one command.
const ENVIRONMENT: &str = "Environment:
  RG_FLOW_PROGRESS  what takes longer says so on standard error, by a bar on a terminal, otherwise by a line every 5 seconds:
                    give another number of seconds (0: one line for all that was done, when it ends), or off
  RG_FLOW_VECTORS   256 or 512: bits of the vectors that the CPU's kernels use

Exit status: 0, or 1 after an error, 2 for options that are wrong; a training run that a signal stopped has saved, and ends with
130 (Ctrl-C), 143 (SIGTERM) or 129 (SIGHUP).";

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Train a model, or resume training one.
    #[command(
        after_help = "Example:\n  trainer train --data faces-train.zip --preset demo --steps 20000 --out runs/faces\n  trainer train --resume runs/faces --steps 40000 --learning-rate 0.003\n  trainer train --from faces.safetensors --data my-photos.zip --steps 4000 --learning-rate 0.003 --out runs/mine"
    )]
    Train(Box<TrainArgs>),
    /// List the architectures with a name: their sizes, and what they cost.
    #[command(after_help = "Example:\n  trainer presets --time --images 18957")]
    Presets(PresetsArgs),
    /// Draw samples into a sheet.
    #[command(
        after_help = "Example:\n  trainer sample runs/faces --count 64 --temperature 0.8 --low-temperature 0.2 --cutoff 1 --out samples.png"
    )]
    Sample(SampleArgs),
    /// Fill in the unknown pixels of an image: the best completion, and others.
    #[command(
        after_help = "Example:\n  trainer inpaint face.png mask.png --model faces.safetensors --truth whole.png --out completed.png\nWhite pixels of the mask are unknown."
    )]
    Inpaint(InpaintArgs),
    /// Compare models by how well they complete test images.
    #[command(
        name = "eval-inpaint",
        after_help = "Example:\n  trainer eval-inpaint faces.safetensors realnvp.safetensors --data faces-train.zip --images 64 --hole eyes"
    )]
    EvalInpaint(EvalInpaintArgs),
    /// Show samples, or images, after each inverse RG step (fig. 4a); coarse levels take the finished picture's colours.
    #[command(after_help = "Example:\n  trainer progressive faces.safetensors --count 8 --out progressive.png")]
    Progressive(ProgressiveArgs),
    /// Write the exact latents of images to a file, and print the images' bits/dim.
    #[command(
        after_help = "Example:\n  trainer encode a.png b.png --model faces.safetensors --out latents.safetensors"
    )]
    Encode(EncodeArgs),
    /// Turn latents back into images: with the model that encoded them, exact in every pixel.
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
    /// Vary the leading latents of each level (fig. 5), and score how well they match known factors.
    #[command(after_help = "Example:\n  trainer factors runs/msds1 --data msds1 --out factors")]
    Factors(FactorsArgs),
    /// Print the bits/dim of test images, with the standard error, and how levels share them.
    #[command(after_help = "Example:\n  trainer eval faces.safetensors --data faces-train.zip")]
    Eval(EvalArgs),
    /// Test whether a shift of the data shows in the likelihood of the scale that it is at.
    #[command(
        after_help = "Example:\n  trainer scales faces.safetensors --data faces-train.zip --test-data faces-test.zip --against blurred broken cartoons.zip"
    )]
    Scales(ScalesArgs),
    /// Score the samples of models, by scale and as a whole, beside what training images score.
    #[command(after_help = "Example:\n  trainer quality faces.safetensors --data faces-train.zip")]
    Quality(QualityArgs),
    /// Write shuffled sheets of samples, to count failures without knowing which model made them; then count them.
    #[command(
        after_help = "Example:\n  trainer blind faces.safetensors faces.safetensors:independent --out blind\n  trainer blind --count-failed blind"
    )]
    Blind(BlindArgs),
    /// Measure how the latents of encoded images vary together, so that samples can be drawn jointly.
    #[command(
        name = "fit-latents",
        after_help = "Example:\n  trainer fit-latents faces.safetensors --data faces-train.zip --directions 96"
    )]
    FitLatents(FitLatentsArgs),
    /// Compare how close samples and test images come to the training images.
    #[command(after_help = "Example:\n  trainer neighbours faces.safetensors --data faces-train.zip --count 256")]
    Neighbours(NeighboursArgs),
    /// Measure what single latents of each level do to the ovals of MSDS pictures.
    #[command(after_help = "Example:\n  trainer ovals msds1.safetensors --data msds1")]
    Ovals(OvalsArgs),
    /// Draw and measure everything that the paper has a figure for, from one model, on one HTML page.
    #[command(
        after_help = "Example:\n  trainer paper faces.safetensors --data faces-train.zip --temperature 0.7 --low-temperature 0.4 --out paper"
    )]
    Paper(PaperArgs),
    /// Write the weights file that the browser loads, or a folder for the Hugging Face Hub.
    #[command(
        after_help = "Example:\n  trainer export runs/faces --name faces --out web/models/faces.safetensors\n  trainer export runs/faces --name faces --data faces-train.zip --hub faces-hub"
    )]
    Export(ExportArgs),
    /// Convert a checkpoint of the authors' PyTorch code (*.state) to a weights file.
    #[command(after_help = "Example:\n  trainer import celeba.state --out celeba.safetensors")]
    Import(ImportArgs),
    /// Train two flows on the plane, one with a Gaussian and one with a sparse prior, and draw their axes.
    #[command(after_help = "Example:\n  trainer pinwheel --out pinwheel.png")]
    Pinwheel(PinwheelArgs),
    /// Compare a model of fields of phi4 or ising with a Monte Carlo sampler: observables, effective sample size, distances.
    #[command(
        after_help = "Example:\n  trainer physics runs/phi4\nTrain one first:\n  trainer train --preset phi4 --data phi4 --steps 10000 --out runs/phi4"
    )]
    Physics(PhysicsArgs),
    /// Print what a weights file or a checkpoint holds, or what this machine computes with.
    #[command(after_help = "Example:\n  trainer info faces.safetensors\n  trainer info --machine")]
    Info(InfoArgs),
    /// Write a data set as PNG images and labels.csv.
    #[command(after_help = "Example:\n  trainer data msds1 --limit 1000 --out msds1-images")]
    Data(DataArgs),
    /// Time training steps, sampling and encoding on a device, in images a second.
    #[command(after_help = "Example:\n  trainer bench demo --batch 16 --batch 64 --device cuda --out rates.json")]
    Bench(BenchArgs),
    /// Print the licences of everything that this program is made of.
    #[command(after_help = "Example:\n  trainer licences")]
    Licences(LicencesArgs),
}

impl Command {
    /// The devices that it computes on, if any: they are checked before anything is read.
    pub fn devices(&self) -> Vec<DeviceChoice> {
        let args = match self {
            Self::Train(args) => return args.device.devices.all(),
            Self::Presets(args) if args.time => &args.device,
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
            Self::Scales(args) => &args.device,
            Self::Quality(args) => &args.device,
            Self::Blind(args) => &args.device,
            Self::FitLatents(args) => &args.device,
            Self::Neighbours(args) => &args.device,
            Self::Ovals(args) => &args.device,
            Self::Paper(args) => &args.device,
            Self::Export(args) => &args.device,
            Self::Pinwheel(args) => &args.device,
            Self::Physics(args) => &args.device,
            Self::Bench(args) => &args.device,
            Self::Import(_) | Self::Info(_) | Self::Data(_) | Self::Presets(_) | Self::Licences(_) => {
                return Vec::new();
            }
        };
        vec![args.device]
    }
}

/// Reads the program's arguments. An option takes a negative number, so that it can say what it takes instead.
///
/// # Errors
/// What clap has to say: an argument that is wrong, or the help.
pub fn parse<I>(words: I) -> std::result::Result<Cli, clap::Error>
where
    I: IntoIterator,
    I::Item: Into<OsString> + Clone,
{
    let numeric = |arg: Arg| {
        let takes = arg.get_long().is_some() && arg.get_action().takes_values();
        if takes { arg.allow_negative_numbers(true) } else { arg }
    };
    let whole = Cli::command().mut_subcommands(|command| command.mut_args(numeric));
    Cli::from_arg_matches(&whole.try_get_matches_from(words)?)
}

/// Runs what the command line says.
///
/// # Errors
/// The command's own.
pub fn run(cli: Cli) -> Result<()> {
    unless_closed(command(cli))
}

/// A closed output is not an error: whoever reads it has read enough, as `head` does.
///
/// # Errors
/// Any other.
pub fn unless_closed(ended: Result<()>) -> Result<()> {
    match ended {
        Err(Error::Output { source }) if source.kind() == ErrorKind::BrokenPipe => Ok(()),
        ended => ended,
    }
}

fn command(cli: Cli) -> Result<()> {
    let cli = if cli.command.is_some() { cli } else { Cli::parse_from(["trainer", "train"]) };
    let Some(command) = cli.command else { return Ok(()) };
    command.files().check()?;
    for choice in command.devices() {
        device::check(choice)?;
    }
    match command {
        Command::Train(args) => train::run(*args),
        Command::Presets(args) => presets::run(args),
        Command::Sample(args) => sample::run(args),
        Command::Inpaint(args) => inpaint::run(args),
        Command::EvalInpaint(args) => eval_inpaint::run(args),
        Command::Progressive(args) => progressive::run(args),
        Command::Encode(args) => encode::run(args),
        Command::Decode(args) => decode::run(args),
        Command::ReceptiveFields(args) => receptive_fields::run(args),
        Command::Mix(args) => mix::run(args),
        Command::Factors(args) => factors::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Scales(args) => scales::run(args),
        Command::Quality(args) => quality::run(args),
        Command::Blind(args) => blind::run(args),
        Command::FitLatents(args) => fit_latents::run(args),
        Command::Neighbours(args) => neighbours::run(args),
        Command::Ovals(args) => ovals::run(args),
        Command::Paper(args) => paper::run(args),
        Command::Export(args) => export::run(args),
        Command::Import(args) => import::run(args),
        Command::Pinwheel(args) => pinwheel::run(args),
        Command::Physics(args) => physics::run(args),
        Command::Info(args) => info::run(args),
        Command::Data(args) => data::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Licences(args) => licences::run(args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::paper::report::{Sources, sections};

    #[test]
    fn the_command_line_is_sound_and_every_command_has_an_example() {
        Cli::command().debug_assert();
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("trainer {}", command.get_name())), "{}", command.get_name());
        }
    }

    #[test]
    fn examples_are_command_lines() {
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in help.lines().filter_map(|line| line.strip_prefix("  ")) {
                Cli::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{line}: {error}"));
            }
        }
    }

    #[test]
    fn negative_numbers_reach_the_option_that_refuses_them() {
        for (line, says) in
            [("trainer sample m --count -1", "1 to"), ("trainer train --seed -3", "0 to 18446744073709551615")]
        {
            let error = parse(line.split(' ')).unwrap_err().to_string();
            assert!(error.contains("give a whole number from") && error.contains(says), "{error}");
        }
        assert!(parse("trainer ovals m --change -2".split(' ')).is_ok());
    }

    #[test]
    fn every_section_of_the_paper_is_a_command_line() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let sources = Sources {
            model: "m.safetensors",
            others: &words("o.safetensors"),
            which: &words("--which last"),
            data: &words("--data msds1"),
            temperature: &words("--temperature 0.7 --low-temperature 0.3"),
            inputs: &words("a.png b.png"),
            mask: "mask.png",
            images: 8,
            ovals: true,
            scored: &words("m.safetensors gauss.safetensors"),
            levels: true,
        };
        for section in sections(&sources) {
            let words = ["trainer".to_owned()].into_iter().chain(section.words.clone());
            Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{:?}: {error}", section.words));
        }
    }
}
