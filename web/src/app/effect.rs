//! What can follow from an event.

use std::rc::Rc;

use crate::address::Own;
use crate::protocol::{Request, RequestId, Task};

/// What to do, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Start the worker, or start it again.
    StartEngine,
    /// Tell the worker.
    Send(Request<Task>),
    /// Write the settings to the address.
    WriteAddress(String),
    /// The same, so that the reader can go back to what was before.
    PushAddress(String),
    /// Keep these pictures of the reader's, and no others.
    KeepPhotos(Vec<Rc<Own>>),
}

impl Effect {
    /// A task for the worker.
    pub fn serve(id: RequestId, task: impl Into<Task>) -> Self {
        Self::Send(Request::Serve { id, task: task.into() })
    }

    /// The worker need not go on with a task.
    pub fn cancel(id: RequestId) -> Self {
        Self::Send(Request::Cancel { id })
    }
}

/// Numbers for tasks.
#[derive(Clone, Debug, Default)]
pub struct Ids(RequestId);

impl Ids {
    /// A new one, never 0.
    pub fn fresh(&mut self) -> RequestId {
        self.0 += 1;
        self.0
    }
}
