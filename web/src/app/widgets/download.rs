//! Files that are handed to the reader.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Blob, Document, HtmlAnchorElement, Url};

use super::dom::create;
use crate::error::Result;

/// How long a file stays at its address, in milliseconds: some browsers read it long after the click.
const KEPT: i32 = 60_000;

/// Saves a file of this name.
///
/// # Errors
/// [`crate::Error::Browser`] if the browser gives it no address.
pub fn blob(document: &Document, blob: &Blob, name: &str) -> Result<()> {
    let url = Url::create_object_url_with_blob(blob)?;
    let link: HtmlAnchorElement = create(document, "a")?;
    link.set_href(&url);
    link.set_download(name);
    link.click();
    let forgotten = Closure::once_into_js(move || Url::revoke_object_url(&url));
    if let Some(window) = document.default_view() {
        window.set_timeout_with_callback_and_timeout_and_arguments_0(forgotten.unchecked_ref(), KEPT)?;
    }
    Ok(())
}

/// The same for a file's bytes.
///
/// # Errors
/// As [`blob`].
pub fn bytes(document: &Document, bytes: &[u8], name: &str) -> Result<()> {
    blob(document, &Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(bytes)))?, name)
}
