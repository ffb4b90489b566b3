//! What the inpaint panel shows, and how it follows from what happened.

use std::rc::Rc;

use shared::RgFlowConfig;
use shared::geometry::{Cone, inference_cone};

use super::address::{InpaintSettings, Mask, SAMPLES};
use super::growth::{Growth, growth};
use super::holes::{fit, holes, line, paint};
use crate::address::MAX_SEED;
use crate::app::effect::Effect;
use crate::app::panel::Panel;
use crate::app::panels::live::Live;
use crate::app::panels::{Bench, PanelState};
use crate::app::slot::Slot;
use crate::protocol::{Answer, Completion, Edit, Fill, Hole, Image, Race, RequestId, Standing};

/// Edge of the largest brush, in pixels.
pub const MAX_BRUSH: usize = 9;

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
    /// A completion is chosen: 0 is the most likely one.
    Choose(usize),
    /// The truth is wanted.
    Reveal,
    /// The model's rival is to fill the same hole.
    Race,
    /// The race is called off.
    StopRace,
    /// The race is wanted with another model, which is about to be loaded.
    RaceElsewhere,
}

/// Where the truth is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Truth {
    /// Not to be seen.
    #[default]
    Hidden,
    /// Shown instead of a completion.
    Shown,
    /// Known, beside the completion that is shown.
    Known,
}

/// What the panel shows besides its settings.
#[derive(Clone, Debug)]
pub struct Inpaint {
    whole: Live,
    run: Live,
    race: Live,
    /// How the race stands.
    pub standing: Option<Rc<Standing>>,
    /// Whether a race was wanted with the model that is being loaded.
    race_wanted: bool,
    /// Whether the address led to a race, which is to be brought into sight.
    pub led_to_race: bool,
    /// Where the truth is.
    pub truth: Truth,
    /// What the hole would cost in larger pictures, and the hole.
    grown: Option<(Mask, Rc<Vec<Growth>>)>,
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
    /// The name of the hole, if it is one of [`holes`], as it is.
    preset: Option<String>,
}

impl Default for Inpaint {
    fn default() -> Self {
        Self {
            whole: Live::default(),
            run: Live::default(),
            race: Live::default(),
            standing: None,
            race_wanted: false,
            led_to_race: false,
            truth: Truth::Hidden,
            grown: None,
            original: None,
            completion: None,
            samples: vec![],
            progress: (0, 0),
            brush: 3,
            erase: false,
            past: vec![],
            touched: None,
            opened: false,
            preset: None,
        }
    }
}

impl Inpaint {
    fn ask(&mut self, settings: &InpaintSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        let mut effects = self.drop_completion();
        self.grown = Some((settings.mask.clone(), Rc::new(growth(&settings.mask, bench.config))));
        if settings.mask.is_mendable() {
            effects.extend(self.run.ask(Fill::Hole(hole(settings, bench, SAMPLES)), bench.ids));
        }
        effects
    }

    /// Another hole, or other completions: what was chosen and what was made do not fit any more.
    fn ask_anew(&mut self, settings: &mut InpaintSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        (settings.choice, settings.race) = (0, false);
        self.ask(settings, bench)
    }

    /// What was made does not fit any more.
    fn drop_completion(&mut self) -> Vec<Effect> {
        (self.completion, self.progress, self.truth) = (None, (0, 0), Truth::Hidden);
        self.samples.clear();
        let mut effects = self.run.stop();
        effects.extend(self.stop_race());
        effects
    }

    /// Opens with something to see: the reader's hole, or the model's own of that name; where there is neither, or a
    /// model lacks the name, the model's first. A race that was wanted elsewhere takes the reader's hole along as it is.
    fn open(&mut self, settings: &mut InpaintSettings, bench: &Bench<'_>, bare: bool, race_wanted: bool) {
        let none = settings.mask.count() == 0 && !bare;
        let Some(name) = self.preset.take().or(none.then(String::new)) else { return };
        let holes = holes(bench.entry);
        let first = holes.first().filter(|_| none || !race_wanted);
        if let Some(hole) = holes.iter().find(|hole| hole.name == name).or(first) {
            settings.mask = paint(hole, bench.config.size);
            self.preset = Some(hole.name.clone());
        }
    }

    fn stop_race(&mut self) -> Vec<Effect> {
        self.standing = None;
        self.race.stop()
    }

    fn start_race(&mut self, settings: &mut InpaintSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        let rival = bench.entry.and_then(|entry| entry.rival.clone()).filter(|_| settings.mask.is_mendable());
        settings.race = rival.is_some();
        let mut effects = self.stop_race();
        let Some(rival) = rival else { return effects };
        let race = Race { hole: hole(settings, bench, 0), base: bench.models.to_owned(), rival };
        effects.extend(self.race.ask(Fill::Race(race), bench.ids));
        effects
    }

    /// Whether a race is under way.
    pub fn is_racing(&self) -> bool {
        self.race.is_busy()
    }

    /// What the hole would cost in pictures of several sizes.
    pub fn growth(&self) -> Option<&Rc<Vec<Growth>>> {
        self.grown.as_ref().map(|(_, grown)| grown)
    }

    /// A completion: the most likely one is 0.
    pub fn candidate(&self, i: usize) -> Option<&Rc<Image>> {
        if i == 0 { self.completion.as_ref() } else { self.samples.get(i - 1) }
    }

