//! What stays as it was chosen, on the page and in its links.

use super::*;

/// The pictures that the mix panel's first request starts from.
fn mixed(sent: &[Asked]) -> Vec<Source> {
    let sources = sent.iter().find_map(|asked| match &asked.task {
        Task::Draw(Draw::Mix { sources, .. }) => Some(sources.clone()),
        _ => None,
    });
    sources.unwrap_or_else(|| panic!("no mixture in {sent:?}"))
}

fn sample(seed: u64, index: u32, t: f32) -> Source {
    Source::Sample { seed, index, drawing: Drawing::independent(Temperature::uniform(t)) }
}

/// Answers all requests that panels wait for.
fn settle(state: &mut State, sent: Vec<Asked>) {
    for asked in sent {
        if matches!(asked.task, Task::Edit(_) | Task::Draw(Draw::Mix { .. })) {
            let sent = requests(says(state, asked.id, images(24)));
            settle(state, sent);
        }
    }
}

#[test]
fn a_temperature_that_is_set_later_leaves_chosen_samples_alone() {
    let (mut state, sent) = mixing("#seed=4&t=0.5");
    assert_eq!(mixed(&sent), [sample(3, 12, 0.5), sample(3, 6, 0.5)]);
    settle(&mut state, sent);
    state.update(Event::Show(Panel::Sample));
    state.update(Event::Uniform(0.9));
    // Explore was not opened yet: it begins with what the samples look like now.
    let sent = requests(state.update(Event::Show(Panel::Explore)));
    let latents = Task::Edit(Edit::Latents { source: sample(3, 12, 0.9) });
    assert!(sent.iter().any(|asked| asked.task == latents), "{sent:?}");
    let sent = requests(state.update(Event::Show(Panel::Mix)));
    assert_eq!(mixed(&sent), [sample(3, 12, 0.5), sample(3, 6, 0.5)]);
    let link = state.address();
    assert_eq!(link, "panel=mix&model=a&v=00000000&seed=4&t=0.9&a=3.12t0.5&b=3.6t0.5&cut=2&share=0.5");
    assert_eq!(mixed(&loaded_at(&format!("#{link}")).1), [sample(3, 12, 0.5), sample(3, 6, 0.5)]);
    // A new pair is drawn as samples are now.
    settle(&mut state, sent);
    let pair = [0, 1].map(|index| Pick::Sample { seed: 6, index });
    let sent = requests(state.update(PanelEvent::Mix(MixEvent::Pair(pair))));
    assert_eq!(mixed(&sent), [sample(6, 0, 0.9), sample(6, 1, 0.9)]);
}

#[test]
fn links_without_a_samples_temperature_mean_what_they_meant() {
    let link = "panel=mix&model=a&v=00000000&seed=1&t=0.7&a=3.0&b=4.2&cut=2&share=0.5";
    let (state, sent) = loaded_at(link);
    assert_eq!((mixed(&sent), state.address().as_str()), (vec![sample(3, 0, 0.7), sample(4, 2, 0.7)], link));
}

#[test]
fn the_gallery_offers_what_it_shows() {
    let (mut state, first) = loaded("#seed=4&t=0.5");
    says(&mut state, first.id, picture(3));
    state.update(Event::Uniform(0.9));
    // The new pictures are on their way.
    let pick = state.panels.sample.shown[3].as_ref().unwrap().pick(3);
    let effects = state.update(Event::Picked(&Mix::SLOTS[1], pick));
    // From another panel: Back leads there again.
    assert!(matches!(effects.last(), Some(Effect::PushAddress(address)) if address.contains("b=4.3t0.5")));
    assert_eq!(mixed(&requests(effects))[1], sample(4, 3, 0.5));
    let growth = requests(state.update(PanelEvent::Sample(SampleEvent::Choose(3)))).remove(0);
    assert_eq!(growth.task, Task::Edit(Edit::Steps { source: sample(4, 3, 0.5) }));
}

#[test]
fn another_model_draws_at_its_own_temperature() {
    let (mut state, sent) = mixing("#t=0.5");
    settle(&mut state, sent);
    let load = requests(state.update(Event::Model("b".into()))).pop().unwrap();
    let sent = requests(says(&mut state, load.id, ready()));
    assert_eq!(mixed(&sent), [sample(3, 12, 0.8), sample(3, 6, 0.8)]);
}

#[test]
fn pictures_stay_in_squares_if_that_was_wanted() {
    let (mut state, _) = loaded("#t=0.5");
    assert!(state.is_smooth());
    let effects = state.update(Event::Smooth(false));
    let address = "model=a&v=00000000&seed=3&t=0.5&smooth=0";
    assert_eq!(effects, [Effect::WriteAddress(address.into())]);
    assert!(!loaded(address).0.is_smooth());
    state.update(Event::Show(Panel::About));
    assert!(!state.is_smooth() && state.address().contains("smooth=0"));
    state.update(Event::Smooth(true));
    assert!(state.is_smooth() && !state.address().contains("smooth"));
}

