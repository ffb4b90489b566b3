//! The dialog in which a picture is chosen: a sample, or one of the reader's own, which [`crop`] cuts out.

mod camera;
mod crop;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Document, File, HtmlButtonElement, HtmlElement, HtmlSelectElement, ImageBitmap};

use super::canvas::Picture;
use super::dialog::{Dialog, Dialogs};
use super::dom::{by_id, create, on, on_click, set_text};
use crate::app::Dispatch;
use crate::app::files::Kind;
use crate::app::state::sample::GRID;
use crate::app::state::{Event, Slot, State};
use crate::error::{Error, Result};
use crate::fragment::{Own, Panel, Pick};
use crate::index::shorten;
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
    dialog: Dialog,
    title: HtmlElement,
    problem: HtmlElement,
    back: HtmlButtonElement,
    pages: [(Page, HtmlElement); 3],
    gallery: Vec<(HtmlButtonElement, Picture)>,
    camera: Camera,
    crop: Rc<Crop>,
    /// What the picture is for; where nobody has said so yet, `place` asks.
    slot: Cell<Option<Slot>>,
    place: HtmlSelectElement,
    place_row: HtmlElement,
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
    pub fn new(document: &Document, dispatch: &Dispatch, dialogs: &Rc<Dialogs>) -> Result<Rc<Self>> {
        let picker = Rc::new(Self {
            document: document.clone(),
            dispatch: dispatch.clone(),
            dialog: dialogs.by_id(document, "picker")?,
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
            slot: Cell::default(),
            place: by_id(document, "picker-slot")?,
            place_row: by_id(document, "picker-place")?,
            panel: Cell::new(Panel::Sample),
            edge: Cell::new(0),
            offered: RefCell::default(),
        });
        listen(&picker)?;
        Ok(picker)
    }

    /// Lets the reader choose a picture for a place.
    pub fn open(&self, slot: Slot) {
        self.turn(Page::Choose);
        set_text(&self.problem, "");
        self.show(Some(slot));
        (self.dispatch)(Event::Gallery);
    }

    fn show(&self, slot: Option<Slot>) {
        self.slot.set(slot);
        let title = match slot {
            Some(Slot::MixA) => "Choose picture A",
            Some(Slot::MixB) => "Choose picture B",
            Some(Slot::Explore) => "Choose a picture to explore",
            Some(Slot::Inpaint) => "Choose a picture to complete",
            None => "Your picture",
        };
        set_text(&self.title, title);
        self.place_row.set_hidden(slot.is_some());
        self.dialog.open();
    }

    /// Whether the dialog is in sight.
    pub fn is_open(&self) -> bool {
        self.dialog.is_open()
    }

    /// Where a picture would go that comes now, over a slot's place or elsewhere.
    pub fn landing(&self, over: Option<Slot>) -> Option<Slot> {
        if self.is_open() { self.slot.get() } else { Slot::landing(self.panel.get(), over) }
    }

    pub fn render(&self, state: &State) {
        self.panel.set(state.settings.panel);
        self.edge.set(state.info.as_ref().map_or(0, |info| info.config.size));
        let shown = state.samples.shown.iter().enumerate();
        self.offered.replace(shown.map(|(place, shown)| shown.as_ref().map(|shown| shown.pick(place))).collect());
        // Also behind a closed dialog: when it opens, everything may have come already.
        for ((button, picture), shown) in self.gallery.iter().zip(&state.samples.shown) {
            picture.show(shown.as_ref().map(|shown| &shown.image));
            button.set_disabled(shown.is_none());
        }
    }

    /// A file of the reader's that may be a picture, for a slot or for one that the reader will name.
    ///
    /// # Errors
    /// [`Error::File`] says what it is if it cannot be shown.
    pub async fn take_picture(&self, file: &File, kind: Kind, slot: Option<Slot>) -> Result<()> {
        let name = file.name();
        if self.edge.get() == 0 {
            let text = format!("“{}” came before the model was there: try again in a moment.", shorten(&name));
            return Err(Error::File(text));
        }
        if file.size() > MAX_FILE {
            let (size, limit) = (file.size() / 1e6, MAX_FILE / 1e6);
            let text = format!("“{}” has {size:.0} MB; save it smaller, with {limit:.0} MB at most.", shorten(&name));
            return Err(Error::File(text));
        }
        let window = self.document.default_view().ok_or_else(|| Error::Browser("there is no window".to_owned()))?;
        let bitmap = JsFuture::from(window.create_image_bitmap_with_blob(file)?).await;
        let bitmap: ImageBitmap = bitmap.map_err(|_| Error::File(kind.advice(&name)))?.into();
        self.cut(bitmap)?;
        set_text(&self.problem, "");
        self.show(slot);
        Ok(())
    }

    fn cut(&self, bitmap: ImageBitmap) -> Result<()> {
        self.crop.start(bitmap, self.edge.get())?;
        self.turn(Page::Crop);
        Ok(())
    }

    fn tell(&self, result: Result<()>) {
        match result {
            // Whoever cancelled has gone on already.
            Err(Error::Cancelled) => {}
            result => set_text(&self.problem, &result.err().map(|error| error.to_string()).unwrap_or_default()),
        }
    }

    /// Says something here if the dialog is in sight, and else on the page.
    pub fn tell_or(&self, page: &Dispatch, text: String) {
        if self.is_open() {
            set_text(&self.problem, &text);
        } else {
            page(Event::Notice(text));
        }
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
        let Some(slot) = self.slot.get().or_else(|| Slot::parse(&self.place.value())) else { return };
        let d = self.dispatch.clone();
        let picked = move || d(Event::Picked(slot, pick));
        if slot.panel() == self.panel.get() {
            self.dialog.close();
            picked();
        } else {
            self.dialog.close_then(picked);
        }
    }

    fn use_crop(&self) -> Result<()> {
        let (edge, rgb) = self.crop.cut_out()?;
        let own = Own::new(edge, rgb).ok_or_else(|| Error::Browser("a picture of this size".to_owned()))?;
        self.choose(Pick::Own(Rc::new(own)));
        Ok(())
    }

    async fn use_camera(self: &Rc<Self>) {
        self.turn(Page::Camera);
        set_text(&self.problem, "");
        let picker = Rc::clone(self);
        let ended = move || {
            picker.turn(Page::Choose);
            set_text(&picker.problem, "The camera was taken away: plug it in again, or end what else uses it.");
        };
        let started = self.camera.start(ended).await;
        if matches!(&started, Err(error) if !matches!(error, Error::Cancelled)) {
            self.turn(Page::Choose);
        }
        self.tell(started);
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
        spawn_local(async move { picker.use_camera().await });
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
    // However it closes, the camera goes off.
    let p = Rc::clone(picker);
    on(picker.dialog.element(), "close", move |_| p.camera.stop());
    Ok(())
}
