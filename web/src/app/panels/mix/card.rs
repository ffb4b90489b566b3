//! The card: both pictures, both mixtures and the link in one picture, to be saved or shared.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    Blob, CanvasRenderingContext2d, Document, HtmlButtonElement, HtmlCanvasElement, HtmlElement, ShareData, Window,
};

use crate::app::dispatch::Dispatch;
use crate::app::event::Event;
use crate::app::widgets::canvas::{context, is_smooth};
use crate::app::widgets::dialog::{Dialog, Dialogs};
use crate::app::widgets::dom::{by_id, on_click, set_text, whole_page};
use crate::app::widgets::{download, film};
use crate::error::{Error, Result};
use crate::protocol::Image;

/// The card's size in pixels, as links to pictures are shown.
const SIZE: (f64, f64) = (1200.0, 630.0);
/// Its margin.
const MARGIN: f64 = 60.0;
/// Between its margins.
const WIDTH: f64 = SIZE.0 - 2.0 * MARGIN;
/// Edges of the pictures: the two that are mixed, and their mixtures.
const EDGES: [f64; 4] = [210.0, 300.0, 300.0, 210.0];
/// Between two pictures.
const GAP: f64 = 20.0;
/// The line on which the pictures' middles lie.
const MIDDLE: f64 = 325.0;
/// A saved card looks the same everywhere, whatever the reader's colours are.
const PAPER: &str = "#f7f4ee";
const INK: &str = "#1d2433";
const SOFT: &str = "#5d6472";
const ACCENT: &str = "#c23e28";
const SERIF: &str = "Palatino, 'Book Antiqua', Georgia, serif";
const SANS: &str = "system-ui, sans-serif";
/// Letters of a link in a line, and the most lines: links with pictures of one's own have thousands of letters.
const LINK: (usize, usize) = (82, 2);
/// Letters of the title in a line, and the lowest line's place.
const TITLE: (usize, f64) = (60, 116.0);
/// How long each level is shown in the film, in hundredths of a second.
const DELAY: u16 = 45;

/// What a card shows.
pub struct Shown {
    /// A, A over B, B over A, B.
    pub pictures: [HtmlCanvasElement; 4],
    /// What stands below each.
    pub names: [String; 4],
    /// What the mixture shows.
    pub says: String,
    /// From all of A to all of B.
    pub travel: Vec<Rc<Image>>,
}

/// What can be done with a card.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Share,
    Save,
    Film,
}

/// The dialog with the card.
pub struct Card {
    document: Document,
    window: Window,
    page: Dispatch<Event>,
    dialog: Dialog,
    canvas: HtmlCanvasElement,
    told: HtmlElement,
    shown: RefCell<Option<Shown>>,
    link: RefCell<String>,
}

impl Card {
    /// Finds the elements and listens to them.
    ///
    /// # Errors
    /// [`Error::Browser`] if the page lacks one.
    pub fn new(document: &Document, page: &Dispatch<Event>, dialogs: &Rc<Dialogs>) -> Result<Rc<Self>> {
        let window = document.default_view().ok_or_else(|| Error::Browser("there is no window".to_owned()))?;
        let card = Rc::new(Self {
            document: document.clone(),
            window,
            page: page.clone(),
            dialog: dialogs.by_id(document, "mix-card")?,
            canvas: by_id(document, "card-canvas")?,
            told: by_id(document, "card-told")?,
            shown: RefCell::default(),
            link: RefCell::default(),
        });
        let share: HtmlButtonElement = by_id(document, "card-share")?;
        // Few browsers on desks can share.
        let can = Reflect::has(&card.window.navigator(), &JsValue::from_str("share")).unwrap_or(false);
        share.set_hidden(!can);
        for (id, deed) in [("card-share", Deed::Share), ("card-save", Deed::Save), ("card-film", Deed::Film)] {
            let c = Rc::clone(&card);
            on_click(document, id, move || {
                let card = Rc::clone(&c);
                spawn_local(async move { card.act(deed).await });
            })?;
        }
        let c = Rc::clone(&card);
        on_click(document, "card-close", move || c.dialog.close())?;
        Ok(card)
    }

