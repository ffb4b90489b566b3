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
    batch: Batch,
}

/// How many pictures are drawn at once.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    /// At first: on a CPU, the fewer the sooner there is something to look at.
    pub first: usize,
    /// Then: together they take less time.
    pub then: usize,
}

impl Batch {
    /// Cuts a list of things to draw into what is drawn at once.
    pub fn cut<'a, T>(&self, all: &'a [T]) -> impl Iterator<Item = &'a [T]> + use<'a, T> {
        let (first, then) = all.split_at(self.first.min(all.len()));
        std::iter::once(first).filter(|some| !some.is_empty()).chain(then.chunks(self.then))
    }
}

impl<B: FlowBackend> Models<B> {
    /// Nothing is loaded yet.
    pub fn new(device: B::Device, backend: Backend, batch: Batch) -> Self {
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
            RequestKind::Edit(kind) => {
                Ok(ResponseKind::Edited(edit::serve(&*self.engine()?, kind, self.batch, turn).await?))
            }
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
        for some in self.batch.cut(indices) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_picture_comes_alone() {
        let batch = Batch { first: 1, then: 4 };
        let cut = |count| batch.cut(&[7; 16][..count]).map(<[_]>::len).collect::<Vec<_>>();
        assert_eq!((cut(0), cut(1), cut(5), cut(10)), (vec![], vec![1], vec![1, 4], vec![1, 4, 4, 1]));
        assert_eq!(Batch { first: 64, then: 64 }.cut(&[0; 16]).count(), 1);
    }
}
