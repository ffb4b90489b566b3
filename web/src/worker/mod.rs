//! The worker: takes requests, holds the engine, sends answers.
//!
//! Two programs are made of this. [`start`] is the page's worker: it runs models on the CPU, and hands pictures to the
//! second one once that has proved itself. `start_gpu` is that second one, a worker of the worker with WebGPU in it:
//! a bundle that only those fetch who have a GPU, and whose end, should a driver or a device give up, ends nothing
//! else. Both serve `models` behind a `desk`.

mod adapter;
mod desk;
mod edit;
pub mod fetch;
mod front;
// Native builds leave it out, since the backend takes minutes to compile; clippy compiles nothing.
#[cfg(all(feature = "gpu", any(target_arch = "wasm32", clippy)))]
mod gpu;
mod models;
pub mod queue;
mod remote;
mod store;
mod trial;

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DedicatedWorkerGlobalScope, MessageChannel, console};

use crate::error::Result;
use crate::messages::{RequestId, Response, ResponseKind, to_js};

pub use front::start;
#[cfg(all(feature = "gpu", any(target_arch = "wasm32", clippy)))]
pub use gpu::start_gpu;

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

fn send(id: RequestId, kind: ResponseKind) {
    let sent = to_js(&Response { id, kind }).and_then(|value| Ok(scope().post_message(&value)?));
    if let Err(error) = sent {
        console::error_1(&JsValue::from_str(&format!("an answer could not be sent: {error}")));
    }
}

/// Says that `what` happened, should this program panic; where, the console tells.
fn report_panics(what: &'static str) {
    std::panic::set_hook(Box::new(move |info| {
        console::error_1(&JsValue::from_str(&info.to_string()));
        let why = info.payload_as_str().unwrap_or_default();
        send(0, ResponseKind::Failed { message: format!("{what}. {why}").trim_end().to_owned() });
    }));
}

/// Milliseconds since the worker started.
fn now() -> f64 {
    scope().performance().map_or(0.0, |performance| performance.now())
}

/// Lets messages in. A timer would do as well, but browsers stretch nested ones to 4 ms.
async fn breathe() -> Result<()> {
    let channel = MessageChannel::new()?;
    let (here, there) = (channel.port1(), channel.port2());
    let heard = Promise::new(&mut |resolve, _| here.set_onmessage(Some(&resolve)));
    there.post_message(&JsValue::NULL)?;
    JsFuture::from(heard).await?;
    here.close();
    Ok(())
}
