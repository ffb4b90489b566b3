//! Every command once, on one tiny model and a folder of small images: what it writes can be read, its numbers are sane,
//! and what it promises to refuse is refused.

mod edit;
mod files;
mod look;
mod measure;
mod progress;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use burn::backend::Flex;
use clap::{CommandFactory, Parser};
use image::{GrayImage, Luma, Rgb, RgbImage};
use shared::weights::{Card, ModelFile, Precision};
use shared::{RgFlow, RgFlowConfig};
use trainer::cli::{self, Cli};

/// The edge of the model's images.
const EDGE: u32 = 16;

/// A folder with a model, `m.safetensors`, images to train and to test on, and a mask.
struct Room {
    folder: tempfile::TempDir,
}

impl Room {
    fn new() -> Self {
        let room = Self { folder: tempfile::tempdir().unwrap() };
        let config = RgFlowConfig::tiny();
        let model = RgFlow::<Flex>::random(&config, 0.15, 4, &Default::default()).unwrap();
        let bytes = ModelFile::from_model(&model, Card::default()).to_bytes(Precision::F32).unwrap();
        fs::write(room.at("m.safetensors"), bytes).unwrap();
        for (part, count) in [("train", 6), ("test", 2)] {
            fs::create_dir_all(room.at("images").join(part)).unwrap();
            for i in 0..count {
                picture(40 * i + part.len() as u32)
                    .save(room.at("images").join(part).join(format!("{i}.png")))
                    .unwrap();
            }
        }
        picture(3).save(room.at("a.png")).unwrap();
        picture(120).save(room.at("b.png")).unwrap();
        let half = |x: u32, _| Luma([if x < EDGE / 2 { 255 } else { 0 }]);
        GrayImage::from_fn(EDGE, EDGE, half).save(room.at("mask.png")).unwrap();
        room
    }

    /// A file of this folder.
    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command line's words; `@` stands for this folder.
    fn words(&self, line: &str) -> Vec<String> {
        let folder = format!("{}/", self.folder.path().display());
        line.split_whitespace().map(|word| word.replace('@', &folder)).collect()
    }

    /// Runs a command in this process.
    fn run(&self, line: &str) -> Result<(), String> {
        let words = ["trainer".to_owned()].into_iter().chain(self.words(line));
        let cli = Cli::try_parse_from(words).map_err(|error| error.to_string())?;
        cli::run(cli).map_err(|error| error.to_string())
    }

    /// What a command prints, in a process of its own.
    fn said(&self, line: &str) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_trainer")).args(self.words(line)).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A picture that a command wrote.
    fn picture(&self, name: &str) -> RgbImage {
        image::open(self.at(name)).unwrap_or_else(|error| panic!("{name}: {error}")).to_rgb8()
    }

    /// The command refuses, and says `part`.
    fn refuses(&self, line: &str, part: &str) {
        let error = self.run(line).unwrap_err();
        assert!(error.contains(part), "{line}: {error}");
    }
}

/// A picture of smooth colours.
fn picture(start: u32) -> RgbImage {
    RgbImage::from_fn(EDGE, EDGE, |x, y| Rgb([(start + x * 7) as u8, (start / 2 + y * 9) as u8, ((x + y) * 6) as u8]))
}

/// A part of a sheet, `EDGE` pixels wide and high.
fn part(sheet: &RgbImage, x: u32, y: u32) -> RgbImage {
    image::imageops::crop_imm(sheet, x, y, EDGE, EDGE).to_image()
}

/// The largest difference of two pictures of the same size, in grey levels.
fn difference(a: &RgbImage, b: &RgbImage) -> u8 {
    assert_eq!(a.dimensions(), b.dimensions());
    a.iter().zip(b.iter()).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
}

/// The names in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(name).collect();
    names.sort();
    names
}

/// The numbers of a line, whatever stands between them.
fn numbers(line: &str) -> Vec<f64> {
    line.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// A test for each command, by the command's name.
macro_rules! commands {
    ($($name:literal $group:ident :: $test:ident;)*) => {
        const TESTED: &[&str] = &[$($name),*];
        $(
            #[test]
            fn $test() {
                $group::$test(&Room::new());
            }
        )*
    };
}

commands! {
    "train" files::train;
    "presets" measure::presets;
    "sample" look::sample;
    "inpaint" edit::inpaint;
    "eval-inpaint" measure::eval_inpaint;
    "progressive" look::progressive;
    "encode" edit::encode;
    "decode" edit::decode;
    "receptive-fields" look::receptive_fields;
    "mix" edit::mix;
    "factors" look::factors;
    "eval" measure::eval;
    "scales" measure::scales;
    "quality" measure::quality;
    "blind" look::blind;
    "fit-latents" files::fit_latents;
    "neighbours" measure::neighbours;
    "ovals" measure::ovals;
    "paper" look::paper;
    "export" files::export;
    "import" files::import;
    "pinwheel" look::pinwheel;
    "physics" measure::physics;
    "info" files::info;
    "data" files::data;
    "bench" measure::bench;
    "licences" files::licences;
}

#[test]
fn spins_are_trained_on_as_fields() {
    measure::ising(&Room::new());
}

#[test]
fn fields_are_trained_by_their_action() {
    measure::action(&Room::new());
}

#[test]
fn every_command_has_its_test() {
    let cli = Cli::command();
    let commands: Vec<&str> = cli.get_subcommands().map(clap::Command::get_name).collect();
    assert_eq!(commands, TESTED);
}

#[test]
fn without_a_command_there_is_none_to_parse() {
    assert!(Cli::try_parse_from(["trainer"]).unwrap().command.is_none());
    assert!(Cli::try_parse_from(["trainer", "no-such-command"]).is_err());
}
