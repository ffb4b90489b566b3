//! What can follow from an event.

use std::rc::Rc;

use serde_bytes::ByteBuf;

use crate::address::Own;
use crate::protocol::{Request, RequestId, Task, TrainTask};

/// What to do, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Start the worker, or start it again.
    StartEngine,
    /// Tell the worker.
    Send(Request<Task>),
    /// The same for the worker that trains.
    Trainer(Trainer),
    /// Hand the reader a file of this name.
    Download(String, ByteBuf),
    /// Write the settings to the address.
    WriteAddress(String),
    /// The same, so that the reader can go back to what was before.
    PushAddress(String),
    /// Keep these pictures of the reader's, and no others.
    KeepPhotos(Vec<Rc<Own>>),
}

/// What to do with the worker that trains.
#[derive(Clone, Debug, PartialEq)]
pub enum Trainer {
    /// Start it, or start it again.
    Start,
    /// Tell it.
    Send(Request<TrainTask>),
    /// End it.
    End,
}

impl Effect {
    /// A task for the worker.
    pub fn serve(id: RequestId, task: impl Into<Task>) -> Self {
        Self::Send(Request::Serve { id, task: task.into() })
    }

    /// A task for the worker that trains.
    pub fn train(id: RequestId, task: TrainTask) -> Self {
        Self::Trainer(Trainer::Send(Request::Serve { id, task }))
    }

    /// The worker that trains need not go on with a task.
    pub fn stop_training(id: RequestId) -> Self {
        Self::Trainer(Trainer::Send(Request::Cancel { id }))
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
