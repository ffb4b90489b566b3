//! What is pasted, dropped or opened: pictures and weights, and files that are mistaken for them.

use std::cell::RefCell;
use std::rc::Rc;

use serde_bytes::ByteBuf;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    Blob, ClipboardEvent, DataTransfer, Document, DragEvent, Element, File, FileList, HtmlElement, HtmlInputElement,
};

use super::history::DRAGGED;
use super::quantities::bytes;
use crate::address::Pick;
use crate::app::dispatch::Dispatch;
use crate::app::event::Event;
use crate::app::gather::Gatherer;
use crate::app::panel::Panel;
use crate::app::picker::Picker;
use crate::app::picker::files::{HEAD, Kind};
use crate::app::slot::Slot;
use crate::app::widgets::dom::{by_id, on, set_text};
use crate::error::{Error, Result};
use crate::index::{MAX_MODEL_BYTES, shorten};

/// Listens for as long as the page is there.
pub fn listen(
    document: &Document,
    dispatch: &Dispatch<Event>,
    picker: &Rc<Picker>,
    gatherer: &Rc<Gatherer>,
) -> Result<()> {
    let landing = Rc::new(Landing {
        document: document.clone(),
        hint: by_id(document, "drop-hint")?,
        marked: RefCell::default(),
        picker: Rc::clone(picker),
    });
    let l = Rc::clone(&landing);
    on(document, "dragover", move |event| {
        let Some(event) = event.dyn_ref::<DragEvent>().filter(|event| is_taken(event.data_transfer())) else { return };
        event.prevent_default();
        l.show(event);
    });
    let l = Rc::clone(&landing);
    on(document, "dragleave", move |event| {
        // Between two elements of the page there is another one that it comes to.
        if event.dyn_ref::<DragEvent>().is_some_and(|event| event.related_target().is_none()) {
            l.hide();
        }
    });
    let (d, p, g) = (dispatch.clone(), Rc::clone(picker), Rc::clone(gatherer));
    on(document, "drop", move |event| {
        landing.hide();
        let Some(event) = event.dyn_ref::<DragEvent>() else { return };
        let Some(data) = event.data_transfer().filter(|data| is_taken(Some(data.clone()))) else { return };
        event.prevent_default();
        if let Some(pick) = dragged(&data) {
            // Over a tab, it goes to that panel.
            if let Some(slot) = over(&p, event).or_else(|| p.landing(None)) {
                d(Event::Picked(slot, pick));
            }
            return;
        }
        if is_to_learn_from(&p, data.files()) {
            return g.take_dropped(&data);
        }
        let files = Files::of(data.files());
        if files.is_none() {
            // The other page's server need not let this one read it.
            let text = "A picture from another page cannot be read from here: save it and open the file, or copy it \
                        and paste it here.";
            p.tell_or(&d, text.to_owned());
        }
        take(files, p.landing(over(&p, event)), &d, &p);
    });
    let (d, p, g) = (dispatch.clone(), Rc::clone(picker), Rc::clone(gatherer));
    on(document, "paste", move |event| {
        let data = event.dyn_ref::<ClipboardEvent>().and_then(ClipboardEvent::clipboard_data);
        let files = data.and_then(|data| data.files());
        if is_to_learn_from(&p, files.clone()) {
            return g.take_files(files);
        }
        take(Files::of(files), p.landing(None), &d, &p);
    });
    for id in ["weights-file", "picker-file"] {
        let input: HtmlInputElement = by_id(document, id)?;
        let (d, p, field) = (dispatch.clone(), Rc::clone(picker), input.clone());
        on(&input, "change", move |_| {
            take(Files::of(field.files()), p.landing(None), &d, &p);
            // The same file may be chosen again.
            field.set_value("");
        });
    }
    Ok(())
}

/// Whether files are the train panel's: all that come while it is shown, but for weights.
fn is_to_learn_from(picker: &Picker, files: Option<FileList>) -> bool {
    let Some(files) = files.filter(|files| files.length() > 0 && picker.panel() == Panel::Train) else { return false };
    let name = files.get(0).map(|file| file.name().to_lowercase()).unwrap_or_default();
    !(files.length() == 1 && name.ends_with(".safetensors"))
}

