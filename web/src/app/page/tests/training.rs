//! The worker that trains, beside the page's own.

use super::*;
use crate::app::effect::Trainer;
use crate::app::gather::Gathered;
use crate::app::panels::train::state::TrainEvent;
use crate::protocol::{Learned, ModelSize, Run, Snapshot, TrainTask};
use face_finder::Face;

fn run() -> Last {
    let learned =
        Learned { step: 9, images: 144, millis: 500.0, speed: 200.0, curve: vec![], samples: vec![], kept: true };
    let (size, own, pictures, held_out) = (ModelSize::Small, false, 4000, 96);
    Last::Run(Some(Box::new(Run { size, own, pictures, held_out, params: 1, rate: 0.005, learned })))
}

fn trainer_says(state: &mut State, response: Response) -> Vec<Effect> {
    state.update(Event::Trainer(response))
}

/// The task that the worker is sent.
fn asked(effects: &[Effect]) -> (RequestId, TrainTask) {
    let sent = effects.iter().find_map(|effect| match effect {
        Effect::Trainer(Trainer::Send(Request::Serve { id, task })) => Some((*id, task.clone())),
        _ => None,
    });
    sent.unwrap_or_else(|| panic!("nothing is asked in {effects:?}"))
}

/// A page whose worker that trains has kept a run.
fn with_run(state: &mut State) {
    let hello = Response::Worker(Worker::Hello { protocol: PROTOCOL });
    let (id, task) = asked(&trainer_says(state, hello));
    assert_eq!(task, TrainTask::Find);
    trainer_says(state, run().by(id));
}

#[test]
fn the_worker_starts_when_its_panel_is_shown() {
    let (mut state, _) = loaded("");
    let start = Effect::Trainer(Trainer::Start);
    assert!(!state.update(Event::Show(Panel::Mix)).contains(&start));
    assert!(state.update(Event::Show(Panel::Train)).contains(&start));
    state.update(Event::Show(Panel::Sample));
    assert!(!state.update(Event::Show(Panel::Train)).contains(&start));
    // An address that asks for the panel does not wait for the page's model.
    let mut state = State::new("#panel=train", BackendChoice::Auto, "http://x/models/index.json".into());
    assert!(state.update(Event::Retry).contains(&start));
}

#[test]
fn it_needs_no_model_and_no_engine_of_the_pages() {
    let mut state = State::new("#panel=train", BackendChoice::Auto, "http://x/models/index.json".into());
    state.update(Event::Retry);
    let hello = Response::Worker(Worker::Hello { protocol: PROTOCOL });
    let (id, _) = asked(&trainer_says(&mut state, hello));
    trainer_says(&mut state, Last::Run(None).by(id));
    state.update(Event::EngineDied("gone".into()));
    let (_, task) = asked(&state.update(PanelEvent::Train(TrainEvent::Go(3))));
    assert!(matches!(task, TrainTask::Begin(_)));
    // What is chosen is in the address.
    let effects = state.update(PanelEvent::Train(TrainEvent::Size(ModelSize::Large)));
    assert!(matches!(&effects[..], [Effect::WriteAddress(address)] if address.contains("train-size=large")));
}

#[test]
fn its_weights_become_the_pages_model_and_newer_ones_keep_what_is_set() {
    let (mut state, _) = loaded_at("#panel=train&t=0.5");
    with_run(&mut state);
    let take = |state: &mut State| {
        let (id, task) = asked(&state.update(PanelEvent::Train(TrainEvent::Use)));
        assert_eq!(task, TrainTask::Weights);
        let opened = requests(trainer_says(state, Last::File(ByteBuf::from([1, 2])).by(id)));
        assert_eq!(opened[0].task, Load::Own { bytes: ByteBuf::from([1, 2]) }.into());
        says(state, opened[0].id, ready());
    };
    take(&mut state);
    assert!(state.has_own_weights());
    assert_eq!(state.entry.as_ref().map(|entry| entry.title.as_str()), Some("Yours (ovals)"));
    assert_eq!(state.settings.temperature, None);
    state.update(Event::Uniform(0.3));
    take(&mut state);
    assert_eq!(state.settings.temperature, Some(Temperature::uniform(0.3)));
}

