//! The `trainer` binary; see [`trainer::cli`].

use std::process::ExitCode;

use clap::Parser;
use trainer::cli::{self, Cli};
use trainer::error::Error;
use trainer::output;

fn main() -> ExitCode {
    let ended = match Cli::try_parse() {
        Ok(cli) => cli::run(cli),
        Err(said) => match said.print() {
            Ok(()) => return u8::try_from(said.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from),
            Err(error) => cli::unless_closed(Err(Error::Output { source: error })),
        },
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::aside(format_args!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}
