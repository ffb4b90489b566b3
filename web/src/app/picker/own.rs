//! The reader's own pictures, to be used again or removed.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Document, HtmlElement};

use crate::address::Own;
use crate::app::widgets::canvas::Picture;
use crate::app::widgets::dom::{by_id, create, create_button, on, set_text};
use crate::app::widgets::list::List;
use crate::error::Result;
use crate::protocol::{Image, opaque};

/// The elements.
pub struct OwnView {
    document: Document,
    row: HtmlElement,
    note: HtmlElement,
    pictures: List<Rc<Own>, Picture>,
}

impl OwnView {
    /// Finds the elements.
    ///
    /// # Errors
    /// [`crate::Error::Browser`] if the page lacks one.
    pub fn new(document: &Document) -> Result<Self> {
        Ok(Self {
            document: document.clone(),
            row: by_id(document, "picker-own")?,
            note: by_id(document, "picker-own-note")?,
            pictures: List::by_id(document, "picker-own-pictures")?,
        })
    }

    /// Shows the pictures. `use_it` and `remove` hear which was chosen, or is not wanted any more.
    pub fn render(
        &self,
        photos: &[Rc<Own>],
        forgotten: bool,
        use_it: &Rc<dyn Fn(Rc<Own>)>,
        remove: &Rc<dyn Fn(Rc<Own>)>,
    ) {
        self.row.set_hidden(photos.is_empty());
        let note = if forgotten {
            "This browser keeps nothing for this page, so they are lost when the page is closed."
        } else {
            "They stay in this browser until you remove them."
        };
        set_text(&self.note, note);
        let newest = photos.len();
        let _ = self.pictures.fit(photos.iter().cloned(), |own| {
            let number = newest - photos.iter().position(|other| other == own).unwrap_or_default();
            let item: HtmlElement = create(&self.document, "div")?;
            let (button, picture) = Picture::in_button(&self.document, &format!("Your picture {number}"))?;
            picture.show(Some(&Rc::new(image(own))));
            let (chosen, f) = (Rc::clone(own), Rc::clone(use_it));
            on(&button, "click", move |_| f(Rc::clone(&chosen)));
            let away = create_button(&self.document, "button compact")?;
            away.set_text_content(Some("Remove"));
            away.set_attribute("aria-label", &format!("Remove your picture {number}"))?;
            let (removed, f) = (Rc::clone(own), Rc::clone(remove));
            let (parting, document) = (item.clone(), self.document.clone());
            on(&away, "click", move |_| {
                pass_focus(&document, &parting);
                f(Rc::clone(&removed));
            });
            item.append_child(&button)?;
            item.append_child(&away)?;
            Ok((item.into(), picture))
        });
    }
}

/// Gives the focus to the same button of a neighbour, or to what adds pictures: this one goes.
fn pass_focus(document: &Document, item: &HtmlElement) {
    let neighbour = item.next_element_sibling().or_else(|| item.previous_element_sibling());
    let button = neighbour.and_then(|neighbour| neighbour.last_element_child());
    let next = button.or_else(|| document.get_element_by_id("picker-file"));
    if let Some(next) = next.and_then(|next| next.dyn_into::<HtmlElement>().ok()) {
        let _ = next.focus();
    }
}

fn image(own: &Own) -> Image {
    let rgb = own.at_edge(own.size());
    let rgba = opaque(&rgb);
    Image { size: own.size() as u32, rgba: rgba.into() }
}
