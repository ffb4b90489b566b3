//! Models with random parameters. A new model is the identity, on which nothing can be tested; tests and benchmarks
//! start from these.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::backend::FlowBackend;
use crate::config::RgFlowConfig;
use crate::error::Result;
use crate::flow::RgFlow;
use crate::real_nvp::{RealNvp, RealNvpConfig};

struct Perturb {
    rng: ChaCha8Rng,
    amount: f32,
}

impl<B: FlowBackend> ModuleMapper<B> for Perturb {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let amount = self.amount;
        let rng = &mut self.rng;
        // In [−½, ½], both ends included: not `random::<f32>()`, as recorded results start from these very models.
        let mut noise = || amount * (rng.next_u32() as f32 / u32::MAX as f32 - 0.5) * 12f32.sqrt();
        param.map(|value| {
            let (shape, device) = (value.shape(), value.device());
            let noise: Vec<f32> = (0..shape.num_elements()).map(|_| noise()).collect();
            // A parameter has to stay a leaf of the graph.
            (value + Tensor::from_data(TensorData::new(noise, shape), &device)).detach().require_grad()
        })
    }
}

impl<B: FlowBackend> RgFlow<B> {
    /// A model whose every parameter is off its initial value by noise of standard deviation `amount`.
    ///
    /// # Errors
    /// As [`RgFlow::new`].
    pub fn random(config: &RgFlowConfig, amount: f32, seed: u64, device: &B::Device) -> Result<Self> {
        Ok(Self::new(config, seed, device)?.map(&mut Perturb { rng: ChaCha8Rng::seed_from_u64(seed), amount }))
    }
}

impl<B: FlowBackend> RealNvp<B> {
    /// A model whose every parameter is off its initial value by noise of standard deviation `amount`.
    ///
    /// # Errors
    /// As [`RealNvp::new`].
    pub fn random(config: &RealNvpConfig, amount: f32, seed: u64, device: &B::Device) -> Result<Self> {
        Ok(Self::new(config, seed, device)?.map(&mut Perturb { rng: ChaCha8Rng::seed_from_u64(seed), amount }))
    }
}
