//! The page's side of the conversation with the worker that trains, which the page's models have nothing to do with.

use std::rc::Rc;

use super::state::State;
use crate::app::effect::Effect;
use crate::app::event::OTHER_VERSION;
use crate::app::gather::Gathered;
use crate::app::panel::Panel;
use crate::app::panels::train::state::{self as trainer, Purpose, TrainEvent};
use crate::protocol::{Last, PROTOCOL, RequestId, Response, Snapshot, TrainTask, Worker};
use face_finder::Face;

impl State {
    /// Starts the worker when its panel is shown, or when it may have kept the weights that an address speaks of.
    pub(super) fn wake_trainer(&mut self) -> Option<Effect> {
        let wanted = self.settings.panel == Panel::Train || self.missed_weights;
        if wanted { self.panels.train.wake() } else { None }
    }

    /// An event of the panel.
    pub(super) fn train(&mut self, event: TrainEvent) -> Vec<Effect> {
        let event = match event {
            TrainEvent::Gathered(Gathered::Look { number, photo }) => return self.look_to_align(number, photo),
            event => event,
        };
        // Pictures are read by themselves.
        if !matches!(event, TrainEvent::Gathered(_)) {
            self.notices.clear();
        }
        let before = self.settings.panels.train;
        let settings = &mut self.settings.panels.train;
        let mut effects = self.panels.train.change(event, settings, &mut self.ids);
        if self.settings.panels.train != before {
            effects.push(Effect::WriteAddress(self.address()));
        }
        effects
    }

    /// Looks for faces in a picture that is to be learned from.
    fn look_to_align(&mut self, number: u32, photo: Snapshot) -> Vec<Effect> {
        let id = self.ids.fresh();
        self.aligning = Some((id, number));
        if !self.alive {
            self.give_up_aligning();
            return vec![];
        }
        vec![Effect::serve(id, self.find_faces(photo))]
    }

    /// Takes in what was found, unless it was looked for by somebody else.
    pub(super) fn align(&mut self, id: RequestId, faces: Vec<Face>) -> Option<Vec<Face>> {
        match self.aligning.take_if(|(aligning, _)| *aligning == id) {
            Some((_, number)) => {
                self.panels.train.looked = Some((number, Rc::new(faces)));
                None
            }
            None => Some(faces),
        }
    }

    /// Nobody can look: whatever waits for it goes on without.
    pub(super) fn give_up_aligning(&mut self) {
        if let Some((id, _)) = self.aligning {
            self.align(id, vec![]);
        }
    }

    pub(super) fn hear_trainer(&mut self, response: Response) -> Vec<Effect> {
        let train = &mut self.panels.train;
        match response {
            Response::Worker(Worker::Hello { protocol: PROTOCOL }) => {
                let found = train.rise(&mut self.ids);
                found.into_iter().chain(self.train_on_backend()).collect()
            }
            Response::Worker(Worker::Hello { .. }) => train.die(OTHER_VERSION.to_owned()),
            Response::Worker(Worker::Failed { message }) => train.die(message),
            Response::Worker(Worker::RunsOn { backend, note }) => {
                train.runs_on = (backend, note);
                vec![]
            }
            Response::Part { id, part } => {
                train.hear_part(id, part);
                vec![]
            }
            Response::Last { id, last } => self.hear_trainer_last(id, last),
        }
    }

    /// Tells the worker what the reader chose to run models on, if it is there.
    pub(super) fn train_on_backend(&mut self) -> Option<Effect> {
        let up = self.panels.train.worker == trainer::Worker::Up;
        up.then(|| Effect::train(self.ids.fresh(), TrainTask::Use { backend: self.backend }))
    }

    fn hear_trainer_last(&mut self, id: RequestId, last: Last) -> Vec<Effect> {
        let train = &mut self.panels.train;
        if let Last::File(bytes) = last {
            return match train.hear_weights(id) {
                Some((Purpose::Use, name)) => self.open(name, bytes),
                Some((Purpose::Save, name)) => vec![Effect::Download(name, bytes)],
                None => vec![],
            };
        }
        let effects = train.hear_last(id, last, &self.settings.panels.train, &mut self.ids);
        // The worker is here because weights are missing: it may have the very ones.
        if self.missed_weights && train.found && self.settings.panel != Panel::Train {
            let text = "This address was written for a reader’s own weights, which no address holds. If they are those of \
                        the model that you trained here: it is kept. Open Train and choose “Use it”.";
            self.notices = vec![text.to_owned()];
        }
        effects
    }
}
