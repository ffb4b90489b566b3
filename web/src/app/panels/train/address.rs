//! The train panel's part of the address: what a new run would be. A run itself is in no address.

use crate::address::{Pick, Verdict, set};
use crate::app::panels::PanelSettings;
use crate::protocol::ModelSize;

/// What a new run learns from, and how large its model is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrainSettings {
    /// Whether it learns from the reader's own pictures.
    pub own: bool,
    /// How large its model is.
    pub size: ModelSize,
}

/// The sizes, with their names in addresses.
pub const SIZES: [(ModelSize, &str); 3] =
    [(ModelSize::Small, "small"), (ModelSize::Medium, "medium"), (ModelSize::Large, "large")];

impl PanelSettings for TrainSettings {
    fn read(&mut self, key: &str, value: &str) -> Verdict {
        match key {
            "train" => {
                let own = ["ovals", "own"].iter().position(|name| *name == value).map(|place| place == 1);
                set(&mut self.own, own, "is not something to learn from, ovals or own")
            }
            "train-size" => {
                let size = SIZES.iter().find(|(_, name)| *name == value).map(|(size, _)| *size);
                set(&mut self.size, size, "is not a size, small, medium or large")
            }
            _ => Ok(()),
        }
    }

    fn write(&self, push: &mut dyn FnMut(&str, &str)) {
        if self.own {
            push("train", "own");
        }
        if let Some((_, name)) = SIZES.iter().find(|(size, _)| *size == self.size && *size != ModelSize::default()) {
            push("train-size", name);
        }
    }

    fn picks(&mut self) -> Vec<&mut Pick> {
        vec![]
    }
}
