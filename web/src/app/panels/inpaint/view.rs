//! The inpaint panel's elements.

use std::rc::Rc;

use shared::DataKind;
use shared::geometry::Cone;
use web_sys::{
    Document, Element, HtmlButtonElement, HtmlCanvasElement, HtmlElement, HtmlInputElement, HtmlProgressElement,
};

use super::address::{Mask, SAMPLES};
use super::holes::holes;
use super::race::RaceView;
use super::score::psnr;
use super::state::{Inpaint, InpaintEvent, MAX_BRUSH, Truth};
use crate::app::dispatch::Dispatch;
use crate::app::event::Event;
use crate::app::panels::{PanelState, PanelView, Seen, Site};
use crate::app::widgets::board::{self, Board, Layer, Touch};
use crate::app::widgets::canvas::Picture;
use crate::app::widgets::dom::{
    by_id, create, create_button, on, on_able_click, on_click, set_able, set_pressed, set_text,
};
use crate::app::widgets::list::List;
use crate::app::widgets::memo::Memo;
use crate::app::widgets::numbers::grouped;
use crate::app::widgets::slider::{Scale, Slider};
use crate::error::Result;

/// What a hole is drawn with, its border when it is filled, and latents that may change.
const HOLE: &str = "#d8432b";
const BORDER: &str = "#ff5a3c";
const LATENT: &str = "#ffb02e";

/// The elements.
pub struct InpaintView {
    document: Document,
    dispatch: Dispatch<InpaintEvent>,
    board: Rc<Board>,
    progress: HtmlProgressElement,
    said: HtmlElement,
    size: Slider,
    undo: HtmlButtonElement,
    again: HtmlButtonElement,
    clear: HtmlButtonElement,
    /// The most likely completion, and others.
    choices: List<usize, Candidate>,
    reveal: HtmlButtonElement,
    original: Picture,
    truth: HtmlElement,
    /// What the scores mean.
    scored: HtmlElement,
    race: RaceView,
    /// The latents that may change.
    cone: Memo<(Mask, usize), Cone>,
    /// A button for each ready-made hole.
    presets: List<(usize, String), HtmlButtonElement>,
    /// A small map for each level, with its caption.
    levels: List<usize, (Layer, HtmlElement)>,
}

/// One completion, which is a button.
struct Candidate {
    button: HtmlButtonElement,
    picture: Picture,
    /// How near it is to the truth.
    score: HtmlElement,
}

impl PanelView for InpaintView {
    type State = Inpaint;

    fn new(site: &Site<'_, InpaintEvent>) -> Result<Self> {
        let document = site.document;
        let brush = Scale { min: 1.0, max: MAX_BRUSH as f32, step: 1.0 };
        let view = Self {
            document: document.clone(),
            dispatch: Rc::clone(&site.own),
            board: Board::by_id(document, "inpaint-board", "The picture to paint holes into")?,
            progress: by_id(document, "inpaint-progress")?,
            said: by_id(document, "inpaint-said")?,
            size: Slider::by_id(document, "inpaint-size", brush)?,
            undo: by_id(document, "inpaint-undo")?,
            again: by_id(document, "inpaint-again")?,
            clear: by_id(document, "inpaint-clear")?,
            choices: List::by_id(document, "inpaint-choices")?,
            reveal: by_id(document, "inpaint-reveal")?,
            original: Picture::by_id(document, "inpaint-original")?,
            truth: by_id(document, "inpaint-truth")?,
            scored: by_id(document, "inpaint-scored")?,
            race: RaceView::new(site)?,
            cone: Memo::default(),
            presets: List::by_id(document, "inpaint-presets")?,
            levels: List::reversed_by_id(document, "inpaint-cone")?,
        };
        view.choices.fit(0..=SAMPLES, |&i| view.candidate(i))?;
        let (d, page) = (Rc::clone(&site.own), Rc::clone(&site.page));
        let touched = move |touch, row, col| {
            d(match touch {
                Touch::Start => InpaintEvent::Brush { row, col, first: true },
                Touch::Move => InpaintEvent::Brush { row, col, first: false },
                Touch::End => InpaintEvent::Lifted,
            });
        };
        board::listen(&view.board, touched, move || page(Event::Redraw));
        for (button, event) in [
            (&view.undo, InpaintEvent::Undo),
            (&view.again, InpaintEvent::Again),
            (&view.clear, InpaintEvent::Clear),
            (&view.reveal, InpaintEvent::Reveal),
        ] {
            let d = Rc::clone(&site.own);
            on_able_click(button, move || d(event.clone()));
        }
        let picker = Rc::clone(site.picker);
        on_click(document, "inpaint-choose", move || picker.open(&Inpaint::SLOTS[0]))?;
        let d = Rc::clone(&site.own);
        view.size.on_input(move |size| d(InpaintEvent::Size(size as usize)));
        let erase: HtmlInputElement = by_id(document, "inpaint-erase")?;
        let (d, input) = (Rc::clone(&site.own), erase.clone());
        on(&erase, "change", move |_| d(InpaintEvent::Erase(input.checked())));
        Ok(view)
    }