/// Whether a drag is the page's business: files, pictures, also those of other pages; not a text on its way into a field.
fn is_taken(data: Option<DataTransfer>) -> bool {
    let types = data.map(|data| data.types().iter().filter_map(|kind| kind.as_string()).collect::<Vec<_>>());
    types.is_some_and(|types| types.iter().any(|kind| ["Files", "text/uri-list", DRAGGED].contains(&kind.as_str())))
}

/// The picture of this page that is dragged.
fn dragged(data: &DataTransfer) -> Option<Pick> {
    Pick::parse(&data.get_data(DRAGGED).ok()?)
}

/// The slot whose place something is held over.
fn over(picker: &Picker, event: &DragEvent) -> Option<&'static Slot> {
    let target: Element = event.target()?.dyn_into().ok()?;
    picker.slot(&target.closest("[data-slot]").ok()??.get_attribute("data-slot")?)
}

/// Shows where a drop would land.
struct Landing {
    document: Document,
    hint: HtmlElement,
    marked: RefCell<Option<Element>>,
    picker: Rc<Picker>,
}

impl Landing {
    fn show(&self, event: &DragEvent) {
        let slot = self.picker.landing(over(&self.picker, event));
        let anywhere = match self.picker.panel() {
            Panel::Train => "Drop pictures to learn from, a folder of them or a .zip",
            _ => "Drop a picture here and choose where to use it, or drop weights",
        };
        set_text(&self.hint, slot.map_or(anywhere, |slot| slot.hint));
        self.hint.set_hidden(false);
        let id = if self.picker.is_open() { "picker" } else { slot.map_or("main", |slot| slot.mark) };
        self.mark(self.document.get_element_by_id(id));
    }

    fn hide(&self) {
        self.hint.set_hidden(true);
        self.mark(None);
    }

    fn mark(&self, element: Option<Element>) {
        let before = self.marked.replace(element.clone());
        if before == element {
            return;
        }
        for (element, marked) in [(before, false), (element, true)] {
            let _ = element.map(|element| element.class_list().toggle_with_force("landing", marked));
        }
    }
}

/// The first of some files, and how many there are.
struct Files {
    first: File,
    count: u32,
}

impl Files {
    fn of(files: Option<FileList>) -> Option<Self> {
        let files = files?;
        Some(Self { first: files.get(0)?, count: files.length() })
    }
}

fn take(files: Option<Files>, slot: Option<&'static Slot>, dispatch: &Dispatch<Event>, picker: &Rc<Picker>) {
    let Some(Files { first, count }) = files else { return };
    let (dispatch, picker) = (dispatch.clone(), Rc::clone(picker));
    spawn_local(async move {
        let taken = take_one(&first, slot, &dispatch, &picker).await;
        let one =
            (count > 1).then(|| format!("Only the first of {count} files was taken: “{}”.", shorten(&first.name())));
        let problem = taken.err().map(|error| error.to_string());
        let said: Vec<String> = problem.into_iter().chain(one).collect();
        if !said.is_empty() {
            picker.tell_or(&dispatch, said.join(" "));
        }
    });
}

async fn take_one(
    file: &File,
    slot: Option<&'static Slot>,
    dispatch: &Dispatch<Event>,
    picker: &Rc<Picker>,
) -> Result<()> {
    let name = file.name();
    let head = file.slice_with_i32_and_i32(0, HEAD as i32)?;
    let unreadable = |_| Error::File(format!("“{}” cannot be read: is it a folder? Open one file.", shorten(&name)));
    let kind = Kind::of(&name, &read(&head).await.map_err(unreadable)?);
    match kind {
        Kind::Weights => {
            if file.size() > MAX_MODEL_BYTES as f64 {
                let (size, limit) = (bytes(file.size() as u64), bytes(MAX_MODEL_BYTES));
                let text = format!("“{}” has {size}; weights may have at most {limit}.", shorten(&name));
                return Err(Error::File(text));
            }
            dispatch(Event::Weights(name, ByteBuf::from(read(file).await?)));
            Ok(())
        }
        kind if kind.may_be_shown() => picker.take_picture(file, kind, slot).await,
        kind => Err(Error::File(kind.advice(&name))),
    }
}

async fn read(blob: &Blob) -> Result<Vec<u8>> {
    let buffer = JsFuture::from(blob.array_buffer()).await?;
    Ok(js_sys::Uint8Array::new(&buffer).to_vec())
}
