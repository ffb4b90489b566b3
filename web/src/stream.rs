//! Bytes that come in parts.

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStreamDefaultReader, Response};

use crate::error::{Error, Result};

/// A response's bytes, as they come, at most `limit`. `progress` hears of how many are here, and may stop it.
///
/// # Errors
/// [`Error::TooLarge`], [`Error::Truncated`], and those of `progress`.
pub async fn body(
    response: &Response,
    what: &str,
    limit: u64,
    mut progress: impl FnMut(u64) -> Result<()>,
) -> Result<Vec<u8>> {
    let Some(stream) = response.body() else { return Ok(Vec::new()) };
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut bytes = Vec::new();
    progress(0)?;
    loop {
        let part = JsFuture::from(reader.read()).await;
        let part =
            part.map_err(|_| Error::Truncated { what: what.to_owned(), loaded: bytes.len() as u64, total: limit })?;
        if Reflect::get(&part, &JsValue::from_str("done"))?.is_truthy() {
            return Ok(bytes);
        }
        let chunk: Uint8Array = Reflect::get(&part, &JsValue::from_str("value"))?.dyn_into()?;
        let (start, end) = (bytes.len(), bytes.len() + chunk.length() as usize);
        if end as u64 > limit {
            let _ = reader.cancel();
            return Err(Error::TooLarge { what: what.to_owned(), limit });
        }
        bytes.resize(end, 0);
        chunk.copy_to(&mut bytes[start..]);
        if let Err(stop) = progress(end as u64) {
            let _ = reader.cancel();
            return Err(stop);
        }
    }
}
