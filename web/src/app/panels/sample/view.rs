//! The sample panel's elements.

use std::rc::Rc;

use web_sys::HtmlCanvasElement;

use super::bits_view::BitsView;
use super::controls::ControlsView;
use super::grid::{self, GridView};
use super::microscope::Microscope;
use super::state::{Sample, SampleEvent};
use crate::app::event::Event;
use crate::app::panels::{PanelView, Seen, Site};
use crate::app::widgets::dom::on_click;
use crate::error::Result;

/// The panel.
pub struct SampleView {
    grid: Rc<GridView>,
    controls: ControlsView,
    microscope: Rc<Microscope>,
    bits: BitsView,
}

impl PanelView for SampleView {
    type State = Sample;

    fn new(site: &Site<'_, SampleEvent>) -> Result<Self> {
        let grid = Rc::new(GridView::new(site.document)?);
        grid::listen(&grid, &site.own);
        let microscope = Rc::new(Microscope::new(site)?);
        let (scope, page) = (Rc::clone(&microscope), Rc::clone(&site.page));
        on_click(site.document, "scope-save", move || {
            if let Err(error) = scope.save() {
                page(Event::Notice(error.to_string()));
            }
        })?;
        Ok(Self { grid, controls: ControlsView::new(site)?, microscope, bits: BitsView::new(site.document)? })
    }

    fn render(&self, seen: &Seen<'_, Sample>) {
        self.controls.render(seen.page);
        self.grid.render(seen.panel, seen.page);
        self.microscope.render(seen);
        self.bits.render(seen.panel, seen.page);
    }

    fn render_hidden(&self, seen: &Seen<'_, Sample>) {
        // The settings follow the address whatever is in sight.
        self.controls.render(seen.page);
    }

    fn sheet(&self) -> Vec<Vec<HtmlCanvasElement>> {
        self.grid.sheet()
    }
}
