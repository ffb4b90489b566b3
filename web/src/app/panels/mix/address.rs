//! The mix panel's part of the address.

use crate::address::{GOOD_SEED, MAX_LEVELS, Pick, Verdict, number, set};
use crate::app::panels::PanelSettings;
use crate::index::ModelEntry;
use crate::protocol::Drawing;

/// The dividing level of a model of which nothing else is known.
const USUAL_CUT: usize = 2;

/// What is mixed, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct MixSettings {
    /// Picture A.
    pub a: Pick,
    /// Picture B.
    pub b: Pick,
    /// The dividing level Θ; the model may have fewer levels.
    pub cut: usize,
    /// A's share λ in the interpolation.
    pub share: f32,
    /// Whether a link or the reader chose the pictures or Θ; otherwise each model has a pair of its own.
    pub chosen: bool,
}

impl Default for MixSettings {
    fn default() -> Self {
        let [a, b] = [12, 6].map(|index| Pick::Sample { seed: GOOD_SEED, index });
        Self { a, b, cut: USUAL_CUT, share: 0.5, chosen: false }
    }
}

impl MixSettings {
    /// Takes the pair over that the list of models has for this one, unless there was a choice. A model without one has the
    /// usual Θ: another model's may leave nothing to mix.
    pub fn suit(&mut self, entry: Option<&ModelEntry>) {
        if self.chosen {
            return;
        }
        let pick = |index| Pick::Sample { seed: GOOD_SEED, index };
        match entry.and_then(|entry| entry.pair.as_ref()) {
            Some(pair) => (self.a, self.b, self.cut) = (pick(pair.a), pick(pair.b), pair.cut.into()),
            None => self.cut = USUAL_CUT,
        }
    }

    /// Another model draws other samples: they were no choice.
    pub fn forget_samples(&mut self) {
        self.chosen &= self.a.draw().is_none() || self.b.draw().is_none();
    }

    /// Whether A and B are the same picture while this temperature is set.
    pub fn is_one_picture(&self, set: &Drawing) -> bool {
        self.a.relative_to(set) == self.b.relative_to(set)
    }
}

impl PanelSettings for MixSettings {
    fn read(&mut self, key: &str, value: &str) -> Verdict {
        match key {
            "a" | "b" => {
                let pick = if key == "a" { &mut self.a } else { &mut self.b };
                set(pick, Pick::parse(value), "is not a picture")?;
                self.chosen = true;
                Ok(())
            }
            "cut" => {
                let cut = value.parse().ok().filter(|&cut| cut <= MAX_LEVELS);
                set(&mut self.cut, cut, "is not a dividing level")?;
                self.chosen = true;
                Ok(())
            }
            "share" => {
                let share = value.parse().ok().filter(|share| (0.0..=1.0).contains(share));
                set(&mut self.share, share, "is not a share from 0 to 1")
            }
            _ => Ok(()),
        }
    }

    fn write(&self, push: &mut dyn FnMut(&str, &str)) {
        push("a", &self.a.spell());
        push("b", &self.b.spell());
        push("cut", &self.cut.to_string());
        push("share", &number(self.share));
    }

    fn picks(&mut self) -> Vec<&mut Pick> {
        vec![&mut self.a, &mut self.b]
    }
}
