//! The `trainer` binary; see [`trainer::cli`].

use std::process::ExitCode;

use clap::Parser;
use trainer::cli::Cli;
use trainer::commands;

fn main() -> ExitCode {
    match commands::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
