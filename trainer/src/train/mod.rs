//! Training: the loop, and what it leaves in the run's folder.
//!
//! ```text
//! DIR/checkpoints/step-00001000.ckpt   the newest few; any of them resumes the run exactly
//! DIR/best.ckpt                        the one that scored best on test images
//! DIR/metrics.jsonl, DIR/curve.png     bits/dim by images seen, a line every hundred steps and at each checkpoint, there with scores
//! DIR/events.out.tfevents.*            the same for TensorBoard, with the sheets; a file for each start
//! DIR/samples/step-00001000.png        a sheet of samples at each checkpoint
//! DIR/.lock                            locked while a run is at work
//! ```

pub mod action;
pub mod best;
pub mod checkpoint;
pub mod folder;
pub mod metrics;
mod peers;
pub mod probe;
mod progress;
mod record;
pub mod state;
mod tensorboard;
pub mod timed;
mod trouble;
mod watch;

use std::cell::OnceCell;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use burn::module::AutodiffModule;
use shared::train::{self as learning, AdamW, Batches, TrainBackend, flips, whiten};
use shared::weights::AnyModelFile;
use shared::{Model, ModelConfig, RgFlowConfig};

use self::action::Objective;
use self::best::BestBy;
use self::checkpoint::Run;
use self::folder::RunFolder;
pub use self::folder::newest;
use self::peers::Peers;
use self::probe::Probe;
use self::progress::Progress;
use self::record::line;
use self::state::RunState;
use self::watch::{Seen, Watch, is_number};
use crate::data::Dataset;
use crate::device::{Devices, Job, dispatch};
use crate::error::{Error, Result};
use crate::evaluate::suits;
use crate::lattice::Phi4;

/// What to train, and where to leave it.
pub struct Training {
    /// Where the run stands, at its start or where it is resumed, with changes made.
    pub state: RunState,
    /// The checkpoint to resume from.
    pub resume: Option<PathBuf>,
    /// The images.
    pub dataset: Dataset,
    /// The run's folder.
    pub folder: RunFolder,
    /// Steps between checkpoints.
    pub checkpoint_every: u64,
    /// Checkpoints kept.
    pub keep: usize,
    /// Test images evaluated at each checkpoint.
    pub test_images: usize,
    /// Steps between lines of the metrics, and of the output, which has one every few seconds otherwise.
    pub log_every: Option<u64>,
    /// Whether to write event files for TensorBoard.
    pub tensorboard: bool,
    /// Weights that a new run starts from.
    pub weights: Option<AnyModelFile>,
    /// Stop after this many minutes.
    pub max_minutes: Option<f64>,
    /// Set by Ctrl-C: save and stop.
    pub interrupted: Arc<AtomicBool>,
    /// Made at the first checkpoint.
    pub probe: OnceCell<Probe>,
}

/// Default of the steps between lines of the metrics.
const LOG_EVERY: u64 = 100;

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The last checkpoint.
    pub checkpoint: PathBuf,
    /// Steps taken in all.
    pub step: u64,
    /// Last measured test bits/dim.
    pub test: Option<f64>,
}

/// Trains on a device, or on several that share each batch.
///
/// # Errors
/// A device that is not there, data that do not fit, checkpoints that cannot be read, training that diverges.
pub fn run(devices: impl Into<Devices>, training: Training) -> Result<Outcome> {
    let devices = devices.into();
    dispatch(devices.first(), OnDevices { training, devices })
}

struct OnDevices {
    training: Training,
    devices: Devices,
}

impl Job for OnDevices {
    type Output = Outcome;

    fn run<B: TrainBackend>(self, device: B::Device) -> Result<Outcome> {
        let Self { training, devices } = self;
        training.check()?;
        let run = match &training.resume {
            Some(path) => training.go_on::<B>(path, &device)?,
            None => training.start::<B>(&device)?,
        };
        let peers = Peers::new(&run, devices.on::<B>(&device))?;
        training.train(run, peers, &device)
    }
}

