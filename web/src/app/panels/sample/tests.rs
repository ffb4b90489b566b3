use super::address::SampleSettings;
use super::state::{GRID, Sample, SampleEvent};
use crate::app::effect::{Effect, Ids};
use crate::app::panels::{Bench, PanelState};
use crate::protocol::{Answer, Draw, Drawing, Edit, Grown, Image, Picture, Request, Source, Task};
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
    assert_eq!(indices(&sample.refresh(&mut SampleSettings::default(), &mut bench)), Vec::from_iter(1..16));
    // They are on their way already.
    assert!(sample.refresh(&mut SampleSettings::default(), &mut bench).is_empty());
    sample.arrived(Picture { index: 0, size: 16, rgba: ByteBuf::new(), bits: 3.0, millis: 4.0 });
    assert_eq!(sample.stop(), [Effect::cancel(3), Effect::cancel(2)]);
    let again = indices(&sample.refresh(&mut SampleSettings::default(), &mut bench));
    assert_eq!((again[0], again[GRID - 1]), (1, 0));
}

#[test]
fn the_first_picture_comes_alone_before_the_steps() {
    let (config, mut ids) = (RgFlowConfig::tiny(), Ids::default());
    let (mut sample, mut settings) = (Sample::default(), SampleSettings::default());
    let asked = sample.refresh(&mut settings, &mut Bench::nameless(&config, &mut ids));
    assert_eq!((indices(&asked[..1]), grows(&asked[1..2]).len(), indices(&asked).len()), (vec![0], 1, GRID - 1));
    assert!(sample.awaits(1) && sample.awaits(3) && !sample.awaits(2) && !sample.awaits(0));
    sample.arrived(Picture { index: 0, size: 16, rgba: ByteBuf::new(), bits: 3.0, millis: 4.0 });
    assert!(!sample.is_stale(0) && sample.is_stale(1));
    // Of another seed all sixteen are asked for at once, and a picture that was asked for alone is none of them.
    let asked = sample.refresh(&mut settings, &mut Bench { seed: 2, ..Bench::nameless(&config, &mut ids) });
    assert_eq!(indices(&asked).len(), GRID);
    assert!(!sample.awaits(1));
    // The same where nothing had come before another seed was wanted.
    let mut sample = Sample::default();
    sample.refresh(&mut settings, &mut Bench::nameless(&config, &mut ids));
    let asked = sample.refresh(&mut settings, &mut Bench { seed: 2, ..Bench::nameless(&config, &mut ids) });
    assert_eq!(indices(&asked).len(), GRID);
}

/// What the microscope is asked for.
fn grows(effects: &[Effect]) -> Vec<Source> {
    let source = |effect: &Effect| match effect {
        Effect::Send(Request::Serve { task: Task::Edit(Edit::Steps { source }), .. }) => Some(source.clone()),
        _ => None,
    };
    effects.iter().filter_map(source).collect()
}

fn image(size: u32) -> Image {
    Image { size, rgba: ByteBuf::new() }
}

#[test]
fn the_microscope_follows_the_seed_until_a_picture_is_chosen_and_that_stays() {
    let (config, mut ids) = (RgFlowConfig::tiny(), Ids::default());
    let (mut sample, mut settings) = (Sample::default(), SampleSettings::default());
    let drawing = |t| Drawing::independent(Temperature::uniform(t));
    let source = |index, t| Source::Sample { seed: 1, index, drawing: drawing(t) };
    let mut bench = Bench::nameless(&config, &mut ids);
    assert_eq!(grows(&sample.refresh(&mut settings, &mut bench)), [source(0, 0.5)]);
    assert_eq!((sample.growth(), sample.main_place()), (None, None));
    sample.arrived(Picture { index: 0, size: 16, rgba: ByteBuf::new(), bits: 3.0, millis: 4.0 });
    sample.arrived(Picture { index: 3, size: 16, rgba: ByteBuf::new(), bits: 3.0, millis: 4.0 });
    assert_eq!(sample.main_place(), Some(0));
    let grown = Grown { images: [4, 8, 16].map(image).into(), means: vec![0.5, 0.6, 0.7] };
    sample.take(0, Answer::Grown(grown), &settings, &config);
    assert_eq!(sample.growth().unwrap().1.len(), 3);
    assert_eq!((sample.mean(0), sample.mean(2), sample.mean(3)), (Some(0.5), Some(0.7), None));
    // It is here already.
    assert!(grows(&sample.refresh(&mut settings, &mut bench)).is_empty());
    // Another temperature, which the picture under the microscope follows; nothing else is drawn yet.
    let mut bench = Bench { drawing: drawing(0.9), ..Bench::nameless(&config, &mut ids) };
    assert_eq!(grows(&sample.refresh(&mut settings, &mut bench)), [source(0, 0.9)]);
    assert_eq!((sample.growth(), sample.mean(0)), (None, None), "another picture's mean is not this one's");
    // One that is not there cannot be chosen; one that is keeps the temperature that it has.
    assert!(grows(&sample.update(SampleEvent::Choose(4), &mut settings, &mut bench)).is_empty());
    assert_eq!(grows(&sample.update(SampleEvent::Choose(3), &mut settings, &mut bench)), [source(3, 0.5)]);
    assert_eq!(sample.main_place(), Some(3));
    let mut bench = Bench { seed: 2, ..Bench::nameless(&config, &mut ids) };
    assert!(grows(&sample.refresh(&mut settings, &mut bench)).is_empty());
}

