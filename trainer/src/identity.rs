//! Which weights a model has, in eight digits: latents belong to the weights that encoded them.

use std::path::Path;

use safetensors::SafeTensors;
use sha2::{Digest, Sha256};
use shared::weights::{AnyModelFile, Precision};

use crate::error::{Error, Result};

/// Digits of a digest that are shown and stored, as in the page's links.
const DIGITS: usize = 8;

/// The start of the SHA-256 of all weights by their names, each as an f32. The card, the sampler and the precision that they
/// are stored in do not count; what rounding to f16 changed does.
///
/// # Errors
/// [`Error::Model`] names `file` if a weight is missing or not finite.
pub fn of_weights(mut model: AnyModelFile, file: &Path) -> Result<String> {
    if let AnyModelFile::RgFlow(model) = &mut model {
        model.sampler = None;
    }
    let bytes = model.to_bytes(Precision::F32).map_err(Error::model(file))?;
    let tensors = SafeTensors::deserialize(&bytes);
    let mut tensors = tensors.map_err(|e| Error::content(file.display(), e.to_string(), "report it"))?.tensors();
    tensors.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut digest = Sha256::new();
    for (name, tensor) in tensors {
        digest.update(name.as_bytes());
        digest.update([0]);
        digest.update(tensor.data());
    }
    let mut text: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    text.truncate(DIGITS);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;
    use shared::sampler::Sampler;
    use shared::weights::{Card, ModelFile};
    use shared::{RgFlow, RgFlowConfig};

    #[test]
    fn weights_are_known_again_whatever_is_said_of_them() {
        let config = RgFlowConfig::tiny();
        let of = |seed: u64| {
            let model = RgFlow::<Flex>::random(&config, 0.15, seed, &Default::default()).unwrap();
            ModelFile::from_model(&model, Card::default())
        };
        let digest = |file: &ModelFile| of_weights(AnyModelFile::RgFlow(file.clone()), "m".as_ref()).unwrap();
        let file = of(4);
        let own = digest(&file);
        assert!(own.len() == 8 && own.bytes().all(|digit| digit.is_ascii_hexdigit()), "{own}");
        let mut fitted = file.clone();
        fitted.card.name = "faces".into();
        let dims = config.dims();
        let direction = (0..dims).map(|i| f32::from(i == 3)).collect();
        fitted.sampler = Some(Sampler::new(vec![0.0; dims], direction, vec![2.0]).unwrap());
        assert_eq!(digest(&fitted), own);
        assert_ne!(digest(&of(5)), own);
        // Rounding makes other weights, once.
        let half = ModelFile::from_bytes(&file.to_bytes(Precision::F16).unwrap()).unwrap();
        let again = ModelFile::from_bytes(&half.to_bytes(Precision::F32).unwrap()).unwrap();
        assert!(digest(&half) != own && digest(&half) == digest(&again));
    }
}
