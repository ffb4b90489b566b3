//! Whether this browser offers WebGPU, asked before anything is fetched for it.

use js_sys::{Function, Promise, Reflect, Set};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::error::{Error, Result};
use crate::protocol::BackendChoice;
use crate::worker::scope::scope;

/// Asks for a GPU that may be used by this choice.
///
/// # Errors
/// [`Error::Gpu`] says what is missing.
pub async fn find(choice: BackendChoice) -> Result<()> {
    let gpu = get(&get(&scope(), "navigator")?, "gpu")?;
    if gpu.is_falsy() {
        return Err(Error::Gpu("this browser has no WebGPU".to_owned()));
    }
    let request: Function = get(&gpu, "requestAdapter")?.dyn_into()?;
    let adapter = JsFuture::from(request.call0(&gpu)?.dyn_into::<Promise>()?).await?;
    if adapter.is_falsy() {
        return Err(Error::Gpu("this browser offers WebGPU, but no GPU for it".to_owned()));
    }
    let features: Set = get(&adapter, "features")?.unchecked_into();
    // Burn's runtime does not start without.
    if !features.has(&JsValue::from_str("timestamp-query")) {
        return Err(Error::Gpu("this GPU does not offer timestamp queries".to_owned()));
    }
    let info = get(&adapter, "info")?;
    let software = info.is_object() && get(&info, "isFallbackAdapter")?.is_truthy();
    // It stands in for a GPU, slowly.
    if choice == BackendChoice::Auto && (software || get(&adapter, "isFallbackAdapter")?.is_truthy()) {
        return Err(Error::Gpu("there is no GPU behind it, only software".to_owned()));
    }
    Ok(())
}

fn get(object: &JsValue, key: &str) -> Result<JsValue> {
    Ok(Reflect::get(object, &JsValue::from_str(key))?)
}