    fn render(&self, seen: &Seen<'_, Inpaint>) {
        let Some(info) = seen.page.info else { return };
        let (settings, inpaint, config) = (seen.settings, seen.panel, &info.config);
        let unknown = settings.mask.places();
        self.board.show(inpaint.shown(settings), config.size);
        let filled = inpaint.completion.is_some();
        let mended = filled && inpaint.progress.0 >= inpaint.progress.1;
        let _ = self.board.element().class_list().toggle_with_force("mended", mended);
        if let Some(marks) = self.board.marks_of(&(filled, &unknown)) {
            if filled {
                marks.outline(&unknown, BORDER);
            } else {
                marks.tint(&unknown, HOLE);
            }
            self.board.mark_cursor(&marks);
        }
        self.render_choices(seen, &unknown);
        self.race.render(inpaint, settings, &unknown, seen.page);
        let (taken, of) = inpaint.progress;
        self.progress.set_max(f64::from(of.max(1)));
        self.progress.set_value(f64::from(taken));
        let _ = self.progress.class_list().toggle_with_force("over", taken >= of);
        let _ = self.levels.fit(0..config.level_count(), |_| self.level());
        let holes = holes(seen.page.entry);
        let names = holes.iter().map(|hole| hole.name.clone()).enumerate();
        let _ = self.presets.fit(names, |(i, name)| self.preset(*i, name));
        self.presets.for_each(|&(i, _), button| {
            set_pressed(button, holes.get(i).is_some_and(|hole| hole.pixels(config.size).eq(unknown.iter().copied())));
        });
        let of = (settings.mask.clone(), config.level_count());
        let cone = self.cone.get(of, || inpaint.cone(settings, config));
        self.levels.for_each(|&level, (layer, text)| {
            let latents = &cone[level].latents;
            if let Some(marks) = layer.marks_of(config.size >> level, latents) {
                marks.tint(latents, LATENT);
            }
            set_text(text, &format!("Level {level}: {}", grouped(latents.len())));
        });
        let reaching = cone.iter().map(|level| level.latents.len()).sum();
        set_text(&self.said, &said(unknown.len(), reaching, config.size));
        self.size.show(inpaint.brush as f32, &format!("{0}×{0}", inpaint.brush));
        set_able(&self.undo, inpaint.can_undo());
        set_able(&self.again, settings.mask.is_mendable());
        set_able(&self.clear, !unknown.is_empty());
    }

    fn sheet(&self) -> Vec<Vec<HtmlCanvasElement>> {
        let first = [self.board.canvas().clone()];
        vec![first.into_iter().chain(self.choices.map(|_, choice| choice.picture.canvas().clone())).collect()]
    }
}

