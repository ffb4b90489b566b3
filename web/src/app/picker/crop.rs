//! The page on which a square is cut out of the reader's picture: by a face that was found, by two taps, or by hand.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    Document, HtmlButtonElement, HtmlCanvasElement, HtmlElement, HtmlInputElement, ImageBitmap, KeyboardEvent,
    MouseEvent, PointerEvent, WheelEvent,
};

use super::aim::{Aim, Looked, Tapped};
use super::frame::{Frame, Place, ZOOMS, edge};
use super::paint::{self, Fit};
use crate::address::{MAX_EDGE, resize};
use crate::app::widgets::canvas::{context, context_to_read, paint as show};
use crate::app::widgets::dom::{by_id, create, create_button, on, set_pressed, set_text};
use crate::app::widgets::list::List;
use crate::app::widgets::slider::{Scale, Slider};
use crate::error::Result;
use crate::protocol::{Image, Snapshot, opaque, without_alpha};
use face_finder::MAX_SIDE;

/// Drawn pixels for each of the result's, before they are averaged.
const OVERSAMPLING: usize = 8;
/// A key moves by this share of the square.
const STEP: f64 = 0.02;
/// A key turns by this much, in radians.
const TURN: f64 = std::f64::consts::PI / 180.0;

/// The elements, and the picture.
pub struct Crop {
    document: Document,
    canvas: HtmlCanvasElement,
    preview: HtmlCanvasElement,
    sampler: HtmlCanvasElement,
    zoom: Slider,
    turn: Slider,
    guides: HtmlInputElement,
    /// The row of their switch.
    guides_row: HtmlElement,
    said: HtmlElement,
    tap: HtmlButtonElement,
    /// Where there are several faces.
    several: HtmlElement,
    overview: HtmlCanvasElement,
    faces: List<usize, HtmlButtonElement>,
    bitmap: RefCell<Option<ImageBitmap>>,
    frame: Cell<Frame>,
    edge: Cell<usize>,
    aim: RefCell<Aim>,
    /// The fingers or the button that hold the picture: their numbers, and where they are in shares of the edge.
    held: RefCell<Vec<(i32, Place)>>,
}

impl Crop {
    /// Finds the elements and listens to them.
    ///
    /// # Errors
    /// [`crate::Error::Browser`] if the page lacks one.
    pub fn new(document: &Document) -> Result<Rc<Self>> {
        let zooms = Scale { min: *ZOOMS.start() as f32, max: *ZOOMS.end() as f32, step: 0.01 };
        let crop = Rc::new(Self {
            document: document.clone(),
            canvas: by_id(document, "crop")?,
            preview: by_id(document, "crop-preview")?,
            sampler: create(document, "canvas")?,
            zoom: Slider::by_id(document, "crop-zoom", zooms)?,
            turn: Slider::by_id(document, "crop-turn", Scale { min: -180.0, max: 180.0, step: 1.0 })?,
            guides: by_id(document, "crop-guides")?,
            guides_row: by_id(document, "crop-guides-row")?,
            said: by_id(document, "crop-said")?,
            tap: by_id(document, "crop-tap")?,
            several: by_id(document, "crop-several")?,
            overview: by_id(document, "crop-overview")?,
            faces: List::by_id(document, "crop-faces")?,
            bitmap: RefCell::default(),
            frame: Cell::default(),
            edge: Cell::new(1),
            aim: RefCell::default(),
            held: RefCell::default(),
        });
        listen(&crop);
        Ok(crop)
    }

    /// Where the eyes are wanted, column and row in hundredths of the edge; nowhere unless the model's pictures are faces.
    pub fn guide(&self, eyes: &[[u8; 2]]) {
        if self.aim.borrow_mut().want(eyes) {
            self.guides_row.set_hidden(eyes.is_empty());
            self.tap.set_hidden(eyes.is_empty());
        }
    }

