//! The stored first samples.

use super::*;
use std::rc::Rc;

fn stored() -> Vec<Rc<Image>> {
    (0..GRID as u8).map(|k| Rc::new(Image { size: 16, rgba: ByteBuf::from([k]) })).collect()
}

fn seen(state: &State) -> Option<u8> {
    state.scene().preview_of(3).map(|image| image.rgba[0])
}

#[test]
fn stored_samples_are_seen_until_others_are_wanted() {
    let (mut state, asked) = loaded("");
    assert_eq!(seen(&state), None);
    state.update(Event::Preview(stored()));
    assert_eq!(seen(&state), Some(3));
    assert_eq!(state.scene().preview_of(GRID), None);
    // What is drawn takes their place in the panel; the state keeps both.
    says(&mut state, asked.id, picture(3));
    assert!(state.panels.sample.shown[3].is_some());
    for change in [
        Event::NewSamples(5),
        Event::Uniform(0.5),
        Event::Latents(Latents::Independent),
        Event::Model("b".into()),
        Event::Address("#seed=8".into()),
    ] {
        let mut other = state.clone();
        other.update(change.clone());
        assert_eq!(seen(&other), None, "{change:?}");
    }
}

#[test]
fn an_address_that_asks_for_other_samples_never_shows_them() {
    for fragment in ["seed=4", "model=b", "t=0.3", "latents=joint", "panel=mix&seed=3"] {
        let (mut state, _) = loaded_at(&format!("#{fragment}"));
        state.update(Event::Preview(stored()));
        assert_eq!(seen(&state), None, "{fragment}");
    }
}
