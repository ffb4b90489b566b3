//! The latents that the model's card has a name for.

use std::cell::RefCell;
use std::rc::Rc;

use shared::geometry::LatentAddress;
use shared::weights::NamedFactor;
use web_sys::{Document, HtmlButtonElement, HtmlElement};

use super::dom::{by_id, create, on};
use crate::app::Dispatch;
use crate::app::state::Event;
use crate::app::state::explore::ExploreEvent;
use crate::error::Result;

/// The most characters of a name that are shown: a card may hold anything.
const LONGEST: usize = 60;

/// The elements.
pub struct NamedView {
    document: Document,
    dispatch: Dispatch,
    /// Follows a choice.
    chosen: Rc<dyn Fn()>,
    block: HtmlElement,
    row: HtmlElement,
    buttons: RefCell<Vec<(NamedFactor, HtmlButtonElement)>>,
}

impl NamedView {
    pub fn new(document: &Document, dispatch: &Dispatch, chosen: Rc<dyn Fn()>) -> Result<Self> {
        Ok(Self {
            document: document.clone(),
            dispatch: dispatch.clone(),
            chosen,
            block: by_id(document, "explore-named")?,
            row: by_id(document, "explore-names")?,
            buttons: RefCell::default(),
        })
    }

    /// Shows these, with the chosen one pressed.
    pub fn render(&self, known: &[&NamedFactor], chosen: Option<LatentAddress>) -> Result<()> {
        self.block.set_hidden(known.is_empty());
        if !self.buttons.borrow().iter().map(|(factor, _)| factor).eq(known.iter().copied()) {
            self.row.set_text_content(None);
            let buttons = known.iter().map(|factor| Ok(((*factor).clone(), self.button(factor)?)));
            self.buttons.replace(buttons.collect::<Result<_>>()?);
        }
        for (factor, button) in self.buttons.borrow().iter() {
            button.set_attribute("aria-pressed", if Some(factor.at) == chosen { "true" } else { "false" })?;
        }
        Ok(())
    }

    fn button(&self, factor: &NamedFactor) -> Result<HtmlButtonElement> {
        let button: HtmlButtonElement = create(&self.document, "button")?;
        button.set_type("button");
        button.set_class_name("button compact chip");
        button.set_text_content(Some(&short(&factor.name)));
        let (d, chosen, at) = (self.dispatch.clone(), Rc::clone(&self.chosen), factor.at);
        on(&button, "click", move |_| {
            d(Event::Explore(ExploreEvent::Latent(at)));
            chosen();
        });
        self.row.append_child(&button)?;
        Ok(button)
    }
}

/// A name that fits.
pub fn short(name: &str) -> String {
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", name[..end].trim_end()),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_end_early() {
        assert_eq!(short("warm or cold light"), "warm or cold light");
        let long = short(&"ä ".repeat(1000));
        assert!(long.ends_with("ä…") && long.chars().count() == 60, "{long}");
    }
}
