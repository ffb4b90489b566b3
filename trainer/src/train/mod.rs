//! Training: the loop, and what it leaves in the run's folder.
//!
//! ```text
//! DIR/checkpoints/step-00001000.ckpt   the newest few; any of them resumes the run exactly
//! DIR/metrics.jsonl, DIR/curve.png     bits/dim by images seen
//! DIR/samples/step-00001000.png        a sheet of samples at each checkpoint
//! ```

pub mod adamw;
pub mod batch;
pub mod checkpoint;
pub mod metrics;
pub mod recipe;
pub mod step;
pub mod timed;
pub mod whiten;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use burn::module::AutodiffModule;
use indicatif::{ProgressBar, ProgressStyle};
use shared::{Model, ModelConfig, Temperature};

use self::adamw::AdamW;
use self::checkpoint::{Run, RunState};
use self::metrics::{Line, Metrics};
use self::recipe::Recipe;
use self::step::Measured;
use crate::data::{Batches, Dataset, flips};
use crate::device::{DeviceChoice, Job, TrainBackend, dispatch};
use crate::error::{Error, Result};
use crate::evaluate::{bits_per_dim, sample_pictures};
use crate::sheet;

/// What to train, and where to leave it.
pub struct Training {
    /// The architecture; a resumed run keeps its own.
    pub config: ModelConfig,
    /// The recipe; likewise.
    pub recipe: Recipe,
    /// Another number of steps for a resumed run.
    pub steps: Option<u64>,
    /// The images.
    pub dataset: Dataset,
    /// Name or path of the data, as given.
    pub data: String,
    /// The run's folder.
    pub out: PathBuf,
    /// A checkpoint to go on from.
    pub resume: Option<PathBuf>,
    /// Steps between checkpoints.
    pub checkpoint_every: u64,
    /// Checkpoints kept.
    pub keep: usize,
    /// Test images evaluated at each checkpoint.
    pub test_images: usize,
    /// Stop after so many minutes.
    pub max_minutes: Option<f64>,
    /// Set by Ctrl-C: save and stop.
    pub interrupted: Arc<AtomicBool>,
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

/// Trains on a device.
///
/// # Errors
/// A device that is not there, data that do not fit, checkpoints that cannot be read, training that diverges.
pub fn run(device: DeviceChoice, training: Training) -> Result<Outcome> {
    dispatch(device, training)
}

impl Job for Training {
    type Output = Outcome;

    fn run<B: TrainBackend>(self, device: B::Device) -> Result<Outcome> {
        let run = match &self.resume {
            Some(path) => {
                let mut run = Run::<B>::load(path, &device)?;
                run.state.recipe.steps = self.steps.unwrap_or(run.state.recipe.steps);
                run
            }
            None => self.start::<B>(&device)?,
        };
        self.check(&run.state)?;
        self.train(run, &device)
    }
}

impl Training {
    fn start<B: TrainBackend>(&self, device: &B::Device) -> Result<Run<B>> {
        self.recipe.validate()?;
        let model = Model::<B>::new(&self.config, self.recipe.seed, device)
            .map_err(|source| Error::Model { file: "--config".into(), source })?;
        let train = &self.dataset.train;
        let first = train.gather(&(0..train.len().min(whiten::IMAGES)).collect::<Vec<_>>(), &[]);
        let model = match (model, &self.config) {
            (Model::RgFlow(model), ModelConfig::RgFlow(config)) => {
                Model::RgFlow(whiten::whiten(model, config, &first, self.recipe.seed, device))
            }
            (other, _) => other,
        };
        let state = RunState {
            config: self.config.clone(),
            recipe: self.recipe.clone(),
            data: self.data.clone(),
            licence: self.dataset.licence.clone(),
            step: 0,
            seconds: 0.0,
        };
        let average = model.valid();
        Ok(Run { optimizer: AdamW::new(&average), average, model, state })
    }

