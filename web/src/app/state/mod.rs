//! What the page shows, and how it follows from what happened. Nothing here knows of a browser.
//!
//! What all panels share is here; each panel has a file of its own.

pub mod about;
mod engine;
mod event;
pub mod explore;
mod field;
pub mod inpaint;
pub mod live;
pub mod mix;
pub mod panel;
mod pyramid;
pub mod sample;

use shared::Temperature;
use shared::sampler::Draw;

use crate::fragment::{MAX_SEED, MAX_TEMPERATURE, Panel, Pick, Seed, Settings, VERSION_DIGITS, parse_seed};
use crate::index::{ModelEntry, ModelIndex};
use crate::messages::{BackendChoice, ModelInfo, RequestId};
use about::About;
use explore::Explore;
use inpaint::Inpaint;
use live::Ids;
use mix::Mix;
use panel::{Bench, PanelState};
use sample::Samples;

pub use event::{Effect, Event, Slot};

/// Where a model's card recommends none.
const DEFAULT_TEMPERATURE: f32 = 0.8;

/// How far the page is.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// The engine or the list of models is on its way.
    Starting,
    /// The model is.
    Loading {
        /// Bytes here.
        loaded: u64,
        /// Bytes in all; 0 before the first answer.
        total: u64,
    },
    /// The model is here.
    Ready,
    /// There is no model to load.
    Empty,
    /// Nothing more happens before a retry.
    Failed(String),
}

