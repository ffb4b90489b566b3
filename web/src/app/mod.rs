//! The page: events come in, its state says what follows, its view shows it.
//!
//! The words that the panels and the page share are below them both: `panel`, `slot`, `event`, `effect` and `dispatch`.

mod album;
mod dispatch;
mod effect;
mod event;
mod gather;
mod looked;
mod page;
mod panel;
mod panels;
mod picker;
mod slot;
mod visit;
mod widgets;
mod worker_link;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use gloo_events::EventListener;
use wasm_bindgen::JsValue;
use web_sys::{Document, Url, Window};

use crate::error::{Error, Result};
use crate::protocol::{BackendChoice, TRAINER, Task, TrainTask};
use dispatch::Dispatch;
use effect::{Effect, Trainer};
use event::Event;
use page::{Input, State, View, show_breakdown};
use panel::Panel;
use widgets::dialog::DIALOG;
use widgets::download;
use worker_link::Link;

pub use visit::Visit;

/// Starts the page.
pub fn start() {
    if let Err(error) = try_start() {
        // Where even this fails there is nobody to tell.
        if let Some(document) = web_sys::window().and_then(|window| window.document()) {
            show_breakdown(&document, &error.to_string());
        }
    }
}

struct App {
    window: Window,
    document: Document,
    dispatch: Dispatch<Input>,
    state: RefCell<State>,
    /// What happened while something else was being taken in: a view may move the focus, which is an event too.
    events: RefCell<VecDeque<Input>>,
    taking: Cell<bool>,
    view: OnceCell<View>,
    engine: RefCell<Option<Link<Task>>>,
    trainer: RefCell<Option<Link<TrainTask>>>,
}

fn try_start() -> Result<()> {
    let missing = |what: &str| Error::Browser(format!("there is no {what}"));
    let window = web_sys::window().ok_or_else(|| missing("window"))?;
    let document = window.document().ok_or_else(|| missing("document"))?;
    let here = document.base_uri()?.ok_or_else(|| missing("address"))?;
    let index = Url::new_with_base("models/index.json", &here)?.href();
    let backend = BackendChoice::from_query(&window.location().search()?).unwrap_or_default();
    let fragment = embedded(&window.location().hash()?, &window.location().search()?);
    let mut state = State::new(&fragment, backend, index);
    state.history = looked::read(&window);
    let app = Rc::new_cyclic(|app: &std::rc::Weak<App>| {
        let app = app.clone();
        let dispatch: Dispatch<Input> = Rc::new(move |event| {
            if let Some(app) = app.upgrade() {
                app.take(event);
            }
        });
        App {
            window: window.clone(),
            document: document.clone(),
            dispatch,
            state: RefCell::new(state),
            events: RefCell::default(),
            taking: Cell::default(),
            view: OnceCell::new(),
            engine: RefCell::default(),
            trainer: RefCell::default(),
        }
    });
    let view = View::new(&document, &app.dispatch)?;
    let _ = app.view.set(view);
    let for_address = Rc::clone(&app);
    // This listener is what keeps the page alive.
    EventListener::new(&window, "hashchange", move |_| {
        if let Ok(hash) = for_address.window.location().hash() {
            for_address.take(Event::Address(hash).into());
        }
    })
    .forget();
    app.read_album();
    let album = Rc::clone(&app);
    // Another window changed it.
    EventListener::new(&window, "storage", move |_| album.read_album()).forget();
    let leaving = Rc::clone(&app);
    EventListener::new(&window, "pagehide", move |_| {
        if let Ok(state) = leaving.state.try_borrow() {
            // Where there is no room the next load begins without them.
            let _ = looked::write(&leaving.window, &state.history);
        }
    })
    .forget();
    app.take(Event::Retry.into());
    Ok(())
}

/// The fragment, with the panel that `?embed=mix` names unless it names one itself.
fn embedded(fragment: &str, query: &str) -> String {
    let mut pairs = query.trim_start_matches('?').split('&').filter_map(|pair| pair.split_once('='));
    match pairs.find(|(key, _)| *key == "embed").and_then(|(_, name)| Panel::parse(name)) {
        Some(panel) if !fragment.contains("panel=") => {
            format!("panel={}&{}", panel.name(), fragment.trim_start_matches('#'))
        }
        _ => fragment.to_owned(),
    }
}

