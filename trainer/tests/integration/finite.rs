//! Numbers stay numbers, or are an error by name: whole models with valid weights at the edge of what a file may hold.

use std::path::Path;

use burn::backend::Flex;
use safetensors::SafeTensors;
use shared::weights::{AnyModelFile, Card, ModelFile, Precision};
use shared::{LevelConfig, RgFlow, RgFlowConfig, Temperature};
use trainer::data::ImageSet;
use trainer::device::DeviceChoice;
use trainer::drawing::Drawing;
use trainer::engine::{Engine, open};

fn config() -> RgFlowConfig {
    let level = LevelConfig { layers: 2, res_blocks: 1, mlp: 1, hidden: 6 };
    RgFlowConfig::new(8, vec![level; 2])
}

/// A random model's file whose tensors of that ending were changed.
fn changed(ending: &str, change: impl Fn(f32) -> f32) -> AnyModelFile {
    let model = RgFlow::<Flex>::random(&config(), 0.2, 4, &Default::default()).unwrap();
    let bytes = ModelFile::from_model(&model, Card::default()).to_bytes(Precision::F32).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap().tensors().into_iter().map(|(name, tensor)| {
        let numbers = tensor.data().chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
        let numbers = numbers.map(|v| if name.ends_with(ending) { change(v) } else { v }).collect();
        (name, numbers)
    });
    let file = ModelFile::from_tensors(config(), Card::default(), tensors.collect()).unwrap();
    // By way of a file, so that it is one that can be read.
    AnyModelFile::from_bytes(&AnyModelFile::RgFlow(file).to_bytes(Precision::F32).unwrap()).unwrap()
}

fn on(file: AnyModelFile, device: DeviceChoice) -> Box<dyn Engine> {
    open(file, Path::new("hostile.safetensors"), device).unwrap()
}

#[cfg(feature = "candle")]
#[test]
fn kernels_and_tensor_operations_agree_on_hostile_weights_from_end_to_end() {
    use shared::logit::image_to_logit;
    use shared::prior::draw_latents;

    // Logits of a black picture, a white one and one of both.
    fn pictures() -> Vec<f32> {
        let dims = config().dims();
        let checks: Vec<u8> = (0..dims).map(|i| if i % 3 == 0 { 255 } else { 0 }).collect();
        [vec![0; dims], vec![255; dims], checks].iter().flat_map(|pixels| image_to_logit(pixels, || 0.5).0).collect()
    }

    // Latents at temperatures from none to far beyond all that a command takes.
    fn latents() -> Vec<f32> {
        [0.0, 1.0, 10.0].iter().flat_map(|&t| draw_latents(&config(), 3, 0, &Temperature::uniform(t))).collect()
    }

    let hostile = [
        changed("scale", |_| 60.0),
        changed("scale", |_| -60.0),
        changed("alpha", |_| 0.0),
        changed("alpha", |_| 1e4),
        changed("weight", |_| 0.0),
    ];
    // As a share of the largest number: what a coupling multiplies by 60 it does at every half-step.
    let close = |a: &[f32], b: &[f32], what: &str| {
        let most = b.iter().fold(1f32, |most, b| most.max(b.abs()));
        let apart = a.iter().zip(b).map(|(a, b)| (a - b).abs() / most).fold(0.0, f32::max);
        assert!(a.iter().chain(b).all(|v| v.is_finite()), "{what}: not finite");
        assert!(apart < 1e-3, "{what}: {apart} apart");
    };
    for (at, file) in hostile.into_iter().enumerate() {
        let [kernels, tensors] = [DeviceChoice::Cpu, DeviceChoice::Candle].map(|device| on(file.clone(), device));
        let (a, b) = (kernels.encode(&pictures()).unwrap(), tensors.encode(&pictures()).unwrap());
        close(&a.latents, &b.latents, &format!("latents {at}"));
        let single = |all: &[Vec<f64>]| all.iter().flatten().map(|&v| v as f32).collect::<Vec<_>>();
        close(&single(&a.log_prob), &single(&b.log_prob), &format!("likelihoods {at}"));
        let (a, b) = (kernels.decode(&latents()).unwrap(), tensors.decode(&latents()).unwrap());
        close(&a, &b, &format!("images {at}"));
    }
}

#[test]
fn numbers_that_cannot_be_finite_are_an_error_by_name() {
    let engine = on(changed("weight", |v| v * 1e9), DeviceChoice::Cpu);
    let drawing = Drawing::independent(Temperature::uniform(1.0));
    let error = engine.sample(1, 2, &drawing).unwrap_err().to_string();
    assert!(error.contains("not finite") && error.contains("lower temperature"), "{error}");
    let images = ImageSet::new("white", 8, vec![255; config().dims()], None).unwrap();
    let error = engine.bits_per_dim(&images, 1).unwrap_err().to_string();
    assert!(error.contains("earlier checkpoint"), "{error}");
}
