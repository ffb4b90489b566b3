//! `trainer info`.

use crate::cli::InfoArgs;
use crate::error::Result;
use crate::output::say;

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
    say!("{}", text.trim_end())
}
