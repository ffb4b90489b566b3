//! The inpaint panel: holes are painted into a picture, and filled from the latents that they reach (fig. 7).

use std::rc::Rc;

use shared::RgFlowConfig;
use shared::geometry::{Cone, inference_cone};

use super::Effect;
use super::live::Live;
use super::panel::{Bench, Context, PanelState};
use crate::fragment::{InpaintSettings, Mask};
use crate::index::{ModelEntry, NamedHole};
use crate::messages::RequestId;
use crate::messages::edit::{Completion, EditAnswer, EditKind, Hole, Image};

/// Completions to choose from, besides the best one.
pub const SAMPLES: usize = 4;

/// Holes for pictures of anything.
const ANYTHING: [(&str, [u8; 4]); 3] =
    [("Lower half", [50, 0, 100, 100]), ("Left half", [0, 0, 100, 50]), ("Centre", [31, 31, 69, 69])];

/// The holes that a model's pictures can be given at once: its own, or those for anything.
pub fn holes(entry: Option<&ModelEntry>) -> Vec<NamedHole> {
    match entry.map(|entry| &entry.holes) {
        Some(own) if !own.is_empty() => own.clone(),
        _ => ANYTHING.map(|(name, borders)| NamedHole { name: name.to_owned(), borders }).to_vec(),
    }
}

/// What happened in the panel.
#[derive(Clone, Debug, PartialEq)]
pub enum InpaintEvent {
    /// The brush touches a pixel. The first touch of a stroke says so.
    Brush {
        /// The pixel's row.
        row: usize,
        /// Its column.
        col: usize,
        /// Whether a stroke begins.
        first: bool,
    },
    /// The brush is lifted.
    Lifted,
    /// One of [`holes`].
    Preset(usize),
    /// The brush's edge in pixels.
    Size(usize),
    /// Whether the brush takes holes away.
    Erase(bool),
    /// The last stroke is taken back.
    Undo,
    /// All holes go.
    Clear,
    /// Other completions.
    Again,
}

/// What the panel shows besides its settings.
#[derive(Clone, Debug)]
pub struct Inpaint {
    whole: Live,
    run: Live,
    /// The picture without holes.
    pub original: Option<Rc<Image>>,
    /// The best completion so far.
    pub completion: Option<Rc<Image>>,
    /// Other completions so far.
    pub samples: Vec<Rc<Image>>,
    /// Steps taken, of how many.
    pub progress: (u32, u32),
    /// Edge of the brush.
    pub brush: usize,
    /// Whether it takes holes away.
    pub erase: bool,
    past: Vec<Mask>,
    /// Where the brush touched last in this stroke.
    touched: Option<(usize, usize)>,
    /// Whether the panel was opened with this model.
    opened: bool,
    /// Whether the hole is one of [`holes`], as it is.
    preset: bool,
}

impl Default for Inpaint {
    fn default() -> Self {
        Self {
            whole: Live::default(),
            run: Live::default(),
            original: None,
            completion: None,
            samples: vec![],
            progress: (0, 0),
            brush: 3,
            erase: false,
            past: vec![],
            touched: None,
            opened: false,
            preset: false,
        }
    }
}

impl Inpaint {
    /// Takes an event in; what has to be made again is asked for.
    pub fn update(
        &mut self,
        event: InpaintEvent,
        settings: &mut InpaintSettings,
        bench: &mut Bench<'_>,
    ) -> Vec<Effect> {
        fit(settings, bench.config);
        match event {
            InpaintEvent::Brush { row, col, first } => {
                if first {
                    self.past.push(settings.mask.clone());
                }
                self.preset = false;
                let from = self.touched.replace((row, col)).filter(|_| !first).unwrap_or((row, col));
                let half = self.brush / 2;
                // A quick hand touches few places on its way.
                for (row, col) in line(from, (row, col)) {
                    for r in row.saturating_sub(half)..(row + self.brush - half) {
                        for c in col.saturating_sub(half)..(col + self.brush - half) {
                            settings.mask.set(r, c, !self.erase);
                        }
                    }
                }
                // What was made does not fit any more, and the brush must not wait.
                self.drop_completion();
                self.run.stop(bench.ids)
            }
            InpaintEvent::Lifted => self.ask(settings, bench),
            InpaintEvent::Again => {
                settings.attempt += 1;
                self.ask(settings, bench)
            }
            InpaintEvent::Preset(preset) => {
                let Some(hole) = bench.holes.get(preset) else { return vec![] };
                self.past.push(std::mem::replace(&mut settings.mask, paint(hole, bench.config.size)));
                self.preset = true;
                self.ask(settings, bench)
            }
            InpaintEvent::Size(size) => {
                self.brush = size.clamp(1, bench.config.size);
                vec![]
            }
            InpaintEvent::Erase(erase) => {
                self.erase = erase;
                vec![]
            }
            InpaintEvent::Undo => match self.past.pop() {
                Some(mask) => {
                    self.preset = false;
                    settings.mask = mask;
                    self.ask(settings, bench)
                }
                None => vec![],
            },
            InpaintEvent::Clear => {
                self.preset = false;
                self.past.push(std::mem::replace(&mut settings.mask, Mask::new(bench.config.size)));
                self.ask(settings, bench)
            }
        }
    }

