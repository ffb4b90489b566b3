//! The mix panel's elements.

use std::cell::RefCell;
use std::rc::Rc;

use web_sys::{Document, Element, HtmlButtonElement, HtmlCanvasElement, HtmlElement};

use super::address::MixSettings;
use super::card::{Card, Shown};
use super::state::{Mix, MixEvent, TABLE};
use crate::address::Pick;
use crate::app::dispatch::Dispatch;
use crate::app::panels::{PanelState, PanelView, Seen, Site};
use crate::app::widgets::canvas::Picture;
use crate::app::widgets::dom::{
    by_id, capital, create, create_button, fresh_seed, on, on_click, reveal, set_columns, set_pressed, set_text,
};
use crate::app::widgets::list::List;
use crate::app::widgets::slider::{Scale, Slider};
use crate::error::Result;
use crate::index::ModelEntry;
use crate::protocol::Image;

/// Said where there is nothing to mix.
const SAME: &str = "A and B are the same picture, so every mixture of them is that picture. Choose another one.";

/// The elements.
pub struct MixView(Rc<Parts>);

struct Parts {
    document: Document,
    dispatch: Dispatch<MixEvent>,
    /// A, A over B, B over A, B.
    row: [Picture; 4],
    names: [HtmlElement; 2],
    /// What the two mixtures are.
    captions: [HtmlElement; 2],
    says: HtmlElement,
    said: HtmlElement,
    card: Rc<Card>,
    make_card: HtmlButtonElement,
    /// What a card would show.
    shown: RefCell<Option<CardTexts>>,
    cut: Slider,
    share: Slider,
    between: Picture,
    /// A column for each dividing level and number of levels.
    strip: List<(usize, usize), Column>,
    table: Vec<Picture>,
}

/// What a card says, and its film.
#[derive(Clone)]
struct CardTexts {
    names: [String; 4],
    says: String,
    travel: Vec<Rc<Image>>,
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
        let view = Rc::new(Parts {
            document: document.clone(),
            dispatch: Rc::clone(&site.own),
            row: [picture("mix-picture-a")?, picture("mix-ab")?, picture("mix-ba")?, picture("mix-picture-b")?],
            names: [by_id(document, "mix-name-a")?, by_id(document, "mix-name-b")?],
            captions: [by_id(document, "mix-caption-ab")?, by_id(document, "mix-caption-ba")?],
            says: by_id(document, "mix-says")?,
            said: by_id(document, "mix-said")?,
            card: Card::new(document, &site.page, site.dialogs)?,
            make_card: by_id(document, "mix-make-card")?,
            shown: RefCell::default(),
            cut: Slider::by_id(document, "mix-cut", levels)?,
            share: Slider::by_id(document, "mix-share", Scale { min: 0.0, max: 1.0, step: 0.02 })?,
            between: picture("mix-between")?,
            strip: List::by_id(document, "mix-strip")?,
            table: build_table(document, &site.own)?,
        });
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
        let v = Rc::clone(&view);
        on(&view.make_card, "click", move |_| v.open_card());
        Ok(Self(view))
    }

    fn render(&self, seen: &Seen<'_, Mix>) {
        self.0.render(seen);
    }

    fn sheet(&self) -> Vec<Vec<HtmlCanvasElement>> {
        vec![self.0.canvases().to_vec()]
    }
}

impl Parts {
    fn render(&self, seen: &Seen<'_, Mix>) {
        let Seen { settings, panel: mix, page } = seen;
        let [ab, ba] = mix.shown(settings.cut);
        for (picture, image) in self.row.iter().zip([mix.mixtures.first(), ab, ba, mix.mixtures.get(1)]) {
            picture.show(image);
        }
        for (name, pick) in self.names.iter().zip([&settings.a, &settings.b]) {
            set_text(name, &pick.name(&page.drawing));
        }
        set_text(&self.said, if settings.is_one_picture(&page.drawing) { SAME } else { "" });
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
        let says = sentence(settings.cut, levels, page.entry);
        set_text(&self.says, &says);
        self.make_card.set_disabled(mix.mixtures.is_empty());
        let caption = |coarse, fine| caption_text(settings.cut, levels, coarse, fine);
        let names = ["A".to_owned(), caption("A", "B"), caption("B", "A"), "B".to_owned()];
        self.shown.replace(Some(CardTexts { names, says, travel: mix.travel() }));
    }

    fn canvases(&self) -> [HtmlCanvasElement; 4] {
        self.row.each_ref().map(|picture| picture.canvas().clone())
    }

