mod any;
mod links;
mod panels;
mod photos;
mod preview;
mod training;

use super::state::{Phase, State};
use crate::address::{GOOD_SEED, Own, Pick};
use crate::app::effect::Effect;
use crate::app::event::Event;
use crate::app::panel::Panel;
use crate::app::panels::PanelState;
use crate::app::panels::explore::state::ExploreEvent;
use crate::app::panels::list::PanelEvent;
use crate::app::panels::mix::state::{Mix, MixEvent};
use crate::app::panels::sample::state::{GRID, SampleEvent};
use crate::index::{ModelEntry, ModelIndex};
use crate::protocol::{
    Answer, Backend, BackendChoice, Draw, Drawing, Edit, Fill, Grown, Image, Last, Load, ModelInfo, PROTOCOL, Part,
    Picture, Request, RequestId, Response, Source, Task, Worker,
};
use serde_bytes::ByteBuf;
use shared::sampler::Latents;
use shared::weights::Card;
use shared::{RgFlowConfig, Temperature};

fn model(id: &str) -> ModelEntry {
    ModelEntry {
        id: id.into(),
        title: id.into(),
        file: format!("{id}.safetensors"),
        bytes: 10,
        sha256: "0".repeat(64),
        earlier: vec!["fedcba98".into()],
        ..ModelEntry::default()
    }
}

fn models() -> Last {
    Last::Index(ModelIndex { format: 1, models: vec![model("a"), model("b")] })
}

/// What the worker can say.
trait Said {
    fn by(self, id: RequestId) -> Response;
}

impl Said for Part {
    fn by(self, id: RequestId) -> Response {
        Response::Part { id, part: self }
    }
}

impl Said for Last {
    fn by(self, id: RequestId) -> Response {
        Response::Last { id, last: self }
    }
}

fn says(state: &mut State, id: RequestId, said: impl Said) -> Vec<Effect> {
    state.update(Event::Engine(said.by(id)))
}

fn tells(state: &mut State, worker: Worker) -> Vec<Effect> {
    state.update(Event::Engine(Response::Worker(worker)))
}

fn hello(state: &mut State) -> Vec<Effect> {
    tells(state, Worker::Hello { protocol: PROTOCOL })
}

fn failed(message: &str) -> Last {
    Last::Failed { message: message.into() }
}

fn sent(effects: Vec<Effect>) -> Vec<Request<Task>> {
    let request = |effect| match effect {
        Effect::Send(request) => Some(request),
        _ => None,
    };
    effects.into_iter().filter_map(request).collect()
}

/// A task that is asked for.
#[derive(Debug, PartialEq)]
struct Asked {
    id: RequestId,
    task: Task,
}

/// What is asked for; what is stopped is left out.
fn requests(effects: Vec<Effect>) -> Vec<Asked> {
    let asked = |request| match request {
        Request::Serve { id, task } => Some(Asked { id, task }),
        Request::Cancel { .. } => None,
    };
    sent(effects).into_iter().filter_map(asked).collect()
}

fn ready() -> Last {
    let (config, card) = (RgFlowConfig::tiny(), Card::default());
    Last::Ready(Box::new(ModelInfo { config, card, joint: false, backend: Backend::Cpu, cached: false, millis: 1.0 }))
}

fn picture(index: u32) -> Part {
    Part::Picture(Picture { index, size: 16, rgba: ByteBuf::new(), bits: 3.0, millis: 4.0 })
}

/// A page up to the first request for samples.
fn loaded(fragment: &str) -> (State, Asked) {
    let (state, sent) = loaded_at(fragment);
    (state, samples(sent))
}

/// A page up to its panel's first requests.
fn loaded_at(fragment: &str) -> (State, Vec<Asked>) {
    let mut state = State::new(fragment, BackendChoice::Auto, "http://x/models/index.json".into());
    let index = requests(hello(&mut state)).remove(1);
    let load = requests(says(&mut state, index.id, models())).remove(0);
    assert_eq!(state.word(), "loading");
    let sent = requests(says(&mut state, load.id, ready()));
    (state, sent)
}

/// What is asked for of the sixteen, but for one that may be asked for alone.
fn samples(sent: Vec<Asked>) -> Asked {
    let is_draw = |asked: &Asked| matches!(asked.task, Task::Draw(Draw::Samples { .. }));
    sent.into_iter().rfind(is_draw).unwrap()
}

