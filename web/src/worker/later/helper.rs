//! The front's helper: fills holes with the model that the front has loaded too, and finds faces.

use std::cell::RefCell;
use std::rc::Rc;

use burn_flex::Flex;

use super::faces::Faces;
use super::fill::fill;
use super::race::Rivals;
use crate::engine::inpaint::Mender;
use crate::error::{Error, Result};
use crate::protocol::{Backend, Fill, HelperTask, Last};
use crate::worker::desk::{self, Service, Turn};
use crate::worker::draw::Batch;
use crate::worker::models::Models;
use crate::worker::scope::report_panics;

/// Starts the worker.
pub fn start() {
    report_panics("it broke down");
    desk::open(Helper {
        models: Models::new(Default::default(), Backend::Cpu, Batch { first: 1, then: 1 }),
        mender: RefCell::default(),
        rivals: Rivals::default(),
        faces: Faces::default(),
    });
}

struct Helper {
    models: Models<Flex>,
    mender: RefCell<Option<Rc<Mender<Flex>>>>,
    rivals: Rivals,
    faces: Faces,
}

impl Service for Helper {
    type Task = HelperTask;

    async fn serve(self: &Rc<Self>, task: HelperTask, turn: &Turn) -> Result<Last> {
        match task {
            HelperTask::Load(load) => {
                self.mender.take();
                let last = self.models.load(load, turn).await?;
                self.mender.replace(Some(Rc::new(Mender::new(self.models.engine()?))));
                Ok(last)
            }
            HelperTask::Fill(Fill::Hole(hole)) => Ok(Last::Answer(fill(&*self.mender()?, hole, turn).await?)),
            HelperTask::Fill(Fill::Race(race)) => {
                Ok(Last::Answer(self.rivals.run(&*self.mender()?, race, turn).await?))
            }
            HelperTask::Faces { base, photo } => Ok(Last::Faces(self.faces.find(&base, photo).await?)),
        }
    }

    fn is_apart(task: &HelperTask) -> bool {
        matches!(task, HelperTask::Faces { .. })
    }
}

impl Helper {
    fn mender(&self) -> Result<Rc<Mender<Flex>>> {
        self.mender.borrow().clone().ok_or_else(|| Error::Request("no model is loaded".to_owned()))
    }
}
