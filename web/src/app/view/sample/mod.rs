//! The sample panel.

mod controls;
mod grid;
mod viewer;

use std::rc::Rc;

use web_sys::{Document, HtmlCanvasElement};

use crate::app::Dispatch;
use crate::app::state::State;
use crate::app::view::dialog::Dialogs;
use crate::error::Result;
use crate::fragment::Panel;

/// The panel.
pub struct SampleView {
    grid: Rc<grid::GridView>,
    controls: controls::ControlsView,
    viewer: Rc<viewer::Viewer>,
}

impl SampleView {
    pub fn new(document: &Document, dispatch: &Dispatch, dialogs: &Rc<Dialogs>) -> Result<Self> {
        let grid = Rc::new(grid::GridView::new(document)?);
        let viewer = Rc::new(viewer::Viewer::new(document, dispatch, dialogs)?);
        grid::listen(&grid, &viewer);
        viewer::listen(&viewer);
        Ok(Self { grid, controls: controls::ControlsView::new(document, dispatch)?, viewer })
    }

    pub fn render(&self, state: &State) {
        // The settings follow the address whatever is in sight.
        self.controls.render(state);
        if state.settings.panel == Panel::Sample {
            self.grid.render(state);
            self.viewer.render(state);
        }
    }

    /// What a saved file shows.
    pub fn sheet(&self) -> Vec<Vec<HtmlCanvasElement>> {
        self.grid.sheet()
    }
}
