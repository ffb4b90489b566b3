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
pub mod state;
mod tensorboard;
pub mod timed;

use std::cell::OnceCell;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use burn::module::AutodiffModule;
use shared::train::{self as learning, AdamW, Batches, Measured, TrainBackend, flips, whiten};
use shared::weights::AnyModelFile;
use shared::{Model, ModelConfig, RgFlowConfig, Temperature};

use self::action::Objective;
use self::best::{Best, BestBy};
use self::checkpoint::Run;
use self::folder::RunFolder;
pub use self::folder::newest;
use self::metrics::{Line, Metrics};
use self::peers::Peers;
use self::probe::Probe;
use self::progress::Progress;
use self::state::{Recent, RunState};
use crate::data::Dataset;
use crate::device::{Devices, Job, dispatch};
use crate::drawing::Drawing;
use crate::error::{Error, Result};
use crate::evaluate::{bits_per_dim, suits};
use crate::figures::sheet;
use crate::lattice::Phi4;
use crate::output::say;
use crate::quality::Scores;

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

/// Samples on a checkpoint's sheet.
const SHEET: usize = 32;
/// Default of the steps between lines of the metrics.
const LOG_EVERY: u64 = 100;

/// What a run writes as it goes.
struct Log {
    metrics: Metrics,
    best: Best,
}

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
            if !(measured.bits_per_dim.is_finite() && measured.grad_norm.is_finite()) {
                return Err(self.diverged(number, measured, recipe.learning_rate));
            }
            if recipe.ema > 0.0 {
                run.average = learning::average::<B>(run.average, &run.model, recipe.ema_at(number));
            }
            run.state.advance(measured);
            let heard = progress.step(&run.state);
            let late = limit.is_some_and(|limit| begin.elapsed() >= limit);
            // Where nobody can hear it any more a run ends as by Ctrl-C: it loses nothing.
            let stop = late || self.interrupted.load(Ordering::Relaxed) || heard.is_err();
            let step = run.state.step;
            if stop || step.is_multiple_of(self.checkpoint_every) || step == recipe.steps {
                run.state.spend(clock.elapsed());
                let saving = Instant::now();
                let reached = self.checkpoint(&mut run, &mut log, device)?;
                if !stop && step < recipe.steps {
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
            None => self.checkpoint(&mut run, &mut log, device),
        }
    }

    /// The metrics file where the run begins, with the line of the checkpoint that it is resumed from: a run that is
    /// killed right after it saved may not have written it.
    fn log<B: TrainBackend>(&self, run: &mut Run<B>, device: &B::Device) -> Result<Log> {
        let watched = |metrics: Metrics| if self.tensorboard { metrics.with_tensorboard() } else { metrics };
        let begin = |metrics: Metrics, state: &RunState| {
            let best = Best::take_up(self.folder.path(), self.resume.as_deref(), state, &metrics)?;
            Ok(Log { metrics: watched(metrics), best })
        };
        let Some(path) = &self.resume else { return begin(Metrics::create(self.folder.path())?, &run.state) };
        for renamed in self.folder.rewind(run.state.step)? {
            say!("a checkpoint of a later step was renamed to {}", renamed.display())?;
        }
        let history = folder::of_checkpoint(path).unwrap_or(self.folder.path());
        let mut log = begin(Metrics::resume(self.folder.path(), history, run.state.step)?, &run.state)?;
        if log.metrics.at(run.state.step).is_some() {
            run.state.recent = Recent::default();
        } else {
            self.report(run, path, &mut log, device)?;
        }
        Ok(log)
    }

    /// A resumed run that has nothing left to do writes nothing.
    fn finished(&self, path: &Path, state: &RunState, line: Option<&Line>) -> Result<Outcome> {
        let (step, steps) = (state.step, state.recipe.steps);
        say!("the run is at step {step} of {steps}; give a larger --steps to continue")?;
        Ok(Outcome { checkpoint: path.to_path_buf(), step, test: line.and_then(|line| line.test) })
    }

    fn checkpoint<B: TrainBackend>(&self, run: &mut Run<B>, log: &mut Log, device: &B::Device) -> Result<Outcome> {
        let step = run.state.step;
        let path = self.folder.checkpoints().join(checkpoint::name(step));
        // The checkpoint first: nothing that may go wrong below should cost the run.
        log.metrics.sync()?;
        run.save(&path)?;
        checkpoint::prune(&self.folder.checkpoints(), step, self.keep)?;
        let test = self.report(run, &path, log, device)?;
        Ok(Outcome { checkpoint: path, step, test })
    }

    /// A sheet of samples, the bits/dim of test images, a line of the metrics and the curve, for a checkpoint, which may
    /// be the best one.
    fn report<B: TrainBackend>(
        &self,
        run: &mut Run<B>,
        checkpoint: &Path,
        log: &mut Log,
        device: &B::Device,
    ) -> Result<Option<f64>> {
        let step = run.state.step;
        let flow = run.best().fold();
        let probe = self.probe.get_or_init(|| Probe::new(&self.dataset, &run.state, self.checkpoint_every));
        let drawing = Drawing::independent(Temperature::uniform(0.8));
        let samples = probe.samples::<B::InnerBackend>(flow.as_ref(), &drawing, SHEET, device)?;
        let [channels, size] = run.state.config.image_shape();
        let sheet = sheet::sheet(&samples[..SHEET], size, channels, 8, 3);
        sheet::save(&sheet, &self.folder.samples().join(format!("step-{step:08}.png")))?;
        let tested = self.test_images.min(self.dataset.test.len());
        let action = self.action()?;
        let test = if tested == 0 {
            None
        } else if let Some((couplings, config)) = &action {
            Some(action::free_energy::<B::InnerBackend>(flow.as_ref(), config, couplings, tested as u64, device))
        } else {
            let images = self.dataset.test.subset(&(0..tested).collect::<Vec<_>>())?;
            Some(bits_per_dim::<B::InnerBackend>(flow.as_ref(), &images, 1, device)?.mean)
        };
        let line = line(&mut run.state, test, probe.score(&samples));
        // Before the line, which says that all of this is done.
        log.best.offer(&line, checkpoint)?;
        log.metrics.picture(step, "samples", &sheet)?;
        log.metrics.add(line)?;
        log.metrics.draw(&self.folder.path().join("curve.png"), run.state.config.data().unit())?;
        Ok(test)
    }

    fn diverged(&self, number: u64, measured: Measured, rate: f64) -> Error {
        let own = checkpoint::list(&self.folder.checkpoints()).ok().and_then(|mut list| list.pop());
        let lower = rate / 4.0;
        Error::Diverged {
            problem: format!(
                "step {number}: loss {} {}, gradient norm {}",
                measured.bits_per_dim,
                self.state.config.data().unit(),
                measured.grad_norm
            ),
            advice: match own.or_else(|| self.resume.clone()) {
                Some(path) => format!(
                    "the last good checkpoint is {0}; resume from it with a lower rate: --resume {0} --learning-rate {lower}",
                    path.display()
                ),
                None => format!(
                    "there is no checkpoint yet; start again with a lower --learning-rate, for instance {lower}"
                ),
            },
        }
    }
}

/// The line for where the run stands; the means start again after it.
fn line(state: &mut RunState, test: Option<f64>, quality: Option<Scores>) -> Line {
    let recent = std::mem::take(&mut state.recent);
    Line {
        step: state.step,
        images: state.images(),
        seconds: state.seconds,
        train: (!recent.is_empty()).then(|| recent.bits_per_dim()),
        test,
        quality,
        grad_norm: (!recent.is_empty()).then(|| recent.grad_norm()),
        clipped: (!recent.is_empty()).then(|| recent.clipped()),
        clip_factor: recent.clip_factor(),
        learning_rate: Some(state.recipe.learning_rate_at(state.step.saturating_sub(1))),
    }
}
