//! A picture whose pixels can be pointed at, with a layer for marks above it.

use std::cell::Cell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, Document, Event, HtmlCanvasElement, HtmlElement, KeyboardEvent, PointerEvent};

use super::canvas::{Picture, context};
use super::dom::{by_id, create, on};
use crate::error::Result;
use crate::protocol::Image;

/// A finger that moves farther than this, in pixels, does not choose what it started on.
const TAP: i32 = 10;
/// Edge of the layer for marks, at least.
const LAYER: u32 = 512;

/// What is done to a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// A finger or a button goes down there, or Enter.
    Start,
    /// It comes there while it is down.
    Move,
    /// It is lifted.
    End,
}

/// The picture and its marks.
pub struct Board {
    element: HtmlElement,
    picture: Picture,
    layer: Layer,
    label: String,
    edge: Cell<usize>,
    cursor: Cell<(usize, usize)>,
    held: Cell<bool>,
    /// Where a finger went down that may become a tap.
    tapping: Cell<Option<(i32, i32)>>,
}

impl Board {
    /// In the empty element of that id.
    pub fn by_id(document: &Document, id: &str, label: &str) -> Result<Rc<Self>> {
        Self::inside(document, by_id(document, id)?, label)
    }

    /// In an empty element.
    pub fn inside(document: &Document, element: HtmlElement, label: &str) -> Result<Rc<Self>> {
        let picture = Picture::create(document)?;
        let layer = Layer::create(document)?;
        element.append_child(picture.canvas())?;
        element.append_child(layer.canvas())?;
        let _ = element.class_list().add_1("board");
        element.set_tab_index(0);
        element.set_attribute("role", "application")?;
        let board = Self {
            element,
            picture,
            layer,
            label: label.to_owned(),
            edge: Cell::new(1),
            cursor: Cell::new((0, 0)),
            held: Cell::new(false),
            tapping: Cell::default(),
        };
        board.name();
        Ok(Rc::new(board))
    }

    /// The canvas with the picture.
    pub fn canvas(&self) -> &HtmlCanvasElement {
        self.picture.canvas()
    }

    /// The picture and its marks together.
    pub fn element(&self) -> &HtmlElement {
        &self.element
    }

    /// Shows a picture of `edge` places.
    pub fn show(&self, image: Option<&Rc<Image>>, edge: usize) {
        self.edge.set(edge.max(1));
        self.picture.show(image);
    }

    /// Removes all marks, and returns what draws those of `what`, unless they are there already.
    pub fn marks_of(&self, what: &impl Hash) -> Option<Marks> {
        self.layer.marks_of(self.edge.get(), &(what, self.shown_cursor()))
    }

    /// The keyboard's place, if the keyboard is in use.
    fn shown_cursor(&self) -> Option<(usize, usize)> {
        self.element.matches(":focus-visible").unwrap_or(false).then(|| self.cursor.get())
    }

    /// Marks the keyboard's place, if the keyboard is in use.
    pub fn mark_cursor(&self, marks: &Marks) {
        marks.outline(self.shown_cursor().as_slice(), "#1f5fd0");
    }

    /// What a screen reader says.
    fn name(&self) {
        let (row, col) = self.cursor.get();
        let label = format!("{}. Row {}, column {}. Arrow keys move, Enter chooses.", self.label, row + 1, col + 1);
        let _ = self.element.set_attribute("aria-label", &label);
    }

    fn place_of(&self, event: &PointerEvent) -> (usize, usize) {
        let area = self.element.get_bounding_client_rect();
        let edge = self.edge.get();
        let at = |offset: f64, length: f64| {
            ((offset / length.max(1.0) * edge as f64).floor().max(0.0) as usize).min(edge - 1)
        };
        let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
        (at(y - area.top(), area.height()), at(x - area.left(), area.width()))
    }

    /// A button or a finger goes down, and is followed until it is lifted.
    fn press(&self, event: &PointerEvent) -> Option<Touch> {
        if event.button() != 0 {
            return None;
        }
        let _ = self.element.set_pointer_capture(event.pointer_id());
        self.held.set(true);
        Some(Touch::Start)
    }

