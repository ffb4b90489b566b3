use std::rc::Rc;

use super::*;
use crate::app::picker::Looked;
use crate::protocol::Snapshot;
use face_finder::Face;

fn photo() -> Snapshot {
    Snapshot { width: 1, height: 1, rgb: ByteBuf::from([1, 2, 3]) }
}

#[test]
fn a_photograph_is_looked_at_once_and_the_newest_counts() {
    let (mut state, sample) = loaded("");
    says(&mut state, sample.id, Last::Done);
    let first = requests(state.update(Event::Photo(1, photo()))).remove(0);
    assert!(matches!(&first.task, Task::Faces { base, .. } if base == "http://x/faces/"), "{first:?}");
    assert!(state.busy && state.photos.is_busy());
    let second = requests(state.update(Event::Photo(2, photo()))).remove(0);
    let face = Face { eyes: [(1.0, 1.0), (2.0, 1.0)], frame: [0.0; 4] };
    says(&mut state, first.id, Last::Faces(vec![face]));
    assert!(state.photos.looked.is_none() && state.photos.is_busy());
    says(&mut state, second.id, Last::Faces(vec![]));
    assert_eq!(state.photos.looked, Some((2, Rc::new(Looked::Faces(vec![])))));
    assert!(!state.photos.is_busy());
}

#[test]
fn that_nobody_could_look_is_said_and_breaks_nothing() {
    let (mut state, _) = loaded("");
    let asked = requests(state.update(Event::Photo(1, photo()))).remove(0);
    says(&mut state, asked.id, failed("offline"));
    assert_eq!(state.photos.looked, Some((1, Rc::new(Looked::Failed("offline".into())))));
    assert!(state.notices.is_empty() && state.phase == Phase::Ready);
    state.update(Event::Photo(2, photo()));
    state.update(Event::EngineDied("gone".into()));
    assert_eq!(state.photos.looked, Some((2, Rc::new(Looked::Failed("gone".into())))));
    assert!(!state.photos.is_busy());
}

#[test]
fn pictures_of_ones_own_stay_until_they_are_removed() {
    let (mut state, _) = loaded("");
    let own = |value: u8| Rc::new(Own::new(1, vec![value; 3]).unwrap());
    let slot = crate::app::panels::mix::Mix::SLOTS.first().unwrap();
    let kept = |effects: Vec<Effect>| {
        effects.into_iter().find_map(|effect| match effect {
            Effect::KeepPhotos(photos) => Some(photos),
            _ => None,
        })
    };
    state.update(Event::Photos(vec![own(9)]));
    assert_eq!(kept(state.update(Event::Picked(slot, Pick::Own(own(1))))), Some(vec![own(1), own(9)]));
    // One that is used again comes to the front, and is there once.
    assert_eq!(kept(state.update(Event::Picked(slot, Pick::Own(own(9))))), Some(vec![own(9), own(1)]));
    assert_eq!(kept(state.update(Event::Picked(slot, Pick::Sample { seed: 3, index: 0 }))), None);
    assert_eq!(kept(state.update(Event::RemovePhoto(own(9)))), Some(vec![own(1)]));
    for value in 10..40 {
        state.update(Event::Picked(slot, Pick::Own(own(value))));
    }
    assert_eq!((state.photos.kept.len(), &state.photos.kept[0]), (super::super::photos::MOST, &own(39)));
    // Somebody else's picture in a link is not the reader's.
    let link = format!("#panel=mix&a=own.{}", own(200).code());
    state.update(Event::Address(link));
    assert!(!state.photos.kept.contains(&own(200)));
}
