//! How far loading has got: the status line, the cover over the grid, and notices.

use web_sys::{Document, HtmlButtonElement, HtmlElement, HtmlProgressElement};

use super::quantities::{bytes, duration};
use super::state::{Phase, State};
use crate::address::rounded;
use crate::app::dispatch::Dispatch;
use crate::app::event::Event;
use crate::app::panel::Panel;
use crate::app::panels::sample::GRID;
use crate::app::widgets::dom::{by_id, capital, on, set_text};
use crate::error::Result;

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
    pub fn new(document: &Document, page: &Dispatch<Event>) -> Result<Self> {
        let retry: HtmlButtonElement = by_id(document, "retry")?;
        let page = page.clone();
        on(&retry, "click", move |_| page(Event::Retry));
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
        // Learning needs none of the page's models.
        self.cover.set_hidden(matches!(state.phase, Phase::Ready) || state.settings.panel == Panel::Train);
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
        Phase::Ready if state.panels.sample.is_running() => "Sampling…".to_owned(),
        Phase::Ready => {
            // The panel was not opened yet.
            let Some(bits) = state.panels.sample.bits() else { return String::new() };
            let speed =
                state.panels.sample.millis().map(|millis| format!(", {} each", duration(millis))).unwrap_or_default();
            let (seed, bits) = (state.settings.seed.0, rounded(bits));
            let unit = state.info.as_ref().map(|info| info.config.data).unwrap_or_default().unit();
            format!("{GRID} samples of seed {seed}{speed}; {bits:.2} {unit} on average.")
        }
        Phase::Empty => "There is no model to load.".to_owned(),
        // The cover is an alert and says the rest.
        Phase::Failed(_) => String::new(),
    }
}

/// A message as a sentence: a capital letter at its start, a full stop at its end.
fn sentence(message: &str) -> String {
    let stop = if message.is_empty() || message.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{stop}", capital(message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::BackendChoice;

    #[test]
    fn before_there_are_samples_nothing_is_said_of_them() {
        let mut state = State::new("#panel=mix&seed=7", BackendChoice::Auto, String::new());
        state.phase = Phase::Ready;
        assert_eq!((status(&state, "it"), state.panels.sample.bits()), (String::new(), None));
    }

    #[test]
    fn messages_become_sentences() {
        assert_eq!(sentence("weights: damaged"), "Weights: damaged.");
        assert_eq!(sentence("Is it offline?"), "Is it offline?");
        assert_eq!(sentence(""), "");
    }
}
