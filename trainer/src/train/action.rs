//! Training by the action alone: the model draws its own fields, and F = ⟨log q + S⟩ falls towards −log Z, from which it is
//! KL(model‖field) away.
//!
//! S is even, so that a field and its negative are given the same weight, exactly: q(φ) = ½(f(φ) + f(−φ)), f the model's own
//! density. The gradient goes through the fields alone, log q's own being held: what is left out is zero in the mean, and
//! so is all the noise where the model is right (Roeder, Wu & Duvenaud, arXiv:1703.09194).

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData, read_sync};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use shared::prior::draw_latents;
use shared::train::{AdamW, Measured, Recipe, TrainBackend, apply};
use shared::{FlowBackend, ImageFlow, Model, RgFlowConfig, Temperature};

use crate::lattice::Phi4;

/// What training makes small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Objective {
    /// −log p of the data.
    #[default]
    Likelihood,
    /// ⟨log q + S⟩ over fields that the model draws, without data.
    Action,
}

impl Objective {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Likelihood => "likelihood",
            Self::Action => "action",
        }
    }
}

/// The seed of the fields that a checkpoint is measured on, and what keeps those of steps apart from it.
const SEEDS: [u64; 2] = [0x5ca1_ab1e, 0x0ddb_a115];

/// S of each field.
///
/// # Shapes
/// - fields: `[batch, 1, L, L]`; output: `[batch]`
pub fn action<B: FlowBackend>(couplings: &Phi4, fields: Tensor<B, 4>) -> Tensor<B, 1> {
    let squares = fields.clone().square();
    let alone = squares.clone() + (squares - 1.0).square() * couplings.lambda;
    let neighbours = fields.clone().roll(&[-1], &[2]) + fields.clone().roll(&[-1], &[3]);
    let batch = fields.dims()[0];
    (alone - fields * neighbours * couplings.beta).reshape([batch as i32, -1]).sum_dim(1).squeeze_dim(1)
}

/// log q + S of each field, with its negative given the same weight.
///
/// # Shapes
/// - fields: `[batch, 1, L, L]`; output: `[batch]`
fn excess<B: FlowBackend>(flow: &dyn ImageFlow<B>, couplings: &Phi4, fields: Tensor<B, 4>) -> Tensor<B, 1> {
    let batch = fields.dims()[0];
    let both = flow.log_prob(Tensor::cat(vec![fields.clone(), fields.clone().neg()], 0));
    let (one, other) = (both.clone().narrow(0, 0, batch), both.narrow(0, batch, batch));
    let apart = (one.clone() - other.clone()).abs();
    let density = one.max_pair(other) + apart.neg().exp().log1p() - std::f64::consts::LN_2;
    density + action(couplings, fields)
}

/// Latents of some of a seed's samples.
fn draw<B: FlowBackend>(
    config: &RgFlowConfig,
    seed: u64,
    indices: std::ops::Range<u64>,
    device: &B::Device,
) -> Tensor<B, 4> {
    let shape = [(indices.end - indices.start) as usize, config.channels, config.size, config.size];
    let temperature = Temperature::uniform(1.0);
    let latents: Vec<f32> = indices.flat_map(|i| draw_latents(config, seed, i, &temperature)).collect();
    Tensor::from_data(TensorData::new(latents, shape), device)
}

/// Takes one step. If F or its gradient is not finite, the model stays as it was.
pub fn step<B: TrainBackend>(
    model: Model<B>,
    optimizer: AdamW<B::InnerBackend>,
    (recipe, config): (&Recipe, &RgFlowConfig),
    number: u64,
    couplings: &Phi4,
    device: &B::Device,
) -> (Model<B>, AdamW<B::InnerBackend>, Measured) {
    let first = number * recipe.batch as u64;
    let latents = draw::<B>(config, recipe.seed ^ SEEDS[1], first..first + recipe.batch as u64, device);
    let fields = model.fold().inverse(latents).0;
    let held = fields.clone().detach().require_grad();
    let mean = excess(model.clone().no_grad().fold().as_ref(), couplings, held.clone()).mean() / config.dims() as f64;
    let slope = held.grad(&mean.backward()).map_or_else(|| held.zeros_like(), Tensor::from_inner);
    let grads = GradientsParams::from_grads((fields * slope).sum().backward(), &model);
    read_sync(apply(model, optimizer, recipe, number, mean.inner(), &grads))
}