#[test]
fn bits_come_after_the_steps_and_belong_to_one_picture() {
    let (config, mut ids) = (RgFlowConfig::tiny(), Ids::default());
    let (mut sample, mut settings) = (Sample::default(), SampleSettings::default());
    let mut bench = Bench::nameless(&config, &mut ids);
    let weighs = |effects: &[Effect]| match effects {
        [Effect::Send(Request::Serve { task: Task::Edit(Edit::Bits { source }), .. })] => source.clone(),
        other => panic!("{other:?}"),
    };
    sample.refresh(&mut settings, &mut bench);
    sample.take(2, Answer::Grown(Grown { images: [4, 8, 16].map(image).into(), means: vec![] }), &settings, &config);
    let asked = sample.lives().remove(0).over(2, bench.ids).unwrap();
    assert!(matches!(weighs(&asked), Source::Sample { seed: 1, index: 0, .. }));
    assert_eq!(sample.scale_bits(), None);
    // The panel is left before they come, so they are asked for when it is back, and the steps are not.
    assert_eq!(sample.stop(), [Effect::cancel(3), Effect::cancel(4)]);
    let again = sample.refresh(&mut settings, &mut bench);
    weighs(&again[1..2]);
    sample.take(6, Answer::Bits(vec![3.0, 4.0, 5.0]), &settings, &config);
    sample.lives().remove(0).over(6, bench.ids);
    assert_eq!(sample.scale_bits(), Some(&[3.0, 4.0, 5.0][..]));
    assert!(grows(&sample.refresh(&mut settings, &mut bench)).is_empty());
    // They are not another picture's.
    sample.update(SampleEvent::Another(9), &mut settings, &mut bench);
    assert_eq!(sample.scale_bits(), None);
}

#[test]
fn a_reroll_keeps_the_coarse_picture_and_shows_the_rest_coming() {
    let (config, mut ids) = (RgFlowConfig::tiny(), Ids::default());
    let (mut sample, mut settings) = (Sample::default(), SampleSettings::default());
    let mut bench = Bench::nameless(&config, &mut ids);
    sample.refresh(&mut settings, &mut bench);
    let mut update = |sample: &mut Sample, event| sample.update(event, &mut settings, &mut bench);
    update(&mut sample, SampleEvent::Depth(1));
    let asked = grows(&update(&mut sample, SampleEvent::Reroll(2, 77)));
    let [Source::Rerolled { of, rerolls, .. }] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((rerolls[0].below, rerolls[0].seed, sample.playing), (2, 77, Some(1)));
    assert!(matches!(**of, Source::Sample { seed: 1, index: 0, .. }));
    // Nothing is coarser than the coarsest, and nothing finer than the finest.
    assert!(update(&mut sample, SampleEvent::Reroll(3, 7)).is_empty());
    assert!(update(&mut sample, SampleEvent::Reroll(0, 7)).is_empty());
    // All that is new comes at once; played, it comes step by step.
    assert!(update(&mut sample, SampleEvent::Grown).is_empty());
    assert_eq!(sample.playing, None);
    update(&mut sample, SampleEvent::Play(1));
    update(&mut sample, SampleEvent::Grown);
    assert_eq!(sample.playing, Some(2));
    update(&mut sample, SampleEvent::Grown);
    assert_eq!((sample.playing, settings.depth), (None, None));
}