#[test]
fn its_end_is_not_the_pages() {
    let (mut state, _) = loaded_at("#panel=train");
    with_run(&mut state);
    let end = [Effect::Trainer(Trainer::End)];
    assert_eq!(state.update(Event::TrainerDied("gone".into())), end);
    assert!(state.info.is_some() && state.phase == Phase::Ready);
    for said in [Worker::Failed { message: "x".into() }, Worker::Hello { protocol: PROTOCOL + 1 }] {
        state.update(PanelEvent::Train(TrainEvent::Revive));
        assert_eq!(trainer_says(&mut state, Response::Worker(said)), end);
    }
}

#[test]
fn it_is_told_what_to_train_on_and_says_what_it_trains_on() {
    let told = |effects: &[Effect]| {
        let uses = effects.iter().filter_map(|effect| match effect {
            Effect::Trainer(Trainer::Send(Request::Serve { task: TrainTask::Use { backend }, .. })) => Some(*backend),
            _ => None,
        });
        uses.collect::<Vec<_>>()
    };
    let (mut state, _) = loaded_at("#panel=train");
    // A choice that was made before it was there.
    assert_eq!(told(&state.update(Event::Backend(BackendChoice::Cpu))), []);
    let hello = Response::Worker(Worker::Hello { protocol: PROTOCOL });
    assert_eq!(told(&trainer_says(&mut state, hello)), [BackendChoice::Cpu]);
    assert_eq!(told(&state.update(Event::Backend(BackendChoice::Gpu))), [BackendChoice::Gpu]);
    let on = |backend, note: &str| Response::Worker(Worker::RunsOn { backend, note: note.into() });
    trainer_says(&mut state, on(Backend::Gpu, "faster"));
    assert_eq!(state.panels.train.runs_on, (Backend::Gpu, "faster".into()));
    // It is the page's own engine that has the line above all panels.
    assert_eq!(state.info.as_ref().map(|info| info.backend), Some(Backend::Cpu));
    state.update(Event::TrainerDied("gone".into()));
    state.update(PanelEvent::Train(TrainEvent::Revive));
    assert_eq!(state.panels.train.runs_on, (Backend::Cpu, String::new()));
}

#[test]
fn an_address_of_own_weights_leads_to_the_run_that_was_kept() {
    let (mut state, _) = loaded("#weights=own&seed=2&t=0.3");
    assert!(state.notices[0].contains("no link holds"));
    with_run(&mut state);
    assert!(state.notices[0].contains("Open Train"), "{:?}", state.notices);
    // Where none was kept, the notice stays.
    let (mut state, _) = loaded("#weights=own&seed=2&t=0.3");
    let hello = Response::Worker(Worker::Hello { protocol: PROTOCOL });
    let (id, _) = asked(&trainer_says(&mut state, hello));
    trainer_says(&mut state, Last::Run(None).by(id));
    assert!(state.notices[0].contains("Drop the same weights"), "{:?}", state.notices);
}

#[test]
fn faces_in_pictures_to_learn_from_are_found_by_the_pages_engine() {
    let (mut state, _) = loaded_at("#panel=train");
    let face = Face { eyes: [(1.0, 2.0), (3.0, 2.0)], frame: [0.0, 0.0, 4.0, 4.0] };
    let photo = Snapshot { width: 1, height: 1, rgb: vec![1, 2, 3].into() };
    let look = |state: &mut State, number| {
        let look = Gathered::Look { number, photo: photo.clone() };
        requests(state.update(PanelEvent::Train(TrainEvent::Gathered(look))))
    };
    let looked = |state: &State| state.panels.train.looked.as_ref().map(|(number, faces)| (*number, faces.len()));
    let asked = look(&mut state, 1).remove(0);
    assert!(matches!(&asked.task, Task::Faces { base, .. } if base == "http://x/faces/"));
    says(&mut state, asked.id, Last::Faces(vec![face]));
    // The picker looks for faces too, and hears of its own alone.
    assert_eq!((looked(&state), state.photos.looked.is_none()), (Some((1, 1)), true));
    let asked = look(&mut state, 2).remove(0);
    says(&mut state, asked.id, failed("no finder"));
    assert_eq!((looked(&state), state.notices.len()), (Some((2, 0)), 0));
    // Nobody waits for an engine that is gone.
    look(&mut state, 3);
    state.update(Event::EngineDied("gone".into()));
    assert_eq!(looked(&state), Some((3, 0)));
    assert_eq!((look(&mut state, 4).len(), looked(&state)), (0, Some((4, 0))));
}
