//! Where requests arrive: tasks are served one after the other, and each hears when it is cancelled.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_events::EventListener;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::MessageEvent;

use super::queue::{Arrival, Queue, Serving};
use super::scope::{breathe, end, now, part, scope, tell};
use crate::error::{Error, Result};
use crate::protocol::{Last, PROTOCOL, Part, Request, RequestId, Worker, from_js};

/// Work for this long before looking for messages again, in milliseconds.
const TURN: f64 = 12.0;

/// What serves the tasks of a desk.
pub trait Service {
    /// The tasks.
    type Task: DeserializeOwned;

    /// Serves a task; the end of its answer is what this returns.
    async fn serve(self: &Rc<Self>, task: Self::Task, turn: &Turn) -> Result<Last>;

    /// Whether a task is served at once, beside whatever else is.
    fn is_apart(_task: &Self::Task) -> bool {
        false
    }

    /// Hears that the task being served is no longer wanted.
    fn cancelled(&self, _request: RequestId) {}
}

/// A task's turn: what its service needs besides the task itself.
pub struct Turn {
    id: RequestId,
    stopped: Rc<Cell<bool>>,
    since: Cell<f64>,
}

impl Turn {
    /// A turn that begins now, and ends when `stopped` becomes true.
    pub fn new(id: RequestId, stopped: Rc<Cell<bool>>) -> Self {
        Self { id, stopped, since: Cell::new(now()) }
    }

    /// The task's id.
    pub fn id(&self) -> RequestId {
        self.id
    }

    /// Sends a part of the answer.
    pub fn send(&self, some: Part) {
        part(self.id, some);
    }

    /// Lets messages in if there was work for long.
    ///
    /// # Errors
    /// [`Error::Cancelled`] if the task was cancelled.
    pub async fn pause(&self) -> Result<()> {
        if now() - self.since.get() > TURN {
            breathe().await?;
            self.since.set(now());
        }
        self.check()
    }

    /// # Errors
    /// [`Error::Cancelled`] if the task was cancelled.
    pub fn check(&self) -> Result<()> {
        if self.stopped.get() { Err(Error::Cancelled) } else { Ok(()) }
    }
}

/// Opens the desk and says hello.
pub fn open<S: Service + 'static>(service: S) {
    let desk = Rc::new(Desk { queue: RefCell::default(), service: Rc::new(service) });
    let listener = EventListener::new(&scope(), "message", move |event| {
        let Some(event) = event.dyn_ref::<MessageEvent>() else { return };
        match from_js::<Request<S::Task>>(event.data()) {
            Ok(request) => desk.arrive(request),
            Err(error) => tell(Worker::Failed { message: error.to_string() }),
        }
    });
    listener.forget();
    tell(Worker::Hello { protocol: PROTOCOL });
}

struct Desk<S: Service> {
    queue: RefCell<Queue<S::Task>>,
    service: Rc<S>,
}

impl<S: Service + 'static> Desk<S> {
    fn arrive(self: &Rc<Self>, request: Request<S::Task>) {
        let request = match request {
            Request::Serve { id, task } if S::is_apart(&task) => {
                let desk = Rc::clone(self);
                spawn_local(async move { desk.serve(id, task, Rc::default()).await });
                return;
            }
            request => request,
        };
        let arrival = self.queue.borrow_mut().arrive(request);
        match arrival {
            Arrival::Wait => {}
            Arrival::Stop(id) => self.service.cancelled(id),
            Arrival::Dropped(id) => end(id, Last::Cancelled),
            Arrival::Start => {
                let desk = Rc::clone(self);
                spawn_local(async move { desk.serve_all().await });
            }
        }
    }

    async fn serve_all(&self) {
        loop {
            let Some(Serving { id, task, stopped }) = self.queue.borrow_mut().take_next() else { return };
            self.serve(id, task, stopped).await;
        }
    }

    async fn serve(&self, id: RequestId, task: S::Task, stopped: Rc<Cell<bool>>) {
        let turn = Turn::new(id, stopped);
        let last = match self.service.serve(task, &turn).await {
            Ok(last) => last,
            Err(Error::Cancelled) => Last::Cancelled,
            Err(error) => Last::Failed { message: error.to_string() },
        };
        end(id, last);
    }
}
