//! The grid of pictures.

use std::cell::Cell;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Document, HtmlButtonElement, HtmlCanvasElement, HtmlElement, KeyboardEvent};

use super::state::{GRID, Sample, SampleEvent};
use crate::address::rounded;
use crate::app::dispatch::Dispatch;
use crate::app::panels::Scene;
use crate::app::widgets::canvas::Picture;
use crate::app::widgets::dom::{by_id, on, set_columns, set_pressed};
use crate::error::Result;

/// Pictures in a row.
const COLUMNS: usize = 4;

/// A button with a canvas for each picture.
pub struct GridView {
    cells: Vec<(HtmlButtonElement, Picture)>,
    /// The picture that is looked at.
    chosen: Cell<Option<usize>>,
}

impl GridView {
    pub fn new(document: &Document) -> Result<Self> {
        let grid: HtmlElement = by_id(document, "grid")?;
        set_columns(&grid, COLUMNS)?;
        let cell = |place: usize| {
            let (button, picture) = Picture::in_button(document, &format!("Sample {}: look at it", place + 1))?;
            picture.canvas().dataset().set("index", &place.to_string())?;
            button.set_tab_index(if place == 0 { 0 } else { -1 });
            button.set_disabled(true);
            grid.append_child(&button)?;
            Ok((button, picture))
        };
        Ok(Self { cells: (0..GRID).map(cell).collect::<Result<_>>()?, chosen: Cell::default() })
    }

    pub fn render(&self, samples: &Sample, page: &Scene<'_>) {
        for (place, ((button, picture), shown)) in self.cells.iter().zip(&samples.shown).enumerate() {
            button.set_disabled(shown.is_none());
            let _ = button.class_list().toggle_with_force("stale", shown.is_some() && samples.is_stale(place));
            let unit = page.kind().unit();
            let cost = shown.as_ref().map(|shown| format!("{:.2} {unit}", rounded(shown.bits)));
            button.set_title(&cost.unwrap_or_default());
            set_pressed(button, samples.main_place() == Some(place));
            picture.show(shown.as_ref().map(|shown| &shown.image).or(page.preview_of(place)));
        }
        if let Some(place) = samples.main_place()
            && self.chosen.replace(Some(place)) != Some(place)
        {
            self.stop_at(place);
        }
    }

    pub fn sheet(&self) -> Vec<Vec<HtmlCanvasElement>> {
        self.cells.chunks(COLUMNS).map(|row| row.iter().map(|(_, p)| p.canvas().clone()).collect()).collect()
    }

    /// Only one cell is in the tab order; arrows go from there.
    fn stop_at(&self, place: usize) {
        for (i, (button, _)) in self.cells.iter().enumerate() {
            button.set_tab_index(if i == place { 0 } else { -1 });
        }
    }

    fn focus(&self, place: usize) {
        self.stop_at(place);
        if let Some((button, _)) = self.cells.get(place) {
            let _ = button.focus();
        }
    }
}

/// Where a key leads from a place.
fn step(place: usize, key: &str) -> Option<usize> {
    let (row, column) = (place / COLUMNS, place % COLUMNS);
    match key {
        "ArrowLeft" if column > 0 => Some(place - 1),
        "ArrowRight" if column + 1 < COLUMNS => Some(place + 1),
        "ArrowUp" if row > 0 => Some(place - COLUMNS),
        "ArrowDown" if place + COLUMNS < GRID => Some(place + COLUMNS),
        "Home" => Some(0),
        "End" => Some(GRID - 1),
        _ => None,
    }
}

pub fn listen(view: &Rc<GridView>, own: &Dispatch<SampleEvent>) {
    for (place, (button, _)) in view.cells.iter().enumerate() {
        let own = Rc::clone(own);
        on(button, "click", move |_| own(SampleEvent::Choose(place)));
        let grid = Rc::clone(view);
        on(button, "keydown", move |event| {
            let key = event.dyn_ref::<KeyboardEvent>().map(KeyboardEvent::key).unwrap_or_default();
            if let Some(next) = step(place, &key) {
                event.prevent_default();
                grid.focus(next);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_stay_inside_the_grid() {
        assert_eq!(step(0, "ArrowLeft"), None);
        assert_eq!(step(3, "ArrowRight"), None);
        assert_eq!(step(2, "ArrowUp"), None);
        assert_eq!(step(13, "ArrowDown"), None);
        assert_eq!(step(5, "ArrowLeft"), Some(4));
        assert_eq!(step(5, "ArrowRight"), Some(6));
        assert_eq!(step(5, "ArrowUp"), Some(1));
        assert_eq!(step(5, "ArrowDown"), Some(9));
        assert_eq!((step(5, "Home"), step(5, "End"), step(5, "a")), (Some(0), Some(15), None));
    }
}
