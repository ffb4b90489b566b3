//! `trainer import`.

use crate::cli::ImportArgs;
use crate::error::{Error, Result};
use crate::files::write_atomically;
use crate::official;
use crate::output::say;

/// Turns an official checkpoint into a weights file.
///
/// # Errors
/// A file that is no such checkpoint, or a file that cannot be written.
pub fn run(args: ImportArgs) -> Result<()> {
    let file = official::import(&args.state)?;
    let precision = super::export::precision(args.precision);
    let bytes =
        file.to_bytes(precision).map_err(|source| Error::Model { file: args.state.display().to_string(), source })?;
    write_atomically(&args.out, &bytes)?;
    say!("{}: {} parameters, {:.2} MB", args.out.display(), file.config.param_count(), bytes.len() as f64 / 1e6)?;
    Ok(())
}
