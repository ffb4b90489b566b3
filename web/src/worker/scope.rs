//! What every part of a worker needs of the browser.

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DedicatedWorkerGlobalScope, MessageChannel, console};

use crate::error::Result;
use crate::protocol::{Last, Part, RequestId, Response, Worker, to_js};

/// The worker's global object.
pub fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Says something about the worker itself.
pub fn tell(worker: Worker) {
    send(&Response::Worker(worker));
}

/// Sends a part of a task's answer.
pub fn part(id: RequestId, part: Part) {
    send(&Response::Part { id, part });
}

/// Sends the end of a task's answer.
pub fn end(id: RequestId, last: Last) {
    send(&Response::Last { id, last });
}

fn send(response: &Response) {
    let sent = to_js(response).and_then(|value| Ok(scope().post_message(&value)?));
    if let Err(error) = sent {
        console::error_1(&JsValue::from_str(&format!("an answer could not be sent: {error}")));
    }
}

/// If this program panics, tells the page that `what` happened; the console says where.
pub fn report_panics(what: &'static str) {
    std::panic::set_hook(Box::new(move |info| {
        console::error_1(&JsValue::from_str(&info.to_string()));
        let why = info.payload_as_str().unwrap_or_default();
        tell(Worker::Failed { message: format!("{what}. {why}").trim_end().to_owned() });
    }));
}

/// Milliseconds since the worker started.
pub fn now() -> f64 {
    scope().performance().map_or(0.0, |performance| performance.now())
}

/// Lets messages in. A timer would do as well, but browsers stretch nested ones to 4 ms.
pub async fn breathe() -> Result<()> {
    let channel = MessageChannel::new()?;
    let (here, there) = (channel.port1(), channel.port2());
    let heard = Promise::new(&mut |resolve, _| here.set_onmessage(Some(&resolve)));
    there.post_message(&JsValue::NULL)?;
    JsFuture::from(heard).await?;
    here.close();
    Ok(())
}
