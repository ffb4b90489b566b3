//! The dialog in which a picture is chosen: a sample, or one of the reader's own, which [`crop`] cuts out.

mod camera;
mod crop;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, Document, HtmlButtonElement, HtmlDialogElement, HtmlElement, HtmlInputElement, ImageBitmap};

use super::canvas::Picture;
use super::dom::{by_id, create, on, on_click, set_text};
use crate::app::Dispatch;
use crate::app::state::sample::GRID;
use crate::app::state::{Event, Slot, State};
use crate::error::{Error, Result};
use crate::fragment::{Own, Panel, Pick};
use camera::Camera;
use crop::Crop;

/// No photograph is larger; what is would only fill the memory.
const MAX_FILE: f64 = 40e6;
/// New galleries have seeds below this.
const SEEDS: f64 = 1e6;

/// The dialog.
pub struct Picker {
    document: Document,
    dispatch: Dispatch,
    dialog: HtmlDialogElement,
    title: HtmlElement,
    problem: HtmlElement,
    back: HtmlButtonElement,
    pages: [(Page, HtmlElement); 3],
    gallery: Vec<(HtmlButtonElement, Picture)>,
    camera: Camera,
    crop: Rc<Crop>,
    slot: Cell<Slot>,
    panel: Cell<Panel>,
    /// Edge of the pictures that the model takes; 0 before one is loaded.
    edge: Cell<usize>,
    offered: RefCell<Vec<Option<Pick>>>,
}

/// What the dialog shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    Choose,
    Camera,
    Crop,
}

impl Picker {
    pub fn new(document: &Document, dispatch: &Dispatch) -> Result<Rc<Self>> {
        let picker = Rc::new(Self {
            document: document.clone(),
            dispatch: dispatch.clone(),
            dialog: by_id(document, "picker")?,
            title: by_id(document, "picker-title")?,
            problem: by_id(document, "picker-problem")?,
            back: by_id(document, "picker-back")?,
            pages: [
                (Page::Choose, by_id(document, "picker-choose")?),
                (Page::Camera, by_id(document, "picker-live")?),
                (Page::Crop, by_id(document, "picker-crop")?),
            ],
            gallery: build_gallery(document)?,
            camera: Camera::new(document)?,
            crop: Crop::new(document)?,
            slot: Cell::new(Slot::Explore),
            panel: Cell::new(Panel::Sample),
            edge: Cell::new(0),
            offered: RefCell::default(),
        });
        listen(&picker)?;
        Ok(picker)
    }

    /// Lets the reader choose a picture for a place.
    pub fn open(&self, slot: Slot) {
        self.slot.set(slot);
        self.turn(Page::Choose);
        set_text(&self.problem, "");
        (self.dispatch)(Event::Gallery);
        self.show();
    }

    fn show(&self) {
        let title = match self.slot.get() {
            Slot::MixA => "Choose picture A",
            Slot::MixB => "Choose picture B",
            Slot::Explore => "Choose a picture to explore",
            Slot::Inpaint => "Choose a picture to complete",
        };
        set_text(&self.title, title);
        if !self.dialog.open() {
            let _ = self.dialog.show_modal();
        }
    }

    pub fn render(&self, state: &State) {
        self.panel.set(state.settings.panel);
        self.edge.set(state.info.as_ref().map_or(0, |info| info.config.size));
        let pick = |place: usize, seed: u64| Pick::Sample { seed, index: place as u32 };
        let shown = state.samples.shown.iter().enumerate();
        self.offered.replace(shown.map(|(i, shown)| shown.as_ref().map(|shown| pick(i, shown.seed))).collect());
        if !self.dialog.open() {
            return;
        }
        for ((button, picture), shown) in self.gallery.iter().zip(&state.samples.shown) {
            picture.show(shown.as_ref().map(|shown| &shown.image));
            button.set_disabled(shown.is_none());
        }
    }

    /// A file that was opened, pasted or dropped.
    pub fn take_file(self: &Rc<Self>, file: Blob) {
        if !self.dialog.open() {
            self.slot.set(match self.panel.get() {
                Panel::Mix => Slot::MixA,
                Panel::Inpaint => Slot::Inpaint,
                Panel::Sample | Panel::Explore | Panel::About => Slot::Explore,
            });
        }
        let picker = Rc::clone(self);
        spawn_local(async move {
            let result = picker.read(&file).await;
            picker.show();
            picker.tell(result);
        });
    }

