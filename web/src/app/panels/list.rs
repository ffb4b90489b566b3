//! All panels together: what the page does with one of them, or with each.

use std::rc::Rc;

use shared::RgFlowConfig;
use web_sys::{Document, HtmlCanvasElement};

use super::live::Live;
use super::{Bench, PanelSettings, PanelState, PanelView, Scene, Seen, Site};
use crate::address::{Pick, Verdict};
use crate::app::dispatch::{Dispatch, narrowed};
use crate::app::effect::{Effect, Ids};
use crate::app::event::Event;
use crate::app::gather::Gatherer;
use crate::app::panel::{Panel, each_panel};
use crate::app::picker::Picker;
use crate::app::slot::Slot;
use crate::app::widgets::dialog::Dialogs;
use crate::error::Result;
use crate::protocol::{Answer, RequestId};

macro_rules! list_panels {
    ($($(#[$doc:meta])+ $folder:ident: $State:ident, $View:ident, $title:literal;)+) => {
        $(use super::$folder::{$State, $View};)+

        /// The panels' states.
        #[derive(Clone, Debug, Default)]
        pub struct Panels {
            $($(#[$doc])+ pub $folder: $State,)+
        }

        /// What is set in the panels.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct AllSettings {
            $($(#[$doc])+ pub $folder: <$State as PanelState>::Settings,)+
        }

        /// What happened within a panel.
        #[derive(Clone, Debug, PartialEq)]
        pub enum PanelEvent {
            $($(#[$doc])+ $State(<$State as PanelState>::Event),)+
        }

        /// The panels' elements.
        pub struct PanelViews {
            $($folder: $View,)+
        }

        impl AllSettings {
            /// Takes a key's value, if the key is a panel's.
            ///
            /// # Errors
            /// What is wrong with the value.
            pub fn read(&mut self, key: &str, value: &str) -> Verdict {
                $(self.$folder.read(key, value)?;)+
                Ok(())
            }

            /// Writes a panel's part of the address.
            pub fn write(&self, panel: Panel, push: &mut dyn FnMut(&str, &str)) {
                match panel {
                    $(Panel::$State => self.$folder.write(push),)+
                }
            }

            /// The pictures that a panel works on.
            pub fn picks(&mut self, panel: Panel) -> Vec<&mut Pick> {
                match panel {
                    $(Panel::$State => self.$folder.picks(),)+
                }
            }

            /// Takes one panel's settings over.
            pub fn adopt(&mut self, panel: Panel, from: Self) {
                match panel {
                    $(Panel::$State => self.$folder = from.$folder,)+
                }
            }
        }

        impl Panels {
            /// Takes a panel's event in.
            pub fn update(
                &mut self,
                event: PanelEvent,
                settings: &mut AllSettings,
                bench: &mut Bench<'_>,
            ) -> Vec<Effect> {
                match event {
                    $(PanelEvent::$State(event) => self.$folder.update(event, &mut settings.$folder, bench),)+
                }
            }

            /// Asks for what a panel shows.
            pub fn refresh(
                &mut self,
                panel: Panel,
                settings: &mut AllSettings,
                bench: &mut Bench<'_>,
            ) -> Vec<Effect> {
                match panel {
                    $(Panel::$State => self.$folder.refresh(&mut settings.$folder, bench),)+
                }
            }

            /// One of a panel's pictures was exchanged.
            pub fn exchanged(&mut self, panel: Panel, settings: &mut AllSettings) {
                match panel {
                    $(Panel::$State => self.$folder.exchanged(&mut settings.$folder),)+
                }
            }

            /// Hands an answer, or a part of it, to the panel that waits for it.
            pub fn take(&mut self, id: RequestId, answer: Answer, settings: &AllSettings, config: &RgFlowConfig) {
                $(if self.$folder.lives().iter().any(|live| live.waits_for(id)) {
                    return self.$folder.take(id, answer, &settings.$folder, config);
                })+
            }

            /// Forgets what another model made.
            pub fn clear(&mut self) {
                $(self.$folder.clear();)+
            }

            /// Stops what is under way.
            pub fn stop(&mut self) -> Vec<Effect> {
                [$(self.$folder.stop()),+].concat()
            }

            fn lives(&mut self) -> Vec<&mut Live> {
                let mut lives = Vec::new();
                $(lives.extend(self.$folder.lives());)+
                lives
            }
        }

        impl PanelViews {
            /// Finds the elements and listens to them.
            ///
            /// # Errors
            /// [`crate::Error::Browser`] if the page lacks one.
            pub fn new(
                document: &Document,
                dispatch: &Dispatch<PanelEvent>,
                page: &Dispatch<Event>,
                picker: &Rc<Picker>,
                gatherer: &Rc<Gatherer>,
                dialogs: &Rc<Dialogs>,
            ) -> Result<Self> {
                Ok(Self {
                    $($folder: $View::new(&Site {
                        document,
                        own: narrowed(dispatch, PanelEvent::$State),
                        page: Rc::clone(page),
                        picker,
                        gatherer,
                        dialogs,
                    })?,)+
                })
            }

            /// Shows the panel that is chosen.
            pub fn render(&self, shown: Panel, panels: &Panels, settings: &AllSettings, page: &Scene<'_>) {
                $({
                    let seen = Seen { panel: &panels.$folder, settings: &settings.$folder, page };
                    if shown == Panel::$State {
                        self.$folder.render(&seen);
                    } else {
                        self.$folder.render_hidden(&seen);
                    }
                })+
            }

            /// What a saved file shows of a panel.
            pub fn sheet(&self, panel: Panel) -> Vec<Vec<HtmlCanvasElement>> {
                match panel {
                    $(Panel::$State => self.$folder.sheet(),)+
                }
            }
        }

        /// The places of all panels' pictures.
        pub fn slots() -> Vec<&'static Slot> {
            let mut slots = Vec::new();
            $(slots.extend($State::SLOTS);)+
            slots
        }
    };
}

each_panel!(list_panels);

impl Panels {
    /// A task is over: if it was a panel's, the next may follow.
    pub fn over(&mut self, id: RequestId, ids: &mut Ids) -> Option<Vec<Effect>> {
        self.lives().into_iter().find_map(|live| live.over(id, ids))
    }

    /// Whether a panel waits for pictures.
    pub fn is_busy(&mut self) -> bool {
        self.lives().into_iter().any(|live| live.is_busy())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::slot::{by_name, landing};

    #[test]
    fn a_picture_lands_where_it_is_dropped_and_never_changes_the_panel() {
        let slots = slots();
        let named = |name| by_name(&slots, name);
        for &slot in &slots {
            assert_eq!(named(slot.name), Some(slot));
            assert_eq!(landing(&slots, slot.panel, Some(slot)), Some(slot));
        }
        assert_eq!(landing(&slots, Panel::Mix, None), named("mix-a"));
        assert_eq!(landing(&slots, Panel::Explore, named("mix-b")), named("explore"));
        assert_eq!(landing(&slots, Panel::Sample, None), named("main"));
        assert_eq!(landing(&slots, Panel::About, None), None);
    }

    #[test]
    fn every_picture_of_a_panel_has_a_slot() {
        let mut settings = AllSettings::default();
        for &panel in Panel::ALL {
            let places: Vec<usize> =
                slots().into_iter().filter(|slot| slot.panel == panel).map(|slot| slot.place).collect();
            assert_eq!(places, (0..settings.picks(panel).len()).collect::<Vec<_>>(), "{panel:?}");
        }
    }
}