    /// Starts with a picture, for a result of this edge. What is to be looked at for faces has the number that
    /// [`Crop::looked`] takes; there is nothing to look for unless the model's pictures are faces.
    ///
    /// # Errors
    /// [`crate::Error::Browser`] if the picture cannot be drawn.
    pub fn start(self: &Rc<Self>, bitmap: ImageBitmap, edge: usize) -> Result<Option<(u32, Snapshot)>> {
        self.frame.set(Frame::whole(paint::size(&bitmap)));
        self.edge.set(edge.min(MAX_EDGE));
        self.held.take();
        let wanted = match self.aim.borrow().wants_eyes() {
            true => Some(paint::snapshot(&self.document, &bitmap, MAX_SIDE)?),
            false => None,
        };
        if let Some(old) = self.bitmap.replace(Some(bitmap)) {
            old.close();
        }
        let scale = wanted.as_ref().map_or(1.0, |(_, scale)| *scale);
        let number = self.aim.borrow_mut().start(scale);
        self.show();
        Ok(wanted.map(|(snapshot, _)| (number, snapshot)))
    }

    /// What was found in the picture of that number.
    pub fn looked(self: &Rc<Self>, number: u32, looked: &Looked) {
        if !self.aim.borrow().waits_for(number) {
            return;
        }
        let frame = self.aim.borrow_mut().looked(looked);
        self.settle(frame);
    }

    /// Takes a new frame over, if there is one, and shows everything.
    fn settle(self: &Rc<Self>, frame: Option<Frame>) {
        if let (Some(frame), Some(size)) = (frame, self.size()) {
            self.frame.set(frame.kept(size));
        }
        self.show();
    }

    fn size(&self) -> Option<(f64, f64)> {
        self.bitmap.borrow().as_ref().map(paint::size)
    }

    /// Gives the keyboard to the picture.
    pub fn focus(&self) -> std::result::Result<(), JsValue> {
        self.canvas.focus()
    }

    /// The result's edge and RGB bytes.
    pub fn cut_out(&self) -> Result<(usize, Vec<u8>)> {
        let edge = self.edge.get();
        let large = edge * OVERSAMPLING;
        self.sampler.set_width(large as u32);
        self.sampler.set_height(large as u32);
        let drawing = context_to_read(&self.sampler)?;
        if let Some(bitmap) = &*self.bitmap.borrow() {
            paint::draw_frame(&drawing, bitmap, self.frame.get(), large as f64)?;
        }
        let rgba = drawing.get_image_data(0.0, 0.0, large as f64, large as f64)?.data();
        let rgb = without_alpha(&rgba);
        Ok((edge, resize(&rgb, large, edge)))
    }

    /// Shows the frame, the faces, and what there is to say.
    fn show(self: &Rc<Self>) {
        let (frame, aim) = (self.frame.get(), self.aim.borrow());
        if let Some(size) = self.size() {
            self.zoom.show(frame.zoom(size) as f32, "");
        }
        let degrees = (frame.turn / TURN).round() as f32;
        // Nearly nothing to the left is not −0.
        let degrees = if degrees == 0.0 { 0.0 } else { degrees };
        self.turn.show(degrees, &format!("{degrees}°"));
        set_text(&self.said, &aim.said());
        set_pressed(&self.tap, aim.taps().is_some());
        self.several.set_hidden(!aim.offers_faces());
        let _ = self.faces.fit(0..aim.faces().len(), |&face| {
            let button = create_button(&self.document, "button compact chip")?;
            button.set_text_content(Some(&format!("Face {}", face + 1)));
            let crop = Rc::clone(self);
            on(&button, "click", move |_| {
                let frame = crop.aim.borrow_mut().choose(face);
                crop.settle(frame);
            });
            Ok((button.clone().into(), button))
        });
        self.faces.for_each(|&face, button| set_pressed(button, aim.chosen() == Some(face)));
        // A canvas that cannot be drawn on leaves the reader with the sliders.
        let _ = self.draw(&aim);
    }

