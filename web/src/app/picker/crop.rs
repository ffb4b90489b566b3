//! The square that is cut out of the reader's picture.

use std::cell::{Cell, RefCell};
use std::ops::RangeInclusive;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{
    CanvasRenderingContext2d, Document, HtmlCanvasElement, HtmlElement, HtmlInputElement, ImageBitmap, KeyboardEvent,
    PointerEvent, WheelEvent,
};

use crate::address::{MAX_EDGE, resize};
use crate::app::widgets::canvas::{context, context_to_read, paint};
use crate::app::widgets::dom::{by_id, create, on};
use crate::app::widgets::slider::{Scale, Slider};
use crate::error::Result;
use crate::protocol::Image;

/// Drawn pixels for each of the result's, before they are averaged.
const OVERSAMPLING: usize = 8;
/// The strongest enlargement.
const MAX_ZOOM: f64 = 8.0;
/// A key moves by this share of the square.
const STEP: f64 = 0.02;

/// The square: its centre and edge, in the picture's pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Square {
    x: f64,
    y: f64,
    edge: f64,
}

impl Square {
    /// The largest in a picture.
    fn whole(width: f64, height: f64) -> Self {
        Self { x: width / 2.0, y: height / 2.0, edge: width.min(height) }
    }

    /// The nearest that lies in the picture.
    fn inside(self, width: f64, height: f64) -> Self {
        let edge = self.edge.min(width.min(height));
        let within = |at: f64, length: f64| at.clamp(edge / 2.0, length - edge / 2.0);
        Self { x: within(self.x, width), y: within(self.y, height), edge }
    }

    /// After fingers moved, in shares of the edge: what was under them stays under them. The edge stays in `range`.
    fn dragged(self, from: &[(f64, f64)], to: &[(f64, f64)], range: RangeInclusive<f64>) -> Self {
        let ((from, near), (to, far)) = (middle(from), middle(to));
        let zoom = if near > 0.0 && far > 0.0 { near / far } else { 1.0 };
        let edge = (self.edge * zoom).clamp(*range.start(), *range.end());
        let moved = |at: f64, from: f64, to: f64| at + (from - 0.5) * self.edge - (to - 0.5) * edge;
        Self { x: moved(self.x, from.0, to.0), y: moved(self.y, from.1, to.1), edge }
    }
}

/// The middle of some places, and their mean distance from it.
fn middle(places: &[(f64, f64)]) -> ((f64, f64), f64) {
    let count = places.len().max(1) as f64;
    let (x, y) = places.iter().fold((0.0, 0.0), |(x, y), place| (x + place.0 / count, y + place.1 / count));
    let spread = places.iter().map(|place| (place.0 - x).hypot(place.1 - y)).sum::<f64>() / count;
    ((x, y), spread)
}

/// The elements, and the picture.
pub struct Crop {
    canvas: HtmlCanvasElement,
    preview: HtmlCanvasElement,
    sampler: HtmlCanvasElement,
    zoom: Slider,
    guides: HtmlInputElement,
    /// The row of their switch.
    guides_row: HtmlElement,
    /// Where the eyes are in the model's pictures, column and row in hundredths of the edge.
    eyes: RefCell<Vec<[u8; 2]>>,
    bitmap: RefCell<Option<ImageBitmap>>,
    square: Cell<Square>,
    edge: Cell<usize>,
    /// The fingers or the button that hold the picture: their numbers, and where they are in shares of the edge.
    held: RefCell<Vec<(i32, (f64, f64))>>,
}

impl Crop {
    /// Finds the elements and listens to them.
    ///
    /// # Errors
    /// [`crate::Error::Browser`] if the page lacks one.
    pub fn new(document: &Document) -> Result<Rc<Self>> {
        let crop = Rc::new(Self {
            canvas: by_id(document, "crop")?,
            preview: by_id(document, "crop-preview")?,
            sampler: create(document, "canvas")?,
            zoom: Slider::by_id(document, "crop-zoom", Scale { min: 0.0, max: 1.0, step: 0.01 })?,
            guides: by_id(document, "crop-guides")?,
            guides_row: by_id(document, "crop-guides-row")?,
            eyes: RefCell::default(),
            bitmap: RefCell::default(),
            square: Cell::default(),
            edge: Cell::new(1),
            held: RefCell::default(),
        });
        listen(&crop);
        Ok(crop)
    }

    /// Shows guides for a photograph of a face, if the model's pictures are faces: their eyes are here.
    pub fn guide(&self, eyes: &[[u8; 2]]) {
        self.guides_row.set_hidden(eyes.is_empty());
        if self.eyes.borrow()[..] != *eyes {
            self.eyes.replace(eyes.to_vec());
        }
    }

