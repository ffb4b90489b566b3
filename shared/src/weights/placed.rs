//! A model that learns to know its places: the same density, with nets that can be trained to tell blocks apart.

use std::collections::HashMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::ModelFile;
use super::rg_flow::names;
use crate::config::RgFlowConfig;
use crate::error::{Error, Result};
use crate::shape::{StageShape, shapes};

impl ModelFile {
    /// The same model with `features` learned numbers for each place at level `from` and the coarser ones. No net uses them
    /// yet, so every latent and likelihood stays what it is until the model is trained further. A sampler is left out.
    ///
    /// # Errors
    /// [`Error::Config`] if the model has place features already, or for values that no configuration can have.
    pub fn with_places(&self, features: usize, from: usize, seed: u64) -> Result<Self> {
        let old = &self.config;
        if old.place_features > 0 {
            let own = old.place_features;
            return Err(Error::Config(format!("the model has {own} place features already; train it as it is")));
        }
        let config = RgFlowConfig { place_features: features, places_from: from, ..old.clone() };
        config.validate()?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut tensors = self.tensors.clone();
        for ((narrow, wide), stage) in shapes(old).iter().zip(&shapes(&config)).zip(names(&config)) {
            widen(&mut tensors, &stage, narrow, wide);
            if wide.features > 0 {
                let places = (0..wide.blocks * wide.features).map(|_| 2.0 * rng.random::<f32>() - 1.0).collect();
                tensors.insert(format!("{stage}.places"), places);
            }
        }
        Self::from_tensors(config, self.card.clone(), tensors)
    }
}

/// Gives a stage's nets inputs and outputs for the features, with weights of zero.
fn widen(tensors: &mut HashMap<String, Vec<f32>>, stage: &str, narrow: &StageShape, wide: &StageShape) {
    let (own, half) = (narrow.couplings.half(), wide.couplings.half());
    // Numbers stand in halves, as many as `old` has; in a row of hidden numbers, which has no halves, nothing moves.
    let position = move |i: usize, old: usize, new: usize| if old == new { i } else { i / own * half + i % own };
    let spread = |values: &[f32], [rows, old_in, old_out]: [usize; 3], [new_in, new_out]: [usize; 2], fill: f32| {
        let mut new = vec![fill; rows * new_in * new_out];
        for (at, &value) in values.iter().enumerate() {
            let (row, input, output) = (at / (old_in * old_out), at / old_out % old_in, at % old_out);
            let (input, output) = (position(input, old_in, new_in), position(output, old_out, new_out));
            new[(row * new_in + input) * new_out + output] = value;
        }
        new
    };
    let nets = narrow.couplings.nets();
    let mut put = |name: String, shape: [usize; 3], wide: [usize; 2], fill: f32| {
        if let Some(values) = tensors.get_mut(&format!("{stage}.{name}")) {
            *values = spread(values, shape, wide, fill);
        }
    };
    let linears = narrow.couplings.linears().into_iter().zip(wide.couplings.linears());
    for (i, (a, b)) in linears.enumerate() {
        put(format!("linears.{i}.alpha"), [nets, 1, a.inputs], [1, b.inputs], 1.0);
        put(format!("linears.{i}.weight"), [nets, a.inputs, a.outputs], [b.inputs, b.outputs], 0.0);
        put(format!("linears.{i}.bias"), [nets, 1, a.outputs], [1, b.outputs], 0.0);
    }
    put("scale".into(), [nets, 1, narrow.couplings.outputs()], [1, wide.couplings.outputs()], 0.0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::Card;
    use crate::{CouplingKind, LevelConfig, RgFlow};
    use burn::backend::{Autodiff, Flex};

    /// Also where a net has several residual blocks, and where a hidden row happens to be as wide as the data's.
    #[test]
    fn the_likelihood_stays_and_the_places_can_be_learned() {
        let device = Default::default();
        let level = |hidden| LevelConfig { layers: 2, res_blocks: 2, mlp: 2, hidden };
        for coupling in [CouplingKind::Affine, CouplingKind::Spline(4)] {
            let config = RgFlowConfig {
                channels: 1,
                linear_maps: true,
                coupling,
                ..RgFlowConfig::new(16, vec![level(16), level(9), level(5)])
            };
            let model = RgFlow::<Flex>::random(&config, 0.03, 4, &device).unwrap();
            let file = ModelFile::from_model(&model, Card::default());
            for from in [0, 1] {
                let placed = file.with_places(3, from, 7).unwrap();
                let learning = placed.to_model::<Autodiff<Flex>>(&device).unwrap();
                let pixels: Vec<f32> = (0..config.dims()).map(|i| (i as f32 * 0.7).sin()).collect();
                let old = file.clone().into_flow::<Flex>(&device).unwrap();
                let before = old.log_prob(old.batch(pixels.clone(), &device).unwrap()).into_scalar();
                let flow = learning.fold();
                let after = flow.log_prob(flow.batch(pixels, &device).unwrap());
                assert!((after.clone().into_scalar() - before).abs() < 1e-4 * before.abs(), "{before} {after}");
                let grads = after.sum().backward();
                for (i, bijector) in learning.bijectors.iter().enumerate() {
                    // At the coarsest level there is one place.
                    assert_eq!(bijector.places.is_some(), (from..2).contains(&(i / 2)), "{i}");
                    let Some(places) = &bijector.places else { continue };
                    // What the nets do with the features has gradients, so training can begin.
                    let direction = bijector.linears[0].direction.grad(&grads).unwrap();
                    let [nets, inputs, hidden] = direction.dims();
                    let of_features = direction.slice([0..nets, inputs / 2 - 3..inputs / 2, 0..hidden]);
                    assert!(of_features.abs().max().into_scalar() > 1e-4);
                    assert!(places.val().abs().max().into_scalar() > 0.5);
                }
            }
        }
    }

    #[test]
    fn places_are_given_once() {
        let config = RgFlowConfig::tiny();
        let model = RgFlow::<Flex>::random(&config, 0.1, 1, &Default::default()).unwrap();
        let file = ModelFile::from_model(&model, Card::default());
        let placed = file.with_places(2, 0, 1).unwrap();
        assert!(placed.with_places(2, 0, 1).unwrap_err().to_string().contains("already"));
        assert!(file.with_places(2, 9, 1).unwrap_err().to_string().contains("places_from"));
    }
}
