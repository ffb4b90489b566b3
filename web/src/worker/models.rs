//! A model on one backend: loading it, and drawing with it.

use std::cell::RefCell;
use std::rc::Rc;

use shared::FlowBackend;
use shared::weights::ModelFile;

use super::desk::Turn;
use super::draw::{self, Batch};
use super::scope::now;
use super::store;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::index::ModelEntry;
use crate::protocol::{Backend, Draw, Last, Load, ModelInfo, Part};

/// The loaded model of a backend, if there is one.
pub struct Models<B: FlowBackend> {
    engine: RefCell<Option<Rc<Engine<B>>>>,
    device: B::Device,
    backend: Backend,
    batch: Batch,
}

impl<B: FlowBackend> Models<B> {
    /// Nothing is loaded yet.
    pub fn new(device: B::Device, backend: Backend, batch: Batch) -> Self {
        Self { engine: RefCell::default(), device, backend, batch }
    }

    /// Gets ready to run a model.
    ///
    /// # Errors
    /// [`Error::Model`] if it is not one, [`Error::Cancelled`], and those of the download.
    pub async fn load(&self, load: Load, turn: &Turn) -> Result<Last> {
        match load {
            Load::Listed { base, model } => self.fetch(&base, &model, turn).await,
            Load::Own { bytes } => self.start(ModelFile::from_bytes(&bytes)?, false, now()),
        }
    }

    /// Draws pictures.
    ///
    /// # Errors
    /// [`Error::Request`] if there is no model, or it cannot draw these; [`Error::Cancelled`].
    pub async fn draw(&self, draw: Draw, turn: &Turn) -> Result<Last> {
        let engine = self.engine()?;
        match draw {
            Draw::Samples { seed, indices, drawing } => {
                draw::samples(&engine, seed, &indices, &drawing, self.batch, turn).await
            }
            Draw::Mix { sources, cells } => draw::mixtures(&engine, &sources, &cells, self.batch, turn).await,
        }
    }

    /// The loaded model.
    ///
    /// # Errors
    /// [`Error::Request`] if there is none.
    pub fn engine(&self) -> Result<Rc<Engine<B>>> {
        self.engine.borrow().clone().ok_or_else(|| Error::Request("no model is loaded".to_owned()))
    }

    async fn fetch(&self, base: &str, model: &ModelEntry, turn: &Turn) -> Result<Last> {
        let start = now();
        // Room for the new one.
        self.engine.take();
        let mut last = f64::NEG_INFINITY;
        let weights = store::weights(base, model, |loaded, total| {
            turn.check()?;
            if loaded == total || now() - last > 50.0 {
                last = now();
                turn.send(Part::Progress { loaded, total });
            }
            Ok(())
        })
        .await?;
        self.start(model.open(&weights.bytes)?, weights.cached, start)
    }

    /// Starts an engine on a model; `start` is when its download began. The engine before stays if this fails.
    fn start(&self, file: ModelFile, cached: bool, start: f64) -> Result<Last> {
        let engine = Engine::from_file(file, self.device.clone())?;
        let info = ModelInfo {
            config: engine.config().clone(),
            card: engine.card().clone(),
            joint: engine.is_joint(),
            backend: self.backend,
            cached,
            millis: now() - start,
        };
        self.engine.replace(Some(Rc::new(engine)));
        Ok(Last::Ready(Box::new(info)))
    }
}
