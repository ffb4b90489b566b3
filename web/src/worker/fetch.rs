//! Downloads that report their progress.

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{RequestCache, RequestInit, Response};

use super::scope::scope;
use crate::error::{Error, Result};
use crate::stream::body;

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
