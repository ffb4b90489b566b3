//! `trainer info`.

use crate::cli::InfoArgs;
use crate::error::Result;

/// Prints a model's card and configuration.
///
/// # Errors
/// A file that cannot be read.
pub fn run(args: InfoArgs) -> Result<()> {
    let loaded = super::model::load_any(&args.model)?;
    let config = loaded.file.config();
    println!("{} parameters, {:.1} million multiply-adds an image", config.param_count(), config.macs() as f64 / 1e6);
    println!("card   {}", serde_json::to_string_pretty(loaded.file.card()).unwrap_or_default());
    println!("config {}", serde_json::to_string_pretty(&config).unwrap_or_default());
    if let Some(state) = &loaded.state {
        println!("recipe {}", serde_json::to_string_pretty(&state.recipe).unwrap_or_default());
    }
    Ok(())
}
