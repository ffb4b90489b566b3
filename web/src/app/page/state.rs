//! What the page shows, and how it follows from what happened. Nothing here knows of a browser.

use std::rc::Rc;

use shared::Temperature;

use super::history::History;
use super::photos::Photos;
use super::settings::{Seed, Settings};
use crate::address::{MAX_SEED, MAX_TEMPERATURE, parse_seed};
use crate::app::effect::{Effect, Ids};
use crate::app::event::Event;
use crate::app::panel::Panel;
use crate::app::panels::list::{AllSettings, PanelEvent, Panels, slots};
use crate::app::panels::sample::state::{Sample, SampleEvent};
use crate::app::panels::{Bench, PanelState};
use crate::app::slot;
use crate::index::{ModelEntry, ModelIndex};
use crate::protocol::{BackendChoice, Image, ModelInfo, RequestId};

/// How far loading has got.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// The engine or the list of models is on its way.
    Starting,
    /// The model is on its way.
    Loading {
        /// Bytes loaded so far.
        loaded: u64,
        /// Bytes in total; 0 before the first answer.
        total: u64,
    },
    /// The model is here.
    Ready,
    /// There is no model to load.
    Empty,
    /// Nothing happens until a retry.
    Failed(String),
}

/// What the page takes in.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// What happened to the page as a whole.
    Page(Event),
    /// What happened within a panel.
    Panel(PanelEvent),
}

impl From<Event> for Input {
    fn from(event: Event) -> Self {
        Self::Page(event)
    }
}

impl From<PanelEvent> for Input {
    fn from(event: PanelEvent) -> Self {
        Self::Panel(event)
    }
}

/// Everything that the page shows.
#[derive(Clone, Debug)]
pub struct State {
    /// How far loading has got.
    pub phase: Phase,
    /// The models on offer, once they are known.
    pub index: Option<ModelIndex>,
    /// The loaded model, or the one being loaded.
    pub entry: Option<ModelEntry>,
    /// The loaded model.
    pub info: Option<ModelInfo>,
    /// What the reader set.
    pub settings: Settings,
    /// What the reader wants models to run on.
    pub backend: BackendChoice,
    /// A note on what they run on.
    pub backend_note: String,
    /// Messages for the reader.
    pub notices: Vec<String>,
    /// Whether the seed's field holds something other than a seed.
    pub seed_refused: bool,
    /// The panels.
    pub panels: Panels,
    /// The reader's own pictures.
    pub photos: Photos,
    /// What was looked at.
    pub history: History,
    /// The address from which the tour began, and what was set in all panels.
    pub(super) before_tour: Option<(String, AllSettings)>,
    /// Whether a panel waits for pictures, or the picker for faces.
    pub busy: bool,
    /// The stored first samples, if they were read.
    pub(super) preview: Vec<Rc<Image>>,
    /// The task of fetching the list or the model.
    pub(super) loading: RequestId,
    /// The task of reading the reader's own weights.
    pub(super) opening: Option<(RequestId, ModelEntry)>,
    /// The task of looking for faces in the picture of that number, which is to be learned from.
    pub(super) aligning: Option<(RequestId, u32)>,
    pub(super) ids: Ids,
    pub(super) index_url: String,
    /// Whether the worker takes requests.
    pub(super) alive: bool,
    /// Whether the address was written for weights that are not here, or not yet.
    pub(super) missed_weights: bool,
    /// Whether the address says less than is set: a chosen model, which has some say in it, is on its way.
    pub(super) address_due: bool,
    /// The panel in which the reader last chose a picture.
    pub(super) chosen_in: Option<Panel>,
}

impl State {
    /// A page at its start. `index_url` is the address of the list of models.
    pub fn new(fragment: &str, backend: BackendChoice, index_url: String) -> Self {
        let (settings, notices) = Settings::parse(fragment);
        Self {
            phase: Phase::Starting,
            index: None,
            entry: None,
            info: None,
            settings,
            backend,
            backend_note: String::new(),
            notices,
            seed_refused: false,
            panels: Panels::default(),
            photos: Photos::default(),
            history: History::default(),
            before_tour: None,
            busy: false,
            preview: vec![],
            loading: 0,
            opening: None,
            aligning: None,
            ids: Ids::default(),
            index_url,
            alive: false,
            missed_weights: false,
            address_due: false,
            chosen_in: None,
        }
    }

