//! What follows from the page's state: how samples are drawn, the address, what all panels share.

use std::rc::Rc;

use shared::Temperature;
use shared::sampler::Latents;

use super::settings::{Seed, VERSION_DIGITS};
use super::state::State;
use crate::address::GOOD_SEED;
use crate::app::panels::Scene;
use crate::index::{ModelEntry, ModelIndex};
use crate::protocol::{Drawing, Image};

/// Where a model's card recommends none.
const DEFAULT_TEMPERATURE: f32 = 0.8;

impl State {
    /// How samples are drawn.
    pub fn drawing(&self) -> Drawing {
        let able = self.info.as_ref().is_some_and(|info| info.joint);
        let latents = if able { self.settings.latents.unwrap_or_default() } else { Latents::Independent };
        Drawing { latents, temperature: self.temperature(latents) }
    }

    /// The temperatures in use, one for all levels or one for each.
    fn temperature(&self, latents: Latents) -> Temperature {
        let recommended = || {
            let card = self.info.as_ref().map(|info| &info.card);
            let own = card.and_then(|card| card.recommended(latents).or(card.recommended(Latents::Independent)));
            own.unwrap_or_else(|| Temperature::uniform(DEFAULT_TEMPERATURE))
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
            let drawing = self.drawing();
            settings.shorten_picks(&drawing);
            settings.latents = Some(drawing.latents);
            settings.temperature = Some(drawing.temperature);
            settings.version =
                self.entry.as_ref().and_then(|entry| entry.sha256.get(..VERSION_DIGITS)).map(str::to_owned);
        }
        settings.to_fragment()
    }

    /// What tells the pictures of one model from those of another.
    pub fn model_key(&self) -> &str {
        self.entry.as_ref().map_or("", |entry| if entry.sha256.is_empty() { &entry.title } else { &entry.sha256 })
    }

    /// Whether pictures are shown smooth.
    pub fn is_smooth(&self) -> bool {
        self.settings.smooth.unwrap_or(self.suits_smooth())
    }

    /// Pixel art is at its best in squares, everything else is smooth.
    pub(super) fn suits_smooth(&self) -> bool {
        !self.entry.as_ref().is_some_and(|entry| entry.crisp)
    }

    /// The stored first samples, while nothing is set that would draw others.
    pub fn first_samples(&self) -> &[Rc<Image>] {
        let first = self.index.as_ref().and_then(ModelIndex::first_choice).map(|model| &model.id);
        let set = &self.settings;
        let as_at_first = (set.model.is_none() || set.model.as_ref() == first)
            && set.seed == Seed(GOOD_SEED)
            && set.temperature.is_none()
            && set.latents.is_none()
            && !self.has_own_weights();
        if as_at_first { &self.preview } else { &[] }
    }

    /// The address of the models' folder, with its last slash: the list's own without its name.
    pub(super) fn models_url(&self) -> String {
        self.index_url.rsplit_once('/').map(|(base, _)| format!("{base}/")).unwrap_or_default()
    }

    /// The model that the loaded one is to be compared with.
    pub(super) fn twin(&self) -> Option<&ModelEntry> {
        self.index.as_ref()?.get(self.entry.as_ref()?.twin.as_ref()?)
    }

    /// What all panels share.
    pub fn scene(&self) -> Scene<'_> {
        Scene {
            info: self.info.as_ref(),
            entry: self.entry.as_ref(),
            drawing: self.drawing(),
            seed: self.settings.seed.0,
            seed_refused: self.seed_refused,
            smooth: self.is_smooth(),
            preview: self.first_samples(),
            twin: self.twin(),
            racer: self.index.as_ref().and_then(ModelIndex::first_with_rival),
        }
    }
}
