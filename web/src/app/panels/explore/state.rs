//! What the explore panel shows, and how it follows from what happened.

use std::rc::Rc;

use shared::RgFlowConfig;
use shared::geometry::{Cone, LatentAddress, Levels, generation_cone, inference_cone};

use super::address::{DIRECTIONS, DirectionMove, ExploreSettings, LatentEdit, MAX_EDITS};
use super::ask::{changes, first_choice, walk_task};
use super::field::strong;
use crate::app::effect::Effect;
use crate::app::panel::Panel;
use crate::app::panels::live::Live;
use crate::app::panels::pyramid::draw_level;
use crate::app::panels::{Bench, PanelState};
use crate::app::slot::Slot;
use crate::protocol::{Answer, Edit, Image, Leading, RequestId, Strip};

/// Values of the strip below the slider, in standard deviations.
pub const WALK: [f32; 7] = [-4.0, -2.5, -1.2, 0.0, 1.2, 2.5, 4.0];

/// Frames of a film, and the last value of the latent in standard deviations; the first is its negative.
const FILM: (u8, f32) = (25, 3.0);

/// Values of the strips that show what a latent does, in standard deviations.
pub const STRIP: [f32; 5] = [-3.0, -1.5, 0.0, 1.5, 3.0];

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
    /// The picture is moved along a leading direction, to that place.
    Direction(usize, f32),
    /// Strips of the named or the leading latents are wanted.
    Strips,
    /// Strips of this model and of its twin are wanted.
    Compare,
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
    pub(super) latents: Live,
    pub(super) change: Live,
    pub(super) walk: Live,
    pub(super) reach: Live,
    pub(super) search: Live,
    film: Live,
    place: Live,
    pub(super) strips: Live,
    pub(super) own_leading: Live,
    pub(super) twin_leading: Live,
    /// Where the picture is along the leading directions, in standard deviations, before all moves.
    pub places: Vec<f32>,
    /// What the named or the leading latents do, once that was asked for.
    pub shown: Option<Rc<Vec<Strip>>>,
    /// What the leading latents of this model and of its twin do to the same picture.
    pub compared: [Option<Rc<Vec<Strip>>>; 2],
    /// Where the receptive field of the chosen latent is strong.
    pub field: Option<Rc<Vec<(usize, usize)>>>,
    /// Of which task, and how many of a hundred latents its search has been through.
    searched: Option<(RequestId, u8)>,
    /// The leading latents, once they were asked for.
    pub leading: Option<Rc<Leading>>,
    /// The picture as it is now.
    pub image: Option<Rc<Image>>,
    /// The picture for each value of [`WALK`].
    pub strip: Vec<Rc<Image>>,
    /// The film that was asked for last.
    pub frames: Option<Rc<Vec<Image>>>,
    /// The latents of each level, finest first, as they are now.
    pub pyramid: Vec<Rc<Image>>,
    /// The level at which a place without a latent was chosen last.
    pub(super) empty: Option<usize>,
    /// What the edits start from.
    original: Vec<f32>,
    past: Vec<Past>,
    /// Whether the slider is moving: its steps are one edit.
    moving: bool,
    /// Whether the picture was moved along a direction since its latents came.
    pub(super) moved: bool,
}

/// What an edit can be taken back to.
type Past = (Vec<LatentEdit>, Vec<DirectionMove>);

fn present(settings: &ExploreSettings) -> Past {
    (settings.edits.clone(), settings.moves.clone())
}

impl Explore {
    fn replace(&mut self, (edits, moves): Past, settings: &mut ExploreSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        let moved = settings.moves != moves;
        (settings.edits, settings.moves, self.moving) = (edits, moves, false);
        let mut effects = self.ask_change(settings, bench);
        if moved {
            self.forget_strips();
            effects.extend(self.ask_latents(settings, bench));
        }
        effects.extend(self.ask_walk(settings, bench));
        effects
    }

    /// They are of another picture.
    fn forget_strips(&mut self) {
        (self.shown, self.compared) = (None, [None, None]);
    }

    /// Whether a slider is being moved.
    pub fn is_moving(&self) -> bool {
        self.moving
    }

    /// Whether strips of named or leading latents are being made.
    pub fn is_stripping(&self) -> bool {
        self.strips.is_busy()
    }

    /// Whether two models are being compared.
    pub fn is_comparing(&self) -> bool {
        self.own_leading.is_busy() || self.twin_leading.is_busy()
    }

    /// Where the picture is along a leading direction now, if the model has it.
    pub fn place(&self, settings: &ExploreSettings, direction: usize) -> Option<f32> {
        let here = *self.places.get(direction)?;
        Some(settings.moves.iter().find(|one| one.direction == direction).map_or(here, |one| one.to))
    }

    /// Whether a film is being made.
    pub fn is_filming(&self) -> bool {
        self.film.is_busy()
    }

    /// Whether the leading latents are being looked for.
    pub fn is_searching(&self) -> bool {
        self.search.is_busy()
    }

