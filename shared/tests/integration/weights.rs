//! The exported file: round trips, and files that are anything but.

use burn::backend::Flex;
use shared::sampler::Sampler;
use shared::weights::{Card, ModelFile, Precision};
use shared::{CouplingKind, RgFlow, RgFlowConfig};

fn exported(precision: Precision) -> (RgFlowConfig, ModelFile, Vec<u8>) {
    let config = RgFlowConfig { linear_maps: true, ..RgFlowConfig::tiny() };
    // Little noise: the rounding of f16 is multiplied by the linear maps' condition.
    let model = RgFlow::<Flex>::random(&config, 0.05, 1, &Default::default()).unwrap();
    let card = Card { name: "tiny".into(), bits_per_dim: Some(3.5), temperature: vec![0.2, 0.8], ..Card::default() };
    let file = ModelFile::from_model(&model, card);
    let bytes = file.to_bytes(precision).unwrap();
    (config, file, bytes)
}

fn log_prob(file: &ModelFile) -> f32 {
    let flow = file.clone().into_flow::<Flex>(&Default::default()).unwrap();
    let x =
        flow.batch((0..flow.config().dims()).map(|i| (i as f32 * 0.1).sin()).collect(), &Default::default()).unwrap();
    flow.log_prob(x).into_data().to_vec::<f32>().unwrap()[0]
}

#[test]
fn files_come_back_as_they_went() {
    for (precision, tolerance) in [(Precision::F32, 0.0), (Precision::F16, 2.0)] {
        let (config, file, bytes) = exported(precision);
        let back = ModelFile::from_bytes(&bytes).unwrap();
        assert_eq!((&back.config, &back.card), (&config, &file.card));
        assert!((log_prob(&back) - log_prob(&file)).abs() <= tolerance);
    }
    assert!(exported(Precision::F16).2.len() * 19 < exported(Precision::F32).2.len() * 11);
}

#[test]
fn a_sampler_comes_back_and_files_without_one_have_none() {
    let (config, mut file, bytes) = exported(Precision::F16);
    assert!(ModelFile::from_bytes(&bytes).unwrap().sampler.is_none());
    let dims = config.dims();
    let unit = |at: usize| (0..dims).map(move |i| if i == at { 1.0 } else { 0.0 });
    let mean = (0..dims).map(|i| i as f32 / dims as f32).collect();
    file.sampler = Some(Sampler::new(mean, unit(3).chain(unit(700)).collect(), vec![4.0, 2.5]).unwrap());
    let with = file.to_bytes(Precision::F32).unwrap();
    let back = ModelFile::from_bytes(&with).unwrap();
    assert_eq!(back.sampler, file.sampler);
    assert_eq!(log_prob(&back), log_prob(&file));
    let half = ModelFile::from_bytes(&file.to_bytes(Precision::F16).unwrap()).unwrap().sampler.unwrap();
    assert_eq!(half.variances(), [4.0, 2.5]);
    // Of the three tensors one is renamed.
    let name = b"sampler.directions";
    let at = with.windows(name.len()).position(|part| part == name).unwrap();
    let mut torn = with.clone();
    torn[at] = b'x';
    assert!(ModelFile::from_bytes(&torn).unwrap_err().to_string().contains("sampler.directions is missing"));
}

#[test]
fn a_file_says_how_new_a_reader_it_needs() {
    let plain = RgFlowConfig::tiny();
    let maps = RgFlowConfig { linear_maps: true, ..plain.clone() };
    let splines = RgFlowConfig { coupling: CouplingKind::Spline(4), ..plain.clone() };
    let places = RgFlowConfig { place_features: 2, ..plain.clone() };
    let shared = plain.clone().shared();
    for (config, version) in [(plain, 1), (maps, 2), (splines, 3), (places, 5), (shared, 6)] {
        let model = RgFlow::<Flex>::random(&config, 0.05, 1, &Default::default()).unwrap();
        let file = ModelFile::from_model(&model, Card::default());
        let bytes = file.to_bytes(Precision::F32).unwrap();
        let header = String::from_utf8_lossy(&bytes);
        assert!(header.contains(&format!("\"format_version\":\"{version}\"")), "{config:?}");
        assert_eq!(log_prob(&ModelFile::from_bytes(&bytes).unwrap()), log_prob(&file));
    }
}

#[test]
fn truncated_files_are_refused_at_every_length() {
    let (_, _, bytes) = exported(Precision::F16);
    for len in (0..bytes.len()).step_by(997).chain([bytes.len() - 1]) {
        assert!(ModelFile::from_bytes(&bytes[..len]).is_err(), "{len}");
    }
}

#[test]
fn other_files_are_named_for_what_they_are() {
    let (_, _, bytes) = exported(Precision::F16);
    let replaced = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let at = bytes.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
        let mut bytes = bytes.clone();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        ModelFile::from_bytes(&bytes).unwrap_err().to_string()
    };
    assert!(replaced("\"rg-flow\"", "\"bg-flow\"").contains("not one of a model"));
    assert!(replaced("\"format_version\":\"2\"", "\"format_version\":\"7\"").contains("version"));
    assert!(replaced("\\\"hidden\\\":12", "\\\"hidden\\\":13").contains("shape"));
    assert!(replaced("\\\"size\\\":16", "\\\"size\\\":17").contains("size is 17"));
    assert!(replaced("levels.1.decimator.scale", "levels.1.decimator.scalp").contains("levels.1.decimator.scale"));
    assert!(ModelFile::from_bytes(b"GIF89a, hello, this is no model").is_err());
}

#[test]
fn numbers_that_are_not_finite_do_not_leave_or_enter() {
    let (config, _, _) = exported(Precision::F32);
    let mut model = RgFlow::<Flex>::random(&config, 0.15, 1, &Default::default()).unwrap();
    model.bijectors[0].scale = model.bijectors[0].scale.clone().map(|s| s * f32::INFINITY);
    let error = ModelFile::from_model(&model, Card::default()).to_bytes(Precision::F32).unwrap_err();
    assert!(error.to_string().contains("levels.0.disentangler.scale"), "{error}");
    let mut model = RgFlow::<Flex>::random(&config, 0.15, 1, &Default::default()).unwrap();
    let entry = model.bijectors[1].entry.as_mut().unwrap();
    entry.weight = entry.weight.clone().map(|w| w * 0.0);
    let bytes = ModelFile::from_model(&model, Card::default()).to_bytes(Precision::F32).unwrap();
    let error = ModelFile::from_bytes(&bytes).unwrap().into_flow::<Flex>(&Default::default()).unwrap_err();
    assert!(error.to_string().contains("levels.0.decimator.entry cannot be inverted"), "{error}");
    let (_, _, mut bytes) = exported(Precision::F32);
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    assert!(ModelFile::from_bytes(&bytes).unwrap_err().to_string().contains("not finite"));
}
