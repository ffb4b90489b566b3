//! Panics of libraries, on files from outside and on drivers that are missing, as errors.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

thread_local! {
    /// Whether this thread's panics are caught, and so not worth a line on the terminal.
    static SILENT: Cell<bool> = const { Cell::new(false) };
}

/// Calls of [`caught_on_all_threads`] that are under way.
static ALL_SILENT: AtomicUsize = AtomicUsize::new(0);

/// The hook is the whole program's, but files are read on many threads at once: it is set once, and asks the thread.
fn hook() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if !SILENT.get() && ALL_SILENT.load(Ordering::Relaxed) == 0 {
                before(info);
            }
        }));
    });
}

/// Runs a library on something that may be anything. A panic on this thread becomes its message and prints nothing.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    hook();
    let outer = SILENT.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    SILENT.set(outer);
    outcome.map_err(|panic| message(&*panic))
}

/// The same for a library with threads of its own: while it works, no thread's panic prints anything.
#[cfg(any(test, feature = "cuda", feature = "wgpu"))]
pub(crate) fn caught_on_all_threads<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    ALL_SILENT.fetch_add(1, Ordering::Relaxed);
    let outcome = caught(work);
    ALL_SILENT.fetch_sub(1, Ordering::Relaxed);
    outcome
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    // Libraries print whole values into their panics; the first line says what it is about.
    text.lines().next().unwrap_or_default().chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_its_message_and_the_next_call_works() {
        assert_eq!(caught(|| 3), Ok(3));
        assert_eq!(caught(|| panic!("no picture")), Err::<(), _>("no picture".to_string()));
        let index = 7;
        let found = caught(|| [1, 2][std::hint::black_box(index)]).unwrap_err();
        assert!(found.contains("index out of bounds"), "{found}");
        assert_eq!(caught(|| panic!("first\n{}", "x".repeat(9000))), Err::<(), _>("first".to_string()));
        assert_eq!(caught(|| caught(|| panic!("inner")).is_err()), Ok(true));
        assert!(!SILENT.get());
        let elsewhere = || std::thread::spawn(|| panic!("unheard")).join().is_err();
        assert_eq!(caught_on_all_threads(elsewhere), Ok(true));
        assert_eq!(ALL_SILENT.load(Ordering::Relaxed), 0);
    }
}