    /// What the button of these tasks says while they are under way: `word` and how far their search is, once that is known.
    pub(super) fn so_far(&self, word: &str, tasks: &[&Live]) -> String {
        let percent = self.searched.filter(|&(id, _)| tasks.iter().any(|task| task.waits_for(id))).map_or(0, |of| of.1);
        if (1..100).contains(&percent) { format!("{word}… {percent} %") } else { format!("{word}…") }
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
        match (settings.at, settings.pixel) {
            (Some(at), _) => Some(generation_cone(config, &[(at.level, (at.row, at.col))])),
            (None, Some(pixel)) => Some(inference_cone(config, &[pixel])),
            (None, None) => None,
        }
    }

    pub(super) fn draw_pyramid(&mut self, settings: &ExploreSettings, config: &RgFlowConfig) {
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
                let levels = Levels::new(bench.config);
                if levels.index(at).is_err() {
                    self.empty = (at.level < levels.count()).then_some(at.level);
                    return vec![];
                }
                if settings.at != Some(at) {
                    // They are another latent's.
                    self.strip.clear();
                }
                (settings.at, settings.pixel, self.moving, self.empty) = (Some(at), None, false, None);
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
                    (settings.at, settings.pixel, self.moving, self.empty) = (None, Some((row, col)), false, None);
                    (self.field, self.strip) = (None, vec![]);
                }
                vec![]
            }
            ExploreEvent::Value(value) => {
                let Some(at) = settings.at else { return vec![] };
                if !std::mem::replace(&mut self.moving, true) {
                    self.past.push(present(settings));
                }
                settings.edits.retain(|edit| edit.at != at);
                if settings.edits.len() < MAX_EDITS {
                    settings.edits.push(LatentEdit { at, value });
                }
                self.ask_change(settings, bench)
            }
            ExploreEvent::Direction(direction, to) => {
                if direction >= self.places.len() {
                    return vec![];
                }
                if !std::mem::replace(&mut self.moving, true) {
                    self.past.push(present(settings));
                }
                self.forget_strips();
                self.moved = true;
                settings.moves.retain(|one| one.direction != direction);
                settings.moves.push(DirectionMove { direction, to });
                self.ask_change(settings, bench)
            }
            ExploreEvent::Settled => {
                self.moving = false;
                if !self.moved {
                    return vec![];
                }
                let mut effects = self.ask_latents(settings, bench);
                effects.extend(self.ask_walk(settings, bench));
                effects
            }
            ExploreEvent::Strips => self.ask_strips(settings, bench),
            ExploreEvent::Compare => self.ask_comparison(bench),
            ExploreEvent::Undo => match self.past.pop() {
                Some(past) => self.replace(past, settings, bench),
                None => vec![],
            },
            ExploreEvent::Reset => {
                if settings.edits.is_empty() && settings.moves.is_empty() {
                    return vec![];
                }
                self.past.push(present(settings));
                self.replace(Past::default(), settings, bench)
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
        let inside = |&(row, col): &(usize, usize)| row < bench.config.size && col < bench.config.size;
        settings.pixel = settings.pixel.filter(inside).filter(|_| settings.at.is_none());
        if settings.at.is_none() && settings.pixel.is_none() {
            settings.at = Some(first_choice(bench));
        }
        if !bench.joint {
            settings.moves.clear();
        }
        self.forget_strips();
        let mut effects = self.ask_latents(settings, bench);
        if bench.joint {
            let (source, count) = (bench.source(&settings.pick), DIRECTIONS as u32);
            effects.extend(self.place.ask(Edit::Positions { source, count }, bench.ids));
        }
        effects.extend(self.ask_change(settings, bench));
        effects.extend(self.ask_field(settings, bench));
        effects.extend(self.ask_walk(settings, bench));
        effects
    }

    fn exchanged(&mut self, settings: &mut ExploreSettings) {
        // Its edits are gone with it.
        settings.edits.clear();
        settings.moves.clear();
        (self.past, self.moving) = (vec![], false);
    }

    fn lives(&mut self) -> Vec<&mut Live> {
        vec![
            &mut self.latents,
            &mut self.change,
            &mut self.walk,
            &mut self.reach,
            &mut self.search,
            &mut self.film,
            &mut self.place,
            &mut self.strips,
            &mut self.own_leading,
            &mut self.twin_leading,
        ]
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
            Answer::Leading(leading) => self.leading = Some(Rc::new(leading)),
            Answer::Searched(percent) => self.searched = Some((id, percent)),
            Answer::Positions(places) => self.places = places,
            Answer::Strips(strips) if self.own_leading.waits_for(id) => self.compared[0] = Some(Rc::new(strips)),
            Answer::Strips(strips) if self.twin_leading.waits_for(id) => self.compared[1] = Some(Rc::new(strips)),
            Answer::Strips(strips) => self.shown = Some(Rc::new(strips)),
            Answer::Completion(_) | Answer::Race(_) | Answer::Bits(_) | Answer::Grown(_) => {}
        }
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}