    fn step(&self, key: &str) -> bool {
        let (row, col) = self.cursor.get();
        let last = self.edge.get() - 1;
        let next = match key {
            "ArrowLeft" => (row, col.saturating_sub(1)),
            "ArrowRight" => (row, (col + 1).min(last)),
            "ArrowUp" => (row.saturating_sub(1), col),
            "ArrowDown" => ((row + 1).min(last), col),
            "Home" => (row, 0),
            "End" => (row, last),
            _ => return false,
        };
        self.cursor.set(next);
        self.name();
        true
    }
}

/// Tells `f` of every touch of a place, for brushes: fingers draw, and do not scroll. `moved` hears when only the
/// keyboard's place changed.
pub fn listen(board: &Rc<Board>, f: impl Fn(Touch, usize, usize) + 'static, moved: impl Fn() + 'static) {
    let _ = board.element.class_list().add_1("painted");
    let f = Rc::new(f);
    let heard = Rc::clone(&f);
    let pointer = |name: &'static str, touch: fn(&Board, &PointerEvent) -> Option<Touch>| {
        on_pointer(board, name, touch, &heard);
    };
    pointer("pointerdown", |board, event| board.press(event));
    pointer("pointermove", |board, _| board.held.get().then_some(Touch::Move));
    pointer("pointerup", |board, _| board.held.replace(false).then_some(Touch::End));
    pointer("pointercancel", |board, _| board.held.replace(false).then_some(Touch::End));
    on_keys(
        board,
        move |row, col| {
            f(Touch::Start, row, col);
            f(Touch::End, row, col);
        },
        moved,
    );
}

/// Tells `f` of every place that is chosen: by a mouse at once, also while its button is held; by a finger that taps and
/// does not go on to scroll. `moved` hears when only the keyboard's place changed.
pub fn listen_to_choices(board: &Rc<Board>, f: impl Fn(usize, usize) + 'static, moved: impl Fn() + 'static) {
    let f = Rc::new(f);
    let chosen = Rc::clone(&f);
    let heard = Rc::new(move |_: Touch, row: usize, col: usize| chosen(row, col));
    let pointer = |name: &'static str, touch: fn(&Board, &PointerEvent) -> Option<Touch>| {
        on_pointer(board, name, touch, &heard);
    };
    pointer("pointerdown", |board, event| {
        if event.pointer_type() == "mouse" {
            return board.press(event);
        }
        // Two fingers enlarge the page.
        board.tapping.set(event.is_primary().then(|| (event.client_x(), event.client_y())));
        None
    });
    pointer("pointermove", |board, _| board.held.get().then_some(Touch::Move));
    pointer("pointerup", |board, event| {
        board.held.set(false);
        let (x, y) = board.tapping.take()?;
        let still = (event.client_x() - x).abs() <= TAP && (event.client_y() - y).abs() <= TAP;
        still.then_some(Touch::Start)
    });
    // The browser scrolls.
    pointer("pointercancel", |board, _| {
        board.held.set(false);
        board.tapping.take();
        None
    });
    on_keys(board, move |row, col| f(row, col), moved);
}

/// Tells `f` of a place if `touch` finds that something is done to it.
fn on_pointer<F: Fn(Touch, usize, usize) + 'static>(
    board: &Rc<Board>,
    name: &'static str,
    touch: fn(&Board, &PointerEvent) -> Option<Touch>,
    f: &Rc<F>,
) {
    let (board, f) = (Rc::clone(board), Rc::clone(f));
    on(&board.element.clone(), name, move |event: &Event| {
        let Some(event) = event.dyn_ref::<PointerEvent>() else { return };
        let place = board.place_of(event);
        if let Some(touch) = touch(&board, event) {
            // The same place again is no news.
            if touch == Touch::Move && board.cursor.replace(place) == place {
                return;
            }
            board.cursor.set(place);
            f(touch, place.0, place.1);
        }
    });
}

/// Moves the keyboard's place, and tells `f` of the one that is chosen.
fn on_keys(board: &Rc<Board>, f: impl Fn(usize, usize) + 'static, moved: impl Fn() + 'static) {
    let b = Rc::clone(board);
    let moved = Rc::new(moved);
    let m = Rc::clone(&moved);
    on(&board.element, "keydown", move |event| {
        let key = event.dyn_ref::<KeyboardEvent>().map(KeyboardEvent::key).unwrap_or_default();
        if key == "Enter" || key == " " {
            let (row, col) = b.cursor.get();
            f(row, col);
        } else if b.step(&key) {
            m();
        } else {
            return;
        }
        event.prevent_default();
    });
    for name in ["focus", "blur"] {
        let m = Rc::clone(&moved);
        on(&board.element, name, move |_| m());
    }
}