    fn open_card(&self) {
        // Opening it renders anew.
        let texts = self.shown.borrow().clone();
        if let Some(CardTexts { names, says, travel }) = texts {
            self.card.open(Shown { pictures: self.canvases(), names, says, travel });
        }
    }

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

/// The table's pictures in the order of [`Mix::examples`]. The first row's source is A, the first column's is B; each mixture
/// is a button that makes its two sources A and B.
fn build_table(document: &Document, own: &Dispatch<MixEvent>) -> Result<Vec<Picture>> {
    let (table, pair): (HtmlElement, HtmlElement) = (by_id(document, "mix-table")?, by_id(document, "mix-pair")?);
    set_columns(&table, 1 + TABLE)?;
    let (mut pictures, mut cells) = (Vec::new(), Vec::<Element>::new());
    for place in 0..2 * TABLE {
        let (picture, cell): (_, HtmlElement) = (Picture::create(document)?, create(document, "div")?);
        cell.set_class_name("source");
        cell.append_child(picture.canvas())?;
        if let Some(name) = [(0, "A"), (TABLE, "B")].iter().find(|(at, _)| *at == place).map(|(_, name)| *name) {
            let mark: HtmlElement = create(document, "b")?;
            mark.set_text_content(Some(name));
            cell.append_child(&mark)?;
        }
        pictures.push(picture);
        cells.push(cell.into());
    }
    for (row, column) in (0..TABLE * TABLE).map(|i| (i / TABLE, i % TABLE)) {
        let label = format!("Row {}, column {}: make these two A and B", row + 1, column + 1);
        let (button, picture) = Picture::in_button(document, &label)?;
        let (d, pair) = (Rc::clone(own), pair.clone());
        on(&button, "click", move |_| {
            d(MixEvent::Cell(row, column));
            reveal(&pair);
        });
        pictures.push(picture);
        cells.push(button.into());
    }
    let corner: HtmlElement = create(document, "span")?;
    table.append_child(&corner)?;
    let (sources, mixtures) = cells.split_at(2 * TABLE);
    let (coarse, fine) = sources.split_at(TABLE);
    let rows = coarse.iter().zip(mixtures.chunks(TABLE)).flat_map(|(first, row)| std::iter::once(first).chain(row));
    for cell in fine.iter().chain(rows) {
        table.append_child(cell)?;
    }
    Ok(pictures)
}

/// What A keeps and what B gives.
fn sentence(cut: usize, levels: usize, entry: Option<&ModelEntry>) -> String {
    let pair = entry.and_then(|entry| entry.pair.as_ref());
    match cut {
        _ if levels == 0 => String::new(),
        0 => "All of A. Move the slider, and B takes over level by level, the finest first.".to_owned(),
        _ if cut >= levels => "All of B. Move the slider back, and A takes over, the coarsest level first.".to_owned(),
        _ => pair
            .and_then(|pair| pair.sentence(cut, "A", "B"))
            .unwrap_or_else(|| "B lends what is small; A keeps what is large.".to_owned()),
    }
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
        0 => "everything from A".to_owned(),
        _ if cut >= levels => "everything from B".to_owned(),
        _ => format!("{} from A, {} from B", span(cut, levels - 1), span(0, cut - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dividing_levels_are_put_in_words() {
        assert_eq!(cut_text(0, 4), "everything from A");
        assert_eq!(cut_text(1, 4), "levels 1–3 from A, level 0 from B");
        assert_eq!(cut_text(3, 4), "level 3 from A, levels 0–2 from B");
        assert_eq!(cut_text(4, 4), "everything from B");
        assert_eq!(cut_text(2, 0), "");
    }

    #[test]
    fn a_sentence_says_who_gives_what() {
        let says = vec!["{fine} lends the eyes; {coarse} keeps the rest.".to_owned()];
        let pair = Some(crate::index::Pair { a: 0, b: 1, cut: 1, says });
        let entry = ModelEntry { pair, ..ModelEntry::default() };
        assert_eq!(sentence(1, 3, Some(&entry)), "B lends the eyes; A keeps the rest.");
        assert!(sentence(2, 3, Some(&entry)).starts_with("B lends what is small"));
        assert!(sentence(0, 3, None).starts_with("All of A.") && sentence(3, 3, None).starts_with("All of B."));
        assert_eq!(sentence(0, 0, None), "");
    }

    #[test]
    fn at_both_ends_a_mixture_is_one_picture() {
        let captions = |cut| [caption_text(cut, 4, "A", "B"), caption_text(cut, 4, "B", "A")];
        assert_eq!(captions(0), ["all of A", "all of B"]);
        assert_eq!(captions(3), ["large of A, small of B", "large of B, small of A"]);
        assert_eq!(captions(4), ["all of B", "all of A"]);
    }
}