    fn draw(&self, aim: &Aim) -> Result<()> {
        let Some(bitmap) = self.bitmap.borrow().clone() else { return Ok(()) };
        let drawing = context(&self.canvas)?;
        let edge = f64::from(self.canvas.width());
        if let Some(taps) = aim.taps() {
            let fit = paint::draw_whole(&self.canvas, &drawing, &bitmap)?;
            for &place in taps.iter().chain(aim.cursor()) {
                paint::draw_cross(&drawing, fit.out(place));
            }
        } else {
            paint::draw_frame(&drawing, &bitmap, self.frame.get(), edge)?;
            if self.guides.checked() {
                aim.wanted().iter().for_each(|&(x, y)| paint::draw_cross(&drawing, (x * edge, y * edge)));
            }
        }
        if aim.offers_faces() {
            self.draw_faces(aim, &bitmap)?;
        }
        let (edge, rgb) = self.cut_out()?;
        let rgba = opaque(&rgb);
        show(&self.preview, &Image { size: edge as u32, rgba: rgba.into() })
    }

    fn draw_faces(&self, aim: &Aim, bitmap: &ImageBitmap) -> Result<()> {
        let drawing = context(&self.overview)?;
        let fit = paint::draw_whole(&self.overview, &drawing, bitmap)?;
        for (i, [left, top, width, height]) in aim.boxes().enumerate() {
            let size = (fit.length(width), fit.length(height));
            paint::draw_box(&drawing, fit.out((left, top)), size, i + 1, aim.chosen() == Some(i));
        }
        Ok(())
    }

    /// Changes the frame by hand.
    fn change(self: &Rc<Self>, f: impl FnOnce(Frame) -> Frame) {
        if self.size().is_some() {
            self.aim.borrow_mut().touch();
            self.settle(Some(f(self.frame.get())));
        }
    }

    /// Moves the square by shares of its edge.
    fn shift(self: &Rc<Self>, x: f64, y: f64) {
        self.change(|frame| {
            let (x, y) = frame.place((0.5 + x, 0.5 + y));
            Frame { x, y, ..frame }
        });
    }

    /// An eye was pointed at, at a place of the picture.
    fn point(self: &Rc<Self>, place: Place) {
        let Some(size) = self.size() else { return };
        let tapped = self.aim.borrow_mut().tap(place, size);
        self.settle(if let Tapped::Both(frame) = tapped { Some(frame) } else { None });
    }

    /// Where an event is on a canvas, in shares of its edges.
    fn share(canvas: &HtmlCanvasElement, event: &MouseEvent) -> Place {
        let area = canvas.get_bounding_client_rect();
        let share = |at: i32, start: f64, length: f64| (f64::from(at) - start) / length.max(1.0);
        (share(event.client_x(), area.left(), area.width()), share(event.client_y(), area.top(), area.height()))
    }

    /// Which place of the picture an event is at, on a canvas that shows all of it.
    fn place(&self, canvas: &HtmlCanvasElement, event: &MouseEvent) -> Option<Place> {
        let (across, down) = (f64::from(canvas.width()), f64::from(canvas.height()));
        let (x, y) = Self::share(canvas, event);
        Some(Fit::new(self.size()?, (across, down)).back((x * across, y * down)))
    }

    /// Fingers came, moved or went: what is left of them holds the picture.
    fn hold(&self, event: &PointerEvent, down: bool) {
        let at = Self::share(&self.canvas, event);
        let mut held = self.held.borrow_mut();
        held.retain(|(id, _)| *id != event.pointer_id());
        if down {
            held.push((event.pointer_id(), at));
            held.sort_by_key(|(id, _)| *id);
        }
    }

    fn places(&self) -> Vec<Place> {
        self.held.borrow().iter().map(|(_, at)| *at).collect()
    }