    /// Starts with a picture, for a result of this edge.
    pub fn start(&self, bitmap: ImageBitmap, edge: usize) -> Result<()> {
        self.square.set(Square::whole(f64::from(bitmap.width()), f64::from(bitmap.height())));
        self.edge.set(edge.min(MAX_EDGE));
        if let Some(old) = self.bitmap.replace(Some(bitmap)) {
            old.close();
        }
        self.zoom.show(0.0, "");
        self.draw()
    }

    /// The result's edge and RGB bytes.
    pub fn cut_out(&self) -> Result<(usize, Vec<u8>)> {
        let edge = self.edge.get();
        let large = edge * OVERSAMPLING;
        self.sampler.set_width(large as u32);
        self.sampler.set_height(large as u32);
        let drawing = context_to_read(&self.sampler)?;
        self.draw_square(&drawing, large as f64)?;
        let rgba = drawing.get_image_data(0.0, 0.0, large as f64, large as f64)?.data();
        let rgb: Vec<u8> = rgba.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        Ok((edge, resize(&rgb, large, edge)))
    }

    fn draw_square(&self, drawing: &CanvasRenderingContext2d, size: f64) -> Result<()> {
        let Some(bitmap) = &*self.bitmap.borrow() else { return Ok(()) };
        // What is transparent lies on white.
        drawing.set_fill_style_str("#fff");
        drawing.fill_rect(0.0, 0.0, size, size);
        let Square { x, y, edge } = self.square.get();
        let (left, top) = (x - edge / 2.0, y - edge / 2.0);
        Ok(drawing.draw_image_with_image_bitmap_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
            bitmap, left, top, edge, edge, 0.0, 0.0, size, size,
        )?)
    }

    fn draw(&self) -> Result<()> {
        let drawing = context(&self.canvas)?;
        let size = f64::from(self.canvas.width());
        self.draw_square(&drawing, size)?;
        if self.guides.checked() {
            for [x, y] in self.eyes.borrow().iter().map(|eye| eye.map(|share| f64::from(share) / 100.0)) {
                draw_cross(&drawing, x * size, y * size);
            }
        }
        let (edge, rgb) = self.cut_out()?;
        let rgba: Vec<u8> = rgb.chunks_exact(3).flat_map(|pixel| [pixel[0], pixel[1], pixel[2], u8::MAX]).collect();
        paint(&self.preview, &Image { size: edge as u32, rgba: rgba.into() })
    }

    fn change(&self, f: impl FnOnce(Square) -> Square) {
        let size = self.bitmap.borrow().as_ref().map(|b| (f64::from(b.width()), f64::from(b.height())));
        let Some((width, height)) = size else { return };
        self.square.set(f(self.square.get()).inside(width, height));
        let _ = self.draw();
    }

    /// Moves the square by shares of its edge.
    fn shift(&self, x: f64, y: f64) {
        self.change(|square| Square { x: square.x + x * square.edge, y: square.y + y * square.edge, ..square });
    }

    /// Enlarges; 0 is the whole picture, 1 the most.
    fn magnify(&self, zoom: f64) {
        let whole = self.bitmap.borrow().as_ref().map(|b| f64::from(b.width().min(b.height())));
        let edge = whole.unwrap_or_default() / MAX_ZOOM.powf(zoom.clamp(0.0, 1.0));
        self.zoom.show(zoom.clamp(0.0, 1.0) as f32, "");
        self.change(|square| Square { edge, ..square });
    }

    /// Fingers came, moved or went: what is left of them holds the picture.
    fn hold(&self, event: &PointerEvent, down: bool) {
        let area = self.canvas.get_bounding_client_rect();
        let share = |at: i32, start: f64, length: f64| (f64::from(at) - start) / length.max(1.0);
        let at =
            (share(event.client_x(), area.left(), area.width()), share(event.client_y(), area.top(), area.height()));
        let mut held = self.held.borrow_mut();
        held.retain(|(id, _)| *id != event.pointer_id());
        if down {
            held.push((event.pointer_id(), at));
            held.sort_by_key(|(id, _)| *id);
        }
    }

    fn places(&self) -> Vec<(f64, f64)> {
        self.held.borrow().iter().map(|(_, at)| *at).collect()
    }

    fn drag(&self, event: &PointerEvent) {
        if !self.held.borrow().iter().any(|(id, _)| *id == event.pointer_id()) {
            return;
        }
        let before = self.places();
        self.hold(event, true);
        let whole = self.bitmap.borrow().as_ref().map_or(1.0, |b| f64::from(b.width().min(b.height())));
        self.change(|square| square.dragged(&before, &self.places(), whole / MAX_ZOOM..=whole));
        self.zoom.show(((whole / self.square.get().edge).ln() / MAX_ZOOM.ln()) as f32, "");
    }

    fn zoom_by(&self, by: f64) {
        self.magnify(f64::from(self.zoom.value().unwrap_or(0.0)) + by);
    }
}

