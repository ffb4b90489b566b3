//! The page's ends of the connections to its workers.

use std::marker::PhantomData;
use std::rc::Rc;

use gloo_events::EventListener;
use serde::Serialize;
use wasm_bindgen::JsCast;
use web_sys::{Document, ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};

use super::event::OTHER_VERSION;
use crate::error::Result;
use crate::protocol::{Request, Response, from_js, to_js};

/// A running worker that serves tasks of one type; it ends when dropped.
pub struct Link<T> {
    worker: Worker,
    _listeners: [EventListener; 2],
    _task: PhantomData<fn(T)>,
}

impl<T: Serialize> Link<T> {
    /// Starts a worker. web/js/engine.js tells by `name` what it is for. `hear` is given what the worker says, or why it can
    /// no longer be used.
    ///
    /// # Errors
    /// [`crate::Error::Browser`] if the browser starts none.
    pub fn start(
        document: &Document,
        name: &str,
        hear: impl Fn(std::result::Result<Response, String>) + 'static,
    ) -> Result<Self> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        options.set_name(name);
        let worker = Worker::new_with_options(&format!("engine.js{}", version(document)), &options)?;
        let hear = Rc::new(hear);
        let heard = {
            let hear = Rc::clone(&hear);
            EventListener::new(&worker, "message", move |event| {
                let Some(event) = event.dyn_ref::<MessageEvent>() else { return };
                // Only another version says what this one does not know.
                hear(from_js(event.data()).map_err(|_| OTHER_VERSION.to_owned()));
            })
        };
        let died = EventListener::new(&worker, "error", move |event| {
            let message = event.dyn_ref::<ErrorEvent>().map(ErrorEvent::message).unwrap_or_default();
            let message = format!("The engine could not be loaded, or broke down. {message}");
            hear(Err(message.trim_end().to_owned()));
        });
        Ok(Self { worker, _listeners: [heard, died], _task: PhantomData })
    }

    /// Sends a request.
    ///
    /// # Errors
    /// [`crate::Error::Browser`] if the browser does not pass it on.
    pub fn send(&self, request: &Request<T>) -> Result<()> {
        Ok(self.worker.post_message(&to_js(request)?)?)
    }
}

impl<T> Drop for Link<T> {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

/// What tells this build's worker from the last one's in its address: the hash in the page's own file name.
fn version(document: &Document) -> String {
    let meta = document.query_selector("meta[name=rg-flow-app]").ok().flatten();
    let files = meta.and_then(|meta| meta.get_attribute("content")).unwrap_or_default();
    let hash: String = files.chars().take_while(|&c| c != ' ').filter(char::is_ascii_alphanumeric).collect();
    if hash.is_empty() { String::new() } else { format!("?v={hash}") }
}
