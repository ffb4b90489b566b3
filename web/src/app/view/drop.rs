//! Files that are pasted or dropped: pictures and weights.

use std::rc::Rc;

use serde_bytes::ByteBuf;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{ClipboardEvent, Document, DragEvent, File, FileList, HtmlInputElement};

use super::dom::{by_id, on};
use super::picker::Picker;
use super::status::bytes;
use crate::app::Dispatch;
use crate::app::state::Event;
use crate::error::{Error, Result};
use crate::index::MAX_MODEL_BYTES;

/// Listens for as long as the page is there.
pub fn listen(document: &Document, dispatch: &Dispatch, picker: &Rc<Picker>) -> Result<()> {
    on(document, "dragover", |event| event.prevent_default());
    let (d, p) = (dispatch.clone(), Rc::clone(picker));
    on(document, "drop", move |event| {
        event.prevent_default();
        let data = event.dyn_ref::<DragEvent>().and_then(DragEvent::data_transfer);
        take_first(data.and_then(|data| data.files()), &d, &p);
    });
    let (d, p) = (dispatch.clone(), Rc::clone(picker));
    on(document, "paste", move |event| {
        let data = event.dyn_ref::<ClipboardEvent>().and_then(ClipboardEvent::clipboard_data);
        take_first(data.and_then(|data| data.files()), &d, &p);
    });
    let input: HtmlInputElement = by_id(document, "weights-file")?;
    let (d, p, field) = (dispatch.clone(), Rc::clone(picker), input.clone());
    on(&input, "change", move |_| {
        take_first(field.files(), &d, &p);
        field.set_value("");
    });
    Ok(())
}

fn take_first(files: Option<FileList>, dispatch: &Dispatch, picker: &Rc<Picker>) {
    let Some(file) = files.and_then(|files| files.get(0)) else { return };
    if !file.name().ends_with(".safetensors") {
        picker.take_file(file.into());
        return;
    }
    let dispatch = dispatch.clone();
    spawn_local(async move {
        match read(&file).await {
            Ok(bytes) => dispatch(Event::Weights(file.name(), bytes)),
            Err(error) => dispatch(Event::Notice(error.to_string())),
        }
    });
}

async fn read(file: &File) -> Result<ByteBuf> {
    if file.size() > MAX_MODEL_BYTES as f64 {
        let (size, limit) = (bytes(file.size() as u64), bytes(MAX_MODEL_BYTES));
        return Err(Error::Browser(format!("weights of {size}; {limit} are the most that a page should hold")));
    }
    let buffer = JsFuture::from(file.array_buffer()).await?;
    Ok(ByteBuf::from(js_sys::Uint8Array::new(&buffer).to_vec()))
}
