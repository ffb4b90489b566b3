//! The page's elements. `index.html` holds them; each file here looks after some.

mod about;
mod board;
mod canvas;
mod dialog;
mod dom;
mod drop;
mod explore;
mod film;
mod inpaint;
mod mix;
mod model;
mod named;
mod picker;
mod sample;
mod share;
mod status;
mod tabs;

use std::cell::Cell;
use std::rc::Rc;

use web_sys::{Document, HtmlElement};

use super::Dispatch;
use super::state::State;
use crate::error::Result;
use crate::fragment::Panel;

/// Everything that the page shows.
pub struct View {
    root: HtmlElement,
    status: status::StatusView,
    tabs: tabs::TabsView,
    share: Rc<share::ShareView>,
    model: model::ModelView,
    picker: Rc<picker::Picker>,
    panels: Rc<Panels>,
}

/// The panels, and which of them is in sight.
struct Panels {
    shown: Cell<Panel>,
    sample: sample::SampleView,
    mix: mix::MixView,
    explore: explore::ExploreView,
    inpaint: inpaint::InpaintView,
    about: about::AboutView,
}

impl View {
    /// Finds the elements and listens to them.
    ///
    /// # Errors
    /// [`crate::Error::Browser`] if the page lacks one.
    pub fn new(document: &Document, dispatch: &Dispatch) -> Result<Self> {
        let dialogs = dialog::Dialogs::new(document, dispatch)?;
        let picker = picker::Picker::new(document, dispatch, &dialogs)?;
        drop::listen(document, dispatch, &picker)?;
        let panels = Rc::new(Panels {
            shown: Cell::default(),
            sample: sample::SampleView::new(document, dispatch, &dialogs)?,
            mix: mix::MixView::new(document, dispatch, &picker)?,
            explore: explore::ExploreView::new(document, dispatch, &picker)?,
            inpaint: inpaint::InpaintView::new(document, dispatch, &picker)?,
            about: about::AboutView::new(document, dispatch)?,
        });
        let (to_save, page) = (Rc::clone(&panels), document.clone());
        Ok(Self {
            root: dom::root(document)?,
            status: status::StatusView::new(document, dispatch)?,
            tabs: tabs::TabsView::new(document, dispatch)?,
            share: share::ShareView::new(document, dispatch, move || to_save.save(&page))?,
            model: model::ModelView::new(document, dispatch)?,
            picker,
            panels,
        })
    }

    /// Shows a state.
    pub fn render(&self, state: &State) {
        let data = self.root.dataset();
        let _ = data.set("state", state.word());
        let _ = data.set("busy", if state.busy { "true" } else { "false" });
        let _ = data.set("seed", &state.settings.seed.0.to_string());
        let _ = data.set("backend", state.info.as_ref().map_or("", |info| info.backend.name()));
        self.status.render(state);
        self.tabs.render(state);
        self.share.render(state);
        self.picker.render(state);
        self.panels.render(state);
        self.model.render(state);
    }
}

impl Panels {
    fn render(&self, state: &State) {
        self.shown.set(state.settings.panel);
        self.sample.render(state);
        match state.settings.panel {
            Panel::Sample => {}
            Panel::Mix => self.mix.render(state),
            Panel::Explore => self.explore.render(state),
            Panel::Inpaint => self.inpaint.render(state),
            Panel::About => self.about.render(state),
        }
    }

    /// Hands out what is in sight.
    fn save(&self, document: &Document) -> Result<()> {
        let panel = self.shown.get();
        let sheet = match panel {
            Panel::Mix => self.mix.sheet(),
            Panel::Explore => self.explore.sheet(),
            Panel::Inpaint => self.inpaint.sheet(),
            Panel::Sample => self.sample.sheet(),
            Panel::About => self.about.sheet(),
        };
        canvas::save(document, &sheet, &format!("rg-flow-{}.png", panel.name()))
    }
}

/// Shows an error where there is no state to show.
pub fn show_breakdown(document: &Document, message: &str) {
    if let Ok(root) = dom::root(document) {
        let _ = root.dataset().set("state", "error");
    }
    if let Some(element) = document.get_element_by_id("cover-title") {
        element.set_text_content(Some(message));
    }
}
