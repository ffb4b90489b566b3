//! `trainer decode`: latents to images.

use std::path::PathBuf;

use clap::Args;

use crate::args::{DeviceArgs, WhichArgs};
use crate::error::Result;
use crate::figures::sheet;
use crate::files::make_folder;
use crate::latents;
use crate::open::Model;
use crate::output::say;

/// Arguments of `decode`.
#[derive(Args, Debug, Clone)]
pub struct DecodeArgs {
    /// File written by `trainer encode`.
    pub latents: PathBuf,
    /// The model that encoded: weights file, checkpoint, or run folder.
    #[arg(long)]
    pub model: PathBuf,
    /// Folder for the images, which are named 0000.png, 0001.png and so on.
    #[arg(long, default_value = "decoded")]
    pub out: PathBuf,
    /// Which checkpoint of a run folder.
    #[command(flatten)]
    pub which: WhichArgs,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Writes the images of a file of latents.
///
/// # Errors
/// A model or latents that cannot be read, or do not belong together; images that cannot be written.
pub fn run(args: DecodeArgs) -> Result<()> {
    let model = Model::open(&args.model, args.which.which, args.device.device)?;
    let pictures = model.paint(&latents::read(&args.latents, &model.config)?)?;
    make_folder(&args.out)?;
    for (i, picture) in pictures.iter().enumerate() {
        sheet::save(picture, &args.out.join(format!("{i:04}.png")))?;
    }
    say!("{} images: {}", pictures.len(), args.out.display())
}