/// Everything that the page shows.
#[derive(Clone, Debug)]
pub struct State {
    /// How far the page is.
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
    /// What there is to say of where they run.
    pub backend_note: String,
    /// Messages for the reader.
    pub notices: Vec<String>,
    /// Whether the seed's field holds something else than a seed.
    pub seed_refused: bool,
    /// The sample panel.
    pub samples: Samples,
    /// The mix panel.
    pub mix: Mix,
    /// The explore panel.
    pub explore: Explore,
    /// The inpaint panel.
    pub inpaint: Inpaint,
    /// The about panel.
    pub about: About,
    /// Whether a panel waits for pictures.
    pub busy: bool,
    /// The request for the list or the model.
    loading: RequestId,
    /// The request to read the reader's own weights.
    opening: Option<(RequestId, ModelEntry)>,
    ids: Ids,
    index_url: String,
    /// Whether the worker takes requests.
    alive: bool,
    /// Whether the address was written for weights that are not here, or not yet.
    missed_weights: bool,
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
            samples: Samples::default(),
            mix: Mix::default(),
            explore: Explore::default(),
            inpaint: Inpaint::default(),
            about: About::default(),
            busy: false,
            loading: 0,
            opening: None,
            ids: Ids::default(),
            index_url,
            alive: false,
            missed_weights: false,
        }
    }

    /// The word for how far the page is in `<html data-state>`, which tests and styles read.
    pub fn word(&self) -> &'static str {
        match self.phase {
            Phase::Starting | Phase::Loading { .. } => "loading",
            Phase::Ready if self.samples.is_running() => "sampling",
            Phase::Ready => "done",
            Phase::Empty => "empty",
            Phase::Failed(_) => "error",
        }
    }

    /// Levels of the loaded model.
    pub fn level_count(&self) -> usize {
        self.info.as_ref().map_or(0, |info| info.config.levels.len())
    }

    /// The temperatures in use, one for all levels or one a level.
    pub fn temperature(&self) -> Temperature {
        let recommended = || {
            let card = self.info.as_ref().and_then(|info| info.card.recommended(Draw::Independent));
            card.unwrap_or_else(|| Temperature::uniform(DEFAULT_TEMPERATURE))
        };
        let mut temperature = self.settings.temperature.clone().unwrap_or_else(recommended);
        if self.info.is_some() {
            temperature.levels.truncate(self.level_count());
        }
        temperature
    }

    /// The fragment of the page's address.
    pub fn address(&self) -> String {
        let mut settings = self.settings.clone();
        settings.own_weights |= self.has_own_weights();
        if self.info.is_some() {
            let temperature = self.temperature();
            settings.shorten_picks(&temperature);
            settings.temperature = Some(temperature);
            settings.version =
                self.entry.as_ref().and_then(|entry| entry.sha256.get(..VERSION_DIGITS)).map(str::to_owned);
        }
        settings.to_fragment()
    }

    /// Whether the model is the reader's own, which no address leads to.
    pub fn has_own_weights(&self) -> bool {
        self.entry.as_ref().is_some_and(|entry| entry.file.is_empty())
    }

    /// Takes an event in.
    pub fn update(&mut self, event: Event) -> Vec<Effect> {
        let effects = self.react(event);
        // What was shown once is chosen: a temperature that is set later, for other samples, does not change it.
        if self.info.is_some() {
            let temperature = self.temperature();
            self.settings.hold_picks(&temperature);
        }
        self.busy = self.panels().into_iter().flat_map(|panel| panel.lives()).any(|live| live.is_busy());
        effects
    }

    fn react(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Engine(response) => self.hear(response),
            Event::EngineDied(message) => {
                self.die(message);
                vec![]
            }
            Event::Retry => self.restart(),
            Event::Show(panel) => self.show(panel),
            Event::NewSamples(seed) => {
                self.settings.seed = Seed(seed.min(MAX_SEED));
                self.changed()
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
                let temperature = self.temperature();
                let mut levels: Vec<f32> = (0..count).map(|h| temperature.at(h)).collect();
                levels[level] = t.clamp(0.0, MAX_TEMPERATURE);
                self.settings.temperature = Some(Temperature { levels });
                self.changed()
            }
            Event::Temperatures(temperature) => {
                self.settings.temperature = temperature;
                self.changed()
            }
            Event::Model(id) => {
                self.settings.model = Some(id);
                // Another model has another recommendation, and other latents with a name.
                self.settings.temperature = None;
                self.settings.explore.at = None;
                self.settings.release_picks();
                self.missed_weights = false;
                let mut effects = self.load();
                effects.push(Effect::WriteAddress(self.address()));
                effects
            }
            Event::Backend(backend) => {
                self.backend = backend;
                if self.alive { vec![self.use_backend()] } else { vec![] }
            }
            Event::Weights(name, bytes) => self.open(name, bytes),
            Event::Address(fragment) => self.follow(&fragment),
            Event::Redraw => vec![],
            Event::Smooth(smooth) => {
                self.settings.smooth = smooth;
                vec![Effect::WriteAddress(self.address())]
            }
            Event::AddressWanted => vec![Effect::WriteAddress(self.address())],
            Event::Gallery => self.sample(),
            Event::Enlarged(place) => self.with_bench(|state, bench| state.samples.ask_growth(place, bench)),
            Event::Picked(slot, pick) => self.pick(slot, pick),
            Event::Notice(text) => {
                self.notices = vec![text];
                vec![]
            }
            Event::Mix(event) => self.panel(|state, bench| state.mix.update(event, &mut state.settings.mix, bench)),
            Event::Explore(event) => {
                self.panel(|state, bench| state.explore.update(event, &mut state.settings.explore, bench))
            }
            Event::Inpaint(event) => {
                self.panel(|state, bench| state.inpaint.update(event, &mut state.settings.inpaint, bench))
            }
        }
    }

    /// An event of a panel, and the address that follows from it.
    fn panel(&mut self, update: impl FnOnce(&mut Self, &mut Bench<'_>) -> Vec<Effect>) -> Vec<Effect> {
        self.notices.clear();
        let mut effects = self.with_bench(update);
        effects.push(Effect::WriteAddress(self.address()));
        effects
    }

    /// Lets a panel ask for pictures, if there is a model to make them.
    fn with_bench(&mut self, f: impl FnOnce(&mut Self, &mut Bench<'_>) -> Vec<Effect>) -> Vec<Effect> {
        let Some(ModelInfo { config, card, .. }) = self.info.clone() else { return vec![] };
        let mut ids = std::mem::take(&mut self.ids);
        let temperature = self.temperature();
        let holes = inpaint::holes(self.entry.as_ref());
        let seed = self.settings.seed.0;
        let mut bench = Bench { config: &config, card: &card, temperature, holes: &holes, seed, ids: &mut ids };
        let effects = f(self, &mut bench);
        self.ids = ids;
        effects
    }

    fn panels(&mut self) -> Vec<&mut dyn PanelState> {
        vec![&mut self.samples, &mut self.mix, &mut self.explore, &mut self.inpaint, &mut self.about]
    }

    fn show(&mut self, panel: Panel) -> Vec<Effect> {
        if self.settings.panel == panel {
            return vec![];
        }
        // The panel that is left must not keep the next one waiting.
        let mut effects = self.stop();
        self.settings.panel = panel;
        self.notices.clear();
        effects.extend(self.refresh());
        effects.push(Effect::PushAddress(self.address()));
        effects
    }

    fn pick(&mut self, slot: Slot, pick: Pick) -> Vec<Effect> {
        let place = match slot {
            Slot::MixA => &mut self.settings.mix.a,
            Slot::MixB => &mut self.settings.mix.b,
            Slot::Explore => &mut self.settings.explore.pick,
            Slot::Inpaint => &mut self.settings.inpaint.pick,
        };
        *place = pick;
        if slot == Slot::Explore {
            self.explore.exchanged(&mut self.settings.explore);
        }
        if self.settings.panel == slot.panel() { self.changed() } else { self.show(slot.panel()) }
    }

    /// After a change of the settings.
    fn changed(&mut self) -> Vec<Effect> {
        self.notices.clear();
        self.seed_refused = false;
        let mut effects = self.refresh();
        effects.push(Effect::WriteAddress(self.address()));
        effects
    }

    /// Asks for what the shown panel needs.
    fn refresh(&mut self) -> Vec<Effect> {
        match self.settings.panel {
            Panel::Sample => self.sample(),
            Panel::Mix => self.with_bench(|state, bench| state.mix.refresh(&mut state.settings.mix, bench)),
            Panel::Explore => self.with_bench(|state, bench| state.explore.refresh(&mut state.settings.explore, bench)),
            Panel::Inpaint => self.with_bench(|state, bench| state.inpaint.refresh(&mut state.settings.inpaint, bench)),
            Panel::About => self.with_bench(|state, bench| state.about.refresh(bench)),
        }
    }

    /// Asks for samples as they are set now, if a model is there.
    fn sample(&mut self) -> Vec<Effect> {
        self.with_bench(|state, bench| state.samples.ask(bench.seed, bench.temperature.clone(), bench.ids))
    }

    fn follow(&mut self, fragment: &str) -> Vec<Effect> {
        let (mut settings, notices) = Settings::parse(fragment);
        // The address that is there already, as when a dialog is left.
        if notices.is_empty() && settings == Settings::parse(&self.address()).0 {
            return vec![];
        }
        self.notices = notices;
        self.seed_refused = false;
        // An address speaks of its own panel only.
        let here = self.settings.clone();
        if settings.panel != Panel::Mix {
            settings.mix = here.mix;
        }
        if settings.panel != Panel::Explore {
            settings.explore = here.explore;
        }
        if settings.panel != Panel::Inpaint {
            settings.inpaint = here.inpaint;
        }
        // One without a model is content with any.
        if settings.model.is_none() {
            settings.model = here.model.clone();
        }
        self.settings = settings;
        if self.settings.model == here.model {
            self.miss_weights();
            self.refresh()
        } else {
            self.settings.release_other_picks();
            self.load()
        }
    }
}

#[cfg(test)]
mod tests;
