//! The worker to which a run is lent while WebGPU is faster: how far it has proved itself, and the connection to it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::error::{Error, Result};
use crate::protocol::{BackendChoice, GPU_TRAINER, LoanTask, RequestId};
use crate::worker::remote::Remote;

/// The connection to it.
pub type Lender = Remote<LoanTask>;

/// How far WebGPU is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Gpu {
    #[default]
    Untried,
    Tried,
    Proved,
}

/// The state of the loan.
#[derive(Default)]
pub struct Loan {
    choice: Cell<BackendChoice>,
    gpu: Cell<Gpu>,
    /// Trials so far; what an older one finds is of no interest.
    trials: Cell<RequestId>,
    remote: RefCell<Option<Rc<Lender>>>,
    /// Whether the run is lent.
    out: Cell<bool>,
}

impl Loan {
    /// Another choice of the reader's: what WebGPU has proved, or failed to, no longer counts.
    pub fn choose(&self, choice: BackendChoice) {
        self.choice.set(choice);
        self.forget();
    }

    /// The reader's choice.
    pub fn choice(&self) -> BackendChoice {
        self.choice.get()
    }

    /// What WebGPU has proved, or failed to, no longer counts: another run needs another trial.
    pub fn forget(&self) {
        self.gpu.set(Gpu::Untried);
        self.trials.set(self.trials.get().wrapping_add(1));
        // A run that is lent comes back first.
        if !self.out.get() {
            self.end();
        }
    }

    /// WebGPU is not to be used.
    pub fn fail(&self) {
        self.gpu.set(Gpu::Tried);
        self.end();
    }

    /// The number of the trial that is due, if one is.
    pub fn due(&self) -> Option<RequestId> {
        if self.choice.get() == BackendChoice::Cpu || self.gpu.get() != Gpu::Untried {
            return None;
        }
        self.gpu.set(Gpu::Tried);
        Some(self.trials.get())
    }

    /// Whether what this trial finds is of interest.
    pub fn is_newest(&self, trial: RequestId) -> bool {
        self.trials.get() == trial
    }

    /// WebGPU has proved itself.
    pub fn prove(&self) {
        self.gpu.set(Gpu::Proved);
    }

    /// The worker, if it has proved itself.
    pub fn proved(&self) -> Option<Rc<Lender>> {
        self.remote.borrow().clone().filter(|_| self.gpu.get() == Gpu::Proved)
    }

    /// The worker, if it has the run.
    pub fn holder(&self) -> Option<Rc<Lender>> {
        self.remote.borrow().clone().filter(|_| self.out.get())
    }

    /// Starts the worker.
    ///
    /// # Errors
    /// [`Error::Browser`] if the browser starts none.
    pub fn start(&self) -> Result<Rc<Lender>> {
        let remote = Rc::new(Remote::start(GPU_TRAINER, Error::Gpu)?);
        self.remote.replace(Some(Rc::clone(&remote)));
        Ok(remote)
    }

    /// The run is lent, or was given back.
    pub fn lend(&self, out: bool) {
        self.out.set(out);
        if !out && self.gpu.get() == Gpu::Untried {
            self.end();
        }
    }

    /// A task is no longer wanted.
    pub fn cancel(&self, request: RequestId) {
        if let Some(remote) = self.holder() {
            remote.cancel(request);
        }
    }

    fn end(&self) {
        if let Some(remote) = self.remote.take() {
            remote.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_run_and_each_choice_has_one_trial() {
        let loan = Loan::default();
        let first = loan.due().unwrap();
        assert!(loan.due().is_none() && loan.is_newest(first));
        loan.forget();
        assert!(!loan.is_newest(first) && loan.due().is_some_and(|trial| trial != first));
        loan.fail();
        assert_eq!(loan.due(), None);
        loan.choose(BackendChoice::Cpu);
        assert_eq!(loan.due(), None);
        loan.choose(BackendChoice::Gpu);
        assert!(loan.due().is_some());
        // What proves itself needs a worker.
        loan.prove();
        assert!(loan.proved().is_none() && loan.holder().is_none());
    }
}
