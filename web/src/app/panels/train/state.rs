//! What the train panel shows, and how it follows from what happened. The worker that trains answers here, and not the
//! page's; no model of the page's is needed.

use std::rc::Rc;

use serde_bytes::ByteBuf;
use shared::RgFlowConfig;

use super::address::TrainSettings;
use super::collection::Collection;
use super::ovals;
use crate::app::effect::{Effect, Ids, Trainer};
use crate::app::gather::Gathered;
use crate::app::panels::live::Live;
use crate::app::panels::{Bench, PanelState};
use crate::protocol::{
    Answer, Backend, Image, LEARNING_RATES, Last, ModelSize, Part, Pictures, Plan, RequestId, Run, TrainTask,
};
use face_finder::Face;

/// What was learned in less time than this, in milliseconds, is thrown away without a question.
const SOON: f64 = 10_000.0;

/// What happened in the panel.
#[derive(Clone, Debug, PartialEq)]
pub enum TrainEvent {
    /// A new run is to learn from the reader's own pictures, or else from ovals.
    Own(bool),
    /// How large its model is to be.
    Size(ModelSize),
    /// The learning rate.
    Rate(f64),
    /// Whether the reader's own pictures may be mirrored.
    Mirror(bool),
    /// Own pictures are being read.
    Gathered(Gathered),
    /// They are read again, aligned by the eyes of the faces in them, or not.
    Align(bool),
    /// None of them is wanted any more.
    Empty,
    /// Start a run with this seed, or go on with the one that is there.
    Go(u64),
    /// Learn no more for now.
    Pause,
    /// Throw the run away.
    Reset,
    /// Let the other panels use it as it is.
    Use,
    /// Hand its weights over as a file.
    Save,
    /// Start the worker again.
    Revive,
}

/// The worker that trains.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Worker {
    /// Nobody has asked for it.
    #[default]
    Off,
    /// It was started.
    Starting,
    /// It takes requests.
    Up,
    /// It broke down, for this reason.
    Gone(String),
}

/// What the worker is at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Doing {
    /// Nothing.
    #[default]
    Nothing,
    /// It looks for a run that was kept.
    Finding,
    /// It begins a new one.
    Beginning,
    /// It learns.
    Learning,
    /// It was asked to pause.
    Pausing,
    /// It deletes the run.
    Forgetting,
}

/// What weights are wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The other panels.
    Use,
    /// A file.
    Save,
}

/// What the panel shows besides its settings.
#[derive(Clone, Debug, Default)]
pub struct Train {
    /// The worker.
    pub worker: Worker,
    /// What it trains on, and why, if there is a reason to tell.
    pub runs_on: (Backend, String),
    doing: Doing,
    /// The task that it is at.
    task: RequestId,
    /// The run, without its samples.
    pub run: Option<Run>,
    /// Its samples.
    pub samples: Vec<Rc<Image>>,
    /// Whether the run was there before the page was.
    pub found: bool,
    /// Some ovals, once the panel was shown.
    ovals: Vec<Rc<Image>>,
    /// The reader's own pictures.
    pub collection: Collection,
    /// The faces in the picture of that number, which is being read.
    pub looked: Option<(u32, Rc<Vec<Face>>)>,
    /// Whether they may not be mirrored.
    pub unmirrored: bool,
    /// Whether pictures came while there was a run already.
    pub early: bool,
    /// The learning rate, if it was set.
    rate: Option<f64>,
    /// Weights that are on their way.
    wanted: Option<(RequestId, Purpose)>,
    /// The step at which the other panels took the run over.
    pub used: Option<u64>,
    /// What went wrong last.
    pub problem: String,
}

impl Train {
    /// Starts the worker, if nobody has.
    pub fn wake(&mut self) -> Option<Effect> {
        (self.worker == Worker::Off).then(|| self.revive())
    }

    fn revive(&mut self) -> Effect {
        if self.ovals.is_empty() {
            self.ovals = ovals::some();
        }
        (self.worker, self.runs_on) = (Worker::Starting, Default::default());
        Effect::Trainer(Trainer::Start)
    }

    /// What the worker is at.
    pub fn doing(&self) -> Doing {
        self.doing
    }

    /// The learning rate.
    pub fn rate(&self, settings: &TrainSettings) -> f64 {
        self.rate.or(self.run.as_ref().map(|run| run.rate)).unwrap_or_else(|| settings.size.rate())
    }

    /// Whether a new run can begin.
    pub fn can_begin(&self, settings: &TrainSettings) -> bool {
        self.worker == Worker::Up && self.doing == Doing::Nothing && (!settings.own || self.collection.is_fit())
    }

