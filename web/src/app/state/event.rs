//! What can happen, and what can follow.

use serde_bytes::ByteBuf;
use shared::Temperature;

use super::explore::ExploreEvent;
use super::inpaint::InpaintEvent;
use super::mix::MixEvent;
use crate::fragment::{Panel, Pick};
use crate::messages::{BackendChoice, Request, Response};

/// Which panel's picture is being chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// Picture A of the mixture.
    MixA,
    /// Picture B of the mixture.
    MixB,
    /// The picture to explore.
    Explore,
    /// The picture to complete.
    Inpaint,
}

impl Slot {
    /// All, in the order of the tabs.
    pub const ALL: [Self; 4] = [Self::MixA, Self::MixB, Self::Explore, Self::Inpaint];

    /// As `index.html` spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::MixA => "mix-a",
            Self::MixB => "mix-b",
            Self::Explore => "explore",
            Self::Inpaint => "inpaint",
        }
    }

    /// The slot of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|slot| slot.name() == name)
    }

    /// The panel that has it.
    pub fn panel(self) -> Panel {
        match self {
            Self::MixA | Self::MixB => Panel::Mix,
            Self::Explore => Panel::Explore,
            Self::Inpaint => Panel::Inpaint,
        }
    }

    /// Where a picture goes that comes while a panel is shown, over a slot's own place or elsewhere; `None` where the
    /// reader has to say so.
    pub fn landing(shown: Panel, over: Option<Self>) -> Option<Self> {
        over.filter(|slot| slot.panel() == shown).or(Self::ALL.into_iter().find(|slot| slot.panel() == shown))
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The worker said something.
    Engine(Response),
    /// The worker broke down without a word of its own.
    EngineDied(String),
    /// Start over.
    Retry,
    /// Another panel.
    Show(Panel),
    /// Other samples, from this seed.
    NewSamples(u64),
    /// The seed's field was edited.
    SeedTyped(String),
    /// One temperature for all levels.
    Uniform(f32),
    /// One level's temperature.
    Level(usize, f32),
    /// All temperatures; those of the model's card with none.
    Temperatures(Option<Temperature>),
    /// Another model was chosen.
    Model(String),
    /// What to run models on.
    Backend(BackendChoice),
    /// The reader's own weights, with their file's name.
    Weights(String, ByteBuf),
    /// The address changed.
    Address(String),
    /// The samples are wanted to choose from.
    Gallery,
    /// A sample is shown large.
    Enlarged(usize),
    /// A picture was chosen.
    Picked(Slot, Pick),
    /// Nothing happened that the state knows of, but marks may have moved.
    Redraw,
    /// Pictures are wanted smooth, or in squares.
    Smooth(bool),
    /// The browser's address must be the one that fits.
    AddressWanted,
    /// Something is to be said to the reader.
    Notice(String),
    /// In the mix panel.
    Mix(MixEvent),
    /// In the explore panel.
    Explore(ExploreEvent),
    /// In the inpaint panel.
    Inpaint(InpaintEvent),
}

/// What to do about it, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Start the worker, or start it again.
    StartEngine,
    /// Tell the worker.
    Send(Request),
    /// Write the settings to the address.
    WriteAddress(String),
    /// The same, so that the reader can go back to what was before.
    PushAddress(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_lands_where_it_is_dropped_and_never_changes_the_panel() {
        for slot in Slot::ALL {
            assert_eq!(Slot::parse(slot.name()), Some(slot));
            assert_eq!(Slot::landing(slot.panel(), Some(slot)), Some(slot));
        }
        assert_eq!(Slot::landing(Panel::Mix, None), Some(Slot::MixA));
        assert_eq!(Slot::landing(Panel::Explore, Some(Slot::MixB)), Some(Slot::Explore));
        for panel in [Panel::Sample, Panel::About] {
            assert_eq!(Slot::landing(panel, None), None);
        }
    }
}
