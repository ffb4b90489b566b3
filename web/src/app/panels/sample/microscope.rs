//! One picture large, from coarse to fine.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use shared::{DataKind, RgFlowConfig};
use wasm_bindgen::JsCast;
use web_sys::{Document, HtmlButtonElement, HtmlElement, PointerEvent, WheelEvent};

use super::state::{Sample, SampleEvent};
use crate::address::Pick;
use crate::app::dispatch::Dispatch;
use crate::app::event::Event;
use crate::app::panels::{Scene, Seen, Site};
use crate::app::picker::Picker;
use crate::app::widgets::canvas::{self, Picture};
use crate::app::widgets::dom::{by_id, create, create_button, fresh_seed, on, on_click, set_pressed, set_text};
use crate::app::widgets::list::List;
use crate::app::widgets::numbers::{grouped, signed};
use crate::app::widgets::slider::{Scale, Slider};
use crate::error::Result;

/// How long a step is looked at while the picture grows, in milliseconds.
const STEP: u32 = 900;
/// How long what stays is seen alone after a re-roll, in milliseconds.
const PAUSE: u32 = 450;
/// How far a wheel turns for a step, in pixels of scrolling.
const WHEEL: f64 = 60.0;

/// What scales decide where the list of models does not say, coarsest first. The last is for all finer ones.
const DECIDES: [&str; 5] = [
    "what is light and what is dark, and the main colours",
    "large shapes and where they are",
    "parts and their places",
    "edges and features",
    "texture and sharpness",
];

/// The elements.
pub struct Microscope {
    document: Document,
    own: Dispatch<SampleEvent>,
    scope: HtmlElement,
    /// The steps, one above the other.
    stack: List<usize, Picture>,
    /// The same side by side, as (step, edge).
    strip: List<(usize, usize), (HtmlButtonElement, Picture)>,
    depth: Slider,
    caption: HtmlElement,
    name: HtmlElement,
    /// The first sentence of the panel.
    opening_says: HtmlElement,
    /// The title of the door for pictures of one's own.
    own_title: HtmlElement,
    buttons: Vec<HtmlButtonElement>,
    /// Steps of the model's pictures.
    count: Rc<Cell<usize>>,
    /// Steps shown.
    shown: Rc<Cell<usize>>,
    main: Rc<RefCell<Option<Pick>>>,
    /// Whether the next step is on its way.
    ticking: Rc<Cell<bool>>,
    /// Whether the first picture grows by itself when it is here.
    opening: Cell<bool>,
}

impl Microscope {
    pub fn new(site: &Site<'_, SampleEvent>) -> Result<Self> {
        let document = site.document;
        let button = |id| by_id(document, id);
        let view = Self {
            document: document.clone(),
            own: Rc::clone(&site.own),
            scope: by_id(document, "scope")?,
            stack: List::by_id(document, "scope-stack")?,
            strip: List::by_id(document, "scope-steps")?,
            depth: Slider::by_id(document, "scope-depth", Scale { min: 1.0, max: 2.0, step: 1.0 })?,
            caption: by_id(document, "scope-caption")?,
            name: by_id(document, "scope-name")?,
            opening_says: by_id(document, "opening-says")?,
            own_title: by_id(document, "door-own-title")?,
            buttons: vec![
                button("scope-play")?,
                button("scope-another")?,
                button("scope-save")?,
                button("door-mix")?,
                button("door-own")?,
                button("door-mend")?,
                button("door-move")?,
            ],
            count: Rc::default(),
            shown: Rc::default(),
            main: Rc::default(),
            ticking: Rc::default(),
            opening: Cell::new(opens_by_itself()),
        };
        view.listen(site)?;
        Ok(view)
    }

