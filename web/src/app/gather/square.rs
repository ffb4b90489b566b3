//! A square of a picture, at the edge that is learned from.

use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, CanvasRenderingContext2d, Document, HtmlCanvasElement, ImageBitmap, Window};

use crate::address::resize;
use crate::app::picker::frame::Frame;
use crate::app::picker::paint;
use crate::app::widgets::canvas::context_to_read;
use crate::app::widgets::dom::create;
use crate::error::{Error, Result};
use crate::protocol::{TRAINING_EDGE, without_alpha};

/// The largest square that is drawn, before its pixels are averaged.
const LARGE: usize = 8 * TRAINING_EDGE as usize;

/// What squares are drawn on.
pub struct Squares {
    window: Window,
    canvas: HtmlCanvasElement,
    drawing: CanvasRenderingContext2d,
}

impl Squares {
    pub fn new(document: &Document) -> Result<Self> {
        let window = document.default_view().ok_or_else(|| Error::Browser("there is no window".to_owned()))?;
        let canvas: HtmlCanvasElement = create(document, "canvas")?;
        let drawing = context_to_read(&canvas)?;
        Ok(Self { window, canvas, drawing })
    }

    /// A picture that the browser can read.
    pub async fn open(&self, blob: &Blob) -> Result<ImageBitmap> {
        Ok(JsFuture::from(self.window.create_image_bitmap_with_blob(blob)?).await?.into())
    }

    /// The square in a picture's middle, row by row, three bytes per pixel.
    pub fn central(&self, bitmap: &ImageBitmap) -> Result<Vec<u8>> {
        let (frame, large) = central(paint::size(bitmap));
        self.cut(bitmap, frame, large)
    }

    /// Any square of it.
    pub fn of_frame(&self, bitmap: &ImageBitmap, frame: Frame) -> Result<Vec<u8>> {
        self.cut(bitmap, frame, LARGE)
    }

    fn cut(&self, bitmap: &ImageBitmap, frame: Frame, large: usize) -> Result<Vec<u8>> {
        self.canvas.set_width(large as u32);
        self.canvas.set_height(large as u32);
        // A large photograph is shrunk twice: here, and when its pixels are averaged.
        js_sys::Reflect::set(&self.drawing, &JsValue::from_str("imageSmoothingQuality"), &JsValue::from_str("medium"))?;
        paint::draw_frame(&self.drawing, bitmap, frame, large as f64)?;
        let rgba = self.drawing.get_image_data(0.0, 0.0, large as f64, large as f64)?.data();
        let rgb = without_alpha(&rgba);
        Ok(resize(&rgb, large, TRAINING_EDGE as usize))
    }
}

/// The largest square in the middle of a picture of that width and height, and the edge at which it is drawn: its own if that
/// is small enough. Its corners lie between pixels, so that small pictures stay as they are.
fn central((width, height): (f64, f64)) -> (Frame, usize) {
    let edge = width.min(height);
    let middle = |length: f64| ((length - edge) / 2.0).floor() + edge / 2.0;
    (Frame { x: middle(width), y: middle(height), edge, turn: 0.0 }, (edge as usize).min(LARGE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_pictures_are_drawn_pixel_by_pixel() {
        let (frame, large) = central((45.0, 32.0));
        assert_eq!((frame.place((0.0, 0.0)), frame.edge, large), ((6.0, 0.0), 32.0, 32));
        let (frame, large) = central((3000.0, 4001.0));
        assert_eq!((frame.place((0.0, 0.0)), frame.edge, large), ((0.0, 500.0), 3000.0, 256));
    }
}
