//! What the page shows, and how it follows from what happened. Nothing here knows of a browser.

use shared::Temperature;

use crate::fragment::{MAX_SEED, MAX_TEMPERATURE, Settings, parse_seed};
use crate::index::{ModelEntry, ModelIndex};
use crate::messages::{
    BackendChoice, ModelInfo, PROTOCOL, Picture, Request, RequestId, RequestKind, Response, ResponseKind,
};

/// Pictures in the grid.
pub const GRID: usize = 16;

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
    /// Pictures are on their way.
    Sampling,
    /// All pictures are here.
    Done,
    /// There is no model to load.
    Empty,
    /// Nothing more happens before a retry.
    Failed(String),
}

impl Phase {
    /// The word for it in `<html data-state>`, which tests and styles read.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Starting | Self::Loading { .. } => "loading",
            Self::Sampling => "sampling",
            Self::Done => "done",
            Self::Empty => "empty",
            Self::Failed(_) => "error",
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The worker said something.
    Engine(Response),
    /// The worker broke down without a word of its own.
    EngineDied(String),
    /// Start over.
    Retry,
    /// Other samples, from this seed.
    NewSamples(u64),
    /// The seed's field was edited.
    SeedTyped(String),
    /// One temperature for all levels.
    Uniform(f32),
    /// One level's temperature.
    Level(usize, f32),
    /// All temperatures.
    Mix(Temperature),
    /// Another model was chosen.
    Model(String),
    /// What to run models on.
    Backend(BackendChoice),
    /// The address changed.
    Address(String),
}

