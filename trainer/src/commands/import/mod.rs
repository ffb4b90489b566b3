//! `trainer import`: the authors' checkpoints.

pub mod official;
mod torch;

use std::path::PathBuf;

use clap::Args;

use crate::args::PrecisionName;
use crate::error::{Error, Result};
use crate::files::write_atomically;
use crate::output::say;

/// Arguments of `import`.
#[derive(Args, Debug, Clone)]
pub struct ImportArgs {
    /// The authors' *.state file.
    pub state: PathBuf,
    /// Where to write the weights file.
    #[arg(long)]
    pub out: PathBuf,
    /// Format of the stored numbers.
    #[arg(long, value_enum, default_value = "f16")]
    pub precision: PrecisionName,
}

/// Turns an official checkpoint into a weights file.
///
/// # Errors
/// A file that is not such a checkpoint, or a file that cannot be written.
pub fn run(args: ImportArgs) -> Result<()> {
    let file = official::import(&args.state)?;
    let bytes = file.to_bytes(args.precision.into()).map_err(Error::model(&args.state))?;
    write_atomically(&args.out, &bytes)?;
    say!("{}: {} parameters, {:.2} MB", args.out.display(), file.config.param_count(), bytes.len() as f64 / 1e6)
}
