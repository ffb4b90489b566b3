//! Which picture a panel works on.

use std::rc::Rc;

use serde_bytes::ByteBuf;
use shared::sampler::Latents;

use super::own::Own;
use super::words::{parse_seed, parse_temperature, same_temperature, spell_temperature};
use crate::protocol::Drawing;
use crate::protocol::Source;

/// A sample, or the reader's own picture. Addresses spell them `7.3` (seed 7, number 3), `7.3t0.5` (the same, its latents
/// drawn on their own at temperature 0.5), `7.3j0.5` (its latents drawn jointly) and `own.CODE`.
#[derive(Clone, Debug, PartialEq)]
pub enum Pick {
    /// A sample, drawn as the address says for all.
    Sample {
        /// Its seed.
        seed: u64,
        /// Its number.
        index: u32,
    },
    /// A sample as it was drawn, whatever is set since.
    Drawn {
        /// Its seed.
        seed: u64,
        /// Its number.
        index: u32,
        /// How it was drawn; its temperature is never NaN.
        drawing: Drawing,
    },
    /// The reader's own.
    Own(Rc<Own>),
}

/// What an address puts between a sample's number and its temperature, for each way of drawing latents.
const MARKS: [(char, Latents); 2] = [('t', Latents::Independent), ('j', Latents::Joint)];

/// Temperatures are compared, and none of them is NaN.
impl Eq for Pick {}

impl Pick {
    /// Reads an address's spelling.
    pub fn parse(text: &str) -> Option<Self> {
        let (seed, rest) = match text.split_once('.')? {
            ("own", code) => return Own::parse(code).map(|own| Self::Own(Rc::new(own))),
            (seed, rest) => (parse_seed(seed)?, rest),
        };
        let drawn = MARKS.iter().find_map(|&(mark, latents)| Some((rest.split_once(mark)?, latents)));
        match drawn {
            Some(((index, temperature), latents)) => {
                let drawing = Drawing { latents, temperature: parse_temperature(temperature)? };
                Some(Self::Drawn { seed, index: parse_index(index)?, drawing })
            }
            None => Some(Self::Sample { seed, index: parse_index(rest)? }),
        }
    }

    /// What [`Pick::parse`] reads.
    pub fn spell(&self) -> String {
        match self {
            Self::Sample { seed, index } => format!("{seed}.{index}"),
            Self::Drawn { seed, index, drawing } => {
                let mark = MARKS.iter().find(|(_, latents)| *latents == drawing.latents).map_or('t', |&(mark, _)| mark);
                format!("{seed}.{index}{mark}{}", spell_temperature(&drawing.temperature))
            }
            Self::Own(own) => format!("own.{}", own.code()),
        }
    }

    /// Its name on the page; how it was drawn is said where it is not as is set.
    pub fn name(&self, set: &Drawing) -> String {
        match self.relative_to(set) {
            Self::Sample { seed, index } => format!("Sample {} of seed {seed}", index + 1),
            Self::Drawn { seed, index, drawing } => {
                let how = match drawing.latents {
                    latents if latents == set.latents => "",
                    Latents::Independent => ", independent latents",
                    Latents::Joint => ", joint latents",
                };
                let t = spell_temperature(&drawing.temperature);
                format!("Sample {} of seed {seed}, temperature {t}{how}", index + 1)
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

    /// The same picture, whatever will be set.
    pub fn held_at(&self, set: &Drawing) -> Self {
        match *self {
            Self::Sample { seed, index } => Self::Drawn { seed, index, drawing: set.clone() },
            Self::Drawn { .. } | Self::Own(_) => self.clone(),
        }
    }

    /// The same picture, spelled as briefly as possible while samples are drawn so.
    pub fn relative_to(&self, set: &Drawing) -> Self {
        match self {
            Self::Drawn { seed, index, drawing } if same(drawing, set) => Self::Sample { seed: *seed, index: *index },
            Self::Sample { .. } | Self::Drawn { .. } | Self::Own(_) => self.clone(),
        }
    }

    /// The sample of that seed and number, drawn as is set.
    pub fn released(&self) -> Self {
        self.draw().map_or_else(|| self.clone(), |(seed, index)| Self::Sample { seed, index })
    }

    /// As the engine takes it, for a model of this edge, while samples are drawn so.
    pub fn source(&self, set: &Drawing, edge: usize) -> Source {
        match self {
            Self::Sample { seed, index } => Source::Sample { seed: *seed, index: *index, drawing: set.clone() },
            Self::Drawn { seed, index, drawing } => {
                Source::Sample { seed: *seed, index: *index, drawing: drawing.clone() }
            }
            Self::Own(own) => Source::Own { rgb: ByteBuf::from(own.at_edge(edge)) },
        }
    }
}

fn same(a: &Drawing, b: &Drawing) -> bool {
    a.latents == b.latents && same_temperature(&a.temperature, &b.temperature)
}

fn parse_index(text: &str) -> Option<u32> {
    parse_seed(text).and_then(|index| u32::try_from(index).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Temperature;

    fn drawn(levels: &[f32]) -> Pick {
        Pick::Drawn { seed: 7, index: 3, drawing: Drawing::independent(Temperature { levels: levels.to_vec() }) }
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
            "7.3j",
            "7.3j0.5t0.5",
        ] {
            assert_eq!(Pick::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_engine_gets_what_was_picked() {
        let set = Drawing::independent(Temperature::uniform(0.5));
        let sample = Pick::Sample { seed: 7, index: 3 }.source(&set, 4);
        assert_eq!(sample, Source::Sample { seed: 7, index: 3, drawing: set.clone() });
        let sample = drawn(&[0.9]).source(&set, 4);
        assert_eq!(
            sample,
            Source::Sample { seed: 7, index: 3, drawing: Drawing::independent(Temperature::uniform(0.9)) }
        );
        let own = Pick::Own(Rc::new(Own::new(1, vec![1, 2, 3]).unwrap()));
        let Source::Own { rgb } = own.source(&set, 2) else { panic!() };
        assert_eq!(&rgb[..], [1, 2, 3].repeat(4));
    }

    #[test]
    fn a_held_sample_keeps_its_temperature_and_says_so_only_where_it_differs() {
        let [warm, cold] = [0.9, 0.3].map(|t| Drawing::independent(Temperature::uniform(t)));
        let held = Pick::Sample { seed: 7, index: 3 }.held_at(&warm);
        assert_eq!((held.held_at(&cold), held.spell().as_str()), (held.clone(), "7.3t0.9"));
        assert_eq!((held.relative_to(&warm).spell().as_str(), held.relative_to(&cold)), ("7.3", held.clone()));
        // One number for all levels is as good as the same for each.
        assert_eq!(drawn(&[0.9, 0.9]).relative_to(&warm).spell(), "7.3");
        assert_eq!(held.name(&warm), "Sample 4 of seed 7");
        assert_eq!(held.name(&cold), "Sample 4 of seed 7, temperature 0.9");
        let joint = Drawing { latents: Latents::Joint, ..warm.clone() };
        assert_eq!(held.name(&joint), "Sample 4 of seed 7, temperature 0.9, independent latents");
        let other = Pick::Sample { seed: 7, index: 3 }.held_at(&joint);
        assert_eq!((other.spell().as_str(), Pick::parse("7.3j0.9")), ("7.3j0.9", Some(other.clone())));
        assert_eq!(other.name(&warm), "Sample 4 of seed 7, temperature 0.9, joint latents");
        assert_eq!(held.released(), Pick::Sample { seed: 7, index: 3 });
    }
}
