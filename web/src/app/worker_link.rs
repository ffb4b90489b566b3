//! The page's end of the connection to the worker.

use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::{Document, ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};

use super::dispatch::Dispatch;
use super::event::{Event, OTHER_VERSION};
use crate::error::Result;
use crate::protocol::{Request, Response, Task, from_js, to_js};

/// A running worker; it ends when dropped.
pub struct Link {
    worker: Worker,
    _listeners: [EventListener; 2],
}

impl Link {
    /// Starts a worker whose words become events.
    pub fn start(document: &Document, dispatch: &Dispatch<Event>) -> Result<Self> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(&format!("engine.js{}", version(document)), &options)?;
        let heard = {
            let dispatch = dispatch.clone();
            EventListener::new(&worker, "message", move |event| {
                let Some(event) = event.dyn_ref::<MessageEvent>() else { return };
                match from_js::<Response>(event.data()) {
                    Ok(response) => dispatch(Event::Engine(response)),
                    // Only another version says what this one does not know.
                    Err(_) => dispatch(Event::EngineDied(OTHER_VERSION.to_owned())),
                }
            })
        };
        let died = {
            let dispatch = dispatch.clone();
            EventListener::new(&worker, "error", move |event| {
                let message = event.dyn_ref::<ErrorEvent>().map(ErrorEvent::message).unwrap_or_default();
                let message = format!("The engine could not be loaded, or broke down. {message}");
                dispatch(Event::EngineDied(message.trim_end().to_owned()));
            })
        };
        Ok(Self { worker, _listeners: [heard, died] })
    }

    /// Sends a request.
    pub fn send(&self, request: &Request<Task>) -> Result<()> {
        Ok(self.worker.post_message(&to_js(request)?)?)
    }
}

impl Drop for Link {
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