/// F in nats a site, over `count` fields of a fixed seed.
pub fn free_energy<B: FlowBackend>(
    flow: &dyn ImageFlow<B>,
    config: &RgFlowConfig,
    couplings: &Phi4,
    count: u64,
    device: &B::Device,
) -> f64 {
    const AT_ONCE: usize = 64;
    let of = |first: u64| {
        let latents = draw::<B>(config, SEEDS[0], first..count.min(first + AT_ONCE as u64), device);
        let values = excess(flow, couplings, flow.inverse(latents).0);
        values.into_data().iter::<f64>().sum::<f64>()
    };
    (0..count).step_by(AT_ONCE).map(of).sum::<f64>() / count as f64 / config.dims() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Cpu;
    use crate::lattice::Theory;
    use burn::backend::Flex;
    use burn::module::AutodiffModule;
    use shared::{ModelConfig, RgFlow};

    fn config() -> RgFlowConfig {
        match ModelConfig::from(RgFlowConfig::phi4()).resized(8).unwrap() {
            ModelConfig::RgFlow(config) => config,
            ModelConfig::RealNvp(_) => unreachable!(),
        }
    }

    #[test]
    fn the_action_of_a_tensor_is_that_of_the_lattice() {
        let field: Vec<f32> = (0..32).map(|i| (i as f32 * 0.7).sin() * 1.5).collect();
        let couplings = Phi4 { beta: 0.5, lambda: 0.25 };
        let fields = Tensor::<Flex, 4>::from_data(TensorData::new(field.clone(), [2, 1, 4, 4]), &Default::default());
        let found: Vec<f64> = action(&couplings, fields).into_data().iter::<f64>().collect();
        for (found, field) in found.iter().zip(field.chunks_exact(16)) {
            assert!((found - couplings.action(field, 4)).abs() < 1e-4, "{found}");
        }
    }

    #[test]
    fn a_field_and_its_negative_weigh_the_same() {
        let device = Default::default();
        let flow = RgFlow::<Flex>::random(&config(), 0.05, 1, &device).unwrap().fold();
        let fields = flow.sample(3, 0..4, &Temperature::uniform(1.0), &device);
        let of = |fields: Tensor<Flex, 4>| -> Vec<f64> {
            excess(&flow, &Phi4::CRITICAL, fields).into_data().iter::<f64>().collect()
        };
        let (one, other) = (of(fields.clone()), of(fields.clone().neg()));
        assert!(one.iter().zip(&other).all(|(a, b)| (a - b).abs() < 1e-3), "{one:?} {other:?}");
        // And as the mean of the two densities.
        let densities = |fields| -> Vec<f64> { flow.log_prob(fields).into_data().iter::<f64>().collect() };
        let actions: Vec<f64> = action(&Phi4::CRITICAL, fields.clone()).into_data().iter::<f64>().collect();
        for (i, (p, n)) in densities(fields.clone()).iter().zip(densities(fields.neg())).enumerate() {
            let expected = p.max(n) + ((p.min(n) - p.max(n)).exp() / 2.0 + 0.5).ln() + actions[i];
            assert!((one[i] - expected).abs() < 1e-3, "{i}: {} {expected}", one[i]);
        }
    }

    /// A free field's sites are normal numbers, whose log Z is known; F is never below −log Z.
    #[test]
    fn training_lowers_the_free_energy_to_its_limit_and_not_below() {
        let (config, device) = (config(), Default::default());
        let recipe = Recipe { batch: 16, warmup: 5, learning_rate: 0.01, ema: 0.0, ..Recipe::cosine(120) };
        let couplings = Phi4 { beta: 0.2, lambda: 0.0 };
        let exact = crate::lattice::free_energy::of_free_field(0.2, 8);
        let mut model = Model::<Cpu>::new(&config.clone().into(), 3, &device).unwrap();
        let mut optimizer = AdamW::new(&model.valid());
        let measure = |model: &Model<Cpu>| {
            free_energy::<Flex>(model.valid().fold().as_ref(), &config, &couplings, 256, &device) + exact
        };
        let before = measure(&model);
        for number in 0..120 {
            let taken = step(model, optimizer, (&recipe, &config), number, &couplings, &device);
            (model, optimizer) = (taken.0, taken.1);
        }
        let after = measure(&model);
        assert!(before > 0.1 && after < 0.03 * before && after > -1e-4, "{before} {after}");
    }
}
