//! The commands, one a file.

mod bench;
pub mod blind;
mod data;
mod decode;
mod encode;
mod eval;
mod eval_inpaint;
mod export;
mod factors;
pub mod fit_latents;
mod import;
mod info;
mod inpaint;
mod mix;
pub(crate) mod model;
mod neighbours;
mod ovals;
mod paper;
mod pinwheel;
mod progressive;
pub mod quality;
mod receptive_fields;
mod resume;
mod sample;
mod train;

use std::io::ErrorKind;
use std::path::Path;

use clap::Parser;

use crate::cli::{Cli, Command, DataSetArgs};
use crate::data::{DataOptions, DataSource, Dataset, ImageSet, TestSet};
use crate::device;
use crate::error::{Error, Result};
use crate::output::aside;

/// Runs what the command line says.
///
/// # Errors
/// The command's own.
pub fn run(cli: Cli) -> Result<()> {
    unless_closed(command(cli))
}

/// Nothing is wrong if whoever reads the output has read enough, as `head` does.
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
    if let Some(choice) = cli.command.as_ref().and_then(Command::device) {
        device::check(choice)?;
    }
    match cli.command {
        None => match Cli::parse_from(["trainer", "train"]).command {
            Some(Command::Train(args)) => train::run(*args),
            _ => Ok(()),
        },
        Some(Command::Train(args)) => train::run(*args),
        Some(Command::Sample(args)) => sample::run(args),
        Some(Command::Inpaint(args)) => inpaint::run(args),
        Some(Command::EvalInpaint(args)) => eval_inpaint::run(args),
        Some(Command::Progressive(args)) => progressive::run(args),
        Some(Command::Encode(args)) => encode::run(args),
        Some(Command::Decode(args)) => decode::run(args),
        Some(Command::ReceptiveFields(args)) => receptive_fields::run(args),
        Some(Command::Mix(args)) => mix::run(args),
        Some(Command::Factors(args)) => factors::run(args),
        Some(Command::Eval(args)) => eval::run(args),
        Some(Command::Quality(args)) => quality::run(args),
        Some(Command::Blind(args)) => blind::run(args),
        Some(Command::FitLatents(args)) => fit_latents::run(args),
        Some(Command::Neighbours(args)) => neighbours::run(args),
        Some(Command::Ovals(args)) => ovals::run(args),
        Some(Command::Paper(args)) => paper::run(args),
        Some(Command::Export(args)) => export::run(args),
        Some(Command::Import(args)) => import::run(args),
        Some(Command::Pinwheel(args)) => pinwheel::run(args),
        Some(Command::Info(args)) => info::run(args),
        Some(Command::Data(args)) => data::run(args),
        Some(Command::Bench(args)) => bench::run(args),
    }
}

/// Loads a data set for a model of images `[channels, size, size]`, and says what there is to know of it.
fn load(args: &DataSetArgs, [channels, size]: [usize; 2]) -> Result<Dataset> {
    let mut dataset = source(args.name())?.load(&options(args, size))?;
    tell(&dataset.notes);
    dataset.train = fitting(dataset.train, channels)?;
    dataset.test = fitting(dataset.test, channels)?;
    Ok(dataset)
}

/// The same of the test part alone: nothing else is decoded.
fn load_test(args: &DataSetArgs, [channels, size]: [usize; 2]) -> Result<TestSet> {
    test_part(args.name(), &options(args, size), channels)
}

/// The test part of data by name or path.
fn test_part(data: &str, options: &DataOptions, channels: usize) -> Result<TestSet> {
    let test = source(data)?.load_test(options)?;
    tell(&test.notes);
    Ok(TestSet { images: fitting(test.images, channels)?, ..test })
}

fn options(args: &DataSetArgs, size: usize) -> DataOptions {
    DataOptions {
        size,
        seed: args.data_seed.unwrap_or(0),
        test_data: args.test_data.clone(),
        limit: args.limit,
        test_limit: args.test_limit,
        skip_broken: args.skip_broken,
        licence: args.licence.clone(),
        ..DataOptions::default()
    }
}

/// The images with as many channels as the model has.
fn fitting(images: ImageSet, channels: usize) -> Result<ImageSet> {
    match channels {
        3 => Ok(images),
        1 => Ok(images.grey()),
        _ => {
            let (n, size) = (images.len(), images.size);
            let problem = format!("{n} images of 3×{size}×{size}, but the model takes {channels}×{size}×{size}");
            Err(Error::usage("--data", problem, "use a model of 3 channels, or of 1 for shades of grey"))
        }
    }
}

/// Says what the user should know of the data.
fn tell(notes: &[String]) {
    for note in notes {
        aside(format_args!("note: {note}"));
    }
}

/// An error if what a command writes would lie among the images that it reads, and be taken for one of them next time.
fn keep_apart(data: &str, test_data: Option<&Path>, out: &Path) -> Result<()> {
    // What is to be made has no path yet, but one of the folders above it has.
    let made = std::path::absolute(out).map_err(Error::io(out, "look at it"))?;
    let whole = made.ancestors().find_map(|above| above.canonicalize().ok());
    for images in [Some(Path::new(data)), test_data].into_iter().flatten() {
        let folder = images.is_dir().then(|| images.canonicalize().ok()).flatten();
        if folder.is_some_and(|folder| whole.as_ref().is_some_and(|whole| whole.starts_with(folder))) {
            let problem =
                format!("{} lies among the images of {}, and would be taken for one", out.display(), images.display());
            return Err(Error::usage("--out", problem, "give a place outside that folder"));
        }
    }
    Ok(())
}

/// Makes a folder for several files.
fn folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(Error::io(path, "create it"))
}

fn source(data: &str) -> Result<DataSource> {
    data.parse().map_err(|e| Error::Usage {
        option: "--data".into(),
        problem: format!("{e}"),
        advice: "give msds1, msds2 or a path".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &[&str]) -> DataSetArgs {
        match Cli::parse_from([&["trainer", "eval", "m"], line].concat()).command {
            Some(Command::Eval(args)) => args.data,
            _ => panic!("not eval"),
        }
    }

    #[test]
    fn what_is_written_stays_out_of_the_images() {
        let dir = tempfile::tempdir().unwrap();
        let photos = dir.path().join("photos");
        std::fs::create_dir_all(photos.join("2024")).unwrap();
        let data = photos.display().to_string();
        for inside in ["photos", "photos/run", "photos/2024/../new/deep/sheet.png", "photos/sheet.png"] {
            let error = keep_apart(&data, None, &dir.path().join(inside)).unwrap_err().to_string();
            assert!(error.contains("--out") && error.contains("among the images"), "{error}");
        }
        for outside in ["runs/latest", "photos-out", "sheet.png"] {
            keep_apart(&data, None, &dir.path().join(outside)).unwrap();
        }
        keep_apart("msds1", None, &photos).unwrap();
        assert!(keep_apart("msds1", Some(&photos), &photos.join("a.png")).is_err());
    }

    #[test]
    fn images_get_the_channels_of_the_model() {
        let data = args(&["--data", "msds1", "--limit", "3", "--test-limit", "2"]);
        let colour = load(&data, [3, 16]).unwrap();
        let grey = load(&data, [1, 16]).unwrap();
        assert_eq!((grey.train.channels, grey.train.len(), grey.test.image_len()), (1, 3, 256));
        assert_eq!(grey.train, colour.train.grey());
        assert_eq!(load_test(&data, [1, 16]).unwrap().images, grey.test);
        let error = load(&data, [2, 16]).unwrap_err().to_string();
        assert!(error.contains("3×16×16") && error.contains("2×16×16"), "{error}");
    }
}
