//! A model with random weights: for tests, and to see whether a browser computes as others do.

use crate::protocol::Drawing;
use burn_flex::Flex;
use shared::weights::{Card, ModelFile, Precision};
use shared::{RgFlow, RgFlowConfig, Temperature};

use super::Engine;
use crate::error::Result;

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
    ModelFile::from_model(&model, card).to_bytes(Precision::F16)
}

/// Whether the CPU draws a known seed as stored here.
///
/// # Errors
/// If it draws nothing.
pub async fn check() -> Result<bool> {
    Ok(is_reference(&probe().await?))
}

/// A sample of a model of noise, which is made without what training takes.
///
/// # Errors
/// If it cannot be drawn.
pub async fn probe() -> Result<Vec<u8>> {
    let engine = Engine::<Flex>::from_file(ModelFile::noise(&RgFlowConfig::tiny(), 1)?, Default::default())?;
    let drawn = engine.samples(7, &[3], &Drawing::independent(Temperature::uniform(0.8))).await?;
    Ok(drawn.into_iter().next().map(|drawn| drawn.rgba).unwrap_or_default())
}

/// A few pixels of the picture that the tests natively and in a browser compare.
pub fn fingerprint(rgba: &[u8]) -> [u8; 8] {
    std::array::from_fn(|i| rgba.get(i * 116 + i % 3).copied().unwrap_or_default())
}

/// Whether this is what [`probe`] draws, up to rounding.
pub fn is_reference(rgba: &[u8]) -> bool {
    const REFERENCE: [u8; 8] = [75, 127, 173, 126, 115, 166, 140, 128];
    rgba.len() == 16 * 16 * 4 && fingerprint(rgba).iter().zip(REFERENCE).all(|(&a, b)| a.abs_diff(b) <= 2)
}
