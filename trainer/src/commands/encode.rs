//! `trainer encode`: images to latents.

use std::path::PathBuf;

use clap::Args;
use shared::DataKind;
use shared::geometry::counts_by_level;
use shared::logit::to_pixels;
use shared::weights::AnyModelFile;

use crate::args::{DeviceArgs, WhichArgs};
use crate::error::{Error, Result};
use crate::evaluate::whole;
use crate::open::{Model, load_of_images};
use crate::output::say;
use crate::{identity, latents};

/// Arguments of `encode`.
#[derive(Args, Debug, Clone)]
pub struct EncodeArgs {
    /// The images; each is cropped to a square and resized to the model's size.
    #[arg(required = true)]
    pub images: Vec<PathBuf>,
    /// Weights file, checkpoint, or run folder.
    #[arg(long)]
    pub model: PathBuf,
    /// Where to write the latents, as safetensors.
    #[arg(long, default_value = "latents.safetensors")]
    pub out: PathBuf,
    /// Which checkpoint of a run folder.
    #[command(flatten)]
    pub which: WhichArgs,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Writes the latents of images, with the digest of the weights, and prints how likely the images are, in all and by level,
/// and how many of their values come back exactly.
///
/// # Errors
/// A model or an image that cannot be read, an image without a finite likelihood, a file that cannot be written.
pub fn run(args: EncodeArgs) -> Result<()> {
    let file = load_of_images(&args.model, args.which.which)?;
    let weights = identity::of_weights(AnyModelFile::RgFlow(file.clone()), &args.model)?;
    let model = Model::of(file, &args.model, args.device.device)?;
    let images = model.read(&args.images)?;
    let dims = model.config.dims();
    let logits: Vec<f32> = images.iter().flat_map(|(logits, _)| logits).copied().collect();
    let codes = model.engine.encode(&logits)?;
    if let Some(i) = (0..images.len()).find(|&i| {
        codes.log_prob[i].iter().any(|part| !part.is_finite())
            || codes.latents[i * dims..(i + 1) * dims].iter().any(|z| !z.is_finite())
    }) {
        let problem = format!("{} has no likelihood under {}", args.images[i].display(), args.model.display());
        return Err(Error::Diverged { problem, advice: "encode it with an earlier checkpoint".into() });
    }
    latents::write(&args.out, &model.config, &weights, &codes.latents)?;
    let back = model.engine.decode(&codes.latents)?;
    let counts = counts_by_level(&model.engine.latent_levels());
    for (i, (file, (logits, log_det))) in args.images.iter().zip(&images).enumerate() {
        let levels = DataKind::Images.cost_by_level(&codes.log_prob[i], f64::from(*log_det), &counts);
        let bits = whole(&levels, &counts);
        let (given, found) = (to_pixels(logits), to_pixels(&back[i * dims..(i + 1) * dims]));
        let same = given.iter().zip(found).filter(|(a, b)| *a == b).count();
        say!("{}: {bits:.3} bits/dim; {same} of {dims} values come back exactly", file.display())?;
        let by_level = levels.iter().enumerate().rev().map(|(level, bits)| format!("{level}: {bits:.3}"));
        say!("  bits for each number of level {}", by_level.collect::<Vec<_>>().join(", "))?;
    }
    say!("latents of {} images, by weights {weights}: {}", images.len(), args.out.display())
}
