//! The page: events come in, [`state`] says what follows, [`view`] shows it.

mod link;
pub mod state;
pub mod view;

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use gloo_events::EventListener;
use wasm_bindgen::JsValue;
use web_sys::{Document, Url, Window};

use crate::error::{Error, Result};
use crate::messages::BackendChoice;
use link::Link;
use state::{Effect, Event, State};
use view::View;

/// Takes events from anywhere in the page.
pub type Dispatch = Rc<dyn Fn(Event)>;

/// Starts the page.
pub fn start() {
    if let Err(error) = try_start() {
        // Where even this fails there is nobody to tell.
        if let Some(document) = web_sys::window().and_then(|window| window.document()) {
            view::show_breakdown(&document, &error.to_string());
        }
    }
}

struct App {
    window: Window,
    document: Document,
    dispatch: Dispatch,
    state: RefCell<State>,
    view: OnceCell<View>,
    engine: RefCell<Option<Link>>,
}

fn try_start() -> Result<()> {
    let missing = |what: &str| Error::Browser(format!("there is no {what}"));
    let window = web_sys::window().ok_or_else(|| missing("window"))?;
    let document = window.document().ok_or_else(|| missing("document"))?;
    let here = document.base_uri()?.ok_or_else(|| missing("address"))?;
    let index = Url::new_with_base("models/index.json", &here)?.href();
    let backend = BackendChoice::from_query(&window.location().search()?).unwrap_or_default();
    let state = State::new(&window.location().hash()?, backend, index);
    let app = Rc::new_cyclic(|app: &std::rc::Weak<App>| {
        let app = app.clone();
        let dispatch: Dispatch = Rc::new(move |event| {
            if let Some(app) = app.upgrade() {
                app.take(event);
            }
        });
        App {
            window: window.clone(),
            document: document.clone(),
            dispatch,
            state: RefCell::new(state),
            view: OnceCell::new(),
            engine: RefCell::new(None),
        }
    });
    let view = View::new(&document, &app.dispatch)?;
    let _ = app.view.set(view);
    let for_address = Rc::clone(&app);
    // This listener is what keeps the page alive.
    EventListener::new(&window, "hashchange", move |_| {
        if let Ok(hash) = for_address.window.location().hash() {
            for_address.take(Event::Address(hash));
        }
    })
    .forget();
    app.take(Event::Retry);
    Ok(())
}

impl App {
    fn take(&self, event: Event) {
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

    fn perform(&self, effect: Effect) -> Result<()> {
        match effect {
            Effect::StartEngine => {
                // The old one ends before the new one begins.
                self.engine.take();
                let link = Link::start(&self.document, &self.dispatch)?;
                self.engine.replace(Some(link));
            }
            Effect::Send(request) => {
                if let Some(engine) = &*self.engine.borrow() {
                    engine.send(&request)?;
                }
            }
            Effect::Paint(picture, seed) => {
                if let Some(view) = self.view.get() {
                    view.paint(&picture, seed)?;
                }
            }
            Effect::WriteAddress(fragment) => {
                let address = format!("#{fragment}");
                // Some browsers limit how often this may be called; the next change catches up.
                let _ = self.window.history()?.replace_state_with_url(&JsValue::NULL, "", Some(&address));
            }
        }
        Ok(())
    }
}
