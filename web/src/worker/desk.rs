//! Where requests arrive: they are served one after the other, and each hears when it is cancelled.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::MessageEvent;

use super::queue::{Arrival, Queue};
use super::{breathe, now, scope, send};
use crate::error::{Error, Result};
use crate::messages::{PROTOCOL, Request, RequestId, RequestKind, ResponseKind, from_js};

/// Work for this long before looking for messages again, in milliseconds.
const TURN: f64 = 12.0;

/// What serves the requests of a desk.
pub trait Service {
    /// Serves a request; its last answer is what this returns.
    async fn serve(self: &Rc<Self>, request: RequestKind, turn: &Turn) -> Result<ResponseKind>;

    /// Hears that the request being served is of no more use.
    fn cancelled(&self, _request: RequestId) {}
}

/// A request's turn: what its service needs besides the request itself.
pub struct Turn {
    id: RequestId,
    queue: Rc<RefCell<Queue>>,
    since: Cell<f64>,
}

impl Turn {
    /// The request's id.
    pub fn id(&self) -> RequestId {
        self.id
    }

    /// Sends a part of the answer.
    pub fn send(&self, part: ResponseKind) {
        send(self.id, part);
    }

    /// Lets messages in if there was work for long.
    ///
    /// # Errors
    /// [`Error::Cancelled`] if the request was cancelled.
    pub async fn pause(&self) -> Result<()> {
        if now() - self.since.get() > TURN {
            breathe().await?;
            self.since.set(now());
        }
        self.check()
    }

    /// # Errors
    /// [`Error::Cancelled`] if the request was cancelled.
    pub fn check(&self) -> Result<()> {
        if self.queue.borrow().stopped() { Err(Error::Cancelled) } else { Ok(()) }
    }
}

/// Opens the desk and says hello.
pub fn open<S: Service + 'static>(service: S) {
    let desk = Rc::new(Desk { queue: Rc::default(), service: Rc::new(service) });
    let listener = EventListener::new(&scope(), "message", move |event| {
        let Some(event) = event.dyn_ref::<MessageEvent>() else { return };
        match from_js::<Request>(event.data()) {
            Ok(request) => desk.arrive(request),
            Err(error) => send(0, ResponseKind::Failed { message: error.to_string() }),
        }
    });
    listener.forget();
    send(0, ResponseKind::Hello { protocol: PROTOCOL });
}

struct Desk<S> {
    queue: Rc<RefCell<Queue>>,
    service: Rc<S>,
}

impl<S: Service + 'static> Desk<S> {
    fn arrive(self: &Rc<Self>, request: Request) {
        let arrival = self.queue.borrow_mut().arrive(request);
        match arrival {
            Arrival::Wait => {}
            Arrival::Stop(id) => self.service.cancelled(id),
            Arrival::Dropped(id) => send(id, ResponseKind::Cancelled),
            Arrival::Start => {
                let desk = Rc::clone(self);
                spawn_local(async move { desk.serve_all().await });
            }
        }
    }

    async fn serve_all(&self) {
        loop {
            let Some(Request { id, kind }) = self.queue.borrow_mut().take_next() else { return };
            let turn = Turn { id, queue: Rc::clone(&self.queue), since: Cell::new(now()) };
            let answer = match self.service.serve(kind, &turn).await {
                Ok(answer) => answer,
                Err(Error::Cancelled) => ResponseKind::Cancelled,
                Err(error) => ResponseKind::Failed { message: error.to_string() },
            };
            send(id, answer);
        }
    }
}
