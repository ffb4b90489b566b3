//! `trainer info`.

use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::cli::InfoArgs;
use crate::error::{Error, Result};

/// Prints a model's card and configuration.
///
/// # Errors
/// A file that cannot be read.
pub fn run(args: InfoArgs) -> Result<()> {
    let loaded = super::model::load_any(&args.model)?;
    let config = loaded.file.config();
    let (parameters, macs) = (config.param_count(), config.macs() as f64 / 1e6);
    let mut text = format!("{parameters} parameters, {macs:.1} million multiply-adds an image\n");
    text += &format!("card   {}\n", serde_json::to_string_pretty(loaded.file.card()).unwrap_or_default());
    text += &format!("config {}\n", serde_json::to_string_pretty(&config).unwrap_or_default());
    if let Some(state) = &loaded.state {
        text += &format!("recipe {}\n", serde_json::to_string_pretty(&state.recipe).unwrap_or_default());
    }
    match std::io::stdout().write_all(text.as_bytes()) {
        // As under `trainer info model | head`.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(Error::io(Path::new("the output"), "write it")),
    }
}
