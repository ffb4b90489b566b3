//! The front's end of the connection to the worker with the GPU.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use gloo_events::{EventListener, EventListenerOptions};
use js_sys::{Function, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};

use super::scope::scope;
use crate::error::{Error, Result};
use crate::protocol::{GpuTask, Last, PROTOCOL, Part, Request, RequestId, Response, Worker as Said, from_js, to_js};

/// A running worker; it ends when dropped.
pub struct Remote {
    worker: Worker,
    lines: Rc<RefCell<Lines>>,
    _listeners: [EventListener; 2],
}

/// What is under way.
#[derive(Default)]
struct Lines {
    /// Wakes who waits for the worker's hello.
    greeted: Option<Function>,
    asked: HashMap<RequestId, Asked>,
    answers: HashMap<RequestId, Last>,
    dead: Option<String>,
}

struct Asked {
    part: Box<dyn Fn(Part)>,
    wake: Function,
}

impl Lines {
    fn hear(&mut self, response: Response) {
        match response {
            Response::Worker(Said::Failed { message }) => self.die(message),
            Response::Worker(Said::Hello { protocol }) if protocol != PROTOCOL => {
                self.die("it is of another version".to_owned());
            }
            Response::Worker(Said::Hello { .. }) => self.greeted.take().iter().for_each(wake),
            // There is one thing that it runs on.
            Response::Worker(Said::RunsOn { .. }) => {}
            Response::Part { id, part } => {
                if let Some(asked) = self.asked.get(&id) {
                    (asked.part)(part);
                }
            }
            Response::Last { id, last } => {
                if let Some(asked) = self.asked.remove(&id) {
                    self.answers.insert(id, last);
                    wake(&asked.wake);
                }
            }
        }
    }

    fn die(&mut self, why: String) {
        self.dead.get_or_insert(why);
        self.greeted.take().iter().for_each(wake);
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
        remote.wait(|lines, wake| lines.greeted = Some(wake)).await?;
        match &remote.lines.borrow().dead {
            Some(why) => Err(Error::Gpu(why.clone())),
            None => Ok(()),
        }?;
        Ok(remote)
    }

    /// Sends a task; `part` hears of all parts of its answer, and this returns the end.
    ///
    /// # Errors
    /// [`Error::Gpu`] if the worker is gone, or goes.
    pub async fn ask(&self, id: RequestId, task: impl Into<GpuTask>, part: impl Fn(Part) + 'static) -> Result<Last> {
        self.worker.post_message(&to_js(&Request::Serve { id, task: task.into() })?)?;
        self.wait(|lines, wake| {
            lines.asked.insert(id, Asked { part: Box::new(part), wake });
        })
        .await?;
        let mut lines = self.lines.borrow_mut();
        match (lines.answers.remove(&id), &lines.dead) {
            (Some(last), _) => Ok(last),
            (None, why) => Err(Error::Gpu(why.clone().unwrap_or_else(|| "it gave no answer".to_owned()))),
        }
    }

    /// Cancels a task; the end of its answer still comes.
    pub fn cancel(&self, id: RequestId) {
        let message = to_js(&Request::<GpuTask>::Cancel { id });
        // A worker that cannot hear this ends the task in its own way.
        let _ = message.map(|message| self.worker.post_message(&message));
    }

    /// Waits for whoever calls the function that `keep` is given, unless the worker is gone.
    async fn wait(&self, keep: impl FnOnce(&mut Lines, Function)) -> Result<()> {
        let mut wake = None;
        let heard = Promise::new(&mut |resolve, _| wake = Some(resolve));
        if let Some(wake) = wake {
            keep(&mut self.lines.borrow_mut(), wake);
        }
        let dead = self.lines.borrow().dead.is_some();
        if !dead {
            JsFuture::from(heard).await?;
        }
        Ok(())
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
