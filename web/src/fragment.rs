//! What the page is set to, and how the address spells it: `#model=faces&seed=7&t=0.8`.

use shared::Temperature;

use crate::index::{is_id, shorten};

/// The largest seed: JavaScript's numbers are exact up to here.
pub const MAX_SEED: u64 = (1 << 53) - 1;
/// The highest temperature that the page offers.
pub const MAX_TEMPERATURE: f32 = 1.5;
/// The temperature to start with.
pub const DEFAULT_TEMPERATURE: f32 = 0.8;
/// No address is longer.
const MAX_LEN: usize = 1000;
/// No model has more levels.
const MAX_LEVELS: usize = 12;

/// What the reader can set.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The wanted model's id; the list's first choice without.
    pub model: Option<String>,
    /// The samples' seed.
    pub seed: u64,
    /// One factor for all levels, or one a level, finest first.
    pub temperature: Temperature,
}

impl Default for Settings {
    fn default() -> Self {
        Self { model: None, seed: 1, temperature: Temperature::uniform(DEFAULT_TEMPERATURE) }
    }
}

impl Settings {
    /// The temperature that all levels share, if they do.
    pub fn uniform(&self) -> Option<f32> {
        let first = self.temperature.at(0);
        self.temperature.levels.iter().all(|&t| t == first).then_some(first)
    }

    /// Reads an address's fragment, with or without its `#`. What cannot be used is left at its default, with a
    /// message for the reader; keys of other versions are passed over.
    pub fn parse(fragment: &str) -> (Self, Vec<String>) {
        let mut settings = Self::default();
        let mut problems = Vec::new();
        let fragment = fragment.strip_prefix('#').unwrap_or(fragment);
        if fragment.len() > MAX_LEN {
            problems.push("The link is too long to be one of this page's; it was ignored.".to_owned());
            return (settings, problems);
        }
        for (key, value) in fragment.split('&').filter_map(|pair| pair.split_once('=')) {
            let problem = match key {
                "model" if is_id(value) => {
                    settings.model = Some(value.to_owned());
                    None
                }
                "model" => Some("is not a model's name"),
                "seed" => match parse_seed(value) {
                    Some(seed) => {
                        settings.seed = seed;
                        None
                    }
                    None => Some("is not a seed, a whole number from 0 to 9007199254740991"),
                },
                "t" => match parse_temperature(value) {
                    Some(temperature) => {
                        settings.temperature = temperature;
                        None
                    }
                    None => Some("is not a temperature, a number from 0 to 1.5 or one for each level"),
                },
                _ => None,
            };
            if let Some(problem) = problem {
                problems.push(format!("The link says {key}={}, which {problem}; it was ignored.", shorten(value)));
            }
        }
        (settings, problems)
    }

    /// The fragment that [`Settings::parse`] reads, without its `#`.
    pub fn to_fragment(&self) -> String {
        let temperature = match self.uniform() {
            Some(t) => number(t),
            None => self.temperature.levels.iter().map(|&t| number(t)).collect::<Vec<_>>().join(","),
        };
        let model = self.model.as_ref().map(|id| format!("model={id}&")).unwrap_or_default();
        format!("{model}seed={}&t={temperature}", self.seed)
    }
}

/// A seed as a reader may type it.
pub fn parse_seed(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|&seed| digits && seed <= MAX_SEED)
}

fn parse_temperature(text: &str) -> Option<Temperature> {
    let levels: Vec<f32> = text.split(',').map(parse_factor).collect::<Option<_>>()?;
    (levels.len() <= MAX_LEVELS).then_some(Temperature { levels })
}

/// A level's temperature.
pub fn parse_factor(text: &str) -> Option<f32> {
    text.parse().ok().filter(|t| (0.0..=MAX_TEMPERATURE).contains(t))
}

/// Two decimals at most.
pub fn number(t: f32) -> String {
    format!("{}", (t * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_the_address() {
        for (fragment, model) in [
            ("model=faces&seed=7&t=0.8", Some("faces")),
            ("seed=0&t=0", None),
            ("seed=9007199254740991&t=0.2,0.8,0.8,1.5", None),
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
        for fragment in ["", "#", "#&&&", "#other=1&panel=explore"] {
            assert_eq!(Settings::parse(fragment), (Settings::default(), vec![]));
        }
    }

    #[test]
    fn hostile_addresses_change_nothing_and_say_so() {
        for fragment in [
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
            "model=",
            "model=../x",
            "model=<script>alert(1)</script>",
            "model=%3Cscript%3E",
        ] {
            let (settings, problems) = Settings::parse(fragment);
            assert_eq!(settings, Settings::default(), "{fragment}");
            assert_eq!(problems.len(), 1, "{fragment}");
            assert!(problems[0].chars().count() < 160);
        }
        let (settings, problems) = Settings::parse(&"seed=2&".repeat(1000));
        assert_eq!((settings, problems.len()), (Settings::default(), 1));
    }

    #[test]
    fn one_bad_value_does_not_spoil_the_others() {
        let (settings, problems) = Settings::parse("#seed=x&t=0.5&model=faces");
        assert_eq!((settings.seed, settings.uniform(), problems.len()), (1, Some(0.5), 1));
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(number(0.1 + 0.2), "0.3");
        assert_eq!(number(1.0), "1");
    }
}