    /// Does something with the card, and says what became of it.
    async fn act(&self, deed: Deed) {
        set_text(&self.told, "");
        let done = match deed {
            Deed::Share => self.share().await,
            Deed::Save => self.save().await,
            Deed::Film => self.film().await,
        };
        set_text(&self.told, &done.map_or_else(|error| error.to_string(), str::to_owned));
    }

    /// Makes a card and shows it.
    pub fn open(&self, shown: Shown) {
        // The address is that of what is shown.
        (self.page)(Event::AddressWanted);
        let drawn = whole_page(&self.window.location()).map(|page| page.href()).and_then(|link| {
            self.draw(&shown, &link)?;
            self.link.replace(link);
            Ok(())
        });
        set_text(&self.told, &drawn.err().map(|error| error.to_string()).unwrap_or_default());
        self.shown.replace(Some(shown));
        self.dialog.open();
    }

    fn draw(&self, shown: &Shown, link: &str) -> Result<()> {
        self.canvas.set_width(SIZE.0 as u32);
        self.canvas.set_height(SIZE.1 as u32);
        let _ = self.canvas.set_attribute("aria-label", &shown.says);
        let drawing = context(&self.canvas)?;
        drawing.set_fill_style_str(PAPER);
        drawing.fill_rect(0.0, 0.0, SIZE.0, SIZE.1);
        drawing.set_fill_style_str(ACCENT);
        drawing.fill_rect(0.0, 0.0, SIZE.0, 8.0);
        let title = wrapped(&shown.says, ' ', TITLE.0);
        for (row, line) in title.iter().rev().enumerate() {
            let at = (SIZE.0 / 2.0, TITLE.1 - 44.0 * row as f64);
            text(&drawing, line, at, "center", INK, &format!("600 34px {SERIF}"), WIDTH)?;
        }
        let mut left = (SIZE.0 - EDGES.iter().sum::<f64>() - GAP * 3.0) / 2.0;
        for ((canvas, name), edge) in shown.pictures.iter().zip(&shown.names).zip(EDGES) {
            drawing.set_image_smoothing_enabled(is_smooth(canvas));
            let top = MIDDLE - edge / 2.0;
            drawing.draw_image_with_html_canvas_element_and_dw_and_dh(canvas, left, top, edge, edge)?;
            let below = (left + edge / 2.0, top + edge + 32.0);
            text(&drawing, name, below, "center", INK, &format!("28px {SANS}"), edge + GAP)?;
            left += edge + GAP;
        }
        text(&drawing, "RG-Flow", (MARGIN, SIZE.1 - 86.0), "left", ACCENT, &format!("600 28px {SERIF}"), WIDTH)?;
        for (row, line) in lines(link).iter().enumerate() {
            let at = (MARGIN, SIZE.1 - 52.0 + 28.0 * row as f64);
            text(&drawing, line, at, "left", SOFT, &format!("24px {SANS}"), WIDTH)?;
        }
        Ok(())
    }

    async fn save(&self) -> Result<&'static str> {
        download::blob(&self.document, &png(&self.canvas).await?, "rg-flow-card.png")?;
        Ok("Saved")
    }

    async fn film(&self) -> Result<&'static str> {
        let nothing = || Error::Browser("there are no pictures yet".to_owned());
        // Not kept borrowed while the film is made: another card may be opened meanwhile.
        let (travel, smooth) = match &*self.shown.borrow() {
            Some(Shown { travel, pictures, .. }) => (travel.clone(), is_smooth(&pictures[1])),
            None => return Err(nothing()),
        };
        let travel: Vec<&Image> = travel.iter().map(Rc::as_ref).collect();
        let bytes = film::gif(&travel, smooth, DELAY).await?;
        download::bytes(&self.document, &bytes, "rg-flow-mix.gif")?;
        Ok("Saved")
    }

    /// Hands the card and the link to whatever the reader chooses.
    async fn share(&self) -> Result<&'static str> {
        let data = ShareData::new();
        data.set_title("RG-Flow");
        data.set_url(&self.link.borrow());
        if let Some(shown) = &*self.shown.borrow() {
            data.set_text(&shown.says);
        }
        let file = file(&png(&self.canvas).await?, "rg-flow-card.png")?;
        let navigator = self.window.navigator();
        data.set_files(&Array::of1(&file));
        // Some share links and no files.
        let takes_files =
            Reflect::has(&navigator, &JsValue::from_str("canShare"))? && navigator.can_share_with_data(&data);
        if !takes_files {
            Reflect::delete_property(&data, &JsValue::from_str("files"))?;
        }
        match JsFuture::from(navigator.share_with_data(&data)).await {
            Ok(_) => Ok("Shared"),
            // Whoever closes the browser's own dialog did not want to.
            Err(error) if is_abort(&error) => Ok(""),
            Err(error) => Err(error.into()),
        }
    }
}

