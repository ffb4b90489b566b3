//! Strips: what single latents do to the picture (fig. 5), and the same for a model with another prior.

use std::cell::RefCell;
use std::rc::Rc;

use shared::RgFlowConfig;
use shared::geometry::{LatentAddress, Levels};
use shared::weights::NamedFactor;
use web_sys::{Document, HtmlButtonElement, HtmlElement};

use super::named::short;
use super::state::{Explore, ExploreEvent, STRIP};
use crate::app::dispatch::Dispatch;
use crate::app::panels::{Scene, Site};
use crate::app::widgets::canvas::{Picture, is_new};
use crate::app::widgets::dom::{
    by_id, capital, create, create_button, on, on_able_click, set_able, set_columns, set_text,
};
use crate::error::Result;
use crate::protocol::Strip;

/// A place for strips, and the strips there.
struct Shelf {
    rows: HtmlElement,
    shown: RefCell<Option<Rc<Vec<Strip>>>>,
}

impl Shelf {
    fn by_id(document: &Document, id: &str) -> Result<Self> {
        let rows: HtmlElement = by_id(document, id)?;
        set_columns(&rows, STRIP.len())?;
        Ok(Self { rows, shown: RefCell::default() })
    }
}

/// The elements.
pub struct StripsView {
    document: Document,
    dispatch: Dispatch<ExploreEvent>,
    /// Follows a choice.
    chosen: Rc<dyn Fn()>,
    make: HtmlButtonElement,
    shelf: Shelf,
    twins: HtmlElement,
    compare: HtmlButtonElement,
    titles: [HtmlElement; 2],
    compared: [Shelf; 2],
}

impl StripsView {
    pub fn new(site: &Site<'_, ExploreEvent>, chosen: Rc<dyn Fn()>) -> Result<Self> {
        let document = site.document;
        let view = Self {
            document: document.clone(),
            dispatch: Rc::clone(&site.own),
            chosen,
            make: by_id(document, "explore-make-strips")?,
            shelf: Shelf::by_id(document, "explore-strips")?,
            twins: by_id(document, "explore-twins")?,
            compare: by_id(document, "explore-compare")?,
            titles: [by_id(document, "explore-twin-title-0")?, by_id(document, "explore-twin-title-1")?],
            compared: [Shelf::by_id(document, "explore-twin-0")?, Shelf::by_id(document, "explore-twin-1")?],
        };
        for (button, event) in [(&view.make, ExploreEvent::Strips), (&view.compare, ExploreEvent::Compare)] {
            let d = Rc::clone(&site.own);
            on_able_click(button, move || d(event.clone()));
        }
        Ok(view)
    }

    pub fn render(&self, explore: &Explore, config: &RgFlowConfig, named: &[&NamedFactor], page: &Scene<'_>) {
        let stripping = explore.is_stripping();
        set_able(&self.make, !stripping && explore.shown.is_none());
        let label =
            if stripping { &explore.so_far("Making the strips", &[&explore.strips]) } else { "Show what they do" };
        set_text(&self.make, label);
        self.put(&self.shelf, explore.shown.as_ref(), config, named, true);
        self.twins.set_hidden(page.twin.is_none());
        let comparing = explore.is_comparing();
        set_able(&self.compare, !comparing && explore.compared.iter().any(Option::is_none));
        let label = if comparing {
            &explore.so_far("Comparing", &[&explore.own_leading, &explore.twin_leading])
        } else {
            "Compare both on this picture"
        };
        set_text(&self.compare, label);
        for (title, entry) in self.titles.iter().zip([page.entry, page.twin]) {
            set_text(title, entry.map_or("", |entry| &entry.title));
        }
        for (i, (shelf, strips)) in self.compared.iter().zip(&explore.compared).enumerate() {
            self.put(shelf, strips.as_ref(), config, &[], i == 0);
        }
    }

    /// Shows strips, each with its latent's name or place, which chooses it if it is of this model.
    fn put(
        &self,
        shelf: &Shelf,
        strips: Option<&Rc<Vec<Strip>>>,
        config: &RgFlowConfig,
        named: &[&NamedFactor],
        own: bool,
    ) {
        if !is_new(shelf.shown.borrow().as_ref(), strips) {
            return;
        }
        shelf.rows.set_text_content(None);
        for strip in strips.map_or(&[][..], |strips| strips) {
            let _ = self.row(shelf, strip, config, named, own);
        }
        shelf.shown.replace(strips.cloned());
    }

    fn row(
        &self,
        shelf: &Shelf,
        strip: &Strip,
        config: &RgFlowConfig,
        named: &[&NamedFactor],
        own: bool,
    ) -> Result<()> {
        let Ok(at) = Levels::new(config).address(strip.index as usize) else { return Ok(()) };
        let name = name(at, named);
        let row: HtmlElement = create(&self.document, "div")?;
        row.set_class_name("strip-row");
        if own {
            let button = create_button(&self.document, "button compact chip")?;
            button.set_text_content(Some(&name));
            let (d, chosen) = (Rc::clone(&self.dispatch), Rc::clone(&self.chosen));
            on(&button, "click", move |_| {
                d(ExploreEvent::Latent(at));
                chosen();
            });
            row.append_child(&button)?;
        } else {
            let text: HtmlElement = create(&self.document, "span")?;
            text.set_text_content(Some(&name));
            row.append_child(&text)?;
        }
        for (image, value) in strip.images.iter().zip(STRIP) {
            let picture = Picture::create(&self.document)?;
            picture.canvas().set_attribute("role", "img")?;
            picture.canvas().set_attribute("aria-label", &format!("{name} at {value}"))?;
            picture.show(Some(&Rc::new(image.clone())));
            row.append_child(picture.canvas())?;
        }
        shelf.rows.append_child(&row)?;
        Ok(())
    }
}

/// A latent's name, or its place.
fn name(at: LatentAddress, named: &[&NamedFactor]) -> String {
    let known = named.iter().find(|factor| factor.at == at);
    known.map_or_else(|| format!("Latent {at}"), |factor| capital(&short(&factor.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strip_has_its_latents_name_or_place() {
        let at: LatentAddress = "3.0.1.2".parse().unwrap();
        let factor = NamedFactor { at, name: "an eye".to_owned() };
        assert_eq!((name(at, &[&factor]).as_str(), name(at, &[]).as_str()), ("An eye", "Latent 3.0.1.2"));
    }
}
