//! What a panel is. Each has its own folder: its state, its part of the address, its view, and their tests.
//!
//! [`list`] has all of them together; `app/panel.rs` names them.

pub mod about;
pub mod explore;
pub mod inpaint;
pub mod list;
pub mod live;
pub mod mix;
mod pyramid;
pub mod sample;
pub mod train;

use std::fmt::Debug;
use std::rc::Rc;

#[cfg(test)]
use shared::Temperature;
use shared::weights::Card;
use shared::{DataKind, RgFlowConfig};
use web_sys::{Document, HtmlCanvasElement};

use super::dispatch::Dispatch;
use super::effect::{Effect, Ids};
use super::event::Event;
use super::gather::Gatherer;
use super::picker::Picker;
use super::slot::Slot;
use super::widgets::dialog::Dialogs;
use crate::address::{Pick, Verdict};
use crate::error::Result;
use crate::index::ModelEntry;
use crate::protocol::{Answer, Drawing, Image, ModelInfo, RequestId, Source};
use live::Live;

/// What the reader sets in a panel, which is the panel's part of the address.
pub trait PanelSettings: Clone + Debug + Default + PartialEq {
    /// Takes a key's value, if the key is one of this panel's.
    ///
    /// # Errors
    /// What is wrong with the value.
    fn read(&mut self, key: &str, value: &str) -> Verdict;
    /// Writes what [`PanelSettings::read`] takes.
    fn write(&self, push: &mut dyn FnMut(&str, &str));
    /// The pictures that the panel works on, in the order of its slots.
    fn picks(&mut self) -> Vec<&mut Pick>;
}

/// Nothing is set.
impl PanelSettings for () {
    fn read(&mut self, _: &str, _: &str) -> Verdict {
        Ok(())
    }

    fn write(&self, _: &mut dyn FnMut(&str, &str)) {}

    fn picks(&mut self) -> Vec<&mut Pick> {
        vec![]
    }
}

/// What a panel shows besides its settings. It knows of no browser: it asks for pictures, and takes the answers.
pub trait PanelState: Clone + Debug + Default {
    /// What is set.
    type Settings: PanelSettings;
    /// What can happen in the panel.
    type Event: Clone + Debug + PartialEq + 'static;
    /// The places of its pictures, in the order of [`PanelSettings::picks`].
    const SLOTS: &'static [Slot] = &[];

    /// Takes an event in; what has to be made again is asked for.
    fn update(&mut self, event: Self::Event, settings: &mut Self::Settings, bench: &mut Bench<'_>) -> Vec<Effect>;
    /// Asks for everything that the panel shows.
    fn refresh(&mut self, settings: &mut Self::Settings, bench: &mut Bench<'_>) -> Vec<Effect>;
    /// Its tasks.
    fn lives(&mut self) -> Vec<&mut Live>;
    /// Takes an answer to one of them, or a part of it.
    fn take(&mut self, id: RequestId, answer: Answer, settings: &Self::Settings, config: &RgFlowConfig);
    /// Forgets what another model made.
    fn clear(&mut self);

    /// One of its pictures was exchanged.
    fn exchanged(&mut self, _settings: &mut Self::Settings) {}

    /// Stops what is under way.
    fn stop(&mut self) -> Vec<Effect> {
        self.lives().into_iter().flat_map(Live::stop).collect()
    }
}

/// A panel's elements. `index.html` holds them.
pub trait PanelView: Sized {
    /// The panel's state.
    type State: PanelState;

    /// Finds the elements and listens to them.
    ///
    /// # Errors
    /// [`crate::Error::Browser`] if the page lacks one.
    fn new(site: &Site<'_, <Self::State as PanelState>::Event>) -> Result<Self>;
    /// Shows a state.
    fn render(&self, seen: &Seen<'_, Self::State>);
    /// What a saved file shows: rows of pictures.
    fn sheet(&self) -> Vec<Vec<HtmlCanvasElement>>;

    /// Follows the state while another panel is shown.
    fn render_hidden(&self, _seen: &Seen<'_, Self::State>) {}
}

/// What panels need to ask for pictures.
pub struct Bench<'a> {
    /// The model's architecture.
    pub config: &'a RgFlowConfig,
    /// What is known of it.
    pub card: &'a Card,
    /// What the list of models says of it.
    pub entry: Option<&'a ModelEntry>,
    /// The model on offer that it is to be compared with.
    pub twin: Option<&'a ModelEntry>,
    /// Whether it has leading directions.
    pub joint: bool,
    /// The address of the models' folder, with its last slash.
    pub models: &'a str,
    /// How samples are drawn.
    pub drawing: Drawing,
    /// The samples' seed.
    pub seed: u64,
    /// Numbers for tasks.
    pub ids: &'a mut Ids,
}

#[cfg(test)]
impl<'a> Bench<'a> {
    /// For a model without a card.
    pub fn nameless(config: &'a RgFlowConfig, ids: &'a mut Ids) -> Self {
        static CARD: std::sync::LazyLock<Card> = std::sync::LazyLock::new(Card::default);
        Bench {
            config,
            card: &CARD,
            entry: None,
            twin: None,
            joint: false,
            models: "http://x/models/",
            drawing: Drawing::independent(Temperature::uniform(0.5)),
            seed: 1,
            ids,
        }
    }
}

impl Bench<'_> {
    /// A picture as the engine takes it.
    pub fn source(&self, pick: &Pick) -> Source {
        pick.source(&self.drawing, self.config.size)
    }
}

/// What a view is built with.
pub struct Site<'a, E> {
    /// The page.
    pub document: &'a Document,
    /// Takes the panel's own events.
    pub own: Dispatch<E>,
    /// Takes events of the page as a whole.
    pub page: Dispatch<Event>,
    /// Where pictures are chosen.
    pub picker: &'a Rc<Picker>,
    /// Where many pictures are read at once.
    pub gatherer: &'a Rc<Gatherer>,
    /// The page's dialogs.
    pub dialogs: &'a Rc<Dialogs>,
}

/// What a view shows.
pub struct Seen<'a, S: PanelState> {
    /// The panel.
    pub panel: &'a S,
    /// What is set in it.
    pub settings: &'a S::Settings,
    /// What all panels share.
    pub page: &'a Scene<'a>,
}

/// What all panels share.
pub struct Scene<'a> {
    /// The loaded model.
    pub info: Option<&'a ModelInfo>,
    /// What the list of models says of it.
    pub entry: Option<&'a ModelEntry>,
    /// How samples are drawn.
    pub drawing: Drawing,
    /// The samples' seed.
    pub seed: u64,
    /// Whether the seed's field holds something other than a seed.
    pub seed_refused: bool,
    /// Whether pictures are shown smooth.
    pub smooth: bool,
    /// The stored samples of the page's first seed, or none where others are wanted: see [`Scene::preview_of`].
    pub preview: &'a [Rc<Image>],
    /// The model on offer that the loaded one is to be compared with.
    pub twin: Option<&'a ModelEntry>,
    /// The first model on offer that has a rival to race with.
    pub racer: Option<&'a ModelEntry>,
}

impl Scene<'_> {
    /// The stored picture of a sample that the model is going to draw, to show until then; the two are equal.
    pub fn preview_of(&self, index: usize) -> Option<&Rc<Image>> {
        self.preview.get(index)
    }

    /// What the loaded model's data are: pictures, until it is known.
    pub fn kind(&self) -> DataKind {
        self.info.map(|info| info.config.data).unwrap_or_default()
    }

    /// Levels of the loaded model.
    pub fn level_count(&self) -> usize {
        self.info.map_or(0, |info| info.config.level_count())
    }
}
