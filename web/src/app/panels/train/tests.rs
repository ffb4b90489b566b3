use super::address::TrainSettings;
use super::collection::tests::batch;
use super::state::{Doing, Purpose, Train, TrainEvent, Worker, word};
use super::words::{button, status, used};
use crate::app::effect::{Effect, Ids, Trainer};
use crate::app::gather::Gathered;
use crate::app::panels::{PanelSettings, PanelState};
use crate::protocol::{
    CurvePoint, Image, Last, Learned, ModelSize, Part, Pictures, Plan, Request, RequestId, Run, TrainTask,
};

/// A panel, what is set in it, and the numbers of tasks.
#[derive(Default)]
struct Panel {
    train: Train,
    settings: TrainSettings,
    ids: Ids,
}

impl Panel {
    /// With a worker that has kept nothing, or this run.
    fn up(kept: Option<Run>) -> Self {
        let mut panel = Self::default();
        assert_eq!(panel.train.wake(), Some(Effect::Trainer(Trainer::Start)));
        assert_eq!(panel.train.wake(), None);
        let found = panel.train.rise(&mut panel.ids);
        let (id, TrainTask::Find) = asked(&found) else { panic!("{found:?}") };
        assert_eq!(panel.last(id, Last::Run(kept.map(Box::new))), []);
        panel
    }

    fn change(&mut self, event: TrainEvent) -> Vec<Effect> {
        self.train.change(event, &mut self.settings, &mut self.ids)
    }

    fn last(&mut self, id: RequestId, last: Last) -> Vec<Effect> {
        self.train.hear_last(id, last, &self.settings, &mut self.ids)
    }

    /// Goes from no run to one that learns; its task.
    fn begin(&mut self) -> RequestId {
        let begun = self.change(TrainEvent::Go(7));
        let (id, TrainTask::Begin(_)) = asked(&begun) else { panic!("{begun:?}") };
        let learning = self.last(id, Last::Run(Some(Box::new(run(0)))));
        let (id, TrainTask::Learn { .. }) = asked(&learning) else { panic!("{learning:?}") };
        id
    }

    fn button(&self) -> (&'static str, bool) {
        button(&self.train, &self.settings)
    }

    fn status(&self) -> String {
        status(&self.train, &self.settings)
    }
}

/// The one task that is asked for.
fn asked(effects: &[Effect]) -> (RequestId, TrainTask) {
    match effects {
        [Effect::Trainer(Trainer::Send(Request::Serve { id, task }))] => (*id, task.clone()),
        other => panic!("{other:?}"),
    }
}

fn learned(step: u64) -> Learned {
    let samples = vec![Image { size: 1, rgba: vec![step as u8; 4].into() }; 16];
    let curve = vec![CurvePoint { millis: 0.0, train: None, held_out: 4.5 }];
    Learned { step, images: 16 * step, millis: 100.0 * step as f64, speed: 160.0, curve, samples, kept: true }
}

fn run(step: u64) -> Run {
    Run {
        size: ModelSize::Small,
        own: false,
        pictures: 4000,
        held_out: 96,
        params: 210_000,
        rate: 0.004,
        learned: learned(step),
    }
}

#[test]
fn a_run_begins_learns_pauses_and_goes_on() {
    let mut panel = Panel::up(None);
    assert_eq!((panel.button(), word(&panel.train)), (("Start", true), "ready"));
    let begun = panel.change(TrainEvent::Go(7));
    let plan = Plan { size: ModelSize::Small, pictures: Pictures::Ovals, rate: ModelSize::Small.rate(), seed: 7 };
    let (id, task) = asked(&begun);
    assert_eq!((task, panel.button().1), (TrainTask::Begin(Box::new(plan)), false));
    // Nothing else happens meanwhile.
    assert_eq!((panel.change(TrainEvent::Go(8)), panel.change(TrainEvent::Reset)), (vec![], vec![]));
    let learning = panel.last(id, Last::Run(Some(Box::new(run(0)))));
    // The covariances' samples are there at once.
    assert_eq!((panel.train.samples.len(), panel.button()), (16, ("Pause", true)));
    let (id, task) = asked(&learning);
    assert_eq!(task, TrainTask::Learn { rate: 0.004 });
    panel.train.hear_part(id, Part::Learned(learned(3)));
    assert_eq!((panel.train.samples[0].rgba[0], panel.train.run.as_ref().unwrap().learned.step), (3, 3));
    // What belongs to another task is nobody's.
    panel.train.hear_part(id + 1, Part::Learned(learned(9)));
    assert_eq!(panel.train.samples[0].rgba[0], 3);
    assert_eq!(panel.change(TrainEvent::Pause), [Effect::stop_training(id)]);
    assert_eq!((panel.button(), panel.change(TrainEvent::Pause)), (("Pausing…", false), vec![]));
    assert_eq!(panel.last(id, Last::Run(Some(Box::new(run(4))))), []);
    assert_eq!((panel.button(), word(&panel.train)), (("Go on", true), "paused"));
    let (_, task) = asked(&panel.change(TrainEvent::Go(99)));
    assert_eq!(task, TrainTask::Learn { rate: 0.004 });
}