/// A canvas for marks.
pub struct Layer {
    canvas: HtmlCanvasElement,
    /// What the marks on it are of.
    drawn: Cell<Option<u64>>,
}

impl Layer {
    /// A new one.
    pub fn create(document: &Document) -> Result<Self> {
        let canvas: HtmlCanvasElement = create(document, "canvas")?;
        canvas.set_class_name("layer");
        canvas.set_width(LAYER);
        canvas.set_height(LAYER);
        Ok(Self { canvas, drawn: Cell::default() })
    }

    /// The canvas itself.
    pub fn canvas(&self) -> &HtmlCanvasElement {
        &self.canvas
    }

    /// Removes all marks, and returns what draws those of `what` on a grid of this edge, unless they are there already.
    pub fn marks_of(&self, edge: usize, what: &impl Hash) -> Option<Marks> {
        let mut hasher = DefaultHasher::new();
        (edge, what).hash(&mut hasher);
        let wanted = Some(hasher.finish());
        if self.drawn.replace(wanted) == wanted { None } else { self.marks(edge) }
    }

    fn marks(&self, edge: usize) -> Option<Marks> {
        let drawing = context(&self.canvas).ok()?;
        let size = f64::from(self.canvas.width());
        drawing.clear_rect(0.0, 0.0, size, size);
        Some(Marks { drawing, place: size / edge as f64, edge })
    }
}

/// Draws marks on places.
pub struct Marks {
    drawing: CanvasRenderingContext2d,
    /// Edge of a place on the layer.
    place: f64,
    /// Places in a row.
    edge: usize,
}

impl Marks {
    /// Colours places.
    pub fn tint(&self, places: &[(usize, usize)], colour: &str) {
        self.drawing.set_fill_style_str(colour);
        for &(row, col) in places {
            self.drawing.fill_rect(col as f64 * self.place, row as f64 * self.place, self.place, self.place);
        }
    }

    /// Colours every place but these.
    pub fn shade_others(&self, places: &[(usize, usize)], colour: &str) {
        let inside = self.inside(places);
        let others: Vec<_> =
            (0..inside.len()).filter(|&i| !inside[i]).map(|i| (i / self.edge, i % self.edge)).collect();
        self.tint(&others, colour);
    }

    /// Colours every place by a value from 0 to 1, a row after the other; faint values stay visible.
    pub fn heat(&self, values: &[f32], [red, green, blue]: [u8; 3]) {
        for (i, value) in values.iter().enumerate().filter(|(_, value)| **value > 0.02) {
            let colour = format!("rgb({red} {green} {blue} / {:.2})", 0.85 * value.sqrt());
            self.tint(&[(i / self.edge, i % self.edge)], &colour);
        }
    }

    /// Draws the border of a region.
    pub fn outline(&self, places: &[(usize, usize)], colour: &str) {
        let (inside, edge, size) = (self.inside(places), self.edge, self.place);
        let width = (size * 0.2).clamp(3.0, 6.0);
        self.drawing.set_fill_style_str(colour);
        let at = |row: usize, col: usize| inside[row * edge + col];
        for (row, col) in (0..inside.len()).filter(|&i| inside[i]).map(|i| (i / edge, i % edge)) {
            let (x, y) = (col as f64 * size, row as f64 * size);
            if row == 0 || !at(row - 1, col) {
                self.drawing.fill_rect(x, y, size, width);
            }
            if row + 1 == edge || !at(row + 1, col) {
                self.drawing.fill_rect(x, y + size - width, size, width);
            }
            if col == 0 || !at(row, col - 1) {
                self.drawing.fill_rect(x, y, width, size);
            }
            if col + 1 == edge || !at(row, col + 1) {
                self.drawing.fill_rect(x + size - width, y, width, size);
            }
        }
    }

    fn inside(&self, places: &[(usize, usize)]) -> Vec<bool> {
        let mut inside = vec![false; self.edge * self.edge];
        for &(row, col) in places.iter().filter(|&&(row, col)| row < self.edge && col < self.edge) {
            inside[row * self.edge + col] = true;
        }
        inside
    }
}
