//! The dialog in which a picture is chosen: a sample, or one of the reader's own, which [`crop`] cuts out.

mod aim;
mod camera;
mod crop;
pub mod files;
pub mod frame;
mod own;
pub mod paint;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    Document, Element, File, HtmlButtonElement, HtmlElement, HtmlOptionElement, HtmlSelectElement, ImageBitmap,
};

use super::dispatch::Dispatch;
use super::event::Event;
use super::panel::Panel;
use super::slot::{self, Slot};
use super::widgets::canvas::Picture;
use super::widgets::dialog::{Dialog, Dialogs};
use super::widgets::dom::{by_id, create, fresh_seed, on, on_click, reveal, set_text};
use super::widgets::list::List;
use crate::address::{Own, Pick};
use crate::error::{Error, Result};
use crate::index::shorten;
use crate::protocol::Image;
pub use aim::Looked;
use camera::Camera;
use crop::Crop;
use files::Kind;
use own::OwnView;

/// The largest file that is opened, in bytes: no photograph is larger.
pub const MAX_FILE: f64 = 40e6;

/// The dialog.
pub struct Picker {
    document: Document,
    page: Dispatch<Event>,
    dialog: Dialog,
    title: HtmlElement,
    problem: HtmlElement,
    back: HtmlButtonElement,
    more: HtmlButtonElement,
    shoot: HtmlButtonElement,
    pages: [(Page, HtmlElement); 3],
    gallery: List<usize, (HtmlButtonElement, Picture)>,
    camera: Camera,
    crop: Rc<Crop>,
    own: OwnView,
    /// What the picture is for; where nobody has said so yet, `place` asks.
    slot: Cell<Option<&'static Slot>>,
    slots: Vec<&'static Slot>,
    place: HtmlSelectElement,
    place_row: HtmlElement,
    panel: Cell<Panel>,
    /// Edge of the pictures that the model takes; 0 before one is loaded.
    edge: Cell<usize>,
    offered: RefCell<Vec<Option<Pick>>>,
}

/// What there is to choose from, and what for.
pub struct Offer<'a> {
    /// The shown panel.
    pub panel: Panel,
    /// Edge of the pictures that the model takes; 0 before one is loaded.
    pub edge: usize,
    /// Where the eyes are in the model's pictures, column and row in hundredths of the edge.
    pub eyes: &'a [[u8; 2]],
    /// What was found in the photograph of that number.
    pub looked: Option<(u32, Rc<Looked>)>,
    /// The reader's own pictures, the newest first.
    pub photos: &'a [Rc<Own>],
    /// Whether the browser does not keep them.
    pub forgotten: bool,
    /// The samples, as far as they are drawn.
    pub samples: Vec<Option<(Pick, &'a Rc<Image>)>>,
}

/// What the dialog shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    Choose,
    Camera,
    Crop,
}

impl Picker {
    /// Finds the elements and listens to them. Pictures can be chosen for these slots.
    ///
    /// # Errors
    /// [`Error::Browser`] if the page lacks an element.
    pub fn new(
        document: &Document,
        page: &Dispatch<Event>,
        dialogs: &Rc<Dialogs>,
        slots: Vec<&'static Slot>,
    ) -> Result<Rc<Self>> {
        let picker = Rc::new(Self {
            document: document.clone(),
            page: page.clone(),
            dialog: dialogs.by_id(document, "picker")?,
            title: by_id(document, "picker-title")?,
            problem: by_id(document, "picker-problem")?,
            back: by_id(document, "picker-back")?,
            more: by_id(document, "picker-more")?,
            shoot: by_id(document, "picker-shoot")?,
            pages: [
                (Page::Choose, by_id(document, "picker-choose")?),
                (Page::Camera, by_id(document, "picker-live")?),
                (Page::Crop, by_id(document, "picker-crop")?),
            ],
            gallery: List::by_id(document, "picker-gallery")?,
            camera: Camera::new(document)?,
            crop: Crop::new(document)?,
            own: OwnView::new(document)?,
            slot: Cell::default(),
            slots,
            place: by_id(document, "picker-slot")?,
            place_row: by_id(document, "picker-place")?,
            panel: Cell::new(Panel::default()),
            edge: Cell::new(0),
            offered: RefCell::default(),
        });
        picker.name_places()?;
        listen(&picker)?;
        Ok(picker)
    }

    /// Offers the slots to choose from: first those of panels that have one.
    fn name_places(&self) -> Result<()> {
        let mut slots = self.slots.clone();
        slots.sort_by_key(|slot| self.slots.iter().filter(|other| other.panel == slot.panel).count());
        for slot in slots {
            let option: HtmlOptionElement = create(&self.document, "option")?;
            option.set_value(slot.name);
            option.set_text(slot.label);
            self.place.append_child(&option)?;
        }
        Ok(())
    }