impl Training {
    fn start<B: TrainBackend>(&self, device: &B::Device) -> Result<Run<B>> {
        let RunState { config, recipe, .. } = &self.state;
        recipe.validate().map_err(Error::recipe)?;
        let model = match &self.weights {
            // They fit the data that they were trained on; whitening would overwrite them.
            Some(file) => file.to_model::<B>(device).map_err(Error::model("--from".as_ref()))?,
            // Whitening would use the data.
            None if self.state.objective == Objective::Action => {
                Model::new(config, recipe.seed, device).map_err(Error::model("--config".as_ref()))?
            }
            None => {
                let train = &self.dataset.train;
                let first = train.values(&(0..train.len().min(whiten::IMAGES)).collect::<Vec<_>>(), &[]);
                learning::start::<B>(config, &first, recipe.seed, device).map_err(Error::model("--config".as_ref()))?
            }
        };
        let average = model.valid();
        Ok(Run { optimizer: AdamW::new(&average), average, model, state: self.state.clone() })
    }

    fn go_on<B: TrainBackend>(&self, path: &Path, device: &B::Device) -> Result<Run<B>> {
        self.state.recipe.validate().map_err(Error::recipe)?;
        let mut run = Run::<B>::load(path, device)?;
        if run.state.recipe.ema == 0.0 && self.state.recipe.ema > 0.0 {
            // So far nothing was averaged.
            run.average = run.model.valid();
        }
        run.state = self.state.clone();
        Ok(run)
    }

    /// The couplings whose action is trained by, and the model's architecture, if it is.
    fn action(&self) -> Result<Option<(Phi4, RgFlowConfig)>> {
        match (self.state.objective, &self.state.config) {
            (Objective::Likelihood, _) => Ok(None),
            (Objective::Action, ModelConfig::RgFlow(config)) if config.channels == 1 => {
                Ok(Some((self.state.data.parse()?, config.clone())))
            }
            (Objective::Action, _) => {
                let problem = "an action is that of a field with one channel";
                Err(Error::usage("--objective", problem, "train a model of fields: --preset phi4 --data phi4"))
            }
        }
    }

    /// Whether the data fit the model, and what is asked of them.
    fn check(&self) -> Result<()> {
        if self.state.best_by == BestBy::Quality && !probe::enough(&self.dataset) {
            let (train, test) = (self.dataset.train.len(), self.dataset.test.len());
            let problem =
                format!("{train} training and {test} test images; scoring samples takes {} of each", probe::SAMPLES);
            return Err(Error::usage("--best-by", problem, "use --best-by bits, or give more images"));
        }
        self.action()?;
        suits(self.state.config.data(), self.dataset.train.kind())?;
        suits(self.state.config.data(), self.dataset.test.kind())?;
        let (train, [channels, size]) = (&self.dataset.train, self.state.config.image_shape());
        if (train.size, train.channels) == (size, channels) && !train.is_empty() {
            return Ok(());
        }
        Err(Error::Usage {
            option: "--data".into(),
            problem: format!(
                "{} images of {}×{}×{}, but the model takes {}×{}×{}",
                train.len(),
                train.channels,
                train.size,
                train.size,
                channels,
                size,
                size
            ),
            advice: "use data of that size, or another --preset or --config".into(),
        })
    }

