//! What the explore panel shows, and how it follows from what happened.

use std::rc::Rc;

use shared::RgFlowConfig;
use shared::geometry::{Cone, LatentAddress, Levels, generation_cone, inference_cone};

use super::address::{ExploreSettings, LatentEdit, MAX_EDITS};
use super::field::strong;
use crate::app::effect::Effect;
use crate::app::panel::Panel;
use crate::app::panels::live::Live;
use crate::app::panels::pyramid::draw_level;
use crate::app::panels::{Bench, PanelState};
use crate::app::slot::Slot;
use crate::protocol::{Answer, Change, Edit, Factor, Image, RequestId, Walk};

/// Values of the strip below the slider, in standard deviations.
pub const WALK: [f32; 7] = [-4.0, -2.5, -1.2, 0.0, 1.2, 2.5, 4.0];

/// Frames of a film, and the last value of the latent in standard deviations; the first is its negative.
const FILM: (u8, f32) = (25, 3.0);

/// Leading latents of each level.
pub const LEADING: usize = 6;

/// What happened in the panel.
#[derive(Clone, Debug, PartialEq)]
pub enum ExploreEvent {
    /// A latent was chosen.
    Latent(LatentAddress),
    /// Another channel of the chosen latent's place.
    Channel(usize),
    /// A pixel was chosen.
    Pixel(usize, usize),
    /// The chosen latent is given a value.
    Value(f32),
    /// The slider was let go.
    Settled,
    /// The last edit is taken back.
    Undo,
    /// All edits are taken back.
    Reset,
    /// The leading latents are wanted.
    Search,
    /// A film of the chosen latent is wanted.
    Film,
}

/// What the panel shows besides its settings.
#[derive(Clone, Debug, Default)]
pub struct Explore {
    latents: Live,
    change: Live,
    walk: Live,
    reach: Live,
    search: Live,
    film: Live,
    /// Where the receptive field of the chosen latent is strong.
    pub field: Option<Rc<Vec<(usize, usize)>>>,
    /// The leading latents of each level, finest first, once they were asked for.
    pub leading: Option<Rc<Vec<Vec<Factor>>>>,
    /// The picture as it is now.
    pub image: Option<Rc<Image>>,
    /// The picture for each value of [`WALK`].
    pub strip: Vec<Rc<Image>>,
    /// The film that was asked for last.
    pub frames: Option<Rc<Vec<Image>>>,
    /// The latents of each level, finest first, as they are now.
    pub pyramid: Vec<Rc<Image>>,
    /// What the edits start from.
    original: Vec<f32>,
    /// The chosen pixel.
    pub pixel: Option<(usize, usize)>,
    past: Vec<Vec<LatentEdit>>,
    /// Whether the slider is moving: its steps are one edit.
    moving: bool,
}

impl Explore {
    fn replace(
        &mut self,
        edits: Vec<LatentEdit>,
        settings: &mut ExploreSettings,
        bench: &mut Bench<'_>,
    ) -> Vec<Effect> {
        (settings.edits, self.moving) = (edits, false);
        let mut effects = self.ask_change(settings, bench);
        effects.extend(self.ask_walk(settings, bench));
        effects
    }

    fn ask_field(&mut self, settings: &ExploreSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        self.field = None;
        let index = settings.at.and_then(|at| Levels::new(bench.config).index(at).ok());
        index.map(|index| self.reach.ask(Edit::Field { index: index as u32 }, bench.ids)).unwrap_or_default()
    }

    /// Whether a film is being made.
    pub fn is_filming(&self) -> bool {
        self.film.is_busy()
    }

    /// Whether the leading latents are being looked for.
    pub fn is_searching(&self) -> bool {
        self.search.is_busy()
    }

    fn ask_change(&mut self, settings: &ExploreSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        self.draw_pyramid(settings, bench.config);
        let source = bench.source(&settings.pick);
        self.change.ask(Edit::Change { source, changes: changes(settings, bench.config), walk: None }, bench.ids)
    }

    fn ask_walk(&mut self, settings: &ExploreSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        let Some(walk) = walk_task(settings, bench, WALK.to_vec()) else {
            self.strip.clear();
            return vec![];
        };
        self.walk.ask(walk, bench.ids)
    }

    /// The chosen latent's value now, once the latents are here.
    pub fn value(&self, settings: &ExploreSettings, config: &RgFlowConfig) -> Option<f32> {
        let at = settings.at?;
        let edited = settings.edits.iter().find(|edit| edit.at == at).map(|edit| edit.value);
        edited.or_else(|| self.original.get(Levels::new(config).index(at).ok()?).copied())
    }

    /// Whether an edit can be undone.
    pub fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    /// What the chosen latent reaches, or what reaches the chosen pixel.
    pub fn cone(&self, settings: &ExploreSettings, config: &RgFlowConfig) -> Option<Cone> {
        match (settings.at, self.pixel) {
            (Some(at), _) => Some(generation_cone(config, &[(at.level, (at.row, at.col))])),
            (None, Some(pixel)) => Some(inference_cone(config, &[pixel])),
            (None, None) => None,
        }
    }

    fn draw_pyramid(&mut self, settings: &ExploreSettings, config: &RgFlowConfig) {
        if self.original.len() != config.dims() {
            return;
        }
        let mut values = self.original.clone();
        for change in changes(settings, config) {
            values[change.index as usize] = change.value;
        }
        self.pyramid = (0..config.level_count()).map(|level| Rc::new(draw_level(&values, level, config))).collect();
    }
}