    fn drag(self: &Rc<Self>, event: &PointerEvent) {
        let is_held = self.held.borrow().iter().any(|(id, _)| *id == event.pointer_id());
        if !is_held || self.aim.borrow().taps().is_some() {
            return;
        }
        let before = self.places();
        self.hold(event, true);
        self.change(|frame| frame.dragged(&before, &self.places()));
    }

    fn zoom_by(self: &Rc<Self>, at: Place, by: f64) {
        self.change(|frame| frame.zoomed(at, super::frame::MAX_ZOOM.powf(by)));
    }

    /// Whether a key was taken.
    fn key(self: &Rc<Self>, key: &str, shift: bool) -> bool {
        let step = match key {
            "ArrowLeft" => (-STEP, 0.0),
            "ArrowRight" => (STEP, 0.0),
            "ArrowUp" => (0.0, -STEP),
            "ArrowDown" => (0.0, STEP),
            _ => (0.0, 0.0),
        };
        let taps = self.aim.borrow().taps().is_some();
        match key {
            "Enter" | " " if taps => {
                let cursor = self.aim.borrow().cursor().copied();
                cursor.into_iter().for_each(|place| self.point(place));
            }
            _ if taps && step != (0.0, 0.0) => {
                if let Some(size) = self.size() {
                    self.aim.borrow_mut().move_cursor(step, size);
                    self.show();
                }
            }
            "ArrowLeft" | "ArrowRight" if shift => {
                self.change(|frame| Frame { turn: frame.turn + TURN * step.0.signum(), ..frame });
            }
            "+" | "=" if !taps => self.zoom_by((0.5, 0.5), STEP),
            "-" if !taps => self.zoom_by((0.5, 0.5), -STEP),
            _ if step != (0.0, 0.0) => self.shift(step.0, step.1),
            _ => return false,
        }
        true
    }
}

fn listen(crop: &Rc<Crop>) {
    let pointer = |name: &'static str, heard: fn(&Rc<Crop>, &PointerEvent)| {
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
    on(&crop.canvas, "click", move |event| {
        let place = event.dyn_ref::<MouseEvent>().and_then(|event| c.place(&c.canvas, event));
        if let Some(place) = place.filter(|_| c.aim.borrow().taps().is_some()) {
            c.point(place);
        }
    });
    let c = Rc::clone(crop);
    on(&crop.overview, "click", move |event| {
        let place = event.dyn_ref::<MouseEvent>().and_then(|event| c.place(&c.overview, event));
        let face = place.and_then(|place| c.aim.borrow().face_at(place));
        if let Some(face) = face {
            let frame = c.aim.borrow_mut().choose(face);
            c.settle(frame);
        }
    });
    let c = Rc::clone(crop);
    on(&crop.canvas, "wheel", move |event| {
        event.prevent_default();
        let Some(event) = event.dyn_ref::<WheelEvent>() else { return };
        if c.aim.borrow().taps().is_none() {
            c.zoom_by(Crop::share(&c.canvas, event), -event.delta_y().signum() * 2.0 * STEP);
        }
    });
    let c = Rc::clone(crop);
    on(&crop.canvas, "keydown", move |event| {
        let key = event.dyn_ref::<KeyboardEvent>().map(|event| (event.key(), event.shift_key()));
        if key.is_some_and(|(key, shift)| c.key(&key, shift)) {
            event.prevent_default();
        }
    });
    let c = Rc::clone(crop);
    crop.zoom.on_input(move |zoom| {
        let edge = c.size().map(|size| edge(f64::from(zoom), size));
        c.change(|frame| Frame { edge: edge.unwrap_or(frame.edge), ..frame });
    });
    let c = Rc::clone(crop);
    crop.turn.on_input(move |degrees| c.change(|frame| Frame { turn: f64::from(degrees) * TURN, ..frame }));
    let c = Rc::clone(crop);
    on(&crop.guides, "change", move |_| c.show());
    let c = Rc::clone(crop);
    on(&crop.tap, "click", move |_| {
        c.aim.borrow_mut().toggle_taps();
        c.show();
    });
}
