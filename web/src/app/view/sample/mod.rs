//! The sample panel.

mod controls;
mod grid;
mod viewer;

use std::rc::Rc;

use web_sys::{Document, HtmlCanvasElement};

use crate::app::Dispatch;
use crate::app::state::State;
use crate::error::Result;

/// The panel.
pub struct SampleView {
    grid: Rc<grid::GridView>,
    controls: controls::ControlsView,
    viewer: Rc<viewer::Viewer>,
}

impl SampleView {
    pub fn new(document: &Document, dispatch: &Dispatch) -> Result<Self> {
        let grid = Rc::new(grid::GridView::new(document)?);
        let viewer = Rc::new(viewer::Viewer::new(document, dispatch)?);
        grid::listen(&grid, &viewer);
        viewer::listen(&viewer);
        Ok(Self { grid, controls: controls::ControlsView::new(document, dispatch)?, viewer })
    }

    pub fn render(&self, state: &State) {
        self.grid.render(state);
        self.controls.render(state);
        self.viewer.render(state);
    }

    /// What a saved file shows.
    pub fn sheet(&self) -> Vec<Vec<HtmlCanvasElement>> {
        self.grid.sheet()
    }
}
