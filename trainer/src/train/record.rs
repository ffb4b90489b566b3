//! What a run writes: its checkpoints, and what is measured at each.

use std::path::Path;

use shared::Temperature;
use shared::train::TrainBackend;

use super::best::Best;
use super::checkpoint::{self, Run};
use super::metrics::{Line, Metrics};
use super::probe::Probe;
use super::state::{Recent, RunState};
use super::{Outcome, Training, action, folder};
use crate::drawing::Drawing;
use crate::error::Result;
use crate::evaluate::bits_per_dim;
use crate::figures::sheet;
use crate::output::say;
use crate::quality::Scores;

/// Samples on a checkpoint's sheet.
const SHEET: usize = 32;

/// What a run writes as it goes.
pub(super) struct Log {
    pub(super) metrics: Metrics,
    best: Best,
}

impl Training {
    /// The metrics file where the run begins, with the line of the checkpoint that it is resumed from: a run that is
    /// killed right after it saved may not have written it.
    pub(super) fn log<B: TrainBackend>(&self, run: &mut Run<B>, device: &B::Device) -> Result<Log> {
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
    pub(super) fn finished(&self, path: &Path, state: &RunState, line: Option<&Line>) -> Result<Outcome> {
        let (step, steps) = (state.step, state.recipe.steps);
        say!("the run is at step {step} of {steps}; give a larger --steps to continue")?;
        Ok(Outcome { checkpoint: path.to_path_buf(), step, test: line.and_then(|line| line.test) })
    }

    /// Saves where the run stands, deletes old checkpoints but for one that is `spared`, and measures.
    ///
    /// # Errors
    /// Files that cannot be written, samples and likelihoods that are not finite.
    pub(super) fn checkpoint<B: TrainBackend>(
        &self,
        run: &mut Run<B>,
        log: &mut Log,
        spared: Option<&Path>,
        device: &B::Device,
    ) -> Result<Outcome> {
        let step = run.state.step;
        let path = self.folder.checkpoints().join(checkpoint::name(step));
        // The checkpoint first: nothing that may go wrong below should cost the run.
        log.metrics.sync()?;
        run.save(&path)?;
        checkpoint::prune(&self.folder.checkpoints(), step, self.keep, spared)?;
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
}

/// The line for where the run stands; the means start again after it.
pub(super) fn line(state: &mut RunState, test: Option<f64>, quality: Option<Scores>) -> Line {
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
