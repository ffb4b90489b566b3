//! The best checkpoint of a run, kept beside the newest ones.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::metrics::{Line, Metrics};
use super::state::RunState;
use super::{folder, newest};
use crate::error::Result;
use crate::files::{link_whole, set_aside};
use crate::output::aside;

/// The weights in a folder for the Hugging Face Hub.
pub const WEIGHTS: &str = "model.safetensors";

/// Which checkpoint stands for a run's folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// The best one, or the newest where none has been scored.
    #[default]
    Best,
    /// The newest.
    Last,
}

/// What makes a checkpoint the best one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum BestBy {
    /// The lowest bits/dim of test images.
    #[default]
    Bits,
    /// The lowest mean sliced Wasserstein distance of samples from test images.
    Quality,
}

impl BestBy {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bits => "bits",
            Self::Quality => "quality",
        }
    }

    /// The number of a line of the metrics that is to be low, if it has one.
    fn of(self, line: &Line) -> Option<f64> {
        match self {
            Self::Bits => line.test,
            Self::Quality => line.quality.as_ref().map(|scores| scores.swd_mean()),
        }
    }
}

/// The checkpoint that a run's folder stands for, or the file itself.
///
/// # Errors
/// As [`newest`].
pub fn chosen(path: &Path, which: Which) -> Result<PathBuf> {
    let best = path.join(folder::BEST);
    if which == Which::Best && path.is_dir() && best.is_file() {
        return Ok(best);
    }
    // What `export --hub` wrote.
    let exported = path.join(WEIGHTS);
    if exported.is_file() { Ok(exported) } else { newest(path) }
}

/// The best checkpoint so far.
pub struct Best {
    path: PathBuf,
    by: BestBy,
    /// What it scores, if there is one.
    value: Option<f64>,
}

impl Best {
    /// Takes up a run's best checkpoint where the run begins or is resumed from a checkpoint, which counts too.
    ///
    /// One of a later step is renamed, since the run will take these steps again. One that was scored on other images does
    /// not compare: the next checkpoint replaces it.
    ///
    /// # Errors
    /// [`crate::error::Error::Io`] if it cannot be renamed or written.
    pub fn take_up(run: &Path, resume: Option<&Path>, state: &RunState, metrics: &Metrics) -> Result<Self> {
        let by = state.best_by;
        let mut best = Self { path: run.join(folder::BEST), by, value: None };
        let comparable = |old: &RunState| old.scored_on() == state.scored_on();
        let score = |step: u64| metrics.at(step).and_then(|line| by.of(line));
        let old = RunState::read(&best.path).ok().filter(|old| resume.is_some() && old.step <= state.step);
        match old {
            Some(old) => best.value = score(old.step).filter(|_| comparable(&old)),
            None if best.path.exists() => drop(set_aside(&best.path)?),
            None => {}
        }
        if let (None, Some(from), Some(line)) = (best.value, resume, metrics.at(state.step))
            && RunState::read(from).is_ok_and(|from| comparable(&from))
        {
            best.offer(line, from)?;
        }
        Ok(best)
    }

    /// Keeps a checkpoint if it scores better than the best one so far. It shares the checkpoint's file where the file
    /// system can, and takes no room then. One that somebody has deleted meanwhile is passed over: the run goes on.
    ///
    /// # Errors
    /// [`crate::error::Error::Io`] if it cannot be written.
    pub fn offer(&mut self, line: &Line, checkpoint: &Path) -> Result<()> {
        let Some(value) = self.by.of(line).filter(|&value| self.value.is_none_or(|best| value < best)) else {
            return Ok(());
        };
        match link_whole(checkpoint, &self.path) {
            Ok(()) => self.value = Some(value),
            Err(_) if !checkpoint.exists() => {
                aside(format_args!("{}: it is gone, and cannot be kept as the best", checkpoint.display()));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::ModelConfig;
    use shared::train::Recipe;

    fn line(step: u64, test: Option<f64>) -> Line {
        Line { step, test, ..Line::default() }
    }

    #[test]
    fn the_lowest_is_kept_and_ties_go_to_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let mut best = Best { path: at("best.ckpt"), by: BestBy::Bits, value: None };
        let kept = || std::fs::read_to_string(at("best.ckpt")).ok();
        let steps = [
            (1, None, None),
            (2, Some(5.0), Some("2")),
            (3, Some(5.0), Some("2")),
            (4, Some(4.0), Some("4")),
            (5, Some(f64::NAN), Some("4")),
        ];
        for (step, test, expected) in steps {
            std::fs::write(at("new.ckpt"), step.to_string()).unwrap();
            best.offer(&line(step, test), &at("new.ckpt")).unwrap();
            std::fs::remove_file(at("new.ckpt")).unwrap();
            assert_eq!(kept().as_deref(), expected, "{step}");
        }
        // One that has vanished is none.
        best.offer(&line(6, Some(3.0)), &at("new.ckpt")).unwrap();
        assert_eq!((kept().as_deref(), best.value), (Some("4"), Some(4.0)));
        // Quality does not look at bits/dim.
        best.by = BestBy::Quality;
        std::fs::write(at("new.ckpt"), "6").unwrap();
        best.offer(&line(6, Some(1.0)), &at("new.ckpt")).unwrap();
        assert_eq!(kept().as_deref(), Some("4"));
    }

    #[test]
    fn scores_on_other_images_do_not_compare() {
        let state = RunState::new(ModelConfig::preset("tiny").unwrap(), Recipe::cosine(9), "a".into());
        let mut other = state.clone();
        assert_eq!(state.scored_on(), other.scored_on());
        other.part.test_limit = Some(3);
        assert_ne!(state.scored_on(), other.scored_on());
        other = state.clone();
        other.data = "b".into();
        assert_ne!(state.scored_on(), other.scored_on());
    }
}
