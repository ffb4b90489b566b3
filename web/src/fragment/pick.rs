//! Which picture a panel works on.

use std::rc::Rc;

use serde_bytes::ByteBuf;
use shared::Temperature;

use super::own::Own;
use super::parse_seed;
use crate::messages::edit::Source;

/// A sample, or the reader's own picture. Addresses spell them `7.3` (seed 7, number 3) and `own.CODE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    /// A sample.
    Sample {
        /// Its seed.
        seed: u64,
        /// Its number.
        index: u32,
    },
    /// The reader's own.
    Own(Rc<Own>),
}

impl Pick {
    /// Reads an address's spelling.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('.')? {
            ("own", code) => Own::parse(code).map(|own| Self::Own(Rc::new(own))),
            (seed, index) => Some(Self::Sample { seed: parse_seed(seed)?, index: parse_index(index)? }),
        }
    }

    /// What [`Pick::parse`] reads.
    pub fn spell(&self) -> String {
        match self {
            Self::Sample { seed, index } => format!("{seed}.{index}"),
            Self::Own(own) => format!("own.{}", own.code()),
        }
    }

    /// For people.
    pub fn name(&self) -> String {
        match self {
            Self::Sample { seed, index } => format!("Sample {} of seed {seed}", index + 1),
            Self::Own(_) => "Your picture".to_owned(),
        }
    }

    /// As the engine takes it, for a model of this edge.
    pub fn source(&self, temperature: &Temperature, edge: usize) -> Source {
        match self {
            Self::Sample { seed, index } => {
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

    #[test]
    fn picks_survive_the_address() {
        let own = Pick::Own(Rc::new(Own::new(1, vec![1, 2, 3]).unwrap()));
        for pick in [Pick::Sample { seed: 7, index: 3 }, own] {
            assert_eq!(Pick::parse(&pick.spell()), Some(pick));
        }
        for bad in ["", "7", "7.", ".3", "7.-1", "7.4294967296", "own.", "own.!", "own"] {
            assert_eq!(Pick::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_engine_gets_what_was_picked() {
        let temperature = Temperature::uniform(0.5);
        let sample = Pick::Sample { seed: 7, index: 3 }.source(&temperature, 4);
        assert_eq!(sample, Source::Sample { seed: 7, index: 3, temperature: temperature.clone() });
        let own = Pick::Own(Rc::new(Own::new(1, vec![1, 2, 3]).unwrap()));
        let Source::Own { rgb } = own.source(&temperature, 2) else { panic!() };
        assert_eq!(&rgb[..], [1, 2, 3].repeat(4));
    }
}
