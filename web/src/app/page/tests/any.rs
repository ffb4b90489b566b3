//! Any events in any order leave the page where its address leads: what it is set to is what a page shows that is opened
//! at that address. The events are proptest's, the same ones in every run; `PROPTEST_CASES=5000` tries more.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use super::*;
use crate::address::spell_temperature;
use crate::app::panels::explore::state::ExploreEvent;
use crate::app::panels::inpaint::state::InpaintEvent;
use crate::app::panels::list::slots;
use crate::app::panels::train::state::TrainEvent;
use crate::protocol::ModelSize;
use shared::LevelConfig;
use shared::geometry::LatentAddress;

fn cases(cases: u32) -> Config {
    let set = Config::default();
    let chosen = std::env::var_os("PROPTEST_CASES").is_some();
    let seed = if std::env::var_os("PROPTEST_RNG_SEED").is_some() { set.rng_seed } else { RngSeed::Fixed(20) };
    Config { cases: if chosen { set.cases } else { cases }, rng_seed: seed, failure_persistence: None, ..set }
}

/// A model's architecture: of three levels, of two with an edge whose area is no multiple of 8, of one.
fn config(which: usize) -> RgFlowConfig {
    let level = LevelConfig { layers: 1, res_blocks: 1, mlp: 1, hidden: 1 };
    let other = |block, size, levels| RgFlowConfig { block, ..RgFlowConfig::new(size, vec![level; levels]) };
    [RgFlowConfig::tiny(), other(6, 12, 2), other(6, 6, 1)][which].clone()
}

/// A page, the tasks that nobody has answered, and what its models are like.
struct Visit {
    state: State,
    open: Vec<Asked>,
    config: RgFlowConfig,
}

impl Visit {
    fn at(fragment: &str, config: &RgFlowConfig) -> Self {
        let state = State::new(fragment, BackendChoice::Auto, "http://x/models/index.json".into());
        let mut visit = Self { state, open: vec![], config: config.clone() };
        let effects = hello(&mut visit.state);
        visit.follow(effects);
        visit
    }

    /// The list and the models come at once; other tasks wait.
    fn follow(&mut self, effects: Vec<Effect>) {
        for asked in requests(effects) {
            let last = match asked.task {
                Task::Index { .. } => models(),
                Task::Load(_) => {
                    let (config, card) = (self.config.clone(), Card::default());
                    Last::Ready(Box::new(ModelInfo {
                        config,
                        card,
                        joint: true,
                        backend: Backend::Cpu,
                        cached: false,
                        millis: 1.0,
                    }))
                }
                _ => {
                    self.open.push(asked);
                    continue;
                }
            };
            let effects = says(&mut self.state, asked.id, last);
            self.follow(effects);
        }
    }

    fn take(&mut self, happening: Happening) {
        let effects = match happening {
            Happening::Page(event) => self.state.update(event),
            Happening::Panel(event) => self.state.update(event),
            Happening::Answer(which, well) => {
                if self.open.is_empty() {
                    return;
                }
                let asked = self.open.remove(which % self.open.len());
                let last = if well { self.answer(&asked.task) } else { failed("no") };
                says(&mut self.state, asked.id, last)
            }
        };
        self.follow(effects);
    }

    /// An answer as the worker would give it.
    fn answer(&self, task: &Task) -> Last {
        let size = self.config.size;
        let image = || Image { size: size as u32, rgba: ByteBuf::from(vec![90; size * size * 4]) };
        match task {
            Task::Edit(Edit::Latents { .. }) => Last::Answer(Answer::Latents(vec![0.25; self.config.dims()])),
            Task::Edit(Edit::Positions { count, .. }) => Last::Answer(Answer::Positions(vec![0.5; *count as usize])),
            Task::Edit(Edit::Steps { .. }) => {
                let images = (0..self.config.level_count()).map(|_| image()).collect();
                Last::Answer(Answer::Grown(Grown { images, means: vec![] }))
            }
            Task::Draw(Draw::Mix { cells, .. }) => Last::Answer(Answer::Images(vec![image(); cells.len()])),
            Task::Edit(Edit::Interpolate { .. } | Edit::Change { .. }) => Last::Answer(Answer::Images(vec![image()])),
            _ => Last::Done,
        }
    }
}