/// A cross that is seen on any ground.
fn draw_cross(drawing: &CanvasRenderingContext2d, x: f64, y: f64) {
    for (colour, width) in [("#000c", 5.0), ("#fff", 2.0)] {
        drawing.set_stroke_style_str(colour);
        drawing.set_line_width(width);
        drawing.begin_path();
        drawing.move_to(x - 11.0, y);
        drawing.line_to(x + 11.0, y);
        drawing.move_to(x, y - 11.0);
        drawing.line_to(x, y + 11.0);
        drawing.stroke();
    }
}

fn listen(crop: &Rc<Crop>) {
    let pointer = |name: &'static str, heard: fn(&Crop, &PointerEvent)| {
        let c = Rc::clone(crop);
        on(&crop.canvas, name, move |event| {
            if let Some(event) = event.dyn_ref::<PointerEvent>() {
                heard(&c, event);
            }
        });
    };
    pointer("pointerdown", |crop, event| {
        let _ = crop.canvas.set_pointer_capture(event.pointer_id());
        crop.hold(event, true);
    });
    pointer("pointermove", Crop::drag);
    pointer("pointerup", |crop, event| crop.hold(event, false));
    pointer("pointercancel", |crop, event| crop.hold(event, false));
    let c = Rc::clone(crop);
    on(&crop.canvas, "wheel", move |event| {
        event.prevent_default();
        let delta = event.dyn_ref::<WheelEvent>().map_or(0.0, WheelEvent::delta_y);
        c.zoom_by(-delta.signum() * 2.0 * STEP);
    });
    let c = Rc::clone(crop);
    on(&crop.canvas, "keydown", move |event| {
        let key = event.dyn_ref::<KeyboardEvent>().map(KeyboardEvent::key).unwrap_or_default();
        match key.as_str() {
            "ArrowLeft" => c.shift(-STEP, 0.0),
            "ArrowRight" => c.shift(STEP, 0.0),
            "ArrowUp" => c.shift(0.0, -STEP),
            "ArrowDown" => c.shift(0.0, STEP),
            "+" | "=" => c.zoom_by(STEP),
            "-" => c.zoom_by(-STEP),
            _ => return,
        }
        event.prevent_default();
    });
    let c = Rc::clone(crop);
    crop.zoom.on_input(move |_| c.zoom_by(0.0));
    let c = Rc::clone(crop);
    on(&crop.guides, "change", move |_| drop(c.draw()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_square_stays_in_the_picture() {
        let whole = Square::whole(300.0, 200.0);
        assert_eq!(whole, Square { x: 150.0, y: 100.0, edge: 200.0 });
        let moved = Square { x: 0.0, y: 500.0, edge: 100.0 }.inside(300.0, 200.0);
        assert_eq!(moved, Square { x: 50.0, y: 150.0, edge: 100.0 });
        assert_eq!(Square { edge: 900.0, ..whole }.inside(300.0, 200.0), whole);
    }

    #[test]
    fn what_is_under_the_fingers_stays_there() {
        let square = Square { x: 150.0, y: 100.0, edge: 200.0 };
        // Where the picture is seen that lies at a share of the square's edge.
        let under = |square: Square, at: (f64, f64)| {
            (square.x + (at.0 - 0.5) * square.edge, square.y + (at.1 - 0.5) * square.edge)
        };
        let one = square.dragged(&[(0.5, 0.5)], &[(0.6, 0.4)], 25.0..=200.0);
        assert_eq!((one.edge, under(one, (0.6, 0.4))), (200.0, under(square, (0.5, 0.5))));
        let (from, to) = ([(0.4, 0.5), (0.6, 0.5)], [(0.2, 0.6), (0.6, 0.6)]);
        let two = square.dragged(&from, &to, 25.0..=200.0);
        assert!((two.edge - 100.0).abs() < 1e-9);
        for (from, to) in from.into_iter().zip(to) {
            let ((x, y), (u, v)) = (under(square, from), under(two, to));
            assert!((x - u).abs() < 1e-9 && (y - v).abs() < 1e-9, "{x},{y} is now {u},{v}");
        }
        // A pinch ends where the picture does, or the strongest enlargement.
        assert_eq!(square.dragged(&to, &from, 25.0..=200.0).edge, 200.0);
        assert_eq!(square.dragged(&[(0.5, 0.5), (0.51, 0.5)], &to, 25.0..=200.0).edge, 25.0);
        // Fingers that meet, or go, change no size.
        assert_eq!(square.dragged(&from, &[(0.5, 0.5), (0.5, 0.5)], 25.0..=200.0).edge, 200.0);
    }
}