    /// Some pictures of those that a new run would learn from.
    pub fn examples(&self, settings: &TrainSettings) -> &[Rc<Image>] {
        self.examples_of(settings.own)
    }

    /// Some of the reader's own pictures, as far as they are here, or some ovals.
    pub fn examples_of(&self, own: bool) -> &[Rc<Image>] {
        if own { &self.collection.shown } else { &self.ovals }
    }

    /// Whether weights are on their way.
    pub fn is_waiting(&self) -> bool {
        self.wanted.is_some()
    }

    /// Whether throwing the run away is worth a question.
    pub fn is_worth_asking(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.learned.millis >= SOON)
    }

    /// The name under which the other panels know the run.
    pub fn name(&self) -> Option<String> {
        let run = self.run.as_ref()?;
        let from = if run.own { format!("{} pictures", run.pictures + run.held_out) } else { "ovals".to_owned() };
        Some(format!("Yours ({from})"))
    }

    /// The name of a file with its weights.
    fn file_name(&self) -> String {
        let run = self.run.as_ref();
        let (from, step) = run.map_or(("", 0), |run| (if run.own { "pictures" } else { "ovals" }, run.learned.step));
        format!("rg-flow-{from}-step-{step}.safetensors")
    }

    /// Takes in what happened in the panel.
    pub fn change(&mut self, event: TrainEvent, settings: &mut TrainSettings, ids: &mut Ids) -> Vec<Effect> {
        match event {
            TrainEvent::Own(own) => settings.own = own,
            TrainEvent::Size(size) => settings.size = size,
            TrainEvent::Rate(rate) if rate.is_finite() => {
                let (lowest, highest) = LEARNING_RATES;
                let rate = rate.clamp(lowest, highest);
                self.rate = Some(rate);
                if self.doing == Doing::Learning {
                    return vec![Effect::train(ids.fresh(), TrainTask::Rate { rate })];
                }
            }
            TrainEvent::Mirror(may) => self.unmirrored = !may,
            TrainEvent::Gathered(gathered) => {
                if gathered == Gathered::Begun {
                    // Whoever brings pictures wants to learn from them, if not now.
                    (settings.own, self.early) = (true, self.run.is_some());
                }
                self.collection.take(gathered);
            }
            TrainEvent::Align(aligned) => self.collection = Collection::empty(Some(aligned)),
            TrainEvent::Empty => self.collection = Collection::default(),
            TrainEvent::Go(seed) => return self.go(seed, settings, ids),
            TrainEvent::Pause if self.doing == Doing::Learning => {
                self.doing = Doing::Pausing;
                return vec![Effect::stop_training(self.task)];
            }
            TrainEvent::Reset if self.run.is_some() => return self.reset(ids),
            TrainEvent::Use | TrainEvent::Save if self.run.is_some() && self.wanted.is_none() => {
                let purpose = if event == TrainEvent::Use { Purpose::Use } else { Purpose::Save };
                let id = ids.fresh();
                self.wanted = Some((id, purpose));
                return vec![Effect::train(id, TrainTask::Weights)];
            }
            TrainEvent::Revive if matches!(self.worker, Worker::Gone(_)) => return vec![self.revive()],
            // What cannot be done now.
            TrainEvent::Rate(_)
            | TrainEvent::Pause
            | TrainEvent::Reset
            | TrainEvent::Use
            | TrainEvent::Save
            | TrainEvent::Revive => {}
        }
        vec![]
    }

    fn go(&mut self, seed: u64, settings: &TrainSettings, ids: &mut Ids) -> Vec<Effect> {
        if self.worker != Worker::Up || self.doing != Doing::Nothing {
            return vec![];
        }
        if self.run.is_some() {
            return self.learn(settings, ids);
        }
        if !self.can_begin(settings) {
            return vec![];
        }
        let pictures = match settings.own {
            true => Pictures::Own { rgb: ByteBuf::from(self.collection.rgb.clone()), mirrored: !self.unmirrored },
            false => Pictures::Ovals,
        };
        let plan = Plan { size: settings.size, pictures, rate: self.rate(settings), seed };
        self.found = false;
        self.ask(Doing::Beginning, TrainTask::Begin(Box::new(plan)), ids)
    }

    fn learn(&mut self, settings: &TrainSettings, ids: &mut Ids) -> Vec<Effect> {
        self.found = false;
        let rate = self.rate(settings);
        self.ask(Doing::Learning, TrainTask::Learn { rate }, ids)
    }

    fn reset(&mut self, ids: &mut Ids) -> Vec<Effect> {
        let stopped = match self.doing {
            Doing::Finding | Doing::Beginning | Doing::Forgetting => return vec![],
            Doing::Learning => Some(Effect::stop_training(self.task)),
            Doing::Nothing | Doing::Pausing => None,
        };
        stopped.into_iter().chain(self.ask(Doing::Forgetting, TrainTask::Forget, ids)).collect()
    }

    fn ask(&mut self, doing: Doing, task: TrainTask, ids: &mut Ids) -> Vec<Effect> {
        (self.doing, self.task) = (doing, ids.fresh());
        self.problem.clear();
        vec![Effect::train(self.task, task)]
    }

    /// The worker takes requests: it may have kept a run.
    pub fn rise(&mut self, ids: &mut Ids) -> Vec<Effect> {
        self.worker = Worker::Up;
        self.ask(Doing::Finding, TrainTask::Find, ids)
    }

    /// The worker can no longer be used.
    pub fn die(&mut self, message: String) -> Vec<Effect> {
        (self.worker, self.doing, self.wanted) = (Worker::Gone(message), Doing::Nothing, None);
        vec![Effect::Trainer(Trainer::End)]
    }

    /// A part of an answer.
    pub fn hear_part(&mut self, id: RequestId, part: Part) {
        if let (Part::Learned(learned), true, Some(run)) = (part, id == self.task, &mut self.run) {
            run.learned = learned;
            self.show();
        }
    }

    /// Takes the samples out of the run, to be shown.
    fn show(&mut self) {
        let samples = self.run.as_mut().map(|run| std::mem::take(&mut run.learned.samples)).unwrap_or_default();
        self.samples = samples.into_iter().map(Rc::new).collect();
    }

    /// What weights were wanted for, if this is the answer.
    pub fn hear_weights(&mut self, id: RequestId) -> Option<(Purpose, String)> {
        let (_, purpose) = self.wanted.take_if(|(wanted, _)| *wanted == id)?;
        Some(match purpose {
            Purpose::Use => {
                self.used = self.run.as_ref().map(|run| run.learned.step);
                (purpose, self.name()?)
            }
            Purpose::Save => (purpose, self.file_name()),
        })
    }

    /// The end of an answer.
    pub fn hear_last(&mut self, id: RequestId, last: Last, settings: &TrainSettings, ids: &mut Ids) -> Vec<Effect> {
        if let (Last::Failed { message }, Some(_)) = (&last, self.wanted.take_if(|(wanted, _)| *wanted == id)) {
            self.problem = format!("The weights could not be had: {message}.");
            return vec![];
        }
        if id != self.task {
            return vec![];
        }
        let doing = std::mem::take(&mut self.doing);
        match last {
            Last::Run(run) => {
                if doing == Doing::Finding && run.is_none() && self.run.is_some() {
                    self.problem = "Nothing had been kept yet, so it begins anew.".to_owned();
                }
                self.run = run.map(|run| *run);
                self.show();
                if doing == Doing::Beginning && self.run.is_some() {
                    return self.learn(settings, ids);
                }
                self.found = doing == Doing::Finding && self.run.is_some();
            }
            Last::Done if doing == Doing::Forgetting => {
                (self.run, self.used, self.found, self.early) = (None, None, false, false);
                self.show();
            }
            Last::Failed { message } => self.problem = format!("{}: {message}.", failing(doing)),
            _ => {}
        }
        vec![]
    }
}

