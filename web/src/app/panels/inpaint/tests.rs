use super::address::InpaintSettings;
use super::state::{Inpaint, InpaintEvent, Truth};
use crate::app::effect::{Effect, Ids};
use crate::app::panels::{Bench, PanelState};
use crate::index::{ModelEntry, NamedHole};
use crate::protocol::{Answer, Completion, Fill, Hole, Image, Request, Standing, Task};
use shared::RgFlowConfig;

fn sent(effects: Vec<Effect>) -> Vec<Request<Task>> {
    let request = |effect| match effect {
        Effect::Send(request) => Some(request),
        _ => None,
    };
    effects.into_iter().filter_map(request).collect()
}

/// The hole that was asked to be filled last.
fn hole(requests: &[Request<Task>]) -> &Hole {
    match requests.last() {
        Some(Request::Serve { task: Task::Fill(Fill::Hole(hole)), .. }) => hole,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_stroke_is_painted_filled_and_taken_back() {
    let (config, mut ids) = (RgFlowConfig::tiny(), Ids::default());
    let (mut inpaint, mut settings) = (Inpaint::default(), InpaintSettings::default());
    let mut bench = Bench::nameless(&config, &mut ids);
    let mut go = |event| inpaint.update(event, &mut settings, &mut bench);
    assert_eq!(go(InpaintEvent::Brush { row: 0, col: 5, first: true }), []);
    go(InpaintEvent::Brush { row: 0, col: 6, first: false });
    assert_eq!(hole(&sent(go(InpaintEvent::Lifted))).unknown, [4, 5, 6, 7, 20, 21, 22, 23]);
    // A quick stroke leaves no gaps, and the next one begins anew.
    let mut quick = (Inpaint::default(), InpaintSettings::default(), Ids::default());
    quick.0.brush = 1;
    for (row, col, first) in [(2, 1, true), (5, 7, false), (15, 15, true)] {
        let event = InpaintEvent::Brush { row, col, first };
        quick.0.update(event, &mut quick.1, &mut Bench::nameless(&config, &mut quick.2));
    }
    let places = quick.1.mask.places();
    assert_eq!((places.len(), places[0], places[6], places[7]), (8, (2, 1), (5, 7), (15, 15)));
    // A new stroke stops what is under way.
    assert_eq!(sent(go(InpaintEvent::Brush { row: 9, col: 9, first: true })), [Request::Cancel { id: 1 }]);
    go(InpaintEvent::Undo);
    go(InpaintEvent::Undo);
    assert!(!inpaint.can_undo() && settings.mask.count() == 0);
}

#[test]
fn a_preset_replaces_what_was_painted_and_the_eraser_takes_away() {
    let (config, mut ids) = (RgFlowConfig::tiny(), Ids::default());
    let (mut inpaint, mut settings) = (Inpaint::default(), InpaintSettings::default());
    let mut bench = Bench::nameless(&config, &mut ids);
    inpaint.update(InpaintEvent::Preset(2), &mut settings, &mut bench);
    inpaint.update(InpaintEvent::Preset(0), &mut settings, &mut bench);
    assert_eq!(settings.mask.count(), 128);
    let cone = inpaint.cone(&settings, &config);
    assert!(cone.iter().all(|level| !level.latents.is_empty()));
    inpaint.update(InpaintEvent::Erase(true), &mut settings, &mut bench);
    inpaint.update(InpaintEvent::Brush { row: 12, col: 4, first: true }, &mut settings, &mut bench);
    assert_eq!(settings.mask.count(), 119);
    assert_eq!(hole(&sent(inpaint.update(InpaintEvent::Again, &mut settings, &mut bench))).seed, 1);
    assert!(inpaint.update(InpaintEvent::Preset(99), &mut settings, &mut bench).is_empty());
}

#[test]
fn the_panel_opens_with_the_models_own_hole() {
    let (config, mut ids) = (RgFlowConfig::tiny(), Ids::default());
    let hole = |name: &str, borders| NamedHole { name: name.to_owned(), borders };
    let (mut inpaint, mut settings) = (Inpaint::default(), InpaintSettings::default());
    let mut open = |inpaint: &mut Inpaint, settings: &mut InpaintSettings, hole: NamedHole| {
        let entry = ModelEntry { holes: vec![hole], ..ModelEntry::default() };
        let mut bench = Bench { entry: Some(&entry), ..Bench::nameless(&config, &mut ids) };
        inpaint.refresh(settings, &mut bench);
        settings.mask.count()
    };
    assert_eq!(open(&mut inpaint, &mut settings, hole("Eyes", [0, 0, 25, 100])), 64);
    // Another model has other holes, or the same elsewhere.
    inpaint.clear();
    assert_eq!(open(&mut inpaint, &mut settings, hole("Eyes", [0, 0, 50, 100])), 128);
    inpaint.clear();
    assert_eq!(open(&mut inpaint, &mut settings, hole("One oval", [0, 0, 25, 25])), 16);
    // What was taken away stays away, and what was painted stays.
    let mut ids = Ids::default();
    inpaint.update(InpaintEvent::Clear, &mut settings, &mut Bench::nameless(&config, &mut ids));
    assert_eq!(open(&mut inpaint, &mut settings, hole("One oval", [0, 0, 25, 25])), 0);
    settings.mask.set(3, 3, true);
    inpaint.clear();
    assert_eq!(open(&mut inpaint, &mut settings, hole("One oval", [0, 0, 25, 25])), 1);
}

#[test]
fn a_completion_is_chosen_and_the_truth_waits_to_be_asked_for() {
    let (config, mut ids) = (RgFlowConfig::tiny(), Ids::default());
    let (mut inpaint, mut settings) = (Inpaint::default(), InpaintSettings::default());
    let image = |grey: u8| Image { size: 16, rgba: vec![grey; 16 * 16 * 4].into() };
    inpaint.refresh(&mut settings, &mut Bench::nameless(&config, &mut ids));
    inpaint.take(1, Answer::Images(vec![image(9)]), &settings, &config);
    let completion = Completion { image: image(1), samples: vec![image(2), image(3)], taken: 1, of: 2 };
    inpaint.take(2, Answer::Completion(completion), &settings, &config);
    let grey = |inpaint: &Inpaint, settings: &InpaintSettings| inpaint.shown(settings).unwrap().rgba[0];
    let mut go = |inpaint: &mut Inpaint, settings: &mut InpaintSettings, event| {
        inpaint.update(event, settings, &mut Bench::nameless(&config, &mut ids))
    };
    assert_eq!(grey(&inpaint, &settings), 1);
    go(&mut inpaint, &mut settings, InpaintEvent::Choose(2));
    assert_eq!((grey(&inpaint, &settings), settings.choice, inpaint.truth), (3, 2, Truth::Hidden));
    // One that is still being made: the most likely one stands in for it.
    go(&mut inpaint, &mut settings, InpaintEvent::Choose(4));
    assert_eq!(grey(&inpaint, &settings), 1);
    go(&mut inpaint, &mut settings, InpaintEvent::Reveal);
    assert_eq!((grey(&inpaint, &settings), inpaint.truth), (9, Truth::Shown));
    go(&mut inpaint, &mut settings, InpaintEvent::Choose(1));
    assert_eq!((grey(&inpaint, &settings), inpaint.truth), (2, Truth::Known));
    // Another hole is another riddle.
    go(&mut inpaint, &mut settings, InpaintEvent::Preset(1));
    assert_eq!((settings.choice, inpaint.truth), (0, Truth::Hidden));
}

#[test]
fn a_race_runs_against_the_models_rival_and_ends_with_its_hole() {
    let (config, mut ids) = (RgFlowConfig::tiny(), Ids::default());
    let (mut inpaint, mut settings) = (Inpaint::default(), InpaintSettings::default());
    let rival = ModelEntry { id: "rival".to_owned(), ..ModelEntry::default() };
    let entry = ModelEntry { rival: Some(Box::new(rival.clone())), ..ModelEntry::default() };
    let mut bench = Bench { entry: Some(&entry), ..Bench::nameless(&config, &mut ids) };
    inpaint.refresh(&mut settings, &mut bench);
    let started = sent(inpaint.update(InpaintEvent::Race, &mut settings, &mut bench));
    let [Request::Serve { id, task: Task::Fill(Fill::Race(race)) }] = &started[..] else { panic!("{started:?}") };
    assert_eq!((&*race.rival, race.base.as_str(), race.hole.samples), (&rival, "http://x/models/", 0));
    assert_eq!(race.hole.unknown.len(), settings.mask.count());
    inpaint.take(*id, Answer::Race(Standing { loaded: 1, total: 2, lanes: vec![] }), &settings, &config);
    assert!(inpaint.is_racing() && inpaint.standing.is_some() && settings.race && !inpaint.led_to_race);
    let stopped = sent(inpaint.update(InpaintEvent::Preset(1), &mut settings, &mut bench));
    assert!(stopped.contains(&Request::Cancel { id: *id }), "{stopped:?}");
    assert!(inpaint.standing.is_none() && !settings.race);
    // A model without a rival runs no race, but it can send the reader to one that has.
    let mut alone = Bench::nameless(&config, bench.ids);
    assert!(inpaint.update(InpaintEvent::Race, &mut settings, &mut alone).is_empty());
    inpaint.update(InpaintEvent::RaceElsewhere, &mut settings, &mut alone);
    inpaint.clear();
    let mut bench = Bench { entry: Some(&entry), ..Bench::nameless(&config, &mut ids) };
    let begun = sent(inpaint.refresh(&mut settings, &mut bench));
    assert!(matches!(begun.last(), Some(Request::Serve { task: Task::Fill(Fill::Race(_)), .. })), "{begun:?}");
    // A link leads to it, where the model has a rival.
    let link = InpaintSettings { race: true, ..InpaintSettings::default() };
    let (mut fresh, mut settings) = (Inpaint::default(), link.clone());
    let begun = sent(fresh.refresh(&mut settings, &mut bench));
    assert!(matches!(begun.last(), Some(Request::Serve { task: Task::Fill(Fill::Race(_)), .. })), "{begun:?}");
    assert!(fresh.led_to_race && settings.race);
    let (mut fresh, mut settings) = (Inpaint::default(), link);
    fresh.refresh(&mut settings, &mut Bench::nameless(&config, &mut Ids::default()));
    assert!(!fresh.is_racing() && !settings.race);
}

#[test]
fn a_race_elsewhere_takes_the_hole_along() {
    let (config, mut ids) = (RgFlowConfig::tiny(), Ids::default());
    let (mut inpaint, mut settings) = (Inpaint::default(), InpaintSettings::default());
    let entry = |name: &str, borders| {
        let hole = NamedHole { name: name.to_owned(), borders };
        ModelEntry { holes: vec![hole], rival: Some(Box::default()), ..ModelEntry::default() }
    };
    let here = entry("Eyes", [0, 0, 25, 100]);
    let mut bench = Bench { entry: Some(&here), ..Bench::nameless(&config, &mut ids) };
    inpaint.update(InpaintEvent::Preset(0), &mut settings, &mut bench);
    inpaint.update(InpaintEvent::RaceElsewhere, &mut settings, &mut bench);
    inpaint.clear();
    let there = entry("One oval", [0, 0, 25, 25]);
    let mut bench = Bench { entry: Some(&there), ..Bench::nameless(&config, &mut ids) };
    inpaint.refresh(&mut settings, &mut bench);
    assert_eq!((settings.mask.count(), settings.race), (64, true));
}
