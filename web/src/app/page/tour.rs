//! A guided tour: a list of addresses and sentences, each shown with the real panels behind it. The same card shows an
//! exercise of About while it is done.

use std::cell::Cell;

use wasm_bindgen::JsCast;
use web_sys::{Document, Element, HtmlButtonElement, HtmlElement, KeyboardEvent};

use super::state::State;
use crate::app::dispatch::Dispatch;
use crate::app::event::Event;
use crate::app::widgets::dom::{TOURED, by_id, on, on_click, reveal, set_text};
use crate::error::Result;

/// A stop of the tour.
pub struct Stop {
    /// What is set there, as an address spells it.
    pub fragment: &'static str,
    /// The element that it speaks of.
    mark: &'static str,
    title: &'static str,
    text: &'static str,
}

/// The stops, in their order.
pub const STOPS: &[Stop] = &[
    Stop {
        fragment: "panel=sample&model=faces&depth=1",
        mark: "scope",
        title: "It begins with 4×4",
        text: "This is a picture of nobody. So far the model has decided 4×4 pixels of it: light, dark and the main \
               colours. Everything finer is at its most likely value.",
    },
    Stop {
        fragment: "panel=sample&model=faces&depth=3",
        mark: "scope-depth",
        title: "Each step doubles the size",
        text: "Move the slider. Each step adds only what is new at its scale: first large shapes, then parts, then \
               texture. Physicists know the way back as the renormalization group: look from farther away, and forget \
               what cannot be seen from there.",
    },
    Stop {
        fragment: "panel=sample&model=faces",
        mark: "scope-steps",
        title: "Coarse stays, fine changes",
        text: "Press the second ↻, under 8×8, a few times. The picture stays the same up to that scale, and all that is finer is \
               drawn anew: other details in the same large shapes.",
    },
    Stop {
        fragment: "panel=mix&model=faces",
        mark: "mix-cut",
        title: "So scales can be swapped",
        text: "Two of these pictures are A and B. The other two take their large scales from one of them and their small \
               scales from the other. The slider moves the border between large and small.",
    },
    Stop {
        fragment: "panel=explore&model=faces&x=3.14",
        mark: "explore-pyramid",
        title: "Every number has a scale and a place",
        text: "The numbers that the model starts from, its latents, form a pyramid: few coarse ones, many fine ones. \
               Choose one and move the slider under the picture.",
    },
    Stop {
        fragment: "panel=explore&model=faces&x=3.14&at=1.9.22.1",
        mark: "explore-board",
        title: "A fine latent reaches a spot",
        text: "The one that is chosen now is a fine one, at an eye. Move its slider: only the pixels inside the outline, \
               its cone, can change. A coarse latent reaches the whole picture.",
    },
    Stop {
        fragment: "panel=inpaint&model=faces&p=3.14&mask=16.AAAAAAAAAAAAAAAAAAAAAAAAAAAP8A_wD_AAAAAAAAA",
        mark: "inpaint-cone",
        title: "So a hole is cheap to mend",
        text: "To fill a hole, only the latents that reach it are searched: the coloured places, a quarter of all for this \
               one. Lower half, a larger hole, takes more. In a larger picture the same hole needs hardly more of them; \
               a model whose latents have no place needs all.",
    },
    Stop {
        fragment: "panel=explore&model=cartoon",
        mark: "explore-named",
        title: "Sparse latents mean something",
        text: "This model learned cartoon faces. Its prior is sparse: most latents are nearly 0 and few are large. \
               Some then do nearly one thing each, such as the colour of the hair. Try the named ones.",
    },
    Stop {
        fragment: "panel=sample&model=faces",
        mark: "door-own",
        title: "Now you",
        text: "Take a photo of yourself or open one, and look at it scale by scale, mix it with others, or mend it. It \
               stays on this device, unless you give somebody a link to it.",
    },
];

/// The elements.
pub struct TourView {
    document: Document,
    card: HtmlElement,
    title: HtmlElement,
    text: HtmlElement,
    count: HtmlElement,
    back: HtmlButtonElement,
    next: HtmlButtonElement,
    close: HtmlElement,
    start: HtmlElement,
    /// The exercises, where About lists them.
    exercises: Element,
    /// The stop that was shown last.
    shown: Cell<Option<usize>>,
}