/// What failed.
fn failing(doing: Doing) -> &'static str {
    match doing {
        Doing::Finding => "What this browser keeps could not be read",
        Doing::Beginning => "Learning could not begin",
        Doing::Forgetting => "It could not be deleted",
        Doing::Nothing | Doing::Learning | Doing::Pausing => "Learning broke off",
    }
}

impl PanelState for Train {
    type Settings = TrainSettings;
    type Event = TrainEvent;

    fn update(&mut self, event: TrainEvent, settings: &mut TrainSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        self.change(event, settings, bench.ids)
    }

    fn refresh(&mut self, _: &mut TrainSettings, _: &mut Bench<'_>) -> Vec<Effect> {
        vec![]
    }

    fn lives(&mut self) -> Vec<&mut Live> {
        vec![]
    }

    fn take(&mut self, _: RequestId, _: Answer, _: &TrainSettings, _: &RgFlowConfig) {}

    /// The page's model is another one: the run is what it was.
    fn clear(&mut self) {}
}

/// How it stands, in one word for styles and tests.
pub fn word(train: &Train) -> &'static str {
    match (&train.worker, train.doing) {
        (Worker::Off, _) => "",
        (Worker::Gone(_), _) => "gone",
        (Worker::Starting, _) | (_, Doing::Finding | Doing::Beginning | Doing::Forgetting) => "busy",
        (_, Doing::Learning) => "learning",
        (_, Doing::Pausing) => "pausing",
        (_, Doing::Nothing) if train.run.is_some() => "paused",
        (_, Doing::Nothing) => "ready",
    }
}
