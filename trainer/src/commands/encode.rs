//! `trainer encode`.

use shared::logit;

use crate::cli::EncodeArgs;
use crate::engine::Model;
use crate::error::{Error, Result};
use crate::latents;
use crate::output::say;

/// Writes images' latents, and says how likely the images are and whether every pixel comes back.
///
/// # Errors
/// A model or an image that cannot be read, an image without a finite likelihood, a file that cannot be written.
pub fn run(args: EncodeArgs) -> Result<()> {
    let model = Model::open(&args.model, args.device.device)?;
    let images = model.read(&args.images)?;
    let dims = model.config.dims();
    let logits: Vec<f32> = images.iter().flat_map(|(logits, _)| logits).copied().collect();
    let codes = model.engine.encode(&logits)?;
    if let Some(i) = (0..images.len()).find(|&i| {
        !codes.log_prob[i].is_finite() || codes.latents[i * dims..(i + 1) * dims].iter().any(|z| !z.is_finite())
    }) {
        let problem = format!("{} has no likelihood under {}", args.images[i].display(), args.model.display());
        return Err(Error::Diverged { problem, advice: "encode it by an earlier checkpoint".into() });
    }
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

#[cfg(test)]
mod tests {
    use clap::Parser;
    use shared::weights::{Card, ModelFile, Precision};
    use shared::{RgFlow, RgFlowConfig};

    use crate::cli::Cli;
    use crate::commands;

    #[test]
    fn latents_that_are_no_numbers_are_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).display().to_string();
        let config = RgFlowConfig::tiny();
        let wild = RgFlow::<burn::backend::Flex>::random(&config, 1e4, 1, &Default::default()).unwrap();
        let bytes = ModelFile::from_model(&wild, Card::default()).to_bytes(Precision::F32).unwrap();
        std::fs::write(at("wild.safetensors"), bytes).unwrap();
        image::RgbImage::from_fn(16, 16, |x, y| image::Rgb([(x * y) as u8, 90, 200])).save(at("a.png")).unwrap();
        let (image, model, out) = (at("a.png"), at("wild.safetensors"), at("z.safetensors"));
        let words = ["trainer", "encode", &image, "--model", &model, "--out", &out, "--device", "cpu"];
        let error = commands::run(Cli::parse_from(words)).unwrap_err().to_string();
        assert!(error.contains("a.png has no likelihood") && !std::path::Path::new(&out).exists(), "{error}");
    }
}
