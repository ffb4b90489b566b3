//! The grid of pictures.

use std::rc::Rc;

use wasm_bindgen::{Clamped, JsCast};
use web_sys::{
    CanvasRenderingContext2d, Document, HtmlButtonElement, HtmlCanvasElement, HtmlElement, HtmlInputElement, ImageData,
    KeyboardEvent,
};

use super::dom::{by_id, on};
use super::viewer::Viewer;
use crate::app::state::{GRID, State};
use crate::error::{Error, Result};
use crate::messages::Picture;

/// Pictures in a row.
const COLUMNS: usize = 4;

/// A button with a canvas for each picture.
pub struct GridView {
    grid: HtmlElement,
    smooth: HtmlInputElement,
    cells: Vec<(HtmlButtonElement, HtmlCanvasElement)>,
}

impl GridView {
    pub fn new(document: &Document) -> Result<Self> {
        let grid: HtmlElement = by_id(document, "grid")?;
        let cell = |place: usize| {
            let canvas = grid.query_selector(&format!("canvas[data-index=\"{place}\"]")).ok().flatten();
            let canvas: HtmlCanvasElement = canvas?.dyn_into().ok()?;
            let button: HtmlButtonElement = canvas.parent_element()?.dyn_into().ok()?;
            Some((button, canvas))
        };
        let cells: Option<Vec<_>> = (0..GRID).map(cell).collect();
        let cells = cells.ok_or_else(|| Error::Browser("the page lacks some of its canvases".to_owned()))?;
        Ok(Self { cells, smooth: by_id(document, "smooth")?, grid })
    }

    pub fn canvas(&self, place: usize) -> Option<&HtmlCanvasElement> {
        self.cells.get(place).map(|(_, canvas)| canvas)
    }

    pub fn render(&self, state: &State) {
        for (place, (button, _)) in self.cells.iter().enumerate() {
            let empty = state.shown.get(place).is_none_or(|&id| id == 0);
            button.set_disabled(empty);
            let _ = button.class_list().toggle_with_force("stale", !empty && state.is_stale(place));
        }
    }

    pub fn paint(&self, picture: &Picture, seed: u64) -> Result<()> {
        let Some(canvas) = self.canvas(picture.index as usize) else { return Ok(()) };
        if canvas.width() != picture.size || canvas.height() != picture.size {
            canvas.set_width(picture.size);
            canvas.set_height(picture.size);
        }
        let pixels = Clamped(picture.rgba.as_slice());
        let image = ImageData::new_with_u8_clamped_array_and_sh(pixels, picture.size, picture.size)?;
        context(canvas)?.put_image_data(&image, 0.0, 0.0)?;
        let data = canvas.dataset();
        data.set("seed", &seed.to_string())?;
        data.set("painted", "true")?;
        Ok(())
    }

    /// Only one cell is in the tab order; arrows go from there.
    fn focus(&self, place: usize) {
        for (i, (button, _)) in self.cells.iter().enumerate() {
            button.set_tab_index(if i == place { 0 } else { -1 });
        }
        if let Some((button, _)) = self.cells.get(place) {
            let _ = button.focus();
        }
    }
}

/// The canvas's drawing context.
pub fn context(canvas: &HtmlCanvasElement) -> Result<CanvasRenderingContext2d> {
    let context = canvas.get_context("2d")?.and_then(|context| context.dyn_into().ok());
    context.ok_or_else(|| Error::Browser("canvases cannot be drawn on here".to_owned()))
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

pub fn listen(view: &Rc<GridView>, viewer: &Rc<Viewer>) {
    for (place, (button, _)) in view.cells.iter().enumerate() {
        let viewer = Rc::clone(viewer);
        on(button, "click", move |_| viewer.open(place));
        let grid = Rc::clone(view);
        on(button, "keydown", move |event| {
            let key = event.dyn_ref::<KeyboardEvent>().map(KeyboardEvent::key).unwrap_or_default();
            if let Some(next) = step(place, &key) {
                event.prevent_default();
                grid.focus(next);
            }
        });
    }
    let grid = Rc::clone(view);
    let show = move || {
        let _ = grid.grid.class_list().toggle_with_force("smooth", grid.smooth.checked());
    };
    // A reload keeps the box as it was.
    show();
    on(&view.smooth, "change", move |_| show());
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