    /// The word for the phase in `<html data-state>`, which tests and styles read.
    pub fn word(&self) -> &'static str {
        match self.phase {
            Phase::Starting | Phase::Loading { .. } => "loading",
            Phase::Ready if self.panels.sample.is_running() => "sampling",
            Phase::Ready => "done",
            Phase::Empty => "empty",
            Phase::Failed(_) => "error",
        }
    }

    /// Levels of the loaded model.
    pub fn level_count(&self) -> usize {
        self.info.as_ref().map_or(0, |info| info.config.level_count())
    }

    /// Keeps the picture that has grown under the microscope.
    fn remember(&mut self) {
        let Some(model) = self.info.is_some().then(|| self.model_key().to_owned()) else { return };
        if let Some((pick, [.., image])) = self.panels.sample.growth() {
            self.history.see(&model, pick, image);
        }
    }

    /// Whether the model is the reader's own, which no address leads to.
    pub fn has_own_weights(&self) -> bool {
        self.entry.as_ref().is_some_and(|entry| entry.file.is_empty())
    }

    /// Takes in what happened.
    pub fn update(&mut self, input: impl Into<Input>) -> Vec<Effect> {
        let mut effects = match input.into() {
            Input::Page(event) => self.react(event),
            Input::Panel(event) => self.change_panel(event),
        };
        // What was shown once is chosen: a temperature that is set later, for other samples, does not change it.
        if self.info.is_some() {
            let drawing = self.drawing();
            self.settings.hold_picks(&drawing);
        }
        self.remember();
        effects.extend(self.wake_trainer());
        self.busy = self.panels.is_busy() || self.photos.is_busy();
        effects
    }

    fn react(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Engine(response) => self.hear(response),
            Event::EngineDied(message) => {
                self.die(message);
                vec![]
            }
            Event::Trainer(response) => self.hear_trainer(response),
            Event::TrainerDied(message) => self.panels.train.die(message),
            Event::Retry => self.restart(),
            Event::Show(panel) => self.show(panel),
            Event::NewSamples(seed) => {
                self.settings.panels.sample.follow_seed();
                self.chosen_in = Some(Panel::Sample);
                self.settings.seed = Seed(seed.min(MAX_SEED));
                // Back leads to the ones before.
                self.changed_by_a_step()
            }
            Event::SeedTyped(text) => match parse_seed(text.trim()) {
                Some(seed) => {
                    self.settings.seed = Seed(seed);
                    self.changed()
                }
                None => {
                    self.seed_refused = true;
                    vec![]
                }
            },
            Event::Uniform(t) => {
                self.settings.temperature = Some(Temperature::uniform(t.clamp(0.0, MAX_TEMPERATURE)));
                self.changed()
            }
            Event::Level(level, t) => {
                let count = self.level_count();
                if level >= count {
                    return vec![];
                }
                let temperature = self.drawing().temperature;
                let mut levels: Vec<f32> = (0..count).map(|h| temperature.at(h)).collect();
                levels[level] = t.clamp(0.0, MAX_TEMPERATURE);
                self.settings.temperature = Some(Temperature { levels });
                self.changed()
            }
            Event::Temperatures(temperature) => {
                self.settings.temperature = temperature;
                self.changed()
            }
            Event::Latents(latents) => {
                self.settings.latents = Some(latents);
                // Each way of drawing has its own recommendation.
                self.settings.temperature = None;
                self.changed()
            }
            Event::Model(id) => {
                (self.settings.model, self.settings.version) = (Some(id), None);
                // Another model has another recommendation, and other latents with a name.
                self.settings.temperature = None;
                // Where there was no choice, none was made.
                if !self.info.as_ref().is_some_and(|info| info.joint) {
                    self.settings.latents = None;
                }
                self.settings.panels.explore.forget_latents();
                // Of another model's coarse steps one sees nothing yet.
                self.settings.panels.sample.depth = None;
                self.settings.panels.inpaint.race = false;
                self.settings.panels.mix.forget_samples();
                self.settings.release_picks();
                (self.missed_weights, self.address_due, self.chosen_in) = (false, true, None);
                let mut effects = self.load();
                effects.push(Effect::PushAddress(self.address()));
                effects
            }
            Event::Backend(backend) => {
                self.backend = backend;
                let drawing = self.alive.then(|| self.use_backend());
                drawing.into_iter().chain(self.train_on_backend()).collect()
            }
            Event::Weights(name, bytes) => self.open(name, bytes),
            Event::Address(fragment) => self.follow(&fragment),
            Event::Redraw => vec![],
            Event::Smooth(smooth) => {
                self.settings.smooth = (smooth != self.suits_smooth()).then_some(smooth);
                vec![Effect::WriteAddress(self.address())]
            }
            Event::AddressWanted => vec![Effect::WriteAddress(self.address())],
            Event::Gallery => self.ask(Panel::Sample),
            Event::Picked(slot, pick) => self.pick(slot, pick),
            Event::Preview(samples) => {
                self.preview = samples;
                vec![]
            }
            Event::Photo(number, photo) => self.look(number, photo),
            Event::Photos(kept) => {
                self.photos.kept = kept;
                vec![]
            }
            Event::PhotosLost => {
                self.photos.forgotten = true;
                vec![]
            }
            Event::RemovePhoto(own) => self.remove_photo(&own),
            Event::Recall(pick) => match slot::landing(&slots(), self.settings.panel, None) {
                Some(slot) => self.pick(slot, pick),
                None => self.pick(&Sample::SLOTS[0], pick),
            },
            Event::Pin(pick) => {
                self.history.pin(&pick);
                vec![]
            }
            Event::Tour(stop) => self.tour(stop),
            Event::TourBy(by) => {
                let next = self.settings.tour.and_then(|stop| stop.checked_add_signed(by));
                self.tour(next)
            }
            Event::Notice(text) => {
                self.notices = vec![text];
                vec![]
            }
        }
    }

    /// An event of a panel, and the address that follows from it.
    fn change_panel(&mut self, event: PanelEvent) -> Vec<Effect> {
        if let PanelEvent::Train(event) = event {
            return self.train(event);
        }
        if let PanelEvent::Sample(SampleEvent::Choose(_) | SampleEvent::Another(_) | SampleEvent::Reroll(..)) = event {
            self.chosen_in = Some(Panel::Sample);
        }
        // A picture that grows does so by itself.
        let moves_on = !matches!(event, PanelEvent::Sample(SampleEvent::Grown));
        let mut effects = self.with_bench(|state, bench| state.panels.update(event, &mut state.settings.panels, bench));
        if moves_on {
            self.notices.clear();
            effects.push(Effect::WriteAddress(self.address()));
        }
        effects
    }

    /// Lets a panel ask for pictures, if there is a model to make them.
    fn with_bench(&mut self, f: impl FnOnce(&mut Self, &mut Bench<'_>) -> Vec<Effect>) -> Vec<Effect> {
        let Some(ModelInfo { config, card, joint, .. }) = self.info.clone() else { return vec![] };
        let (mut ids, entry, twin) = (std::mem::take(&mut self.ids), self.entry.clone(), self.twin().cloned());
        let (drawing, seed, models) = (self.drawing(), self.settings.seed.0, self.models_url());
        let (config, card, entry, twin) = (&config, &card, entry.as_ref(), twin.as_ref());
        let mut bench = Bench { config, card, entry, twin, joint, models: &models, drawing, seed, ids: &mut ids };
        let effects = f(self, &mut bench);
        self.ids = ids;
        effects
    }

    /// After a change of the settings.
    pub(super) fn changed(&mut self) -> Vec<Effect> {
        let mut effects = self.follow_settings();
        effects.push(Effect::WriteAddress(self.address()));
        effects
    }

    /// The same, so that the reader can go back to what was before.
    fn changed_by_a_step(&mut self) -> Vec<Effect> {
        let mut effects = self.follow_settings();
        effects.push(Effect::PushAddress(self.address()));
        effects
    }

    fn follow_settings(&mut self) -> Vec<Effect> {
        self.notices.clear();
        self.seed_refused = false;
        self.refresh()
    }

    /// Asks for what the shown panel needs.
    pub(super) fn refresh(&mut self) -> Vec<Effect> {
        self.ask(self.settings.panel)
    }

    fn ask(&mut self, panel: Panel) -> Vec<Effect> {
        self.with_bench(|state, bench| state.panels.refresh(panel, &mut state.settings.panels, bench))
    }
}
