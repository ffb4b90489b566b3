//! Which picture a panel works on.

use std::rc::Rc;

use serde_bytes::ByteBuf;
use shared::sampler::Latents;

use super::own::Own;
use super::words::{MAX_LEVELS, parse_seed, parse_temperature, same_temperature, spell_temperature};
use crate::protocol::{Drawing, Reroll, Source};

/// A sample, or the reader's own picture. Addresses spell them `7.3` (seed 7, number 3), `7.3t0.5` (the same, its latents
/// drawn on their own at temperature 0.5), `7.3j0.5` (its latents drawn jointly) and `own.CODE`. `7.3~2-99` is the first
/// of these with the levels below 2 drawn anew, from seed 99.
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
    /// One of these with its finer levels drawn anew.
    Rerolled(Rc<Rerolled>),
}

/// A picture with its finer levels drawn anew.
#[derive(Clone, Debug, PartialEq)]
pub struct Rerolled {
    /// The picture.
    of: Pick,
    /// One after the other, each of fewer levels.
    rerolls: Vec<Reroll>,
    /// How they are drawn, if not as the address says for all; its temperature is never NaN.
    drawing: Option<Drawing>,
}

/// What an address puts between a sample's number and its temperature, for each way of drawing latents.
const MARKS: [(char, Latents); 2] = [('t', Latents::Independent), ('j', Latents::Joint)];

/// What an address puts before each re-roll.
const REROLL: char = '~';

/// Temperatures are compared, and none of them is NaN.
impl Eq for Pick {}

impl Pick {
    /// Reads an address's spelling.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some((of, rest)) = text.split_once(REROLL) {
            return Rerolled::parse(of, rest).map(|rerolled| Self::Rerolled(Rc::new(rerolled)));
        }
        let (seed, rest) = match text.split_once('.')? {
            ("own", code) => return Own::parse(code).map(|own| Self::Own(Rc::new(own))),
            (seed, rest) => (parse_seed(seed)?, rest),
        };
        let (index, drawing) = split_drawing(rest)?;
        let index = parse_index(index)?;
        Some(match drawing {
            Some(drawing) => Self::Drawn { seed, index, drawing },
            None => Self::Sample { seed, index },
        })
    }

    /// What [`Pick::parse`] reads.
    pub fn spell(&self) -> String {
        match self {
            Self::Sample { seed, index } => format!("{seed}.{index}"),
            Self::Drawn { seed, index, drawing } => {
                format!("{seed}.{index}{}", spell_drawing(drawing))
            }
            Self::Own(own) => format!("own.{}", own.code()),
            Self::Rerolled(rerolled) => rerolled.spell(),
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
            Self::Rerolled(rerolled) => format!("{}, re-rolled", rerolled.of.name(set)),
        }
    }

    /// The same picture with the levels below `below` drawn anew from a seed, as samples are drawn now.
    pub fn rerolled(&self, below: u32, seed: u64, set: &Drawing) -> Self {
        let (of, mut rerolls, drawing) = match self {
            Self::Rerolled(old) => (old.of.clone(), old.rerolls.clone(), old.drawing.clone()),
            other => (other.clone(), vec![], None),
        };
        // What was drawn anew before and is now drawn again leaves no trace.
        rerolls.retain(|reroll| reroll.below > below);
        let drawing = if rerolls.is_empty() { set.clone() } else { drawing.unwrap_or_else(|| set.clone()) };
        rerolls.push(Reroll { below, seed });
        Self::Rerolled(Rc::new(Rerolled { of, rerolls, drawing: Some(drawing) }))
    }

    /// A sample's seed and number.
    pub fn draw(&self) -> Option<(u64, u32)> {
        match *self {
            Self::Sample { seed, index } | Self::Drawn { seed, index, .. } => Some((seed, index)),
            Self::Own(_) | Self::Rerolled(_) => None,
        }
    }

    /// The same picture, whatever will be set.
    pub fn held_at(&self, set: &Drawing) -> Self {
        match *self {
            Self::Sample { seed, index } => Self::Drawn { seed, index, drawing: set.clone() },
            Self::Drawn { .. } | Self::Own(_) => self.clone(),
            Self::Rerolled(ref old) => Self::Rerolled(Rc::new(Rerolled {
                of: old.of.held_at(set),
                rerolls: old.rerolls.clone(),
                drawing: old.drawing.clone().or_else(|| Some(set.clone())),
            })),
        }
    }

    /// The same picture, spelled as briefly as possible while samples are drawn so.
    pub fn relative_to(&self, set: &Drawing) -> Self {
        match self {
            Self::Drawn { seed, index, drawing } if same(drawing, set) => Self::Sample { seed: *seed, index: *index },
            Self::Sample { .. } | Self::Drawn { .. } | Self::Own(_) => self.clone(),
            Self::Rerolled(old) => Self::Rerolled(Rc::new(Rerolled {
                of: old.of.relative_to(set),
                rerolls: old.rerolls.clone(),
                drawing: old.drawing.clone().filter(|drawing| !same(drawing, set)),
            })),
        }
    }

    /// The sample of that seed and number, drawn as is set; levels were drawn anew for another model.
    pub fn released(&self) -> Self {
        if let Self::Rerolled(rerolled) = self {
            return rerolled.of.released();
        }
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
            Self::Rerolled(rerolled) => Source::Rerolled {
                of: Box::new(rerolled.of.source(set, edge)),
                rerolls: rerolled.rerolls.clone(),
                drawing: rerolled.drawing.clone().unwrap_or_else(|| set.clone()),
            },
        }
    }
}

