//! `trainer decode`: latents to images.

use std::path::PathBuf;

use clap::Args;
use shared::weights::AnyModelFile;

use crate::args::{DeviceArgs, WhichArgs};
use crate::error::{Error, Result};
use crate::figures::sheet;
use crate::files::make_folder;
use crate::open::{Model, load_of_images};
use crate::output::{aside, say};
use crate::{identity, latents};

/// Arguments of `decode`.
#[derive(Args, Debug, Clone)]
pub struct DecodeArgs {
    /// File written by `trainer encode`.
    pub latents: PathBuf,
    /// The model that encoded: weights file, checkpoint, or run folder.
    #[arg(long)]
    pub model: PathBuf,
    /// Decode although these are not the weights that encoded: other images come out.
    #[arg(long)]
    pub other_weights: bool,
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
    let file = load_of_images(&args.model, args.which.which)?;
    let (latents, encoded) = latents::read(&args.latents, &file.config)?;
    // Files of older versions do not say.
    if let Some(encoded) = encoded {
        let own = identity::of_weights(AnyModelFile::RgFlow(file.clone()), &args.model)?;
        if own != encoded {
            let problem = format!("weights {encoded} encoded these latents, and {} has {own}", args.model.display());
            if !args.other_weights {
                let advice = "give those with --model (`trainer info` prints a file's weights; an export rounds a run's to f16 \
                              unless told otherwise), or --other-weights to decode all the same";
                return Err(Error::content(args.latents.display(), problem, advice));
            }
            aside(format_args!("note: {problem}: images come out changed"));
        }
    }
    let model = Model::of(file, &args.model, args.device.device)?;
    let pictures = model.paint(&latents)?;
    make_folder(&args.out)?;
    for (i, picture) in pictures.iter().enumerate() {
        sheet::save(picture, &args.out.join(format!("{i:04}.png")))?;
    }
    say!("{} images: {}", pictures.len(), args.out.display())
}