impl App {
    /// Takes over the pictures that the browser kept.
    fn read_album(&self) {
        let event = album::read(&self.window, page::MOST_PHOTOS).map_or(Event::PhotosLost, Event::Photos);
        self.take(event.into());
    }

    fn take(&self, event: Input) {
        self.events.borrow_mut().push_back(event);
        if self.taking.replace(true) {
            return;
        }
        loop {
            let next = self.events.borrow_mut().pop_front();
            let Some(event) = next else { break };
            self.take_one(event);
        }
        self.taking.set(false);
    }

    fn take_one(&self, event: Input) {
        let effects = self.state.borrow_mut().update(event);
        for effect in effects {
            if let Err(error) = self.perform(effect) {
                let _ = self.state.borrow_mut().update(Event::EngineDied(error.to_string()));
            }
        }
        if let Some(view) = self.view.get() {
            view.render(&self.state.borrow());
        }
    }

    /// Writes the address over what is there, or as another step. Some browsers limit how often this may be done; the next
    /// change catches up.
    fn write_address(&self, fragment: &str, step: bool) -> Result<()> {
        let (history, address) = (self.window.history()?, format!("#{fragment}"));
        // An open dialog has the last step, which goes when it does.
        if self.view.get().is_some_and(View::has_dialog) {
            let _ = history.replace_state_with_url(&JsValue::from_str(DIALOG), "", Some(&address));
        } else if step {
            let _ = history.push_state_with_url(&JsValue::NULL, "", Some(&address));
        } else {
            let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&address));
        }
        Ok(())
    }

    fn perform(&self, effect: Effect) -> Result<()> {
        match effect {
            Effect::StartEngine => {
                // The old one ends before the new one begins.
                self.engine.take();
                let dispatch = self.dispatch.clone();
                let link = Link::start(&self.document, "", move |heard| {
                    dispatch(heard.map_or_else(Event::EngineDied, Event::Engine).into());
                })?;
                self.engine.replace(Some(link));
            }
            Effect::Send(request) => {
                if let Some(engine) = &*self.engine.borrow() {
                    engine.send(&request)?;
                }
            }
            Effect::Trainer(wanted) => {
                if let Err(error) = self.train(wanted) {
                    (self.dispatch)(Event::TrainerDied(error.to_string()).into());
                }
            }
            Effect::Download(name, bytes) => download::bytes(&self.document, &bytes, &name)?,
            Effect::KeepPhotos(photos) => {
                if album::write(&self.window, &photos).is_err() {
                    (self.dispatch)(Event::PhotosLost.into());
                }
            }
            Effect::WriteAddress(fragment) => self.write_address(&fragment, false)?,
            Effect::PushAddress(fragment) => self.write_address(&fragment, true)?,
        }
        Ok(())
    }
}

impl App {
    /// What has to do with the worker that trains: its end is not the page's.
    fn train(&self, wanted: Trainer) -> Result<()> {
        match wanted {
            Trainer::Start => {
                self.trainer.take();
                let dispatch = self.dispatch.clone();
                let link = Link::start(&self.document, TRAINER, move |heard| {
                    dispatch(heard.map_or_else(Event::TrainerDied, Event::Trainer).into());
                })?;
                self.trainer.replace(Some(link));
            }
            Trainer::Send(request) => {
                if let Some(trainer) = &*self.trainer.borrow() {
                    trainer.send(&request)?;
                }
            }
            Trainer::End => drop(self.trainer.take()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_embedded_page_starts_with_its_panel() {
        assert_eq!(embedded("", "?embed=mix"), "panel=mix&");
        assert_eq!(embedded("#seed=4", "?backend=cpu&embed=explore"), "panel=explore&seed=4");
        assert_eq!(embedded("#panel=mix&seed=4", "?embed=explore"), "#panel=mix&seed=4");
        assert_eq!(embedded("#seed=4", "?embed=<script>"), "#seed=4");
    }
}
