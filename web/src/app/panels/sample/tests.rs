use super::state::{GRID, Sample, SampleEvent};
use crate::app::effect::{Effect, Ids};
use crate::app::panels::{Bench, PanelState};
use crate::protocol::{Draw, Edit, Picture, Request, Source, Task};
use serde_bytes::ByteBuf;
use shared::{RgFlowConfig, Temperature};

fn indices(effects: &[Effect]) -> Vec<u32> {
    match effects.last() {
        Some(Effect::Send(Request::Serve { task: Task::Draw(Draw::Samples { indices, .. }), .. })) => indices.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_stopped_is_asked_for_again_and_what_is_here_comes_last() {
    let (config, mut ids) = (RgFlowConfig::tiny(), Ids::default());
    let (mut sample, mut bench) = (Sample::default(), Bench::nameless(&config, &mut ids));
    assert_eq!(indices(&sample.refresh(&mut (), &mut bench)).len(), GRID);
    // They are on their way already.
    assert!(sample.refresh(&mut (), &mut bench).is_empty());
    sample.arrived(Picture { index: 0, size: 16, rgba: ByteBuf::new(), bits: 3.0, millis: 4.0 });
    assert_eq!(sample.stop(), [Effect::cancel(1)]);
    let again = indices(&sample.refresh(&mut (), &mut bench));
    assert_eq!((again[0], again[GRID - 1]), (1, 0));
}

#[test]
fn a_picture_grows_from_what_is_shown() {
    let (config, mut ids) = (RgFlowConfig::tiny(), Ids::default());
    let mut sample = Sample::default();
    sample.refresh(&mut (), &mut Bench::nameless(&config, &mut ids));
    sample.arrived(Picture { index: 3, size: 16, rgba: ByteBuf::new(), bits: 3.0, millis: 4.0 });
    // Another temperature, for which nothing is drawn yet.
    let mut bench = Bench { temperature: Temperature::uniform(0.9), ..Bench::nameless(&config, &mut ids) };
    assert!(sample.update(SampleEvent::Enlarged(4), &mut (), &mut bench).is_empty());
    let source = Source::Sample { seed: 1, index: 3, temperature: Temperature::uniform(0.5) };
    assert_eq!(
        sample.update(SampleEvent::Enlarged(3), &mut (), &mut bench),
        [Effect::serve(2, Edit::Steps { source })]
    );
}