impl InpaintView {
    fn render_choices(&self, seen: &Seen<'_, Inpaint>, unknown: &[(usize, usize)]) {
        let (inpaint, chosen) = (seen.panel, seen.settings.choice);
        let truth = inpaint.original.as_ref().filter(|_| inpaint.truth != Truth::Hidden);
        // Decibels are of grey levels, which a field has not.
        let is_scored = seen.page.kind() == DataKind::Images;
        self.choices.for_each(|&i, Candidate { button, picture, score: shown }| {
            let candidate = inpaint.candidate(i);
            button.set_disabled(candidate.is_none());
            set_pressed(button, inpaint.truth != Truth::Shown && i == chosen);
            match candidate {
                // Nothing is to be filled in, or the pictures that were here are of another one.
                None if !seen.settings.mask.is_mendable() || inpaint.original.is_none() => picture.wipe(),
                candidate => picture.show(candidate),
            }
            let score =
                truth.filter(|_| is_scored).zip(candidate).and_then(|(truth, image)| psnr(truth, image, unknown));
            set_text(shown, &score.map_or_else(String::new, |score| format!("{score:.1} dB")));
        });
        set_able(&self.reveal, inpaint.completion.is_some());
        set_pressed(&self.reveal, inpaint.truth == Truth::Shown);
        let _ = self.reveal.class_list().toggle_with_force("covered", truth.is_none());
        match truth {
            Some(_) => self.original.show(truth),
            None => self.original.wipe(),
        }
        set_text(&self.truth, if truth.is_some() { "The truth" } else { "Reveal it" });
        self.scored.set_hidden(truth.is_none() || !is_scored);
    }

    fn candidate(&self, i: usize) -> Result<(Element, Candidate)> {
        let button = create_button(&self.document, "column")?;
        let picture = Picture::create(&self.document)?;
        let [caption, score] = [create::<HtmlElement>(&self.document, "span")?, create(&self.document, "span")?];
        button.append_child(picture.canvas())?;
        button.append_child(&caption)?;
        button.append_child(&score)?;
        caption.set_text_content(Some(&name(i)));
        let d = Rc::clone(&self.dispatch);
        on(&button, "click", move |_| d(InpaintEvent::Choose(i)));
        Ok((button.clone().into(), Candidate { button, picture, score }))
    }

    fn level(&self) -> Result<(Element, (Layer, HtmlElement))> {
        let figure: Element = create(&self.document, "figure")?;
        let (layer, caption) = (Layer::create(&self.document)?, create::<HtmlElement>(&self.document, "figcaption")?);
        figure.append_child(layer.canvas())?;
        figure.append_child(&caption)?;
        Ok((figure, (layer, caption)))
    }

    fn preset(&self, i: usize, name: &str) -> Result<(Element, HtmlButtonElement)> {
        let button = create_button(&self.document, "button compact chip")?;
        button.set_text_content(Some(name));
        let d = Rc::clone(&self.dispatch);
        on(&button, "click", move |_| d(InpaintEvent::Preset(i)));
        Ok((button.clone().into(), button))
    }
}

/// What a completion is called.
fn name(i: usize) -> String {
    if i == 0 { "Most likely".to_owned() } else { format!("Variation {i}") }
}

/// A sentence about what is shown.
fn said(holes: usize, latents: usize, size: usize) -> String {
    let all = size * size;
    if holes == 0 {
        return "Paint over part of the picture, or choose one of the holes.".to_owned();
    }
    if holes == all {
        return "Nothing is left to go by. Undo, or erase part of the hole.".to_owned();
    }
    // "Only" nearly all of them would be no news.
    let which = if 2 * latents <= all { "Only the" } else { "The" };
    let [holes, latents, all] = [holes, latents, all].map(grouped);
    format!("{holes} pixels are unknown. {which} latents at {latents} of {all} places reach them and may change.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_is_put_in_words() {
        assert!(said(0, 0, 32).starts_with("Paint"));
        assert!(said(9, 300, 32).contains("Only the latents at 300 of 1,024 places"));
        assert!(said(500, 900, 32).contains("The latents at 900"));
        assert!(said(1024, 1024, 32).starts_with("Nothing is left"));
    }
}
