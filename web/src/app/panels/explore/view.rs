//! The explore panel's elements.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use shared::geometry::{Cone, LatentAddress, LevelCone, Levels};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Document, HtmlButtonElement, HtmlCanvasElement, HtmlElement, HtmlInputElement};

use super::colours::{CHOSEN, CONE};
use super::directions::DirectionsView;
use super::leading::LeadingView;
use super::named::{NamedView, short, told_apart};
use super::pyramid::PyramidView;
use super::state::{Explore, ExploreEvent, WALK};
use super::strips::StripsView;
use crate::app::dispatch::Dispatch;
use crate::app::event::Event;
use crate::app::panels::{PanelState, PanelView, Seen, Site};
use crate::app::widgets::board::{self, Board};
use crate::app::widgets::canvas::{Picture, is_new};
use crate::app::widgets::dom::{
    TOURED, by_id, capital, on, on_able_click, on_click, reveal, set_able, set_columns, set_text,
};
use crate::app::widgets::list::List;
use crate::app::widgets::memo::Memo;
use crate::app::widgets::numbers::{grouped, signed};
use crate::app::widgets::slider::{Scale, Slider};
use crate::app::widgets::{download, film};
use crate::error::Result;
use crate::protocol::Image;

/// How long a frame of a GIF is shown, in hundredths of a second.
const DELAY: u16 = 6;
/// What covers the pixels that the chosen latent cannot change.
const OUTSIDE: &str = "rgb(12 14 22 / 35%)";

/// A latent or a pixel, and the picture's edge and levels.
type Chosen = (Option<LatentAddress>, Option<(usize, usize)>, usize, usize);

/// The elements.
pub struct ExploreView {
    document: Document,
    picture: Rc<Board>,
    said: HtmlElement,
    value: Slider,
    strip: List<usize, (HtmlButtonElement, Picture)>,
    /// What the chosen latent reaches, or what reaches the chosen pixel.
    cone: Memo<Chosen, Option<Cone>>,
    /// Whether outlines stay.
    outlined: HtmlInputElement,
    /// Whether a pointer is over the picture.
    hovered: Rc<Cell<bool>>,
    directions: DirectionsView,
    strips: StripsView,
    undo: HtmlButtonElement,
    reset: HtmlButtonElement,
    film: HtmlButtonElement,
    filmed: RefCell<Option<Rc<Vec<Image>>>>,
    named: NamedView,
    pyramid: PyramidView,
    leading: LeadingView,
}

impl PanelView for ExploreView {
    type State = Explore;

    fn new(site: &Site<'_, ExploreEvent>) -> Result<Self> {
        let document = site.document;
        let picture = Board::by_id(document, "explore-board", "The picture")?;
        let ends = Scale { min: WALK[0], max: WALK[WALK.len() - 1], step: 0.05 };
        let value = Slider::by_id(document, "explore-value", ends)?;
        let (board, slider) = (Rc::clone(&picture), value.clone());
        // Brings the slider of a latent into sight that was chosen far from it, and the picture.
        let show_slider = Rc::new(move || {
            reveal(board.element());
            reveal(slider.input());
        });
        let view = Self {
            document: document.clone(),
            picture,
            said: by_id(document, "explore-said")?,
            named: NamedView::new(site, show_slider.clone())?,
            pyramid: PyramidView::new(site)?,
            strips: StripsView::new(site, show_slider.clone())?,
            leading: LeadingView::new(site, show_slider, &value)?,
            directions: DirectionsView::new(site)?,
            hovered: Rc::default(),
            cone: Memo::default(),
            value,
            strip: List::by_id(document, "explore-strip")?,
            outlined: by_id(document, "explore-field")?,
            undo: by_id(document, "explore-undo")?,
            reset: by_id(document, "explore-reset")?,
            film: by_id(document, "explore-film")?,
            filmed: RefCell::default(),
        };
        view.listen(site)?;
        Ok(view)
    }