#[test]
fn pixel_art_is_shown_in_squares_unless_a_link_says_otherwise() {
    let (mut state, _) = loaded("#t=0.5");
    state.entry.as_mut().unwrap().crisp = true;
    assert!(!state.is_smooth());
    state.update(Event::Smooth(true));
    assert!(state.is_smooth() && state.address().contains("smooth=1"));
}

#[test]
fn a_link_made_with_own_weights_says_that_it_lacks_them() {
    let (mut state, _) = loaded("#model=a");
    let own = |state: &mut State| {
        let open = requests(state.update(Event::Weights("x.safetensors".into(), ByteBuf::from([1])))).remove(0);
        says(state, open.id, ready());
    };
    own(&mut state);
    state.update(Event::Uniform(0.3));
    let link = state.address();
    assert_eq!(link, "weights=own&seed=3&t=0.3");
    // Where they are, nothing is missing.
    state.update(Event::Address("#weights=own&seed=2&t=0.3".into()));
    assert!(state.notices.is_empty() && state.has_own_weights());
    let (mut other, _) = loaded(&link);
    assert!(other.notices[0].contains("no link holds"), "{:?}", other.notices);
    assert!(other.address().contains("model=a") && !other.address().contains("weights"));
    // Once they are dropped, the rest of the link holds for them.
    own(&mut other);
    assert_eq!((other.address(), other.notices.len()), (link.clone(), 0));
    // A page with another model says so too.
    let (mut third, _) = loaded("#model=a");
    third.update(Event::Address(link));
    assert!(third.notices[0].contains("no link holds"), "{:?}", third.notices);
}

#[test]
fn own_weights_that_go_with_the_engine_are_missed() {
    let (mut state, _) = loaded("#model=a");
    let open = requests(state.update(Event::Weights("x.safetensors".into(), ByteBuf::from([1])))).remove(0);
    says(&mut state, open.id, ready());
    state.update(Event::EngineDied("gone".into()));
    state.update(Event::Retry);
    let index = requests(hello(&mut state)).remove(1);
    says(&mut state, index.id, models());
    assert!(state.notices[0].contains("no link holds"), "{:?}", state.notices);
}

#[test]
fn an_address_that_is_there_already_says_nothing_new() {
    let (mut state, _) = loaded("#t=0.5");
    state.update(Event::Notice("Take note.".into()));
    let written = state.update(Event::AddressWanted);
    assert_eq!(written, [Effect::WriteAddress(state.address())]);
    assert_eq!(state.update(Event::Address(format!("#{}", state.address()))), []);
    assert_eq!(state.notices, ["Take note."]);
}

/// A page with the models a and b, whose files differ.
fn with_two_files(fragment: &str) -> State {
    let (mut state, _) = loaded(fragment);
    if let Some(index) = &mut state.index {
        index.models[1].sha256 = "1".repeat(64);
    }
    state
}

fn loading(effects: Vec<Effect>) -> Option<String> {
    requests(effects).into_iter().find_map(|asked| match asked.task {
        Task::Load(Load::Listed { model, .. }) => Some(model.id),
        _ => None,
    })
}

#[test]
fn an_address_of_the_shown_model_does_not_decide_the_next_choice() {
    let mut state = with_two_files("#seed=4");
    state.update(Event::Address("#model=a&v=00000000&seed=5".into()));
    assert_eq!(loading(state.update(Event::Model("b".into()))).as_deref(), Some("b"));
}

#[test]
fn an_address_with_another_models_weights_leads_to_that_model() {
    let mut state = with_two_files("#seed=4");
    assert_eq!(loading(state.update(Event::Address("#model=a&v=11111111&seed=5".into()))).as_deref(), Some("b"));
    let mut state = with_two_files("#seed=4");
    assert_eq!(loading(state.update(Event::Address("#model=a&v=22222222&seed=5".into()))), None);
    assert!(state.notices[0].contains("another version"), "{:?}", state.notices);
}

#[test]
fn the_tour_gives_every_panel_back() {
    let (mut state, _) = loaded("#model=a&seed=4");
    let pick = |index| Pick::Sample { seed: 8, index };
    state.update(PanelEvent::Mix(MixEvent::Pair([pick(1), pick(2)])));
    let before = state.settings.clone();
    for stop in 0..9 {
        state.update(Event::Tour(Some(stop)));
    }
    assert!(state.settings != before);
    state.update(Event::Tour(None));
    assert_eq!((&state.settings.panels, state.settings.panel), (&before.panels, before.panel));
}

#[test]
fn an_address_of_another_panel_stops_what_this_one_computes() {
    let (mut state, sent_first) = loaded_at("#panel=explore&model=a&seed=4");
    let id = sent_first.iter().find(|asked| matches!(asked.task, Task::Edit(_))).unwrap().id;
    let effects = sent(state.update(Event::Address("#model=a&seed=4".into())));
    assert!(effects.contains(&Request::Cancel { id }), "{effects:?}");
}
