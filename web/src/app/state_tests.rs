use super::*;
use crate::messages::Backend;
use serde_bytes::ByteBuf;
use shared::RgFlowConfig;
use shared::weights::Card;

fn model(id: &str) -> ModelEntry {
    ModelEntry {
        id: id.into(),
        title: id.into(),
        file: format!("{id}.safetensors"),
        bytes: 10,
        sha256: "0".repeat(64),
        description: String::new(),
        licence: String::new(),
        default: false,
    }
}

fn says(state: &mut State, id: RequestId, kind: ResponseKind) -> Vec<Effect> {
    state.update(Event::Engine(Response { id, kind }))
}

fn requests(effects: Vec<Effect>) -> Vec<Request> {
    effects
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Send(request) => Some(request),
            _ => None,
        })
        .collect()
}

fn ready() -> ResponseKind {
    let (config, card) = (RgFlowConfig::tiny(), Card::default());
    ResponseKind::Ready(Box::new(ModelInfo { config, card, backend: Backend::Cpu, cached: false, millis: 1.0 }))
}

fn picture(index: u32) -> ResponseKind {
    ResponseKind::Picture(Picture { index, size: 16, rgba: ByteBuf::new(), millis: 4.0 })
}

/// A page up to the first request for pictures.
fn loaded(fragment: &str) -> (State, Request) {
    let mut state = State::new(fragment, BackendChoice::Auto, "http://x/models/index.json".into());
    let index = requests(says(&mut state, 0, ResponseKind::Hello { protocol: PROTOCOL })).remove(1);
    let models = vec![model("a"), model("b")];
    let load = requests(says(&mut state, index.id, ResponseKind::Index(ModelIndex { format: 1, models }))).remove(0);
    assert_eq!(state.phase.name(), "loading");
    let sample = requests(says(&mut state, load.id, ready())).remove(0);
    (state, sample)
}

