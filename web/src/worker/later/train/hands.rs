//! The workers that take shares of each batch, if that pays: started once there is something to look at, tried, and ended
//! when the run pauses. The run is whole without them; whatever becomes of one costs the step under way, which is taken
//! again alone.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use burn_flex::Flex;
use gloo_timers::callback::Timeout;
use js_sys::{Promise, Reflect};
use serde_bytes::ByteBuf;
use wasm_bindgen::JsValue;

use super::pace::Pace;
use crate::error::{Error, Result};
use crate::protocol::{HAND, HandTask, Last, RequestId};
use crate::training::{Part, Sum, Training};
use crate::worker::desk::Turn;
use crate::worker::learner::Learner;
use crate::worker::remote::Remote;
use crate::worker::scope::{now, scope};

/// The most, however many the processor could take, and the parameters that all their replicas may have together: each takes
/// 10 MB and 50 bytes for each parameter, and all workers that train are to stay below 300 MB.
const MOST: (usize, usize) = (3, 2_500_000);
/// Milliseconds that one may take longer than this worker did for its own share, and how many times longer.
const PATIENCE: (f64, f64) = (5_000.0, 10.0);
/// Tasks whose answer is waited for, and those whose answer is not.
const ASKED: RequestId = 1;
const TOLD: RequestId = 0;

type Hand = Remote<HandTask>;

/// How far they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// Nobody has asked for them.
    #[default]
    Off,
    /// They are on their way.
    Coming,
    /// They take shares, for now.
    Tried,
    /// They pay.
    Used,
    /// They do not, or broke down.
    Over,
}

/// Them, and what is known of their pace.
#[derive(Default)]
pub struct Hands {
    stage: Cell<Stage>,
    hands: RefCell<Vec<Rc<Hand>>>,
    pace: RefCell<Pace>,
}

impl Hands {
    /// A run goes on, alone at first.
    pub fn begin(&self) {
        self.end();
        self.stage.set(Stage::Off);
        self.pace.take();
    }

    /// They may come, unless they did before, to a run of so many parameters.
    pub fn call(&self, params: usize) {
        if self.stage.get() != Stage::Off {
            return;
        }
        let hand = |_| Ok(Rc::new(Remote::start(HAND, Error::Helper)?));
        let hands = (0..count(params)).map(hand).collect::<Result<Vec<_>>>().unwrap_or_default();
        self.stage.set(if hands.is_empty() { Stage::Over } else { Stage::Coming });
        self.hands.replace(hands);
    }

    /// They go, and do not come again before the run goes on.
    pub fn end(&self) {
        self.stage.set(Stage::Over);
        self.hands.take().iter().for_each(|hand| hand.end());
    }

    /// How many workers share each batch, this one included; none if it learns alone.
    pub fn sharing(&self) -> Option<usize> {
        (self.stage.get() == Stage::Used).then(|| self.hands.borrow().len() + 1)
    }

    /// Milliseconds of a step that they share.
    pub fn millis(&self) -> Option<f64> {
        self.sharing().and_then(|_| self.pace.borrow().of_shared())
    }

    /// Takes a step, together where they are there.
    ///
    /// # Errors
    /// [`Error::Cancelled`], and as [`Training::step`].
    pub async fn step(&self, learner: &Learner<Flex>, turn: &Turn) -> Result<()> {
        let clock = now();
        self.welcome(learner).await?;
        if matches!(self.stage.get(), Stage::Tried | Stage::Used) {
            match self.sum(learner).await {
                Ok(sum) => return self.settle(learner, sum, clock).await,
                Err(_) => self.end(),
            }
            // Whoever pauses ends them.
            turn.check()?;
        }
        let clock = now();
        let taken = learner.step().await;
        self.pace.borrow_mut().alone(now() - clock);
        taken
    }

    /// Gives those that came the run, once all are there.
    async fn welcome(&self, learner: &Learner<Flex>) -> Result<()> {
        if self.stage.get() != Stage::Coming {
            return Ok(());
        }
        let hands = self.hands.borrow().clone();
        if hands.iter().any(|hand| hand.check().is_err()) {
            self.end();
        }
        if !(self.pace.borrow().is_known() && hands.iter().all(|hand| hand.is_up())) {
            return Ok(());
        }
        let run = learner.take()?;
        let bytes = run.without_pictures().await;
        learner.put(run);
        let bytes = bytes?;
        self.stage.set(Stage::Tried);
        self.tell(|| HandTask::Take { run: ByteBuf::from(bytes.clone()) });
        Ok(())
    }

