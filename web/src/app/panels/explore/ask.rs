//! What the explore panel asks the engine for.

use shared::RgFlowConfig;
use shared::geometry::{LatentAddress, Levels};

use super::address::{ExploreSettings, LatentEdit};
use super::state::{Explore, STRIP, WALK};
use crate::app::effect::Effect;
use crate::app::panels::Bench;
use crate::protocol::{Beside, Change, Edit, Move, Source, Walk, Which, without_alpha};

/// The most strips of named latents, and those of leading ones.
const STRIPS: (usize, u32) = (10, 6);

/// Strips of each of the two models that are compared.
const COMPARED: u32 = 5;

impl Explore {
    pub(super) fn ask_latents(&mut self, settings: &ExploreSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        self.moved = false;
        self.latents.ask(Edit::Latents { source: source(settings, bench) }, bench.ids)
    }

    pub(super) fn ask_strips(&mut self, settings: &ExploreSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        let levels = Levels::new(bench.config);
        let known = bench.card.known_factors(&levels);
        let named: Vec<u32> = known
            .iter()
            .filter_map(|factor| levels.index(factor.at).ok())
            .map(|index| index as u32)
            .take(STRIPS.0)
            .collect();
        let which = if named.is_empty() { Which::Leading(STRIPS.1) } else { Which::These(named) };
        let source = source(settings, bench);
        self.strips.ask(Edit::Strips { source, which, values: STRIP.to_vec() }, bench.ids)
    }

    /// Both models encode the picture as it is shown, and each moves its own leading latents.
    pub(super) fn ask_comparison(&mut self, bench: &mut Bench<'_>) -> Vec<Effect> {
        let (Some(twin), Some(image)) = (bench.twin.cloned(), self.image.as_ref()) else { return vec![] };
        let rgb = without_alpha(&image.rgba);
        let source = Source::Own { rgb: rgb.into() };
        let edit = Edit::Strips { source, which: Which::Leading(COMPARED), values: STRIP.to_vec() };
        let mut effects = self.own_leading.ask(edit.clone(), bench.ids);
        let beside = Beside { base: bench.models.to_owned(), model: Box::new(twin), edit };
        effects.extend(self.twin_leading.ask(beside, bench.ids));
        effects
    }

    pub(super) fn ask_field(&mut self, settings: &ExploreSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        self.field = None;
        let index = settings.at.and_then(|at| Levels::new(bench.config).index(at).ok());
        index.map(|index| self.reach.ask(Edit::Field { index: index as u32 }, bench.ids)).unwrap_or_default()
    }

    pub(super) fn ask_change(&mut self, settings: &ExploreSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        self.draw_pyramid(settings, bench.config);
        let source = source(settings, bench);
        self.change.ask(Edit::Change { source, changes: changes(settings, bench.config), walk: None }, bench.ids)
    }

    pub(super) fn ask_walk(&mut self, settings: &ExploreSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        let Some(walk) = walk_task(settings, bench, WALK.to_vec()) else {
            self.strip.clear();
            return vec![];
        };
        self.walk.ask(walk, bench.ids)
    }
}

/// A latent to start with: one with a name, or in the middle of the coarsest level, where much follows from it.
pub(super) fn first_choice(bench: &Bench<'_>) -> LatentAddress {
    let config = bench.config;
    if let Some(factor) = bench.card.known_factors(&Levels::new(config)).first() {
        return factor.at;
    }
    let level = config.level_count() - 1;
    let middle = ((config.size >> level) / 2).saturating_sub(1);
    LatentAddress { level, row: middle, col: middle, channel: 0 }
}

/// The chosen latent at these values, the other edits as they are.
pub(super) fn walk_task(settings: &ExploreSettings, bench: &Bench<'_>, values: Vec<f32>) -> Option<Edit> {
    let index = Levels::new(bench.config).index(settings.at?).ok()?;
    let (source, walk) = (source(settings, bench), Some(Walk { index: index as u32, values }));
    Some(Edit::Change { source, changes: changes(settings, bench.config), walk })
}

/// The picture that the edits start from.
fn source(settings: &ExploreSettings, bench: &Bench<'_>) -> Source {
    let from = bench.source(&settings.pick);
    if settings.moves.is_empty() {
        return from;
    }
    let moves = settings.moves.iter().map(|one| Move { direction: one.direction as u32, to: one.to }).collect();
    Source::Moved { from: Box::new(from), moves }
}

/// The edits as the engine takes them.
pub(super) fn changes(settings: &ExploreSettings, config: &RgFlowConfig) -> Vec<Change> {
    let levels = Levels::new(config);
    let change =
        |edit: &LatentEdit| levels.index(edit.at).ok().map(|index| Change { index: index as u32, value: edit.value });
    settings.edits.iter().filter_map(change).collect()
}
