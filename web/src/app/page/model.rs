//! Which model this is and what it runs on, and the choice of another.

use shared::DataKind;
use web_sys::{Document, HtmlElement, HtmlOptionElement, HtmlSelectElement};

use super::quantities::{bytes, duration};
use super::state::State;
use crate::app::dispatch::Dispatch;
use crate::app::event::Event;
use crate::app::widgets::dom::{by_id, create, on, set_text};
use crate::app::widgets::list::List;
use crate::error::Result;
use crate::protocol::BackendChoice;

/// Characters of a fact that stands beside its name.
const ONE_LINE: usize = 26;

/// The elements.
pub struct ModelView {
    document: Document,
    panel: HtmlElement,
    select: HtmlSelectElement,
    /// Ids and titles.
    offered: List<(String, String), ()>,
    description: HtmlElement,
    facts: List<(&'static str, String), ()>,
    backend: HtmlSelectElement,
    backend_note: HtmlElement,
}

impl ModelView {
    pub fn new(document: &Document, page: &Dispatch<Event>) -> Result<Self> {
        let select: HtmlSelectElement = by_id(document, "model")?;
        let (d, s) = (page.clone(), select.clone());
        on(&select, "change", move |_| d(Event::Model(s.value())));
        let backend: HtmlSelectElement = by_id(document, "backend")?;
        let (d, s) = (page.clone(), backend.clone());
        on(&backend, "change", move |_| {
            if let Some(choice) = BackendChoice::from_name(&s.value()) {
                d(Event::Backend(choice));
            }
        });
        Ok(Self {
            document: document.clone(),
            panel: by_id(document, "model-panel")?,
            select,
            offered: List::by_id(document, "model")?,
            description: by_id(document, "model-description")?,
            facts: List::by_id(document, "model-facts")?,
            backend,
            backend_note: by_id(document, "backend-note")?,
        })
    }

    pub fn render(&self, state: &State) {
        let offered = offered(state);
        self.select.set_disabled(offered.len() < 2);
        let _ = self.offered.fit(offered, |(id, title)| {
            let option: HtmlOptionElement = create(&self.document, "option")?;
            option.set_value(id);
            option.set_text(title);
            Ok((option.into(), ()))
        });
        if let Some(entry) = &state.entry {
            self.select.set_value(&entry.id);
        }
        self.panel.set_hidden(state.entry.is_none());
        let description = state.entry.as_ref().map(|entry| entry.description.as_str()).unwrap_or_default();
        set_text(&self.description, description);
        self.backend.set_value(state.backend.name());
        set_text(&self.backend_note, &state.backend_note);
        let _ = self.facts.fit(facts(state), |(name, value)| {
            let pair: HtmlElement = create(&self.document, "div")?;
            for (tag, text) in [("dt", *name), ("dd", value)] {
                let element: HtmlElement = create(&self.document, tag)?;
                // A long one takes the whole width, below its name.
                if value.chars().count() > ONE_LINE {
                    element.set_class_name("wide");
                }
                element.set_text_content(Some(text));
                pair.append_child(&element)?;
            }
            Ok((pair.into(), ()))
        });
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
    let (levels, size) = (info.config.level_count(), info.config.size);
    let origin = match info.cached {
        _ if entry.file.is_empty() => "your own",
        true => "from this browser’s cache",
        false => "downloaded",
    };
    let is_field = info.config.data == DataKind::Field;
    let grown = if entry.grown.is_some() { ", grown" } else { "" };
    // The card's likelihood is that of the size it was trained at.
    let bits = card.bits_per_dim.filter(|_| entry.grown.is_none());
    let all = [
        (
            if is_field { "Nats/site" } else { "Bits/dim" },
            bits.map(|bits| format!("{bits:.2} on its test set")).unwrap_or_default(),
        ),
        (if is_field { "Field" } else { "Picture" }, format!("{size}×{size}, {levels} levels{grown}")),
        ("Parameters", format!("{millions:.2} million")),
        ("Weights", format!("{}, {origin}", bytes(entry.bytes))),
        ("Runs on", info.backend.name().to_owned()),
        (
            "Speed",
            state.panels.sample.millis().map(|millis| format!("{} per picture", duration(millis))).unwrap_or_default(),
        ),
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
            ..ModelEntry::default()
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
