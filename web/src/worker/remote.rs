//! The front's end of the connection to the worker with the GPU.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use gloo_events::{EventListener, EventListenerOptions};
use js_sys::{Function, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};

use super::scope;
use crate::error::{Error, Result};
use crate::messages::{PROTOCOL, Request, RequestId, RequestKind, Response, ResponseKind, from_js, to_js};

/// A running worker; it ends when dropped.
pub struct Remote {
    worker: Worker,
    lines: Rc<RefCell<Lines>>,
    _listeners: [EventListener; 2],
}

/// What is under way. The worker's hello counts as the answer to a request of id 0.
#[derive(Default)]
struct Lines {
    asked: HashMap<RequestId, Asked>,
    answers: HashMap<RequestId, ResponseKind>,
    dead: Option<String>,
}

struct Asked {
    part: Box<dyn Fn(ResponseKind)>,
    wake: Function,
}

impl Lines {
    fn hear(&mut self, response: Response) {
        let Response { id, kind } = response;
        match kind {
            ResponseKind::Failed { message } if id == 0 => self.die(message),
            ResponseKind::Hello { protocol } if protocol != PROTOCOL => self.die("it is of another version".to_owned()),
            kind if kind.is_last() || matches!(kind, ResponseKind::Hello { .. }) => {
                if let Some(asked) = self.asked.remove(&id) {
                    self.answers.insert(id, kind);
                    wake(&asked.wake);
                }
            }
            part => {
                if let Some(asked) = self.asked.get(&id) {
                    (asked.part)(part);
                }
            }
        }
    }

    fn die(&mut self, why: String) {
        self.dead.get_or_insert(why);
        self.asked.drain().for_each(|(_, asked)| wake(&asked.wake));
    }
}

fn wake(waker: &Function) {
    // The function that resolves a promise does not throw.
    let _ = waker.call0(&JsValue::UNDEFINED);
}

impl Remote {
    /// Starts the worker, and waits until it has its GPU.
    ///
    /// # Errors
    /// [`Error::Gpu`] if it does not come up.
    pub async fn start() -> Result<Self> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        // By its name the script knows which program to load.
        options.set_name("gpu");
        let worker = Worker::new_with_options(&scope().location().href(), &options)?;
        let lines = Rc::new(RefCell::new(Lines::default()));
        let heard = {
            let lines = Rc::clone(&lines);
            EventListener::new(&worker, "message", move |event| {
                let Some(event) = event.dyn_ref::<MessageEvent>() else { return };
                match from_js::<Response>(event.data()) {
                    Ok(response) => lines.borrow_mut().hear(response),
                    Err(error) => lines.borrow_mut().die(error.to_string()),
                }
            })
        };
        let died = {
            let lines = Rc::clone(&lines);
            // Taken note of here; left alone, it would count as the breakdown of this worker too.
            let options = EventListenerOptions::enable_prevent_default();
            EventListener::new_with_options(&worker, "error", options, move |event| {
                event.prevent_default();
                let message = event.dyn_ref::<ErrorEvent>().map(ErrorEvent::message).unwrap_or_default();
                lines.borrow_mut().die(format!("it could not be loaded, or broke down. {message}"));
            })
        };
        let remote = Self { worker, lines, _listeners: [heard, died] };
        remote.answer(0, |_| {}).await?;
        Ok(remote)
    }

    /// Sends a request; `part` hears of all answers but the last, which this returns.
    ///
    /// # Errors
    /// [`Error::Gpu`] if the worker is gone, or goes.
    pub async fn ask(
        &self,
        id: RequestId,
        kind: RequestKind,
        part: impl Fn(ResponseKind) + 'static,
    ) -> Result<ResponseKind> {
        self.worker.post_message(&to_js(&Request { id, kind })?)?;
        self.answer(id, part).await
    }

    /// Asks to forget a request; its last answer comes all the same.
    pub fn cancel(&self, request: RequestId) {
        let message = to_js(&Request { id: 0, kind: RequestKind::Cancel { request } });
        // A worker that cannot hear this ends the request in its own way.
        let _ = message.map(|message| self.worker.post_message(&message));
    }

    async fn answer(&self, id: RequestId, part: impl Fn(ResponseKind) + 'static) -> Result<ResponseKind> {
        let mut wake = None;
        let heard = Promise::new(&mut |resolve, _| wake = Some(resolve));
        if let Some(wake) = wake {
            self.lines.borrow_mut().asked.insert(id, Asked { part: Box::new(part), wake });
        }
        if self.lines.borrow().dead.is_none() {
            JsFuture::from(heard).await?;
        }
        let mut lines = self.lines.borrow_mut();
        match (lines.answers.remove(&id), &lines.dead) {
            (Some(answer), _) => Ok(answer),
            (None, why) => Err(Error::Gpu(why.clone().unwrap_or_else(|| "it gave no answer".to_owned()))),
        }
    }

    /// Ends the worker, and with it all that waits for it.
    pub fn end(&self) {
        self.worker.terminate();
        self.lines.borrow_mut().die("it was ended".to_owned());
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.end();
    }
}
