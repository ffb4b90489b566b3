//! The pictures that were under the microscope, so that none is lost by looking at another.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Document, DragEvent, HtmlButtonElement, HtmlElement};

use super::state::State;
use crate::address::{Own, Pick};
use crate::app::dispatch::Dispatch;
use crate::app::event::Event;
use crate::app::widgets::canvas::Picture;
use crate::app::widgets::dom::{by_id, create, create_button, on, set_pressed};
use crate::app::widgets::list::List;
use crate::error::Result;
use crate::protocol::{Image, opaque, without_alpha};

/// What a dragged picture is called while it is dragged.
pub const DRAGGED: &str = "application/x-rg-flow-picture";
/// How many pictures are kept that are not pinned, of all models together.
const MOST: usize = 24;
/// How many are read again.
const MOST_READ: usize = 4 * MOST;
/// Below that there is nothing to go back to.
const FEWEST: usize = 2;

/// The pictures, the newest first.
#[derive(Clone, Debug, Default)]
pub struct History {
    kept: Vec<Kept>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// The model that it is of, as its digest or its file's name.
    model: String,
    /// The picture, whatever is set.
    pub pick: Pick,
    /// The same, to be shown.
    pub image: Rc<Image>,
    /// Whether it stays however many follow.
    pub pinned: bool,
}

impl History {
    /// A picture was looked at.
    pub fn see(&mut self, model: &str, pick: &Pick, image: &Rc<Image>) {
        if self.kept.iter().any(|kept| kept.model == model && kept.pick == *pick) {
            return;
        }
        let (model, pick, image) = (model.to_owned(), pick.clone(), Rc::clone(image));
        self.kept.insert(0, Kept { model, pick, image, pinned: false });
        let mut loose = 0;
        self.kept.retain(|kept| {
            loose += usize::from(!kept.pinned);
            kept.pinned || loose <= MOST
        });
    }

    /// A picture stays, or does not any more.
    pub fn pin(&mut self, pick: &Pick) {
        self.kept.iter_mut().filter(|kept| kept.pick == *pick).for_each(|kept| kept.pinned = !kept.pinned);
    }

    /// As text, a line each: the model, whether it is pinned, the picture as an address has it, and as it is shown.
    pub fn spell(&self) -> String {
        let line = |kept: &Kept| {
            let rgb = without_alpha(&kept.image.rgba);
            let shown = Own::new(kept.image.size as usize, rgb)?;
            Some(format!("{}\t{}\t{}\t{}\n", kept.model, u8::from(kept.pinned), kept.pick.spell(), shown.code()))
        };
        self.kept.iter().filter_map(line).collect()
    }

    /// Reads such a text; lines that are none are left out.
    pub fn parse(text: &str) -> Self {
        let kept = |line: &str| {
            let [model, pinned, pick, shown] = line.split('\t').collect::<Vec<_>>().try_into().ok()?;
            let (pick, shown) = (Pick::parse(pick)?, Own::parse(shown)?);
            let rgba = opaque(&shown.at_edge(shown.size()));
            let image = Rc::new(Image { size: shown.size() as u32, rgba: rgba.into() });
            Some(Kept { model: model.to_owned(), pick, image, pinned: pinned == "1" })
        };
        Self { kept: text.lines().filter_map(kept).take(MOST_READ).collect() }
    }

    /// Those of a model, the pinned ones first.
    pub fn of(&self, model: &str) -> Vec<&Kept> {
        let mut kept: Vec<&Kept> = self.kept.iter().filter(|kept| kept.model == model).collect();
        kept.sort_by_key(|kept| !kept.pinned);
        kept
    }
}

/// The elements.
pub struct HistoryView {
    document: Document,
    strip: HtmlElement,
    page: Dispatch<Event>,
    list: List<String, (Pick, Picture, HtmlButtonElement)>,
}

