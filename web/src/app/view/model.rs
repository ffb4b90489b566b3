//! Which model this is and what it runs on, and the choice of another.

use std::cell::RefCell;

use web_sys::{Document, HtmlElement, HtmlOptionElement, HtmlSelectElement};

use super::dom::{by_id, create, on, set_text};
use super::status::{bytes, duration};
use crate::app::Dispatch;
use crate::app::state::{Event, State};
use crate::error::Result;
use crate::messages::BackendChoice;

/// Characters of a fact that stands beside its name.
const ONE_LINE: usize = 26;

/// The elements.
pub struct ModelView {
    document: Document,
    panel: HtmlElement,
    select: HtmlSelectElement,
    description: HtmlElement,
    facts: HtmlElement,
    backend: HtmlSelectElement,
    backend_note: HtmlElement,
    shown: RefCell<Vec<(&'static str, String)>>,
    /// Ids and titles.
    offered: RefCell<Vec<(String, String)>>,
}

impl ModelView {
    pub fn new(document: &Document, dispatch: &Dispatch) -> Result<Self> {
        let select: HtmlSelectElement = by_id(document, "model")?;
        let (d, s) = (dispatch.clone(), select.clone());
        on(&select, "change", move |_| d(Event::Model(s.value())));
        let backend: HtmlSelectElement = by_id(document, "backend")?;
        let (d, s) = (dispatch.clone(), backend.clone());
        on(&backend, "change", move |_| {
            if let Some(choice) = BackendChoice::from_name(&s.value()) {
                d(Event::Backend(choice));
            }
        });
        Ok(Self {
            document: document.clone(),
            panel: by_id(document, "model-panel")?,
            select,
            description: by_id(document, "model-description")?,
            facts: by_id(document, "model-facts")?,
            backend,
            backend_note: by_id(document, "backend-note")?,
            shown: RefCell::default(),
            offered: RefCell::default(),
        })
    }

    pub fn render(&self, state: &State) {
        let _ = self.render_choice(state);
        self.panel.set_hidden(state.entry.is_none());
        let description = state.entry.as_ref().map(|entry| entry.description.as_str()).unwrap_or_default();
        set_text(&self.description, description);
        self.backend.set_value(state.backend.name());
        set_text(&self.backend_note, &state.backend_note);
        let facts = facts(state);
        if *self.shown.borrow() != facts {
            let _ = self.render_facts(&facts);
            self.shown.replace(facts);
        }
    }

    fn render_choice(&self, state: &State) -> Result<()> {
        let offered = offered(state);
        self.select.set_disabled(offered.len() < 2);
        if *self.offered.borrow() != offered {
            self.select.set_text_content(None);
            for (id, title) in &offered {
                let option: HtmlOptionElement = create(&self.document, "option")?;
                option.set_value(id);
                option.set_text(title);
                self.select.append_child(&option)?;
            }
            self.offered.replace(offered);
        }
        if let Some(entry) = &state.entry {
            self.select.set_value(&entry.id);
        }
        Ok(())
    }

    fn render_facts(&self, facts: &[(&'static str, String)]) -> Result<()> {
        self.facts.set_text_content(None);
        for (name, value) in facts {
            for (tag, text) in [("dt", *name), ("dd", value)] {
                let element: HtmlElement = create(&self.document, tag)?;
                // A long one takes the whole width, below its name.
                if value.chars().count() > ONE_LINE {
                    element.set_class_name("wide");
                }
                element.set_text_content(Some(text));
                self.facts.append_child(&element)?;
            }
        }
        Ok(())
    }
}

/// The models on offer, and the one in use if it is the reader's own.
fn offered(state: &State) -> Vec<(String, String)> {
    let models = state.index.iter().flat_map(|index| &index.models);
    let own = state.entry.as_ref().filter(|entry| entry.file.is_empty());
    models.chain(own).map(|model| (model.id.clone(), model.title.clone())).collect()
}

/// What is known of the model, in the order to read it.
fn facts(state: &State) -> Vec<(&'static str, String)> {
    let (Some(info), Some(entry)) = (&state.info, &state.entry) else { return vec![] };
    let card = &info.card;
    let or = |first: &str, second: &str| if first.is_empty() { second.to_owned() } else { first.to_owned() };
    let millions = info.config.param_count() as f64 / 1e6;
    let (levels, size) = (info.config.levels.len(), info.config.size);
    let origin = match info.cached {
        _ if entry.file.is_empty() => "yours",
        true => "kept here",
        false => "downloaded",
    };
    let all = [
        ("Bits/dim", card.bits_per_dim.map(|bits| format!("{bits:.2} on its test set")).unwrap_or_default()),
        ("Picture", format!("{size}×{size}, {levels} levels")),
        ("Parameters", format!("{millions:.2} million")),
        ("Weights", format!("{}, {origin}", bytes(entry.bytes))),
        ("Runs on", info.backend.name().to_owned()),
        ("Speed", state.samples.millis().map(|millis| format!("{} a picture", duration(millis))).unwrap_or_default()),
        ("Trained on", card.dataset.clone()),
        ("Licence", or(&card.licence, &entry.licence)),
        ("Training", card.training.clone()),
    ];
    all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{ModelEntry, ModelIndex};

    #[test]
    fn the_readers_own_model_is_on_offer_while_it_is_in_use() {
        let entry = |id: &str, file: &str| ModelEntry {
            id: id.into(),
            title: id.to_uppercase(),
            file: file.into(),
            bytes: 1,
            sha256: String::new(),
            description: String::new(),
            licence: String::new(),
            default: false,
            holes: vec![],
        };
        let mut state = State::new("", BackendChoice::Auto, String::new());
        state.index = Some(ModelIndex { format: 1, models: vec![entry("a", "a.safetensors")] });
        state.entry = Some(entry("own", ""));
        let names = |state: &State| offered(state).into_iter().map(|(_, title)| title).collect::<Vec<_>>();
        assert_eq!(names(&state), ["A", "OWN"]);
        state.entry = Some(entry("a", "a.safetensors"));
        assert_eq!(names(&state), ["A"]);
    }

    #[test]
    fn nothing_is_said_of_a_model_that_is_not_there() {
        let state = State::new("", BackendChoice::Auto, String::new());
        assert!(facts(&state).is_empty() && offered(&state).is_empty());
    }
}
