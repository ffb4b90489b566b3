//! The latents that the model's card has a name for.

use std::rc::Rc;

use shared::geometry::LatentAddress;
use shared::weights::NamedFactor;
use web_sys::{Document, Element, HtmlButtonElement, HtmlElement};

use super::state::ExploreEvent;
use crate::app::dispatch::Dispatch;
use crate::app::panels::Site;
use crate::app::widgets::dom::{by_id, create_button, on, reveal, set_pressed};
use crate::app::widgets::list::List;
use crate::error::Result;

/// The most characters of a name that are shown: a card may hold anything.
const LONGEST: usize = 60;

/// The elements.
pub struct NamedView {
    document: Document,
    dispatch: Dispatch<ExploreEvent>,
    /// Follows a choice.
    chosen: Rc<dyn Fn()>,
    block: HtmlElement,
    buttons: List<NamedFactor, HtmlButtonElement>,
}

impl NamedView {
    pub fn new(site: &Site<'_, ExploreEvent>, chosen: Rc<dyn Fn()>) -> Result<Self> {
        Ok(Self {
            document: site.document.clone(),
            dispatch: Rc::clone(&site.own),
            chosen,
            block: by_id(site.document, "explore-named")?,
            buttons: List::by_id(site.document, "explore-names")?,
        })
    }

    /// Shows these, with the chosen one pressed.
    pub fn render(&self, known: &[&NamedFactor], chosen: Option<LatentAddress>) -> Result<()> {
        self.block.set_hidden(known.is_empty());
        self.buttons.fit(known.iter().copied().cloned(), |factor| self.button(factor))?;
        self.buttons.for_each(|factor, button| set_pressed(button, Some(factor.at) == chosen));
        Ok(())
    }

    fn button(&self, factor: &NamedFactor) -> Result<(Element, HtmlButtonElement)> {
        let button = create_button(&self.document, "button compact chip")?;
        button.set_text_content(Some(&short(&factor.name)));
        let (d, chosen, at, chip) = (Rc::clone(&self.dispatch), Rc::clone(&self.chosen), factor.at, button.clone());
        on(&button, "click", move |_| {
            d(ExploreEvent::Latent(at));
            // On a phone they stand in one line, whose end fades.
            reveal(&chip);
            chosen();
        });
        Ok((button.clone().into(), button))
    }
}

/// The same with numbers where several have one name.
pub fn told_apart(known: &[&NamedFactor]) -> Vec<NamedFactor> {
    let numbered = |(i, factor): (usize, &&NamedFactor)| {
        let before = known[..i].iter().filter(|other| other.name == factor.name).count();
        let alone = before == 0 && known[i + 1..].iter().all(|other| other.name != factor.name);
        let name = if alone { factor.name.clone() } else { format!("{} ({})", short(&factor.name), before + 1) };
        NamedFactor { name, ..(*factor).clone() }
    };
    known.iter().enumerate().map(numbered).collect()
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
    fn latents_of_one_name_are_told_apart() {
        let factor =
            |name: &str| NamedFactor { name: name.into(), at: LatentAddress { level: 0, row: 0, col: 0, channel: 0 } };
        let known = ["light", "turn", "turn"].map(factor);
        let names: Vec<_> = told_apart(&known.each_ref()).into_iter().map(|factor| factor.name).collect();
        assert_eq!(names, ["light", "turn (1)", "turn (2)"]);
    }

    #[test]
    fn long_names_end_early() {
        assert_eq!(short("warm or cold light"), "warm or cold light");
        let long = short(&"ä ".repeat(1000));
        assert!(long.ends_with("ä…") && long.chars().count() == 60, "{long}");
    }
}
