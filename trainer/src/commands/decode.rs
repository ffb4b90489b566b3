//! `trainer decode`.

use crate::cli::DecodeArgs;
use crate::engine::Model;
use crate::error::Result;
use crate::output::say;
use crate::{latents, sheet};

/// Writes the images of a file of latents.
///
/// # Errors
/// A model or latents that cannot be read, or do not belong together; images that cannot be written.
pub fn run(args: DecodeArgs) -> Result<()> {
    let model = Model::open(&args.model, args.device.device)?;
    let pictures = model.paint(&latents::read(&args.latents, &model.config)?)?;
    super::folder(&args.out)?;
    for (i, picture) in pictures.iter().enumerate() {
        sheet::save(picture, &args.out.join(format!("{i:04}.png")))?;
    }
    say!("{} images: {}", pictures.len(), args.out.display())?;
    Ok(())
}