#[derive(Clone, Debug)]
enum Happening {
    Page(Event),
    Panel(PanelEvent),
    /// One of the open tasks is answered, or fails.
    Answer(usize, bool),
}

fn pick() -> impl Strategy<Value = Pick> {
    let sample = (0..20u64, 0..20u32).prop_map(|(seed, index)| Pick::Sample { seed, index });
    let drawing = (any::<bool>(), 0..150u32).prop_map(|(joint, t)| Drawing {
        latents: if joint { Latents::Joint } else { Latents::Independent },
        temperature: Temperature::uniform(t as f32 / 100.0),
    });
    let drawn =
        (0..20u64, 0..20u32, drawing.clone()).prop_map(|(seed, index, drawing)| Pick::Drawn { seed, index, drawing });
    let own = (1..=16usize, any::<u8>())
        .prop_map(|(size, grey)| Pick::Own(std::rc::Rc::new(Own::new(size, vec![grey; size * size * 3]).unwrap())));
    let plain = prop_oneof![3 => sample, 1 => drawn, 1 => own];
    let rerolls = prop::collection::vec((1..4u32, 0..99u64), 0..3);
    (plain, rerolls, drawing).prop_map(|(plain, rerolls, drawing)| {
        rerolls.into_iter().fold(plain, |pick, (below, seed)| pick.rerolled(below, seed, &drawing))
    })
}

/// Numbers as sliders give them.
fn hundredths(within: std::ops::Range<i32>) -> impl Strategy<Value = f32> {
    (within.start * 100..within.end * 100).prop_map(|hundredths| hundredths as f32 / 100.0)
}

fn of_page() -> impl Strategy<Value = Event> {
    let panel = prop::sample::select(Panel::ALL);
    prop_oneof![
        4 => panel.prop_map(Event::Show),
        2 => (0..u64::MAX).prop_map(Event::NewSamples),
        1 => "[0-9]{1,17}|-1|x".prop_map(Event::SeedTyped),
        2 => hundredths(-1..3).prop_map(Event::Uniform),
        2 => (0..5usize, hundredths(-1..3)).prop_map(|(level, t)| Event::Level(level, t)),
        1 => Just(Event::Temperatures(None)),
        1 => any::<bool>().prop_map(|joint| Event::Latents(if joint { Latents::Joint } else { Latents::Independent })),
        1 => any::<bool>().prop_map(|first| Event::Model(if first { "a" } else { "b" }.into())),
        4 => (any::<prop::sample::Index>(), pick()).prop_map(|(at, pick)| {
            let slots = slots();
            Event::Picked(slots[at.index(slots.len())], pick)
        }),
        2 => pick().prop_map(Event::Recall),
        1 => pick().prop_map(Event::Pin),
        1 => prop::option::of(0..12usize).prop_map(Event::Tour),
        1 => (-2..3isize).prop_map(Event::TourBy),
        1 => any::<bool>().prop_map(Event::Smooth),
        1 => Just(Event::Gallery),
        1 => Just(Event::AddressWanted),
        1 => Just(Event::Redraw),
        1 => Just(Event::Notice("Take note.".into())),
    ]
}