impl TourView {
    pub fn new(document: &Document, page: &Dispatch<Event>) -> Result<Self> {
        let view = Self {
            document: document.clone(),
            card: by_id(document, "tour")?,
            title: by_id(document, "tour-title")?,
            text: by_id(document, "tour-text")?,
            count: by_id(document, "tour-count")?,
            back: by_id(document, "tour-back")?,
            next: by_id(document, "tour-next")?,
            close: by_id(document, "tour-close")?,
            start: by_id(document, "tour-start")?,
            exercises: by_id(document, "exercises")?,
            shown: Cell::default(),
        };
        let (close, card, paper) = (page.clone(), view.card.clone(), document.clone());
        on(document, "keydown", move |event| {
            let escape = event.dyn_ref::<KeyboardEvent>().is_some_and(|event| event.key() == "Escape");
            // A dialog or a word's card that lies over the tour goes first.
            let above = || paper.query_selector("dialog[open], :popover-open").is_ok_and(|found| found.is_some());
            if escape && !card.hidden() && !above() {
                close(Event::Tour(None));
            }
        });
        for (button, by) in [(&view.back, -1), (&view.next, 1)] {
            let page = page.clone();
            on(button, "click", move |_| page(Event::TourBy(by)));
        }
        let start = page.clone();
        on_click(document, "tour-start", move || start(Event::Tour(Some(0))))?;
        let close = page.clone();
        on_click(document, "tour-close", move || close(Event::Tour(None)))?;
        Ok(view)
    }

    pub fn render(&self, state: &State) {
        let at = state.settings.tour.filter(|&at| at < STOPS.len());
        let exercise = state.settings.exercise.filter(|_| at.is_none());
        // Hiding what has the focus loses it.
        let inside = at.or(exercise).is_none() && self.card.matches(":focus-within").unwrap_or(false);
        self.card.set_hidden(at.or(exercise).is_none());
        if inside {
            let _ = self.start.focus();
        }
        if let Some(stop) = at.and_then(|at| STOPS.get(at)) {
            set_text(&self.title, stop.title);
            set_text(&self.text, stop.text);
        }
        if let Some(number) = exercise
            && let Some((title, text)) = self.exercise(number)
        {
            set_text(&self.title, &format!("Exercise {}: {title}", number + 1));
            set_text(&self.text, &text);
        }
        self.back.set_hidden(at.is_none());
        self.next.set_hidden(at.is_none());
        self.count.set_hidden(at.is_none());
        set_text(&self.close, if at.is_some() { "End the tour" } else { "Close" });
        let place = at.unwrap_or_default();
        set_text(&self.count, &format!("{} of {}", place + 1, STOPS.len()));
        self.back.set_disabled(place == 0);
        set_text(&self.next, if place + 1 == STOPS.len() { "Done" } else { "Next" });
        // What a stop speaks of is there once its panel is shown and there are pictures.
        if self.shown.get() != at && (at.is_none() || state.info.is_some()) {
            let before = self.shown.replace(at);
            self.mark(before, at);
            // Whoever starts it goes on with it.
            if before.is_none() {
                let _ = self.next.focus();
            }
        }
    }

    /// An exercise's title and what is to be done, from About's list.
    fn exercise(&self, number: usize) -> Option<(String, String)> {
        let item = self.exercises.query_selector(&format!("li:nth-child({})", number + 1)).ok()??;
        let (title, all) = (item.query_selector("a").ok()??.text_content()?, item.text_content()?);
        let text = all.strip_prefix(&title)?.trim().to_owned();
        Some((title, text))
    }

    fn mark(&self, before: Option<usize>, now: Option<usize>) {
        for (at, marked) in [(before, false), (now, true)] {
            let element = at.and_then(|at| self.document.get_element_by_id(STOPS.get(at)?.mark));
            let Some(element) = element else { continue };
            let _ = element.class_list().toggle_with_force(TOURED, marked);
            if marked {
                reveal(&element);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::{EXERCISES, Settings};
    use super::*;

    #[test]
    fn every_exercise_opens_with_its_text() {
        let page = include_str!("../../../../index.html");
        let list = page.split("id=\"exercises\"").nth(1).unwrap().split("</ol>").next().unwrap();
        let links: Vec<&str> =
            list.split("<li><a href=\"#").skip(1).map(|item| item.split('"').next().unwrap()).collect();
        assert_eq!(links.len(), EXERCISES);
        for (number, link) in links.iter().enumerate() {
            let (settings, problems) = Settings::parse(&link.replace("&amp;", "&"));
            assert_eq!((problems.len(), settings.exercise), (0, Some(number)), "{link}");
        }
    }

    #[test]
    fn every_stop_can_be_reached() {
        let page = include_str!("../../../../index.html");
        for stop in STOPS {
            let (settings, problems) = Settings::parse(stop.fragment);
            assert!(
                problems.is_empty() && settings.to_fragment().starts_with("panel=")
                    || stop.fragment.contains("panel=sample")
            );
            assert!(page.contains(&format!("id=\"{}\"", stop.mark)), "{}", stop.mark);
        }
    }
}
