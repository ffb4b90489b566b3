//! What the cropping page draws of the reader's picture.

use web_sys::{CanvasRenderingContext2d, Document, HtmlCanvasElement, ImageBitmap};

use super::frame::{Frame, Place};
use crate::app::widgets::canvas::context_to_read;
use crate::app::widgets::dom::create;
use crate::error::Result;
use crate::protocol::{Snapshot, without_alpha};

/// Mirrored pictures reach this far, in pixels, under the picture's edge, so that no seam shows.
const SEAM: f64 = 1.0;

/// A picture's width and height.
pub fn size(bitmap: &ImageBitmap) -> (f64, f64) {
    (f64::from(bitmap.width()), f64::from(bitmap.height()))
}

/// Draws a square of a picture in a square of `edge` pixels. Beyond the picture there is its mirror image, which a model
/// takes better than a bar.
pub fn draw_frame(drawing: &CanvasRenderingContext2d, bitmap: &ImageBitmap, frame: Frame, edge: f64) -> Result<()> {
    let (width, height) = size(bitmap);
    drawing.save();
    // What is transparent lies on white.
    drawing.set_fill_style_str("#fff");
    drawing.fill_rect(0.0, 0.0, edge, edge);
    drawing.translate(edge / 2.0, edge / 2.0)?;
    drawing.scale(edge / frame.edge, edge / frame.edge)?;
    drawing.rotate(-frame.turn)?;
    drawing.translate(-frame.x, -frame.y)?;
    if !frame.is_inside((width, height)) {
        for (col, row) in (0..9).map(|i| (i % 3 - 1, i / 3 - 1)).filter(|place| *place != (0, 0)) {
            drawing.save();
            mirror(drawing, (col, row), (width, height))?;
            drawing.draw_image_with_image_bitmap(bitmap, 0.0, 0.0)?;
            drawing.restore();
        }
    }
    drawing.draw_image_with_image_bitmap(bitmap, 0.0, 0.0)?;
    drawing.restore();
    Ok(())
}

/// Moves the drawing to the picture's mirror image in a neighbouring place.
fn mirror(drawing: &CanvasRenderingContext2d, (col, row): (i32, i32), (width, height): (f64, f64)) -> Result<()> {
    let along = |step: i32, length: f64| match step {
        0 => (0.0, 1.0),
        1 => (2.0 * length - SEAM, -1.0),
        _ => (SEAM, -1.0),
    };
    let ((x, across), (y, down)) = (along(col, width), along(row, height));
    drawing.translate(x, y)?;
    Ok(drawing.scale(across, down)?)
}

/// How a whole picture lies in a canvas: a factor, and its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    scale: f64,
    left: f64,
    top: f64,
}

impl Fit {
    /// In the middle, as large as it fits.
    pub fn new((width, height): (f64, f64), (across, down): (f64, f64)) -> Self {
        let scale = (across / width).min(down / height);
        Self { scale, left: (across - width * scale) / 2.0, top: (down - height * scale) / 2.0 }
    }

    /// Where a place of the picture is on the canvas.
    pub fn out(&self, (x, y): Place) -> Place {
        (self.left + x * self.scale, self.top + y * self.scale)
    }

    /// Which place of the picture is at a place of the canvas.
    pub fn back(&self, (x, y): Place) -> Place {
        ((x - self.left) / self.scale, (y - self.top) / self.scale)
    }

    /// A length on the canvas.
    pub fn length(&self, length: f64) -> f64 {
        length * self.scale
    }
}

/// Draws the whole picture.
pub fn draw_whole(canvas: &HtmlCanvasElement, drawing: &CanvasRenderingContext2d, bitmap: &ImageBitmap) -> Result<Fit> {
    let (across, down) = (f64::from(canvas.width()), f64::from(canvas.height()));
    let ((width, height), fit) = (size(bitmap), Fit::new(size(bitmap), (across, down)));
    drawing.clear_rect(0.0, 0.0, across, down);
    let (left, top) = fit.out((0.0, 0.0));
    let (width, height) = (fit.length(width), fit.length(height));
    drawing.draw_image_with_image_bitmap_and_dw_and_dh(bitmap, left, top, width, height)?;
    Ok(fit)
}

/// A line that is seen on any ground.
fn stroke(drawing: &CanvasRenderingContext2d, colour: &str, path: impl Fn()) {
    for (colour, width) in [("#000c", 5.0), (colour, 2.0)] {
        drawing.set_stroke_style_str(colour);
        drawing.set_line_width(width);
        drawing.begin_path();
        path();
        drawing.stroke();
    }
}

/// A cross.
pub fn draw_cross(drawing: &CanvasRenderingContext2d, (x, y): Place) {
    stroke(drawing, "#fff", || {
        drawing.move_to(x - 11.0, y);
        drawing.line_to(x + 11.0, y);
        drawing.move_to(x, y - 11.0);
        drawing.line_to(x, y + 11.0);
    });
}

/// A box with its number; the chosen one stands out.
pub fn draw_box(drawing: &CanvasRenderingContext2d, corner: Place, size: (f64, f64), number: usize, chosen: bool) {
    let ((x, y), (width, height)) = (corner, size);
    stroke(drawing, if chosen { "#f6b042" } else { "#fff" }, || drawing.rect(x, y, width, height));
    drawing.set_font("bold 15px sans-serif");
    drawing.set_fill_style_str("#000c");
    drawing.fill_rect(x, y, 18.0, 20.0);
    drawing.set_fill_style_str(if chosen { "#f6b042" } else { "#fff" });
    let _ = drawing.fill_text(&number.to_string(), x + 5.0, y + 15.0);
}

/// A small copy of a picture, to look for faces in it; and how many of its pixels one of the copy's stands for.
pub fn snapshot(document: &Document, bitmap: &ImageBitmap, most: usize) -> Result<(Snapshot, f64)> {
    let (width, height) = size(bitmap);
    let scale = (width.max(height) / most as f64).max(1.0);
    let (width, height) = ((width / scale).round().max(1.0), (height / scale).round().max(1.0));
    let canvas: HtmlCanvasElement = create(document, "canvas")?;
    canvas.set_width(width as u32);
    canvas.set_height(height as u32);
    let drawing = context_to_read(&canvas)?;
    drawing.draw_image_with_image_bitmap_and_dw_and_dh(bitmap, 0.0, 0.0, width, height)?;
    let rgba = drawing.get_image_data(0.0, 0.0, width, height)?.data();
    let rgb = without_alpha(&rgba);
    Ok((Snapshot { width: width as u32, height: height as u32, rgb: rgb.into() }, scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_picture_lies_in_the_middle() {
        let fit = Fit::new((200.0, 100.0), (320.0, 320.0));
        assert_eq!((fit.out((0.0, 0.0)), fit.length(100.0)), ((0.0, 80.0), 160.0));
        assert_eq!(fit.back(fit.out((30.0, 40.0))), (30.0, 40.0));
    }
}