    /// Asks for everything again.
    pub fn refresh(&mut self, settings: &mut InpaintSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        fit(settings, bench.config);
        // The panel opens with something to see: the model's own first hole, unless the reader has painted another.
        if !std::mem::replace(&mut self.opened, true)
            && (self.preset || settings.mask.count() == 0)
            && let Some(hole) = bench.holes.first()
        {
            settings.mask = paint(hole, bench.config.size);
            self.preset = true;
        }
        let source = bench.source(&settings.pick);
        let mut effects = self.whole.ask(EditKind::Change { source, changes: vec![], walk: None }, bench.ids);
        effects.extend(self.ask(settings, bench));
        effects
    }

    fn ask(&mut self, settings: &InpaintSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        self.drop_completion();
        let mut effects = self.run.stop(bench.ids);
        if settings.mask.count() > 0 {
            let hole = Hole {
                source: bench.source(&settings.pick),
                unknown: settings.mask.places().iter().map(|&(r, c)| (r * bench.config.size + c) as u32).collect(),
                samples: SAMPLES as u32,
                seed: settings.attempt,
            };
            let kind = EditKind::Inpaint(hole);
            effects.extend(self.run.ask(kind, bench.ids));
        }
        effects
    }

    fn drop_completion(&mut self) {
        (self.completion, self.progress) = (None, (0, 0));
        self.samples.clear();
    }

    /// Whether there is something to take back.
    pub fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    /// The latents that may change, level by level.
    pub fn cone(&self, settings: &InpaintSettings, config: &RgFlowConfig) -> Cone {
        inference_cone(config, &settings.mask.places())
    }
}

/// The places on a straight way, both ends included.
fn line(from: (usize, usize), to: (usize, usize)) -> impl Iterator<Item = (usize, usize)> {
    let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1));
    let at = move |from: usize, to: usize, step: usize| {
        let share = step as f32 / steps.max(1) as f32;
        (from as f32 + (to as f32 - from as f32) * share).round() as usize
    };
    (0..=steps).map(move |step| (at(from.0, to.0, step), at(from.1, to.1, step)))
}

/// The mask of a hole.
fn paint(hole: &NamedHole, edge: usize) -> Mask {
    let mut mask = Mask::new(edge);
    hole.pixels(edge).for_each(|(row, col)| mask.set(row, col, true));
    mask
}

/// A mask for another model's pictures is of no use.
fn fit(settings: &mut InpaintSettings, config: &RgFlowConfig) {
    if settings.mask.edge() != config.size {
        settings.mask = Mask::new(config.size);
    }
}

impl PanelState for Inpaint {
    fn lives(&mut self) -> Vec<&mut Live> {
        vec![&mut self.whole, &mut self.run]
    }

    fn take(&mut self, _: RequestId, answer: EditAnswer, _: &Context<'_>) {
        match answer {
            EditAnswer::Images(images) => self.original = images.into_iter().next().map(Rc::new),
            EditAnswer::Completion(Completion { image, samples, taken, of }) => {
                self.completion = Some(Rc::new(image));
                self.samples = samples.into_iter().map(Rc::new).collect();
                self.progress = (taken, of);
            }
            EditAnswer::Latents(_) | EditAnswer::Field(_) | EditAnswer::Leading(_) => {}
        }
    }