impl HistoryView {
    pub fn new(document: &Document, page: &Dispatch<Event>) -> Result<Self> {
        Ok(Self {
            document: document.clone(),
            strip: by_id(document, "history")?,
            page: Rc::clone(page),
            list: List::by_id(document, "history-list")?,
        })
    }

    pub fn render(&self, state: &State) {
        let kept = state.history.of(state.model_key());
        self.strip.set_hidden(kept.len() < FEWEST || state.info.is_none());
        let _ = self.list.fit(kept.iter().map(|kept| kept.pick.spell()), |spelled| self.make(spelled));
        self.list.for_each(|_, (pick, picture, pin)| {
            let Some(kept) = kept.iter().find(|kept| kept.pick == *pick) else { return };
            picture.show(Some(&kept.image));
            set_pressed(pin, kept.pinned);
        });
    }

    fn make(&self, spelled: &str) -> Result<(web_sys::Element, (Pick, Picture, HtmlButtonElement))> {
        let pick = Pick::parse(spelled).ok_or_else(|| crate::Error::Request(format!("{spelled} is no picture")))?;
        let entry: HtmlElement = create(&self.document, "div")?;
        entry.set_class_name("kept");
        let (button, picture) = Picture::in_button(&self.document, "Use this picture again")?;
        button.set_title("Use it here again; or drag it to a panel or a picture");
        button.set_draggable(true);
        let text = spelled.to_owned();
        on(&button, "dragstart", move |event| {
            let data = event.dyn_ref::<DragEvent>().and_then(DragEvent::data_transfer);
            let _ = data.map(|data| data.set_data(DRAGGED, &text));
        });
        let (page, chosen) = (Rc::clone(&self.page), pick.clone());
        on(&button, "click", move |_| page(Event::Recall(chosen.clone())));
        let pin = create_button(&self.document, "pin")?;
        pin.set_text_content(Some("Pin"));
        pin.set_attribute("aria-label", "Pin this picture")?;
        pin.set_title("Keep it, however many follow");
        let (page, pinned) = (Rc::clone(&self.page), pick.clone());
        on(&pin, "click", move |_| page(Event::Pin(pinned.clone())));
        entry.append_child(&button)?;
        entry.append_child(&pin)?;
        Ok((entry.into(), (pick, picture, pin)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> Rc<Image> {
        Rc::new(Image { size: 4, rgba: Default::default() })
    }

    #[test]
    fn they_survive_as_text_and_nonsense_does_not() {
        let mut history = History::default();
        let shades: Vec<u8> = (0..16u8).flat_map(|i| [i, 255 - i, 7, 255]).collect();
        let image = Rc::new(Image { size: 4, rgba: shades.into() });
        for (model, index) in [("a", 1), ("b c", 2)] {
            history.see(model, &Pick::Sample { seed: 9, index }, &image);
        }
        history.pin(&Pick::Sample { seed: 9, index: 1 });
        let text = history.spell();
        assert_eq!(History::parse(&text).kept, history.kept);
        assert_eq!(History::parse(&format!("x\n\t\t\t\n{text}a\t0\t9.1\t%")).kept, history.kept);
        assert!(History::parse("").kept.is_empty());
    }

    #[test]
    fn what_is_pinned_stays_and_of_the_rest_the_newest_do() {
        let mut history = History::default();
        let pick = |index| Pick::Sample { seed: 1, index };
        for index in 0..100 {
            history.see("a", &pick(index), &image());
            history.see("a", &pick(index), &image());
            if index == 3 {
                history.pin(&pick(3));
            }
        }
        let of: Vec<Pick> = history.of("a").into_iter().map(|kept| kept.pick.clone()).collect();
        assert_eq!(of.len(), MOST + 1);
        assert_eq!((&of[0], &of[1], &of[MOST]), (&pick(3), &pick(99), &pick(76)));
        assert!(history.of("b").is_empty());
        history.pin(&pick(3));
        history.see("b", &pick(3), &image());
        assert_eq!((history.of("a").len(), history.of("b").len()), (MOST - 1, 1));
    }
}