#[test]
fn a_run_that_was_kept_is_found_and_can_be_deleted() {
    let mut panel = Panel::up(Some(run(340)));
    assert!(panel.train.found && panel.status().contains("kept in this browser"));
    assert_eq!((panel.button(), panel.train.is_worth_asking()), (("Go on", true), true));
    let forgotten = panel.change(TrainEvent::Reset);
    let (id, TrainTask::Forget) = asked(&forgotten) else { panic!("{forgotten:?}") };
    panel.last(id, Last::Done);
    assert_eq!((panel.train.run.is_none(), panel.train.samples.len(), panel.button()), (true, 0, ("Start", true)));
}

#[test]
fn a_run_that_learns_is_stopped_before_it_is_deleted() {
    let mut panel = Panel::up(None);
    let learning = panel.begin();
    let effects = panel.change(TrainEvent::Reset);
    assert_eq!((effects.len(), &effects[0]), (2, &Effect::stop_training(learning)));
    let (id, _) = asked(&effects[1..]);
    // Its own end comes too late to be of interest.
    panel.last(learning, Last::Run(Some(Box::new(run(5)))));
    assert_eq!(panel.train.doing(), Doing::Forgetting);
    panel.last(id, Last::Done);
    assert_eq!((panel.train.run.is_none(), panel.train.doing()), (true, Doing::Nothing));
}

#[test]
fn own_pictures_are_needed_before_a_model_learns_from_them() {
    let mut panel = Panel::up(None);
    panel.change(TrainEvent::Own(true));
    assert_eq!((panel.button(), panel.change(TrainEvent::Go(1))), (("Start", false), vec![]));
    assert!(panel.status().contains("at least 20"));
    for gathered in [Gathered::Begun, batch(0..25), Gathered::Over { left: false }] {
        panel.change(TrainEvent::Gathered(gathered));
    }
    panel.change(TrainEvent::Mirror(false));
    panel.change(TrainEvent::Size(ModelSize::Medium));
    assert_eq!((panel.button(), panel.train.examples(&panel.settings).len()), (("Start", true), 16));
    let (_, task) = asked(&panel.change(TrainEvent::Go(1)));
    let TrainTask::Begin(plan) = task else { panic!("{task:?}") };
    let Pictures::Own { rgb, mirrored } = plan.pictures else { panic!("{:?}", plan.pictures) };
    assert_eq!((rgb.len(), mirrored, plan.size), (25 * 3072, false, ModelSize::Medium));
    panel.change(TrainEvent::Empty);
    assert!(panel.train.collection.is_untouched());
}

#[test]
fn pictures_that_are_brought_are_what_the_next_run_learns_from() {
    let mut panel = Panel::up(None);
    panel.change(TrainEvent::Gathered(Gathered::Begun));
    assert!(panel.settings.own && panel.status().is_empty());
    panel.change(TrainEvent::Own(false));
    panel.begin();
    panel.change(TrainEvent::Gathered(Gathered::Begun));
    assert!(panel.status().contains("start over to learn from them"), "{}", panel.status());
    let (id, _) = asked(&panel.change(TrainEvent::Reset)[1..]);
    panel.last(id, Last::Done);
    assert!(panel.settings.own && panel.status().is_empty(), "{}", panel.status());
}

#[test]
fn the_learning_rate_stays_within_bounds_and_follows_the_slider() {
    let mut panel = Panel::up(None);
    for (rate, set) in [(1.0, 0.05), (0.0, 1e-4), (f64::NAN, 1e-4), (0.01, 0.01)] {
        assert_eq!(panel.change(TrainEvent::Rate(rate)), []);
        assert_eq!(panel.train.rate(&panel.settings), set);
    }
    panel.begin();
    let (_, task) = asked(&panel.change(TrainEvent::Rate(0.002)));
    assert_eq!(task, TrainTask::Rate { rate: 0.002 });
}

