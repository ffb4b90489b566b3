//! The places of the panels' pictures, each of which the reader can choose.

use super::panel::Panel;

/// A place for a picture, and the words about it.
#[derive(Debug, PartialEq, Eq)]
pub struct Slot {
    /// The panel that has it.
    pub panel: Panel,
    /// Its place among the panel's pictures.
    pub place: usize,
    /// As `data-slot` spells it.
    pub name: &'static str,
    /// Where the picture is used, to choose from.
    pub label: &'static str,
    /// The title of the dialog in which a picture is chosen for it.
    pub title: &'static str,
    /// Said while a picture is held over it.
    pub hint: &'static str,
    /// The id of the element that is marked meanwhile.
    pub mark: &'static str,
}

/// The slot of that name.
pub fn by_name(slots: &[&'static Slot], name: &str) -> Option<&'static Slot> {
    slots.iter().copied().find(|slot| slot.name == name)
}

/// Where a picture goes that comes while a panel is shown, over a slot's own place or elsewhere; `None` where the
/// reader has to say so.
pub fn landing(slots: &[&'static Slot], shown: Panel, over: Option<&'static Slot>) -> Option<&'static Slot> {
    let of_shown = |slot: &&'static Slot| slot.panel == shown;
    over.filter(of_shown).or(slots.iter().copied().find(of_shown))
}
