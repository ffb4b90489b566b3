//! Canvases that show pictures, and pictures as files.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{Clamped, JsCast};
use web_sys::{Blob, CanvasRenderingContext2d, Document, HtmlButtonElement, HtmlCanvasElement, ImageData};

use super::dom::{by_id, create, create_button};
use super::download;
use crate::error::{Error, Result};
use crate::protocol::Image;

/// Pixels in a row of a saved file, at least, for every picture in it.
const SAVED_EDGE: u32 = 256;

/// A canvas that shows a picture.
pub struct Picture {
    canvas: HtmlCanvasElement,
    shown: RefCell<Option<Rc<Image>>>,
}

impl Picture {
    /// The canvas of that id.
    pub fn by_id(document: &Document, id: &str) -> Result<Self> {
        Ok(Self::new(by_id(document, id)?))
    }

    /// A new canvas.
    pub fn create(document: &Document) -> Result<Self> {
        let canvas: HtmlCanvasElement = create(document, "canvas")?;
        canvas.set_class_name("pixels");
        canvas.set_width(32);
        canvas.set_height(32);
        Ok(Self::new(canvas))
    }

    /// A new canvas in a new button, of which a screen reader says `label`.
    pub fn in_button(document: &Document, label: &str) -> Result<(HtmlButtonElement, Self)> {
        let (button, picture) = (create_button(document, "cell")?, Self::create(document)?);
        button.set_attribute("aria-label", label)?;
        button.append_child(picture.canvas())?;
        Ok((button, picture))
    }

    fn new(canvas: HtmlCanvasElement) -> Self {
        Self { canvas, shown: RefCell::default() }
    }

    /// The canvas itself.
    pub fn canvas(&self) -> &HtmlCanvasElement {
        &self.canvas
    }

    /// Shows a picture, unless it is there already.
    pub fn show(&self, image: Option<&Rc<Image>>) {
        if !is_new(self.shown.borrow().as_ref(), image) {
            return;
        }
        let painted = image.is_some_and(|image| paint(&self.canvas, image).is_ok());
        let _ = self.canvas.toggle_attribute_with_force("data-painted", painted);
        self.shown.replace(image.cloned());
    }

    /// Empties the canvas, where what was shown last would mislead.
    pub fn wipe(&self) {
        self.show(None);
        // Setting a canvas's size empties it, whatever the size.
        self.canvas.set_width(self.canvas.width());
    }
}

/// Whether there is something else to show than was shown last.
pub fn is_new<T>(shown: Option<&Rc<T>>, now: Option<&Rc<T>>) -> bool {
    match (shown, now) {
        (Some(old), Some(new)) => !Rc::ptr_eq(old, new),
        (old, new) => old.is_some() || new.is_some(),
    }
}

/// Draws a picture on a canvas of its size.
pub fn paint(canvas: &HtmlCanvasElement, image: &Image) -> Result<()> {
    if canvas.width() != image.size || canvas.height() != image.size {
        canvas.set_width(image.size);
        canvas.set_height(image.size);
    }
    let pixels = ImageData::new_with_u8_clamped_array_and_sh(Clamped(&image.rgba), image.size, image.size)?;
    Ok(context(canvas)?.put_image_data(&pixels, 0.0, 0.0)?)
}

/// The canvas's drawing context.
pub fn context(canvas: &HtmlCanvasElement) -> Result<CanvasRenderingContext2d> {
    let context = canvas.get_context("2d")?.and_then(|context| context.dyn_into().ok());
    context.ok_or_else(|| Error::Browser("canvases cannot be drawn on here".to_owned()))
}

/// The drawing context of a canvas that is read back often.
pub fn context_to_read(canvas: &HtmlCanvasElement) -> Result<CanvasRenderingContext2d> {
    let options = js_sys::Object::new();
    js_sys::Reflect::set(&options, &"willReadFrequently".into(), &true.into())?;
    let context = canvas.get_context_with_context_options("2d", &options)?.and_then(|context| context.dyn_into().ok());
    context.ok_or_else(|| Error::Browser("canvases cannot be read here".to_owned()))
}

/// Whether the style sheet shows a canvas smooth, not in squares.
pub fn is_smooth(canvas: &HtmlCanvasElement) -> bool {
    let style = web_sys::window().and_then(|window| window.get_computed_style(canvas).ok().flatten());
    let rendering = style.and_then(|style| style.get_property_value("image-rendering").ok());
    rendering.is_some_and(|rendering| rendering == "auto")
}

/// Saves rows of pictures as one PNG: each as it is seen, smooth or every pixel a crisp square.
pub fn save(document: &Document, rows: &[Vec<HtmlCanvasElement>], name: &str) -> Result<()> {
    let size = rows.iter().flatten().map(HtmlCanvasElement::width).max().unwrap_or(1);
    let edge = SAVED_EDGE.div_ceil(size) * size;
    let sheet: HtmlCanvasElement = create(document, "canvas")?;
    sheet.set_width(edge * rows.iter().map(Vec::len).max().unwrap_or(1) as u32);
    sheet.set_height(edge * rows.len() as u32);
    let drawing = context(&sheet)?;
    let edge = f64::from(edge);
    for (r, row) in rows.iter().enumerate() {
        for (c, canvas) in row.iter().enumerate() {
            let (x, y) = (c as f64 * edge, r as f64 * edge);
            drawing.set_image_smoothing_enabled(is_smooth(canvas));
            drawing.draw_image_with_html_canvas_element_and_dw_and_dh(canvas, x, y, edge, edge)?;
        }
    }
    let (document, name) = (document.clone(), name.to_owned());
    let made = Closure::once_into_js(move |blob: Option<Blob>| {
        if let Some(Err(error)) = blob.map(|blob| download::blob(&document, &blob, &name)) {
            web_sys::console::error_1(&error.to_string().into());
        }
    });
    Ok(sheet.to_blob(made.unchecked_ref())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_thing_that_is_shown_is_not_new() {
        let (one, twin) = (Rc::new(1), Rc::new(1));
        assert!(!is_new(Some(&one), Some(&Rc::clone(&one))) && !is_new::<u8>(None, None));
        assert!(is_new(Some(&one), Some(&twin)) && is_new(None, Some(&one)) && is_new(Some(&one), None));
    }
}
