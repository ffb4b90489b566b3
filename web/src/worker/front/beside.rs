//! Another model beside the loaded one, to compare with.

use std::cell::RefCell;
use std::rc::Rc;

use burn_flex::Flex;

use super::edit;
use crate::engine::Engine;
use crate::error::Result;
use crate::protocol::{Answer, Beside};
use crate::worker::desk::Turn;
use crate::worker::store;

/// The model that was fetched last to compare with, by its digest.
#[derive(Default)]
pub struct Other(RefCell<Option<(String, Rc<Engine<Flex>>)>>);

impl Other {
    /// Serves an edit by that model.
    ///
    /// # Errors
    /// Those of the download and of the edit.
    pub async fn serve(&self, beside: Beside, turn: &Turn) -> Result<Answer> {
        let Beside { base, model, edit } = beside;
        let here =
            self.0.borrow().as_ref().filter(|(digest, _)| *digest == model.sha256).map(|(_, one)| Rc::clone(one));
        let engine = match here {
            Some(engine) => engine,
            None => {
                let weights = store::weights(&base, &model, |_, _| turn.check()).await?;
                let engine = Rc::new(Engine::from_bytes(&weights.bytes, Default::default())?);
                self.0.replace(Some((model.sha256, Rc::clone(&engine))));
                engine
            }
        };
        edit::serve(&*engine, edit, turn).await
    }
}
