//! A model in training, in a worker of its own, so that nothing else waits for it: on the CPU at once, on WebGPU when that
//! has proved to be right and faster.

mod hand;
mod hands;
mod loan;
mod pace;
mod trial;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use burn_flex::Flex;
use serde_bytes::ByteBuf;
use wasm_bindgen_futures::spawn_local;

pub use self::hand::start as start_hand;
use self::hands::Hands;
use self::loan::{Lender, Loan};
use self::trial::{End, Start};
use crate::error::{Error, Result};
use crate::protocol::{Backend, Last, Learned, LoanTask, Part, RequestId, TrainTask, Worker};
use crate::training::{Training, parameters};
use crate::worker::adapter;
use crate::worker::desk::{self, Service, Turn};
use crate::worker::learner::Learner;
use crate::worker::remote::expect;
use crate::worker::scope::{now, report_panics, tell};
use crate::worker::store;

/// Milliseconds after which the browser keeps the run.
const KEEP: f64 = 20_000.0;

/// Starts the worker.
pub fn start() {
    report_panics("Training broke down");
    desk::open(Trainer {
        here: Learner::new(Default::default()),
        hands: Hands::default(),
        loan: Loan::default(),
        runs_on: RefCell::default(),
        kept: Cell::default(),
    });
}

struct Trainer {
    /// The run; while it is lent, as it was when the browser kept it last.
    here: Learner<Flex>,
    hands: Hands,
    loan: Loan,
    /// What the page knows that it runs on, and why.
    runs_on: RefCell<(Backend, String)>,
    /// Whether the browser keeps the run as it was a moment ago.
    kept: Cell<bool>,
}

impl Service for Trainer {
    type Task = TrainTask;

    async fn serve(self: &Rc<Self>, task: TrainTask, turn: &Turn) -> Result<Last> {
        match task {
            TrainTask::Use { backend } => {
                self.loan.choose(backend);
                self.say(Backend::Cpu, String::new());
                Ok(Last::Done)
            }
            TrainTask::Find => {
                if !self.here.has_run()
                    && let Some(bytes) = store::kept_run().await?
                {
                    self.here.take_up(&bytes)?;
                    self.kept.set(true);
                }
                self.standing().await
            }
            TrainTask::Begin(plan) => {
                self.loan.forget();
                self.here.begin(*plan)?;
                self.keep().await;
                self.standing().await
            }
            TrainTask::Learn { rate } => {
                self.here.set_rate(rate)?;
                let learned = self.learn(turn).await;
                self.keep().await;
                match learned {
                    Ok(()) | Err(Error::Cancelled) => self.standing().await,
                    Err(error) => Err(error),
                }
            }
            TrainTask::Rate { rate } => {
                self.here.set_rate(rate)?;
                Ok(Last::Done)
            }
            TrainTask::Weights => Ok(Last::File(ByteBuf::from(self.weights(turn.id()).await?))),
            TrainTask::Forget => {
                self.loan.forget();
                self.here.forget();
                self.kept.set(false);
                store::forget_run().await?;
                Ok(Last::Done)
            }
        }
    }

    fn is_apart(task: &TrainTask) -> bool {
        task.is_apart()
    }

    fn cancelled(&self, request: RequestId) {
        self.loan.cancel(request);
        // Whoever waits for them waits in vain.
        self.hands.end();
    }
}

impl Trainer {
    /// Learns until the task is cancelled, which is what ends it.
    async fn learn(self: &Rc<Self>, turn: &Turn) -> Result<()> {
        self.here.look_soon();
        loop {
            match self.loan.proved() {
                Some(gpu) => self.learn_there(&gpu, turn).await?,
                None => {
                    self.hands.begin();
                    let learned = self.learn_here(turn).await;
                    self.hands.end();
                    learned?;
                }
            }
        }
    }

    /// Learns on the CPU until the GPU has proved itself.
    async fn learn_here(self: &Rc<Self>, turn: &Turn) -> Result<()> {
        let mut kept = now();
        self.say_again();
        while self.loan.proved().is_none() {
            let learned = self.here.learn_by(turn, None, || self.step(turn)).await;
            if let Err(Error::Learning(_)) = learned {
                // Where the GPU broke off as well, that was not its fault.
                self.loan.forget();
            }
            learned?;
            turn.send(Part::Learned(self.here.look(self.kept.get()).await?));
            // Now that there is something to look at.
            self.try_gpu();
            self.hands.call(self.here.of(Training::params)?);
            if now() - kept > KEEP {
                self.keep().await;
                kept = now();
            }
        }
        Ok(())
    }

    /// Takes a step on the CPU, with others where that pays.
    async fn step(&self, turn: &Turn) -> Result<()> {
        let before = self.hands.sharing();
        self.hands.step(&self.here, turn).await?;
        if self.hands.sharing() != before {
            self.say_again();
        }
        Ok(())
    }

