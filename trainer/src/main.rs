//! The `trainer` binary; see [`trainer::cli`].

use std::process::ExitCode;

use trainer::cli;
use trainer::error::{Error, Result};
use trainer::{output, progress};

/// Names the bits of the CPU kernels' vectors, 256 or 512, to compare them or where the choice is wrong.
const VECTORS: &str = "RG_FLOW_VECTORS";

fn main() -> ExitCode {
    let ended = match cli::parse(std::env::args_os()) {
        Ok(cli) => vectors().and_then(|()| progress::from_environment()).and_then(|()| cli::run(cli)),
        Err(said) => match said.print() {
            Ok(()) => return u8::try_from(said.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from),
            Err(error) => cli::unless_closed(Err(Error::Output { source: error })),
        },
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        // It has said so, and what it saved. As a shell tells it of a program that a signal ended.
        Err(Error::Stopped { signal }) => ExitCode::from(128 + signal),
        Err(error) => {
            output::aside(format_args!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Takes the vectors that the environment asks for.
fn vectors() -> Result<()> {
    let Some(bits) = std::env::var_os(VECTORS) else { return Ok(()) };
    if bits.to_str().and_then(|bits| bits.parse().ok()).is_some_and(shared::backend::use_vectors) {
        return Ok(());
    }
    let problem = format!("this processor has no vectors of {} bits", bits.display());
    Err(Error::Usage { option: VECTORS.into(), problem, advice: "give 256 or 512, or leave it unset".into() })
}
