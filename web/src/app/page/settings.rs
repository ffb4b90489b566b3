//! What the page is set to, and how the address spells it: `#panel=mix&model=faces&seed=7&t=0.8&a=7.0&b=7.3&cut=2`.
//!
//! An address holds what the shown panel needs and no more. What it cannot use is named to the reader, and left at
//! its default.

use shared::Temperature;
use shared::sampler::Latents;

use super::tour::STOPS;
use crate::address::{
    GOOD_SEED, MAX_SEED, MAX_TEMPERATURE, Verdict, number, parse_flag, parse_seed, parse_temperature, set,
    spell_temperature,
};
use crate::app::panel::Panel;
use crate::app::panels::list::AllSettings;
use crate::index::{is_id, shorten};
use crate::protocol::Drawing;

/// The longest address: two of the reader's own pictures, and the rest.
const MAX_LEN: usize = 48_000;
/// What an address says of weights that it does not hold.
const OWN_WEIGHTS: &str = "own";
/// The exercises that About lists.
pub const EXERCISES: usize = 7;
/// Digits of a model's digest in an address.
pub const VERSION_DIGITS: usize = 8;

/// What the reader can set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// What is shown.
    pub panel: Panel,
    /// The wanted model's id; `None` means the list's first choice.
    pub model: Option<String>,
    /// The start of the digest of the model that the address was written for.
    pub version: Option<String>,
    /// The samples' seed.
    pub seed: Seed,
    /// One factor for all levels, or one for each, finest first; `None` means what the model's card recommends.
    pub temperature: Option<Temperature>,
    /// How latents are drawn; `None` means the best that the model can do.
    pub latents: Option<Latents>,
    /// What is set in the panels.
    pub panels: AllSettings,
    /// Whether pictures are shown smooth or in squares; `None` means what suits the model's.
    pub smooth: Option<bool>,
    /// The stop of the tour that is shown.
    pub tour: Option<usize>,
    /// The exercise of About that is being done.
    pub exercise: Option<usize>,
    /// Whether the address was written for the writer's own weights, which it does not hold.
    pub own_weights: bool,
}

/// A seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Default for Seed {
    fn default() -> Self {
        Self(GOOD_SEED)
    }
}

impl Settings {
    /// Reads an address's fragment, with or without its `#`. What cannot be used is left at its default, with a
    /// message for the reader; keys of other versions are passed over.
    pub fn parse(fragment: &str) -> (Self, Vec<String>) {
        let mut settings = Self::default();
        let mut problems = Vec::new();
        let fragment = fragment.strip_prefix('#').unwrap_or(fragment);
        if fragment.len() > MAX_LEN {
            problems.push("The link is too long for this page; it was ignored.".to_owned());
            return (settings, problems);
        }
        let (mut seeded, mut told) = (false, false);
        for (key, value) in fragment.split('&').filter_map(|pair| pair.split_once('=')) {
            match settings.read(key, value) {
                Ok(()) => {
                    seeded |= key == "seed";
                    told |= key == "latents";
                }
                Err(problem) => {
                    problems.push(format!("The link says {key}={}, which {problem}; it was ignored.", shorten(value)));
                }
            }
        }
        // A link from before there was a choice shows what it showed.
        if seeded && !told {
            settings.latents = Some(Latents::Independent);
        }
        (settings, problems)
    }

    fn read(&mut self, key: &str, value: &str) -> Verdict {
        let some_if = |fits: bool| fits.then(|| Some(value.to_owned()));
        match key {
            "panel" => set(&mut self.panel, Panel::parse(value), "is not one of the panels"),
            "model" => set(&mut self.model, some_if(is_id(value)), "is not a model's name"),
            "v" => set(&mut self.version, some_if(is_version(value)), "is not a model's version"),
            "seed" => {
                let problem = format!("is not a seed, a whole number from 0 to {MAX_SEED}");
                set(&mut self.seed, parse_seed(value).map(Seed), &problem)
            }
            "t" => {
                let most = number(MAX_TEMPERATURE);
                let problem = format!("is not a temperature, a number from 0 to {most} or one for each level");
                set(&mut self.temperature, parse_temperature(value).map(Some), &problem)
            }
            "latents" => {
                let latents = match value {
                    "joint" => Some(Some(Latents::Joint)),
                    "auto" => Some(None),
                    "independent" => Some(Some(Latents::Independent)),
                    _ => None,
                };
                set(&mut self.latents, latents, "is not a way of drawing latents, joint or independent")
            }
            "exercise" => {
                let number = value.parse().ok().filter(|number| (1..=EXERCISES).contains(number));
                set(&mut self.exercise, number.map(|number| Some(number - 1)), "is not an exercise")
            }
            "tour" => {
                let stop = value.parse().ok().filter(|stop| (1..=STOPS.len()).contains(stop));
                set(&mut self.tour, stop.map(|stop| Some(stop - 1)), "is not a stop of the tour")
            }
            "smooth" => set(&mut self.smooth, parse_flag(value).map(Some), "is not 0 or 1"),
            "weights" => set(&mut self.own_weights, (value == OWN_WEIGHTS).then_some(true), "is not “own”"),
            _ => self.panels.read(key, value),
        }
    }

