//! A model on one backend, and the requests about it.

use std::cell::RefCell;
use std::rc::Rc;

use serde_bytes::ByteBuf;
use shared::{FlowBackend, Temperature};

use super::desk::Turn;
use super::{edit, fetch, now, store};
use crate::engine::{Drawn, Engine};
use crate::error::{Error, Result};
use crate::index::{MAX_INDEX_BYTES, ModelEntry, ModelIndex};
use crate::messages::{Backend, ModelInfo, Picture, RequestKind, ResponseKind};

/// The loaded model of a backend, if there is one.
pub struct Models<B: FlowBackend> {
    engine: RefCell<Option<Rc<Engine<B>>>>,
    device: B::Device,
    backend: Backend,
    /// Pictures at once. A GPU takes as long for one as for many; on a CPU, the fewer the sooner the first is there.
    batch: usize,
}

impl<B: FlowBackend> Models<B> {
    /// Nothing is loaded yet.
    pub fn new(device: B::Device, backend: Backend, batch: usize) -> Self {
        Self { engine: RefCell::default(), device, backend, batch }
    }

    /// Serves a request.
    pub async fn serve(&self, request: RequestKind, turn: &Turn) -> Result<ResponseKind> {
        match request {
            RequestKind::Index { url } => {
                let bytes = fetch::index(&url, MAX_INDEX_BYTES).await?;
                Ok(ResponseKind::Index(ModelIndex::parse(&bytes)?))
            }
            RequestKind::Load { base, model } => self.load(&base, &model, turn).await,
            RequestKind::Open { bytes } => self.start(&bytes, false, now()),
            RequestKind::Sample { seed, indices, temperature } => self.sample(seed, &indices, &temperature, turn).await,
            RequestKind::Edit(kind) => Ok(ResponseKind::Edited(edit::serve(&*self.engine()?, kind, turn).await?)),
            // Whoever keeps the desk has seen to these.
            RequestKind::Cancel { .. } | RequestKind::Use { .. } => Ok(ResponseKind::Done),
        }
    }

    /// The loaded model.
    ///
    /// # Errors
    /// [`Error::Request`] if there is none.
    pub fn engine(&self) -> Result<Rc<Engine<B>>> {
        self.engine.borrow().clone().ok_or_else(|| Error::Request("no model is loaded".to_owned()))
    }

    async fn load(&self, base: &str, model: &ModelEntry, turn: &Turn) -> Result<ResponseKind> {
        let start = now();
        // Room for the new one.
        self.engine.take();
        let mut last = f64::NEG_INFINITY;
        let weights = store::weights(base, model, |loaded, total| {
            turn.check()?;
            if loaded == total || now() - last > 50.0 {
                last = now();
                turn.send(ResponseKind::Progress { loaded, total });
            }
            Ok(())
        })
        .await?;
        self.start(&weights.bytes, weights.cached, start)
    }

    /// Starts an engine on a weights file, whose way here began at `start`. The one before stays if this fails.
    fn start(&self, bytes: &[u8], cached: bool, start: f64) -> Result<ResponseKind> {
        let engine = Engine::from_bytes(bytes, self.device.clone())?;
        let info = ModelInfo {
            config: engine.config().clone(),
            card: engine.card().clone(),
            backend: self.backend,
            cached,
            millis: now() - start,
        };
        self.engine.replace(Some(Rc::new(engine)));
        Ok(ResponseKind::Ready(Box::new(info)))
    }

    async fn sample(&self, seed: u64, indices: &[u32], temperature: &Temperature, turn: &Turn) -> Result<ResponseKind> {
        edit::check_sample(seed, temperature)?;
        if indices.len() > edit::MAX_PICTURES {
            return Err(Error::Request(format!("{} pictures at once", indices.len())));
        }
        let engine = self.engine()?;
        let size = engine.config().size as u32;
        for some in indices.chunks(self.batch) {
            turn.pause().await?;
            let start = now();
            let pictures = engine.samples(seed, some, temperature).await?;
            let millis = (now() - start) / some.len() as f64;
            for (&index, Drawn { rgba, bits }) in some.iter().zip(pictures) {
                turn.send(ResponseKind::Picture(Picture { index, size, rgba: ByteBuf::from(rgba), bits, millis }));
            }
        }
        Ok(ResponseKind::Done)
    }
}
