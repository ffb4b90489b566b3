//! `trainer encode`.

use shared::logit;

use crate::cli::EncodeArgs;
use crate::engine::Model;
use crate::error::Result;
use crate::latents;
use crate::output::say;

/// Writes images' latents, and says how likely the images are and whether every pixel comes back.
///
/// # Errors
/// A model or an image that cannot be read, a file that cannot be written.
pub fn run(args: EncodeArgs) -> Result<()> {
    let model = Model::open(&args.model, args.device.device)?;
    let images = model.read(&args.images)?;
    let dims = model.config.dims();
    let logits: Vec<f32> = images.iter().flat_map(|(logits, _)| logits).copied().collect();
    let codes = model.engine.encode(&logits)?;
    latents::write(&args.out, &model.config, &codes.latents)?;
    let back = model.engine.decode(&codes.latents)?;
    let pixels = |logits: &[f32]| -> Vec<u8> { logits.iter().map(|&y| logit::to_pixel(y)).collect() };
    for (i, (file, (logits, log_det))) in args.images.iter().zip(&images).enumerate() {
        let bits = logit::bits_per_dim(codes.log_prob[i] + f64::from(*log_det), dims);
        let same = pixels(logits).iter().zip(pixels(&back[i * dims..(i + 1) * dims])).filter(|(a, b)| *a == b).count();
        say!("{}: {bits:.3} bits/dim; {same} of {dims} values come back exactly", file.display())?;
    }
    say!("latents of {} images: {}", images.len(), args.out.display())?;
    Ok(())
}
