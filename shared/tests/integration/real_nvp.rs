//! Real NVP, always from random parameters.

use burn::backend::{Autodiff, Flex};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;
use shared::real_nvp::{RealNvp, RealNvpConfig, RealNvpFlow, ScaleConfig};
use shared::weights::{AnyModelFile, Card, ModelFile, Precision, RealNvpFile};
use shared::{Encoded, FlowBackend, ImageFlow, Model, ModelConfig, RgFlowConfig, Temperature};

use crate::numbers::{largest_difference, values};

type Ad = Autodiff<Flex>;

pub fn flow<B: FlowBackend>(config: &RealNvpConfig) -> RealNvpFlow<B> {
    RealNvp::random(config, 0.2, 3, &Default::default()).unwrap().fold()
}

pub fn three_scales() -> RealNvpConfig {
    let scale = |couplings| ScaleConfig { couplings, res_blocks: 2, hidden: 5 };
    RealNvpConfig { scales: vec![scale(2), scale(1), scale(3)], ..RealNvpConfig::tiny() }
}

pub fn images<B: FlowBackend>(flow: &RealNvpFlow<B>, batch: usize) -> Tensor<B, 4> {
    let values = (0..batch * flow.dims()).map(|i| (i as f32 * 0.37).sin()).collect();
    flow.batch(values, &Default::default()).unwrap()
}

#[test]
fn the_inverse_undoes_the_flow() {
    for config in [RealNvpConfig::tiny(), three_scales()] {
        let flow = flow::<Flex>(&config);
        let x = images(&flow, 3);
        let Encoded { latents, log_det } = flow.forward(x.clone());
        let mut sorted = [values(latents.clone()), values(x.clone())];
        sorted.iter_mut().for_each(|v| v.sort_by(f32::total_cmp));
        assert!(largest_difference(&sorted[0], &sorted[1]) > 0.1, "the model is the identity");
        let (back, inverse_log_det) = flow.inverse(latents);
        assert!(largest_difference(&values(back), &values(x)) < 1e-4);
        assert!(largest_difference(&values(log_det), &values(inverse_log_det.neg())) < 1e-2);
    }
}

#[test]
fn log_det_is_that_of_the_jacobian() {
    let config = RealNvpConfig { channels: 1, ..RealNvpConfig::tiny() };
    let flow = flow::<Ad>(&config);
    let x = images(&flow, 1);
    let dims = flow.dims();
    let jacobian: Vec<f64> = (0..dims)
        .flat_map(|i| {
            // Each backward pass consumes its graph.
            let x = x.clone().detach().require_grad();
            let latents = flow.forward(x.clone()).latents.reshape([dims]);
            values::<Flex, 4>(x.grad(&latents.narrow(0, i, 1).backward()).unwrap())
        })
        .map(f64::from)
        .collect();
    let expected = nalgebra::DMatrix::from_row_slice(dims, dims, &jacobian).determinant().abs().ln();
    let got = f64::from(values(flow.forward(x).log_det)[0]);
    assert!(expected.abs() > 0.05, "the model is volume-preserving");
    assert!((got - expected).abs() < 1e-3, "{got} {expected}");
}

#[test]
fn every_parameter_gets_a_gradient() {
    struct Check<'a> {
        grads: &'a <Ad as AutodiffBackend>::Gradients,
        checked: usize,
    }
    impl ModuleVisitor<Ad> for Check<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<Ad, D>>) {
            let grad = values(param.val().grad(self.grads).unwrap());
            assert!(grad.iter().any(|g| g.abs() > 1e-7) && grad.iter().all(|g| g.is_finite()), "{grad:?}");
            self.checked += grad.len();
        }
    }
    let config = three_scales();
    let model = RealNvp::<Ad>::random(&config, 0.2, 3, &Default::default()).unwrap();
    let flow = model.fold();
    let grads = flow.log_prob(images(&flow, 2)).sum().backward();
    let mut check = Check { grads: &grads, checked: 0 };
    model.visit(&mut check);
    assert_eq!(check.checked, config.param_count());
}

#[test]
fn a_new_model_is_the_identity_up_to_order_and_its_samples_keep_their_levels() {
    let config = RealNvpConfig::tiny();
    let flow = RealNvp::<Flex>::new(&config, 1, &Default::default()).unwrap().fold();
    let sample = |temperature: Temperature| values(flow.sample(4, 2..3, &temperature, &Default::default()));
    let nonzero = |x: Vec<f32>| x.iter().filter(|v| **v != 0.0).count();
    assert_eq!(nonzero(sample(Temperature::uniform(1.0))), flow.dims());
    assert_eq!(nonzero(sample(Temperature::mixed(1.0, 0.0, 1))), flow.dims() / 2);
}

#[test]
fn files_come_back_as_they_went() {
    let config = three_scales();
    let model = RealNvp::<Flex>::random(&config, 0.2, 3, &Default::default()).unwrap();
    let card = Card { name: "compared".into(), ..Card::default() };
    let bytes = RealNvpFile::from_model(&model, card.clone()).to_bytes(Precision::F32).unwrap();
    let AnyModelFile::RealNvp(file) = AnyModelFile::from_bytes(&bytes).unwrap() else { panic!("an RG-Flow") };
    assert_eq!((&file.config, &file.card), (&config, &card));
    let (before, after) = (model.fold(), file.to_flow::<Flex>(&Default::default()).unwrap());
    let x = images(&before, 1);
    assert_eq!(values(before.log_prob(x.clone())), values(after.log_prob(x)));
    assert!(ModelFile::from_bytes(&bytes).unwrap_err().to_string().contains("Real NVP"));
    for len in (0..bytes.len()).step_by(997) {
        assert!(AnyModelFile::from_bytes(&bytes[..len]).is_err(), "{len}");
    }
}

#[test]
fn a_file_knows_its_architecture_and_its_card() {
    for config in [ModelConfig::from(RgFlowConfig::tiny()), ModelConfig::from(RealNvpConfig::tiny())] {
        let model = Model::<Flex>::new(&config, 1, &Default::default()).unwrap();
        let mut file = AnyModelFile::from_model(&model, Card::default());
        file.card_mut().name = "either".into();
        let back = AnyModelFile::from_bytes(&file.to_bytes(Precision::F16).unwrap()).unwrap();
        assert_eq!((back.config(), back.card().name.as_str()), (config.clone(), "either"));
        assert_eq!(back.to_flow::<Flex>(&Default::default()).unwrap().dims(), config.dims());
        assert_eq!((model.config(), model.fold().image_shape()), (config.clone(), config.image_shape()));
    }
}
