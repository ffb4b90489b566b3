//! The sample panel's part of the address.

use crate::address::{GOOD_SEED, MAX_LEVELS, Pick, Verdict, set};
use crate::app::panels::PanelSettings;

/// The sample of the page's first seed that it opens with: chosen by looking.
const GOOD_INDEX: u32 = 14;

/// What is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleSettings {
    /// The picture under the microscope, if the reader chose one.
    pick: Pick,
    chosen: bool,
    /// How many steps from coarse to fine are shown; `None` means all.
    pub depth: Option<usize>,
}

impl Default for SampleSettings {
    fn default() -> Self {
        Self { pick: Pick::Sample { seed: GOOD_SEED, index: GOOD_INDEX }, chosen: false, depth: None }
    }
}

impl SampleSettings {
    /// The picture under the microscope. Until one is chosen it is a sample of the seed that is set.
    pub fn main(&self, seed: u64) -> Pick {
        if self.chosen {
            return self.pick.clone();
        }
        Pick::Sample { seed, index: if seed == GOOD_SEED { GOOD_INDEX } else { 0 } }
    }

    /// Looks at another picture.
    pub fn choose(&mut self, pick: Pick) {
        (self.pick, self.chosen) = (pick, true);
    }

    /// Looks at a sample of the seed again, unless the picture is the reader's own.
    pub fn follow_seed(&mut self) {
        self.chosen &= matches!(self.pick, Pick::Own(_));
    }

    /// The picture was put in its slot.
    pub fn put(&mut self) {
        self.chosen = true;
    }
}

impl PanelSettings for SampleSettings {
    fn read(&mut self, key: &str, value: &str) -> Verdict {
        match key {
            "main" => {
                set(&mut self.pick, Pick::parse(value), "is not a picture")?;
                self.chosen = true;
                Ok(())
            }
            "depth" => {
                let depth = value.parse().ok().filter(|depth| (1..=MAX_LEVELS).contains(depth));
                set(&mut self.depth, depth.map(Some), "is not a number of steps")
            }
            _ => Ok(()),
        }
    }

    fn write(&self, push: &mut dyn FnMut(&str, &str)) {
        if self.chosen {
            push("main", &self.pick.spell());
        }
        if let Some(depth) = self.depth {
            push("depth", &depth.to_string());
        }
    }

    fn picks(&mut self) -> Vec<&mut Pick> {
        vec![&mut self.pick]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_picture_is_the_one_under_the_microscope() {
        let page = include_str!("../../../../../index.html");
        assert!(page.contains(&format!("data-preview=\"{GOOD_INDEX}\"")));
    }
}