fn of_panel() -> impl Strategy<Value = PanelEvent> {
    let at = (0..4usize, 0..4usize, 0..6usize, 0..6usize);
    let latent = at.prop_map(|(level, channel, row, col)| LatentAddress { level, channel, row, col });
    let sample = prop_oneof![
        (0..20usize).prop_map(SampleEvent::Choose),
        any::<u32>().prop_map(|seed| SampleEvent::Another(seed.into())),
        (0..4usize, any::<u32>()).prop_map(|(below, seed)| SampleEvent::Reroll(below, seed.into())),
        (0..6usize).prop_map(SampleEvent::Depth),
        (0..6usize).prop_map(SampleEvent::Play),
        Just(SampleEvent::Grown),
    ];
    let mix = prop_oneof![
        (0..6usize).prop_map(MixEvent::Cut),
        hundredths(-1..2).prop_map(MixEvent::Share),
        Just(MixEvent::Swap),
        [pick(), pick()].prop_map(MixEvent::Pair),
        (0..5usize, 0..5usize).prop_map(|(row, col)| MixEvent::Cell(row, col)),
    ];
    let explore = prop_oneof![
        2 => latent.prop_map(ExploreEvent::Latent),
        1 => (0..5usize).prop_map(ExploreEvent::Channel),
        1 => (0..17usize, 0..17usize).prop_map(|(row, col)| ExploreEvent::Pixel(row, col)),
        2 => hundredths(-9..9).prop_map(ExploreEvent::Value),
        2 => (0..20usize, hundredths(-5..5)).prop_map(|(direction, to)| ExploreEvent::Direction(direction, to)),
        2 => prop::sample::select(vec![
            ExploreEvent::Strips,
            ExploreEvent::Compare,
            ExploreEvent::Settled,
            ExploreEvent::Undo,
            ExploreEvent::Reset,
            ExploreEvent::Search,
            ExploreEvent::Film,
        ]),
    ];
    let inpaint = prop_oneof![
        4 => (0..18usize, 0..18usize, any::<bool>()).prop_map(|(row, col, first)| InpaintEvent::Brush { row, col, first }),
        1 => (0..5usize).prop_map(InpaintEvent::Preset),
        1 => (0..9usize).prop_map(InpaintEvent::Size),
        1 => any::<bool>().prop_map(InpaintEvent::Erase),
        1 => (0..7usize).prop_map(InpaintEvent::Choose),
        4 => prop::sample::select(vec![
            InpaintEvent::Lifted,
            InpaintEvent::Undo,
            InpaintEvent::Clear,
            InpaintEvent::Again,
            InpaintEvent::Reveal,
            InpaintEvent::Race,
            InpaintEvent::StopRace,
            InpaintEvent::RaceElsewhere,
        ]),
    ];
    let train = prop_oneof![
        any::<bool>().prop_map(TrainEvent::Own),
        prop::sample::select(vec![ModelSize::Small, ModelSize::Medium, ModelSize::Large]).prop_map(TrainEvent::Size),
        any::<u64>().prop_map(TrainEvent::Go),
        Just(TrainEvent::Reset),
    ];
    prop_oneof![
        1 => sample.prop_map(PanelEvent::Sample),
        1 => mix.prop_map(PanelEvent::Mix),
        2 => explore.prop_map(PanelEvent::Explore),
        2 => inpaint.prop_map(PanelEvent::Inpaint),
        1 => train.prop_map(PanelEvent::Train),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        2 => of_page().prop_map(Happening::Page),
        3 => of_panel().prop_map(Happening::Panel),
        3 => (any::<usize>(), prop::bool::weighted(0.9)).prop_map(|(which, well)| Happening::Answer(which, well)),
    ]
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn any_events_leave_the_page_where_its_address_leads(
        which in 0..3usize,
        happenings in prop::collection::vec(happening(), 1..40),
    ) {
        let config = config(which);
        let mut visit = Visit::at("", &config);
        for happening in happenings {
            visit.take(happening);
            let address = visit.state.address();
            let fresh = Visit::at(&format!("#{address}"), &config);
            // That a model is not there is said here, too.
            let unread = fresh.state.notices.iter().find(|notice| notice.contains("The link"));
            prop_assert!(unread.is_none(), "{:?} at {}", unread, address);
            prop_assert_eq!(fresh.state.address(), address.clone());
            let (here, there) = (&visit.state, &fresh.state);
            prop_assert_eq!(there.settings.panel, here.settings.panel);
            prop_assert_eq!(there.settings.seed, here.settings.seed);
            let drawn = |state: &State| (state.drawing().latents, spell_temperature(&state.drawing().temperature));
            prop_assert_eq!(drawn(there), drawn(here));
            prop_assert_eq!(there.is_smooth(), here.is_smooth());
            prop_assert_eq!(there.settings.tour, here.settings.tour);
            prop_assert_eq!(there.settings.exercise, here.settings.exercise);
        }
    }
}
