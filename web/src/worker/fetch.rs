//! Downloads that report their progress.

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStreamDefaultReader, RequestCache, RequestInit, Response};

use super::scope::scope;
use crate::error::{Error, Result};

/// The list of models, of at most `limit` bytes.
///
/// # Errors
/// [`Error::Offline`], [`Error::Http`], [`Error::TooLarge`], [`Error::Truncated`].
pub async fn index(url: &str, limit: u64) -> Result<Vec<u8>> {
    let what = "The list of models";
    // An old list would ask for files that are no longer there.
    let response = get(url, what, RequestCache::NoCache).await?;
    body(&response, what, limit, |_| Ok(())).await
}

/// A file of exactly `total` bytes. `progress` hears of the bytes so far and in total, and may stop it.
///
/// # Errors
/// [`Error::Offline`], [`Error::Http`], [`Error::TooLarge`], [`Error::Truncated`], and those of `progress`.
pub async fn file(
    url: &str,
    what: &str,
    total: u64,
    mut progress: impl FnMut(u64, u64) -> Result<()>,
) -> Result<Vec<u8>> {
    let response = get(url, what, RequestCache::Default).await?;
    let bytes = body(&response, what, total, |loaded| progress(loaded, total)).await?;
    if (bytes.len() as u64) < total {
        return Err(Error::Truncated { what: what.to_owned(), loaded: bytes.len() as u64, total });
    }
    Ok(bytes)
}

async fn get(url: &str, what: &str, cache: RequestCache) -> Result<Response> {
    let options = RequestInit::new();
    options.set_cache(cache);
    let response = JsFuture::from(scope().fetch_with_str_and_init(url, &options)).await;
    // `fetch` only fails where no answer came.
    let response = response.map_err(|_| Error::Offline { what: what.to_owned() })?;
    let response: Response = response.dyn_into()?;
    if !response.ok() {
        return Err(Error::Http { what: what.to_owned(), status: response.status() });
    }
    Ok(response)
}

/// A response's bytes, as they come.
pub(super) async fn body(
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