    fn train<B: TrainBackend>(&self, mut run: Run<B>, mut peers: Peers<B>, device: &B::Device) -> Result<Outcome> {
        let recipe = run.state.recipe.clone();
        let done = run.state.step >= recipe.steps;
        if let Some(path) = self.resume.as_ref().filter(|_| done)
            && !(self.folder.owns(path) && self.folder.later(run.state.step)?.is_empty())
        {
            return self.finished(path, &run.state, None);
        }
        let mut log = self.log(&mut run, device)?;
        if let Some(path) = self.resume.as_ref().filter(|_| done) {
            return self.finished(path, &run.state, log.metrics.at(run.state.step));
        }
        let action = self.action()?;
        let mut batches = Batches::new(self.dataset.train.len(), recipe.batch, recipe.seed);
        let mut progress = Progress::new(&run.state, self.log_every);
        let log_every = self.log_every.unwrap_or(LOG_EVERY);
        let limit = self.max_minutes.and_then(|minutes| Duration::try_from_secs_f64(minutes * 60.0).ok());
        let begin = Instant::now();
        let mut clock = begin;
        let mut outcome = None;
        let mut watch = Watch::new();
        // The checkpoint to go back to from where the loss has gone.
        let mut spared = None;
        while run.state.step < recipe.steps {
            let number = run.state.step;
            let Run { model, optimizer, average, state } = run;
            let (model, optimizer, measured) = if let Some((couplings, config)) = &action {
                action::step(model, optimizer, (&recipe, config), number, couplings, device)
            } else {
                let mirror =
                    if recipe.flips { flips(recipe.batch, recipe.seed, number) } else { vec![false; recipe.batch] };
                let values = self.dataset.train.values(&batches.indexes(number), &mirror);
                peers.step(model, optimizer, number, &values, state.images())?
            };
            run = Run { model, optimizer, average, state };
            match watch.see(&measured) {
                Seen::Fine => {}
                // Many of them are told less and less often.
                Seen::Skipped(count) if count.is_power_of_two() => {
                    progress.note(&self.skipped(number, measured, count))
                }
                Seen::Skipped(_) => {}
                Seen::Hopeless => return Err(self.diverged(number, measured, &watch, spared)),
                Seen::Left { from, to } => {
                    spared = self.good(number);
                    progress.note(&self.left(number, [from, to], spared.as_deref()));
                }
                Seen::Back => {
                    spared = None;
                    progress.note(&format!("step {number}: the loss has come back"));
                }
            }
            if recipe.ema > 0.0 && is_number(&measured) {
                run.average = learning::average::<B>(run.average, &run.model, recipe.ema_at(number));
            }
            run.state.advance(is_number(&measured).then_some(measured));
            let heard = progress.step(&run.state);
            let late = limit.is_some_and(|limit| begin.elapsed() >= limit);
            // Where nobody can hear it any more a run ends as by Ctrl-C: it loses nothing.
            let stop = late || self.interrupted.load(Ordering::Relaxed) || heard.is_err();
            let step = run.state.step;
            let last = stop || step == recipe.steps;
            // Weights of which nobody knows whether they still give numbers are no checkpoint.
            if last && !watch.is_sound() {
                return Err(self.diverged(number, measured, &watch, spared));
            }
            if last || step.is_multiple_of(self.checkpoint_every) && watch.is_sound() {
                run.state.spend(clock.elapsed());
                let saving = Instant::now();
                let reached = self.checkpoint(&mut run, &mut log, spared.as_deref(), device)?;
                if !last {
                    let name = reached.checkpoint.display().to_string();
                    let unit = run.state.config.data().unit();
                    let of = if action.is_some() { "of log q + S" } else { "on test images" };
                    progress.checkpoint(step, reached.test, &format!("{unit} {of}"), &name, saving.elapsed())?;
                }
                outcome = Some(reached);
                clock = Instant::now();
            } else if step.is_multiple_of(log_every) {
                run.state.spend(clock.elapsed());
                log.metrics.add(line(&mut run.state, None, None))?;
                clock = Instant::now();
            }
            match heard {
                Err(Error::Output { source }) if source.kind() == ErrorKind::BrokenPipe => {
                    let problem = format!("it was closed, so the run stopped, and was saved, at step {step}");
                    let advice = format!("`trainer train --resume {}` goes on", self.folder.path().display());
                    return Err(Error::content("standard output", problem, advice));
                }
                heard => heard?,
            }
            if stop {
                break;
            }
        }
        progress.finish();
        match outcome {
            Some(outcome) => Ok(outcome),
            None => self.checkpoint(&mut run, &mut log, None, device),
        }
    }
}
