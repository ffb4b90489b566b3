//! A model with random weights: for tests, and to look at the page with before a model is trained.

use burn::module::Param;
use burn::tensor::{Tensor, TensorData};
use burn_flex::Flex;
use shared::weights::{Card, ModelFile, Precision};
use shared::{RgFlow, RgFlowConfig};

/// An exported model whose weights are the same on every machine.
///
/// Its bijectors are near the identity, so that samples are noise with some structure.
///
/// # Panics
/// If the configuration is not valid: this is for tests.
#[expect(clippy::expect_used, reason = "only tests and the developer's tool call this, with valid configurations")]
pub fn model_bytes(config: &RgFlowConfig, name: &str) -> Vec<u8> {
    let device = Default::default();
    let mut model = RgFlow::<Flex>::new(config, &device).expect("a valid configuration");
    let mut noise = Noise(1);
    for bijector in &mut model.bijectors {
        for linear in &mut bijector.linears {
            let dims = linear.direction.val().dims();
            let direction = noise.tensor(dims, 1.0);
            linear.gain = Param::from_tensor(noise.tensor([dims[0], dims[2]], 1.0));
            linear.direction = Param::from_tensor(direction);
        }
        let dims = bijector.scale.val().dims();
        bijector.scale = Param::from_tensor(noise.tensor(dims, 0.2));
    }
    let card = Card {
        name: name.to_owned(),
        dataset: "none: random weights".to_owned(),
        licence: "CC0".to_owned(),
        training: "not trained".to_owned(),
        ..Card::default()
    };
    ModelFile::from_model(&model, config, card).to_bytes(Precision::F16).expect("finite weights")
}

/// A small generator of our own: a library's may change its stream from version to version.
struct Noise(u64);

impl Noise {
    /// Uniform in ±1.
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 40) as f32 / (1 << 23) as f32) - 1.0
    }

    fn tensor<const D: usize>(&mut self, dims: [usize; D], scale: f32) -> Tensor<Flex, D> {
        let values: Vec<f32> = (0..dims.iter().product()).map(|_| self.next() * scale).collect();
        Tensor::from_data(TensorData::new(values, dims), &Default::default())
    }
}

/// A few pixels of the picture that the tests natively and in a browser compare.
pub fn fingerprint(rgba: &[u8]) -> [u8; 8] {
    std::array::from_fn(|i| rgba.get(i * 116 + i % 3).copied().unwrap_or_default())
}

/// Whether this is sample 3 of seed 7 at temperature 0.8 of the model of [`RgFlowConfig::tiny`], up to rounding.
pub fn is_reference(rgba: &[u8]) -> bool {
    const REFERENCE: [u8; 8] = [87, 121, 172, 125, 108, 162, 135, 135];
    rgba.len() == 16 * 16 * 4 && fingerprint(rgba).iter().zip(REFERENCE).all(|(&a, b)| a.abs_diff(b) <= 2)
}
