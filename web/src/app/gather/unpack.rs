//! Files out of a zip archive, one at a time.

use js_sys::{Array, Function, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, ReadableStream, Response};

use super::bytes;
use crate::error::{Error, Result};
use crate::stream::body;
use crate::zip::{self, Entry, LOCAL, Packing, TAIL};

/// The files in an archive.
pub async fn list(archive: &Blob) -> Result<Vec<Entry>> {
    let len = archive.size() as u64;
    let tail = part(archive, len.saturating_sub(TAIL), len).await?;
    let directory = zip::find(&tail, len)?;
    zip::entries(&part(archive, directory.start, directory.end).await?)
}

/// One of them, never larger than the archive says that it is.
pub async fn unpack(archive: &Blob, entry: &Entry) -> Result<Blob> {
    let start = entry.local + zip::data_start(&part(archive, entry.local, entry.local + LOCAL).await?)?;
    let packed = slice(archive, start, start + entry.packed)?;
    match entry.packing {
        Packing::Stored => Ok(packed),
        Packing::Deflated => {
            let unpacked = body(&inflated(&packed)?, &entry.name, entry.size, |_| Ok(())).await;
            let unpacked = unpacked.map_err(|_| Error::File("damaged".to_owned()))?;
            Ok(Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(&unpacked[..])))?)
        }
        Packing::Other => Err(Error::File("packed with a password, or in an unusual way".to_owned())),
    }
}

/// The browser unpacks it, beside the page.
fn inflated(packed: &Blob) -> Result<Response> {
    let maker = Reflect::get(&js_sys::global(), &JsValue::from_str("DecompressionStream"))?;
    let Ok(maker) = maker.dyn_into::<Function>() else {
        return Err(Error::File("packed, which this browser cannot undo".to_owned()));
    };
    let inflater = Reflect::construct(&maker, &Array::of1(&JsValue::from_str("deflate-raw")))?;
    let stream: Object = packed.stream().into();
    let pipe: Function = Reflect::get(&stream, &JsValue::from_str("pipeThrough"))?.dyn_into()?;
    let unpacked: ReadableStream = pipe.call1(&stream, &inflater)?.dyn_into()?;
    Ok(Response::new_with_opt_readable_stream(Some(&unpacked))?)
}

async fn part(archive: &Blob, from: u64, to: u64) -> Result<Vec<u8>> {
    bytes(&slice(archive, from, to)?).await
}

fn slice(archive: &Blob, from: u64, to: u64) -> Result<Blob> {
    Ok(archive.slice_with_f64_and_f64(from as f64, to as f64)?)
}
