//! How panels ask for their pictures, and share the engine and the address.

use super::*;

#[test]
fn the_mix_panel_asks_for_its_pictures_and_shows_them() {
    let (mut state, sent) = mixing("#t=0.5&seed=4");
    let Task::Draw(Draw::Mix { sources, cells }) = &sent[0].task else { panic!("{:?}", sent[0]) };
    let drawing = Drawing::independent(Temperature::uniform(0.5));
    assert_eq!(sources[1], Source::Sample { seed: GOOD_SEED, index: 6, drawing });
    // Three levels have four dividing levels, each with both directions.
    assert_eq!(cells.len(), 8);
    assert!(state.busy);
    says(&mut state, sent[0].id, images(8));
    assert_eq!(state.panels.mix.mixtures.len(), 8);
    assert!(state.panels.mix.shown(3).iter().all(Option::is_some) && state.panels.mix.interpolation.is_none());
    says(&mut state, sent[1].id, images(1));
    assert!(state.panels.mix.interpolation.is_some() && state.busy);
    says(&mut state, sent[2].id, images(24));
    assert_eq!((state.panels.mix.examples.len(), state.busy), (24, false));
}

#[test]
fn a_slider_waits_for_its_last_picture_and_then_asks_for_the_newest() {
    let (mut state, sent) = mixing("");
    for share in [0.1, 0.2, 0.3] {
        assert_eq!(requests(state.update(PanelEvent::Mix(MixEvent::Share(share)))), []);
    }
    let next = requests(says(&mut state, sent[1].id, images(1))).remove(0);
    assert!(matches!(next.task, Task::Edit(Edit::Interpolate { share: 0.3, .. })));
    says(&mut state, next.id, failed("oh"));
    assert!(state.notices[0].contains("oh"));
    assert_eq!(state.word(), "done");
}

#[test]
fn a_panel_that_is_left_keeps_no_one_waiting() {
    let (mut state, drawn) = loaded("");
    says(&mut state, drawn.id, picture(0));
    let first = sent(state.update(Event::Show(Panel::Inpaint)));
    assert_eq!(first[0], Request::Cancel { id: drawn.id });
    let fill = first.iter().find_map(|request| match request {
        Request::Serve { id, task: Task::Fill(Fill::Hole(_)) } => Some(*id),
        _ => None,
    });
    // The holes first, then what comes next.
    let next = sent(state.update(Event::Show(Panel::Mix)));
    let stop = Request::Cancel { id: fill.unwrap() };
    let stopped = next.iter().position(|request| *request == stop).unwrap();
    assert!(next[..stopped].iter().all(|request| matches!(request, Request::Cancel { .. })));
    assert!(state.busy && !state.panels.sample.is_running());
    // What was not drawn is drawn when it is wanted again.
    let again = samples(requests(state.update(Event::Show(Panel::Sample))));
    assert_eq!(indices(&again)[..2], [1, 2]);
    let stopped = sent(state.update(Event::Model("b".into())));
    assert_eq!(stopped[0], Request::Cancel { id: again.id });
}

#[test]
fn a_picture_that_was_chosen_goes_along_to_the_next_panel() {
    let (mut state, _) = loaded("");
    let explored = |state: &State| state.settings.panels.explore.pick.clone();
    let first = explored(&state);
    // Nothing was chosen: each panel opens with its own.
    state.update(Event::Show(Panel::Explore));
    assert_eq!(explored(&state).draw(), first.draw());
    state.update(Event::Show(Panel::Sample));
    state.update(PanelEvent::Sample(SampleEvent::Another(77)));
    state.update(Event::Show(Panel::Explore));
    assert_eq!(explored(&state).draw(), Some((77, 0)));
    state.update(Event::Picked(&Mix::SLOTS[0], Pick::Sample { seed: 8, index: 2 }));
    state.update(Event::Show(Panel::Inpaint));
    assert_eq!(state.settings.panels.inpaint.pick.draw(), Some((8, 2)));
    // What is being worked on stays, and the second picture of a pair is nobody else's.
    state.update(PanelEvent::Explore(ExploreEvent::Value(1.0)));
    state.update(Event::Show(Panel::Explore));
    assert_eq!(explored(&state).draw(), Some((77, 0)));
    state.update(PanelEvent::Explore(ExploreEvent::Reset));
    state.update(Event::Picked(&Mix::SLOTS[1], Pick::Sample { seed: 9, index: 1 }));
    state.update(Event::Show(Panel::Explore));
    assert_eq!(explored(&state).draw(), Some((8, 2)));
    // Another model draws other pictures.
    state.update(Event::Model("b".into()));
    assert_eq!(state.chosen_in, None);
}

#[test]
fn mixing_reaches_the_address() {
    let (mut state, _) = mixing("#seed=4&t=0.5");
    state.update(PanelEvent::Mix(MixEvent::Cut(9)));
    let own = Own::new(16, vec![7; 16 * 16 * 3]).unwrap();
    let pick = Pick::Own(std::rc::Rc::new(own.clone()));
    state.update(Event::Picked(&Mix::SLOTS[1], pick.clone()));
    state.update(PanelEvent::Mix(MixEvent::Swap));
    let expected = format!("panel=mix&model=a&v=00000000&seed=4&t=0.5&a=own.{}&b=3.12&cut=3&share=0.5", own.code());
    assert_eq!(state.address(), expected);
    let (again, _) = loaded_at(&format!("#{expected}"));
    assert_eq!((again.settings.panels.mix.a, again.settings.panel), (pick, Panel::Mix));
    assert!(again.notices.is_empty());
}

#[test]
fn an_address_speaks_of_its_own_panel_only() {
    let (mut state, _) = mixing("");
    state.update(PanelEvent::Mix(MixEvent::Cut(1)));
    state.update(Event::Address("#seed=4&t=0.8".into()));
    assert_eq!((state.settings.panel, state.settings.panels.mix.cut), (Panel::Sample, 1));
    state.update(Event::Address("#panel=mix&seed=4&t=0.8&cut=3".into()));
    assert_eq!((state.settings.panel, state.settings.panels.mix.cut), (Panel::Mix, 3));
}
