//! The engine as a browser runs it.
#![cfg(target_arch = "wasm32")]

use burn_flex::Flex;
use shared::msds::{Msds, Part as Share};
use shared::{RgFlowConfig, Temperature};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web::engine::{Engine, random};
use web::protocol::{Draw, Drawing, Last, ModelSize, Part, Picture, Request, Response, Task, from_js, to_js};
use web::training::{self, Set, Training};

wasm_bindgen_test_configure!(run_in_browser);

fn tiny() -> Engine<Flex> {
    let bytes = random::model_bytes(&RgFlowConfig::tiny(), "random").unwrap();
    Engine::from_bytes(&bytes, Default::default()).unwrap()
}

#[wasm_bindgen_test]
async fn a_sample_is_the_native_programs() {
    let rgba = random::probe().await.unwrap();
    assert!(random::is_reference(&rgba), "{:?}", random::fingerprint(&rgba));
    assert!(random::check().await.unwrap());
}

#[wasm_bindgen_test]
async fn samples_differ_and_repeat() {
    let engine = tiny();
    let mut seen: Vec<Vec<u8>> = Vec::new();
    for (seed, index, t) in [(1, 0, 0.8), (1, 1, 0.8), (2, 0, 0.8), (1, 0, 0.4)] {
        let drawing = Drawing::independent(Temperature::uniform(t));
        let rgba = engine.samples(seed, &[index], &drawing).await.unwrap().remove(0).rgba;
        assert_eq!(rgba.len(), 16 * 16 * 4);
        assert!(rgba.chunks(4).any(|pixel| pixel != &rgba[..4]), "a constant picture");
        assert!(rgba.chunks(4).all(|pixel| pixel[3] == 255));
        assert_eq!(engine.samples(seed, &[index], &drawing).await.unwrap()[0].rgba, rgba);
        assert!(!seen.contains(&rgba));
        seen.push(rgba);
    }
}

#[wasm_bindgen_test]
fn a_damaged_model_is_an_error_and_no_crash() {
    let mut bytes = random::model_bytes(&RgFlowConfig::tiny(), "random").unwrap();
    bytes.truncate(1000);
    assert!(Engine::<Flex>::from_bytes(&bytes, Default::default()).is_err());
}

/// What `trainer train` measured at its first steps.
#[derive(serde::Deserialize)]
struct TenSteps {
    pictures: u64,
    bits_per_dim: Vec<f64>,
}

#[wasm_bindgen_test]
async fn training_takes_the_native_programs_steps() {
    let expected: TenSteps = serde_json::from_str(include_str!("../../shared/tests/ten-steps.json")).unwrap();
    let (size, device) = (ModelSize::Small, Default::default());
    let picture = |i| Msds::Msds1.picture(4, 0, Share::Train, i);
    let set = Set::of((0..expected.pictures).flat_map(picture).collect(), picture(0), false);
    let recipe = training::recipe(size.rate(), true, 0);
    let mut training = Training::<Flex>::start(size, recipe, set, device).unwrap();
    for (step, bits) in expected.bits_per_dim.into_iter().enumerate() {
        let (next, taken) = training.step().await;
        taken.unwrap();
        training = next;
        training.spend(1.0);
        let found = training.look(false).await.unwrap().curve.pop().unwrap().train.unwrap();
        assert!((f64::from(found) - bits).abs() < 1e-4 * bits, "step {step}: {found} {bits}");
    }
}

#[wasm_bindgen_test]
fn messages_survive_javascript() {
    let drawing = Drawing::independent(Temperature::mixed(0.8, 0.2, 1));
    let task = Task::Draw(Draw::Samples { seed: (1 << 53) - 1, indices: vec![3, 1], drawing });
    let request = Request::Serve { id: 1, task };
    assert_eq!(from_js::<Request<Task>>(to_js(&request).unwrap()).unwrap(), request);
    let picture = Picture { index: 1, size: 1, rgba: vec![1, 2, 3, 255].into(), bits: 3.5, millis: 0.5 };
    for response in [
        Response::Last { id: 9, last: Last::Done },
        Response::Part { id: 9, part: Part::Picture(picture) },
        Response::Part { id: 9, part: Part::Progress { loaded: 1, total: 2 } },
    ] {
        assert_eq!(from_js::<Response>(to_js(&response).unwrap()).unwrap(), response);
    }
    assert!(from_js::<Response>(wasm_bindgen::JsValue::from_str("hello")).is_err());
}