    /// Whether the data fit the model.
    fn check(&self, state: &RunState) -> Result<()> {
        let (train, [channels, size]) = (&self.dataset.train, state.config.image_shape());
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
            advice: "give data of that size, or another --preset or --config".into(),
        })
    }

    fn train<B: TrainBackend>(&self, mut run: Run<B>, device: &B::Device) -> Result<Outcome> {
        let recipe = run.state.recipe.clone();
        let config = run.state.config.clone();
        let mut metrics = Metrics::open(&self.out, run.state.step)?;
        let mut batches = Batches::new(self.dataset.train.len(), recipe.batch, recipe.seed);
        let bar = progress_bar(&recipe, run.state.step);
        let deadline = self.max_minutes.map(|m| Instant::now() + Duration::from_secs_f64(m.clamp(0.0, 1e7) * 60.0));
        let mut recent = Recent::default();
        let mut clock = Instant::now();
        let mut outcome = None;
        while run.state.step < recipe.steps {
            let number = run.state.step;
            let mirror =
                if recipe.flips { flips(recipe.batch, recipe.seed, number) } else { vec![false; recipe.batch] };
            let pixels = self.dataset.train.gather(&batches.indexes(number), &mirror);
            let batch = batch::dequantise::<B>(
                &pixels,
                config.image_shape(),
                recipe.seed,
                number * recipe.batch as u64,
                device,
            );
            let Run { model, optimizer, average, state } = run;
            let (model, optimizer, measured) = step::step(model, optimizer, &config, &recipe, number, batch)?;
            run = Run { model, optimizer, average, state };
            if !(measured.bits_per_dim.is_finite() && measured.grad_norm.is_finite()) {
                return Err(self.diverged(number, measured));
            }
            if recipe.ema > 0.0 {
                run.average = adamw::average::<B>(run.average, &run.model, recipe.ema_at(number));
            }
            run.state.step += 1;
            recent.add(measured);
            bar.inc(1);
            if recent.count % 10 == 1 {
                let images = recipe.batch as f64 / clock.elapsed().as_secs_f64().max(1e-9) * recent.count as f64;
                bar.set_message(format!("{:.3} bits/dim, {images:.0} images/s", recent.bits()));
            }
            let stop = self.interrupted.load(Ordering::Relaxed) || deadline.is_some_and(|d| Instant::now() >= d);
            if stop || run.state.step.is_multiple_of(self.checkpoint_every) || run.state.step == recipe.steps {
                run.state.seconds += clock.elapsed().as_secs_f64();
                outcome = Some(self.checkpoint(&run, &mut metrics, &recent, device)?);
                recent = Recent::default();
                clock = Instant::now();
            }
            if stop {
                break;
            }
        }
        bar.finish();
        match outcome {
            Some(outcome) => Ok(outcome),
            None => self.checkpoint(&run, &mut metrics, &recent, device),
        }
    }

    fn checkpoint<B: TrainBackend>(
        &self,
        run: &Run<B>,
        metrics: &mut Metrics,
        recent: &Recent,
        device: &B::Device,
    ) -> Result<Outcome> {
        let step = run.state.step;
        let folder = self.out.join("checkpoints");
        let path = folder.join(checkpoint::name(step));
        // The checkpoint first: nothing that may go wrong below should cost the run.
        run.save(&path)?;
        checkpoint::prune(&folder, self.keep)?;
        let flow = run.best().fold(&run.state.config);
        let flow = flow.map_err(|source| Error::Model { file: path.display().to_string(), source })?;
        let sheet = sample_pictures::<B::InnerBackend>(flow.as_ref(), 0, 0..32, &Temperature::uniform(0.8), device)?;
        let samples = self.out.join("samples");
        std::fs::create_dir_all(&samples).map_err(Error::io(&samples, "create it"))?;
        let [channels, size] = run.state.config.image_shape();
        sheet::save(&sheet::sheet(&sheet, size, channels, 8, 3), &samples.join(format!("step-{step:08}.png")))?;
        let tested = self.test_images.min(self.dataset.test.len());
        let test = if tested > 0 {
            let images = self.dataset.test.subset(&(0..tested).collect::<Vec<_>>())?;
            Some(bits_per_dim::<B::InnerBackend>(flow.as_ref(), &images, 1, device)?.mean)
        } else {
            None
        };
        metrics.add(Line {
            step,
            images: step * run.state.recipe.batch as u64,
            seconds: run.state.seconds,
            train: (recent.count > 0).then(|| recent.bits()),
            test,
            grad_norm: (recent.count > 0).then(|| recent.norm()),
            learning_rate: Some(run.state.recipe.learning_rate_at(step.saturating_sub(1))),
        })?;
        metrics.draw(&self.out.join("curve.png"))?;
        Ok(Outcome { checkpoint: path, step, test })
    }

    fn diverged(&self, number: u64, measured: Measured) -> Error {
        let last = checkpoint::list(&self.out.join("checkpoints"))
            .ok()
            .and_then(|l| l.last().map(|p| p.display().to_string()));
        Error::Diverged {
            problem: format!(
                "step {number}: loss {} bits/dim, gradient norm {}",
                measured.bits_per_dim, measured.grad_norm
            ),
            advice: match last {
                Some(path) => format!("the last good checkpoint is {path}; resume it with a lower --learning-rate"),
                None => "there is no checkpoint yet; start again with a lower --learning-rate".into(),
            },
        }
    }
}

/// Means since the last checkpoint.
#[derive(Default)]
struct Recent {
    count: u64,
    bits: f64,
    norm: f64,
}

impl Recent {
    fn add(&mut self, measured: Measured) {
        self.count += 1;
        self.bits += measured.bits_per_dim;
        self.norm += measured.grad_norm;
    }

    fn bits(&self) -> f64 {
        self.bits / self.count.max(1) as f64
    }

    fn norm(&self) -> f64 {
        self.norm / self.count.max(1) as f64
    }
}

fn progress_bar(recipe: &Recipe, step: u64) -> ProgressBar {
    let bar = ProgressBar::new(recipe.steps).with_position(step);
    // The template is a constant; the default style serves if it were wrong.
    if let Ok(style) = ProgressStyle::with_template("{bar:30} step {pos}/{len}  {msg}  {eta} left") {
        bar.set_style(style);
    }
    bar
}

/// The newest checkpoint of a run's folder, or the file itself.
///
/// # Errors
/// [`Error::Content`] if the folder holds none.
pub fn newest(path: &Path) -> Result<PathBuf> {
    if !path.is_dir() {
        return Ok(path.to_path_buf());
    }
    let inside = path.join("checkpoints");
    let folder = if inside.is_dir() { inside } else { path.to_path_buf() };
    checkpoint::list(&folder)?.pop().ok_or_else(|| Error::Content {
        file: folder.display().to_string(),
        problem: "holds no checkpoint".into(),
        advice: "give a .ckpt file, or the --out folder of a run".into(),
    })
}
