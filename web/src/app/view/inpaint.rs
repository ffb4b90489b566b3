//! The inpaint panel.

use std::cell::RefCell;
use std::rc::Rc;

use web_sys::{Document, HtmlButtonElement, HtmlCanvasElement, HtmlElement, HtmlInputElement, HtmlProgressElement};

use super::board::{self, Board, Layer, Touch};
use super::canvas::Picture;
use super::dom::{by_id, create, on, on_click, set_text, set_value};
use super::picker::Picker;
use crate::app::Dispatch;
use crate::app::state::inpaint::{InpaintEvent, SAMPLES, holes as presets};
use crate::app::state::{Event, Slot, State};
use crate::error::Result;

/// What a hole is drawn with, its border when it is filled, and latents that may change.
const HOLE: &str = "#d8432b";
const BORDER: &str = "#ff5a3c";
const LATENT: &str = "#ffb02e";

/// The elements.
pub struct InpaintView {
    document: Document,
    board: Rc<Board>,
    progress: HtmlProgressElement,
    said: HtmlElement,
    size: HtmlInputElement,
    size_text: HtmlElement,
    erase: HtmlInputElement,
    undo: HtmlButtonElement,
    again: HtmlButtonElement,
    clear: HtmlButtonElement,
    original: Picture,
    samples: Vec<Picture>,
    presets: HtmlElement,
    /// The names of the presets' buttons.
    named: RefCell<Vec<String>>,
    dispatch: Dispatch,
    cone: HtmlElement,
    levels: RefCell<Vec<(Layer, HtmlElement)>>,
}

impl InpaintView {
    pub fn new(document: &Document, dispatch: &Dispatch, picker: &Rc<Picker>) -> Result<Self> {
        let samples: HtmlElement = by_id(document, "inpaint-samples")?;
        let sample = |_| {
            let picture = Picture::create(document)?;
            samples.append_child(picture.canvas())?;
            Ok(picture)
        };
        let view = Self {
            document: document.clone(),
            board: Board::by_id(document, "inpaint-board", "The picture to paint holes into")?,
            progress: by_id(document, "inpaint-progress")?,
            said: by_id(document, "inpaint-said")?,
            size: by_id(document, "inpaint-size")?,
            size_text: by_id(document, "inpaint-size-text")?,
            erase: by_id(document, "inpaint-erase")?,
            undo: by_id(document, "inpaint-undo")?,
            again: by_id(document, "inpaint-again")?,
            clear: by_id(document, "inpaint-clear")?,
            original: Picture::by_id(document, "inpaint-original")?,
            samples: (0..SAMPLES).map(sample).collect::<Result<_>>()?,
            presets: by_id(document, "inpaint-presets")?,
            named: RefCell::default(),
            dispatch: dispatch.clone(),
            cone: by_id(document, "inpaint-cone")?,
            levels: RefCell::default(),
        };
        let (d, redraw) = (dispatch.clone(), dispatch.clone());
        let touched = move |touch, row, col| {
            let event = match touch {
                Touch::Start => InpaintEvent::Brush { row, col, first: true },
                Touch::Move => InpaintEvent::Brush { row, col, first: false },
                Touch::End => InpaintEvent::Lifted,
            };
            d(Event::Inpaint(event));
        };
        board::listen(&view.board, touched, move || redraw(Event::Redraw));
        for (button, event) in
            [(&view.undo, InpaintEvent::Undo), (&view.again, InpaintEvent::Again), (&view.clear, InpaintEvent::Clear)]
        {
            let d = dispatch.clone();
            on(button, "click", move |_| d(Event::Inpaint(event.clone())));
        }
        let p = Rc::clone(picker);
        on_click(document, "inpaint-choose", move || p.open(Slot::Inpaint))?;
        let (d, input) = (dispatch.clone(), view.size.clone());
        on(&view.size, "input", move |_| {
            if let Ok(size) = input.value().parse() {
                d(Event::Inpaint(InpaintEvent::Size(size)));
            }
        });
        let (d, input) = (dispatch.clone(), view.erase.clone());
        on(&view.erase, "change", move |_| d(Event::Inpaint(InpaintEvent::Erase(input.checked()))));
        Ok(view)
    }

