//! `trainer info`: what a file says about its model.

use std::path::PathBuf;

use clap::Args;

use crate::args::WhichArgs;
use crate::error::Result;
use crate::open::{About, about};
use crate::output::say;

/// Arguments of `info`.
#[derive(Args, Debug, Clone)]
pub struct InfoArgs {
    /// Weights file, checkpoint, or run folder.
    pub model: PathBuf,
    /// Which checkpoint of a run folder.
    #[command(flatten)]
    pub which: WhichArgs,
}

/// Prints a model's card and configuration, and a checkpoint's recipe.
///
/// # Errors
/// A file that cannot be read.
pub fn run(args: InfoArgs) -> Result<()> {
    let About { config, card, state } = about(&args.model, args.which.which)?;
    let (parameters, macs) = (config.param_count(), config.macs() as f64 / 1e6);
    let mut text = format!("{parameters} parameters, {macs:.1} million multiply-adds an image\n");
    text += &format!("card   {}\n", serde_json::to_string_pretty(&card).unwrap_or_default());
    text += &format!("config {}\n", serde_json::to_string_pretty(&config).unwrap_or_default());
    if let Some(state) = &state {
        text += &format!("step   {}, best by {}\n", state.step, state.best_by.name());
        text += &format!("recipe {}\n", serde_json::to_string_pretty(&state.recipe).unwrap_or_default());
    }
    say!("{}", text.trim_end())
}
