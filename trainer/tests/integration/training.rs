//! Runs of the trainer on the CPU: that they learn, go on exactly, and end well when they cannot go on.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use shared::real_nvp::RealNvpConfig;
use shared::train::Recipe;
use shared::{LevelConfig, RgFlowConfig};
use trainer::data::{Dataset, ImageSet};
use trainer::device::{DeviceChoice, Devices};
use trainer::error::Error;
use trainer::train::checkpoint;
use trainer::train::folder::RunFolder;
use trainer::train::metrics::Line;
use trainer::train::state::RunState;
use trainer::train::{Outcome, Training, newest};

fn config() -> RgFlowConfig {
    RgFlowConfig::new(8, vec![LevelConfig { layers: 1, res_blocks: 1, mlp: 1, hidden: 8 }; 2])
}

/// Images of one smooth colour each: easy to learn.
fn images(name: &str, count: usize) -> ImageSet {
    let pixels = (0..count * 3 * 64).map(|i| ((i / 64 * 37) % 200 + i % 64 / 8 * 3) as u8).collect();
    ImageSet::new(name, 8, pixels, None).unwrap()
}

pub fn training(out: &Path, steps: u64) -> Training {
    let recipe = Recipe { batch: 16, learning_rate: 0.02, warmup: 2, ema: 0.9, ..Recipe::cosine(30) };
    Training {
        state: RunState::new(config().into(), recipe, "smooth".into()),
        resume: None,
        dataset: Dataset {
            name: "smooth".into(),
            train: images("smooth", 50),
            test: images("smooth-test", 10),
            licence: None,
            description: String::new(),
            notes: vec![],
            mirrors: true,
        },
        folder: RunFolder::open(out, None).unwrap(),
        checkpoint_every: steps,
        keep: 2,
        test_images: 10,
        log_every: None,
        tensorboard: true,
        weights: None,
        max_minutes: None,
        interrupted: Arc::new(AtomicBool::new(false)),
        probe: Default::default(),
    }
}

/// The same from a checkpoint on.
fn resumed(out: &Path, at: &Path, steps: u64) -> Training {
    let elsewhere = tempfile::tempdir().unwrap();
    Training {
        state: RunState::read(at).unwrap(),
        resume: Some(at.to_path_buf()),
        folder: RunFolder::open(out, Some(at)).unwrap(),
        ..training(elsewhere.path(), steps)
    }
}

fn run(training: Training) -> Result<Outcome, Error> {
    trainer::train::run(DeviceChoice::Cpu, training)
}

pub fn lines(folder: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

fn without_times(lines: Vec<Line>) -> Vec<Line> {
    lines.into_iter().map(|l| Line { seconds: 0.0, ..l }).collect()
}

#[test]
fn a_run_on_two_devices_is_that_of_one_and_goes_on_on_either() {
    let on =
        |devices: &str, training: Training| trainer::train::run(devices.parse::<Devices>().unwrap(), training).unwrap();
    let (one, two, more) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let eight = |out: &Path| {
        let mut run = Training { log_every: Some(1), ..training(out, 4) };
        run.state.recipe.steps = 8;
        run
    };
    on("cpu", eight(one.path()));
    on("cpu,cpu", eight(two.path()));
    let alike = |other: &Path| {
        let (a, b) = (lines(one.path()), lines(other));
        assert_eq!(a.len(), b.len());
        for (a, b) in a.iter().zip(&b) {
            assert_eq!((a.step, a.images), (b.step, b.images));
            assert!((a.train.unwrap() - b.train.unwrap()).abs() < 1e-3, "{a:?} {b:?}");
            assert!(a.test.zip(b.test).is_none_or(|(a, b)| (a - b).abs() < 1e-3), "{a:?} {b:?}");
        }
    };
    alike(two.path());
    // What two devices left resumes on one, and what one left on two.
    let half = |run: &Path| run.join("checkpoints").join(checkpoint::name(4));
    for (from, devices) in [(two.path(), "cpu"), (one.path(), "cpu,cpu")] {
        let out = more.path().join(devices);
        let rest = Training { log_every: Some(1), ..resumed(&out, &half(from), 4) };
        on(devices, rest);
        alike(&out);
    }
}

#[test]
fn a_run_learns_and_leaves_what_it_promises() {
    let dir = tempfile::tempdir().unwrap();
    let outcome = run(training(dir.path(), 10)).unwrap();
    let lines = lines(dir.path());
    assert_eq!((outcome.step, lines.len()), (30, 3));
    assert!(lines[2].train.unwrap() < lines[0].train.unwrap() - 0.1, "{lines:?}");
    assert!(lines.iter().all(|l| l.test.is_some() && l.grad_norm.unwrap() > 0.0));
    let kept = checkpoint::list(&dir.path().join("checkpoints")).unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!((kept.last(), newest(dir.path()).unwrap()), (Some(&outcome.checkpoint), outcome.checkpoint.clone()));
    for picture in ["curve.png", "samples/step-00000010.png", "samples/step-00000030.png"] {
        assert!(image::open(dir.path().join(picture)).unwrap().width() > 100, "{picture}");
    }
}

#[test]
fn a_resumed_run_takes_the_same_steps() {
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    run(training(whole.path(), 5)).unwrap();
    // Stopped at once, by the clock, as Ctrl-C and --max-minutes do.
    let stopped = run(Training { max_minutes: Some(0.0), ..training(parts.path(), 5) }).unwrap();
    assert_eq!(stopped.step, 1);
    let mut at = stopped.checkpoint;
    for interrupted in [true, false] {
        let interrupted = Arc::new(AtomicBool::new(interrupted));
        at = run(Training { interrupted, ..resumed(parts.path(), &at, 5) }).unwrap().checkpoint;
    }
    let of = |dir: &Path| without_times(lines(dir)).into_iter().filter(|l| l.step > 5).collect::<Vec<_>>();
    assert_eq!(of(whole.path()), of(parts.path()));
    assert_eq!(of(whole.path()).len(), 5);
}

#[test]
fn a_real_nvp_is_trained_saved_and_resumed_alike() {
    let dir = tempfile::tempdir().unwrap();
    let first = training(dir.path(), 10);
    let state = RunState::new(RealNvpConfig::tiny().into(), first.state.recipe.clone(), "smooth".into());
    let at = run(Training { state, ..first }).unwrap().checkpoint;
    let lines = lines(dir.path());
    assert!(lines[2].train.unwrap() < lines[0].train.unwrap() - 0.1, "{lines:?}");
    assert_eq!(run(with(resumed(dir.path(), &at, 10), |recipe| recipe.steps = 32)).unwrap().step, 32);
}

fn with(training: Training, change: impl Fn(&mut Recipe)) -> Training {
    let mut recipe = training.state.recipe.clone();
    change(&mut recipe);
    Training { state: training.state.with_recipe(recipe), ..training }
}

#[test]
fn a_resumed_run_may_be_made_longer() {
    let dir = tempfile::tempdir().unwrap();
    let at = run(training(dir.path(), 10)).unwrap().checkpoint;
    let longer = run(with(resumed(dir.path(), &at, 10), |recipe| recipe.steps = 33)).unwrap();
    assert_eq!(longer.step, 33);
}

#[test]
fn training_that_diverges_says_how_to_go_on_from_the_last_good_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let at = run(training(dir.path(), 10)).unwrap().checkpoint;
    let wild = with(resumed(dir.path(), &at, 100), |recipe| {
        *recipe = Recipe { learning_rate: 1e30, warmup: 0, cosine: false, steps: 60, ..recipe.clone() };
    });
    match run(wild) {
        Err(error @ Error::Diverged { .. }) => {
            let (error, at) = (error.to_string(), at.display());
            assert!(error.contains(&format!("--resume {at} --learning-rate ")), "{error}");
        }
        other => panic!("{other:?}"),
    }
    assert!(at.exists());
    // What it says to do is taken.
    let tame = with(resumed(dir.path(), &at, 10), |recipe| {
        *recipe = Recipe { learning_rate: 0.005, steps: 40, ..recipe.clone() };
    });
    let end = run(tame).unwrap();
    assert_eq!((end.step, RunState::read(&end.checkpoint).unwrap().recipe.learning_rate), (40, 0.005));
}

