//! What a panel is to the state: it asks for pictures, and takes the answers.

use shared::weights::Card;
use shared::{RgFlowConfig, Temperature};

use super::Effect;
use super::live::{Ids, Live};
use crate::fragment::{Pick, Settings};
use crate::index::NamedHole;
use crate::messages::RequestId;
use crate::messages::edit::{EditAnswer, Source};

/// What panels need to ask for pictures.
pub struct Bench<'a> {
    /// The model's architecture.
    pub config: &'a RgFlowConfig,
    /// What is known of it.
    pub card: &'a Card,
    /// The samples' temperature.
    pub temperature: Temperature,
    /// Holes that make sense in its pictures.
    pub holes: &'a [NamedHole],
    /// The seed of the gallery.
    pub seed: u64,
    /// Numbers for requests.
    pub ids: &'a mut Ids,
}

#[cfg(test)]
impl<'a> Bench<'a> {
    /// For a model without a card.
    pub fn nameless(config: &'a RgFlowConfig, ids: &'a mut Ids) -> Self {
        static CARD: std::sync::LazyLock<Card> = std::sync::LazyLock::new(Card::default);
        Bench { config, card: &CARD, temperature: Temperature::uniform(0.5), holes: &[], seed: 1, ids }
    }
}

impl Bench<'_> {
    /// A picture as the engine takes it.
    pub fn source(&self, pick: &Pick) -> Source {
        pick.source(&self.temperature, self.config.size)
    }
}

/// What an answer may have to be seen with.
pub struct Context<'a> {
    /// The model's architecture.
    pub config: &'a RgFlowConfig,
    /// What the reader set.
    pub settings: &'a Settings,
}

/// A panel whose pictures the engine makes.
pub trait PanelState {
    /// Its requests.
    fn lives(&mut self) -> Vec<&mut Live>;
    /// An answer to one of them.
    fn take(&mut self, id: RequestId, answer: EditAnswer, context: &Context<'_>);
    /// Forgets what another model made.
    fn clear(&mut self);

    /// Whether a request is this panel's. Its answer, or a part of it, is taken.
    fn hear(&mut self, id: RequestId, answer: &mut Option<EditAnswer>, context: &Context<'_>) -> bool {
        let own = self.lives().into_iter().any(|live| live.waits_for(id));
        if let Some(answer) = answer.take_if(|_| own) {
            self.take(id, answer, context);
        }
        own
    }

    /// Stops what is under way for this panel.
    fn stop(&mut self, ids: &mut Ids) -> Vec<Effect> {
        self.lives().into_iter().flat_map(|live| live.stop(ids)).collect()
    }

    /// A request of this panel's is over: the next may follow.
    fn over(&mut self, id: RequestId, ids: &mut Ids) -> Vec<Effect> {
        self.lives().into_iter().find_map(|live| live.over(id, ids)).unwrap_or_default()
    }
}