fn indices(request: &Request) -> Vec<u32> {
    match &request.kind {
        RequestKind::Sample { indices, .. } => indices.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_visit_goes_from_the_list_to_the_pictures() {
    let mut state = State::new("#model=b&seed=7&t=0.5", BackendChoice::Auto, "http://x/models/index.json".into());
    assert_eq!(state.phase.name(), "loading");
    let index = requests(says(&mut state, 0, ResponseKind::Hello { protocol: PROTOCOL })).remove(1);
    assert_eq!(index.kind, RequestKind::Index { url: "http://x/models/index.json".into() });
    let models = vec![model("a"), model("b")];
    let load = requests(says(&mut state, index.id, ResponseKind::Index(ModelIndex { format: 1, models }))).remove(0);
    assert_eq!(load.kind, RequestKind::Load { base: "http://x/models/".into(), model: model("b") });
    says(&mut state, load.id, ResponseKind::Progress { loaded: 4, total: 10 });
    assert_eq!(state.phase, Phase::Loading { loaded: 4, total: 10 });
    let sample = requests(says(&mut state, load.id, ready())).remove(0);
    let temperature = Temperature::uniform(0.5);
    let expected = RequestKind::Sample { seed: 7, indices: (0..16).collect(), temperature };
    assert_eq!((sample.kind, state.phase.name()), (expected, "sampling"));
    for i in 0..16 {
        let effects = says(&mut state, sample.id, picture(i));
        assert!(matches!(&effects[..], [Effect::Paint(p, 7)] if p.index == i));
    }
    says(&mut state, sample.id, ResponseKind::Done);
    assert_eq!((state.phase.name(), state.millis()), ("done", Some(4.0)));
}

#[test]
fn an_empty_list_is_said_so() {
    let mut state = State::new("", BackendChoice::Auto, "index.json".into());
    let index = requests(says(&mut state, 0, ResponseKind::Hello { protocol: PROTOCOL })).remove(1);
    let effects = says(&mut state, index.id, ResponseKind::Index(ModelIndex { format: 1, models: vec![] }));
    assert_eq!((state.phase.name(), effects.len()), ("empty", 0));
}

#[test]
fn a_change_cancels_what_it_makes_stale() {
    let (mut state, first) = loaded("");
    for i in 0..5 {
        says(&mut state, first.id, picture(i));
    }
    let sent = requests(state.update(Event::Uniform(0.3)));
    assert_eq!(sent[0].kind, RequestKind::Cancel { request: first.id });
    // The places that still show nothing come first.
    assert_eq!(indices(&sent[1]), [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4]);
    assert!(state.is_stale(0));
    // A picture of the old request that was under way is not shown any more.
    assert_eq!(says(&mut state, first.id, picture(5)), []);
    says(&mut state, first.id, ResponseKind::Cancelled);
    assert_eq!(state.phase.name(), "sampling");
    says(&mut state, sent[1].id, picture(5));
    assert!(!state.is_stale(5));
    says(&mut state, sent[1].id, ResponseKind::Done);
    // Nothing runs, so nothing is cancelled.
    assert_eq!(requests(state.update(Event::NewSamples(9))).len(), 1);
}

#[test]
fn settings_reach_the_address() {
    let (mut state, _) = loaded("#seed=3");
    let written = |effects: Vec<Effect>| match effects.last() {
        Some(Effect::WriteAddress(fragment)) => fragment.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(written(state.update(Event::Uniform(9.0))), "model=a&seed=3&t=1.5");
    assert_eq!(written(state.update(Event::Level(0, 0.2))), "model=a&seed=3&t=0.2,1.5,1.5");
    assert_eq!(written(state.update(Event::Mix(Temperature::uniform(1.0)))), "model=a&seed=3&t=1");
    assert_eq!(written(state.update(Event::SeedTyped(" 12 ".into()))), "model=a&seed=12&t=1");
    assert_eq!(state.update(Event::Level(3, 0.2)), []);
}

#[test]
fn a_wrong_seed_is_named_and_changes_nothing() {
    let (mut state, _) = loaded("#seed=3");
    assert_eq!(state.update(Event::SeedTyped("-1".into())), []);
    assert_eq!((state.settings.seed, state.seed_refused), (3, true));
    state.update(Event::SeedTyped("4".into()));
    assert_eq!((state.settings.seed, state.seed_refused), (4, false));
}

#[test]
fn an_address_is_followed() {
    let (mut state, _) = loaded("#seed=3");
    assert_eq!(state.update(Event::Address(format!("#{}", state.settings.to_fragment()))), []);
    let sent = requests(state.update(Event::Address("#model=a&seed=4&t=0.8".into())));
    assert!(matches!(sent.last().unwrap().kind, RequestKind::Sample { seed: 4, .. }));
    let sent = requests(state.update(Event::Address("#model=b&seed=4&t=0.8".into())));
    assert!(matches!(&sent.last().unwrap().kind, RequestKind::Load { model, .. } if model.id == "b"));
    assert!(state.info.is_none());
    // An address without a model is content with this one.
    assert_eq!(requests(state.update(Event::Address("#seed=4&t=0.8".into()))), []);
    requests(state.update(Event::Address("#model=nobody&seed=4".into())));
    assert!(state.notices[0].contains("nobody"), "{:?}", state.notices);
}

#[test]
fn more_temperatures_than_levels_are_cut() {
    let (_, sample) = loaded("#t=0.1,0.2,0.3,0.4,0.5");
    let RequestKind::Sample { temperature, .. } = sample.kind else { panic!() };
    assert_eq!(temperature.levels, [0.1, 0.2, 0.3]);
}

#[test]
fn failures_show_and_a_retry_starts_over() {
    let (mut state, sample) = loaded("");
    says(&mut state, sample.id + 5, ResponseKind::Failed { message: "of nobody".into() });
    assert_eq!(state.phase.name(), "sampling");
    says(&mut state, sample.id, ResponseKind::Failed { message: "oh".into() });
    assert_eq!(state.phase, Phase::Failed("oh".into()));
    assert_eq!(state.update(Event::Retry), [Effect::StartEngine]);
    assert_eq!(state.phase, Phase::Starting);
    says(&mut state, 0, ResponseKind::Hello { protocol: PROTOCOL });
    assert!(state.info.is_none() && state.shown == [0; GRID]);
    state.update(Event::EngineDied("gone".into()));
    assert_eq!(state.phase.name(), "error");
    // Nothing is asked of a dead worker, but settings are kept for the next one.
    assert_eq!(requests(state.update(Event::NewSamples(5))), []);
    assert_eq!((state.settings.seed, state.phase.name()), (5, "error"));
    assert_eq!(state.update(Event::Model("b".into()))[0], Effect::StartEngine);
}

#[test]
fn an_address_that_changes_before_the_list_is_there_waits_for_it() {
    let mut state = State::new("", BackendChoice::Auto, "http://x/models/index.json".into());
    state.update(Event::Retry);
    let index = requests(says(&mut state, 0, ResponseKind::Hello { protocol: PROTOCOL })).remove(1);
    assert_eq!(state.update(Event::Address("#model=b".into())), []);
    assert_eq!(state.phase.name(), "loading");
    let models = vec![model("a"), model("b")];
    let load = requests(says(&mut state, index.id, ResponseKind::Index(ModelIndex { format: 1, models }))).remove(0);
    assert!(matches!(load.kind, RequestKind::Load { model, .. } if model.id == "b"));
}

#[test]
fn a_worker_of_another_version_is_not_used() {
    let mut state = State::new("", BackendChoice::Auto, "index.json".into());
    assert_eq!(says(&mut state, 0, ResponseKind::Hello { protocol: PROTOCOL + 1 }), []);
    assert_eq!(state.phase.name(), "error");
}

#[test]
fn the_backend_is_the_readers_choice_and_the_workers_to_report() {
    let mut state = State::new("", BackendChoice::Gpu, "http://x/models/index.json".into());
    // Nobody is there to hear it yet.
    assert_eq!(state.update(Event::Backend(BackendChoice::Gpu)), []);
    let sent = requests(says(&mut state, 0, ResponseKind::Hello { protocol: PROTOCOL }));
    assert_eq!(sent[0].kind, RequestKind::Use { backend: BackendChoice::Gpu });
    let (mut state, sample) = loaded("");
    says(&mut state, 0, ResponseKind::RunsOn { backend: Backend::Gpu, note: "quick".into() });
    assert_eq!((state.info.as_ref().unwrap().backend, state.backend_note.as_str()), (Backend::Gpu, "quick"));
    // Pictures under way are not disturbed.
    assert_eq!((state.phase.name(), state.sampling), ("sampling", sample.id));
    let sent = requests(state.update(Event::Backend(BackendChoice::Cpu)));
    assert_eq!(sent[0].kind, RequestKind::Use { backend: BackendChoice::Cpu });
    // Of the model before there is nothing more to say.
    state.update(Event::Model("b".into()));
    assert_eq!(state.backend_note, "");
}

#[test]
fn pictures_outside_the_grid_are_dropped() {
    let (mut state, sample) = loaded("");
    assert_eq!(says(&mut state, sample.id, picture(16)), []);
}
