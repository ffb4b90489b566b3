//! A page without a browser: its state alone, for tests from outside.

use shared::RgFlowConfig;
use shared::weights::Card;

use super::effect::Effect;
use super::event::Event;
use super::page::State;
use crate::index::{ModelEntry, ModelIndex};
use crate::protocol::{Backend, BackendChoice, Last, ModelInfo, PROTOCOL, Request, RequestId, Response, Task, Worker};

/// A page with a loaded model.
#[derive(Debug)]
pub struct Visit(State);

impl Visit {
    /// Opens a page at an address's fragment, where it finds a model of that architecture.
    pub fn at(fragment: &str, config: &RgFlowConfig) -> Self {
        let model = ModelEntry {
            id: "a".into(),
            file: "a.safetensors".into(),
            sha256: "0".repeat(64),
            ..ModelEntry::default()
        };
        let info = ModelInfo {
            config: config.clone(),
            card: Card::default(),
            joint: true,
            backend: Backend::Cpu,
            cached: false,
            millis: 1.0,
        };
        let mut state = State::new(fragment, BackendChoice::Cpu, "http://x/models/index.json".into());
        let hello = Response::Worker(Worker::Hello { protocol: PROTOCOL });
        let answers = [Last::Index(ModelIndex { format: 1, models: vec![model] }), Last::Ready(Box::new(info))];
        let mut effects = state.update(Event::Engine(hello));
        for last in answers {
            let Some(id) = asked(&effects) else { break };
            effects = state.update(Event::Engine(Response::Last { id, last }));
        }
        Self(state)
    }

    /// The worker says something.
    pub fn hear(&mut self, response: Response) {
        self.0.update(Event::Engine(response));
    }

    /// The worker that trains says something.
    pub fn hear_trainer(&mut self, response: Response) {
        self.0.update(Event::Trainer(response));
    }

    /// The fragment of the page's address.
    pub fn address(&self) -> String {
        self.0.address()
    }
}

/// The number of the task that asks for the list or for a model.
fn asked(effects: &[Effect]) -> Option<RequestId> {
    effects.iter().find_map(|effect| match effect {
        Effect::Send(Request::Serve { id, task: Task::Index { .. } | Task::Load(_) }) => Some(*id),
        _ => None,
    })
}