/// What to do about it, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Start the worker, or start it again.
    StartEngine,
    /// Tell the worker.
    Send(Request),
    /// Show a picture of this seed in its place.
    Paint(Picture, u64),
    /// Write the settings to the address.
    WriteAddress(String),
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
    /// Messages about settings that could not be used.
    pub notices: Vec<String>,
    /// Whether the seed's field holds something else than a seed.
    pub seed_refused: bool,
    /// The request whose pictures each place shows; 0 for none.
    pub shown: [RequestId; GRID],
    /// The last request for pictures.
    pub sampling: RequestId,
    /// Time for each picture of that request, summed, and their number.
    times: (f64, u32),
    /// The request for the list or the model.
    loading: RequestId,
    last_id: RequestId,
    index_url: String,
    /// Whether the worker takes requests.
    alive: bool,
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
            shown: [0; GRID],
            sampling: 0,
            times: (0.0, 0),
            loading: 0,
            last_id: 0,
            index_url,
            alive: false,
        }
    }

    /// Milliseconds that a picture took on the average.
    pub fn millis(&self) -> Option<f64> {
        (self.times.1 > 0).then(|| self.times.0 / f64::from(self.times.1))
    }

    /// Whether the place shows something other than what is set.
    pub fn is_stale(&self, place: usize) -> bool {
        self.shown.get(place).is_none_or(|&id| id != self.sampling)
    }

    /// Takes an event in.
    pub fn update(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Engine(response) => self.hear(response),
            Event::EngineDied(message) => {
                self.die(message);
                vec![]
            }
            Event::Retry => self.restart(),
            Event::NewSamples(seed) => {
                self.settings.seed = seed.min(MAX_SEED);
                self.changed()
            }
            Event::SeedTyped(text) => match parse_seed(text.trim()) {
                Some(seed) => {
                    self.settings.seed = seed;
                    self.changed()
                }
                None => {
                    self.seed_refused = true;
                    vec![]
                }
            },
            Event::Uniform(t) => {
                self.settings.temperature = Temperature::uniform(t.clamp(0.0, MAX_TEMPERATURE));
                self.changed()
            }
            Event::Level(level, t) => {
                let count = self.level_count();
                if level >= count {
                    return vec![];
                }
                let mut levels: Vec<f32> = (0..count).map(|h| self.settings.temperature.at(h)).collect();
                levels[level] = t.clamp(0.0, MAX_TEMPERATURE);
                self.settings.temperature = Temperature { levels };
                self.changed()
            }
            Event::Mix(temperature) => {
                self.settings.temperature = temperature;
                self.changed()
            }
            Event::Model(id) => {
                self.settings.model = Some(id);
                let mut effects = self.load();
                effects.push(Effect::WriteAddress(self.settings.to_fragment()));
                effects
            }
            Event::Backend(backend) => {
                self.backend = backend;
                if self.alive { vec![self.use_backend()] } else { vec![] }
            }
            Event::Address(fragment) => self.follow(&fragment),
        }
    }

    /// Levels of the loaded model.
    pub fn level_count(&self) -> usize {
        self.info.as_ref().map_or(0, |info| info.config.levels.len())
    }

    fn restart(&mut self) -> Vec<Effect> {
        (self.alive, self.info, self.phase) = (false, None, Phase::Starting);
        vec![Effect::StartEngine]
    }

    /// The worker is of no more use.
    fn die(&mut self, message: String) {
        (self.alive, self.info, self.phase) = (false, None, Phase::Failed(message));
    }

    /// After a change of the settings.
    fn changed(&mut self) -> Vec<Effect> {
        self.notices.clear();
        self.seed_refused = false;
        let mut effects = self.sample();
        effects.push(Effect::WriteAddress(self.settings.to_fragment()));
        effects
    }

    fn follow(&mut self, fragment: &str) -> Vec<Effect> {
        let (settings, notices) = Settings::parse(fragment);
        self.notices = notices;
        self.seed_refused = false;
        if settings == self.settings {
            return vec![];
        }
        let here = self.settings.model.take();
        self.settings = settings;
        // An address without a model is content with any.
        if self.settings.model.is_none() {
            self.settings.model = here.clone();
        }
        if self.settings.model == here { self.sample() } else { self.load() }
    }

    fn hear(&mut self, Response { id, kind }: Response) -> Vec<Effect> {
        match kind {
            ResponseKind::Hello { protocol } if protocol == PROTOCOL => {
                self.alive = true;
                self.shown = [0; GRID];
                let choice = self.use_backend();
                let url = self.index_url.clone();
                self.loading = self.new_id();
                let list = Effect::Send(Request { id: self.loading, kind: RequestKind::Index { url } });
                return vec![choice, list];
            }
            ResponseKind::Hello { .. } => self.die("The page was updated. Reload it to go on.".to_owned()),
            // About the worker itself.
            ResponseKind::Failed { message } if id == 0 => self.die(message),
            // About what this page still waits for.
            ResponseKind::Failed { message } if id == self.loading || id == self.sampling => {
                self.phase = Phase::Failed(message);
            }
            ResponseKind::Index(index) if id == self.loading => {
                self.index = Some(index);
                return self.load();
            }
            ResponseKind::Progress { loaded, total } if id == self.loading => {
                self.phase = Phase::Loading { loaded, total };
            }
            ResponseKind::Ready(info) if id == self.loading => {
                self.info = Some(*info);
                return self.sample();
            }
            ResponseKind::RunsOn { backend, note } => {
                self.backend_note = note;
                if let Some(info) = &mut self.info {
                    info.backend = backend;
                }
            }
            ResponseKind::Picture(picture) if id == self.sampling => {
                self.times = (self.times.0 + picture.millis, self.times.1 + 1);
                let Some(shown) = self.shown.get_mut(picture.index as usize) else { return vec![] };
                *shown = id;
                return vec![Effect::Paint(picture, self.settings.seed)];
            }
            ResponseKind::Done if id == self.sampling => self.phase = Phase::Done,
            // Of a request that is no longer of interest.
            _ => {}
        }
        vec![]
    }

    fn use_backend(&mut self) -> Effect {
        let kind = RequestKind::Use { backend: self.backend };
        Effect::Send(Request { id: self.new_id(), kind })
    }

    fn new_id(&mut self) -> RequestId {
        self.last_id += 1;
        self.last_id
    }

    /// Loads the wanted model, or else the list's first choice.
    fn load(&mut self) -> Vec<Effect> {
        if !self.alive {
            return self.restart();
        }
        // The list, when it comes, leads here again.
        let Some(index) = &self.index else { return vec![] };
        let wanted = self.settings.model.as_ref();
        let found = wanted.and_then(|id| index.get(id));
        if let (Some(id), None) = (wanted, found) {
            self.notices.push(format!("There is no model “{id}” here; this is another one."));
        }
        let Some(model) = found.or(index.first_choice()).cloned() else {
            self.phase = Phase::Empty;
            return vec![];
        };
        let mut effects = self.cancel(self.sampling, self.phase == Phase::Sampling);
        let loading = matches!(self.phase, Phase::Loading { .. });
        effects.extend(self.cancel(self.loading, loading));
        self.phase = Phase::Loading { loaded: 0, total: 0 };
        self.info = None;
        self.backend_note.clear();
        self.loading = self.new_id();
        self.entry = Some(model.clone());
        self.settings.model = Some(model.id.clone());
        // The list's own address without its name.
        let base = self.index_url.rsplit_once('/').map(|(base, _)| format!("{base}/")).unwrap_or_default();
        let kind = RequestKind::Load { base, model };
        effects.push(Effect::Send(Request { id: self.loading, kind }));
        effects
    }

    fn cancel(&mut self, request: RequestId, running: bool) -> Vec<Effect> {
        if !running {
            return vec![];
        }
        vec![Effect::Send(Request { id: self.new_id(), kind: RequestKind::Cancel { request } })]
    }

    /// Asks for pictures as they are set now, if a model is there.
    fn sample(&mut self) -> Vec<Effect> {
        let Some(info) = &self.info else { return vec![] };
        let temperature = fitted(&self.settings.temperature, info.config.levels.len());
        let mut effects = self.cancel(self.sampling, self.phase == Phase::Sampling);
        // What was shown longest comes first: while a slider moves, every place gets its turn.
        let mut indices: Vec<u32> = (0..GRID as u32).collect();
        indices.sort_by_key(|&i| self.shown[i as usize]);
        self.sampling = self.new_id();
        self.times = (0.0, 0);
        self.phase = Phase::Sampling;
        let kind = RequestKind::Sample { seed: self.settings.seed, indices, temperature };
        effects.push(Effect::Send(Request { id: self.sampling, kind }));
        effects
    }
}

/// Factors for as many levels as the model has, at most.
fn fitted(temperature: &Temperature, levels: usize) -> Temperature {
    let mut temperature = temperature.clone();
    temperature.levels.truncate(levels);
    temperature
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