    pub fn render(&self, state: &State) {
        let Some(info) = &state.info else { return };
        let (settings, inpaint, config) = (&state.settings.inpaint, &state.inpaint, &info.config);
        let holes = settings.mask.places();
        let filled = inpaint.completion.is_some();
        self.board.show(inpaint.completion.as_ref().or(inpaint.original.as_ref()), config.size);
        if let Some(marks) = self.board.marks() {
            if filled {
                marks.outline(&holes, BORDER);
            } else {
                marks.tint(&holes, HOLE);
            }
            self.board.mark_cursor(&marks);
        }
        self.original.show(inpaint.original.as_ref());
        for (i, picture) in self.samples.iter().enumerate() {
            match inpaint.samples.get(i) {
                None if holes.is_empty() => picture.wipe(),
                sample => picture.show(sample),
            }
        }
        let (taken, of) = inpaint.progress;
        self.progress.set_max(f64::from(of.max(1)));
        self.progress.set_value(f64::from(taken));
        let _ = self.progress.class_list().toggle_with_force("over", taken >= of);
        let _ = self.fit_levels(config.level_count());
        let _ = self.fit_presets(presets(state.entry.as_ref()).into_iter().map(|hole| hole.name).collect());
        let cone = inpaint.cone(settings, config);
        let mut count = 0;
        for ((h, (layer, text)), level) in self.levels.borrow().iter().enumerate().zip(&cone) {
            count += level.latents.len();
            if let Some(marks) = layer.marks(config.size >> h) {
                marks.tint(&level.latents, LATENT);
            }
            set_text(text, &format!("Level {h}: {}", level.latents.len()));
        }
        set_text(&self.said, &said(holes.len(), count, config.size));
        set_value(&self.size, &inpaint.brush.to_string());
        set_text(&self.size_text, &format!("{0}×{0}", inpaint.brush));
        self.undo.set_disabled(!inpaint.can_undo());
        for button in [&self.again, &self.clear] {
            button.set_disabled(holes.is_empty());
        }
    }

    /// A small map a level, coarsest first.
    fn fit_levels(&self, count: usize) -> Result<()> {
        if self.levels.borrow().len() == count {
            return Ok(());
        }
        self.cone.set_text_content(None);
        let mut levels = Vec::new();
        for _ in 0..count {
            let figure: HtmlElement = create(&self.document, "figure")?;
            let layer = Layer::create(&self.document)?;
            let caption: HtmlElement = create(&self.document, "figcaption")?;
            figure.append_child(layer.canvas())?;
            figure.append_child(&caption)?;
            self.cone.insert_before(&figure, self.cone.first_child().as_ref())?;
            levels.push((layer, caption));
        }
        self.levels.replace(levels);
        Ok(())
    }

    /// A button for each hole that the model's pictures can be given at once.
    fn fit_presets(&self, names: Vec<String>) -> Result<()> {
        if *self.named.borrow() == names {
            return Ok(());
        }
        self.presets.set_text_content(None);
        for (i, name) in names.iter().enumerate() {
            let button: HtmlButtonElement = create(&self.document, "button")?;
            button.set_type("button");
            button.set_class_name("button compact");
            button.set_text_content(Some(name));
            self.presets.append_child(&button)?;
            let d = self.dispatch.clone();
            on(&button, "click", move |_| d(Event::Inpaint(InpaintEvent::Preset(i))));
        }
        self.named.replace(names);
        Ok(())
    }

    /// What a saved file shows.
    pub fn sheet(&self) -> Vec<Vec<HtmlCanvasElement>> {
        let all = [self.original.canvas(), self.board.canvas()].into_iter();
        vec![all.chain(self.samples.iter().map(Picture::canvas)).cloned().collect()]
    }
}

/// What is seen, in a sentence.
fn said(holes: usize, latents: usize, size: usize) -> String {
    let all = size * size;
    if holes == 0 {
        return "Paint over a part of the picture, or pick one of the holes.".to_owned();
    }
    format!(
        "{holes} pixels are unknown. Only the latents at {latents} of {all} places reach them and may change; all else stays as it is."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_is_put_in_words() {
        assert!(said(0, 0, 32).starts_with("Paint"));
        assert!(said(9, 300, 32).contains("300 of 1024 places"));
    }
}
