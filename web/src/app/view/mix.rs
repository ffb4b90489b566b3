//! The mix panel.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Document, HtmlButtonElement, HtmlCanvasElement, HtmlElement, HtmlInputElement};

use super::canvas::Picture;
use super::dom::{by_id, capital, create, on, on_click, set_text, set_value};
use super::picker::Picker;
use crate::app::Dispatch;
use crate::app::state::mix::{MixEvent, TABLE};
use crate::app::state::{Event, Slot, State};
use crate::error::Result;
use crate::fragment::{Pick, number};

/// New pairs are taken from seeds below this.
const SEEDS: f64 = 1e6;

/// The elements.
pub struct MixView {
    document: Document,
    dispatch: Dispatch,
    /// A, A over B, B over A, B.
    row: [Picture; 4],
    names: [HtmlElement; 2],
    /// What the two mixtures are.
    captions: [HtmlElement; 2],
    cut: HtmlInputElement,
    cut_value: HtmlElement,
    share: HtmlInputElement,
    share_value: HtmlElement,
    between: Picture,
    strip: HtmlElement,
    columns: RefCell<Vec<Column>>,
    table: Vec<Picture>,
}

/// The two mixtures at one dividing level.
struct Column {
    button: HtmlButtonElement,
    pictures: [Picture; 2],
}

impl MixView {
    pub fn new(document: &Document, dispatch: &Dispatch, picker: &Rc<Picker>) -> Result<Self> {
        let picture = |id| Picture::by_id(document, id);
        let view = Self {
            document: document.clone(),
            dispatch: dispatch.clone(),
            row: [picture("mix-picture-a")?, picture("mix-ab")?, picture("mix-ba")?, picture("mix-picture-b")?],
            names: [by_id(document, "mix-name-a")?, by_id(document, "mix-name-b")?],
            captions: [by_id(document, "mix-caption-ab")?, by_id(document, "mix-caption-ba")?],
            cut: by_id(document, "mix-cut")?,
            cut_value: by_id(document, "mix-cut-value")?,
            share: by_id(document, "mix-share")?,
            share_value: by_id(document, "mix-share-value")?,
            between: picture("mix-between")?,
            strip: by_id(document, "mix-strip")?,
            columns: RefCell::default(),
            table: build_table(document)?,
        };
        for (id, slot) in
            [("mix-a", Slot::MixA), ("mix-choose-a", Slot::MixA), ("mix-b", Slot::MixB), ("mix-choose-b", Slot::MixB)]
        {
            let picker = Rc::clone(picker);
            on_click(document, id, move || picker.open(slot))?;
        }
        let d = dispatch.clone();
        on_click(document, "mix-swap", move || d(Event::Mix(MixEvent::Swap)))?;
        let d = dispatch.clone();
        on_click(document, "mix-shuffle", move || {
            let seed = (js_sys::Math::random() * SEEDS) as u64;
            d(Event::Mix(MixEvent::Pair([0, 1].map(|index| Pick::Sample { seed, index }))));
        })?;
        let (d, input) = (dispatch.clone(), view.cut.clone());
        on(&view.cut, "input", move |_| {
            if let Ok(cut) = input.value().parse() {
                d(Event::Mix(MixEvent::Cut(cut)));
            }
        });
        let (d, input) = (dispatch.clone(), view.share.clone());
        on(&view.share, "input", move |_| {
            if let Ok(share) = input.value().parse() {
                d(Event::Mix(MixEvent::Share(share)));
            }
        });
        Ok(view)
    }

    pub fn render(&self, state: &State) {
        let (settings, mix) = (&state.settings.mix, &state.mix);
        let [ab, ba] = mix.shown(settings.cut);
        for (picture, image) in self.row.iter().zip([mix.mixtures.first(), ab, ba, mix.mixtures.get(1)]) {
            picture.show(image);
        }
        for (name, pick) in self.names.iter().zip([&settings.a, &settings.b]) {
            set_text(name, &pick.name(&state.temperature()));
        }
        let levels = state.level_count();
        for ((caption, picture), [coarse, fine]) in
            self.captions.iter().zip(&self.row[1..3]).zip([["A", "B"], ["B", "A"]])
        {
            let text = caption_text(settings.cut, levels, coarse, fine);
            let _ = picture.canvas().set_attribute("aria-label", &capital(&text));
            set_text(caption, &text);
        }
        if levels > 0 {
            self.cut.set_max(&levels.to_string());
        }
        set_value(&self.cut, &settings.cut.to_string());
        let text = cut_text(settings.cut, levels);
        set_text(&self.cut_value, &text);
        let _ = self.cut.set_attribute("aria-valuetext", &text);
        set_value(&self.share, &number(settings.share));
        set_text(&self.share_value, &format!("{:.2}", settings.share));
        self.between.show(mix.interpolation.as_ref());
        let _ = self.fit_strip(levels);
        for (cut, column) in self.columns.borrow().iter().enumerate() {
            for (picture, image) in column.pictures.iter().zip(mix.shown(cut)) {
                picture.show(image);
            }
            let _ = column.button.set_attribute("aria-pressed", if cut == settings.cut { "true" } else { "false" });
        }
        for (i, picture) in self.table.iter().enumerate() {
            picture.show(mix.examples.get(i));
        }
    }