fn text(
    drawing: &CanvasRenderingContext2d,
    words: &str,
    (x, y): (f64, f64),
    align: &str,
    colour: &str,
    font: &str,
    width: f64,
) -> Result<()> {
    drawing.set_text_align(align);
    drawing.set_fill_style_str(colour);
    drawing.set_font(font);
    // Whatever is too wide is drawn narrower.
    Ok(drawing.fill_text_with_max_width(words, x, y, width)?)
}

/// A link in lines; of a long one only the page's own address.
fn lines(link: &str) -> Vec<String> {
    let all = wrapped(link, '&', LINK.0);
    if all.len() > LINK.1 { wrapped(link.split('#').next().unwrap_or_default(), '&', LINK.0) } else { all }
}

/// A text in lines of at most so many letters, which end with `after` where they can.
fn wrapped(text: &str, after: char, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for piece in text.split_inclusive(after) {
        for part in piece.chars().collect::<Vec<_>>().chunks(most) {
            let last = lines.len() - 1;
            if lines[last].chars().count() + part.len() > most {
                lines.push(part.iter().collect());
            } else {
                lines[last].extend(part);
            }
        }
    }
    lines.iter().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

fn is_abort(error: &JsValue) -> bool {
    let name = Reflect::get(error, &JsValue::from_str("name"));
    name.is_ok_and(|name| name.as_string().as_deref() == Some("AbortError"))
}

async fn png(canvas: &HtmlCanvasElement) -> Result<Blob> {
    let made = Promise::new(&mut |resolve, _| {
        if canvas.to_blob(&resolve).is_err() {
            let _ = resolve.call1(&JsValue::NULL, &JsValue::NULL);
        }
    });
    let blob = JsFuture::from(made).await?.dyn_into();
    blob.map_err(|_| Error::Browser("the picture could not be made".to_owned()))
}

/// A picture with a name.
fn file(blob: &Blob, name: &str) -> Result<JsValue> {
    let maker: js_sys::Function = Reflect::get(&js_sys::global(), &JsValue::from_str("File"))?.dyn_into()?;
    let options = Object::new();
    Reflect::set(&options, &JsValue::from_str("type"), &JsValue::from_str("image/png"))?;
    let arguments = Array::of3(&Array::of1(blob), &JsValue::from_str(name), &options);
    Ok(Reflect::construct(&maker, &arguments)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_link_is_cut_to_the_pages_address() {
        assert_eq!(lines("https://x/#panel=mix"), ["https://x/#panel=mix"]);
        let two = format!("https://x/#{}", "a".repeat(150));
        assert_eq!((lines(&two).len(), lines(&two).concat()), (2, two));
        assert_eq!(lines(&format!("https://x/#b=own.{}", "a".repeat(5000))), ["https://x/"]);
    }

    #[test]
    fn lines_end_between_words() {
        assert_eq!(wrapped("B lends its eyes to the face of A.", ' ', 20), ["B lends its eyes to", "the face of A."]);
        assert_eq!(wrapped("x#seed=3&t=0.15,0.2&cut=1", '&', 20), ["x#seed=3&t=0.15,0.2&", "cut=1"]);
        assert!(wrapped("", ' ', 20).is_empty());
    }
}