    /// Tells all of them something; they go if one cannot be told.
    fn tell(&self, task: impl Fn() -> HandTask) {
        let hands = self.hands.borrow().clone();
        if hands.iter().any(|hand| hand.tell(TOLD, task()).is_err()) {
            self.end();
        }
    }

    /// What all find for the next step.
    ///
    /// # Errors
    /// Why one of them cannot be counted on.
    async fn sum(&self, learner: &Learner<Flex>) -> Result<Sum> {
        let hands = self.hands.borrow().clone();
        let mut run = learner.take()?;
        let (step, parts) = (run.steps(), run.parts(hands.len() + 1));
        let found = share_out(&run, step, parts, &hands).await;
        // While the others are waited for, it is here for whoever asks.
        learner.put(run);
        let (mut sum, asked, own) = found?;
        let waiting = hands.clone();
        let patience = (PATIENCE.0 + PATIENCE.1 * own) as u32;
        let _patience = Timeout::new(patience, move || waiting.iter().for_each(|hand| hand.end()));
        for (hand, asked) in hands.iter().zip(asked) {
            match hand.answer(ASKED, asked).await? {
                Last::File(answer) => sum.add(&answer)?,
                Last::Failed { message } => return Err(Error::Helper(message)),
                _ => return Err(Error::Helper("it found nothing".to_owned())),
            }
        }
        Ok(sum)
    }

    /// Takes the step that all have their share in. `clock` is when it began.
    async fn settle(&self, learner: &Learner<Flex>, sum: Sum, clock: f64) -> Result<()> {
        let run = learner.take()?;
        let (rate, bytes) = (run.rate(), sum.to_bytes());
        self.tell(|| HandTask::Settle { rate, sum: ByteBuf::from(bytes.clone()) });
        let (mut run, taken) = run.take_sum(sum).await;
        let millis = now() - clock;
        run.spend(millis);
        learner.put(run);
        taken?;
        let pays = self.pace.borrow_mut().shared(millis);
        match pays {
            Some(true) => self.stage.set(Stage::Used),
            Some(false) => self.halve(),
            None => {}
        }
        Ok(())
    }

    /// Fewer may be faster, where not every processor that the browser counts is one, or free.
    fn halve(&self) {
        let fewer = self.hands.borrow().len() / 2;
        if fewer == 0 {
            return self.end();
        }
        self.hands.borrow_mut().truncate(fewer);
        self.pace.borrow_mut().forget_shared();
    }
}

/// Sends all but the first part away, and finds that one's share: it, what is waited for, and the milliseconds it took.
async fn share_out(
    run: &Training<Flex>,
    step: u64,
    parts: Vec<Part>,
    hands: &[Rc<Hand>],
) -> Result<(Sum, Vec<Promise>, f64)> {
    let mut parts = parts.into_iter();
    let own = parts.next().ok_or_else(|| Error::Helper("there is nothing to share".to_owned()))?;
    let ask = |(hand, Part { first, pixels }): (&Rc<Hand>, Part)| {
        hand.post(ASKED, HandTask::Share { step, first, pixels: ByteBuf::from(pixels) }, |_| {})
    };
    let asked = hands.iter().zip(parts).map(ask).collect::<Result<Vec<_>>>()?;
    let clock = now();
    let sum = run.own_share(own).await?;
    Ok((sum, asked, now() - clock))
}

/// How many may come: one for each processor but this worker's own, as far as memory allows.
fn count(params: usize) -> usize {
    let get = |object: &JsValue, key: &str| Reflect::get(object, &JsValue::from_str(key)).ok();
    let processors = get(&scope(), "navigator").and_then(|navigator| get(&navigator, "hardwareConcurrency")?.as_f64());
    (processors.unwrap_or(1.0) as usize).saturating_sub(1).min(MOST.0).min(MOST.1 / params.max(1))
}
