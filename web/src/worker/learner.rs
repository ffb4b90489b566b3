//! A run on one backend, which learns between messages.

use std::cell::{Cell, RefCell};

use shared::FlowBackend;

use super::desk::Turn;
use super::scope::now;
use crate::error::{Error, Result};
use crate::protocol::{Learned, Plan, Run};
use crate::training::Training;

/// Milliseconds until the first look at what is being learned, and between looks: the fewest and the most.
const FIRST_LOOK: f64 = 300.0;
const LOOK: f64 = 1000.0;
const MOST: f64 = 20_000.0;
/// How many times longer it learns than it looks.
const SHARE: f64 = 12.0;

/// A run, if there is one.
///
/// It is taken out while it is worked on, and whatever else asks for it meanwhile finds none. On the CPU nothing can ask
/// meanwhile, and while other workers are waited for it is here; on a GPU, which has to be waited for, one task is served
/// after the other.
pub struct Learner<B: FlowBackend> {
    device: B::Device,
    run: RefCell<Option<Training<B>>>,
    /// Milliseconds of learning until the next look.
    wait: Cell<f64>,
}

impl<B: FlowBackend> Learner<B> {
    /// There is no run yet.
    pub fn new(device: B::Device) -> Self {
        Self { device, run: RefCell::default(), wait: Cell::new(FIRST_LOOK) }
    }

    /// A new run.
    ///
    /// # Errors
    /// As [`Training::begin`].
    pub fn begin(&self, plan: Plan) -> Result<()> {
        self.put(Training::begin(plan, self.device.clone())?);
        Ok(())
    }

    /// A run from bytes.
    ///
    /// # Errors
    /// As [`Training::from_bytes`].
    pub fn take_up(&self, bytes: &[u8]) -> Result<()> {
        self.put(Training::from_bytes(bytes, self.device.clone())?);
        self.look_soon();
        Ok(())
    }

    /// There is no run any more.
    pub fn forget(&self) {
        self.run.take();
    }

    /// Whether there is a run.
    pub fn has_run(&self) -> bool {
        self.run.borrow().is_some()
    }

    /// Something about the run.
    ///
    /// # Errors
    /// [`Error::Learning`] if there is none.
    pub fn of<T>(&self, what: impl FnOnce(&Training<B>) -> T) -> Result<T> {
        self.run.borrow().as_ref().map(what).ok_or_else(none)
    }

    /// Another learning rate from the next step on.
    ///
    /// # Errors
    /// [`Error::Learning`] if there is no run.
    pub fn set_rate(&self, rate: f64) -> Result<()> {
        self.run.borrow_mut().as_mut().ok_or_else(none)?.set_rate(rate);
        Ok(())
    }

    /// The next look is soon.
    pub fn look_soon(&self) {
        self.wait.set(FIRST_LOOK);
    }

    /// Learns until it is time to look, or so many steps.
    ///
    /// # Errors
    /// [`Error::Cancelled`], and as [`Training::step`].
    pub async fn learn(&self, turn: &Turn, steps: Option<u32>) -> Result<()> {
        self.learn_by(turn, steps, || self.step()).await
    }

    /// The same with another way of taking a step.
    ///
    /// # Errors
    /// [`Error::Cancelled`], and those of a step.
    pub async fn learn_by(&self, turn: &Turn, steps: Option<u32>, step: impl AsyncFn() -> Result<()>) -> Result<()> {
        let (start, mut count) = (now(), 0);
        while steps.map_or(now() - start < self.wait.get(), |steps| count < steps) {
            turn.pause().await?;
            step().await?;
            count += 1;
        }
        Ok(())
    }

    /// Takes a step.
    ///
    /// # Errors
    /// As [`Training::step`].
    pub async fn step(&self) -> Result<()> {
        let clock = now();
        let (mut run, taken) = self.take()?.step().await;
        run.spend(now() - clock);
        self.put(run);
        taken
    }

    /// Looks at the run. `kept` is whether the browser keeps it.
    ///
    /// # Errors
    /// As [`Training::look`].
    pub async fn look(&self, kept: bool) -> Result<Learned> {
        Ok(self.standing(kept).await?.learned)
    }

    /// Looks at the run as a whole.
    ///
    /// # Errors
    /// As [`Training::run`].
    pub async fn standing(&self, kept: bool) -> Result<Run> {
        let start = now();
        let mut run = self.take()?;
        let standing = run.run(kept).await;
        self.put(run);
        self.wait.set((SHARE * (now() - start)).clamp(LOOK, MOST));
        standing
    }

    /// The run as bytes.
    ///
    /// # Errors
    /// As [`Training::to_bytes`].
    pub async fn bytes(&self) -> Result<Vec<u8>> {
        let run = self.take()?;
        let bytes = run.to_bytes().await;
        self.put(run);
        bytes
    }

    /// Takes the run out, to be [`put`](Self::put) back.
    ///
    /// # Errors
    /// [`Error::Learning`] if there is none.
    pub fn take(&self) -> Result<Training<B>> {
        self.run.take().ok_or_else(none)
    }

    /// Puts a run in.
    pub fn put(&self, run: Training<B>) {
        self.run.replace(Some(run));
    }
}

fn none() -> Error {
    Error::Learning("there is no run; start one".to_owned())
}
