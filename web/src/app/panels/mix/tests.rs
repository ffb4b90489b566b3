use super::address::MixSettings;
use super::state::{Mix, MixEvent, TABLE};
use crate::address::Pick;
use crate::app::effect::{Effect, Ids};
use crate::app::panels::{Bench, PanelState};
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
