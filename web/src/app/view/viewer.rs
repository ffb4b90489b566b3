//! One picture, large.

use std::cell::Cell;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{
    Blob, Document, HtmlAnchorElement, HtmlButtonElement, HtmlCanvasElement, HtmlDialogElement, HtmlElement,
    HtmlInputElement, KeyboardEvent, MouseEvent, Url,
};

use super::dom::{by_id, create, on, set_text};
use super::grid::{GridView, context};
use crate::app::state::{GRID, State};
use crate::error::Result;

/// The dialog.
pub struct Viewer {
    document: Document,
    grid: Rc<GridView>,
    dialog: HtmlDialogElement,
    canvas: HtmlCanvasElement,
    caption: HtmlElement,
    smooth: HtmlInputElement,
    buttons: [HtmlButtonElement; 4],
    place: Cell<usize>,
}

impl Viewer {
    pub fn new(document: &Document, grid: Rc<GridView>) -> Result<Self> {
        let button = |id| by_id(document, id);
        Ok(Self {
            document: document.clone(),
            grid,
            dialog: by_id(document, "viewer")?,
            canvas: by_id(document, "viewer-canvas")?,
            caption: by_id(document, "viewer-caption")?,
            smooth: by_id(document, "smooth")?,
            buttons: [
                button("viewer-previous")?,
                button("viewer-next")?,
                button("viewer-download")?,
                button("viewer-close")?,
            ],
            place: Cell::new(0),
        })
    }

    pub fn open(&self, place: usize) {
        self.place.set(place);
        self.draw();
        if !self.dialog.open() {
            let _ = self.dialog.show_modal();
        }
    }

    /// The picture of this place is a new one.
    pub fn repaint(&self, place: usize) {
        if self.dialog.open() && self.place.get() == place {
            self.draw();
        }
    }

    pub fn render(&self, state: &State) {
        if self.dialog.open() {
            set_text(&self.caption, &self.text(&state.settings.seed.to_string()));
        }
    }

    fn text(&self, seed: &str) -> String {
        format!("Sample {} of {GRID}, seed {seed}", self.place.get() + 1)
    }

    fn draw(&self) {
        let Some(source) = self.grid.canvas(self.place.get()) else { return };
        let (width, height) = (source.width(), source.height());
        self.canvas.set_width(width);
        self.canvas.set_height(height);
        let _ = self.canvas.class_list().toggle_with_force("smooth", self.smooth.checked());
        if let Ok(context) = context(&self.canvas) {
            let _ = context.draw_image_with_html_canvas_element(source, 0.0, 0.0);
        }
        let seed = source.dataset().get("seed").unwrap_or_default();
        set_text(&self.caption, &self.text(&seed));
    }

    fn turn(&self, by: usize) {
        self.place.set((self.place.get() + by) % GRID);
        self.draw();
    }

    /// Hands the picture out as a PNG of its own size.
    fn download(&self) -> Result<()> {
        let seed = self.grid.canvas(self.place.get()).and_then(|canvas| canvas.dataset().get("seed"));
        let name = format!("rg-flow-seed{}-{}.png", seed.unwrap_or_default(), self.place.get());
        let document = self.document.clone();
        let save = Closure::once_into_js(move |blob: Option<Blob>| {
            let saved = blob.map(|blob| save(&document, &blob, &name));
            if let Some(Err(error)) = saved {
                web_sys::console::error_1(&error.to_string().into());
            }
        });
        Ok(self.canvas.to_blob(save.unchecked_ref())?)
    }
}

fn save(document: &Document, blob: &Blob, name: &str) -> Result<()> {
    let url = Url::create_object_url_with_blob(blob)?;
    let link: HtmlAnchorElement = create(document, "a")?;
    link.set_href(&url);
    link.set_download(name);
    link.click();
    Ok(Url::revoke_object_url(&url)?)
}

pub fn listen(view: &Rc<Viewer>) {
    let [previous, next, download, close] = &view.buttons;
    let on_click = |button: &HtmlButtonElement, f: fn(&Viewer)| {
        let viewer = Rc::clone(view);
        on(button, "click", move |_| f(&viewer));
    };
    on_click(previous, |viewer| viewer.turn(GRID - 1));
    on_click(next, |viewer| viewer.turn(1));
    on_click(download, |viewer| {
        if let Err(error) = viewer.download() {
            set_text(&viewer.caption, &error.to_string());
        }
    });
    on_click(close, |viewer| viewer.dialog.close());
    let viewer = Rc::clone(view);
    on(&view.dialog, "keydown", move |event| {
        match event.dyn_ref::<KeyboardEvent>().map(KeyboardEvent::key).as_deref() {
            Some("ArrowLeft") => viewer.turn(GRID - 1),
            Some("ArrowRight") => viewer.turn(1),
            _ => {}
        }
    });
    let viewer = Rc::clone(view);
    on(&view.dialog, "click", move |event| {
        // Only the backdrop's clicks are the dialog's own.
        let own = event.target().is_some_and(|target| target.has_type::<HtmlDialogElement>());
        if own && event.dyn_ref::<MouseEvent>().is_some_and(|e| e.detail() > 0) {
            viewer.dialog.close();
        }
    });
}
