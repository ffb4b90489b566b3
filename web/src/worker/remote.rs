//! A worker's end of the connection to a worker of its own.

use std::cell::RefCell;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::rc::Rc;

use gloo_events::{EventListener, EventListenerOptions};
use js_sys::{Function, Promise};
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};

use crate::error::{Error, Result};
use crate::protocol::{Last, PROTOCOL, Part, Request, RequestId, Response, Worker as Said, from_js, to_js};
use crate::worker::scope::scope;

/// A running worker that serves tasks of one type; it ends when dropped.
pub struct Remote<T> {
    worker: Worker,
    lines: Rc<RefCell<Lines>>,
    /// The error that says why it is gone.
    error: fn(String) -> Error,
    _listeners: [EventListener; 2],
    _task: PhantomData<fn(T)>,
}

/// What is under way.
#[derive(Default)]
struct Lines {
    /// Whether it has said hello: before, it hears nothing.
    greeted: bool,
    /// Wakes those who wait for its hello.
    waiting: HashMap<RequestId, Function>,
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
            Response::Worker(Said::Hello { .. }) => {
                self.greeted = true;
                self.waiting.drain().for_each(|(_, waker)| wake(&waker));
            }
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
        self.waiting.drain().for_each(|(_, waker)| wake(&waker));
        self.asked.drain().for_each(|(_, asked)| wake(&asked.wake));
    }
}

/// The end of an answer that says no more than whether it was done.
///
/// # Errors
/// [`Error::Gpu`] if it was not.
pub fn expect(last: Last) -> Result<()> {
    match last {
        Last::Failed { message } => Err(Error::Gpu(message)),
        _ => Ok(()),
    }
}

fn wake(waker: &Function) {
    // The function that resolves a promise does not throw.
    let _ = waker.call0(&JsValue::UNDEFINED);
}

impl<T: Serialize> Remote<T> {
    /// Starts the worker of that name; web/js/engine.js tells by it which program to load. If it goes, `error` is told why.
    ///
    /// # Errors
    /// [`Error::Browser`] if the browser starts none.
    pub fn start(name: &str, error: fn(String) -> Error) -> Result<Self> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        options.set_name(name);
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
                let why = format!("it could not be loaded, or broke down. {message}");
                lines.borrow_mut().die(why.trim_end_matches(['.', ' ']).to_owned());
            })
        };
        Ok(Self { worker, lines, error, _listeners: [heard, died], _task: PhantomData })
    }

    /// Sends a task, once the worker is there; `part` hears of all parts of its answer, and this returns the end.
    ///
    /// # Errors
    /// Why the worker is gone, or goes; [`Error::Cancelled`] if the task was cancelled before the worker was there.
    pub async fn ask(&self, id: RequestId, task: impl Into<T>, part: impl Fn(Part) + 'static) -> Result<Last> {
        self.hello(id).await?;
        let asked = self.post(id, task, part)?;
        self.answer(id, asked).await
    }

    /// Sends a task to a worker that is there; what this returns is for [`answer`](Self::answer).
    ///
    /// # Errors
    /// [`Error::Request`] or [`Error::Browser`] if it cannot be sent.
    pub fn post(&self, id: RequestId, task: impl Into<T>, part: impl Fn(Part) + 'static) -> Result<Promise> {
        self.tell(id, task)?;
        let part = Box::new(part);
        Ok(self.promise(|lines, wake| drop(lines.asked.insert(id, Asked { part, wake }))))
    }

    /// Sends a task to a worker that is there, whose answer nobody waits for.
    ///
    /// # Errors
    /// As [`post`](Self::post).
    pub fn tell(&self, id: RequestId, task: impl Into<T>) -> Result<()> {
        Ok(self.worker.post_message(&to_js(&Request::<T>::Serve { id, task: task.into() })?)?)
    }

    /// Waits until the worker is there.
    ///
    /// # Errors
    /// Why it is gone; [`Error::Cancelled`] if the task of this id was cancelled meanwhile.
    pub async fn hello(&self, id: RequestId) -> Result<()> {
        let greeted = || self.lines.borrow().greeted;
        if !greeted() {
            let heard = self.promise(|lines, wake| drop(lines.waiting.insert(id, wake)));
            self.wait(heard).await?;
        }
        self.check()?;
        if greeted() { Ok(()) } else { Err(Error::Cancelled) }
    }

    /// Cancels a task; the end of its answer still comes.
    pub fn cancel(&self, id: RequestId) {
        if let Some(waker) = self.lines.borrow_mut().waiting.remove(&id) {
            return wake(&waker);
        }
        let message = to_js(&Request::<T>::Cancel { id });
        // A worker that cannot hear this ends the task in its own way.
        let _ = message.map(|message| self.worker.post_message(&message));
    }
}

impl<T> Remote<T> {
    /// Whether the worker is there, or still may come.
    ///
    /// # Errors
    /// Why it is gone.
    pub fn check(&self) -> Result<()> {
        self.lines.borrow().dead.clone().map_or(Ok(()), |why| Err((self.error)(why)))
    }

    /// Whether it takes tasks.
    pub fn is_up(&self) -> bool {
        let lines = self.lines.borrow();
        lines.greeted && lines.dead.is_none()
    }

    /// The end of the answer to a task that was sent.
    ///
    /// # Errors
    /// Why the worker is gone, or goes.
    pub async fn answer(&self, id: RequestId, asked: Promise) -> Result<Last> {
        self.wait(asked).await?;
        let last = self.lines.borrow_mut().answers.remove(&id);
        match last {
            Some(last) => Ok(last),
            None => Err(self.check().err().unwrap_or_else(|| (self.error)("it gave no answer".to_owned()))),
        }
    }

    /// What is kept when the function that `keep` is given is called.
    fn promise(&self, keep: impl FnOnce(&mut Lines, Function)) -> Promise {
        let mut wake = None;
        let promise = Promise::new(&mut |resolve, _| wake = Some(resolve));
        if let Some(wake) = wake {
            keep(&mut self.lines.borrow_mut(), wake);
        }
        promise
    }

    /// Waits for this, unless the worker is gone.
    async fn wait(&self, heard: Promise) -> Result<()> {
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

impl<T> Drop for Remote<T> {
    fn drop(&mut self) {
        self.end();
    }
}
