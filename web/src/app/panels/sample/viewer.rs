//! One picture, large.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Document, HtmlButtonElement, HtmlDialogElement, HtmlElement, KeyboardEvent, MouseEvent};

use super::state::{GRID, Sample, SampleEvent, Shown};
use crate::address::rounded;
use crate::app::dispatch::Dispatch;
use crate::app::panels::Site;
use crate::app::widgets::canvas::{self, Picture};
use crate::app::widgets::dialog::Dialog;
use crate::app::widgets::dom::{by_id, on, set_text};
use crate::app::widgets::list::List;
use crate::error::Result;
use crate::protocol::Image;

/// The dialog.
pub struct Viewer {
    document: Document,
    dialog: Dialog,
    picture: Picture,
    caption: HtmlElement,
    buttons: [HtmlButtonElement; 5],
    dispatch: Dispatch<SampleEvent>,
    /// The steps from which the picture grows, one above the other on the picture.
    stack: List<usize, Picture>,
    /// The same beneath it, side by side.
    steps: List<usize, Picture>,
    place: Cell<usize>,
    shown: RefCell<Vec<Option<Shown>>>,
}

impl Viewer {
    pub fn new(site: &Site<'_, SampleEvent>) -> Result<Self> {
        let document = site.document;
        let button = |id| by_id(document, id);
        Ok(Self {
            document: document.clone(),
            dialog: site.dialogs.by_id(document, "viewer")?,
            picture: Picture::by_id(document, "viewer-canvas")?,
            caption: by_id(document, "viewer-caption")?,
            buttons: [
                button("viewer-previous")?,
                button("viewer-next")?,
                button("viewer-download")?,
                button("viewer-close")?,
                button("viewer-grow")?,
            ],
            dispatch: Rc::clone(&site.own),
            stack: List::by_id(document, "viewer-stack")?,
            steps: List::by_id(document, "viewer-steps")?,
            place: Cell::new(0),
            shown: RefCell::default(),
        })
    }

    pub fn open(&self, place: usize) {
        self.dialog.open();
        self.go(place);
    }

    pub fn render(&self, samples: &Sample) {
        self.shown.replace(samples.shown.to_vec());
        if self.dialog.is_open() {
            self.draw();
            for list in [&self.stack, &self.steps] {
                let _ = self.show_steps(list, &samples.steps);
            }
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
        let _ = self.stack.parent().class_list().remove_1("growing");
        (self.dispatch)(SampleEvent::Enlarged(place));
        self.draw();
    }

    /// Shows the steps one after the other; the style sheet holds the clock.
    fn grow(&self) {
        let _ = self.stack.parent().class_list().remove_1("growing");
        // The animation starts again only where the browser has seen it gone.
        let _ = self.stack.parent().offset_width();
        let _ = self.stack.parent().class_list().add_1("growing");
    }

    fn show_steps(&self, list: &List<usize, Picture>, images: &[Rc<Image>]) -> Result<()> {
        // Their room is kept while they are on their way.
        if !images.is_empty() {
            list.fit(0..images.len(), |step| {
                let picture = Picture::create(&self.document)?;
                // The style sheet holds the clock.
                picture.canvas().style().set_property("--step", &step.to_string())?;
                Ok((picture.canvas().clone().into(), picture))
            })?;
        }
        list.for_each(|&step, picture| picture.show(images.get(step)));
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