    fn clear(&mut self) {
        *self = Self { brush: self.brush, erase: self.erase, preset: self.preset, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::state::live::Ids;
    use crate::messages::{Request, RequestKind};

    fn kinds(effects: Vec<Effect>) -> Vec<RequestKind> {
        let kind = |effect| match effect {
            Effect::Send(Request { kind, .. }) => Some(kind),
            _ => None,
        };
        effects.into_iter().filter_map(kind).collect()
    }

    #[test]
    fn a_stroke_is_painted_filled_and_taken_back() {
        let (config, mut ids) = (RgFlowConfig::tiny(), Ids::default());
        let (mut inpaint, mut settings) = (Inpaint::default(), InpaintSettings::default());
        let mut bench = Bench::nameless(&config, &mut ids);
        let mut go = |event| inpaint.update(event, &mut settings, &mut bench);
        assert_eq!(go(InpaintEvent::Brush { row: 0, col: 5, first: true }), []);
        go(InpaintEvent::Brush { row: 0, col: 6, first: false });
        let sent = kinds(go(InpaintEvent::Lifted));
        let RequestKind::Edit(EditKind::Inpaint(Hole { unknown, .. })) = &sent[0] else { panic!("{sent:?}") };
        assert_eq!(unknown, &[4, 5, 6, 7, 20, 21, 22, 23]);
        // A quick stroke leaves no gaps, and the next one begins anew.
        let mut quick = (Inpaint { brush: 1, ..Inpaint::default() }, InpaintSettings::default(), Ids::default());
        for (row, col, first) in [(2, 1, true), (5, 7, false), (15, 15, true)] {
            let event = InpaintEvent::Brush { row, col, first };
            quick.0.update(event, &mut quick.1, &mut Bench::nameless(&config, &mut quick.2));
        }
        let places = quick.1.mask.places();
        assert_eq!((places.len(), places[0], places[6], places[7]), (8, (2, 1), (5, 7), (15, 15)));
        // A new stroke stops what is under way.
        let sent = kinds(go(InpaintEvent::Brush { row: 9, col: 9, first: true }));
        assert!(matches!(sent[..], [RequestKind::Cancel { request: 1 }]), "{sent:?}");
        go(InpaintEvent::Undo);
        go(InpaintEvent::Undo);
        assert!(!inpaint.can_undo() && settings.mask.count() == 0);
    }

    #[test]
    fn a_preset_replaces_what_was_painted_and_the_eraser_takes_away() {
        let (config, mut ids, holes) = (RgFlowConfig::tiny(), Ids::default(), holes(None));
        let (mut inpaint, mut settings) = (Inpaint::default(), InpaintSettings::default());
        let mut bench = Bench { holes: &holes, ..Bench::nameless(&config, &mut ids) };
        inpaint.update(InpaintEvent::Preset(2), &mut settings, &mut bench);
        inpaint.update(InpaintEvent::Preset(0), &mut settings, &mut bench);
        assert_eq!(settings.mask.count(), 128);
        let cone = inpaint.cone(&settings, &config);
        assert!(cone.iter().all(|level| !level.latents.is_empty()));
        inpaint.update(InpaintEvent::Erase(true), &mut settings, &mut bench);
        inpaint.update(InpaintEvent::Brush { row: 12, col: 4, first: true }, &mut settings, &mut bench);
        assert_eq!(settings.mask.count(), 119);
        let sent = kinds(inpaint.update(InpaintEvent::Again, &mut settings, &mut bench));
        assert!(matches!(sent.last(), Some(RequestKind::Edit(EditKind::Inpaint(Hole { seed: 1, .. })))), "{sent:?}");
        assert!(inpaint.update(InpaintEvent::Preset(99), &mut settings, &mut bench).is_empty());
    }

    #[test]
    fn the_panel_opens_with_the_models_own_hole() {
        let (config, mut ids) = (RgFlowConfig::tiny(), Ids::default());
        let hole = |name: &str, borders| NamedHole { name: name.to_owned(), borders };
        let (mut inpaint, mut settings) = (Inpaint::default(), InpaintSettings::default());
        let mut open = |inpaint: &mut Inpaint, settings: &mut InpaintSettings, hole: NamedHole| {
            let holes = [hole];
            let mut bench = Bench { holes: &holes, ..Bench::nameless(&config, &mut ids) };
            inpaint.refresh(settings, &mut bench);
            settings.mask.count()
        };
        assert_eq!(open(&mut inpaint, &mut settings, hole("Eyes", [0, 0, 25, 100])), 64);
        // Another model has other holes.
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
}
