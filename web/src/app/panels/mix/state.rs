//! What the mix panel shows, and how it follows from what happened.

use std::rc::Rc;

use shared::RgFlowConfig;

use super::address::MixSettings;
use crate::address::Pick;
use crate::app::effect::Effect;
use crate::app::panel::Panel;
use crate::app::panels::live::Live;
use crate::app::panels::{Bench, PanelState};
use crate::app::slot::Slot;
use crate::protocol::{Answer, Draw, Edit, Image, MixCell, RequestId, Source};

/// Rows and columns of the table of mixtures.
pub const TABLE: usize = 4;

/// What happened in the panel.
#[derive(Clone, Debug, PartialEq)]
pub enum MixEvent {
    /// The dividing level moved.
    Cut(usize),
    /// A's share in the interpolation moved.
    Share(f32),
    /// A and B change places.
    Swap,
    /// Another A and B.
    Pair([Pick; 2]),
    /// A mixture of the table was chosen, by its row and column: its pictures become A and B.
    Cell(usize, usize),
}

/// What the panel shows besides its settings.
#[derive(Clone, Debug, Default)]
pub struct Mix {
    strip: Live,
    between: Live,
    table: Live,
    /// For each dividing level A over B, then B over A; at 0 these are A and B themselves.
    pub mixtures: Vec<Rc<Image>>,
    /// The interpolation.
    pub interpolation: Option<Rc<Image>>,
    /// What the table mixes: the coarse sources, then the fine ones.
    sources: Vec<Pick>,
    /// The coarse sources, the fine sources, then their mixtures row by row.
    pub examples: Vec<Rc<Image>>,
}

impl Mix {
    fn ask_interpolation(&mut self, settings: &MixSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        let (a, b) = (bench.source(&settings.a), bench.source(&settings.b));
        self.between.ask(Edit::Interpolate { a, b, share: settings.share }, bench.ids)
    }

    fn ask_table(&mut self, settings: &MixSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        // A leads the coarse sources and B the fine ones; the others are of the gallery, each there once.
        let gallery = (0..).map(|index| Pick::Sample { seed: bench.seed, index });
        let taken = [settings.a.draw(), settings.b.draw()];
        let mut others = gallery.filter(|pick| !taken.contains(&pick.draw()));
        let mut led = |first: &Pick| -> Vec<Pick> {
            std::iter::once(first.clone()).chain(others.by_ref().take(TABLE - 1)).collect()
        };
        self.sources = [led(&settings.a), led(&settings.b)].concat();
        let sources: Vec<Source> = self.sources.iter().map(|pick| bench.source(pick)).collect();
        let count = TABLE as u32;
        let own = (0..2 * count).map(|i| MixCell { high: i, low: i, cut: 0 });
        let cut = settings.cut as u32;
        let mixed = (0..count * count).map(|i| MixCell { high: i / count, low: count + i % count, cut });
        let cells = own.chain(mixed).collect();
        self.table.ask(Draw::Mix { sources, cells }, bench.ids)
    }

    /// The pair that a mixture of the table is made of.
    fn pair_of(&self, row: usize, column: usize) -> Option<[Pick; 2]> {
        let (coarse, fine) = self.sources.split_at_checked(TABLE)?;
        Some([coarse.get(row)?.clone(), fine.get(column)?.clone()])
    }

    /// The mixture of A's coarse levels and B's fine ones, from all of A to all of B.
    pub fn travel(&self) -> Vec<Rc<Image>> {
        self.mixtures.iter().step_by(2).cloned().collect()
    }

    /// The mixtures at the dividing level: A over B, and B over A.
    pub fn shown(&self, cut: usize) -> [Option<&Rc<Image>>; 2] {
        [self.mixtures.get(2 * cut), self.mixtures.get(2 * cut + 1)]
    }
}

impl PanelState for Mix {
    type Settings = MixSettings;
    type Event = MixEvent;
    const SLOTS: &'static [Slot] = &[
        Slot {
            panel: Panel::Mix,
            place: 0,
            name: "mix-a",
            label: "Mix, as picture A",
            title: "Choose picture A",
            hint: "Drop it here for picture A",
            mark: "mix-a",
        },
        Slot {
            panel: Panel::Mix,
            place: 1,
            name: "mix-b",
            label: "Mix, as picture B",
            title: "Choose picture B",
            hint: "Drop it here for picture B",
            mark: "mix-b",
        },
    ];

    fn update(&mut self, event: MixEvent, settings: &mut MixSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        match event {
            MixEvent::Cut(cut) => {
                // From here on the level is the reader's, and so the pair that it belongs to.
                settings.chosen = true;
                settings.cut = cut.min(bench.config.level_count());
                self.ask_table(settings, bench)
            }
            MixEvent::Share(share) => {
                settings.share = share.clamp(0.0, 1.0);
                self.ask_interpolation(settings, bench)
            }
            MixEvent::Swap => {
                settings.chosen = true;
                std::mem::swap(&mut settings.a, &mut settings.b);
                self.mixtures.clear();
                self.refresh(settings, bench)
            }
            MixEvent::Pair([a, b]) => {
                (settings.a, settings.b, settings.chosen) = (a, b, true);
                self.mixtures.clear();
                self.refresh(settings, bench)
            }
            MixEvent::Cell(row, column) => match self.pair_of(row, column) {
                Some(pair) => self.update(MixEvent::Pair(pair), settings, bench),
                None => vec![],
            },
        }
    }

    fn refresh(&mut self, settings: &mut MixSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        settings.suit(bench.entry);
        settings.cut = settings.cut.min(bench.config.level_count());
        let cuts = 0..=bench.config.level_count() as u32;
        let both = |cut| [MixCell { high: 0, low: 1, cut }, MixCell { high: 1, low: 0, cut }];
        let task = Draw::Mix {
            sources: vec![bench.source(&settings.a), bench.source(&settings.b)],
            cells: cuts.flat_map(both).collect(),
        };
        let mut effects = self.strip.ask(task, bench.ids);
        effects.extend(self.ask_interpolation(settings, bench));
        effects.extend(self.ask_table(settings, bench));
        effects
    }

    fn lives(&mut self) -> Vec<&mut Live> {
        vec![&mut self.strip, &mut self.between, &mut self.table]
    }

    fn take(&mut self, id: RequestId, answer: Answer, _: &MixSettings, _: &RgFlowConfig) {
        let Answer::Images(images) = answer else { return };
        let mut images = images.into_iter().map(Rc::new);
        if self.strip.waits_for(id) {
            self.mixtures = images.collect();
        } else if self.between.waits_for(id) {
            self.interpolation = images.next();
        } else {
            self.examples = images.collect();
        }
    }

    fn clear(&mut self) {
        *self = Self::default();
    }

    fn exchanged(&mut self, settings: &mut MixSettings) {
        settings.chosen = true;
        // Of the pair before.
        self.mixtures.clear();
    }
}
