//! The panels by name: the one list of them.

/// Gives the list of the panels, in the order of their tabs, to a macro. A line has the panel's folder in `panels/`,
/// which is its name in addresses and in the page's ids too; its state; its view; and its tab's text.
macro_rules! each_panel {
    ($then:ident) => {
        $then! {
            /// Pictures drawn from the model.
            sample: Sample, SampleView, "Sample";
            /// Coarse levels of one picture with the fine ones of another.
            mix: Mix, MixView, "Mix";
            /// One picture and its latents.
            explore: Explore, ExploreView, "Explore";
            /// Holes filled in.
            inpaint: Inpaint, InpaintView, "Inpaint";
            /// A model that learns before one's eyes.
            train: Train, TrainView, "Train";
            /// What all this is.
            about: About, AboutView, "About";
        }
    };
}
pub(crate) use each_panel;

macro_rules! name_panels {
    ($($(#[$doc:meta])+ $folder:ident: $State:ident, $View:ident, $title:literal;)+) => {
        /// What the page offers to do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Panel {
            $($(#[$doc])+ $State,)+
        }

        impl Panel {
            /// All, in the order of the tabs.
            pub const ALL: &[Self] = &[$(Self::$State),+];

            /// As addresses and elements' ids spell it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$State => stringify!($folder),)+
                }
            }

            /// Its tab's text.
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$State => $title,)+
                }
            }
        }
    };
}

each_panel!(name_panels);

/// The first of the tabs.
impl Default for Panel {
    fn default() -> Self {
        Self::ALL[0]
    }
}

impl Panel {
    /// The panel of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|panel| panel.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_have_names_of_their_own() {
        for &panel in Panel::ALL {
            assert_eq!(Panel::parse(panel.name()), Some(panel));
        }
        assert_eq!(Panel::default(), Panel::Sample);
    }
}