    /// What is on the board: the chosen completion if it is there already, else the most likely one.
    pub fn shown(&self, settings: &InpaintSettings) -> Option<&Rc<Image>> {
        let chosen = || self.candidate(settings.choice).or(self.completion.as_ref());
        if self.truth == Truth::Shown { self.original.as_ref() } else { chosen().or(self.original.as_ref()) }
    }

    /// Whether an edit can be undone.
    pub fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    /// The latents that may change, level by level.
    pub fn cone(&self, settings: &InpaintSettings, config: &RgFlowConfig) -> Cone {
        inference_cone(config, &settings.mask.places())
    }
}

/// The hole as the engine takes it, with that many completions besides the most likely one.
fn hole(settings: &InpaintSettings, bench: &Bench<'_>, samples: usize) -> Hole {
    Hole {
        source: bench.source(&settings.pick),
        unknown: settings.mask.places().iter().map(|&(r, c)| (r * bench.config.size + c) as u32).collect(),
        samples: samples as u32,
        seed: settings.attempt,
    }
}

impl PanelState for Inpaint {
    type Settings = InpaintSettings;
    type Event = InpaintEvent;
    const SLOTS: &'static [Slot] = &[Slot {
        panel: Panel::Inpaint,
        place: 0,
        name: "inpaint",
        label: "Inpaint",
        title: "Choose a picture to complete",
        hint: "Drop it here to paint holes into it",
        mark: "inpaint-board",
    }];

    fn update(&mut self, event: InpaintEvent, settings: &mut InpaintSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        fit(settings, bench.config);
        match event {
            InpaintEvent::Brush { row, col, first } => {
                if first {
                    self.past.push(settings.mask.clone());
                }
                (self.preset, settings.race) = (None, false);
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
                // The brush must not wait.
                self.drop_completion()
            }
            InpaintEvent::Lifted => self.ask_anew(settings, bench),
            InpaintEvent::Again => {
                settings.attempt = (settings.attempt + 1).min(MAX_SEED);
                self.ask_anew(settings, bench)
            }
            InpaintEvent::Choose(choice) => {
                settings.choice = choice.min(SAMPLES);
                if self.truth == Truth::Shown {
                    self.truth = Truth::Known;
                }
                vec![]
            }
            InpaintEvent::Reveal => {
                self.truth = Truth::Shown;
                vec![]
            }
            InpaintEvent::Race => self.start_race(settings, bench),
            InpaintEvent::StopRace => {
                settings.race = false;
                self.stop_race()
            }
            InpaintEvent::RaceElsewhere => {
                self.race_wanted = true;
                vec![]
            }
            InpaintEvent::Preset(preset) => {
                let holes = holes(bench.entry);
                let Some(hole) = holes.get(preset) else { return vec![] };
                self.past.push(std::mem::replace(&mut settings.mask, paint(hole, bench.config.size)));
                self.preset = Some(hole.name.clone());
                self.ask_anew(settings, bench)
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
                    self.preset = None;
                    settings.mask = mask;
                    self.ask_anew(settings, bench)
                }
                None => vec![],
            },
            InpaintEvent::Clear => {
                self.preset = None;
                self.past.push(std::mem::replace(&mut settings.mask, Mask::new(bench.config.size)));
                self.ask_anew(settings, bench)
            }
        }
    }

    fn refresh(&mut self, settings: &mut InpaintSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        let bare = settings.mask.is_bare();
        fit(settings, bench.config);
        let race_wanted = std::mem::take(&mut self.race_wanted);
        if !std::mem::replace(&mut self.opened, true) {
            self.led_to_race = settings.race;
            self.open(settings, bench, bare, race_wanted);
        }
        let source = bench.source(&settings.pick);
        let mut effects = self.whole.ask(Edit::Change { source, changes: vec![], walk: None }, bench.ids);
        effects.extend(self.ask(settings, bench));
        if race_wanted || settings.race {
            effects.extend(self.start_race(settings, bench));
        }
        effects
    }

    fn exchanged(&mut self, settings: &mut InpaintSettings) {
        self.original = None;
        (settings.choice, settings.race) = (0, false);
    }

    fn lives(&mut self) -> Vec<&mut Live> {
        vec![&mut self.whole, &mut self.run, &mut self.race]
    }

    fn take(&mut self, _: RequestId, answer: Answer, _: &InpaintSettings, _: &RgFlowConfig) {
        match answer {
            Answer::Images(images) => self.original = images.into_iter().next().map(Rc::new),
            Answer::Completion(Completion { image, samples, taken, of }) => {
                self.completion = Some(Rc::new(image));
                self.samples = samples.into_iter().map(Rc::new).collect();
                self.progress = (taken, of);
            }
            Answer::Race(standing) => self.standing = Some(Rc::new(standing)),
            Answer::Latents(_)
            | Answer::Grown(_)
            | Answer::Bits(_)
            | Answer::Field(_)
            | Answer::Leading(_)
            | Answer::Searched(_)
            | Answer::Positions(_)
            | Answer::Strips(_) => {}
        }
    }

    fn clear(&mut self) {
        let Self { brush, erase, race_wanted, .. } = *self;
        let preset = self.preset.take();
        *self = Self { brush, erase, preset, race_wanted, ..Self::default() };
    }
}
