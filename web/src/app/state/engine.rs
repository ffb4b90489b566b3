//! The state's side of the conversation with the worker.

use serde_bytes::ByteBuf;

use super::panel::Context;
use super::sample::Samples;
use super::{Effect, Phase, State};
use crate::index::ModelEntry;
use crate::messages::edit::EditAnswer;
use crate::messages::{ModelInfo, PROTOCOL, Request, RequestId, RequestKind, Response, ResponseKind};

impl State {
    pub(super) fn restart(&mut self) -> Vec<Effect> {
        (self.alive, self.info, self.phase) = (false, None, Phase::Starting);
        vec![Effect::StartEngine]
    }

    /// The worker is of no more use.
    pub(super) fn die(&mut self, message: String) {
        self.samples.forget();
        (self.alive, self.info, self.phase) = (false, None, Phase::Failed(message));
        // The reader's own weights go with it, and only the reader can bring them back.
        if self.has_own_weights() {
            (self.entry, self.settings.own_weights) = (None, true);
        }
    }

    pub(super) fn hear(&mut self, Response { id, kind }: Response) -> Vec<Effect> {
        match kind {
            ResponseKind::Hello { protocol } if protocol == PROTOCOL => {
                self.alive = true;
                self.samples = Samples::default();
                self.panels().into_iter().for_each(|panel| panel.clear());
                let choice = self.use_backend();
                let url = self.index_url.clone();
                self.loading = self.ids.fresh();
                let list = Effect::Send(Request { id: self.loading, kind: RequestKind::Index { url } });
                return vec![choice, list];
            }
            ResponseKind::Hello { .. } => self.die("The page was updated. Reload it to go on.".to_owned()),
            // About the worker itself.
            ResponseKind::Failed { message } if id == 0 => self.die(message),
            // About what this page still waits for.
            ResponseKind::Failed { message } if id == self.loading || id == self.samples.request => {
                self.samples.forget();
                self.phase = Phase::Failed(message);
            }
            ResponseKind::Index(index) if id == self.loading => {
                self.index = Some(index);
                return self.load();
            }
            ResponseKind::Progress { loaded, total } if id == self.loading => {
                self.phase = Phase::Loading { loaded, total };
            }
            ResponseKind::Ready(info) if id == self.loading => return self.ready(*info),
            ResponseKind::Ready(info) => {
                if let Some((_, entry)) = self.opening.take_if(|(opening, _)| *opening == id) {
                    (self.entry, self.settings.model) = (Some(entry), None);
                    self.notices.clear();
                    // What a link says was meant for these weights; else the model before had other temperatures.
                    if !std::mem::take(&mut self.missed_weights) {
                        self.settings.temperature = None;
                        self.settings.release_picks();
                    }
                    let mut effects = self.ready(*info);
                    effects.push(Effect::WriteAddress(self.address()));
                    return effects;
                }
            }
            ResponseKind::Failed { message } if self.opening.as_ref().is_some_and(|(opening, _)| *opening == id) => {
                self.opening = None;
                self.notices = vec![format!("This model could not be opened: {message}.")];
                return self.refresh();
            }
            ResponseKind::RunsOn { backend, note } => {
                self.backend_note = note;
                if let Some(info) = &mut self.info {
                    info.backend = backend;
                }
            }
            ResponseKind::Picture(picture) if id == self.samples.request => self.samples.take(picture),
            ResponseKind::Done if id == self.samples.request => self.samples.done(),
            ResponseKind::EditPart(answer) => return self.edited(id, Some(answer), false).unwrap_or_default(),
            ResponseKind::Edited(answer) => return self.edited(id, Some(answer), true).unwrap_or_default(),
            ResponseKind::Cancelled => return self.edited(id, None, true).unwrap_or_default(),
            ResponseKind::Failed { message } => {
                if let Some(effects) = self.edited(id, None, true) {
                    self.notices = vec![format!("That could not be computed: {message}.")];
                    return effects;
                }
            }
            // Of a request that is no longer of interest.
            _ => {}
        }
        vec![]
    }

