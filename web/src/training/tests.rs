use burn_flex::Flex;
use shared::RgFlow;
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

/// A run whose model is no longer the identity.
fn random() -> Training<Flex> {
    let set = Set::new(own(), 3).unwrap();
    let model = RgFlow::random(&ModelSize::Small.config(), 0.05, 7, &Default::default()).unwrap();
    Training::of(ModelSize::Small, recipe(0.01, true, 3), set, Model::RgFlow(model), Default::default())
}

/// Another worker's replica, as it is sent.
fn replica(run: &Training<Flex>) -> Replica {
    Replica::from_bytes(&now(run.without_pictures()).unwrap()).unwrap()
}

/// What all find for the next step, before the last of them answers; its answer.
fn found(run: &mut Training<Flex>, replicas: &mut [Replica]) -> (Sum, Vec<u8>) {
    let step = run.steps();
    let mut parts = run.parts(replicas.len() + 1).into_iter();
    let mut sum = now(run.own_share(parts.next().unwrap())).unwrap();
    let answers = replicas.iter_mut().zip(parts).map(|(replica, part)| now(replica.share(step, part)).unwrap());
    let mut answers: Vec<_> = answers.collect();
    let last = answers.pop().unwrap();
    answers.iter().for_each(|answer| sum.add(answer).unwrap());
    (sum, last)
}

/// How far apart numbers are at most.
fn apart(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).fold(0.0, |most, (a, b)| most.max((a - b).abs()))
}

#[test]
fn steps_in_shares_are_whole_steps() {
    let start = kept(&random());
    let whole = kept(&steps(random(), 6));
    let gone = apart(&parameters(&start).unwrap(), &parameters(&whole).unwrap());
    for others in [1, 2] {
        let mut run = random();
        let mut replicas: Vec<_> = (0..others).map(|_| replica(&run)).collect();
        for _ in 0..6 {
            let (mut sum, last) = found(&mut run, &mut replicas);
            sum.add(&last).unwrap();
            let (rate, bytes) = (run.rate(), sum.to_bytes());
            replicas = replicas.into_iter().map(|replica| now(replica.settle(rate, &bytes)).unwrap()).collect();
            let (next, taken) = now(run.take_sum(sum));
            taken.unwrap();
            run = next;
            run.spend(10.0);
        }
        let bytes = kept(&run);
        let off = apart(&parameters(&bytes).unwrap(), &parameters(&whole).unwrap());
        assert!(off < 1e-4 && off < 0.1 * gone, "{others} others: off by {off}, {gone} from the start");
        let mut ends = [steps(random(), 6), run].map(|mut run| now(run.look(false)).unwrap());
        let [one, other] = ends.each_mut().map(|end| end.curve.pop().unwrap());
        let bits = (one.train.unwrap() - other.train.unwrap()).abs().max((one.held_out - other.held_out).abs());
        assert!(bits < 1e-4, "{one:?} {other:?}");
        // The others' are the same, bit by bit.
        for replica in &replicas {
            assert!(parameters(&kept(&replica.run)).unwrap() == parameters(&bytes).unwrap());
        }
    }
}

#[test]
fn a_lost_share_leaves_the_run_as_if_it_had_learned_alone() {
    let mut run = steps(random(), 2);
    let mut replicas = [replica(&run), replica(&run)];
    let (mut sum, last) = found(&mut run, &mut replicas);
    let before = sum.to_bytes();
    let mut infinite = last.clone();
    infinite[4..8].copy_from_slice(&f32::INFINITY.to_le_bytes());
    for damaged in [&[], &last[4..], &infinite[..], &[last.as_slice(), &[0; 4]].concat()] {
        assert!(sum.add(damaged).is_err());
    }
    assert!(sum.to_bytes() == before);
    // Its step is taken alone, and all that follow.
    assert!(kept(&steps(run, 3)) == kept(&steps(random(), 5)));
}

#[test]
fn a_replica_that_is_not_where_the_others_are_says_so() {
    let mut run = steps(random(), 2);
    let mut behind = replica(&random());
    let part = run.parts(2).pop().unwrap();
    assert!(now(behind.share(run.steps(), part.clone())).is_err());
    let mut with = replica(&run);
    for pixels in [vec![], vec![7; 100], vec![7; 17 * 3072]] {
        assert!(now(with.share(run.steps(), shares::Part { pixels, ..part.clone() })).is_err());
    }
    let share = now(with.share(run.steps(), part.clone())).unwrap();
    assert!(now(replica(&run).settle(0.01, &share)).is_err());
    assert!(now(with.settle(0.01, &share[4..])).is_err());
}
