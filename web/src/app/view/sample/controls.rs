//! What the reader can set.

use std::cell::RefCell;

use shared::Temperature;
use wasm_bindgen::JsCast;
use web_sys::{Document, HtmlButtonElement, HtmlElement, HtmlInputElement};

use crate::app::Dispatch;
use crate::app::state::{Event, State};
use crate::app::view::dom::{by_id, create, on, set_text, set_value};
use crate::error::Result;
use crate::fragment::{MAX_SEED, MAX_TEMPERATURE, number, parse_factor, uniform};

/// New seeds are below this: short enough to be read out.
const SEEDS: f64 = 1e6;

/// The elements.
pub struct ControlsView {
    document: Document,
    dispatch: Dispatch,
    fresh: HtmlButtonElement,
    mix: HtmlButtonElement,
    own: HtmlButtonElement,
    temperature: Slider,
    seed: HtmlInputElement,
    seed_error: HtmlElement,
    levels: HtmlElement,
    sliders: RefCell<Vec<Slider>>,
}

/// A slider and the number beside it.
struct Slider {
    input: HtmlInputElement,
    output: HtmlElement,
}

impl Slider {
    fn set(&self, value: f32) {
        set_value(&self.input, &number(value));
        set_text(&self.output, &format!("{value:.2}"));
    }

    fn listen(&self, dispatch: &Dispatch, event: impl Fn(f32) -> Event + 'static) {
        let (dispatch, input) = (dispatch.clone(), self.input.clone());
        on(&self.input, "input", move |_| {
            if let Some(value) = parse_factor(&input.value()) {
                dispatch(event(value));
            }
        });
    }
}

impl ControlsView {
    pub fn new(document: &Document, dispatch: &Dispatch) -> Result<Self> {
        let view = Self {
            document: document.clone(),
            dispatch: dispatch.clone(),
            fresh: by_id(document, "new-samples")?,
            mix: by_id(document, "paper-mix")?,
            own: by_id(document, "own-mix")?,
            temperature: Slider {
                input: by_id(document, "temperature")?,
                output: by_id(document, "temperature-value")?,
            },
            seed: by_id(document, "seed")?,
            seed_error: by_id(document, "seed-error")?,
            levels: by_id(document, "level-sliders")?,
            sliders: RefCell::default(),
        };
        view.temperature.listen(dispatch, Event::Uniform);
        let d = dispatch.clone();
        on(&view.fresh, "click", move |_| d(Event::NewSamples((js_sys::Math::random() * SEEDS) as u64)));
        let d = dispatch.clone();
        on(&view.mix, "click", move |_| d(Event::Temperatures(Some(Temperature::mixed(0.8, 0.2, 1)))));
        let d = dispatch.clone();
        on(&view.own, "click", move |_| d(Event::Temperatures(None)));
        let (d, seed) = (dispatch.clone(), view.seed.clone());
        on(&view.seed, "change", move |_| d(Event::SeedTyped(seed.value())));
        Ok(view)
    }

    pub fn render(&self, state: &State) {
        let ready = state.info.is_some();
        for button in [&self.fresh, &self.mix, &self.own] {
            button.set_disabled(!ready);
        }
        let temperature = &state.temperature();
        match uniform(temperature) {
            Some(t) => self.temperature.set(t),
            None => {
                let count = state.level_count().max(temperature.levels.len());
                let sum: f32 = (0..count).map(|level| temperature.at(level)).sum();
                set_value(&self.temperature.input, &number(sum / count as f32));
                set_text(&self.temperature.output, "mixed");
            }
        }
        // What is no seed stays in its field, beside the message about it.
        if !state.seed_refused {
            set_value(&self.seed, &state.settings.seed.0.to_string());
        }
        let _ = self.seed.set_attribute("aria-invalid", if state.seed_refused { "true" } else { "false" });
        let error = format!("A seed is a whole number from 0 to {MAX_SEED}.");
        set_text(&self.seed_error, if state.seed_refused { &error } else { "" });
        if let Some(info) = &state.info {
            let _ = self.fit_sliders(info.config.levels.len(), info.config.size);
            for (level, slider) in self.sliders.borrow().iter().enumerate() {
                slider.set(temperature.at(level));
            }
        }
    }

    /// One slider a level, coarsest first, as a picture is made.
    fn fit_sliders(&self, count: usize, size: usize) -> Result<()> {
        if self.sliders.borrow().len() == count {
            return Ok(());
        }
        self.levels.set_text_content(None);
        let mut sliders = Vec::new();
        for level in 0..count {
            let row: HtmlElement = create(&self.document, "div")?;
            row.set_class_name("slider");
            let label: HtmlElement = create(&self.document, "label")?;
            let id = format!("temperature-{level}");
            label.set_attribute("for", &id)?;
            let edge = size >> level;
            let what = match level {
                0 => "finest, ",
                _ if level + 1 == count => "coarsest, ",
                _ => "",
            };
            label.set_text_content(Some(&format!("Level {level} ({what}{edge}×{edge})")));
            let output: HtmlElement = create(&self.document, "output")?;
            output.set_attribute("for", &id)?;
            let input: HtmlInputElement = create(&self.document, "input")?;
            input.set_id(&id);
            for (name, value) in [("type", "range"), ("min", "0"), ("step", "0.05")] {
                input.set_attribute(name, value)?;
            }
            input.set_max(&number(MAX_TEMPERATURE));
            for child in [&label, &output, input.unchecked_ref()] {
                row.append_child(child)?;
            }
            self.levels.insert_before(&row, self.levels.first_child().as_ref())?;
            let slider = Slider { input, output };
            slider.listen(&self.dispatch, move |t| Event::Level(level, t));
            sliders.push(slider);
        }
        self.sliders.replace(sliders);
        Ok(())
    }
}