    /// The slot of that name.
    pub fn slot(&self, name: &str) -> Option<&'static Slot> {
        slot::by_name(&self.slots, name)
    }

    /// Lets the reader choose a picture for a place.
    pub fn open(&self, slot: &'static Slot) {
        self.offer(slot, false);
    }

    /// The same, for who wants to bring a picture: that stands first.
    pub fn open_for_own(&self, slot: &'static Slot) {
        self.offer(slot, true);
        set_text(&self.title, "Put a picture of yours in");
    }

    fn offer(&self, slot: &'static Slot, own_first: bool) {
        let _ = self.pages[0].1.class_list().toggle_with_force("own-first", own_first);
        self.turn(Page::Choose);
        set_text(&self.problem, "");
        self.show(Some(slot));
        (self.page)(Event::Gallery);
    }

    fn show(&self, slot: Option<&'static Slot>) {
        self.slot.set(slot);
        let title = slot.map_or("Your picture", |slot| slot.title);
        set_text(&self.title, title);
        self.place_row.set_hidden(slot.is_some());
        self.dialog.open();
    }

    /// The shown panel.
    pub fn panel(&self) -> Panel {
        self.panel.get()
    }

    /// Whether the dialog is open.
    pub fn is_open(&self) -> bool {
        self.dialog.is_open()
    }

    /// Where a picture would go that comes now, over a slot's place or elsewhere.
    pub fn landing(&self, over: Option<&'static Slot>) -> Option<&'static Slot> {
        if self.is_open() { self.slot.get() } else { slot::landing(&self.slots, self.panel.get(), over) }
    }

    /// Shows what there is to choose from.
    pub fn render(self: &Rc<Self>, offer: &Offer<'_>) {
        self.panel.set(offer.panel);
        self.edge.set(offer.edge);
        self.crop.guide(offer.eyes);
        if let Some((number, looked)) = &offer.looked {
            self.crop.looked(*number, looked);
        }
        let (picker, page) = (Rc::clone(self), self.page.clone());
        let use_it: Rc<dyn Fn(Rc<Own>)> = Rc::new(move |own| picker.choose(Pick::Own(own)));
        let remove: Rc<dyn Fn(Rc<Own>)> = Rc::new(move |own| page(Event::RemovePhoto(own)));
        self.own.render(offer.photos, offer.forgotten, &use_it, &remove);
        // Also behind a closed dialog: when it opens, everything may have come already.
        let _ = self.gallery.fit(0..offer.samples.len(), |place| self.cell(*place));
        self.gallery.for_each(|&place, (button, picture)| {
            let sample = offer.samples[place].as_ref();
            picture.show(sample.map(|(_, image)| *image));
            button.set_disabled(sample.is_none());
        });
        let picks = offer.samples.iter().map(|sample| sample.as_ref().map(|(pick, _)| pick.clone()));
        self.offered.replace(picks.collect());
    }

    fn cell(self: &Rc<Self>, place: usize) -> Result<(Element, (HtmlButtonElement, Picture))> {
        let (button, picture) = Picture::in_button(&self.document, &format!("Sample {}", place + 1))?;
        let picker = Rc::clone(self);
        on(&button, "click", move |_| {
            let pick = picker.offered.borrow().get(place).cloned().flatten();
            if let Some(pick) = pick {
                picker.choose(pick);
            }
        });
        Ok((button.clone().into(), (button, picture)))
    }

    /// A file of the reader's that may be a picture, for a slot or for one that the reader will name.
    ///
    /// # Errors
    /// [`Error::File`] says what it is if it cannot be shown.
    pub async fn take_picture(&self, file: &File, kind: Kind, slot: Option<&'static Slot>) -> Result<()> {
        let name = file.name();
        if self.edge.get() == 0 {
            let text = format!("No model is loaded yet: open “{}” again in a moment.", shorten(&name));
            return Err(Error::File(text));
        }
        if file.size() > MAX_FILE {
            let (size, limit) = (file.size() / 1e6, MAX_FILE / 1e6);
            let text = format!(
                "“{}” has {size:.0} MB; at most {limit:.0} MB can be opened. Save a smaller copy.",
                shorten(&name)
            );
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
        let photo = self.crop.start(bitmap, self.edge.get())?;
        self.turn(Page::Crop);
        if let Some((number, snapshot)) = photo {
            (self.page)(Event::Photo(number, snapshot));
        }
        Ok(())
    }

    fn tell(&self, result: Result<()>) {
        match result {
            // Whoever cancelled has gone on already.
            Err(Error::Cancelled) => {}
            result => self.say(&result.err().map(|error| error.to_string()).unwrap_or_default()),
        }
    }

    /// Says what is wrong, where it is seen however far the dialog was scrolled.
    fn say(&self, problem: &str) {
        set_text(&self.problem, problem);
        if !problem.is_empty() {
            reveal(&self.problem);
        }
    }

    /// Says something here if the dialog is open, and else on the page.
    pub fn tell_or(&self, page: &Dispatch<Event>, text: String) {
        if self.is_open() {
            self.say(&text);
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
        // What had the focus is gone.
        if self.is_open() {
            let _ = match page {
                Page::Choose => self.more.focus(),
                Page::Camera => self.shoot.focus(),
                Page::Crop => self.crop.focus(),
            };
        }
    }

    fn choose(&self, pick: Pick) {
        let Some(slot) = self.slot.get().or_else(|| self.slot(&self.place.value())) else { return };
        let page = self.page.clone();
        let picked = move || page(Event::Picked(slot, pick));
        if slot.panel == self.panel.get() {
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
            picker.say("The camera was taken away: plug it in again, or close what else uses it.");
        };
        let started = self.camera.start(ended).await;
        if matches!(&started, Err(error) if !matches!(error, Error::Cancelled)) {
            self.turn(Page::Choose);
        }
        self.tell(started);
    }
}

fn listen(picker: &Rc<Picker>) -> Result<()> {
    let document = &picker.document;
    let listen = |id: &str, f: fn(&Rc<Picker>)| {
        let picker = Rc::clone(picker);
        on_click(document, id, move || f(&picker))
    };
    listen("picker-close", |picker| picker.dialog.close())?;
    listen("picker-back", |picker| picker.turn(Page::Choose))?;
    listen("picker-more", |picker| {
        (picker.page)(Event::NewSamples(fresh_seed()));
        (picker.page)(Event::Gallery);
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
