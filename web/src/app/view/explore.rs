//! The explore panel.

use std::cell::RefCell;
use std::rc::Rc;

use shared::RgFlowConfig;
use shared::geometry::{LatentAddress, LevelCone, Levels};
use web_sys::{Document, HtmlButtonElement, HtmlCanvasElement, HtmlElement, HtmlInputElement};

use super::board::{self, Board, Layer};
use super::canvas::{Picture, is_new};
use super::dom::{by_id, capital, create, on, on_click, reveal, set_text, set_value};
use super::film;
use super::named::{NamedView, short};
use super::picker::Picker;
use crate::app::Dispatch;
use crate::app::state::explore::{ExploreEvent, WALK};
use crate::app::state::{Event, Slot, State};
use crate::error::Result;
use crate::fragment::rounded;
use crate::messages::edit::{Factor, Image};

/// What the chosen thing is drawn with, and what is in its cone.
const CHOSEN: &str = "#ff5a3c";
const CONE: &str = "#ffb02e";
const FIELD: [u8; 3] = [255, 138, 40];
const OUTSIDE: &str = "rgb(12 14 22 / 55%)";
const INSIDE: &str = "rgb(255 176 46 / 55%)";

/// The elements.
pub struct ExploreView {
    document: Document,
    dispatch: Dispatch,
    named: NamedView,
    /// Brings the slider of a latent into sight that was chosen far from it, and the picture.
    show_slider: Rc<dyn Fn()>,
    picture: Rc<Board>,
    pyramid: HtmlElement,
    levels: RefCell<Vec<Level>>,
    said: HtmlElement,
    value: HtmlInputElement,
    value_text: HtmlElement,
    channels: [HtmlInputElement; 3],
    strip: Vec<(HtmlButtonElement, Picture)>,
    undo: HtmlButtonElement,
    reset: HtmlButtonElement,
    show_field: HtmlInputElement,
    search: HtmlButtonElement,
    leading: HtmlElement,
    led: RefCell<Option<Rc<Vec<Vec<Factor>>>>>,
    film: HtmlButtonElement,
    filmed: RefCell<Option<Rc<Vec<Image>>>>,
}

/// One level of the pyramid.
struct Level {
    board: Rc<Board>,
    count: HtmlElement,
}

impl ExploreView {
    pub fn new(document: &Document, dispatch: &Dispatch, picker: &Rc<Picker>) -> Result<Self> {
        let channel = |c: usize| by_id(document, &format!("explore-channel-{c}"));
        let picture = Board::by_id(document, "explore-board", "The picture")?;
        let value: HtmlInputElement = by_id(document, "explore-value")?;
        let (board, slider) = (Rc::clone(&picture), value.clone());
        let show_slider = Rc::new(move || {
            reveal(board.element());
            reveal(&slider);
        });
        let view = Self {
            document: document.clone(),
            dispatch: dispatch.clone(),
            named: NamedView::new(document, dispatch, show_slider.clone())?,
            show_slider,
            picture,
            pyramid: by_id(document, "explore-pyramid")?,
            levels: RefCell::default(),
            said: by_id(document, "explore-said")?,
            value,
            value_text: by_id(document, "explore-value-text")?,
            channels: [channel(0)?, channel(1)?, channel(2)?],
            strip: build_strip(document, dispatch)?,
            undo: by_id(document, "explore-undo")?,
            reset: by_id(document, "explore-reset")?,
            show_field: by_id(document, "explore-field")?,
            search: by_id(document, "explore-search")?,
            leading: by_id(document, "explore-leading")?,
            led: RefCell::default(),
            film: by_id(document, "explore-film")?,
            filmed: RefCell::default(),
        };
        let d = dispatch.clone();
        on(&view.show_field, "change", move |_| d(Event::Redraw));
        let d = dispatch.clone();
        on(&view.search, "click", move |_| d(Event::Explore(ExploreEvent::Search)));
        let d = dispatch.clone();
        on(&view.film, "click", move |_| d(Event::Explore(ExploreEvent::Film)));
        let (d, again) = (dispatch.clone(), dispatch.clone());
        let chosen = move |row, col| d(Event::Explore(ExploreEvent::Pixel(row, col)));
        board::listen_to_choices(&view.picture, chosen, move || again(Event::Redraw));
        let (p, d) = (Rc::clone(picker), dispatch.clone());
        on_click(document, "explore-choose", move || p.open(Slot::Explore))?;
        on(&view.undo, "click", move |_| d(Event::Explore(ExploreEvent::Undo)));
        let d = dispatch.clone();
        on(&view.reset, "click", move |_| d(Event::Explore(ExploreEvent::Reset)));
        let (d, input) = (dispatch.clone(), view.value.clone());
        on(&view.value, "input", move |_| {
            if let Ok(value) = input.value().parse() {
                d(Event::Explore(ExploreEvent::Value(value)));
            }
        });
        let d = dispatch.clone();
        on(&view.value, "change", move |_| d(Event::Explore(ExploreEvent::Settled)));
        for (channel, input) in view.channels.iter().enumerate() {
            let d = dispatch.clone();
            on(input, "change", move |_| d(Event::Explore(ExploreEvent::Channel(channel))));
        }
        Ok(view)
    }