fn indices(asked: &Asked) -> Vec<u32> {
    match &asked.task {
        Task::Draw(Draw::Samples { indices, .. }) => indices.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_visit_goes_from_the_list_to_the_pictures() {
    let mut state = State::new("#model=b&seed=7&t=0.5", BackendChoice::Auto, "http://x/models/index.json".into());
    assert_eq!(state.word(), "loading");
    let index = requests(hello(&mut state)).remove(1);
    assert_eq!(index.task, Task::Index { url: "http://x/models/index.json".into() });
    let load = requests(says(&mut state, index.id, models())).remove(0);
    assert_eq!(load.task, Load::Listed { base: "http://x/models/".into(), model: model("b").into() }.into());
    says(&mut state, load.id, Part::Progress { loaded: 4, total: 10 });
    assert_eq!(state.phase, Phase::Loading { loaded: 4, total: 10 });
    let sample = samples(requests(says(&mut state, load.id, ready())));
    let drawing = Drawing::independent(Temperature::uniform(0.5));
    let expected = Draw::Samples { seed: 7, indices: (1..16).collect(), drawing }.into();
    assert_eq!((sample.task, state.word()), (expected, "sampling"));
    for i in 0..16 {
        says(&mut state, sample.id, picture(i));
        assert!(matches!(&state.panels.sample.shown[i as usize], Some(shown) if shown.seed == 7));
    }
    says(&mut state, sample.id, Last::Done);
    assert_eq!(
        (state.word(), state.panels.sample.millis(), state.panels.sample.bits()),
        ("done", Some(4.0), Some(3.0))
    );
}

#[test]
fn an_empty_list_is_said_so() {
    let mut state = State::new("", BackendChoice::Auto, "index.json".into());
    let index = requests(hello(&mut state)).remove(1);
    let effects = says(&mut state, index.id, Last::Index(ModelIndex { format: 1, models: vec![] }));
    assert_eq!((state.word(), effects.len()), ("empty", 0));
}

#[test]
fn a_change_cancels_what_it_makes_stale() {
    let (mut state, first) = loaded("");
    for i in 0..5 {
        says(&mut state, first.id, picture(i));
    }
    let effects = state.update(Event::Uniform(0.3));
    assert!(sent(effects.clone()).contains(&Request::Cancel { id: first.id }));
    let next = samples(requests(effects));
    // The places that still show nothing come first.
    assert_eq!(indices(&next), [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4]);
    assert!(state.panels.sample.is_stale(0));
    // A picture of the old request that was under way is not shown any more.
    says(&mut state, first.id, picture(5));
    assert!(state.panels.sample.is_stale(5));
    says(&mut state, first.id, Last::Cancelled);
    assert_eq!(state.word(), "sampling");
    says(&mut state, next.id, picture(5));
    assert!(!state.panels.sample.is_stale(5));
    says(&mut state, next.id, Last::Done);
    // Nothing runs, so nothing is cancelled.
    let effects = sent(state.update(Event::NewSamples(9)));
    assert!(!effects.contains(&Request::Cancel { id: next.id }), "{effects:?}");
}

#[test]
fn settings_reach_the_address() {
    let (mut state, _) = loaded("#seed=3");
    let written = |effects: Vec<Effect>| match effects.last() {
        Some(Effect::WriteAddress(fragment)) => fragment.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(written(state.update(Event::Uniform(9.0))), "model=a&v=00000000&seed=3&t=1.5");
    assert_eq!(written(state.update(Event::Level(0, 0.2))), "model=a&v=00000000&seed=3&t=0.2,1.5,1.5");
    assert_eq!(
        written(state.update(Event::Temperatures(Some(Temperature::uniform(1.0))))),
        "model=a&v=00000000&seed=3&t=1"
    );
    assert_eq!(written(state.update(Event::SeedTyped(" 12 ".into()))), "model=a&v=00000000&seed=12&t=1");
    assert_eq!(state.update(Event::Level(3, 0.2)), []);
}

#[test]
fn a_wrong_seed_is_named_and_changes_nothing() {
    let (mut state, _) = loaded("#seed=3");
    assert_eq!(state.update(Event::SeedTyped("-1".into())), []);
    assert_eq!((state.settings.seed.0, state.seed_refused), (3, true));
    state.update(Event::SeedTyped("4".into()));
    assert_eq!((state.settings.seed.0, state.seed_refused), (4, false));
}

#[test]
fn an_address_is_followed() {
    let (mut state, _) = loaded("#seed=3");
    assert_eq!(state.update(Event::Address(format!("#{}", state.address()))), []);
    let sent = requests(state.update(Event::Address("#model=a&seed=4&t=0.8".into())));
    assert!(matches!(sent.last().unwrap().task, Task::Draw(Draw::Samples { seed: 4, .. })));
    let sent = requests(state.update(Event::Address("#model=b&seed=4&t=0.8".into())));
    assert!(matches!(&sent.last().unwrap().task, Task::Load(Load::Listed { model, .. }) if model.id == "b"));
    assert!(state.info.is_none());
    // An address without a model is content with this one.
    assert_eq!(requests(state.update(Event::Address("#seed=4&t=0.8".into()))), []);
    requests(state.update(Event::Address("#model=nobody&seed=4".into())));
    assert!(state.notices[0].contains("nobody"), "{:?}", state.notices);
}

#[test]
fn more_temperatures_than_levels_are_cut() {
    let (_, sample) = loaded("#t=0.1,0.2,0.3,0.4,0.5");
    let Task::Draw(Draw::Samples { drawing, .. }) = sample.task else { panic!() };
    assert_eq!(drawing.temperature.levels, [0.1, 0.2, 0.3]);
}

#[test]
fn failures_show_and_a_retry_starts_over() {
    let (mut state, sample) = loaded("");
    says(&mut state, sample.id + 5, failed("of nobody"));
    assert_eq!(state.word(), "sampling");
    says(&mut state, sample.id, failed("oh"));
    assert_eq!(state.phase, Phase::Failed("oh".into()));
    assert_eq!(state.update(Event::Retry), [Effect::StartEngine]);
    assert_eq!(state.phase, Phase::Starting);
    hello(&mut state);
    assert!(state.info.is_none() && state.panels.sample.shown == [const { None }; GRID]);
    state.update(Event::EngineDied("gone".into()));
    assert_eq!(state.word(), "error");
    // Nothing is asked of a dead worker, but settings are kept for the next one.
    assert_eq!(requests(state.update(Event::NewSamples(5))), []);
    assert_eq!((state.settings.seed.0, state.word()), (5, "error"));
    assert_eq!(state.update(Event::Model("b".into()))[0], Effect::StartEngine);
}

#[test]
fn an_address_that_changes_before_the_list_is_there_waits_for_it() {
    let mut state = State::new("", BackendChoice::Auto, "http://x/models/index.json".into());
    state.update(Event::Retry);
    let index = requests(hello(&mut state)).remove(1);
    assert_eq!(state.update(Event::Address("#model=b".into())), []);
    assert_eq!(state.word(), "loading");
    let load = requests(says(&mut state, index.id, models())).remove(0);
    assert!(matches!(load.task, Task::Load(Load::Listed { model, .. }) if model.id == "b"));
}

#[test]
fn a_worker_of_another_version_is_not_used() {
    let mut state = State::new("", BackendChoice::Auto, "index.json".into());
    assert_eq!(tells(&mut state, Worker::Hello { protocol: PROTOCOL + 1 }), []);
    assert_eq!(state.word(), "error");
}

#[test]
fn the_backend_is_the_readers_choice_and_the_workers_to_report() {
    let mut state = State::new("", BackendChoice::Gpu, "http://x/models/index.json".into());
    // Nobody is there to hear it yet.
    assert_eq!(state.update(Event::Backend(BackendChoice::Gpu)), []);
    let sent = requests(hello(&mut state));
    assert_eq!(sent[0].task, Task::Use { backend: BackendChoice::Gpu });
    let (mut state, sample) = loaded("");
    tells(&mut state, Worker::RunsOn { backend: Backend::Gpu, note: "quick".into() });
    assert_eq!((state.info.as_ref().unwrap().backend, state.backend_note.as_str()), (Backend::Gpu, "quick"));
    // Pictures under way are not disturbed.
    assert_eq!((state.word(), state.panels.sample.request), ("sampling", sample.id));
    let sent = requests(state.update(Event::Backend(BackendChoice::Cpu)));
    assert_eq!(sent[0].task, Task::Use { backend: BackendChoice::Cpu });
    // Of the model before there is nothing more to say.
    state.update(Event::Model("b".into()));
    assert_eq!(state.backend_note, "");
}

#[test]
fn pictures_outside_the_grid_are_dropped() {
    let (mut state, sample) = loaded("");
    assert_eq!(says(&mut state, sample.id, picture(16)), []);
    assert!(state.panels.sample.shown.iter().all(Option::is_none));
}

fn images(count: usize) -> Last {
    Last::Answer(Answer::Images(vec![Image { size: 16, rgba: ByteBuf::new() }; count]))
}

/// A page at the mix panel, and its requests.
fn mixing(fragment: &str) -> (State, Vec<Asked>) {
    let (mut state, _) = loaded(fragment);
    let effects = state.update(Event::Show(Panel::Mix));
    assert!(matches!(effects.last(), Some(Effect::PushAddress(address)) if address.starts_with("panel=mix&")));
    (state, requests(effects))
}

#[test]
fn a_link_to_another_version_of_the_model_is_said_so() {
    let (state, _) = loaded_at("#model=a&v=12345678");
    assert!(state.notices[0].contains("another version"), "{:?}", state.notices);
    for same in ["00000000", "fedcba98"] {
        let (state, _) = loaded_at(&format!("#model=a&v={same}"));
        assert!(state.notices.is_empty(), "{same}");
    }
}

#[test]
fn the_models_own_temperature_is_the_default() {
    let (mut state, _) = loaded("");
    assert_eq!(state.drawing().temperature, Temperature::uniform(0.8));
    let mut info = state.info.clone().unwrap();
    info.card.temperature = vec![0.3, 0.6, 0.7, 0.9];
    let load = requests(state.update(Event::Model("b".into()))).remove(0);
    says(&mut state, load.id, Last::Ready(Box::new(info)));
    assert_eq!(state.drawing().temperature.levels, [0.3, 0.6, 0.7]);
    state.update(Event::Uniform(0.5));
    assert_eq!(state.drawing().temperature, Temperature::uniform(0.5));
    state.update(Event::Temperatures(None));
    assert_eq!(state.drawing().temperature.levels, [0.3, 0.6, 0.7]);
}

#[test]
fn a_model_with_a_sampler_draws_jointly_unless_a_link_or_the_reader_says_otherwise() {
    let joint = |fragment: &str| {
        let (mut state, _) = loaded(fragment);
        let mut info = ModelInfo { joint: true, ..state.info.clone().unwrap() };
        (info.card.temperature, info.card.joint_temperature) = (vec![0.5], vec![0.4]);
        let load = requests(state.update(Event::Model("b".into()))).remove(0);
        let sent = requests(says(&mut state, load.id, Last::Ready(Box::new(info))));
        (state, sent)
    };
    let (mut state, sent) = joint("");
    let drawing = Drawing { latents: Latents::Joint, temperature: Temperature::uniform(0.4) };
    assert_eq!(state.drawing(), drawing);
    assert!(matches!(samples(sent).task, Task::Draw(Draw::Samples { drawing: sent, .. }) if sent == drawing));
    assert!(state.address().contains("&t=0.4&latents=joint"), "{}", state.address());
    let sent = requests(state.update(Event::Latents(Latents::Independent)));
    let drawing = Drawing::independent(Temperature::uniform(0.5));
    assert!(matches!(samples(sent).task, Task::Draw(Draw::Samples { drawing: sent, .. }) if sent == drawing));
    assert!(!state.address().contains("latents"), "{}", state.address());
    // A sample in use stays as it was drawn.
    state.update(Event::Show(Panel::Mix));
    state.update(Event::Latents(Latents::Joint));
    assert!(state.address().contains("a=3.12t0.5"), "{}", state.address());
    // An address goes where it came from, and one of before the choice shows what it showed.
    let address = state.address();
    assert_eq!(requests(state.update(Event::Address(address))), []);
    state.update(Event::Address("#seed=1&t=0.7".into()));
    assert_eq!(state.drawing(), Drawing::independent(Temperature::uniform(0.7)));
    // A model that cannot draw jointly leaves no trace of a choice.
    let (state, _) = joint("#model=a&seed=1");
    assert_eq!(state.drawing().latents, Latents::Joint);
}

#[test]
fn own_weights_replace_the_model_only_when_they_can_be_read() {
    let (mut state, _) = loaded("#model=a");
    let open = requests(state.update(Event::Weights("x.safetensors".into(), ByteBuf::from([1])))).remove(0);
    assert!(matches!(&open.task, Task::Load(Load::Own { bytes }) if bytes.len() == 1));
    says(&mut state, open.id, failed("weights: damaged"));
    assert!(state.notices[0].contains("damaged"));
    assert_eq!((state.entry.as_ref().unwrap().id.as_str(), &state.phase), ("a", &Phase::Ready));
    let open = requests(state.update(Event::Weights("x.safetensors".into(), ByteBuf::from([1])))).remove(0);
    says(&mut state, open.id, ready());
    assert_eq!(state.entry.as_ref().unwrap().title, "x.safetensors");
    // No link holds them.
    assert!(!state.address().contains("model=") && !state.address().contains("v="));
}
