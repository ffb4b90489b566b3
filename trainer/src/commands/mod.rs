//! The commands, one a file.

mod bench;
mod data;
mod decode;
mod encode;
mod eval;
mod eval_inpaint;
mod export;
mod factors;
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
mod receptive_fields;
mod resume;
mod sample;
mod train;

use std::io::ErrorKind;

use clap::Parser;

use crate::cli::{Cli, Command, DataSetArgs};
use crate::data::{DataOptions, DataSource, Dataset};
use crate::device;
use crate::error::{Error, Result};

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

/// Loads a data set of images of edge `size`.
fn load(args: &DataSetArgs, size: usize) -> Result<Dataset> {
    let options = DataOptions {
        size,
        seed: args.data_seed.unwrap_or(0),
        test_data: args.test_data.clone(),
        limit: args.limit,
        test_limit: args.test_limit,
        licence: args.licence.clone(),
        ..DataOptions::default()
    };
    source(args.name())?.load(&options)
}

/// Makes a folder for several files.
fn folder(path: &std::path::Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(Error::io(path, "create it"))
}

fn source(data: &str) -> Result<DataSource> {
    data.parse().map_err(|e| Error::Usage {
        option: "--data".into(),
        problem: format!("{e}"),
        advice: "give msds1, msds2 or a path".into(),
    })
}
