//! A model with random weights: for tests, and to look at the page with before a model is trained.

use burn_flex::Flex;
use shared::weights::{Card, ModelFile, Precision};
use shared::{RgFlow, RgFlowConfig};

/// An exported model whose weights are the same on every machine. Its samples are noise with some structure.
///
/// # Errors
/// As [`RgFlow::random`].
pub fn model_bytes(config: &RgFlowConfig, name: &str) -> shared::Result<Vec<u8>> {
    let model = RgFlow::<Flex>::random(config, 0.1, 1, &Default::default())?;
    let card = Card {
        name: name.to_owned(),
        dataset: "none: random weights".to_owned(),
        licence: "CC0".to_owned(),
        training: "not trained".to_owned(),
        ..Card::default()
    };
    ModelFile::from_model(&model, config, card).to_bytes(Precision::F16)
}

/// A few pixels of the picture that the tests natively and in a browser compare.
pub fn fingerprint(rgba: &[u8]) -> [u8; 8] {
    std::array::from_fn(|i| rgba.get(i * 116 + i % 3).copied().unwrap_or_default())
}

/// Whether this is sample 3 of seed 7 at temperature 0.8 of the model of [`RgFlowConfig::tiny`], up to rounding.
pub fn is_reference(rgba: &[u8]) -> bool {
    const REFERENCE: [u8; 8] = [97, 126, 175, 124, 109, 162, 125, 132];
    rgba.len() == 16 * 16 * 4 && fingerprint(rgba).iter().zip(REFERENCE).all(|(&a, b)| a.abs_diff(b) <= 2)
}
