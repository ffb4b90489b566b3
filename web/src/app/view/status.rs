//! How far the page is: the status line, the cover over the grid, and notices.

use web_sys::{Document, HtmlButtonElement, HtmlElement, HtmlProgressElement};

use super::dom::{by_id, on, set_text};
use crate::app::Dispatch;
use crate::app::state::sample::GRID;
use crate::app::state::{Event, Phase, State};
use crate::error::Result;
use crate::fragment::rounded;

/// The elements.
pub struct StatusView {
    status: HtmlElement,
    notices: HtmlElement,
    cover: HtmlElement,
    title: HtmlElement,
    detail: HtmlElement,
    progress: HtmlProgressElement,
    retry: HtmlButtonElement,
}

impl StatusView {
    pub fn new(document: &Document, dispatch: &Dispatch) -> Result<Self> {
        let retry: HtmlButtonElement = by_id(document, "retry")?;
        let dispatch = dispatch.clone();
        on(&retry, "click", move |_| dispatch(Event::Retry));
        Ok(Self {
            status: by_id(document, "status")?,
            notices: by_id(document, "notices")?,
            cover: by_id(document, "cover")?,
            title: by_id(document, "cover-title")?,
            detail: by_id(document, "cover-detail")?,
            progress: by_id(document, "progress")?,
            retry,
        })
    }

    pub fn render(&self, state: &State) {
        let name = state.entry.as_ref().map_or("the model", |entry| entry.title.as_str());
        let (title, detail) = match &state.phase {
            Phase::Starting => ("Starting the engine".to_owned(), String::new()),
            Phase::Loading { loaded, total } => {
                let detail =
                    if *total > 0 { format!("{} of {}", bytes(*loaded), bytes(*total)) } else { String::new() };
                (format!("Loading {name}"), detail)
            }
            Phase::Empty => (
                "No model yet".to_owned(),
                "This copy of the page comes without a trained model, so there is nothing to sample from.".to_owned(),
            ),
            Phase::Failed(message) => ("Something went wrong".to_owned(), sentence(message)),
            Phase::Ready => (String::new(), String::new()),
        };
        self.cover.set_hidden(matches!(state.phase, Phase::Ready));
        // A screen reader reads an alert out: errors, and not every byte.
        if matches!(state.phase, Phase::Failed(_)) {
            let _ = self.cover.set_attribute("role", "alert");
        } else {
            let _ = self.cover.remove_attribute("role");
        }
        set_text(&self.title, &title);
        set_text(&self.detail, &detail);
        self.render_progress(&state.phase);
        self.retry.set_hidden(!matches!(state.phase, Phase::Failed(_)));
        set_text(&self.status, &status(state, name));
        set_text(&self.notices, &state.notices.join(" "));
        self.notices.set_hidden(state.notices.is_empty());
    }

    fn render_progress(&self, phase: &Phase) {
        self.progress.set_hidden(!matches!(phase, Phase::Starting | Phase::Loading { .. }));
        match phase {
            Phase::Loading { loaded, total } if *total > 0 => {
                self.progress.set_value(*loaded as f64 / *total as f64);
            }
            // Without a value the bar only says that something goes on.
            _ => drop(self.progress.remove_attribute("value")),
        }
    }
}

/// What a screen reader says; it must not change with every byte.
fn status(state: &State, name: &str) -> String {
    match &state.phase {
        Phase::Starting => "Starting the engine.".to_owned(),
        Phase::Loading { .. } => format!("Loading {name}."),
        Phase::Ready if state.samples.is_running() => "Sampling…".to_owned(),
        Phase::Ready => {
            // The panel was not opened yet.
            let Some(bits) = state.samples.bits() else { return String::new() };
            let speed = state.samples.millis().map(|millis| format!(", {} each", duration(millis))).unwrap_or_default();
            let (seed, bits) = (state.settings.seed.0, rounded(bits));
            format!("{GRID} samples of seed {seed}{speed}; {bits:.2} bits/dim on average.")
        }
        Phase::Empty => "There is no model to load.".to_owned(),
        // The cover is an alert and says the rest.
        Phase::Failed(_) => String::new(),
    }
}

/// A message with its first letter large and a full stop.
fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    let Some(first) = chars.next() else { return String::new() };
    let stop = if message.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{}{stop}", first.to_uppercase(), chars.as_str())
}

/// Bytes for people.
pub fn bytes(n: u64) -> String {
    match n {
        0..1_000 => format!("{n} bytes"),
        1_000..1_000_000 => format!("{:.0} kB", n as f64 / 1e3),
        _ => format!("{:.1} MB", n as f64 / 1e6),
    }
}

/// Milliseconds for people.
pub fn duration(millis: f64) -> String {
    match millis {
        ..10.0 => format!("{millis:.1} ms"),
        10.0..1000.0 => format!("{millis:.0} ms"),
        _ => format!("{:.1} s", millis / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::BackendChoice;

    #[test]
    fn before_there_are_samples_nothing_is_said_of_them() {
        let mut state = State::new("#panel=mix&seed=7", BackendChoice::Auto, String::new());
        state.phase = Phase::Ready;
        assert_eq!((status(&state, "it"), state.samples.bits()), (String::new(), None));
    }

    #[test]
    fn quantities_are_for_people() {
        assert_eq!(bytes(0), "0 bytes");
        assert_eq!(bytes(12_345), "12 kB");
        assert_eq!(bytes(3_210_000), "3.2 MB");
        assert_eq!(duration(4.26), "4.3 ms");
        assert_eq!(duration(42.6), "43 ms");
        assert_eq!(duration(1234.0), "1.2 s");
    }

    #[test]
    fn messages_become_sentences() {
        assert_eq!(sentence("weights: damaged"), "Weights: damaged.");
        assert_eq!(sentence("Is it offline?"), "Is it offline?");
        assert_eq!(sentence(""), "");
    }
}