    pub fn render(&self, state: &State) {
        let Some(info) = &state.info else { return };
        let (settings, explore, config) = (&state.settings.explore, &state.explore, &info.config);
        let _ = self.fit_pyramid(config.level_count(), config.size);
        let cone = explore.cone(settings, config);
        self.picture.show(explore.image.as_ref(), config.size);
        if let Some(marks) = self.picture.marks() {
            if let (Some(cone), Some(_)) = (&cone, settings.at) {
                marks.shade_others(&cone[0].pixels, OUTSIDE);
                marks.outline(&cone[0].pixels, CONE);
                if let (Some(field), true) = (&explore.field, self.show_field.checked()) {
                    marks.outline(field, CHOSEN);
                }
            }
            marks.outline(explore.pixel.as_slice(), CHOSEN);
            self.picture.mark_cursor(&marks);
        }
        for (h, level) in self.levels.borrow().iter().enumerate() {
            level.board.show(explore.pyramid.get(h), config.size >> h);
            let Some(marks) = level.board.marks() else { continue };
            let reached: &[(usize, usize)] = match (&cone, explore.pixel) {
                (Some(cone), Some(_)) => &cone[h].latents,
                _ => &[],
            };
            marks.tint(reached, INSIDE);
            marks.outline(reached, CONE);
            if let Some(at) = settings.at.filter(|at| at.level == h) {
                marks.outline(&[(at.row, at.col)], CHOSEN);
            }
            level.board.mark_cursor(&marks);
            let all = (config.size >> h).pow(2) * if h + 1 == config.level_count() { 4 } else { 3 } / 4;
            let text = if reached.is_empty() { String::new() } else { format!("{} of {all}", reached.len()) };
            set_text(&level.count, &text);
        }
        let known = info.card.known_factors(&Levels::new(config));
        let _ = self.named.render(&known, settings.at);
        let name = known.iter().find(|factor| Some(factor.at) == settings.at).map(|factor| short(&factor.name));
        let said = said(settings.at, explore.pixel, cone.as_deref(), config.size);
        set_text(&self.said, &name.map_or_else(|| said.clone(), |name| format!("{}. {said}", capital(&name))));
        let value = explore.value(settings, config);
        self.value.set_disabled(value.is_none());
        if let Some(value) = value {
            set_value(&self.value, &format!("{:.2}", rounded(value)));
        }
        set_text(&self.value_text, &value.map(|value| format!("{:+.2} σ", rounded(value))).unwrap_or_default());
        for (c, input) in self.channels.iter().enumerate() {
            input.set_disabled(settings.at.is_none() || c >= config.channels);
            input.set_checked(settings.at.is_some_and(|at| at.channel == c));
        }
        for (i, (button, picture)) in self.strip.iter().enumerate() {
            button.set_disabled(explore.strip.is_empty());
            picture.show(explore.strip.get(i));
        }
        let searching = explore.is_searching();
        self.search.set_disabled(searching || explore.leading.is_some());
        set_text(&self.search, if searching { "Looking for them…" } else { "Find the leading latents" });
        self.film.set_disabled(settings.at.is_none() || explore.is_filming());
        set_text(&self.film, if explore.is_filming() { "Filming…" } else { "Save as GIF" });
        if is_new(self.filmed.borrow().as_ref(), explore.frames.as_ref()) {
            self.filmed.replace(explore.frames.clone());
            if let Some(frames) = &explore.frames {
                self.save_film(frames, state.settings.smooth);
            }
        }
        if is_new(self.led.borrow().as_ref(), explore.leading.as_ref()) {
            let _ = self.show_leading(explore.leading.as_deref().map_or(&[], Vec::as_slice), config);
            self.led.replace(explore.leading.clone());
        }
        self.undo.set_disabled(!explore.can_undo());
        self.reset.set_disabled(settings.edits.is_empty());
    }

    fn save_film(&self, frames: &[Image], smooth: bool) {
        let saved =
            film::gif(frames, smooth).and_then(|bytes| film::save(&self.document, &bytes, "rg-flow-latent.gif"));
        if let Err(error) = saved {
            set_text(&self.said, &error.to_string());
        }
    }