    /// An answer to a panel's request, or a part of it; `None` if it was none of theirs.
    fn edited(&mut self, id: RequestId, mut answer: Option<EditAnswer>, last: bool) -> Option<Vec<Effect>> {
        let config = self.info.as_ref().map(|info| info.config.clone())?;
        let (settings, mut ids) = (self.settings.clone(), std::mem::take(&mut self.ids));
        let context = Context { config: &config, settings: &settings };
        let panel = self.panels().into_iter().find_map(|panel| panel.hear(id, &mut answer, &context).then_some(panel));
        let effects = panel.map(|panel| if last { panel.over(id, &mut ids) } else { vec![] });
        self.ids = ids;
        effects
    }

    pub(super) fn use_backend(&mut self) -> Effect {
        Effect::Send(Request { id: self.ids.fresh(), kind: RequestKind::Use { backend: self.backend } })
    }

    fn ready(&mut self, info: ModelInfo) -> Vec<Effect> {
        self.info = Some(info);
        self.phase = Phase::Ready;
        self.samples.forget();
        self.panels().into_iter().for_each(|panel| panel.clear());
        self.refresh()
    }

    /// Stops what is under way, so that what comes next need not wait.
    pub(super) fn stop(&mut self) -> Vec<Effect> {
        let mut ids = std::mem::take(&mut self.ids);
        let mut effects = self.samples.cancel(&mut ids);
        if !effects.is_empty() {
            // Pictures that did not come are asked for again.
            self.samples.forget();
        }
        effects.extend(self.panels().into_iter().flat_map(|panel| panel.stop(&mut ids)));
        self.ids = ids;
        effects
    }

    /// Loads the wanted model, or else the list's first choice.
    pub(super) fn load(&mut self) -> Vec<Effect> {
        if !self.alive {
            return self.restart();
        }
        // The list, when it comes, leads here again.
        if self.index.is_none() {
            return vec![];
        }
        self.miss_weights();
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
        if self.settings.version.take().is_some_and(|version| !model.sha256.starts_with(&version)) {
            let text = "The link was made with another version of this model; its pictures may differ.";
            self.notices.push(text.to_owned());
        }
        let mut effects = self.stop();
        if matches!(self.phase, Phase::Loading { .. }) {
            let kind = RequestKind::Cancel { request: self.loading };
            effects.push(Effect::Send(Request { id: self.ids.fresh(), kind }));
        }
        self.phase = Phase::Loading { loaded: 0, total: 0 };
        self.info = None;
        self.backend_note.clear();
        self.loading = self.ids.fresh();
        self.entry = Some(model.clone());
        self.settings.model = Some(model.id.clone());
        // The list's own address without its name.
        let base = self.index_url.rsplit_once('/').map(|(base, _)| format!("{base}/")).unwrap_or_default();
        let kind = RequestKind::Load { base, model };
        effects.push(Effect::Send(Request { id: self.loading, kind }));
        effects
    }

    /// Tells of weights that the address was written for and does not hold.
    pub(super) fn miss_weights(&mut self) {
        if std::mem::take(&mut self.settings.own_weights) && !self.has_own_weights() {
            self.missed_weights = true;
            let text = "What was set here belongs to weights of somebody’s own, which no link holds; these pictures are \
                        another model’s. Drop the same weights file onto this page to see the right ones.";
            self.notices.push(text.to_owned());
        }
    }

    /// Reads the reader's own weights; the loaded model stays until they are read.
    pub(super) fn open(&mut self, name: String, bytes: ByteBuf) -> Vec<Effect> {
        if !self.alive {
            self.notices = vec!["The engine is not up yet: drop the weights again in a moment.".to_owned()];
            return vec![];
        }
        let id = self.ids.fresh();
        let entry = ModelEntry {
            id: "own".to_owned(),
            title: name,
            file: String::new(),
            bytes: bytes.len() as u64,
            sha256: String::new(),
            description: "Your own weights. They stay on this device, and no link holds them.".to_owned(),
            licence: String::new(),
            default: false,
            holes: vec![],
        };
        self.opening = Some((id, entry));
        let mut effects = self.stop();
        effects.push(Effect::Send(Request { id, kind: RequestKind::Open { bytes } }));
        effects
    }
}
