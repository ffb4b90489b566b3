use burn_flex::Flex;
use shared::msds::{Msds, Part};
use shared::weights::ModelFile;

use super::*;
use crate::engine::Engine;
use crate::protocol::{Drawing, Pictures};

/// A CPU backend answers at once.
fn now<T>(future: impl Future<Output = T>) -> T {
    match std::pin::pin!(future).poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("the CPU made us wait"),
    }
}

fn plan(pictures: Pictures) -> Plan {
    Plan { size: ModelSize::Small, pictures, rate: 0.01, seed: 2 }
}

/// Thirty pictures of ovals, as a reader's own.
fn own() -> Pictures {
    let picture = |i| {
        let planar = Msds::Msds1.picture(4, 9, Part::Train, i);
        (0..3072).map(|k| planar[k % 3 * 1024 + k / 3]).collect::<Vec<u8>>()
    };
    Pictures::Own { rgb: (0..30).flat_map(picture).collect::<Vec<u8>>().into(), mirrored: true }
}

fn begin(pictures: Pictures) -> Training<Flex> {
    Training::begin(plan(pictures), Default::default()).unwrap()
}

/// What the browser would keep of it.
fn kept(training: &Training<Flex>) -> Vec<u8> {
    now(training.to_bytes()).unwrap()
}

fn steps(mut training: Training<Flex>, count: usize) -> Training<Flex> {
    for _ in 0..count {
        let (next, taken) = now(training.step());
        taken.unwrap();
        training = next;
        training.spend(10.0);
    }
    training
}

/// What `trainer train` measured, which tests there hold it to: see `trainer/tests/integration/ten_steps.rs`.
#[derive(serde::Deserialize)]
struct TenSteps {
    config: RgFlowConfig,
    pictures: u64,
    bits_per_dim: Vec<f64>,
}

#[test]
fn the_first_ten_steps_are_those_of_the_native_trainer() {
    let expected: TenSteps = serde_json::from_str(include_str!("../../../shared/tests/ten-steps.json")).unwrap();
    assert_eq!(expected.config, ModelSize::Small.config());
    let picture = |i| Msds::Msds1.picture(4, 0, Part::Train, i);
    let set = Set::of((0..expected.pictures).flat_map(picture).collect(), picture(0), false);
    let recipe = recipe(ModelSize::Small.rate(), true, 0);
    let mut training = Training::<Flex>::start(ModelSize::Small, recipe, set, Default::default()).unwrap();
    for (number, &bits) in expected.bits_per_dim.iter().enumerate() {
        training = steps(training, 1);
        training.spend(1.0);
        let point = now(training.look(false)).unwrap().curve.pop().unwrap();
        let off = (f64::from(point.train.unwrap()) - bits).abs();
        assert!(off < 1e-4 * bits, "step {number}: {point:?} {bits}");
    }
}

#[test]
fn it_learns_and_every_panel_can_use_what_it_learned() {
    let mut training = begin(own());
    let first = now(training.run(false)).unwrap();
    assert_eq!((first.pictures, first.held_out, first.own, first.learned.step), (27, 3, true, 0));
    assert_eq!((first.learned.samples.len(), first.learned.curve[0].train), (16, None));
    let mut training = steps(training, 40);
    let then = now(training.look(true)).unwrap();
    assert_eq!((then.step, then.images, then.millis, then.kept), (40, 640, 400.0, true));
    assert!(then.curve[1].held_out < first.learned.curve[0].held_out - 0.02, "{:?}", then.curve);
    assert!((then.speed - 1600.0).abs() < 1e-6 && then.samples != first.learned.samples);
    let engine = Engine::<Flex>::from_bytes(&training.weights().unwrap(), Default::default()).unwrap();
    let drawing = Drawing::independent(engine.card().recommended(shared::sampler::Latents::Independent).unwrap());
    let drawn = now(engine.samples(SAMPLE_SEED, &[5], &drawing)).unwrap().remove(0);
    // Stored numbers have 11 bits.
    let off = drawn.rgba.iter().zip(then.samples[5].rgba.iter()).map(|(a, b)| a.abs_diff(*b) as u32).sum::<u32>();
    assert!(off < 4 * 1024, "{off}");
    let card = engine.card();
    assert_eq!(
        (card.images_seen, card.bits_per_dim.map(|bits| bits as f32)),
        (640, { Some(((f64::from(then.curve[1].held_out) * 1e4).round() / 1e4) as f32) })
    );
}

#[test]
fn a_kept_run_goes_on_as_if_nothing_had_happened() {
    for pictures in [own(), Pictures::Ovals] {
        let training = steps(begin(pictures), 3);
        let bytes = kept(&training);
        let again = Training::<Flex>::from_bytes(&bytes, Default::default()).unwrap();
        assert!(kept(&again) == bytes);
        let mut ends = [steps(training, 3), steps(again, 3)];
        assert!(ends[0].weights().unwrap() == ends[1].weights().unwrap());
        let [one, other] = ends.each_mut().map(|end| now(end.run(true)).unwrap());
        assert!(one == other);
        assert!(kept(&ends[0]) == kept(&ends[1]));
    }
}

#[test]
fn the_file_is_one_that_training_can_start_from() {
    let training = steps(begin(Pictures::Ovals), 2);
    let file = ModelFile::from_bytes(&training.weights().unwrap()).unwrap();
    assert_eq!((file.config.clone(), file.card.dataset.as_str()), (ModelSize::Small.config(), "msds1"));
    file.to_model::<Autodiff<Flex>>(&Default::default()).unwrap();
}

#[test]
fn what_is_no_kept_run_is_refused() {
    let bytes = kept(&steps(begin(own()), 1));
    let refused = |bytes: &[u8]| match Training::<Flex>::from_bytes(bytes, Default::default()) {
        Ok(_) => panic!("it was taken"),
        Err(error) => error.to_string(),
    };
    for end in [0, 7, 100, 4000, bytes.len() - 1] {
        assert!(refused(&bytes[..end]).contains("damaged"), "{end}");
    }
    let replaced = |from: &str, to: &str| {
        let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
    };
    let mut ages = steps(begin(own()), 1);
    ages.step = u64::MAX;
    assert!(refused(&kept(&ages)).contains("damaged"));
    for (from, to) in [("page-run-1", "page-run-2"), ("small", "large"), ("first_moment", "first_Moment")] {
        assert!(refused(&replaced(from, to)).contains("damaged"), "{to}");
    }
}

#[test]
fn a_step_beyond_all_numbers_leaves_the_model_as_it_was() {
    let bytes = kept(&steps(begin(own()), 1));
    let mut training = Training::<Flex>::from_bytes(&bytes, Default::default()).unwrap();
    let Model::RgFlow(mut model) = training.model else { panic!("another model") };
    // Whatever is subtracted from the pictures leaves nothing that can be squared.
    model.mean = model.mean.map(|mean| mean.map(|mean| (mean * 1e38).detach().require_grad()));
    training.model = Model::RgFlow(model);
    let before = kept(&training);
    let (after, taken) = now(training.step());
    assert!(taken.unwrap_err().to_string().contains("lower learning rate"));
    assert!(kept(&after) == before);
}

#[test]
fn learning_rates_stay_within_bounds() {
    let mut training = begin(own());
    for (wanted, got) in [(0.003, 0.003), (5.0, LEARNING_RATES.1), (-1.0, LEARNING_RATES.0)] {
        training.set_rate(wanted);
        assert_eq!(now(training.run(false)).unwrap().rate, got);
    }
}
