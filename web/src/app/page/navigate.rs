//! How the page gets from one thing to another: panels, stops of the tour, chosen pictures, addresses.

use super::settings::Settings;
use super::state::State;
use super::tour::STOPS;
use crate::address::Pick;
use crate::app::effect::Effect;
use crate::app::panel::Panel;
use crate::app::slot::Slot;

impl State {
    /// Shows another panel, with the picture that the reader last chose anywhere.
    pub(super) fn show(&mut self, panel: Panel) -> Vec<Effect> {
        if let Some(pick) = self.carried(panel)
            && let Some(place) = self.settings.panels.picks(panel).into_iter().next()
        {
            *place = pick;
            self.panels.exchanged(panel, &mut self.settings.panels);
        }
        self.turn_to(panel)
    }

    /// The picture that goes along to a panel; none where it is already, or where another one is being worked on.
    fn carried(&mut self, to: Panel) -> Option<Pick> {
        let (from, drawing) = (self.chosen_in.filter(|&from| from != to)?, self.drawing());
        let pick = match from {
            Panel::Sample => self.settings.panels.sample.main(self.settings.seed.0),
            from => self.settings.panels.picks(from).into_iter().next()?.clone(),
        };
        let (pick, explore) = (pick.held_at(&drawing), &self.settings.panels.explore);
        let in_work = to == Panel::Explore && !(explore.edits.is_empty() && explore.moves.is_empty());
        let is_there = self.settings.panels.picks(to).iter().any(|there| there.held_at(&drawing) == pick);
        (self.info.is_some() && !in_work && !is_there).then_some(pick)
    }

    fn turn_to(&mut self, panel: Panel) -> Vec<Effect> {
        if self.settings.panel == panel {
            return vec![];
        }
        // The panel that is left must not keep the next one waiting.
        let mut effects = self.panels.stop();
        self.settings.panel = panel;
        self.notices.clear();
        effects.extend(self.refresh());
        effects.push(Effect::PushAddress(self.address()));
        effects
    }

    /// Goes to a stop of the tour; one that is not there ends it, and leads back to where it began. Without a tour it is the
    /// exercise that ends.
    pub(super) fn tour(&mut self, stop: Option<usize>) -> Vec<Effect> {
        let mut effects = match stop.and_then(|at| Some((at, STOPS.get(at)?))) {
            Some((at, stop)) => {
                if self.settings.tour.is_none() {
                    self.before_tour = Some((self.address(), self.settings.panels.clone()));
                }
                self.follow(&format!("{}&tour={}", stop.fragment, at + 1))
            }
            None if self.settings.tour.is_none() => {
                self.settings.exercise = None;
                vec![]
            }
            None => {
                self.settings.tour = None;
                let (before, panels) =
                    self.before_tour.take().unwrap_or_else(|| (self.address(), self.settings.panels.clone()));
                let effects = self.follow(&before);
                // Its stops have set other panels than the one that it began in, too.
                self.settings.panels = panels;
                effects
            }
        };
        effects.push(Effect::PushAddress(self.address()));
        effects
    }

    /// Puts a picture into its place, and shows the panel that has it.
    pub(super) fn pick(&mut self, slot: &Slot, pick: Pick) -> Vec<Effect> {
        // Whoever put their own picture under the microscope meets it in the other panels, too.
        if let (Panel::Sample, Pick::Own(_)) = (slot.panel, &pick) {
            for &other in Panel::ALL.iter().filter(|&&panel| panel != Panel::Sample) {
                if let Some(place) = self.settings.panels.picks(other).into_iter().next() {
                    *place = pick.clone();
                    self.panels.exchanged(other, &mut self.settings.panels);
                }
            }
        }
        if slot.place == 0 {
            self.chosen_in = Some(slot.panel);
        }
        let kept = match &pick {
            Pick::Own(own) => Some(self.keep_photo(own)),
            _ => None,
        };
        if let Some(place) = self.settings.panels.picks(slot.panel).into_iter().nth(slot.place) {
            *place = pick;
        }
        self.panels.exchanged(slot.panel, &mut self.settings.panels);
        let mut effects = if self.settings.panel == slot.panel { self.changed() } else { self.turn_to(slot.panel) };
        effects.extend(kept);
        effects
    }

    /// Goes where an address leads.
    pub(super) fn follow(&mut self, fragment: &str) -> Vec<Effect> {
        let (mut settings, notices) = Settings::parse(fragment);
        // The address that is there already, as when a dialog is left.
        if notices.is_empty() && settings == Settings::parse(&self.address()).0 {
            return vec![];
        }
        self.notices = notices;
        self.seed_refused = false;
        // An address speaks of its own panel only.
        let here = self.settings.clone();
        // The panel that is left must not keep the next one waiting.
        let mut effects = if settings.panel == here.panel { vec![] } else { self.panels.stop() };
        let told = std::mem::replace(&mut settings.panels, here.panels);
        settings.panels.adopt(settings.panel, told);
        // One without a model is content with any.
        if settings.model.is_none() {
            settings.model = here.model.clone();
        }
        self.settings = settings;
        if self.settings.model == here.model && self.shows_what_is_meant() {
            self.settle_version();
            self.miss_weights();
            effects.extend(self.refresh());
        } else {
            self.settings.release_other_picks();
            self.chosen_in = None;
            effects.extend(self.load());
        }
        effects
    }
}