    fn render(&self, seen: &Seen<'_, Explore>) {
        let Some(info) = seen.page.info else { return };
        let (settings, explore, config) = (seen.settings, seen.panel, &info.config);
        let of = (settings.at, settings.pixel, config.size, config.level_count());
        let cone = self.cone.get(of, || explore.cone(settings, config));
        let cone = cone.as_deref();
        self.picture.show(explore.image.as_ref(), config.size);
        // The picture is what counts: outlines come when a hand is on it or on a latent's slider.
        let focused = self.picture.element().matches(":focus-visible").unwrap_or(false);
        // A key's move is over at once, so the slider's ring stands for it.
        let held = |kind| self.value.input().matches(kind).unwrap_or(false);
        let moving = held(":focus-visible") || explore.is_moving() && held(":focus");
        let toured = self.picture.element().class_list().contains(TOURED);
        let outlined = self.outlined.checked() || self.hovered.get() || focused || moving || toured;
        let field = explore.field.as_deref().filter(|_| outlined);
        if let Some(marks) = self.picture.marks_of(&(of, outlined, field)) {
            if let (Some(cone), Some(_), true) = (cone, settings.at, outlined) {
                marks.shade_others(&cone[0].pixels, OUTSIDE);
                marks.outline(&cone[0].pixels, CONE);
                if let Some(field) = field {
                    marks.outline(field, CHOSEN);
                }
            }
            marks.outline(settings.pixel.as_slice(), CHOSEN);
            self.picture.mark_cursor(&marks);
        }
        self.pyramid.render(explore, settings, config, cone);
        let known = told_apart(&info.card.known_factors(&Levels::new(config)));
        let known: Vec<_> = known.iter().collect();
        let _ = self.named.render(&known, settings.at);
        let name = known.iter().find(|factor| Some(factor.at) == settings.at).map(|factor| short(&factor.name));
        let said = said(settings.at, settings.pixel, cone, config.size);
        let said = match (explore.empty, name) {
            (Some(level), _) => nothing_there(level),
            (None, Some(name)) => format!("{}. {said}", capital(&name)),
            (None, None) => said,
        };
        set_text(&self.said, &said);
        let value = explore.value(settings, config);
        self.value.input().set_disabled(value.is_none());
        match value {
            Some(value) => self.value.show(value, &format!("{} σ", signed(value, 2))),
            None => self.value.say("choose a latent to move it"),
        }
        self.strip.for_each(|&i, (button, picture)| {
            button.set_disabled(explore.strip.is_empty());
            picture.show(explore.strip.get(i));
        });
        set_able(&self.undo, explore.can_undo());
        set_able(&self.reset, !settings.edits.is_empty() || !settings.moves.is_empty());
        set_able(&self.film, settings.at.is_some() && !explore.is_filming());
        set_text(&self.film, if explore.is_filming() { "Making the GIF…" } else { "Save as GIF" });
        if is_new(self.filmed.borrow().as_ref(), explore.frames.as_ref()) {
            self.filmed.replace(explore.frames.clone());
            if let Some(frames) = &explore.frames {
                self.save_film(frames, seen.page.smooth);
            }
        }
        self.leading.render(explore, config);
        self.directions.render(explore, settings, seen.page.entry, info.joint);
        self.strips.render(explore, config, &known, seen.page);
    }

    fn sheet(&self) -> Vec<Vec<HtmlCanvasElement>> {
        vec![vec![self.picture.canvas().clone()]]
    }
}