    fn listen(&self, site: &Site<'_, SampleEvent>) -> Result<()> {
        let document = site.document;
        let tell = |event: fn() -> SampleEvent| {
            let own = Rc::clone(&self.own);
            move || own(event())
        };
        on_click(document, "scope-play", tell(|| SampleEvent::Play(1)))?;
        on_click(document, "scope-another", tell(|| SampleEvent::Another(fresh_seed())))?;
        let own = Rc::clone(&self.own);
        self.depth.on_input(move |depth| own(SampleEvent::Depth(depth as usize)));
        for (door, slot) in [("door-mix", "mix-a"), ("door-mend", "inpaint"), ("door-move", "explore")] {
            let (page, main, slot) = (Rc::clone(&site.page), Rc::clone(&self.main), site.picker.slot(slot));
            on_click(document, door, move || {
                if let (Some(slot), Some(pick)) = (slot, main.borrow().clone()) {
                    page(Event::Picked(slot, pick));
                }
            })?;
        }
        let (picker, slot): (Rc<Picker>, _) = (Rc::clone(site.picker), site.picker.slot("main"));
        on_click(document, "door-own", move || {
            if let Some(slot) = slot {
                picker.open_for_own(slot);
            }
        })?;
        self.listen_to_wheel();
        self.listen_to_drags();
        Ok(())
    }

    /// A wheel goes from coarse to fine and back; at either end the page scrolls as ever.
    fn listen_to_wheel(&self) {
        let (own, count, shown, turned) =
            (Rc::clone(&self.own), Rc::clone(&self.count), Rc::clone(&self.shown), Cell::new(0.0));
        on(&self.scope, "wheel", move |event| {
            let Some(wheel) = event.dyn_ref::<WheelEvent>().filter(|wheel| !wheel.ctrl_key()) else { return };
            // Browsers measure in pixels or in lines.
            let lines = if wheel.delta_mode() == WheelEvent::DOM_DELTA_PIXEL { 1.0 } else { WHEEL / 3.0 };
            let by = wheel.delta_y() * lines;
            let at_end = if by > 0.0 { shown.get() >= count.get() } else { shown.get() <= 1 };
            if at_end {
                turned.set(0.0);
                return;
            }
            wheel.prevent_default();
            turned.set(turned.get() + by);
            if turned.get().abs() >= WHEEL {
                let next = if by > 0.0 { shown.get() + 1 } else { shown.get().saturating_sub(1).max(1) };
                turned.set(0.0);
                own(SampleEvent::Depth(next));
            }
        });
    }

    /// A drag across the picture goes from coarse on its left to fine on its right.
    fn listen_to_drags(&self) {
        let depth_at = {
            let (scope, count) = (self.scope.clone(), Rc::clone(&self.count));
            move |event: &web_sys::Event| {
                let pointer = event.dyn_ref::<PointerEvent>()?;
                let bounds = scope.get_bounding_client_rect();
                let share = (f64::from(pointer.client_x()) - bounds.left()) / bounds.width().max(1.0);
                Some(((share * count.get() as f64).ceil() as usize).clamp(1, count.get().max(1)))
            }
        };
        // From where, once it is held.
        let held = Rc::new(Cell::new(None));
        let (scope, h) = (self.scope.clone(), Rc::clone(&held));
        on(&self.scope, "pointerdown", move |event| {
            let Some(pointer) = event.dyn_ref::<PointerEvent>().filter(|pointer| pointer.button() == 0) else { return };
            let _ = scope.set_pointer_capture(pointer.pointer_id());
            h.set(Some(pointer.client_x()));
        });
        let (own, h, shown) = (Rc::clone(&self.own), Rc::clone(&held), Rc::clone(&self.shown));
        on(&self.scope, "pointermove", move |event| {
            let x = event.dyn_ref::<PointerEvent>().map_or(0, |pointer| pointer.client_x());
            let is_drag = h.get().is_some_and(|from: i32| from.abs_diff(x) > 6);
            if let (true, Some(depth)) = (is_drag, depth_at(event).filter(|&depth| depth != shown.get())) {
                // Where it began does not matter any more, even if it comes back there.
                h.set(Some(i32::MIN / 2));
                own(SampleEvent::Depth(depth));
            }
        });
        for end in ["pointerup", "pointercancel"] {
            let h = Rc::clone(&held);
            on(&self.scope, end, move |_| h.set(None));
        }
    }

