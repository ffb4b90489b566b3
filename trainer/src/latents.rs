//! The file of `encode`: latents of some images, with the architecture and the weights that they belong to.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use shared::RgFlowConfig;
use shared::weights::to_safetensors;

use crate::error::{Error, Result};
use crate::files::{read_limited, write_atomically};

/// Largest file: 10,000 pictures of 3·128² numbers.
const MAX_BYTES: u64 = 2 << 30;
const FORMAT: &str = "rg-flow-latents";

/// Writes latents, flat pictures one after the other, as tensor `latents` `[n, C, L, L]`. `weights` is the digest of those that
/// encoded ([`crate::identity::of_weights`]).
///
/// # Errors
/// [`Error::Content`] if they are not a multiple of a picture's, [`Error::Io`] if the file cannot be written.
pub fn write(path: &Path, config: &RgFlowConfig, weights: &str, latents: &[f32]) -> Result<()> {
    let unable = |problem: String| Error::content(path.display(), problem, "encode at least one whole image");
    let bytes: Vec<u8> = latents.iter().flat_map(|z| z.to_le_bytes()).collect();
    let shape = vec![latents.len() / config.dims(), config.channels, config.size, config.size];
    let view = TensorView::new(Dtype::F32, shape, &bytes).map_err(|e| unable(e.to_string()))?;
    let config = serde_json::to_string(config).map_err(|e| unable(e.to_string()))?;
    let metadata = [("format", FORMAT), ("config", &config), ("weights", weights)];
    let metadata: BTreeMap<_, _> = metadata.map(|(name, text)| (name.to_string(), text.to_string())).into();
    let bytes = to_safetensors(vec![("latents", view)], &metadata).map_err(|e| unable(e.to_string()))?;
    write_atomically(path, &bytes)
}

/// Reads the latents of a model of that architecture, and the digest of the weights that encoded them; files of older versions
/// have none.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read, [`Error::Content`] if it holds something else or another model's latents.
pub fn read(path: &Path, config: &RgFlowConfig) -> Result<(Vec<f32>, Option<String>)> {
    let bytes = read_limited(path, MAX_BYTES)?;
    let wrong = |problem: String| Error::content(path.display(), problem, "write it with `trainer encode`");
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| wrong(e.to_string()))?;
    let note = |name: &str| metadata.metadata().as_ref().and_then(|m| m.get(name)).cloned().unwrap_or_default();
    if note("format") != FORMAT {
        return Err(wrong("it is not a file of latents".into()));
    }
    if serde_json::from_str::<RgFlowConfig>(&note("config")).ok().as_ref() != Some(config) {
        let problem = "these latents belong to a model of another architecture";
        return Err(Error::content(path.display(), problem, "decode with the model that encoded"));
    }
    let tensors = SafeTensors::deserialize(&bytes).map_err(|e| wrong(e.to_string()))?;
    let latents = tensors.tensor("latents").map_err(|e| wrong(e.to_string()))?;
    let whole =
        latents.dtype() == Dtype::F32 && latents.shape().get(1..) == Some(&[config.channels, config.size, config.size]);
    if !whole {
        return Err(wrong(format!("latents of shape {:?}", latents.shape())));
    }
    let values: Vec<f32> = latents.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    if values.is_empty() || values.iter().any(|z| !z.is_finite()) {
        return Err(wrong("it has no latents, or some are not finite".into()));
    }
    Ok((values, Some(note("weights")).filter(|weights| !weights.is_empty())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latents_come_back_bit_by_bit_and_to_their_own_model_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("z.safetensors");
        let config = RgFlowConfig::tiny();
        let latents: Vec<f32> = (0..2 * config.dims()).map(|i| (i as f32 * 0.37).sin()).collect();
        write(&path, &config, "12345678", &latents).unwrap();
        assert_eq!(read(&path, &config).unwrap(), (latents.clone(), Some("12345678".to_string())));
        assert!(read(&path, &RgFlowConfig::deep()).unwrap_err().to_string().contains("another architecture"));
        assert!(write(&path, &config, "", &latents[1..]).is_err());
        write(&path, &config, "", &[f32::NAN; 768]).unwrap();
        assert!(read(&path, &config).unwrap_err().to_string().contains("finite"));
        std::fs::write(&path, [1; 30]).unwrap();
        assert!(read(&path, &config).unwrap_err().to_string().contains("trainer encode"));
    }
}
