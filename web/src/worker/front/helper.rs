//! The worker that does what most visits do without: started when something of it is wanted, and again if it broke down.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::error::{Error, Result};
use crate::protocol::{Fill, HELPER, HelperTask, Last, Load, RequestId, Snapshot};
use crate::worker::desk::Turn;
use crate::worker::remote::Remote;
use crate::worker::scope::part;

/// The connection to it, if it runs.
#[derive(Default)]
pub struct Helper {
    remote: RefCell<Option<Rc<Remote<HelperTask>>>>,
    /// Whether it has the front's model.
    loaded: Cell<bool>,
}

impl Helper {
    /// Has a hole filled by the front's model, which `loaded` loads.
    ///
    /// # Errors
    /// [`Error::Request`] if there is no model, [`Error::Helper`] if the worker does not come or goes,
    /// [`Error::Cancelled`].
    pub async fn fill(&self, loaded: &RefCell<Option<Load>>, fill: Fill, turn: &Turn) -> Result<Last> {
        let (remote, id) = (self.remote()?, turn.id());
        if !self.loaded.get() {
            let load = loaded.borrow().clone().ok_or_else(|| Error::Request("no model is loaded".to_owned()))?;
            match remote.ask(id, load, |_| {}).await? {
                Last::Ready(_) => self.loaded.set(true),
                other => return Ok(other),
            }
        }
        turn.check()?;
        remote.ask(id, fill, move |some| part(id, some)).await
    }

    /// Has the faces in a photograph found; `base` is the address of the folder with the finder's weights.
    ///
    /// # Errors
    /// [`Error::Helper`] if the worker does not come or goes.
    pub async fn faces(&self, base: String, photo: Snapshot, turn: &Turn) -> Result<Last> {
        self.remote()?.ask(turn.id(), HelperTask::Faces { base, photo }, |_| {}).await
    }

    fn remote(&self) -> Result<Rc<Remote<HelperTask>>> {
        if let Some(remote) = self.remote.borrow().clone().filter(|remote| remote.check().is_ok()) {
            return Ok(remote);
        }
        let remote = Rc::new(Remote::start(HELPER, Error::Helper)?);
        self.loaded.set(false);
        self.remote.replace(Some(Rc::clone(&remote)));
        Ok(remote)
    }

    /// The front has another model.
    pub fn forget(&self) {
        self.loaded.set(false);
    }

    /// A task is no longer wanted.
    pub fn cancel(&self, request: RequestId) {
        if let Some(remote) = &*self.remote.borrow() {
            remote.cancel(request);
        }
    }
}
