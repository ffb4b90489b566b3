//! Weights: from the browser's cache if they are there, and else from the server, checked and kept.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Cache, CacheStorage, Request, Response, console};

use super::fetch;
use super::scope::scope;
use crate::error::{Error, Result};
use crate::index::ModelEntry;
use crate::stream::body;
use crate::training::MOST_BYTES;

/// The cache's name in this origin.
const CACHE: &str = "rg-flow-models-1";
/// The name of the cache with the run that the reader trains, and its address there.
const RUN_CACHE: &str = "rg-flow-run-1";
const RUN: &str = "kept-run";

/// A model's file.
pub struct Weights {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether they were here already.
    pub cached: bool,
}

/// Gets a model's file. `progress` hears of the bytes so far and in total, and may stop it.
pub async fn weights(
    base: &str,
    model: &ModelEntry,
    mut progress: impl FnMut(u64, u64) -> Result<()>,
) -> Result<Weights> {
    let what = format!("The model “{}”", model.title);
    // The digest makes another version another address, here and for every cache on the way.
    let address = format!("{base}{}", model.file);
    let url = format!("{address}?v={}", &model.sha256[..16.min(model.sha256.len())]);
    let cache = open(CACHE).await;
    if let Some(cache) = &cache {
        match kept(cache, &url, &what, model.bytes).await {
            Ok(Some(bytes)) if digest_fits(&bytes, model).await => {
                progress(model.bytes, model.bytes)?;
                return Ok(Weights { bytes, cached: true });
            }
            Ok(None) => {}
            // Damaged or unreadable: fetched again.
            _ => drop(JsFuture::from(cache.delete_with_str(&url)).await),
        }
    }
    let bytes = fetch::file(&url, &what, model.bytes, &mut progress).await?;
    if !digest_fits(&bytes, model).await {
        return Err(Error::Digest { what });
    }
    if let Some(cache) = cache {
        let copy = Uint8Array::from(&bytes[..]);
        // The first picture does not wait for this.
        spawn_local(async move {
            if let Err(error) = keep(&cache, &address, &url, &copy).await {
                // The quota, most likely. The page works without.
                console::warn_1(&JsValue::from_str(&format!("the weights were not cached: {error}")));
            }
        });
    }
    Ok(Weights { bytes, cached: false })
}

/// Keeps the run that the reader trains, in place of the one before.
///
/// # Errors
/// [`Error::Browser`] if the browser keeps nothing, or not that much.
pub async fn keep_run(bytes: &[u8]) -> Result<()> {
    let cache = open(RUN_CACHE).await.ok_or_else(nowhere)?;
    put(&cache, RUN, &Uint8Array::from(bytes)).await
}

/// The run that was kept, if one was.
///
/// # Errors
/// [`Error::TooLarge`] if it is none of ours, [`Error::Truncated`] if it cannot be read.
pub async fn kept_run() -> Result<Option<Vec<u8>>> {
    match open(RUN_CACHE).await {
        Some(cache) => kept(&cache, RUN, "The kept run", MOST_BYTES).await,
        None => Ok(None),
    }
}

/// Deletes the run that was kept.
///
/// # Errors
/// [`Error::Browser`] if the browser does not.
pub async fn forget_run() -> Result<()> {
    if let Some(cache) = open(RUN_CACHE).await {
        JsFuture::from(cache.delete_with_str(RUN)).await?;
    }
    Ok(())
}

fn nowhere() -> Error {
    Error::Browser("it keeps nothing here".to_owned())
}

/// The cache; there is none on an insecure origin, and none where the reader forbids it.
async fn open(name: &str) -> Option<Cache> {
    // The getter itself throws in some browsers' private windows.
    let caches = js_sys::Reflect::get(&scope(), &JsValue::from_str("caches")).ok()?;
    let caches: CacheStorage = caches.dyn_into().ok()?;
    JsFuture::from(caches.open(name)).await.ok()?.dyn_into().ok()
}

async fn kept(cache: &Cache, url: &str, what: &str, total: u64) -> Result<Option<Vec<u8>>> {
    let found = JsFuture::from(cache.match_with_str(url)).await?;
    let Ok(response) = found.dyn_into::<Response>() else { return Ok(None) };
    let bytes = body(&response, what, total, |_| Ok(())).await?;
    Ok(Some(bytes))
}

async fn keep(cache: &Cache, address: &str, url: &str, bytes: &Uint8Array) -> Result<()> {
    // Older versions of the same file only take room.
    let requests: Array = JsFuture::from(cache.keys()).await?.dyn_into()?;
    for request in requests.iter().filter_map(|r| r.dyn_into::<Request>().ok()) {
        let old = request.url();
        if old.split('?').next() == Some(address) && old != url {
            JsFuture::from(cache.delete_with_request(&request)).await?;
        }
    }
    put(cache, url, bytes).await
}

async fn put(cache: &Cache, url: &str, bytes: &Uint8Array) -> Result<()> {
    let response = Response::new_with_opt_buffer_source(Some(bytes))?;
    JsFuture::from(cache.put_with_str(url, &response)).await?;
    Ok(())
}

/// Whether these are the bytes that the list names. An insecure origin has no digests; the length was checked.
async fn digest_fits(bytes: &[u8], model: &ModelEntry) -> bool {
    if bytes.len() as u64 != model.bytes {
        return false;
    }
    let Some(subtle) = subtle() else { return true };
    let Ok(promise) = subtle.digest_with_str_and_buffer_source("SHA-256", &Uint8Array::from(bytes)) else {
        return true;
    };
    match JsFuture::from(promise).await {
        Ok(digest) => {
            let hex: String = Uint8Array::new(&digest).to_vec().iter().map(|byte| format!("{byte:02x}")).collect();
            hex == model.sha256
        }
        Err(_) => true,
    }
}

fn subtle() -> Option<web_sys::SubtleCrypto> {
    let crypto = js_sys::Reflect::get(&scope(), &JsValue::from_str("crypto")).ok()?;
    let subtle = js_sys::Reflect::get(&crypto, &JsValue::from_str("subtle")).ok()?;
    subtle.is_object().then(|| subtle.unchecked_into())
}