    /// A column a dividing level.
    fn fit_strip(&self, levels: usize) -> Result<()> {
        if levels == 0 || self.columns.borrow().len() == levels + 1 {
            return Ok(());
        }
        self.strip.set_text_content(None);
        let mut columns = Vec::new();
        for cut in 0..=levels {
            let button: HtmlButtonElement = create(&self.document, "button")?;
            button.set_type("button");
            button.set_class_name("column");
            button.set_attribute("aria-label", &format!("Θ = {cut}: {}", cut_text(cut, levels)))?;
            let label: HtmlElement = create(&self.document, "span")?;
            label.set_text_content(Some(&format!("Θ = {cut}")));
            let pictures = [Picture::create(&self.document)?, Picture::create(&self.document)?];
            for picture in &pictures {
                button.append_child(picture.canvas())?;
            }
            button.append_child(&label)?;
            self.strip.append_child(&button)?;
            let d = self.dispatch.clone();
            on(&button, "click", move |_| d(Event::Mix(MixEvent::Cut(cut))));
            columns.push(Column { button, pictures });
        }
        self.columns.replace(columns);
        Ok(())
    }

    /// What a saved file shows.
    pub fn sheet(&self) -> Vec<Vec<HtmlCanvasElement>> {
        vec![self.row.iter().map(|picture| picture.canvas().clone()).collect()]
    }
}

/// The table's canvases in the order of [`crate::app::state::mix::Mix::examples`].
fn build_table(document: &Document) -> Result<Vec<Picture>> {
    let table: HtmlElement = by_id(document, "mix-table")?;
    let pictures: Vec<Picture> =
        (0..2 * TABLE + TABLE * TABLE).map(|_| Picture::create(document)).collect::<Result<_>>()?;
    let corner: HtmlElement = create(document, "span")?;
    table.append_child(&corner)?;
    let (coarse, rest) = pictures.split_at(TABLE);
    let (fine, mixtures) = rest.split_at(TABLE);
    for picture in fine {
        picture.canvas().set_class_name("pixels source");
        table.append_child(picture.canvas())?;
    }
    for (picture, row) in coarse.iter().zip(mixtures.chunks(TABLE)) {
        picture.canvas().set_class_name("pixels source");
        table.append_child(picture.canvas())?;
        for mixture in row {
            table.append_child(mixture.canvas().unchecked_ref())?;
        }
    }
    Ok(pictures)
}

/// What a mixture is at a dividing level.
fn caption_text(cut: usize, levels: usize, coarse: &str, fine: &str) -> String {
    match cut {
        0 => format!("all of {coarse}"),
        _ if levels > 0 && cut >= levels => format!("all of {fine}"),
        _ => format!("large of {coarse}, small of {fine}"),
    }
}

/// What a dividing level means.
fn cut_text(cut: usize, levels: usize) -> String {
    let span =
        |from: usize, to: usize| if from == to { format!("level {from}") } else { format!("levels {from}–{to}") };
    match cut {
        _ if levels == 0 => String::new(),
        0 => "everything from one".to_owned(),
        _ if cut >= levels => "everything from the other".to_owned(),
        _ => format!("{} from one, {} from the other", span(cut, levels - 1), span(0, cut - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dividing_levels_are_put_in_words() {
        assert_eq!(cut_text(0, 4), "everything from one");
        assert_eq!(cut_text(1, 4), "levels 1–3 from one, level 0 from the other");
        assert_eq!(cut_text(3, 4), "level 3 from one, levels 0–2 from the other");
        assert_eq!(cut_text(4, 4), "everything from the other");
        assert_eq!(cut_text(2, 0), "");
    }

    #[test]
    fn at_both_ends_a_mixture_is_one_picture() {
        let captions = |cut| [caption_text(cut, 4, "A", "B"), caption_text(cut, 4, "B", "A")];
        assert_eq!(captions(0), ["all of A", "all of B"]);
        assert_eq!(captions(3), ["large of A, small of B", "large of B, small of A"]);
        assert_eq!(captions(4), ["all of B", "all of A"]);
    }
}
