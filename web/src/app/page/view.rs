//! The page's elements. `index.html` holds them; each view looks after some.

use std::cell::Cell;
use std::rc::Rc;

use shared::DataKind;
use web_sys::{Document, HtmlElement};

use super::drop;
use super::history::HistoryView;
use super::model::ModelView;
use super::preview;
use super::share::ShareView;
use super::state::{Input, State};
use super::status::StatusView;
use super::tabs::TabsView;
use super::title::TitleView;
use super::tour::TourView;
use crate::app::dispatch::{Dispatch, narrowed};
use crate::app::event::Event;
use crate::app::gather::Gatherer;
use crate::app::panel::Panel;
use crate::app::panels::list::{PanelEvent, PanelViews, slots};
use crate::app::panels::train::state::TrainEvent;
use crate::app::picker::{Offer, Picker};
use crate::app::widgets::canvas;
use crate::app::widgets::dialog::Dialogs;
use crate::app::widgets::dom::root;
use crate::error::Result;

/// Everything that the page shows.
pub struct View {
    root: HtmlElement,
    status: StatusView,
    tabs: TabsView,
    title: TitleView,
    share: Rc<ShareView>,
    model: ModelView,
    history: HistoryView,
    tour: TourView,
    picker: Rc<Picker>,
    panels: Rc<PanelViews>,
    dialogs: Rc<Dialogs>,
    /// The shown panel.
    shown: Rc<Cell<Panel>>,
}

impl View {
    /// Finds the elements and listens to them.
    ///
    /// # Errors
    /// [`crate::Error::Browser`] if the page lacks one.
    pub fn new(document: &Document, dispatch: &Dispatch<Input>) -> Result<Self> {
        let page: Dispatch<Event> = narrowed(dispatch, Input::Page);
        let returned = page.clone();
        let dialogs = Dialogs::new(document, move || returned(Event::AddressWanted))?;
        let picker = Picker::new(document, &page, &dialogs, slots())?;
        let gatherer = Gatherer::new(
            document,
            narrowed(dispatch, |gathered| PanelEvent::Train(TrainEvent::Gathered(gathered)).into()),
        )?;
        drop::listen(document, &page, &picker, &gatherer)?;
        preview::listen(document, &page)?;
        let panels = PanelViews::new(document, &narrowed(dispatch, Input::Panel), &page, &picker, &gatherer, &dialogs)?;
        let (panels, shown) = (Rc::new(panels), Rc::new(Cell::new(Panel::default())));
        let (to_save, panel, paper) = (Rc::clone(&panels), Rc::clone(&shown), document.clone());
        let save = move || {
            let panel = panel.get();
            canvas::save(&paper, &to_save.sheet(panel), &format!("rg-flow-{}.png", panel.name()))
        };
        Ok(Self {
            root: root(document)?,
            status: StatusView::new(document, &page)?,
            tabs: TabsView::new(document, &page)?,
            title: TitleView::new(document)?,
            share: ShareView::new(document, &page, save)?,
            model: ModelView::new(document, &page)?,
            history: HistoryView::new(document, &page)?,
            tour: TourView::new(document, &page)?,
            picker,
            panels,
            dialogs,
            shown,
        })
    }

    /// Whether a dialog lies over the page, with an entry of its own in the browser's history.
    pub fn has_dialog(&self) -> bool {
        self.dialogs.is_any_open()
    }

    /// Shows a state.
    pub fn render(&self, state: &State) {
        let data = self.root.dataset();
        let _ = data.set("state", state.word());
        let _ = data.set("panel", state.settings.panel.name());
        let _ = data.set("busy", if state.busy { "true" } else { "false" });
        let _ = data.set("seed", &state.settings.seed.0.to_string());
        let (scene, eyes) = (state.scene(), state.entry.as_ref().is_some_and(|entry| !entry.eyes.is_empty()));
        let _ = data.set("kind", if scene.kind() == DataKind::Field { "field" } else { "images" });
        if eyes {
            let _ = data.set("faces", "");
        } else {
            data.delete("faces");
        }
        let _ = data.set("preview", if state.first_samples().is_empty() { "" } else { "shown" });
        let _ = data.set("backend", state.info.as_ref().map_or("", |info| info.backend.name()));
        self.status.render(state);
        self.tabs.render(state);
        self.title.render(state.settings.panel);
        self.share.render(state);
        self.picker.render(&offer(state));
        self.shown.set(state.settings.panel);
        self.panels.render(state.settings.panel, &state.panels, &state.settings.panels, &state.scene());
        self.model.render(state);
        self.history.render(state);
        self.tour.render(state);
    }
}

/// What there is to choose from.
fn offer(state: &State) -> Offer<'_> {
    let shown = state.panels.sample.shown.iter().enumerate();
    Offer {
        panel: state.settings.panel,
        edge: state.info.as_ref().map_or(0, |info| info.config.size),
        eyes: state.entry.as_ref().map_or(&[], |entry| &entry.eyes),
        looked: state.photos.looked.clone(),
        photos: &state.photos.kept,
        forgotten: state.photos.forgotten,
        samples: shown
            .map(|(place, shown)| {
                let shown = shown.as_ref().filter(|_| !state.panels.sample.is_stale(place))?;
                Some((shown.pick(place), &shown.image))
            })
            .collect(),
    }
}

/// Shows an error where there is no state to show.
pub fn show_breakdown(document: &Document, message: &str) {
    if let Ok(root) = root(document) {
        let _ = root.dataset().set("state", "error");
    }
    if let Some(element) = document.get_element_by_id("cover-title") {
        element.set_text_content(Some(message));
    }
}
