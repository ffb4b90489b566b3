//! Signals that ask a run to end: after the first it saves, after the second it does not.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::thread;

use tokio::runtime::{Builder, Runtime};

use crate::output::aside;

/// What Ctrl-C sends.
const INTERRUPT: u8 = 2;

/// The signal that was heard first, by its number; 0 if none was.
#[derive(Clone, Debug, Default)]
pub struct Heard(Arc<AtomicU8>);

impl Heard {
    /// Listens from now on: the first signal sets `interrupted`, the second ends the program.
    ///
    /// # Errors
    /// A system that does not let it. Signals end the program at once then, as they do before.
    pub fn listen(interrupted: Arc<AtomicBool>) -> io::Result<Self> {
        let heard = Self::default();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let listener = Listener { heard: heard.clone(), interrupted };
        listener.register(&runtime)?;
        thread::Builder::new().name("signals".into()).spawn(move || runtime.block_on(pending::<()>()))?;
        Ok(heard)
    }

    /// The first signal's number, if there was one.
    pub fn signal(&self) -> Option<u8> {
        Some(self.0.load(Ordering::Relaxed)).filter(|&signal| signal > 0)
    }
}

#[derive(Clone)]
struct Listener {
    heard: Heard,
    interrupted: Arc<AtomicBool>,
}

impl Listener {
    fn hear(&self, signal: u8) {
        if self.heard.0.swap(signal, Ordering::Relaxed) > 0 {
            std::process::exit(128 + i32::from(signal));
        }
        self.interrupted.store(true, Ordering::Relaxed);
        let again = if signal == INTERRUPT { "press Ctrl-C" } else { "send the signal" };
        aside(format_args!("\nsaving; {again} again to stop without saving"));
    }

    #[cfg(unix)]
    fn register(&self, runtime: &Runtime) -> io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};

        let _inside = runtime.enter();
        for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
            let number = u8::try_from(kind.as_raw_value()).unwrap_or(INTERRUPT);
            let (mut signals, listener) = (signal(kind)?, self.clone());
            runtime.spawn(async move {
                while signals.recv().await.is_some() {
                    listener.hear(number);
                }
            });
        }
        Ok(())
    }

    #[cfg(not(unix))]
    fn register(&self, runtime: &Runtime) -> io::Result<()> {
        let listener = self.clone();
        runtime.spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                listener.hear(INTERRUPT);
            }
        });
        Ok(())
    }
}
