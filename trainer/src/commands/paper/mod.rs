//! `trainer paper`: every figure of one model on a page.

pub(crate) mod report;

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use shared::ModelConfig;

use self::report::{Outcome, Sources, html, pictures, sections};
use crate::args::numbers::{MOST_IMAGES, count};
use crate::args::{DataSetArgs, DeviceArgs, TemperatureArgs, WhichArgs};
use crate::data::factors_of;
use crate::error::{Error, Result};
use crate::figures::sheet;
use crate::files::{make_folder, write_whole};
use crate::open::{AnyModel, about};
use crate::output::say;
use crate::progress::{self, Progress};

/// Pictures that are mixed.
const INPUTS: u64 = 4;
/// Seed of the samples among them.
const INPUT_SEED: u64 = 7;

/// Arguments of `paper`.
#[derive(Args, Debug, Clone)]
pub struct PaperArgs {
    /// Weights file, checkpoint, or run folder.
    pub model: PathBuf,
    /// The data that it was trained on.
    #[command(flatten)]
    pub data: DataSetArgs,
    /// Models to compare with, for instance one with the other prior and a Real NVP.
    #[arg(long, num_args = 1..)]
    pub compare: Vec<PathBuf>,
    /// Temperatures of samples.
    #[command(flatten)]
    pub temperature: TemperatureArgs,
    /// Mix and complete test images instead of samples.
    #[arg(long)]
    pub test_images: bool,
    /// Number of test images that averages are taken over.
    #[arg(long, default_value_t = 32, value_parser = count(1..=MOST_IMAGES))]
    pub images: usize,
    /// Folder for index.html and the pictures.
    #[arg(long, default_value = "paper")]
    pub out: PathBuf,
    /// Which checkpoint of a run folder.
    #[command(flatten)]
    pub which: WhichArgs,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Runs every command that the paper has a figure for, and writes a page of what they say and draw.
///
/// Each is a process of its own, so that one that fails leaves the others; the page says what failed.
///
/// # Errors
/// A model or data that cannot be read, or a folder that cannot be written.
pub fn run(args: PaperArgs) -> Result<()> {
    let data = args.data.of_model(&args.model, args.which.which)?;
    let args = PaperArgs { data, ..args };
    let model = AnyModel::open(&args.model, args.which.which, args.device.device)?;
    args.data.keep_apart(&args.out)?;
    let inputs = args.out.join("inputs");
    make_folder(&inputs)?;
    let (pictures_in, mask) = write_inputs(&args, &model, &inputs)?;
    let absolute = |path: &Path| std::path::absolute(path).map_err(Error::io(path, "find it"));
    let word = |path: PathBuf| path.display().to_string();
    let others: Vec<String> = args.compare.iter().map(|p| absolute(p).map(word)).collect::<Result<_>>()?;
    let path = absolute(&args.model).map(word)?;
    let mut data = vec!["--data".to_owned(), data_word(args.data.name(), absolute)?];
    if let Some(test) = &args.data.test_data {
        data.extend(["--test-data".to_owned(), absolute(test).map(word)?]);
    }
    let scored = scored(&args, &model)?.into_iter().map(|p| absolute(&p).map(word)).collect::<Result<Vec<_>>>()?;
    let (temperature, which) = (args.temperature.words(), args.which.words());
    let sources = Sources {
        model: &path,
        others: &others,
        which: &which,
        data: &data,
        temperature: &temperature,
        inputs: &pictures_in,
        mask: &mask,
        images: args.images,
        ovals: args.data.name().starts_with("msds"),
        scored: &scored,
        levels: has_levels(&model.config),
    };
    let program = std::env::current_exe().map_err(Error::io(Path::new("trainer"), "find this program"))?;
    let mut outcomes = Vec::new();
    let sections = sections(&sources);
    let count = sections.len();
    for (i, section) in sections.into_iter().enumerate() {
        say!("trainer {}", section.words.join(" "))?;
        let progress = Progress::new(format!("section {} of {count}", i + 1), 0);
        let mut command = Command::new(&program);
        // What a section says while it works is not for the page.
        command.args(&section.words).current_dir(&args.out).env(progress::VARIABLE, "off");
        let output = command.output().map_err(Error::io(&program, "run it"))?;
        drop(progress);
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            text += &String::from_utf8_lossy(&output.stderr);
        }
        say!("{text}")?;
        let pictures = pictures(&args.out, &section);
        outcomes.push(Outcome { section, text, pictures });
    }
    let index = args.out.join("index.html");
    let name = &model.card.name;
    let name = if name.is_empty() { "A model" } else { name };
    write_whole(&index, html(name, &outcomes).as_bytes())?;
    say!("{}", index.display())
}

fn has_levels(config: &ModelConfig) -> bool {
    matches!(config, ModelConfig::RgFlow(_))
}

/// The models with levels, if the data have known factors.
fn scored(args: &PaperArgs, model: &AnyModel) -> Result<Vec<PathBuf>> {
    let few = DataSetArgs { test_limit: Some(64), ..args.data.clone() };
    let test = few.load_test(model.config.image_shape())?.images;
    if test.labels().is_none_or(|labels| factors_of(labels).is_empty()) {
        return Ok(vec![]);
    }
    let own = has_levels(&model.config).then(|| args.model.clone());
    // One that cannot be read fails in its own sections.
    let others =
        args.compare.iter().filter(|path| about(path, args.which.which).is_ok_and(|other| has_levels(&other.config)));
    Ok(own.into_iter().chain(others.cloned()).collect())
}

/// A path made absolute, since sections run in the report's folder; a name stays as it is.
fn data_word(data: &str, absolute: impl Fn(&Path) -> Result<PathBuf>) -> Result<String> {
    let path = Path::new(data);
    if path.exists() { absolute(path).map(|p| p.display().to_string()) } else { Ok(data.to_owned()) }
}

/// Pictures to mix and complete, samples unless test images are asked for, and a mask over the middle.
fn write_inputs(args: &PaperArgs, model: &AnyModel, folder: &Path) -> Result<(Vec<String>, String)> {
    let [channels, size] = model.config.image_shape();
    let pictures = if args.test_images {
        let test = args.data.load_test([channels, size])?.images;
        (0..test.len().min(INPUTS as usize)).map(|i| test.image(i).to_vec()).collect()
    } else {
        model.engine.sample(INPUT_SEED, INPUTS, &args.temperature.drawing(model.joint.as_ref(), &model.card))?
    };
    let save = |pixels: &Vec<u8>, channels: usize, name: String| {
        sheet::save(&sheet::picture_of(pixels, size, channels), &folder.join(&name))?;
        Ok(format!("inputs/{name}"))
    };
    let names = pictures.iter().enumerate().map(|(i, p)| save(p, channels, format!("{i}.png")));
    let hole = (size / 3)..(size - size / 3);
    let inside = |i: usize| hole.contains(&(i / size)) && hole.contains(&(i % size));
    let mask = (0..size * size).map(|i| if inside(i) { 255 } else { 0 }).collect();
    Ok((names.collect::<Result<_>>()?, save(&mask, 1, "mask.png".into())?))
}
