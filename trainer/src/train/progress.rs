//! What a run prints while it trains: a bar on a terminal, otherwise lines.

use std::io::{IsTerminal, stdout};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

use super::state::{Recent, RunState};
use crate::error::Result;
use crate::output::{aside, say};
use crate::progress;

/// Time between lines unless a number of steps is asked for.
const PAUSE: Duration = Duration::from_secs(5);

/// The bar, and the lines.
pub struct Progress {
    bar: ProgressBar,
    /// None if the bar is visible, since lines would run through it.
    lines: Option<Lines>,
    /// When and where this process began.
    start: (Instant, u64),
    /// This bar speaks for all that is done on the way.
    _parts: progress::Progress,
}

struct Lines {
    every: Option<u64>,
    /// When and at which step the last line was printed.
    last: Option<(Instant, u64)>,
}

impl Progress {
    /// For a run that stands at a step.
    pub fn new(state: &RunState, every: Option<u64>) -> Self {
        let bar = ProgressBar::new(state.recipe.steps).with_position(state.step);
        // The template is a constant; the default style serves if it were wrong.
        if let Ok(style) = ProgressStyle::with_template("{bar:30} step {pos}/{len}  {msg}  {eta} left") {
            bar.set_style(style);
        }
        let lines = (bar.is_hidden() || !stdout().is_terminal()).then_some(Lines { every, last: None });
        Self { bar, lines, start: (Instant::now(), state.step), _parts: progress::Progress::silent() }
    }

    /// After a step.
    ///
    /// # Errors
    /// Output that is closed or full.
    pub fn step(&mut self, state: &RunState) -> Result<()> {
        self.bar.inc(1);
        let now = Instant::now();
        let (began, first) = self.start;
        let rate =
            |since: Instant, from: u64| (state.step - from) as f64 / now.duration_since(since).as_secs_f64().max(1e-9);
        let overall = rate(began, first);
        if self.bar.position() % 10 == 1 {
            let images = overall * state.recipe.batch as f64;
            let (bits, clipped) = (state.recent.bits_per_dim(), clipped(&state.recent));
            let unit = state.config.data().unit();
            self.bar.set_message(format!("{bits:.3} {unit}{clipped}, {images:.0} images/s"));
        }
        let Some(lines) = &mut self.lines else { return Ok(()) };
        let due = match (lines.every, lines.last) {
            (Some(every), _) => state.step.is_multiple_of(every),
            (None, Some((at, _))) => now.duration_since(at) >= PAUSE,
            (None, None) => true,
        };
        // Steps that were skipped have measured nothing.
        if !due || state.recent.is_empty() {
            return Ok(());
        }
        let (since, from) = lines.last.replace((now, state.step)).unwrap_or(self.start);
        let images = rate(since, from) * state.recipe.batch as f64;
        let left = (state.recipe.steps - state.step) as f64 / overall.max(1e-9);
        say!(
            "step {} of {}: {:.3} {}, gradient norm {:.3}{}, {images:.0} images/s, {} left",
            state.step,
            state.recipe.steps,
            state.recent.bits_per_dim(),
            state.config.data().unit(),
            state.recent.grad_norm(),
            clipped(&state.recent),
            HumanDuration(Duration::from_secs(left.min(1e9) as u64))
        )
    }

    /// After a checkpoint, where `what` was measured; the time it took is not counted as the steps'.
    ///
    /// # Errors
    /// As [`Progress::step`].
    pub fn checkpoint(&mut self, step: u64, test: Option<f64>, what: &str, name: &str, took: Duration) -> Result<()> {
        self.start.0 += took;
        if let Some((at, _)) = self.lines.as_mut().and_then(|lines| lines.last.as_mut()) {
            *at += took;
        }
        match (&self.lines, test) {
            (Some(_), Some(test)) => say!("step {step}: {test:.3} {what}, {name}"),
            (Some(_), None) => say!("step {step}: {name}"),
            (None, _) => Ok(()),
        }
    }

    /// Says something beside the bar.
    pub fn note(&self, text: &str) {
        self.bar.suspend(|| aside(format_args!("note: {text}")));
    }

    /// At the end.
    pub fn finish(&self) {
        self.bar.finish();
    }
}

/// How often gradients were clipped, and to what part of their length, if any were.
fn clipped(recent: &Recent) -> String {
    let share = 100.0 * recent.clipped();
    recent.clip_factor().map_or_else(String::new, |factor| format!(", {share:.0}% clipped to {factor:.2}"))
}