    async fn read(&self, file: &Blob) -> Result<()> {
        self.turn(Page::Choose);
        if file.size() > MAX_FILE {
            return Err(Error::Browser(format!("a picture of {:.0} MB; 40 MB are the most", file.size() / 1e6)));
        }
        let window = self.document.default_view().ok_or_else(|| Error::Browser("there is no window".to_owned()))?;
        let bitmap = JsFuture::from(window.create_image_bitmap_with_blob(file)?).await;
        let bitmap: ImageBitmap =
            bitmap.map_err(|_| Error::Browser("this file is no picture that it can read".to_owned()))?.into();
        self.cut(bitmap)
    }

    fn cut(&self, bitmap: ImageBitmap) -> Result<()> {
        let edge = self.edge.get();
        if edge == 0 {
            return Err(Error::Browser("a picture before the model is there; try again in a moment".to_owned()));
        }
        self.crop.start(bitmap, edge)?;
        self.turn(Page::Crop);
        Ok(())
    }

    fn tell(&self, result: Result<()>) {
        set_text(&self.problem, &result.err().map(|error| error.to_string()).unwrap_or_default());
    }

    fn turn(&self, page: Page) {
        if page != Page::Camera {
            self.camera.stop();
        }
        for (other, element) in &self.pages {
            element.set_hidden(*other != page);
        }
        self.back.set_hidden(page == Page::Choose);
    }

    fn choose(&self, pick: Pick) {
        self.dialog.close();
        (self.dispatch)(Event::Picked(self.slot.get(), pick));
    }

    fn use_crop(&self) -> Result<()> {
        let (edge, rgb) = self.crop.cut_out()?;
        let own = Own::new(edge, rgb).ok_or_else(|| Error::Browser("a picture of this size".to_owned()))?;
        self.choose(Pick::Own(Rc::new(own)));
        Ok(())
    }
}

fn build_gallery(document: &Document) -> Result<Vec<(HtmlButtonElement, Picture)>> {
    let gallery: HtmlElement = by_id(document, "picker-gallery")?;
    let cell = |place: usize| {
        let button: HtmlButtonElement = create(document, "button")?;
        button.set_type("button");
        button.set_class_name("cell");
        button.set_attribute("aria-label", &format!("Sample {}", place + 1))?;
        let picture = Picture::create(document)?;
        button.append_child(picture.canvas())?;
        gallery.append_child(&button)?;
        Ok((button, picture))
    };
    (0..GRID).map(cell).collect()
}

fn listen(picker: &Rc<Picker>) -> Result<()> {
    let document = &picker.document;
    for (place, (button, _)) in picker.gallery.iter().enumerate() {
        let picker = Rc::clone(picker);
        on(button, "click", move |_| {
            let pick = picker.offered.borrow().get(place).cloned().flatten();
            if let Some(pick) = pick {
                picker.choose(pick);
            }
        });
    }
    let listen = |id: &str, f: fn(&Rc<Picker>)| {
        let picker = Rc::clone(picker);
        on_click(document, id, move || f(&picker))
    };
    listen("picker-close", |picker| picker.dialog.close())?;
    listen("picker-back", |picker| picker.turn(Page::Choose))?;
    listen("picker-more", |picker| {
        (picker.dispatch)(Event::NewSamples((js_sys::Math::random() * SEEDS) as u64));
        (picker.dispatch)(Event::Gallery);
    })?;
    listen("picker-camera", |picker| {
        let picker = Rc::clone(picker);
        spawn_local(async move {
            picker.turn(Page::Camera);
            let started = picker.camera.start().await;
            if started.is_err() {
                picker.turn(Page::Choose);
            }
            picker.tell(started);
        });
    })?;
    listen("picker-shoot", |picker| {
        let picker = Rc::clone(picker);
        spawn_local(async move {
            let shot = picker.camera.shoot().await.and_then(|bitmap| picker.cut(bitmap));
            picker.tell(shot);
        });
    })?;
    listen("crop-use", |picker| {
        if let Err(error) = picker.use_crop() {
            picker.tell(Err(error));
        }
    })?;
    let file: HtmlInputElement = by_id(document, "picker-file")?;
    let (p, input) = (Rc::clone(picker), file.clone());
    on(&file, "change", move |_| {
        if let Some(file) = input.files().and_then(|files| files.get(0)) {
            p.take_file(file.into());
        }
        // The same file may be chosen again.
        input.set_value("");
    });
    // However it closes, the camera goes off.
    let p = Rc::clone(picker);
    on(&picker.dialog, "close", move |_| p.camera.stop());
    Ok(())
}
