use super::address::MixSettings;
use super::state::{Mix, MixEvent, TABLE};
use crate::address::{GOOD_SEED, Own, Pick};
use crate::app::effect::{Effect, Ids};
use crate::app::panels::{Bench, PanelSettings, PanelState};
use crate::index::{ModelEntry, Pair};
use crate::protocol::{Draw, Drawing, Request, Task};
use shared::{RgFlowConfig, Temperature};

#[test]
fn no_picture_is_in_the_table_twice() {
    let (config, mut ids) = (RgFlowConfig::tiny(), Ids::default());
    let mut bench = Bench::nameless(&config, &mut ids);
    let pick = |index| Pick::Sample { seed: 1, index };
    let mut settings = MixSettings { a: pick(2), b: pick(0), ..MixSettings::default() };
    let sent = Mix::default().update(MixEvent::Cut(1), &mut settings, &mut bench);
    let [Effect::Send(Request::Serve { task: Task::Draw(Draw::Mix { sources, cells }), .. })] = &sent[..] else {
        panic!("{sent:?}");
    };
    assert_eq!((sources.len(), cells.len()), (2 * TABLE, 2 * TABLE + TABLE * TABLE));
    assert!((1..sources.len()).all(|i| !sources[..i].contains(&sources[i])), "{sources:?}");
    assert_eq!((&sources[0], &sources[TABLE]), (&bench.source(&pick(2)), &bench.source(&pick(0))));
}

#[test]
fn one_picture_in_both_places_is_noticed() {
    let set = Drawing::independent(Temperature::uniform(0.5));
    let pick = |index| Pick::Sample { seed: 1, index };
    let pair = |a: Pick, b: Pick| MixSettings { a, b, ..MixSettings::default() }.is_one_picture(&set);
    assert!(pair(pick(2), pick(2)) && pair(pick(2), pick(2).held_at(&set)));
    assert!(
        !pair(pick(2), pick(3)) && !pair(pick(2), pick(2).held_at(&Drawing::independent(Temperature::uniform(0.9))))
    );
}

#[test]
fn a_model_opens_with_its_own_pair_until_there_is_a_choice() {
    let entry = |a, b| ModelEntry { pair: Some(Pair { a, b, cut: 1, says: vec![] }), ..ModelEntry::default() };
    let pick = |index| Pick::Sample { seed: GOOD_SEED, index };
    let mut settings = MixSettings::default();
    settings.suit(Some(&entry(4, 5)));
    assert_eq!((&settings.a, &settings.b, settings.cut), (&pick(4), &pick(5), 1));
    settings.suit(Some(&ModelEntry::default()));
    assert_eq!((&settings.a, settings.cut), (&pick(4), 2));
    settings.suit(Some(&entry(6, 7)));
    assert_eq!(settings.a, pick(6));
    settings.read("a", "9.9").unwrap();
    settings.suit(Some(&entry(4, 5)));
    assert_eq!(settings.a, Pick::Sample { seed: 9, index: 9 });
    // Another model draws other samples, but a picture of the reader's stays what it is.
    settings.forget_samples();
    assert!(!settings.chosen);
    settings.read("b", &format!("own.{}", Own::new(1, vec![1, 2, 3]).unwrap().code())).unwrap();
    settings.forget_samples();
    assert!(settings.chosen);
}

#[test]
fn a_mixture_of_the_table_becomes_the_pair() {
    let (config, mut ids) = (RgFlowConfig::tiny(), Ids::default());
    let mut bench = Bench::nameless(&config, &mut ids);
    let pick = |index| Pick::Sample { seed: 1, index };
    let (mut mix, mut settings) = (Mix::default(), MixSettings { a: pick(2), b: pick(0), ..MixSettings::default() });
    assert_eq!(mix.update(MixEvent::Cell(0, 0), &mut settings, &mut bench), []);
    mix.refresh(&mut settings, &mut bench);
    // The others of the gallery follow, each once: 1, 3, 4 in the rows, 5, 6, 7 in the columns.
    mix.update(MixEvent::Cell(1, 2), &mut settings, &mut bench);
    assert_eq!((settings.a, settings.b, settings.chosen), (pick(1), pick(6), true));
}