#[test]
fn weights_are_for_the_other_panels_or_for_a_file() {
    let mut panel = Panel::up(None);
    assert_eq!((panel.change(TrainEvent::Use), panel.change(TrainEvent::Save)), (vec![], vec![]));
    let learning = panel.begin();
    panel.train.hear_part(learning, Part::Learned(learned(12)));
    let (id, _) = asked(&panel.change(TrainEvent::Use));
    // One after the other.
    assert_eq!((panel.train.is_waiting(), panel.change(TrainEvent::Save)), (true, vec![]));
    assert_eq!(panel.train.hear_weights(id + 1), None);
    assert_eq!(panel.train.hear_weights(id), Some((Purpose::Use, "Yours (ovals)".into())));
    assert_eq!(used(&panel.train, true), "The other panels use it as it is now.");
    panel.train.hear_part(learning, Part::Learned(learned(13)));
    assert!(used(&panel.train, true).contains("after 12 steps") && used(&panel.train, false).is_empty());
    let (id, task) = asked(&panel.change(TrainEvent::Save));
    assert_eq!(task, TrainTask::Weights);
    let name = "rg-flow-ovals-step-13.safetensors".to_owned();
    assert_eq!(panel.train.hear_weights(id), Some((Purpose::Save, name)));
    let (id, _) = asked(&panel.change(TrainEvent::Use));
    panel.last(id, Last::Failed { message: "no memory".into() });
    assert!(panel.status().contains("no memory") && !panel.train.is_waiting());
    // It goes on learning all the while.
    assert_eq!(panel.train.doing(), Doing::Learning);
}

#[test]
fn a_worker_that_breaks_down_is_started_again_with_what_was_kept() {
    let mut panel = Panel::up(None);
    let learning = panel.begin();
    panel.train.hear_part(learning, Part::Learned(learned(50)));
    assert_eq!(panel.train.die("out of memory".into()), [Effect::Trainer(Trainer::End)]);
    assert_eq!((panel.button(), word(&panel.train)), (("Start again from what was kept", true), "gone"));
    assert!(panel.status().contains("out of memory. If this device ran out"));
    assert_eq!((panel.train.wake(), panel.change(TrainEvent::Go(1))), (None, vec![]));
    assert_eq!(panel.change(TrainEvent::Revive), [Effect::Trainer(Trainer::Start)]);
    let (id, _) = asked(&panel.train.rise(&mut panel.ids));
    panel.last(id, Last::Run(Some(Box::new(run(40)))));
    assert_eq!((panel.train.run.as_ref().unwrap().learned.step, panel.button()), (40, ("Go on", true)));
    // Where nothing was kept, that is said.
    panel.train.die("again".into());
    panel.change(TrainEvent::Revive);
    let (id, _) = asked(&panel.train.rise(&mut panel.ids));
    panel.last(id, Last::Run(None));
    assert!(panel.status().contains("Nothing had been kept") && panel.train.run.is_none());
    assert_eq!(panel.button(), ("Start", true));
}

#[test]
fn what_fails_is_said_and_can_be_tried_again() {
    let mut panel = Panel::up(None);
    let (id, _) = asked(&panel.change(TrainEvent::Go(1)));
    panel.last(id, Last::Failed { message: "all pictures are alike".into() });
    assert_eq!(panel.status(), "Learning could not begin: all pictures are alike.");
    assert_eq!(panel.button(), ("Start", true));
    let learning = panel.begin();
    panel.last(learning, Last::Failed { message: "the numbers overflow".into() });
    assert!(panel.status().starts_with("Learning broke off: the numbers overflow. Paused."), "{}", panel.status());
    assert_eq!(panel.button(), ("Go on", true));
}

#[test]
fn another_model_of_the_pages_disturbs_nothing() {
    let mut panel = Panel::up(None);
    panel.begin();
    panel.train.clear();
    assert_eq!((panel.train.stop(), panel.train.doing(), panel.train.samples.len()), (vec![], Doing::Learning, 16));
    assert_eq!(panel.train.worker, Worker::Up);
}

#[test]
fn addresses_say_what_a_new_run_would_be() {
    let spell = |settings: &TrainSettings| {
        let mut pairs = Vec::new();
        settings.write(&mut |key, value| pairs.push(format!("{key}={value}")));
        pairs.join("&")
    };
    assert_eq!(spell(&TrainSettings::default()), "");
    let mut settings = TrainSettings::default();
    settings.read("train", "own").unwrap();
    settings.read("train-size", "large").unwrap();
    assert_eq!(spell(&settings), "train=own&train-size=large");
    assert!(settings.read("train", "faces").is_err() && settings.read("train-size", "huge").is_err());
    settings.read("train", "ovals").unwrap();
    settings.read("train-size", "small").unwrap();
    assert_eq!(settings, TrainSettings::default());
}
