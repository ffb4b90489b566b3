//! The mix panel's elements.

use std::rc::Rc;

use web_sys::{Document, HtmlButtonElement, HtmlCanvasElement, HtmlElement};

use super::address::MixSettings;
use super::state::{Mix, MixEvent, TABLE};
use crate::address::Pick;
use crate::app::dispatch::Dispatch;
use crate::app::panels::{PanelState, PanelView, Seen, Site};
use crate::app::widgets::canvas::Picture;
use crate::app::widgets::dom::{
    by_id, capital, create, create_button, fresh_seed, on, on_click, set_columns, set_pressed, set_text,
};
use crate::app::widgets::list::List;
use crate::app::widgets::slider::{Scale, Slider};
use crate::error::Result;

/// Said where there is nothing to mix.
const SAME: &str = "A and B are the same picture, so every mixture of them is that picture. Choose another one.";

/// The elements.
pub struct MixView {
    document: Document,
    dispatch: Dispatch<MixEvent>,
    /// A, A over B, B over A, B.
    row: [Picture; 4],
    names: [HtmlElement; 2],
    /// What the two mixtures are.
    captions: [HtmlElement; 2],
    said: HtmlElement,
    cut: Slider,
    share: Slider,
    between: Picture,
    /// A column for each dividing level and number of levels.
    strip: List<(usize, usize), Column>,
    table: Vec<Picture>,
}

/// The two mixtures at one dividing level.
struct Column {
    button: HtmlButtonElement,
    pictures: [Picture; 2],
}

impl PanelView for MixView {
    type State = Mix;

    fn new(site: &Site<'_, MixEvent>) -> Result<Self> {
        let document = site.document;
        let picture = |id| Picture::by_id(document, id);
        let levels = Scale { min: 0.0, max: 0.0, step: 1.0 };
        let view = Self {
            document: document.clone(),
            dispatch: Rc::clone(&site.own),
            row: [picture("mix-picture-a")?, picture("mix-ab")?, picture("mix-ba")?, picture("mix-picture-b")?],
            names: [by_id(document, "mix-name-a")?, by_id(document, "mix-name-b")?],
            captions: [by_id(document, "mix-caption-ab")?, by_id(document, "mix-caption-ba")?],
            said: by_id(document, "mix-said")?,
            cut: Slider::by_id(document, "mix-cut", levels)?,
            share: Slider::by_id(document, "mix-share", Scale { min: 0.0, max: 1.0, step: 0.02 })?,
            between: picture("mix-between")?,
            strip: List::by_id(document, "mix-strip")?,
            table: build_table(document)?,
        };
        for (slot, ids) in Mix::SLOTS.iter().zip([["mix-a", "mix-choose-a"], ["mix-b", "mix-choose-b"]]) {
            for id in ids {
                let picker = Rc::clone(site.picker);
                on_click(document, id, move || picker.open(slot))?;
            }
        }
        let d = Rc::clone(&site.own);
        on_click(document, "mix-swap", move || d(MixEvent::Swap))?;
        let d = Rc::clone(&site.own);
        on_click(document, "mix-shuffle", move || {
            let seed = fresh_seed();
            d(MixEvent::Pair([0, 1].map(|index| Pick::Sample { seed, index })));
        })?;
        let d = Rc::clone(&site.own);
        view.cut.on_input(move |cut| d(MixEvent::Cut(cut as usize)));
        let d = Rc::clone(&site.own);
        view.share.on_input(move |share| d(MixEvent::Share(share)));
        Ok(view)
    }

    fn render(&self, seen: &Seen<'_, Mix>) {
        let Seen { settings, panel: mix, page } = seen;
        let [ab, ba] = mix.shown(settings.cut);
        for (picture, image) in self.row.iter().zip([mix.mixtures.first(), ab, ba, mix.mixtures.get(1)]) {
            picture.show(image);
        }
        for (name, pick) in self.names.iter().zip([&settings.a, &settings.b]) {
            set_text(name, &pick.name(&page.temperature));
        }
        set_text(&self.said, if settings.is_one_picture(&page.temperature) { SAME } else { "" });
        self.share.show(settings.share, &format!("{:.2}", settings.share));
        self.between.show(mix.interpolation.as_ref());
        for (i, picture) in self.table.iter().enumerate() {
            picture.show(mix.examples.get(i));
        }
        let levels = page.level_count();
        self.render_cut(settings, levels);
        // Before there is a model there is nothing to show columns of.
        if levels > 0 {
            let _ = self.strip.fit((0..=levels).map(|cut| (cut, levels)), |key| self.column(*key));
        }
        self.strip.for_each(|&(cut, _), column| {
            for (picture, image) in column.pictures.iter().zip(mix.shown(cut)) {
                picture.show(image);
            }
            set_pressed(&column.button, cut == settings.cut);
        });
    }

    fn sheet(&self) -> Vec<Vec<HtmlCanvasElement>> {
        vec![self.row.iter().map(|picture| picture.canvas().clone()).collect()]
    }
}

impl MixView {
    /// Shows the dividing level, and what it means for the two mixtures.
    fn render_cut(&self, settings: &MixSettings, levels: usize) {
        self.cut.input().set_max(&levels.max(settings.cut).to_string());
        let text = cut_text(settings.cut, levels);
        self.cut.show(settings.cut as f32, &text);
        let _ = self.cut.input().set_attribute("aria-valuetext", &text);
        for ((caption, picture), [coarse, fine]) in
            self.captions.iter().zip(&self.row[1..3]).zip([["A", "B"], ["B", "A"]])
        {
            let text = caption_text(settings.cut, levels, coarse, fine);
            let _ = picture.canvas().set_attribute("aria-label", &capital(&text));
            set_text(caption, &text);
        }
    }

    fn column(&self, (cut, levels): (usize, usize)) -> Result<(web_sys::Element, Column)> {
        let button = create_button(&self.document, "column")?;
        button.set_attribute("aria-label", &format!("Θ = {cut}: {}", cut_text(cut, levels)))?;
        let pictures = [Picture::create(&self.document)?, Picture::create(&self.document)?];
        for picture in &pictures {
            button.append_child(picture.canvas())?;
        }
        let label: HtmlElement = create(&self.document, "span")?;
        label.set_text_content(Some(&format!("Θ = {cut}")));
        button.append_child(&label)?;
        let d = Rc::clone(&self.dispatch);
        on(&button, "click", move |_| d(MixEvent::Cut(cut)));
        Ok((button.clone().into(), Column { button, pictures }))
    }
}

/// The table's canvases in the order of [`Mix::examples`].
fn build_table(document: &Document) -> Result<Vec<Picture>> {
    let table: HtmlElement = by_id(document, "mix-table")?;
    set_columns(&table, 1 + TABLE)?;
    let pictures: Vec<Picture> =
        (0..2 * TABLE + TABLE * TABLE).map(|_| Picture::create(document)).collect::<Result<_>>()?;
    let corner: HtmlElement = create(document, "span")?;
    table.append_child(&corner)?;
    let (coarse, rest) = pictures.split_at(TABLE);
    let (fine, mixtures) = rest.split_at(TABLE);
    for picture in coarse.iter().chain(fine) {
        picture.canvas().set_class_name("pixels source");
    }
    let rows = coarse.iter().zip(mixtures.chunks(TABLE)).flat_map(|(first, row)| std::iter::once(first).chain(row));
    for picture in fine.iter().chain(rows) {
        table.append_child(picture.canvas())?;
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