    /// The fragment that [`Settings::parse`] reads, without its `#`.
    pub fn to_fragment(&self) -> String {
        let mut pairs = Vec::new();
        let mut push = |key: &str, value: &str| pairs.push(format!("{key}={value}"));
        if self.panel != Panel::default() {
            push("panel", self.panel.name());
        }
        if let Some(model) = &self.model {
            push("model", model);
        }
        if let Some(version) = &self.version {
            push("v", version);
        }
        if self.own_weights {
            push("weights", OWN_WEIGHTS);
        }
        push("seed", &self.seed.0.to_string());
        if let Some(temperature) = &self.temperature {
            push("t", &spell_temperature(temperature));
        }
        match self.latents {
            None => push("latents", "auto"),
            Some(Latents::Joint) => push("latents", "joint"),
            Some(Latents::Independent) => {}
        }
        self.panels.write(self.panel, &mut push);
        if let Some(smooth) = self.smooth {
            push("smooth", if smooth { "1" } else { "0" });
        }
        if let Some(number) = self.exercise {
            pairs.push(format!("exercise={}", number + 1));
        }
        if let Some(stop) = self.tour {
            pairs.push(format!("tour={}", stop + 1));
        }
        pairs.join("&")
    }

    /// Keeps the samples of the shown panel as they are drawn, whatever is set later.
    pub fn hold_picks(&mut self, set: &Drawing) {
        self.panels.picks(self.panel).into_iter().for_each(|pick| *pick = pick.held_at(set));
    }

    /// Spells every sample as briefly as what is set allows.
    pub fn shorten_picks(&mut self, set: &Drawing) {
        for &panel in Panel::ALL {
            self.panels.picks(panel).into_iter().for_each(|pick| *pick = pick.relative_to(set));
        }
    }

    /// Another model draws other pictures, at its own temperatures.
    pub fn release_picks(&mut self) {
        self.release(|_| true);
    }

    /// The same for the panels that are not shown.
    pub fn release_other_picks(&mut self) {
        let shown = self.panel;
        self.release(|panel| panel != shown);
    }

    fn release(&mut self, of: impl Fn(Panel) -> bool) {
        for panel in Panel::ALL.iter().copied().filter(|panel| of(*panel)) {
            self.panels.picks(panel).into_iter().for_each(|pick| *pick = pick.released());
        }
    }
}

