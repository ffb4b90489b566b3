//! A worker that takes shares of the batches that another one learns from.

use std::cell::RefCell;
use std::rc::Rc;

use serde_bytes::ByteBuf;

use crate::error::{Error, Result};
use crate::protocol::{HandTask, Last};
use crate::training::{Part, Replica};
use crate::worker::desk::{self, Service, Turn};
use crate::worker::scope::report_panics;

/// Starts the worker.
pub fn start() {
    report_panics("It broke down");
    desk::open(Hand::default());
}

/// The run as it is here, unless it failed: then every share does too.
#[derive(Default)]
struct Hand {
    run: RefCell<Option<Replica>>,
}

impl Service for Hand {
    type Task = HandTask;

    async fn serve(self: &Rc<Self>, task: HandTask, _: &Turn) -> Result<Last> {
        match task {
            HandTask::Take { run } => {
                self.run.replace(Some(Replica::from_bytes(&run)?));
                Ok(Last::Done)
            }
            HandTask::Share { step, first, pixels } => {
                let mut run = self.take()?;
                let found = run.share(step, Part { first, pixels: pixels.into_vec() }).await?;
                self.run.replace(Some(run));
                Ok(Last::File(ByteBuf::from(found)))
            }
            HandTask::Settle { rate, sum } => {
                let run = self.take()?.settle(rate, &sum).await?;
                self.run.replace(Some(run));
                Ok(Last::Done)
            }
        }
    }
}

impl Hand {
    fn take(&self) -> Result<Replica> {
        self.run.take().ok_or_else(|| Error::Learning("there is no run here".to_owned()))
    }
}
