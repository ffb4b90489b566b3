//! The worker: takes requests, holds the engine, sends answers.

pub mod fetch;
pub mod queue;
mod store;

use std::cell::RefCell;
use std::rc::Rc;

use burn_flex::Flex;
use gloo_events::EventListener;
use js_sys::Promise;
use serde_bytes::ByteBuf;
use shared::Temperature;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{DedicatedWorkerGlobalScope, MessageChannel, MessageEvent, console};

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::fragment::MAX_SEED;
use crate::index::{MAX_INDEX_BYTES, ModelEntry, ModelIndex};
use crate::messages::{
    Backend, BackendChoice, ModelInfo, PROTOCOL, Picture, Request, RequestId, RequestKind, Response, ResponseKind,
    from_js, to_js,
};
use queue::{Arrival, Queue};

/// Work for this long before looking for messages again, in milliseconds.
const TURN: f64 = 12.0;
/// The most pictures in a request.
const MAX_PICTURES: usize = 256;

/// Starts the worker: installs the listener and says hello.
pub fn start() {
    std::panic::set_hook(Box::new(|info| {
        let text = info.to_string();
        console::error_1(&JsValue::from_str(&text));
        send(0, ResponseKind::Failed { message: format!("The engine broke down. {text}") });
    }));
    let worker = Rc::new(Worker { queue: RefCell::default(), engine: RefCell::default() });
    let listener = EventListener::new(&scope(), "message", move |event| {
        let Some(event) = event.dyn_ref::<MessageEvent>() else { return };
        match from_js::<Request>(event.data()) {
            Ok(request) => worker.arrive(request),
            Err(error) => send(0, ResponseKind::Failed { message: error.to_string() }),
        }
    });
    listener.forget();
    send(0, ResponseKind::Hello { protocol: PROTOCOL });
}

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

fn send(id: RequestId, kind: ResponseKind) {
    let sent = to_js(&Response { id, kind }).and_then(|value| Ok(scope().post_message(&value)?));
    if let Err(error) = sent {
        console::error_1(&JsValue::from_str(&format!("an answer could not be sent: {error}")));
    }
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

/// The engine on whichever backend it was loaded for.
#[derive(Clone, Debug)]
enum Loaded {
    Cpu(Engine<Flex>),
}

struct Worker {
    queue: RefCell<Queue>,
    engine: RefCell<Option<Rc<Loaded>>>,
}

impl Worker {
    fn arrive(self: &Rc<Self>, request: Request) {
        let arrival = self.queue.borrow_mut().arrive(request);
        match arrival {
            Arrival::Wait => {}
            Arrival::Dropped(id) => send(id, ResponseKind::Cancelled),
            Arrival::Start => {
                let worker = Rc::clone(self);
                spawn_local(async move { worker.serve_all().await });
            }
        }
    }

    async fn serve_all(&self) {
        loop {
            let Some(Request { id, kind }) = self.queue.borrow_mut().take_next() else { return };
            let answer = match self.serve(id, kind).await {
                Ok(answer) => answer,
                Err(Error::Cancelled) => ResponseKind::Cancelled,
                Err(error) => ResponseKind::Failed { message: error.to_string() },
            };
            send(id, answer);
        }
    }

    async fn serve(&self, id: RequestId, kind: RequestKind) -> Result<ResponseKind> {
        match kind {
            RequestKind::Index { url } => {
                let bytes = fetch::index(&url, MAX_INDEX_BYTES).await?;
                Ok(ResponseKind::Index(ModelIndex::parse(&bytes)?))
            }
            RequestKind::Load { base, model, backend } => self.load(id, &base, &model, backend).await,
            RequestKind::Sample { seed, indices, temperature } => self.sample(id, seed, &indices, &temperature).await,
            // The queue has seen to it.
            RequestKind::Cancel { .. } => Ok(ResponseKind::Done),
        }
    }

    async fn load(
        &self,
        id: RequestId,
        base: &str,
        model: &ModelEntry,
        backend: BackendChoice,
    ) -> Result<ResponseKind> {
        let start = now();
        // Room for the new one.
        self.engine.take();
        let mut last = f64::NEG_INFINITY;
        let weights = store::weights(base, model, |loaded, total| {
            if self.queue.borrow().stopped() {
                return Err(Error::Cancelled);
            }
            if loaded == total || now() - last > 50.0 {
                last = now();
                send(id, ResponseKind::Progress { loaded, total });
            }
            Ok(())
        })
        .await?;
        let engine = match backend {
            BackendChoice::Auto | BackendChoice::Cpu => Engine::from_bytes(&weights.bytes, Default::default())?,
        };
        let info = ModelInfo {
            config: engine.config().clone(),
            card: engine.card().clone(),
            backend: Backend::Cpu,
            cached: weights.cached,
            millis: now() - start,
        };
        self.engine.replace(Some(Rc::new(Loaded::Cpu(engine))));
        Ok(ResponseKind::Ready(Box::new(info)))
    }

    async fn sample(
        &self,
        id: RequestId,
        seed: u64,
        indices: &[u32],
        temperature: &Temperature,
    ) -> Result<ResponseKind> {
        if seed > MAX_SEED || indices.len() > MAX_PICTURES || temperature.levels.iter().any(|t| !t.is_finite()) {
            return Err(Error::Request("a seed, a number of pictures or a temperature out of range".to_owned()));
        }
        let engine = self.engine.borrow().clone();
        let engine = engine.ok_or_else(|| Error::Request("no model is loaded".to_owned()))?;
        let Loaded::Cpu(engine) = &*engine;
        let size = engine.config().size as u32;
        let mut turn = now();
        for &index in indices {
            if now() - turn > TURN {
                breathe().await?;
                turn = now();
            }
            if self.queue.borrow().stopped() {
                return Err(Error::Cancelled);
            }
            let start = now();
            let rgba = ByteBuf::from(engine.sample(seed, u64::from(index), temperature).await?);
            send(id, ResponseKind::Picture(Picture { index, size, rgba, millis: now() - start }));
        }
        Ok(ResponseKind::Done)
    }
}