/// A latent to start with: one with a name, or in the middle of the coarsest level, where much follows from it.
fn first_choice(bench: &Bench<'_>) -> LatentAddress {
    let config = bench.config;
    if let Some(factor) = bench.card.known_factors(&Levels::new(config)).first() {
        return factor.at;
    }
    let level = config.level_count() - 1;
    let middle = ((config.size >> level) / 2).saturating_sub(1);
    LatentAddress { level, row: middle, col: middle, channel: 0 }
}

/// The chosen latent at these values, the other edits as they are.
fn walk_task(settings: &ExploreSettings, bench: &Bench<'_>, values: Vec<f32>) -> Option<Edit> {
    let index = Levels::new(bench.config).index(settings.at?).ok()?;
    let (source, walk) = (bench.source(&settings.pick), Some(Walk { index: index as u32, values }));
    Some(Edit::Change { source, changes: changes(settings, bench.config), walk })
}

/// The edits as the engine takes them.
fn changes(settings: &ExploreSettings, config: &RgFlowConfig) -> Vec<Change> {
    let levels = Levels::new(config);
    let change =
        |edit: &LatentEdit| levels.index(edit.at).ok().map(|index| Change { index: index as u32, value: edit.value });
    settings.edits.iter().filter_map(change).collect()
}

impl PanelState for Explore {
    type Settings = ExploreSettings;
    type Event = ExploreEvent;
    const SLOTS: &'static [Slot] = &[Slot {
        panel: Panel::Explore,
        place: 0,
        name: "explore",
        label: "Explore",
        title: "Choose a picture to explore",
        hint: "Drop it here to explore it",
        mark: "explore-board",
    }];

    fn update(&mut self, event: ExploreEvent, settings: &mut ExploreSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        match event {
            ExploreEvent::Latent(at) => {
                if Levels::new(bench.config).index(at).is_err() {
                    return vec![];
                }
                (settings.at, self.pixel, self.moving) = (Some(at), None, false);
                let mut effects = self.ask_field(settings, bench);
                effects.extend(self.ask_walk(settings, bench));
                effects
            }
            ExploreEvent::Channel(channel) => {
                let at = settings.at.map(|at| LatentAddress { channel, ..at });
                at.map(|at| self.update(ExploreEvent::Latent(at), settings, bench)).unwrap_or_default()
            }
            ExploreEvent::Pixel(row, col) => {
                if row < bench.config.size && col < bench.config.size {
                    (settings.at, self.pixel, self.moving) = (None, Some((row, col)), false);
                    (self.field, self.strip) = (None, vec![]);
                }
                vec![]
            }
            ExploreEvent::Value(value) => {
                let Some(at) = settings.at else { return vec![] };
                if !std::mem::replace(&mut self.moving, true) {
                    self.past.push(settings.edits.clone());
                }
                settings.edits.retain(|edit| edit.at != at);
                if settings.edits.len() < MAX_EDITS {
                    settings.edits.push(LatentEdit { at, value });
                }
                self.ask_change(settings, bench)
            }
            ExploreEvent::Settled => {
                self.moving = false;
                vec![]
            }
            ExploreEvent::Undo => match self.past.pop() {
                Some(edits) => self.replace(edits, settings, bench),
                None => vec![],
            },
            ExploreEvent::Reset => {
                if settings.edits.is_empty() {
                    return vec![];
                }
                self.past.push(settings.edits.clone());
                self.replace(vec![], settings, bench)
            }
            ExploreEvent::Search => self.search.ask(Edit::Leading { count: LEADING as u32 }, bench.ids),
            ExploreEvent::Film => {
                let (count, end) = FILM;
                let value = |i: u8| end * (2.0 * f32::from(i) / f32::from(count - 1) - 1.0);
                let walk = walk_task(settings, bench, (0..count).map(value).collect());
                walk.map(|task| self.film.ask(task, bench.ids)).unwrap_or_default()
            }
        }
    }

    fn refresh(&mut self, settings: &mut ExploreSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        let levels = Levels::new(bench.config);
        // An address may come from another model.
        settings.edits.retain(|edit| levels.index(edit.at).is_ok());
        settings.at = settings.at.filter(|&at| levels.index(at).is_ok());
        if settings.at.is_none() && self.pixel.is_none() {
            settings.at = Some(first_choice(bench));
        }
        let mut effects = self.latents.ask(Edit::Latents { source: bench.source(&settings.pick) }, bench.ids);
        effects.extend(self.ask_change(settings, bench));
        effects.extend(self.ask_field(settings, bench));
        effects.extend(self.ask_walk(settings, bench));
        effects
    }

    fn exchanged(&mut self, settings: &mut ExploreSettings) {
        // Its edits are gone with it.
        settings.edits.clear();
        (self.past, self.moving) = (vec![], false);
    }

    fn lives(&mut self) -> Vec<&mut Live> {
        vec![&mut self.latents, &mut self.change, &mut self.walk, &mut self.reach, &mut self.search, &mut self.film]
    }

    fn take(&mut self, id: RequestId, answer: Answer, settings: &ExploreSettings, config: &RgFlowConfig) {
        match answer {
            Answer::Latents(values) => {
                self.original = values;
                self.draw_pyramid(settings, config);
            }
            Answer::Images(images) if self.film.waits_for(id) => self.frames = Some(Rc::new(images)),
            Answer::Images(images) => {
                let mut images = images.into_iter().map(Rc::new);
                if self.change.waits_for(id) {
                    self.image = images.next();
                } else {
                    self.strip = images.collect();
                }
            }
            Answer::Field(field) => {
                // The grain grows with the field; at levels 0 and 1 there is none to speak of.
                let radius = settings.at.map_or(0, |at| at.level.saturating_sub(1));
                self.field = Some(Rc::new(strong(&field, config.size, radius)));
            }
            Answer::Leading(levels) => self.leading = Some(Rc::new(levels)),
            Answer::Completion(_) | Answer::Race(_) => {}
        }
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}
