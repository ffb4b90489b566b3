//! The page's side of the conversation with the worker.

use serde_bytes::ByteBuf;

use super::state::{Phase, State};
use crate::app::effect::Effect;
use crate::app::event::OTHER_VERSION;
use crate::app::panels::sample::Sample;
use crate::index::ModelEntry;
use crate::protocol::{Answer, Last, Load, ModelInfo, PROTOCOL, Part, RequestId, Response, Task, Worker};

impl State {
    pub(super) fn restart(&mut self) -> Vec<Effect> {
        self.photos.abandon("the engine was started again");
        self.give_up_aligning();
        (self.alive, self.info, self.phase) = (false, None, Phase::Starting);
        vec![Effect::StartEngine]
    }

    /// The worker can no longer be used.
    pub(super) fn die(&mut self, message: String) {
        self.panels.sample.forget();
        self.photos.abandon(&message);
        self.give_up_aligning();
        (self.alive, self.info, self.phase) = (false, None, Phase::Failed(message));
        // The reader's own weights go with it, and only the reader can bring them back.
        if self.has_own_weights() {
            (self.entry, self.settings.own_weights) = (None, true);
        }
    }

    pub(super) fn hear(&mut self, response: Response) -> Vec<Effect> {
        match response {
            Response::Worker(worker) => self.hear_worker(worker),
            Response::Part { id, part } => {
                self.hear_part(id, part);
                vec![]
            }
            Response::Last { id, last } => self.hear_last(id, last),
        }
    }

    fn hear_worker(&mut self, worker: Worker) -> Vec<Effect> {
        match worker {
            Worker::Hello { protocol } if protocol == PROTOCOL => {
                self.alive = true;
                self.panels.clear();
                self.panels.sample = Sample::default();
                let choice = self.use_backend();
                let url = self.index_url.clone();
                self.loading = self.ids.fresh();
                return vec![choice, Effect::serve(self.loading, Task::Index { url })];
            }
            Worker::Hello { .. } => self.die(OTHER_VERSION.to_owned()),
            Worker::Failed { message } => self.die(message),
            Worker::RunsOn { backend, note } => {
                self.backend_note = note;
                if let Some(info) = &mut self.info {
                    info.backend = backend;
                }
            }
        }
        vec![]
    }

    /// A part of an answer, if it is still of interest.
    fn hear_part(&mut self, id: RequestId, part: Part) {
        match part {
            Part::Progress { loaded, total } if id == self.loading => self.phase = Phase::Loading { loaded, total },
            Part::Picture(picture) if self.panels.sample.awaits(id) => self.panels.sample.arrived(picture),
            Part::Completion(completion) => self.take(id, Answer::Completion(completion)),
            Part::Race(standing) => self.take(id, Answer::Race(standing)),
            Part::Searched(percent) => self.take(id, Answer::Searched(percent)),
            Part::Progress { .. } | Part::Picture(_) | Part::Learned(_) => {}
        }
    }

    /// The end of an answer, if it is still of interest.
    fn hear_last(&mut self, id: RequestId, last: Last) -> Vec<Effect> {
        match last {
            Last::Failed { message } => return self.hear_failure(id, message),
            Last::Index(index) if id == self.loading => {
                self.index = Some(index);
                return self.load();
            }
            Last::Ready(info) if id == self.loading => return self.ready(*info),
            Last::Ready(info) => {
                if let Some((_, entry)) = self.opening.take_if(|(opening, _)| *opening == id) {
                    return self.opened(entry, *info);
                }
            }
            Last::Done if id == self.panels.sample.request => self.panels.sample.done(),
            Last::Answer(answer) => {
                self.take(id, answer);
                return self.panels.over(id, &mut self.ids).unwrap_or_default();
            }
            Last::Faces(faces) => {
                if let Some(faces) = self.align(id, faces) {
                    self.photos.found(id, faces);
                }
            }
            Last::Cancelled => return self.panels.over(id, &mut self.ids).unwrap_or_default(),
            Last::Index(_) | Last::Done | Last::Run(_) | Last::File(_) => {}
        }
        vec![]
    }

    fn hear_failure(&mut self, id: RequestId, message: String) -> Vec<Effect> {
        if self.photos.failed(id, &message) || self.align(id, vec![]).is_none() {
            return vec![];
        }
        // What the page as a whole waits for.
        if id == self.loading || id == self.panels.sample.request {
            self.panels.sample.forget();
            self.phase = Phase::Failed(message);
            return vec![];
        }
        if self.opening.take_if(|(opening, _)| *opening == id).is_some() {
            self.notices = vec![format!("This model could not be opened: {message}.")];
            return self.refresh();
        }
        let effects = self.panels.over(id, &mut self.ids);
        if effects.is_some() {
            self.notices = vec![format!("That could not be computed: {message}.")];
        }
        effects.unwrap_or_default()
    }

