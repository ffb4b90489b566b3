//! Folders that are dropped. Browsers have them only under the names that one of them once gave them; see the File and
//! Directory Entries API.

use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DataTransfer, File};

use crate::error::Result;

/// A folder, or a file beside one.
pub struct Folder {
    entry: JsValue,
    name: String,
}

/// What was dropped, if a folder is among it. This has to be asked before anything is waited for.
pub fn folders(data: &DataTransfer) -> Vec<Folder> {
    let items = Reflect::get(data, &JsValue::from_str("items")).map(|items| Array::from(&items)).unwrap_or_default();
    let entries: Vec<JsValue> = items.iter().filter_map(|item| call(&item, "webkitGetAsEntry", &[]).ok()).collect();
    if !entries.iter().any(is_folder) {
        return vec![];
    }
    entries.into_iter().filter(JsValue::is_object).map(Folder::of).collect()
}

impl Folder {
    fn of(entry: JsValue) -> Self {
        let name = Reflect::get(&entry, &JsValue::from_str("name")).ok().and_then(|name| name.as_string());
        Self { entry, name: name.unwrap_or_default() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The files in it, and the folders; of a file, the file.
    pub async fn open(&self) -> Result<(Vec<File>, Vec<Folder>)> {
        if super::junk::is_junk(&self.name) {
            return Ok((vec![], vec![]));
        }
        if !is_folder(&self.entry) {
            let file: File = asked(&self.entry, "file").await?.dyn_into()?;
            return Ok((vec![file], vec![]));
        }
        let reader = call(&self.entry, "createReader", &[])?;
        let mut inside = Vec::new();
        loop {
            // They come a hundred at a time.
            let some = Array::from(&asked(&reader, "readEntries").await?);
            if some.length() == 0 {
                return Ok((vec![], inside));
            }
            inside.extend(some.iter().map(Folder::of));
        }
    }
}

fn is_folder(entry: &JsValue) -> bool {
    entry.is_object() && Reflect::get(entry, &JsValue::from_str("isDirectory")).is_ok_and(|is| is.is_truthy())
}

/// What a method hands to its first callback; the second hears of errors.
async fn asked(of: &JsValue, method: &str) -> Result<JsValue> {
    let promise = Promise::new(&mut |resolve, reject| {
        if let Err(error) = call(of, method, &[&resolve, &reject]) {
            let _ = reject.call1(&JsValue::NULL, &JsValue::from_str(&error.to_string()));
        }
    });
    Ok(JsFuture::from(promise).await?)
}

fn call(of: &JsValue, method: &str, arguments: &[&JsValue]) -> Result<JsValue> {
    let method: Function = Reflect::get(of, &JsValue::from_str(method))?.dyn_into()?;
    Ok(method.apply(of, &arguments.iter().copied().collect())?)
}