    /// A board a level, coarsest first.
    fn fit_pyramid(&self, count: usize, size: usize) -> Result<()> {
        if self.levels.borrow().len() == count {
            return Ok(());
        }
        self.pyramid.set_text_content(None);
        let mut levels = Vec::new();
        for level in 0..count {
            let figure: HtmlElement = create(&self.document, "figure")?;
            let holder: HtmlElement = create(&self.document, "div")?;
            let caption: HtmlElement = create(&self.document, "figcaption")?;
            let name: HtmlElement = create(&self.document, "b")?;
            let edge = size >> level;
            let what = match level {
                0 => ", finest",
                _ if level + 1 == count => ", coarsest",
                _ => "",
            };
            name.set_text_content(Some(&format!("Level {level}{what} ")));
            let counted: HtmlElement = create(&self.document, "span")?;
            caption.append_child(&name)?;
            caption.append_child(&counted)?;
            figure.append_child(&holder)?;
            figure.append_child(&caption)?;
            self.pyramid.insert_before(&figure, self.pyramid.first_child().as_ref())?;
            let board = Board::inside(&self.document, holder, &format!("Latents of level {level}, {edge} by {edge}"))?;
            let (d, again) = (self.dispatch.clone(), self.dispatch.clone());
            let chosen = move |row, col| {
                d(Event::Explore(ExploreEvent::Latent(LatentAddress { level, row, col, channel: 0 })));
            };
            board::listen_to_choices(&board, chosen, move || again(Event::Redraw));
            levels.push(Level { board, count: counted });
        }
        self.levels.replace(levels);
        Ok(())
    }

    /// A row a level, coarsest first: each latent's field, which is a button.
    fn show_leading(&self, levels: &[Vec<Factor>], config: &RgFlowConfig) -> Result<()> {
        self.leading.set_text_content(None);
        for (level, factors) in levels.iter().enumerate().rev() {
            let row: HtmlElement = create(&self.document, "div")?;
            row.set_class_name("factors");
            let name: HtmlElement = create(&self.document, "b")?;
            name.set_text_content(Some(&format!("Level {level}")));
            row.append_child(&name)?;
            for factor in factors {
                let Ok(at) = Levels::new(config).address(factor.index as usize) else { continue };
                let button: HtmlButtonElement = create(&self.document, "button")?;
                button.set_type("button");
                button.set_class_name("cell");
                let place = format!("Latent of level {level}, row {}, column {}", at.row + 1, at.col + 1);
                button.set_attribute("aria-label", &format!("{place}: choose it"))?;
                let layer = Layer::create(&self.document)?;
                if let Some(marks) = layer.marks(config.size) {
                    marks.heat(&factor.field, FIELD);
                }
                button.append_child(layer.canvas())?;
                row.append_child(&button)?;
                let (d, show_slider, slider) = (self.dispatch.clone(), self.show_slider.clone(), self.value.clone());
                on(&button, "click", move |_| {
                    d(Event::Explore(ExploreEvent::Latent(at)));
                    show_slider();
                    // Arrow keys move it.
                    let _ = slider.focus();
                });
            }
            self.leading.append_child(&row)?;
        }
        Ok(())
    }

    /// What a saved file shows.
    pub fn sheet(&self) -> Vec<Vec<HtmlCanvasElement>> {
        vec![vec![self.picture.canvas().clone()]]
    }
}

fn build_strip(document: &Document, dispatch: &Dispatch) -> Result<Vec<(HtmlButtonElement, Picture)>> {
    let strip: HtmlElement = by_id(document, "explore-strip")?;
    let cell = |value: f32| {
        let button: HtmlButtonElement = create(document, "button")?;
        button.set_type("button");
        button.set_class_name("cell");
        button.set_attribute("aria-label", &format!("Set the latent to {value} standard deviations"))?;
        let picture = Picture::create(document)?;
        button.append_child(picture.canvas())?;
        strip.append_child(&button)?;
        let d = dispatch.clone();
        on(&button, "click", move |_| {
            d(Event::Explore(ExploreEvent::Value(value)));
            d(Event::Explore(ExploreEvent::Settled));
        });
        Ok((button, picture))
    };
    WALK.into_iter().map(cell).collect()
}

/// What is seen, in a sentence.
fn said(at: Option<LatentAddress>, pixel: Option<(usize, usize)>, cone: Option<&[LevelCone]>, size: usize) -> String {
    match (at, pixel, cone) {
        (Some(at), _, Some(cone)) if cone[0].pixels.len() == size * size => {
            format!("This latent of level {} can change every pixel.", at.level)
        }
        (Some(at), _, Some(cone)) => format!(
            "This latent of level {} can change {} of {} pixels, and no other.",
            at.level,
            cone[0].pixels.len(),
            size * size
        ),
        (None, Some((row, col)), Some(cone)) => {
            let count: usize = cone.iter().map(|level| level.latents.len()).sum();
            format!(
                "The pixel in row {}, column {} depends on the latents at {count} places of {}.",
                row + 1,
                col + 1,
                size * size
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
        assert!(said(Some(at), None, Some(std::slice::from_ref(&level)), 32).contains("64 of 1024 pixels"));
        assert!(
            said(None, Some((2, 3)), Some(&[level.clone(), level]), 32)
                .contains("row 3, column 4 depends on the latents at 10 places")
        );
        assert_eq!(said(None, None, None, 32), "Choose a latent or a pixel.");
    }
}
