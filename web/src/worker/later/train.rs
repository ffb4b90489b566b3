//! A model in training, in a worker of its own, so that nothing else waits for it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use burn_flex::Flex;
use serde_bytes::ByteBuf;

use crate::error::{Error, Result};
use crate::protocol::{Last, Learned, Part, TrainTask};
use crate::training::Training;
use crate::worker::desk::{self, Service, Turn};
use crate::worker::scope::{now, report_panics};
use crate::worker::store;

/// Milliseconds until the first look at what is being learned, and between looks.
const FIRST_LOOK: f64 = 300.0;
const LOOK: f64 = 1000.0;
/// How many times longer it learns than it looks.
const SHARE: f64 = 12.0;
/// Milliseconds after which the browser keeps the run.
const KEEP: f64 = 20_000.0;

/// Starts the worker.
pub fn start() {
    report_panics("Training broke down");
    desk::open(Trainer::default());
}

#[derive(Default)]
struct Trainer {
    run: RefCell<Option<Training<Flex>>>,
    /// Whether the browser keeps the run as it was a moment ago.
    kept: Cell<bool>,
}

impl Service for Trainer {
    type Task = TrainTask;

    async fn serve(self: &Rc<Self>, task: TrainTask, turn: &Turn) -> Result<Last> {
        match task {
            TrainTask::Find => {
                if self.run.borrow().is_none()
                    && let Some(bytes) = store::kept_run().await?
                {
                    self.put(Training::from_bytes(&bytes, Default::default())?);
                    self.kept.set(true);
                }
                self.standing().await
            }
            TrainTask::Begin(plan) => {
                self.put(Training::begin(*plan, Default::default())?);
                self.keep().await;
                self.standing().await
            }
            TrainTask::Learn { rate } => {
                self.set_rate(rate)?;
                let learned = self.learn(turn).await;
                self.keep().await;
                match learned {
                    Ok(()) | Err(Error::Cancelled) => self.standing().await,
                    Err(error) => Err(error),
                }
            }
            TrainTask::Rate { rate } => {
                self.set_rate(rate)?;
                Ok(Last::Done)
            }
            TrainTask::Weights => {
                let run = self.run.borrow();
                Ok(Last::Weights(ByteBuf::from(run.as_ref().ok_or_else(none)?.weights()?)))
            }
            TrainTask::Forget => {
                self.run.take();
                self.kept.set(false);
                store::forget_run().await?;
                Ok(Last::Done)
            }
        }
    }

    fn is_apart(task: &TrainTask) -> bool {
        task.is_apart()
    }
}

impl Trainer {
    /// Learns until the task is cancelled, which is what ends it.
    async fn learn(&self, turn: &Turn) -> Result<()> {
        let (mut clock, mut looked, mut kept) = (now(), now() - LOOK + FIRST_LOOK, now());
        let mut wait = LOOK;
        loop {
            turn.pause().await?;
            let (run, taken) = self.take()?.step();
            self.put(run);
            self.spend(&mut clock);
            taken?;
            if now() - looked > wait {
                let start = now();
                let learned = self.look().await?;
                turn.send(Part::Learned(learned));
                (looked, wait) = (now(), LOOK.max(SHARE * (now() - start)));
            }
            if now() - kept > KEEP {
                self.keep().await;
                kept = now();
            }
        }
    }

    /// Counts the time since the clock was read.
    fn spend(&self, clock: &mut f64) {
        let here = now();
        if let Some(run) = self.run.borrow_mut().as_mut() {
            run.spend(here - *clock);
        }
        *clock = here;
    }

    fn set_rate(&self, rate: f64) -> Result<()> {
        self.run.borrow_mut().as_mut().ok_or_else(none)?.set_rate(rate);
        Ok(())
    }

    async fn look(&self) -> Result<Learned> {
        let mut run = self.take()?;
        let learned = run.look(self.kept.get()).await;
        self.put(run);
        learned
    }

    /// The run as it stands, if there is one.
    async fn standing(&self) -> Result<Last> {
        let Some(mut run) = self.run.take() else { return Ok(Last::Run(None)) };
        let standing = run.run(self.kept.get()).await;
        self.put(run);
        Ok(Last::Run(Some(Box::new(standing?))))
    }

    /// Lets the browser keep the run as it is; it may refuse, which is no reason to stop.
    async fn keep(&self) {
        let bytes = self.run.borrow().as_ref().map(Training::to_bytes);
        let kept = match bytes {
            Some(Ok(bytes)) => store::keep_run(&bytes).await.is_ok(),
            _ => false,
        };
        self.kept.set(kept);
    }

    /// Takes the run out to work on it; whatever else asks for it meanwhile finds none.
    fn take(&self) -> Result<Training<Flex>> {
        self.run.take().ok_or_else(none)
    }

    fn put(&self, run: Training<Flex>) {
        self.run.replace(Some(run));
    }
}

fn none() -> Error {
    Error::Learning("there is no run; start one".to_owned())
}
