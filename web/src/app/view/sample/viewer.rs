//! One picture, large.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Document, HtmlButtonElement, HtmlDialogElement, HtmlElement, KeyboardEvent, MouseEvent};

use crate::app::Dispatch;
use crate::app::state::sample::{GRID, Shown};
use crate::app::state::{Event, State};
use crate::app::view::canvas::{self, Picture};
use crate::app::view::dialog::{Dialog, Dialogs};
use crate::app::view::dom::{by_id, on, set_text};
use crate::error::Result;
use crate::fragment::rounded;
use crate::messages::edit::Image;

/// The dialog.
pub struct Viewer {
    document: Document,
    dialog: Dialog,
    picture: Picture,
    caption: HtmlElement,
    buttons: [HtmlButtonElement; 5],
    dispatch: Dispatch,
    /// The steps from which the picture grows: on the picture, one above the other, and beneath it, side by side.
    growth: [HtmlElement; 2],
    steps: RefCell<Vec<[Picture; 2]>>,
    place: Cell<usize>,
    shown: RefCell<Vec<Option<Shown>>>,
}

impl Viewer {
    pub fn new(document: &Document, dispatch: &Dispatch, dialogs: &Rc<Dialogs>) -> Result<Self> {
        let button = |id| by_id(document, id);
        Ok(Self {
            document: document.clone(),
            dialog: dialogs.by_id(document, "viewer")?,
            picture: Picture::by_id(document, "viewer-canvas")?,
            caption: by_id(document, "viewer-caption")?,
            buttons: [
                button("viewer-previous")?,
                button("viewer-next")?,
                button("viewer-download")?,
                button("viewer-close")?,
                button("viewer-grow")?,
            ],
            dispatch: dispatch.clone(),
            growth: [by_id(document, "viewer-stack")?, by_id(document, "viewer-steps")?],
            steps: RefCell::default(),
            place: Cell::new(0),
            shown: RefCell::default(),
        })
    }

    pub fn open(&self, place: usize) {
        self.dialog.open();
        self.go(place);
    }

    pub fn render(&self, state: &State) {
        self.shown.replace(state.samples.shown.to_vec());
        if self.dialog.is_open() {
            self.draw();
            let _ = self.show_steps(&state.samples.steps);
        }
    }

    fn draw(&self) {
        let all = self.shown.borrow();
        let Some(Some(shown)) = all.get(self.place.get()) else { return };
        self.picture.show(Some(&shown.image));
        set_text(
            &self.caption,
            &format!(
                "Sample {} of {GRID}, seed {}: {:.2} bits/dim",
                self.place.get() + 1,
                shown.seed,
                rounded(shown.bits)
            ),
        );
    }

    fn turn(&self, by: usize) {
        self.go((self.place.get() + by) % GRID);
    }

    fn go(&self, place: usize) {
        self.place.set(place);
        let _ = self.growth[0].class_list().remove_1("growing");
        (self.dispatch)(Event::Enlarged(place));
        self.draw();
    }

    /// Shows the steps one after the other; the style sheet holds the clock.
    fn grow(&self) {
        let _ = self.growth[0].class_list().remove_1("growing");
        // The animation starts again only where the browser has seen it gone.
        let _ = self.growth[0].offset_width();
        let _ = self.growth[0].class_list().add_1("growing");
    }

    fn show_steps(&self, images: &[Rc<Image>]) -> Result<()> {
        let mut steps = self.steps.borrow_mut();
        while steps.len() < images.len() {
            let pictures = [Picture::create(&self.document)?, Picture::create(&self.document)?];
            for (place, picture) in self.growth.iter().zip(&pictures) {
                place.append_child(picture.canvas())?;
            }
            steps.push(pictures);
        }
        for (i, picture) in steps.iter().enumerate().flat_map(|(i, pictures)| pictures.iter().map(move |p| (i, p))) {
            // Their room is kept while they are on their way.
            picture.canvas().set_hidden(!images.is_empty() && i >= images.len());
            picture.show(images.get(i));
        }
        Ok(())
    }

    fn download(&self) -> Result<()> {
        let seed = self.shown.borrow().get(self.place.get()).and_then(|shown| Some(shown.as_ref()?.seed));
        let name = format!("rg-flow-seed{}-{}.png", seed.unwrap_or_default(), self.place.get());
        canvas::save(&self.document, &[vec![self.picture.canvas().clone()]], &name)
    }
}

pub fn listen(view: &Rc<Viewer>) {
    let [previous, next, download, close, grow] = &view.buttons;
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
    on_click(grow, Viewer::grow);
    let viewer = Rc::clone(view);
    on(view.dialog.element(), "keydown", move |event| {
        match event.dyn_ref::<KeyboardEvent>().map(KeyboardEvent::key).as_deref() {
            Some("ArrowLeft") => viewer.turn(GRID - 1),
            Some("ArrowRight") => viewer.turn(1),
            _ => {}
        }
    });
    let viewer = Rc::clone(view);
    on(view.dialog.element(), "click", move |event| {
        // Only the backdrop's clicks are the dialog's own.
        let own = event.target().is_some_and(|target| target.has_type::<HtmlDialogElement>());
        if own && event.dyn_ref::<MouseEvent>().is_some_and(|e| e.detail() > 0) {
            viewer.dialog.close();
        }
    });
}
