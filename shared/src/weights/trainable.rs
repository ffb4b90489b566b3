//! From exported weights back to parameters that can be trained.

use burn::module::Param;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};

use super::rg_flow::{MEAN, ModelFile, names};
use crate::backend::FlowBackend;
use crate::error::{Error, Result};
use crate::flow::RgFlow;

impl ModelFile {
    /// A trainable model with these weights, on a device.
    ///
    /// A file holds weights with the weight norm applied, w = g·v/‖v‖, which does not say how long v was. It becomes as
    /// long as a new model's, so that a step of the optimiser turns it as far as it would there; g becomes ‖w‖.
    ///
    /// # Errors
    /// [`Error::Weights`] if a tensor is missing.
    pub fn to_model<B: FlowBackend>(&self, device: &B::Device) -> Result<RgFlow<B>> {
        let mut model = RgFlow::<B>::new(&self.config, 0, device)?;
        for (bijector, stage) in model.bijectors.iter_mut().zip(names(&self.config)) {
            for (i, linear) in bijector.linears.iter_mut().enumerate() {
                let name = |part: &str| format!("{stage}.linears.{i}.{part}");
                self.set(&mut linear.alpha, &name("alpha"))?;
                self.set(&mut linear.bias, &name("bias"))?;
                let shape = linear.direction.dims();
                let direction = linear.direction.val().into_data().iter::<f32>().collect();
                let (direction, gain) = apart(self.get(&name("weight"))?, shape, direction);
                put(&mut linear.direction, direction);
                put(&mut linear.gain, gain);
            }
            self.set(&mut bijector.scale, &format!("{stage}.scale"))?;
            if let Some(places) = &mut bijector.places {
                self.set(places, &format!("{stage}.places"))?;
            }
            for (name, map) in [("entry", &mut bijector.entry), ("exit", &mut bijector.exit)] {
                if let Some(map) = map {
                    self.set(&mut map.weight, &format!("{stage}.{name}.weight"))?;
                    self.set(&mut map.bias, &format!("{stage}.{name}.bias"))?;
                }
            }
        }
        if let Some(mean) = &mut model.mean {
            self.set(mean, MEAN)?;
        }
        Ok(model)
    }

    fn get(&self, name: &str) -> Result<&[f32]> {
        let values = self.tensors.get(name);
        values.map(Vec::as_slice).ok_or_else(|| Error::Weights(format!("tensor {name} is missing")))
    }

    fn set<B: FlowBackend, const D: usize>(&self, param: &mut Param<Tensor<B, D>>, name: &str) -> Result<()> {
        put(param, self.get(name)?.to_vec());
        Ok(())
    }
}

/// Replaces a parameter's numbers.
pub(super) fn put<B: Backend, const D: usize>(param: &mut Param<Tensor<B, D>>, values: Vec<f32>) {
    let new = |old: Tensor<B, D>| Tensor::from_data(TensorData::new(values, old.shape()), &old.device()).require_grad();
    *param = param.clone().map(new);
}

/// Directions and gains whose weights are `weight`, `[nets, inputs, outputs]`: each direction as long as the one given,
/// which stays where the weights are all zero.
fn apart(weight: &[f32], [nets, inputs, outputs]: [usize; 3], mut direction: Vec<f32>) -> (Vec<f32>, Vec<f32>) {
    let mut gain = Vec::with_capacity(nets * outputs);
    for net in 0..nets {
        for output in 0..outputs {
            let at = |i: usize| (net * inputs + i) * outputs + output;
            let length = |values: &[f32]| (0..inputs).map(|i| f64::from(values[at(i)]).powi(2)).sum::<f64>().sqrt();
            let (new, old) = (length(weight), length(&direction));
            gain.push(new as f32);
            if new > 0.0 {
                (0..inputs).for_each(|i| direction[at(i)] = (f64::from(weight[at(i)]) * old / new) as f32);
            }
        }
    }
    (direction, gain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RgFlowConfig;
    use crate::real_nvp::{RealNvp, RealNvpConfig};
    use crate::weights::{AnyModelFile, Card, Precision, RealNvpFile};
    use burn::backend::{Autodiff, Flex};

    #[test]
    fn a_file_becomes_the_model_that_it_was_written_from() {
        let device = Default::default();
        let config = RgFlowConfig {
            linear_maps: true,
            mean_image: true,
            place_features: 2,
            ..RgFlowConfig::new(8, RgFlowConfig::tiny().levels[1..].to_vec())
        };
        let model = RgFlow::<Flex>::random(&config, 0.1, 3, &device).unwrap();
        let file = ModelFile::from_model(&model, Card::default());
        let again = file.to_model::<Autodiff<Flex>>(&device).unwrap();
        let back = ModelFile::from_model(&again, Card::default());
        assert_eq!(back.tensors.len(), file.tensors.len());
        for (name, values) in &file.tensors {
            let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-5 * (1.0 + a.abs());
            assert!(values.iter().zip(&back.tensors[name]).all(close), "{name}");
        }
        // Directions are as long as a new model's.
        let new = RgFlow::<Flex>::new(&config, 0, &device).unwrap();
        let length = |v: Tensor<Flex, 3>| v.square().sum_dim(1).sqrt();
        let [ours, theirs] = [
            length(again.bijectors[1].linears[0].direction.val().inner()),
            length(new.bijectors[1].linears[0].direction.val()),
        ];
        assert!((ours - theirs).abs().max().into_scalar() < 1e-4);
        // Every parameter takes part.
        let images = Tensor::<Autodiff<Flex>, 4>::ones([1, 3, 8, 8], &device);
        let grads = crate::ImageFlow::log_prob(&again.fold(), images).sum().backward();
        for bijector in &again.bijectors {
            assert!(bijector.scale.grad(&grads).is_some() && bijector.linears[0].direction.grad(&grads).is_some());
            assert!(bijector.entry.as_ref().unwrap().weight.grad(&grads).is_some());
            assert!(bijector.places.as_ref().is_none_or(|places| places.grad(&grads).is_some()));
        }
        assert!(again.mean.as_ref().unwrap().grad(&grads).is_some());
    }

    #[test]
    fn weights_that_are_all_zero_have_no_gain_and_keep_a_direction() {
        // Two nets, two inputs, one output each.
        let (direction, gain) = apart(&[3.0, 4.0, 0.0, 0.0], [2, 2, 1], vec![1.0, 0.0, 0.6, 0.8]);
        assert_eq!((direction, gain), (vec![0.6, 0.8, 0.6, 0.8], vec![5.0, 0.0]));
    }

    #[test]
    fn a_real_nvp_comes_back_too() {
        let device = Default::default();
        let model = RealNvp::<Flex>::random(&RealNvpConfig::tiny(), 0.1, 5, &device).unwrap();
        let bytes = RealNvpFile::from_model(&model, Card::default()).to_bytes(Precision::F32).unwrap();
        let file = AnyModelFile::from_bytes(&bytes).unwrap();
        let again = AnyModelFile::from_model(&file.to_model::<Autodiff<Flex>>(&device).unwrap(), Card::default());
        assert_eq!(again.to_bytes(Precision::F32).unwrap(), bytes);
    }
}
