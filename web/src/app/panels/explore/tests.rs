use std::rc::Rc;

use super::address::{ExploreSettings, LatentEdit};
use super::state::{Explore, ExploreEvent};
use crate::app::effect::{Effect, Ids};
use crate::app::panels::{Bench, PanelState};
use crate::protocol::{Answer, Edit, Image, Request, Task};
use serde_bytes::ByteBuf;
use shared::RgFlowConfig;
use shared::geometry::LatentAddress;
use shared::weights::{Card, NamedFactor};

fn at(level: usize, row: usize, col: usize) -> LatentAddress {
    LatentAddress { level, row, col, channel: 1 }
}

#[test]
fn a_slider_is_one_edit_and_undo_takes_it_back() {
    let (config, mut ids) = (RgFlowConfig::tiny(), Ids::default());
    let (mut explore, mut settings) = (Explore::default(), ExploreSettings::default());
    let mut bench = Bench::nameless(&config, &mut ids);
    let mut go = |event| explore.update(event, &mut settings, &mut bench);
    go(ExploreEvent::Value(1.0));
    go(ExploreEvent::Latent(at(2, 1, 1)));
    for value in [0.5, 1.0, 2.0] {
        go(ExploreEvent::Value(value));
    }
    go(ExploreEvent::Settled);
    go(ExploreEvent::Latent(at(0, 0, 1)));
    go(ExploreEvent::Value(-1.0));
    go(ExploreEvent::Undo);
    assert_eq!(settings.edits, [LatentEdit { at: at(2, 1, 1), value: 2.0 }]);
    explore.update(ExploreEvent::Reset, &mut settings, &mut bench);
    assert!(settings.edits.is_empty());
    explore.update(ExploreEvent::Undo, &mut settings, &mut bench);
    assert_eq!(settings.edits.len(), 1);
    explore.update(ExploreEvent::Undo, &mut settings, &mut bench);
    assert!(settings.edits.is_empty() && !explore.can_undo());
}

#[test]
fn a_latent_or_a_pixel_is_chosen_and_never_both() {
    let (config, mut ids) = (RgFlowConfig::tiny(), Ids::default());
    let (mut explore, mut settings) = (Explore::default(), ExploreSettings::default());
    let mut bench = Bench::nameless(&config, &mut ids);
    explore.update(ExploreEvent::Latent(at(0, 2, 2)), &mut settings, &mut bench);
    assert_eq!(settings.at, None);
    let sent = explore.update(ExploreEvent::Latent(at(2, 1, 1)), &mut settings, &mut bench);
    assert_eq!(sent.len(), 2);
    assert_eq!(explore.cone(&settings, &config).unwrap()[0].pixels.len(), 16 * 16);
    explore.update(ExploreEvent::Pixel(3, 3), &mut settings, &mut bench);
    assert_eq!((settings.at, settings.pixel), (None, Some((3, 3))));
    // A link leads to it, in a model that has it.
    explore.refresh(&mut settings, &mut bench);
    assert_eq!((settings.at, settings.pixel), (None, Some((3, 3))));
    let mut outside = ExploreSettings { pixel: Some((16, 3)), ..settings.clone() };
    explore.refresh(&mut outside, &mut bench);
    assert!(outside.at.is_some() && outside.pixel.is_none());
    let cone = explore.cone(&settings, &config).unwrap();
    assert!(cone.iter().all(|level| !level.latents.is_empty()));
    assert!(cone[0].latents.len() < 16 * 16 * 3 / 4);
}

#[test]
fn the_first_latent_is_one_with_a_name() {
    let (config, mut ids) = (RgFlowConfig::tiny(), Ids::default());
    let first = |card: &Card, ids: &mut Ids| {
        let (mut explore, mut settings) = (Explore::default(), ExploreSettings::default());
        explore.refresh(&mut settings, &mut Bench { card, ..Bench::nameless(&config, ids) });
        settings.at
    };
    assert_eq!(first(&Card::default(), &mut ids), Some(LatentAddress { channel: 0, ..at(2, 1, 1) }));
    let factor = |at| NamedFactor { at, name: "an eye".to_owned() };
    let card = Card { factors: vec![factor(at(7, 0, 0)), factor(at(1, 0, 1))], ..Card::default() };
    assert_eq!(first(&card, &mut ids), Some(at(1, 0, 1)));
}

#[test]
fn a_search_says_how_far_it_is_to_its_own_button_alone() {
    let (config, mut ids) = (RgFlowConfig::tiny(), Ids::default());
    let (mut explore, mut settings) = (Explore::default(), ExploreSettings::default());
    let mut bench = Bench::nameless(&config, &mut ids);
    explore.update(ExploreEvent::Search, &mut settings, &mut bench);
    explore.update(ExploreEvent::Strips, &mut settings, &mut bench);
    let said = |explore: &Explore| [&explore.search, &explore.strips].map(|task| explore.so_far("At work", &[task]));
    assert_eq!(said(&explore), ["At work…", "At work…"]);
    explore.take(1, Answer::Searched(40), &settings, &config);
    assert_eq!(said(&explore), ["At work… 40 %", "At work…"]);
}

#[test]
fn a_film_goes_from_end_to_end_of_the_chosen_latent() {
    let (config, mut ids) = (RgFlowConfig::tiny(), Ids::default());
    let (mut explore, mut settings) = (Explore::default(), ExploreSettings::default());
    let mut bench = Bench::nameless(&config, &mut ids);
    assert!(explore.update(ExploreEvent::Film, &mut settings, &mut bench).is_empty());
    settings.at = Some(at(2, 1, 1));
    let sent = explore.update(ExploreEvent::Film, &mut settings, &mut bench);
    let [Effect::Send(Request::Serve { id, task: Task::Edit(Edit::Change { walk: Some(walk), .. }) })] = &sent[..]
    else {
        panic!("{sent:?}");
    };
    assert_eq!((walk.values[0], walk.values[12], walk.values[24]), (-3.0, 0.0, 3.0));
    assert!(explore.is_filming());
    let image = Image { size: 1, rgba: ByteBuf::from(vec![0; 4]) };
    explore.take(*id, Answer::Images(vec![image; 25]), &settings, &config);
    assert_eq!(explore.frames.as_ref().map(|frames| frames.len()), Some(25));
    assert!(explore.strip.is_empty() && explore.image.is_none());
}

#[test]
fn a_place_without_a_latent_says_so_and_another_latents_strip_goes() {
    let (config, mut ids) = (RgFlowConfig::tiny(), Ids::default());
    let (mut explore, mut settings) = (Explore::default(), ExploreSettings::default());
    let mut bench = Bench::nameless(&config, &mut ids);
    let image = Image { size: 1, rgba: ByteBuf::from(vec![0; 4]) };
    explore.strip = vec![Rc::new(image)];
    assert!(explore.update(ExploreEvent::Latent(at(0, 0, 0)), &mut settings, &mut bench).is_empty());
    assert_eq!((explore.empty, settings.at, explore.strip.len()), (Some(0), None, 1));
    explore.update(ExploreEvent::Latent(at(0, 0, 1)), &mut settings, &mut bench);
    assert_eq!((explore.empty, settings.at, explore.strip.len()), (None, Some(at(0, 0, 1)), 0));
}