impl ExploreView {
    fn listen(&self, site: &Site<'_, ExploreEvent>) -> Result<()> {
        for (button, event) in
            [(&self.undo, ExploreEvent::Undo), (&self.reset, ExploreEvent::Reset), (&self.film, ExploreEvent::Film)]
        {
            let d = Rc::clone(&site.own);
            on_able_click(button, move || d(event.clone()));
        }
        let page = Rc::clone(&site.page);
        on(&self.outlined, "change", move |_| page(Event::Redraw));
        for name in ["focus", "blur"] {
            let page = Rc::clone(&site.page);
            on(self.value.input(), name, move |_| page(Event::Redraw));
        }
        for (name, over) in [("pointerenter", true), ("pointerleave", false)] {
            let (hovered, page) = (Rc::clone(&self.hovered), Rc::clone(&site.page));
            on(self.picture.element(), name, move |_| {
                hovered.set(over);
                page(Event::Redraw);
            });
        }
        let (d, page) = (Rc::clone(&site.own), Rc::clone(&site.page));
        let chosen = move |row, col| d(ExploreEvent::Pixel(row, col));
        board::listen_to_choices(&self.picture, chosen, move || page(Event::Redraw));
        let picker = Rc::clone(site.picker);
        on_click(site.document, "explore-choose", move || picker.open(&Explore::SLOTS[0]))?;
        let d = Rc::clone(&site.own);
        self.value.on_input(move |value| d(ExploreEvent::Value(value)));
        let d = Rc::clone(&site.own);
        self.value.on_change(move || d(ExploreEvent::Settled));
        set_columns(self.strip.parent(), WALK.len())?;
        self.strip.fit(0..WALK.len(), |&i| {
            let cell = step_button(site.document, &site.own, WALK[i])?;
            Ok((cell.0.clone().into(), cell))
        })?;
        Ok(())
    }

    fn save_film(&self, frames: &Rc<Vec<Image>>, smooth: bool) {
        let (document, said, frames) = (self.document.clone(), self.said.clone(), Rc::clone(frames));
        spawn_local(async move {
            let frames: Vec<&Image> = frames.iter().collect();
            let made = film::gif(&frames, smooth, DELAY).await;
            if let Err(error) = made.and_then(|bytes| download::bytes(&document, &bytes, "rg-flow-latent.gif")) {
                set_text(&said, &error.to_string());
            }
        });
    }
}

/// The picture for one value of the latent, which is a button.
fn step_button(
    document: &Document,
    dispatch: &Dispatch<ExploreEvent>,
    value: f32,
) -> Result<(HtmlButtonElement, Picture)> {
    let cell = Picture::in_button(document, &format!("Set the latent to {value} standard deviations"))?;
    let d = Rc::clone(dispatch);
    on(&cell.0, "click", move |_| {
        d(ExploreEvent::Value(value));
        d(ExploreEvent::Settled);
    });
    Ok(cell)
}

/// A sentence about a place without a latent.
fn nothing_there(level: usize) -> String {
    format!(
        "There is no latent of level {level} here: this number is decided at a coarser level. Choose a place beside it."
    )
}

/// A sentence about what is shown.
fn said(at: Option<LatentAddress>, pixel: Option<(usize, usize)>, cone: Option<&[LevelCone]>, size: usize) -> String {
    match (at, pixel, cone) {
        (Some(at), _, Some(cone)) if cone[0].pixels.len() == size * size => {
            format!("This latent of level {} can change every pixel.", at.level)
        }
        (Some(at), _, Some(cone)) => format!(
            "This latent of level {} can change {} of {} pixels, and no other.",
            at.level,
            grouped(cone[0].pixels.len()),
            grouped(size * size)
        ),
        (None, Some((row, col)), Some(cone)) => {
            let count: usize = cone.iter().map(|level| level.latents.len()).sum();
            format!(
                "The pixel in row {}, column {} depends on the latents at {} of {} places.",
                row + 1,
                col + 1,
                grouped(count),
                grouped(size * size)
            )
        }
        _ => "Choose a latent or a pixel.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_is_put_in_words() {
        let level =
            LevelCone { latents: vec![(0, 1); 5], pixels: vec![(0, 0); 64], disentangler: vec![], decimator: vec![] };
        let at = LatentAddress { level: 0, row: 0, col: 1, channel: 0 };
        let every = said(Some(at), None, Some(std::slice::from_ref(&level)), 8);
        assert_eq!(every, "This latent of level 0 can change every pixel.");
        assert!(said(Some(at), None, Some(std::slice::from_ref(&level)), 32).contains("64 of 1,024 pixels"));
        assert!(
            said(None, Some((2, 3)), Some(&[level.clone(), level]), 32)
                .contains("row 3, column 4 depends on the latents at 10 of 1,024 places")
        );
        assert_eq!(said(None, None, None, 32), "Choose a latent or a pixel.");
    }
}
