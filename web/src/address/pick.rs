//! Which picture a panel works on.

use std::rc::Rc;

use serde_bytes::ByteBuf;
use shared::Temperature;

use super::own::Own;
use super::words::{parse_seed, parse_temperature, same_temperature, spell_temperature};
use crate::protocol::Source;

/// A sample, or the reader's own picture. Addresses spell them `7.3` (seed 7, number 3), `7.3t0.5` (the same, drawn at
/// temperature 0.5) and `own.CODE`.
#[derive(Clone, Debug, PartialEq)]
pub enum Pick {
    /// A sample at the temperature that the address names for all.
    Sample {
        /// Its seed.
        seed: u64,
        /// Its number.
        index: u32,
    },
    /// A sample at the temperature that it was drawn with, whatever is set since.
    Drawn {
        /// Its seed.
        seed: u64,
        /// Its number.
        index: u32,
        /// Its temperature, never NaN.
        temperature: Temperature,
    },
    /// The reader's own.
    Own(Rc<Own>),
}

/// Temperatures are compared, and none of them is NaN.
impl Eq for Pick {}

impl Pick {
    /// Reads an address's spelling.
    pub fn parse(text: &str) -> Option<Self> {
        let (seed, rest) = match text.split_once('.')? {
            ("own", code) => return Own::parse(code).map(|own| Self::Own(Rc::new(own))),
            (seed, rest) => (parse_seed(seed)?, rest),
        };
        match rest.split_once('t') {
            Some((index, temperature)) => {
                Some(Self::Drawn { seed, index: parse_index(index)?, temperature: parse_temperature(temperature)? })
            }
            None => Some(Self::Sample { seed, index: parse_index(rest)? }),
        }
    }

    /// What [`Pick::parse`] reads.
    pub fn spell(&self) -> String {
        match self {
            Self::Sample { seed, index } => format!("{seed}.{index}"),
            Self::Drawn { seed, index, temperature } => format!("{seed}.{index}t{}", spell_temperature(temperature)),
            Self::Own(own) => format!("own.{}", own.code()),
        }
    }

    /// Its name on the page; a temperature is named where it is not the one that is set.
    pub fn name(&self, set: &Temperature) -> String {
        match self.relative_to(set) {
            Self::Sample { seed, index } => format!("Sample {} of seed {seed}", index + 1),
            Self::Drawn { seed, index, temperature } => {
                format!("Sample {} of seed {seed}, temperature {}", index + 1, spell_temperature(&temperature))
            }
            Self::Own(_) => "Your picture".to_owned(),
        }
    }

    /// A sample's seed and number.
    pub fn draw(&self) -> Option<(u64, u32)> {
        match *self {
            Self::Sample { seed, index } | Self::Drawn { seed, index, .. } => Some((seed, index)),
            Self::Own(_) => None,
        }
    }

    /// The same picture, whatever temperature will be set.
    pub fn held_at(&self, set: &Temperature) -> Self {
        match *self {
            Self::Sample { seed, index } => Self::Drawn { seed, index, temperature: set.clone() },
            Self::Drawn { .. } | Self::Own(_) => self.clone(),
        }
    }

    /// The same picture, spelled as briefly as possible while this temperature is set.
    pub fn relative_to(&self, set: &Temperature) -> Self {
        match self {
            Self::Drawn { seed, index, temperature } if same_temperature(temperature, set) => {
                Self::Sample { seed: *seed, index: *index }
            }
            Self::Sample { .. } | Self::Drawn { .. } | Self::Own(_) => self.clone(),
        }
    }

    /// The sample of that seed and number at whatever temperature is set.
    pub fn released(&self) -> Self {
        self.draw().map_or_else(|| self.clone(), |(seed, index)| Self::Sample { seed, index })
    }

    /// As the engine takes it, for a model of this edge, while this temperature is set.
    pub fn source(&self, set: &Temperature, edge: usize) -> Source {
        match self {
            Self::Sample { seed, index } => Source::Sample { seed: *seed, index: *index, temperature: set.clone() },
            Self::Drawn { seed, index, temperature } => {
                Source::Sample { seed: *seed, index: *index, temperature: temperature.clone() }
            }
            Self::Own(own) => Source::Own { rgb: ByteBuf::from(own.at_edge(edge)) },
        }
    }
}

fn parse_index(text: &str) -> Option<u32> {
    parse_seed(text).and_then(|index| u32::try_from(index).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(levels: &[f32]) -> Pick {
        Pick::Drawn { seed: 7, index: 3, temperature: Temperature { levels: levels.to_vec() } }
    }

    #[test]
    fn picks_survive_the_address() {
        let own = Pick::Own(Rc::new(Own::new(1, vec![1, 2, 3]).unwrap()));
        for pick in [Pick::Sample { seed: 7, index: 3 }, drawn(&[0.5]), drawn(&[0.2, 0.8, 0.8]), own] {
            assert_eq!(Pick::parse(&pick.spell()), Some(pick));
        }
        for bad in [
            "",
            "7",
            "7.",
            ".3",
            "7.-1",
            "7.4294967296",
            "own.",
            "own.!",
            "own",
            "7.3t",
            "7.3tx",
            "7.3t1.6",
            "7.3tnan",
            "7.t0.5",
            "7.3t0.5t0.5",
        ] {
            assert_eq!(Pick::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_engine_gets_what_was_picked() {
        let set = Temperature::uniform(0.5);
        let sample = Pick::Sample { seed: 7, index: 3 }.source(&set, 4);
        assert_eq!(sample, Source::Sample { seed: 7, index: 3, temperature: set.clone() });
        let sample = drawn(&[0.9]).source(&set, 4);
        assert_eq!(sample, Source::Sample { seed: 7, index: 3, temperature: Temperature::uniform(0.9) });
        let own = Pick::Own(Rc::new(Own::new(1, vec![1, 2, 3]).unwrap()));
        let Source::Own { rgb } = own.source(&set, 2) else { panic!() };
        assert_eq!(&rgb[..], [1, 2, 3].repeat(4));
    }

    #[test]
    fn a_held_sample_keeps_its_temperature_and_says_so_only_where_it_differs() {
        let (warm, cold) = (Temperature::uniform(0.9), Temperature::uniform(0.3));
        let held = Pick::Sample { seed: 7, index: 3 }.held_at(&warm);
        assert_eq!((held.held_at(&cold), held.spell().as_str()), (held.clone(), "7.3t0.9"));
        assert_eq!((held.relative_to(&warm).spell().as_str(), held.relative_to(&cold)), ("7.3", held.clone()));
        // One number for all levels is as good as the same for each.
        assert_eq!(drawn(&[0.9, 0.9]).relative_to(&warm).spell(), "7.3");
        assert_eq!(held.name(&warm), "Sample 4 of seed 7");
        assert_eq!(held.name(&cold), "Sample 4 of seed 7, temperature 0.9");
        assert_eq!(held.released(), Pick::Sample { seed: 7, index: 3 });
    }
}
