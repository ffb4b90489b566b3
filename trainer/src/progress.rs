//! What a command is at while it works, on standard error: a bar on a terminal, otherwise a line now and then.

use std::cell::Cell;
use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

use crate::error::{Error, Result};
use crate::output::aside;

/// The environment variable that says how often lines come.
pub const VARIABLE: &str = "RG_FLOW_PROGRESS";
/// Most seconds between lines.
const MOST: u64 = 86_400;
/// Time between lines unless the environment says otherwise.
const PAUSE: Duration = Duration::from_secs(5);
/// What takes less shows no bar.
const MOMENT: Duration = Duration::from_secs(2);
/// Time between two pictures of a bar.
const FRAME: Duration = Duration::from_millis(200);

/// Time between lines; none if nothing is to be shown.
static LINES: OnceLock<Option<Duration>> = OnceLock::new();

thread_local! {
    /// Whether this thread has work that is shown, so that what the work is made of is not.
    static AT_WORK: Cell<bool> = const { Cell::new(false) };
}

/// Takes what the environment asks for: `off`, or a number of seconds between lines. With 0, each piece of work has one line,
/// when it ends, however short it was.
///
/// # Errors
/// [`Error::Usage`] for anything else.
pub fn from_environment() -> Result<()> {
    let Some(text) = std::env::var_os(VARIABLE) else { return Ok(()) };
    let Some(pause) = text.to_str().and_then(pause) else {
        let problem = format!("{} is no number of seconds", text.display());
        return Err(Error::usage(VARIABLE, problem, format!("give 0 to {MOST}, or off, or leave it unset")));
    };
    // It is read once, before anything works.
    let _ = LINES.set(pause);
    Ok(())
}

fn pause(text: &str) -> Option<Option<Duration>> {
    match text {
        "off" => Some(None),
        text => text.parse().ok().filter(|seconds| *seconds <= MOST).map(|seconds| Some(Duration::from_secs(seconds))),
    }
}

/// A piece of work that may take a while. It is shown until it is dropped, unless it is a part of another one.
pub struct Progress {
    work: Arc<Work>,
    /// Whether this thread works at nothing that is larger.
    outermost: bool,
    /// What ends the thread that shows it, by being dropped, and that thread.
    shown: Option<(Sender<()>, JoinHandle<()>)>,
}

struct Work {
    what: String,
    total: usize,
    done: AtomicUsize,
    start: Instant,
}

impl Progress {
    /// Work that has `total` parts, or 0 if nobody knows; `what` comes before their number, as in "images encoded: 3 of 9".
    pub fn new(what: impl Into<String>, total: usize) -> Self {
        let mut progress = Self::hidden(what, total);
        let pause = LINES.get().copied().unwrap_or(Some(PAUSE));
        if let Some(pause) = pause.filter(|_| progress.outermost) {
            let (sender, ended) = channel();
            let work = progress.work.clone();
            // Without a thread the work is done all the same.
            let thread = Builder::new().name("progress".into()).spawn(move || work.show(pause, &ended));
            progress.shown = thread.ok().map(|thread| (sender, thread));
        }
        progress
    }

    /// Work that shows itself: its parts are silent.
    pub fn silent() -> Self {
        Self::hidden("", 0)
    }

    fn hidden(what: impl Into<String>, total: usize) -> Self {
        let work = Work { what: what.into(), total, done: AtomicUsize::new(0), start: Instant::now() };
        Self { work: Arc::new(work), outermost: !AT_WORK.replace(true), shown: None }
    }

    /// Some parts are done; any thread may say so.
    pub fn add(&self, parts: usize) {
        self.work.done.fetch_add(parts, Ordering::Relaxed);
    }

    /// So many parts are done in all.
    pub fn set(&self, parts: usize) {
        self.work.done.store(parts, Ordering::Relaxed);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.shown.take() {
            drop(sender);
            // What is printed next must not run into the bar.
            let _ = thread.join();
        }
        if self.outermost {
            AT_WORK.set(false);
        }
    }
}