    /// Hands an answer, or a part of it, to the panel that waits for it.
    fn take(&mut self, id: RequestId, answer: Answer) {
        if let Some(info) = &self.info {
            self.panels.take(id, answer, &self.settings.panels, &info.config);
        }
    }

    pub(super) fn use_backend(&mut self) -> Effect {
        Effect::serve(self.ids.fresh(), Task::Use { backend: self.backend })
    }

    /// The reader's own weights are read.
    fn opened(&mut self, entry: ModelEntry, info: ModelInfo) -> Vec<Effect> {
        // The same model again, which has learned more since.
        let again = self.has_own_weights() && self.entry.as_ref().is_some_and(|old| old.title == entry.title);
        (self.entry, self.settings.model) = (Some(entry), None);
        self.notices.clear();
        // What a link says was meant for these weights; else the model before had other temperatures.
        let missed = std::mem::take(&mut self.missed_weights) || again;
        if !missed {
            (self.settings.temperature, self.chosen_in) = (None, None);
            self.settings.release_picks();
        }
        let mut effects = self.ready(info);
        let address = self.address();
        effects.push(if missed { Effect::WriteAddress(address) } else { Effect::PushAddress(address) });
        effects
    }

    fn ready(&mut self, info: ModelInfo) -> Vec<Effect> {
        self.info = Some(info);
        self.phase = Phase::Ready;
        self.panels.sample.forget();
        self.panels.clear();
        let mut effects = self.refresh();
        if std::mem::take(&mut self.address_due) {
            effects.push(Effect::WriteAddress(self.address()));
        }
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
        let version = self.settings.version.take();
        let found = wanted.and_then(|id| index.find(id, version.as_deref()));
        if let (Some(id), None) = (wanted, found) {
            self.notices.push(format!("There is no model “{id}” here, so another one is shown."));
        }
        let Some(model) = found.or(index.first_choice()).cloned() else {
            self.phase = Phase::Empty;
            return vec![];
        };
        self.compare_version(version, &model);
        let mut effects = self.panels.stop();
        if matches!(self.phase, Phase::Loading { .. }) {
            effects.push(Effect::cancel(self.loading));
        }
        self.phase = Phase::Loading { loaded: 0, total: 0 };
        self.info = None;
        self.backend_note.clear();
        self.loading = self.ids.fresh();
        self.entry = Some(model.clone());
        self.settings.model = Some(model.id.clone());
        let base = self.models_url();
        effects.push(Effect::serve(self.loading, Load::Listed { base, model: Box::new(model) }));
        effects
    }

    /// Whether the model that is shown is the one that an address means which names it, and perhaps its weights.
    pub(super) fn shows_what_is_meant(&self) -> bool {
        let (Some(index), Some(shown)) = (&self.index, &self.entry) else { return true };
        let (model, version) = (self.settings.model.as_deref(), self.settings.version.as_deref());
        model.and_then(|id| index.find(id, version)).is_none_or(|meant| meant.id == shown.id)
    }

    /// An address was for the model that is shown: what it says of the weights decides nothing that follows.
    pub(super) fn settle_version(&mut self) {
        if let (Some(_), Some(shown)) = (&self.index, self.entry.clone()) {
            let version = self.settings.version.take();
            self.compare_version(version, &shown);
        }
    }

    /// Says so if a link was made with weights that this model never had.
    fn compare_version(&mut self, version: Option<String>, model: &ModelEntry) {
        if version.is_some_and(|version| !model.has_weights_of(&version)) {
            let text = "The link was made with another version of this model; its pictures may differ.";
            self.notices.push(text.to_owned());
        }
    }

    /// Tells the reader of weights that the address was written for but does not hold.
    pub(super) fn miss_weights(&mut self) {
        if std::mem::take(&mut self.settings.own_weights) && !self.has_own_weights() {
            self.missed_weights = true;
            let text = "This link was made with somebody’s own weights, which no link holds, so these pictures are \
                        another model’s. Drop the same weights file onto this page to see the right ones, or press “Use it” \
                        in Train if the model learned there.";
            self.notices.push(text.to_owned());
        }
    }

    /// Reads the reader's own weights; the loaded model stays until they are read.
    pub(super) fn open(&mut self, name: String, bytes: ByteBuf) -> Vec<Effect> {
        if !self.alive {
            self.notices = vec!["The engine is not ready yet. Drop the weights again in a moment.".to_owned()];
            return vec![];
        }
        let id = self.ids.fresh();
        let entry = ModelEntry {
            id: "own".to_owned(),
            title: name,
            bytes: bytes.len() as u64,
            description: "Your own weights. They stay on this device, and no link holds them.".to_owned(),
            ..ModelEntry::default()
        };
        self.opening = Some((id, entry));
        let mut effects = self.panels.stop();
        effects.push(Effect::serve(id, Load::Own { bytes }));
        effects
    }
}