impl Rerolled {
    /// Reads what stands before the first mark of a re-roll, and after it.
    fn parse(of: &str, rest: &str) -> Option<Self> {
        let (rerolls, drawing) = split_drawing(rest)?;
        let reroll = |text: &str| {
            let (below, seed) = text.split_once('-')?;
            let below = parse_index(below).filter(|&below| (1..=MAX_LEVELS as u32).contains(&below))?;
            Some(Reroll { below, seed: parse_seed(seed)? })
        };
        let rerolls: Vec<_> = rerolls.split(REROLL).map(reroll).collect::<Option<_>>()?;
        let fewer_and_fewer = rerolls.windows(2).all(|pair| pair[0].below > pair[1].below);
        fewer_and_fewer.then_some(Self { of: Pick::parse(of)?, rerolls, drawing })
    }

    fn spell(&self) -> String {
        let rerolls = self.rerolls.iter().map(|reroll| format!("{REROLL}{}-{}", reroll.below, reroll.seed));
        let drawing = self.drawing.as_ref().map(spell_drawing).unwrap_or_default();
        format!("{}{}{drawing}", self.of.spell(), rerolls.collect::<String>())
    }
}

/// Cuts off how something is drawn, where it is said.
fn split_drawing(text: &str) -> Option<(&str, Option<Drawing>)> {
    let cut = MARKS.iter().find_map(|&(mark, latents)| Some((text.split_once(mark)?, latents)));
    let Some(((text, temperature), latents)) = cut else { return Some((text, None)) };
    Some((text, Some(Drawing { latents, temperature: parse_temperature(temperature)? })))
}

/// What [`split_drawing`] cuts off.
fn spell_drawing(drawing: &Drawing) -> String {
    let mark = MARKS.iter().find(|(_, latents)| *latents == drawing.latents).map_or('t', |&(mark, _)| mark);
    format!("{mark}{}", spell_temperature(&drawing.temperature))
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
    fn a_reroll_keeps_coarser_ones_and_replaces_finer_ones() {
        let set = Drawing::independent(Temperature::uniform(0.5));
        let once = drawn(&[0.9]).rerolled(2, 99, &set);
        assert_eq!(once.spell(), "7.3t0.9~2-99t0.5");
        let twice = once.rerolled(1, 5, &set);
        assert_eq!(twice.spell(), "7.3t0.9~2-99~1-5t0.5");
        assert_eq!(twice.rerolled(3, 6, &set).spell(), "7.3t0.9~3-6t0.5");
        assert_eq!(twice.rerolled(1, 6, &set).spell(), "7.3t0.9~2-99~1-6t0.5");
        assert_eq!(
            (twice.relative_to(&set).spell(), twice.released().spell()),
            ("7.3t0.9~2-99~1-5".into(), "7.3".into())
        );
        let own = Pick::Own(Rc::new(Own::new(1, vec![1, 2, 3]).unwrap()));
        for pick in [once.clone(), twice.clone(), twice.relative_to(&set), own.rerolled(1, 0, &set)] {
            assert_eq!(Pick::parse(&pick.spell()), Some(pick.clone()));
            assert_eq!(pick.relative_to(&set).held_at(&set), pick.held_at(&set));
        }
        for bad in ["7.3~", "7.3~2", "7.3~0-1", "7.3~13-1", "7.3~1-x", "7.3~1-2~1-3", "7.3~1-2~2-3", "~1-2", "7.3~1-2t"]
        {
            assert_eq!(Pick::parse(bad), None, "{bad}");
        }
        let Source::Rerolled { of, rerolls, drawing } = twice.source(&set, 4) else { panic!() };
        assert_eq!((*of, drawing), (drawn(&[0.9]).source(&set, 4), set.clone()));
        assert_eq!(rerolls, [Reroll { below: 2, seed: 99 }, Reroll { below: 1, seed: 5 }]);
        assert_eq!((once.name(&set).as_str(), once.draw()), ("Sample 4 of seed 7, temperature 0.9, re-rolled", None));
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
