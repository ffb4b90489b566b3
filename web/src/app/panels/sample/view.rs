//! The sample panel's elements.

use std::rc::Rc;

use web_sys::HtmlCanvasElement;

use super::controls::ControlsView;
use super::grid::{self, GridView};
use super::state::{Sample, SampleEvent};
use super::viewer::{self, Viewer};
use crate::app::panels::{PanelView, Seen, Site};
use crate::error::Result;

/// The panel.
pub struct SampleView {
    grid: Rc<GridView>,
    controls: ControlsView,
    viewer: Rc<Viewer>,
}

impl PanelView for SampleView {
    type State = Sample;

    fn new(site: &Site<'_, SampleEvent>) -> Result<Self> {
        let grid = Rc::new(GridView::new(site.document)?);
        let viewer = Rc::new(Viewer::new(site)?);
        grid::listen(&grid, &viewer);
        viewer::listen(&viewer);
        Ok(Self { grid, controls: ControlsView::new(site)?, viewer })
    }

    fn render(&self, seen: &Seen<'_, Sample>) {
        self.controls.render(seen.page);
        self.grid.render(seen.panel, seen.page);
        self.viewer.render(seen.panel);
    }

    fn render_hidden(&self, seen: &Seen<'_, Sample>) {
        // The settings follow the address whatever is in sight.
        self.controls.render(seen.page);
    }

    fn sheet(&self) -> Vec<Vec<HtmlCanvasElement>> {
        self.grid.sheet()
    }
}
