//! The document's title and description, which bookmarks, tabs and search engines show: those of the panel.

use std::cell::Cell;

use web_sys::{Document, Element};

use crate::app::panel::Panel;
use crate::error::{Error, Result};

/// Where the document says what it is about.
pub struct TitleView {
    document: Document,
    description: Element,
    shown: Cell<Option<Panel>>,
}

impl TitleView {
    pub fn new(document: &Document) -> Result<Self> {
        let found = document.query_selector("meta[name=description]")?;
        let description = found.ok_or_else(|| Error::Browser("the page has no description".to_owned()))?;
        Ok(Self { document: document.clone(), description, shown: Cell::default() })
    }

    pub fn render(&self, panel: Panel) {
        if self.shown.replace(Some(panel)) == Some(panel) {
            return;
        }
        self.document.set_title(&title(panel));
        let _ = self.description.set_attribute("content", description(panel));
    }
}

fn title(panel: Panel) -> String {
    if panel == Panel::default() {
        "RG-Flow: pictures, one scale at a time".to_owned()
    } else {
        format!("{} · RG-Flow", panel.title())
    }
}

fn description(panel: Panel) -> &'static str {
    match panel {
        Panel::Sample => {
            "A generative model that draws from coarse to fine, one scale at a time, running in your browser."
        }
        Panel::Mix => {
            "The light and colours of one picture with the details of another: mix two faces, scale by scale."
        }
        Panel::Explore => {
            "Move one latent of a picture and see which pixels it reaches: many if it is coarse, few if fine."
        }
        Panel::Inpaint => "Paint over a part of a picture, and a generative model fills it in, in your browser.",
        Panel::Train => {
            "Train a generative model in your browser, on your own pictures or on ovals, and watch it learn. Nothing is uploaded."
        }
        Panel::About => {
            "The renormalization group, run backwards, draws pictures: the idea of RG-Flow in five pictures."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_panel_has_its_own_title_and_description() {
        for (i, &panel) in Panel::ALL.iter().enumerate() {
            assert!(title(panel).contains("RG-Flow"));
            assert!((50..=160).contains(&description(panel).len()), "{panel:?}");
            for &other in &Panel::ALL[..i] {
                assert!(title(panel) != title(other) && description(panel) != description(other));
            }
        }
    }
}