    pub fn render(&self, seen: &Seen<'_, Sample>) {
        let (panel, page) = (seen.panel, seen.page);
        let (Some(info), main) = (page.info, seen.settings.main(page.seed)) else {
            self.buttons.iter().for_each(|button| button.set_disabled(true));
            return;
        };
        self.buttons.iter().for_each(|button| button.set_disabled(false));
        let config = &info.config;
        let count = config.level_count();
        let shown = panel.playing.or(seen.settings.depth).unwrap_or(count).min(count);
        self.count.set(count);
        self.shown.set(shown);
        self.main.replace(Some(main.held_at(&page.drawing)));
        set_text(&self.name, &main.name(&page.drawing));
        let of_faces = page.entry.is_some_and(|entry| !entry.eyes.is_empty());
        let (opening, own) = match page.kind() {
            DataKind::Field => {
                ("A model draws fields on a lattice, from coarse to fine.", "Put a picture in, as a field")
            }
            DataKind::Images if of_faces => ("A model draws faces of nobody, from coarse to fine.", "Put yourself in"),
            DataKind::Images => ("A model draws pictures, from coarse to fine.", "Put your own picture in"),
        };
        let is_own = matches!(main, Pick::Own(_));
        set_text(
            &self.opening_says,
            if is_own { "A picture of yours, as this model sees it, from coarse to fine." } else { opening },
        );
        set_text(&self.own_title, own);
        let _ = self.fit(config);
        let grown = panel.growth();
        let _ = self.scope.class_list().toggle_with_force("waiting", grown.is_none());
        // A picture that is there already is shown until its steps are.
        let whole = panel.main_place().and_then(|place| Some(&panel.shown[place].as_ref()?.image));
        let steps = panel.steps();
        let image = |step: usize| match grown {
            None if step + 1 == count => whole.or(steps.get(step)),
            _ => steps.get(step),
        };
        self.stack.for_each(|&step, picture| {
            picture.show(image(step));
            let _ = picture.canvas().class_list().toggle_with_force("on", step < shown);
        });
        self.strip.for_each(|&(step, _), (button, picture)| {
            picture.show(image(step));
            set_pressed(button, step + 1 == shown);
        });
        let _ = self.depth.input().set_attribute("max", &count.to_string());
        let edge = edge(config, shown);
        self.depth.show(shown as f32, &format!("{edge}×{edge}"));
        let _ = self.depth.input().set_attribute("aria-valuetext", &format!("{edge} by {edge} pixels"));
        let mean = panel.mean(shown.max(1) - 1);
        set_text(&self.caption, &format!("{}{}", caption(page, config, shown), magnetisation(mean)));
        if grown.is_some() {
            self.go_on(panel);
        }
    }

    /// The picture as it is shown.
    pub fn save(&self) -> Result<()> {
        let shown = self.shown.get();
        let canvases = self.stack.map(|&step, picture| (step + 1 == shown).then(|| picture.canvas().clone()));
        canvas::save(&self.document, &[canvases.into_iter().flatten().collect()], "rg-flow-picture.png")
    }

    /// Lets the picture grow, step by step.
    fn go_on(&self, panel: &Sample) {
        if self.opening.replace(false) {
            (self.own)(SampleEvent::Play(1));
            return;
        }
        if panel.playing.is_none() || self.ticking.replace(true) {
            return;
        }
        let (own, ticking) = (Rc::clone(&self.own), Rc::clone(&self.ticking));
        Timeout::new(if panel.rerolled { PAUSE } else { STEP }, move || {
            ticking.set(false);
            own(SampleEvent::Grown);
        })
        .forget();
    }