fn is_version(text: &str) -> bool {
    text.len() == VERSION_DIGITS && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_the_address() {
        for (fragment, model) in [
            ("model=faces&seed=7&t=0.8", Some("faces")),
            ("seed=0&t=0", None),
            ("seed=1", None),
            ("seed=9007199254740991&t=0.2,0.8,0.8,1.5", None),
            ("panel=mix&model=faces&v=0123abcd&seed=7&t=0.8&a=7.0&b=9.3&cut=1&share=0.25", Some("faces")),
            ("panel=explore&seed=1&x=5.2&z=0.1.3.2:-1.5,3.0.0.0:2&at=3.1.1.0", None),
            ("panel=explore&seed=1&x=5.2&d=0:-1.5,7:2&at=3.1.1.0", None),
            ("panel=explore&seed=1&x=5.2&px=3.1", None),
            ("panel=inpaint&seed=1&p=5.2&mask=8.AAAAAAAAAAE&try=4", None),
            ("panel=inpaint&seed=1&p=5.2&mask=8.AAAAAAAAAAE&try=4&choice=2", None),
            ("panel=inpaint&seed=1&p=5.2&mask=8.AAAAAAAAAAE&try=4&race=1", None),
            ("panel=about&seed=1", None),
            ("seed=1&exercise=7", None),
            ("panel=train&seed=1", None),
            ("panel=train&seed=1&train=own&train-size=medium", None),
            ("seed=1&latents=auto", None),
            ("seed=1&smooth=0", None),
            ("panel=mix&seed=1&a=7.0&b=9.3&cut=1&share=0.25&smooth=0&tour=9", None),
            ("seed=1&t=0.5&main=7.3~2-99&depth=2", None),
            ("panel=mix&seed=1&t=0.45,0.7&latents=joint&a=7.0&b=9.3j0.2&cut=1&share=0.25", None),
            ("weights=own&seed=2&t=0.5&smooth=1", None),
            ("panel=mix&seed=1&t=0.8&a=7.0t0.5&b=9.3t0.2,0.8&cut=1&share=0.25&smooth=1", None),
        ] {
            let (settings, problems) = Settings::parse(fragment);
            assert!(problems.is_empty(), "{problems:?}");
            assert_eq!(settings.model.as_deref(), model);
            assert_eq!(settings.to_fragment(), fragment);
            assert_eq!(Settings::parse(&format!("#{fragment}")).0, settings);
        }
    }

    #[test]
    fn an_empty_address_means_the_defaults() {
        for fragment in ["", "#", "#&&&", "#other=1&colour=red"] {
            assert_eq!(Settings::parse(fragment), (Settings::default(), vec![]));
        }
    }

    #[test]
    fn hostile_addresses_change_nothing_and_say_so() {
        for fragment in [
            "panel=",
            "panel=../mix",
            "seed=-1",
            "seed=+1",
            "seed=1e3",
            "seed=9007199254740992",
            "seed=99999999999999999999999999",
            "seed=",
            "t=nan",
            "t=inf",
            "t=-0.1",
            "t=1.6",
            "t=",
            "t=0.5,,0.5",
            "t=1,1,1,1,1,1,1,1,1,1,1,1,1",
            "v=0123abc",
            "v=0123ABCD",
            "model=",
            "model=../x",
            "model=<script>alert(1)</script>",
            "model=%3Cscript%3E",
            "a=7",
            "a=own.",
            "b=own.AAAA",
            "cut=13",
            "cut=-1",
            "share=1.01",
            "share=nan",
            "x=1.x",
            "z=1.2.3:4",
            "z=0.0.0.0:inf",
            "z=0.0.0.0:11",
            "z=99999999999999999999.0.0.0:1",
            "at=1.2.3",
            "d=8:1",
            "d=0:nan",
            "d=0:6",
            "d=0:1,0:2",
            "p=",
            "mask=8.AA",
            "mask=999.AA",
            "mask=8.%%%%",
            "try=x",
            "choice=5",
            "smooth=yes",
            "latents=both",
            "main=7",
            "train=cats",
            "train-size=1",
            "exercise=0",
            "exercise=8",
            "tour=0",
            "tour=10",
            "depth=0",
            "depth=13",
            "weights=http://x/y",
            "a=7.0t2",
        ] {
            let (settings, problems) = Settings::parse(fragment);
            assert_eq!(settings, Settings::default(), "{fragment}");
            assert_eq!(problems.len(), 1, "{fragment}");
            assert!(problems[0].chars().count() < 160);
        }
        let (settings, problems) = Settings::parse(&"seed=2&".repeat(10_000));
        assert_eq!((settings, problems.len()), (Settings::default(), 1));
    }

    #[test]
    fn a_link_from_before_there_was_a_choice_keeps_its_pictures() {
        assert_eq!(Settings::parse("panel=mix&seed=1&t=0.5&a=7.0").0.latents, Some(Latents::Independent));
        // Whoever only names a panel or a model gets the best that the model can do.
        for fresh in ["", "#panel=mix", "panel=inpaint&model=faces", "seed=3&latents=auto", "seed=x"] {
            assert_eq!(Settings::parse(fresh).0.latents, None, "{fresh}");
        }
    }

    #[test]
    fn one_bad_value_does_not_spoil_the_others() {
        let (settings, problems) = Settings::parse("#seed=x&t=0.5&model=faces");
        assert_eq!((settings.seed, problems.len()), (Seed(GOOD_SEED), 1));
        assert_eq!(settings.temperature, Some(Temperature::uniform(0.5)));
    }
}
