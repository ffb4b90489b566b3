//! Another model beside the loaded one, to compare with.

use std::cell::RefCell;
use std::rc::Rc;

use burn_flex::Flex;

use super::edit;
use crate::engine::Engine;
use crate::error::Result;
use crate::index::ModelEntry;
use crate::protocol::{Answer, Beside};
use crate::worker::desk::Turn;
use crate::worker::store;

/// The model that was fetched last to compare with.
#[derive(Default)]
pub struct Other(RefCell<Option<Fetched>>);

/// A model, and what the list says of it.
struct Fetched {
    entry: Box<ModelEntry>,
    engine: Rc<Engine<Flex>>,
}

impl Other {
    /// Serves an edit by that model.
    ///
    /// # Errors
    /// Those of the download and of the edit.
    pub async fn serve(&self, beside: Beside, turn: &Turn) -> Result<Answer> {
        let Beside { base, model, edit } = beside;
        let here = self.0.borrow().as_ref().filter(|one| one.entry == model).map(|one| Rc::clone(&one.engine));
        let engine = match here {
            Some(engine) => engine,
            None => {
                let weights = store::weights(&base, &model, |_, _| turn.check()).await?;
                let engine = Rc::new(Engine::from_file(model.open(&weights.bytes)?, Default::default())?);
                self.0.replace(Some(Fetched { entry: model, engine: Rc::clone(&engine) }));
                engine
            }
        };
        edit::serve(&*engine, edit, turn).await
    }
}