#[test]
fn an_average_that_begins_late_begins_at_the_weights() {
    let dir = tempfile::tempdir().unwrap();
    let first = training(dir.path(), 100);
    let plain = run(with(first, |recipe| recipe.ema = 0.0)).unwrap();
    let test = plain.test.unwrap();
    let at = plain.checkpoint;
    let averaged = with(resumed(dir.path(), &at, 100), |recipe| {
        *recipe = Recipe { ema: 0.99, steps: 31, learning_rate: 1e-9, ..recipe.clone() };
    });
    // So slow a step changes next to nothing; an average with the weights of a new model would.
    assert!((run(averaged).unwrap().test.unwrap() - test).abs() < 1e-3);
}

#[test]
fn checkpoints_that_are_not_whole_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let at = run(training(dir.path(), 30)).unwrap().checkpoint;
    let bytes = std::fs::read(&at).unwrap();
    let broken = dir.path().join("broken.ckpt");
    let resume = |bytes: &[u8]| {
        std::fs::write(&broken, bytes).unwrap();
        let found = RunState::read(&broken).and_then(|state| {
            let elsewhere = tempfile::tempdir().unwrap();
            run(Training { state, resume: Some(broken.clone()), ..training(elsewhere.path(), 30) })
        });
        let error = found.unwrap_err().to_string();
        assert!(error.contains("broken.ckpt") && error.contains("; "), "{error}");
    };
    for len in [0, 7, 100, bytes.len() / 2, bytes.len() - 1] {
        resume(&bytes[..len]);
    }
    let mut flipped = bytes.clone();
    let middle = bytes.len() / 2;
    flipped[middle - 2000..middle].fill(0xC1);
    resume(&flipped);
    // A parameter's name is none.
    let mut nameless = bytes.clone();
    let id = bytes.windows(4).position(|w| w == b"\xa2id\xad").unwrap();
    nameless[id + 4] = b'!';
    resume(&nameless);
    // The same file says another architecture.
    let hidden = b"\\\"hidden\\\":8";
    let at = bytes.windows(hidden.len()).position(|w| w == hidden).unwrap();
    let mut other = bytes;
    other[at + hidden.len() - 1] = b'9';
    resume(&other);
    assert!(newest(&PathBuf::from("/no/such/run.ckpt")).is_ok());
    assert!(newest(&tempfile::tempdir().unwrap().keep()).unwrap_err().to_string().contains("no checkpoint"));
}

#[test]
fn data_of_another_size_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut wrong = training(dir.path(), 10);
    wrong.state = RunState::new(RgFlowConfig::tiny().into(), wrong.state.recipe, "smooth".into());
    assert!(run(wrong).unwrap_err().to_string().contains("16×16"));
}