    /// Learns on the GPU until that is no longer wanted. If it fails, the run is here as it was when the browser kept it last.
    async fn learn_there(&self, gpu: &Lender, turn: &Turn) -> Result<()> {
        let learned = self.lend(gpu, turn).await;
        self.loan.lend(false);
        match learned {
            Err(Error::Cancelled) => Err(Error::Cancelled),
            Err(error) => {
                let step = self.here.of(Training::steps)?;
                self.give_up(error, &format!(" The CPU went on from step {step}."));
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Lends the run for as long as the task goes on.
    async fn lend(&self, gpu: &Lender, turn: &Turn) -> Result<()> {
        let (id, mut kept) = (turn.id(), now());
        let run = ByteBuf::from(self.here.bytes().await?);
        expect(gpu.ask(id, LoanTask::Take { run }, |_| {}).await?)?;
        self.loan.lend(true);
        while turn.check().is_ok() && self.loan.proved().is_some() {
            let rate = self.here.of(Training::rate)?;
            match gpu.ask(id, LoanTask::Learn { rate, steps: None }, |_| {}).await? {
                Last::Run(Some(run)) => turn.send(Part::Learned(Learned { kept: self.kept.get(), ..run.learned })),
                Last::Failed { message } => {
                    // As it was before the step that failed, which the CPU takes again.
                    self.take_back(gpu, id).await?;
                    return Err(Error::Gpu(message));
                }
                _ => {}
            }
            if now() - kept > KEEP {
                self.take_back(gpu, id).await?;
                self.keep().await;
                kept = now();
            }
        }
        self.take_back(gpu, id).await?;
        turn.check()
    }

    /// Has the run as it is on the GPU.
    async fn take_back(&self, gpu: &Lender, id: RequestId) -> Result<()> {
        let run = given(gpu, id).await?;
        // It may have been changed meanwhile.
        let rate = self.here.of(Training::rate)?;
        self.here.take_up(&run)?;
        self.here.set_rate(rate)
    }

    /// Starts a trial of the GPU if one is due. Meanwhile the CPU goes on.
    fn try_gpu(self: &Rc<Self>) {
        let Some(trial) = self.loan.due() else { return };
        let trainer = Rc::clone(self);
        spawn_local(async move {
            let found = trainer.trial(trial).await;
            if !trainer.loan.is_newest(trial) {
                return;
            }
            match found {
                Ok(note) => {
                    trainer.loan.prove();
                    trainer.say(Backend::Gpu, note);
                }
                Err(error) => trainer.give_up(error, ""),
            }
        });
    }

    async fn trial(&self, trial: RequestId) -> Result<String> {
        // The page's own ids start from the other end.
        let (choice, id) = (self.loan.choice(), RequestId::MAX - trial);
        adapter::find(choice).await?;
        if !self.loan.is_newest(trial) {
            return Err(Error::Cancelled);
        }
        self.say(Backend::Cpu, "Trying WebGPU…".to_owned());
        let gpu = self.loan.start()?;
        gpu.hello(id).await?;
        let (run, rate) = (self.here.bytes().await?, self.here.of(Training::rate)?);
        let start = Start { parameters: parameters(&run)?, millis: self.here.of(Training::spent)? };
        // The first step is for compiling.
        steps_there(&gpu, id, &run, rate, 1).await?;
        let there = steps_there(&gpu, id, &run, rate, trial::STEPS).await?;
        trial::judge(&start, &steps_here(id, &run).await?, &there, self.hands.millis(), choice)
    }

    fn give_up(&self, error: Error, then: &str) {
        self.loan.fail();
        let error = match error {
            Error::Gpu(_) => error,
            other => Error::Gpu(other.to_string()),
        };
        self.say(Backend::Cpu, format!("{error}.{then}"));
    }

    /// The page hears what it runs on from now on, and why.
    fn say(&self, backend: Backend, note: String) {
        self.runs_on.replace((backend, note));
        self.say_again();
    }

    /// The same, with as many workers as there are now.
    fn say_again(&self) {
        let (backend, mut note) = self.runs_on.borrow().clone();
        if let (Backend::Cpu, Some(count)) = (backend, self.hands.sharing()) {
            note = format!("{note} {count} workers share each batch.").trim_start().to_owned();
        }
        tell(Worker::RunsOn { backend, note });
    }

    /// The run as it stands, if there is one.
    async fn standing(&self) -> Result<Last> {
        if !self.here.has_run() {
            return Ok(Last::Run(None));
        }
        Ok(Last::Run(Some(Box::new(self.here.standing(self.kept.get()).await?))))
    }

    /// The weights as they are now, wherever that is.
    async fn weights(&self, id: RequestId) -> Result<Vec<u8>> {
        if let Some(gpu) = self.loan.holder()
            && let Ok(run) = given(&gpu, id).await
        {
            return Training::<Flex>::from_bytes(&run, Default::default())?.weights();
        }
        self.here.of(Training::weights)?
    }

    /// Lets the browser keep the run as it is here; it may refuse, which is no reason to stop.
    async fn keep(&self) {
        let kept = match self.here.bytes().await {
            Ok(bytes) => store::keep_run(&bytes).await.is_ok(),
            Err(_) => false,
        };
        self.kept.set(kept);
    }
}

/// The run that the GPU has.
async fn given(gpu: &Lender, id: RequestId) -> Result<ByteBuf> {
    match gpu.ask(id, LoanTask::Give, |_| {}).await? {
        Last::File(run) => Ok(run),
        Last::Failed { message } => Err(Error::Gpu(message)),
        _ => Err(Error::Gpu("it did not give the run back".to_owned())),
    }
}

async fn steps_there(gpu: &Lender, id: RequestId, run: &[u8], rate: f64, steps: u32) -> Result<End> {
    expect(gpu.ask(id, LoanTask::Take { run: ByteBuf::from(run) }, |_| {}).await?)?;
    let learned = match gpu.ask(id, LoanTask::Learn { rate, steps: Some(steps) }, |_| {}).await? {
        Last::Run(Some(run)) => run.learned,
        Last::Failed { message } => return Err(Error::Gpu(message)),
        _ => return Err(Error::Gpu("it did not learn".to_owned())),
    };
    End::new(learned, &given(gpu, id).await?)
}

/// The same steps on a copy of the run.
async fn steps_here(id: RequestId, run: &[u8]) -> Result<End> {
    let copy = Learner::<Flex>::new(Default::default());
    copy.take_up(run)?;
    copy.learn(&Turn::new(id, Rc::default()), Some(trial::STEPS)).await?;
    End::new(copy.look(false).await?, &copy.bytes().await?)
}
