//! The page's elements. `index.html` holds them; each file here looks after some.

mod controls;
mod dom;
mod grid;
mod model;
mod status;
mod viewer;

use std::rc::Rc;

use web_sys::{Document, HtmlElement};

use super::Dispatch;
use super::state::State;
use crate::error::Result;
use crate::messages::Picture;

/// Everything that the page shows.
pub struct View {
    root: HtmlElement,
    status: status::StatusView,
    grid: Rc<grid::GridView>,
    controls: controls::ControlsView,
    model: model::ModelView,
    viewer: Rc<viewer::Viewer>,
}

impl View {
    /// Finds the elements and listens to them.
    ///
    /// # Errors
    /// [`crate::Error::Browser`] if the page lacks one.
    pub fn new(document: &Document, dispatch: &Dispatch) -> Result<Self> {
        let grid = Rc::new(grid::GridView::new(document)?);
        let viewer = Rc::new(viewer::Viewer::new(document, Rc::clone(&grid))?);
        grid::listen(&grid, &viewer);
        viewer::listen(&viewer);
        Ok(Self {
            root: dom::root(document)?,
            status: status::StatusView::new(document, dispatch)?,
            controls: controls::ControlsView::new(document, dispatch)?,
            model: model::ModelView::new(document, dispatch)?,
            grid,
            viewer,
        })
    }

    /// Shows a state; pictures come by [`View::paint`].
    pub fn render(&self, state: &State) {
        let data = self.root.dataset();
        let _ = data.set("state", state.phase.name());
        let _ = data.set("seed", &state.settings.seed.to_string());
        let _ = data.set("request", &state.sampling.to_string());
        let _ = data.set("backend", state.info.as_ref().map_or("", |info| info.backend.name()));
        self.status.render(state);
        self.grid.render(state);
        self.controls.render(state);
        self.model.render(state);
        self.viewer.render(state);
    }

    /// Shows a picture in its place.
    ///
    /// # Errors
    /// [`crate::Error::Browser`] if the canvas does not take it.
    pub fn paint(&self, picture: &Picture, seed: u64) -> Result<()> {
        self.grid.paint(picture, seed)?;
        self.viewer.repaint(picture.index as usize);
        Ok(())
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