impl Work {
    fn show(&self, pause: Duration, ended: &Receiver<()>) {
        if pause.is_zero() {
            let _ = ended.recv();
            return aside(format_args!("{}", self.end()));
        }
        if stderr().is_terminal() {
            return self.bar(ended);
        }
        let mut said = false;
        while goes_on(ended, pause) {
            aside(format_args!("{}", self.line()));
            said = true;
        }
        if said {
            aside(format_args!("{}", self.end()));
        }
    }

    fn bar(&self, ended: &Receiver<()>) {
        if !goes_on(ended, MOMENT) {
            return;
        }
        let (bar, template) = match self.total {
            0 => (ProgressBar::new_spinner(), "{spinner} {msg}"),
            total => (ProgressBar::new(total as u64), "{bar:30} {msg}"),
        };
        // The templates are constants; the default style serves if one were wrong.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        loop {
            bar.set_position(self.done.load(Ordering::Relaxed) as u64);
            bar.set_message(self.line());
            bar.tick();
            if !goes_on(ended, FRAME) {
                break;
            }
        }
        bar.finish_and_clear();
    }

    fn line(&self) -> String {
        let (what, total, spent) = (&self.what, self.total, self.start.elapsed());
        let done = self.done.load(Ordering::Relaxed);
        match (total, done) {
            (0, _) => format!("{what}: {} so far", HumanDuration(spent)),
            (_, 0) => format!("{what}: 0 of {total}"),
            _ => {
                let left = spent.as_secs_f64() * total.saturating_sub(done) as f64 / done as f64;
                let left = HumanDuration(Duration::from_secs(left.min(1e9) as u64));
                format!("{what}: {done} of {total}, {left} left")
            }
        }
    }

    fn end(&self) -> String {
        let (what, total, spent) = (&self.what, self.total, HumanDuration(self.start.elapsed()));
        match total {
            0 => format!("{what}: done in {spent}"),
            _ => format!("{what}: {} of {total} in {spent}", self.done.load(Ordering::Relaxed)),
        }
    }
}

/// Whether the work still goes on after some time.
fn goes_on(ended: &Receiver<()>, time: Duration) -> bool {
    ended.recv_timeout(time) == Err(RecvTimeoutError::Timeout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_other_work_is_not_shown() {
        let outer = Progress::new("outer", 2);
        let inner = Progress::new("inner", 3);
        assert!(outer.outermost && outer.shown.is_some() && !inner.outermost && inner.shown.is_none());
        drop(inner);
        assert!(!Progress::new("another", 3).outermost);
        drop(outer);
        let silent = Progress::silent();
        assert!(silent.shown.is_none() && Progress::new("within", 1).shown.is_none());
        drop(silent);
        assert!(Progress::new("next", 1).shown.is_some());
    }

    #[test]
    fn lines_say_how_much_is_done_and_left() {
        let at = |total, done, seconds| Work {
            what: "images".into(),
            total,
            done: AtomicUsize::new(done),
            start: Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap(),
        };
        assert_eq!(at(40, 10, 20).line(), "images: 10 of 40, 60 seconds left");
        assert_eq!(
            (at(40, 0, 9).line().as_str(), at(40, 40, 9).line().as_str()),
            ("images: 0 of 40", "images: 40 of 40, 0 seconds left")
        );
        assert_eq!(
            (at(0, 0, 9).line().as_str(), at(0, 0, 9).end().as_str()),
            ("images: 9 seconds so far", "images: done in 9 seconds")
        );
        assert_eq!(at(40, 40, 9).end(), "images: 40 of 40 in 9 seconds");
    }

    #[test]
    fn the_environment_gives_seconds_or_turns_lines_off() {
        assert_eq!(
            (pause("off"), pause("0"), pause("60")),
            (Some(None), Some(Some(Duration::ZERO)), Some(Some(Duration::from_secs(60))))
        );
        for wrong in ["", "-1", "1.5", "never", "86401"] {
            assert_eq!(pause(wrong), None, "{wrong}");
        }
    }
}