    fn fit(&self, config: &RgFlowConfig) -> Result<()> {
        let count = config.level_count();
        self.stack.fit(0..count, |_| {
            let picture = Picture::create(&self.document)?;
            Ok((picture.canvas().clone().into(), picture))
        })?;
        self.strip.fit((0..count).map(|step| (step, edge(config, step + 1))), |&(step, edge)| {
            let column: HtmlElement = create(&self.document, "div")?;
            column.set_class_name("scale");
            let (button, picture) = Picture::in_button(&self.document, &format!("Show it at {edge}×{edge}"))?;
            let own = Rc::clone(&self.own);
            on(&button, "click", move |_| own(SampleEvent::Depth(step + 1)));
            column.append_child(&button)?;
            if step + 1 < count {
                let reroll = create_button(&self.document, "button compact reroll")?;
                reroll.set_text_content(Some("↻"));
                let label = format!("Keep it up to {edge}×{edge} and draw the rest anew");
                reroll.set_title(&label);
                reroll.set_attribute("aria-label", &label)?;
                let (own, below) = (Rc::clone(&self.own), count - 1 - step);
                on(&reroll, "click", move |_| own(SampleEvent::Reroll(below, fresh_seed())));
                column.append_child(&reroll)?;
            }
            Ok((column.into(), (button, picture)))
        })
    }
}

/// Whether the page was opened without anything to look at in particular, by somebody who does not mind motion.
fn opens_by_itself() -> bool {
    let Some(window) = web_sys::window() else { return false };
    let still = window.match_media("(prefers-reduced-motion: reduce)").ok().flatten().is_some_and(|it| it.matches());
    !still && window.location().hash().is_ok_and(|hash| hash.is_empty())
}

/// The edge of the picture after some steps.
fn edge(config: &RgFlowConfig, steps: usize) -> usize {
    config.size >> (config.level_count() - steps)
}

/// A field's mean, in a sentence.
fn magnetisation(mean: Option<f32>) -> String {
    mean.map_or_else(String::new, |mean| format!(" Its mean, the magnetisation, is {}.", signed(mean, 2)))
}

/// What the last of the shown steps decided, and with how many numbers.
fn caption(page: &Scene<'_>, config: &RgFlowConfig, shown: usize) -> String {
    let step = shown.max(1) - 1;
    let told = page.entry.and_then(|entry| entry.scales.get(step)).map(String::as_str);
    let decides = told.unwrap_or(DECIDES[step.min(DECIDES.len() - 1)]);
    let edge = edge(config, shown);
    let before = if step == 0 { 0 } else { edge / 2 };
    let numbers = config.channels * (edge * edge - before * before);
    let more = if step == 0 { "" } else { " more" };
    format!("{edge}×{edge} decides {decides}: {}{more} numbers.", grouped(numbers))
}

#[cfg(test)]
mod tests {
    use super::super::super::Scene;
    use super::*;
    use crate::index::ModelEntry;
    use crate::protocol::Drawing;
    use shared::Temperature;

    #[test]
    fn a_magnetisation_has_its_sign() {
        assert_eq!(magnetisation(None), "");
        assert_eq!(magnetisation(Some(0.617)), " Its mean, the magnetisation, is +0.62.");
        assert_eq!(magnetisation(Some(-0.617)), " Its mean, the magnetisation, is −0.62.");
        assert_eq!(magnetisation(Some(-0.001)), " Its mean, the magnetisation, is +0.00.");
    }

    #[test]
    fn captions_count_what_a_scale_adds() {
        let config = RgFlowConfig::tiny();
        let entry = ModelEntry { scales: vec!["the sky".into()], ..ModelEntry::default() };
        let drawing = Drawing::independent(Temperature::uniform(1.0));
        let scene = |entry| Scene {
            info: None,
            entry,
            drawing: drawing.clone(),
            seed: 1,
            seed_refused: false,
            smooth: true,
            preview: &[],
            twin: None,
            racer: None,
        };
        assert_eq!(caption(&scene(Some(&entry)), &config, 1), "4×4 decides the sky: 48 numbers.");
        assert_eq!(
            caption(&scene(Some(&entry)), &config, 2),
            "8×8 decides large shapes and where they are: 144 more numbers."
        );
        let all: usize = 48 + 144 + 576;
        assert_eq!((caption(&scene(None), &config, 3).contains("576 more"), all), (true, config.dims()));
    }
}
