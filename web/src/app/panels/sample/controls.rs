//! What the reader can set for all samples.

use std::rc::Rc;

use shared::Temperature;
use shared::sampler::Latents;
use web_sys::{Document, HtmlButtonElement, HtmlElement, HtmlInputElement};

use super::state::SampleEvent;
use crate::address::{MAX_SEED, MAX_TEMPERATURE, uniform};
use crate::app::dispatch::Dispatch;
use crate::app::event::Event;
use crate::app::panels::{Scene, Site};
use crate::app::widgets::dom::{by_id, create_button, fresh_seed, on, set_pressed, set_text, set_value};
use crate::app::widgets::list::List;
use crate::app::widgets::slider::{Scale, Slider};
use crate::error::Result;

const TEMPERATURES: Scale = Scale { min: 0.0, max: MAX_TEMPERATURE, step: 0.05 };

/// The elements.
pub struct ControlsView {
    document: Document,
    page: Dispatch<Event>,
    fresh: HtmlButtonElement,
    independent: HtmlInputElement,
    joint: HtmlElement,
    mix: HtmlButtonElement,
    own: HtmlButtonElement,
    temperature: Slider,
    seed: HtmlInputElement,
    seed_error: HtmlElement,
    /// Seeds that are known to be good.
    good: List<u64, HtmlButtonElement>,
    good_row: HtmlElement,
    /// A slider for each level, number of levels and edge.
    levels: List<(usize, usize, usize), Slider>,
}

impl ControlsView {
    pub fn new(site: &Site<'_, SampleEvent>) -> Result<Self> {
        let document = site.document;
        let view = Self {
            document: document.clone(),
            page: Rc::clone(&site.page),
            fresh: by_id(document, "new-samples")?,
            independent: by_id(document, "independent")?,
            joint: by_id(document, "joint")?,
            mix: by_id(document, "paper-mix")?,
            own: by_id(document, "own-mix")?,
            temperature: Slider::by_id(document, "temperature", TEMPERATURES)?,
            seed: by_id(document, "seed")?,
            seed_error: by_id(document, "seed-error")?,
            good: List::by_id(document, "seed-good")?,
            good_row: by_id(document, "seed-good-row")?,
            levels: List::reversed_by_id(document, "level-sliders")?,
        };
        let page = Rc::clone(&site.page);
        view.temperature.on_input(move |t| page(Event::Uniform(t)));
        let page = Rc::clone(&site.page);
        on(&view.fresh, "click", move |_| page(Event::NewSamples(fresh_seed())));
        let page = Rc::clone(&site.page);
        on(&view.mix, "click", move |_| page(Event::Temperatures(Some(Temperature::mixed(0.8, 0.2, 1)))));
        let page = Rc::clone(&site.page);
        on(&view.own, "click", move |_| page(Event::Temperatures(None)));
        let (page, box_) = (Rc::clone(&site.page), view.independent.clone());
        on(&view.independent, "change", move |_| {
            page(Event::Latents(if box_.checked() { Latents::Independent } else { Latents::Joint }));
        });
        let (page, seed) = (Rc::clone(&site.page), view.seed.clone());
        on(&view.seed, "change", move |_| page(Event::SeedTyped(seed.value())));
        Ok(view)
    }

    pub fn render(&self, page: &Scene<'_>) {
        for button in [&self.fresh, &self.mix, &self.own] {
            button.set_disabled(page.info.is_none());
        }
        let temperature = &page.drawing.temperature;
        // Only a model with a sampler leaves the choice.
        self.joint.set_hidden(!page.info.is_some_and(|info| info.joint));
        self.independent.set_checked(page.drawing.latents == Latents::Independent);
        match uniform(temperature) {
            Some(t) => self.temperature.show(t, &format!("{t:.2}")),
            None => {
                let count = page.level_count().max(temperature.levels.len());
                let sum: f32 = (0..count).map(|level| temperature.at(level)).sum();
                self.temperature.show(sum / count as f32, "one for each level");
            }
        }
        // What is not a seed stays in its field, beside the message about it.
        if !page.seed_refused {
            set_value(&self.seed, &page.seed.to_string());
        }
        let _ = self.seed.set_attribute("aria-invalid", if page.seed_refused { "true" } else { "false" });
        let error = format!("A seed is a whole number from 0 to {MAX_SEED}.");
        set_text(&self.seed_error, if page.seed_refused { &error } else { "" });
        let seeds = page.entry.map_or(&[][..], |entry| &entry.seeds);
        self.good_row.set_hidden(seeds.is_empty());
        let _ = self.good.fit(seeds.iter().copied(), |&seed| self.good_seed(seed));
        self.good.for_each(|&seed, button| set_pressed(button, seed == page.seed));
        if let Some(info) = page.info {
            let count = info.config.level_count();
            let keys = (0..count).map(|level| (level, count, info.config.size >> level));
            let _ = self.levels.fit(keys, |key| self.level(*key));
            self.levels.for_each(|&(level, ..), slider| {
                let t = temperature.at(level);
                slider.show(t, &format!("{t:.2}"));
            });
        }
    }

    fn good_seed(&self, seed: u64) -> Result<(web_sys::Element, HtmlButtonElement)> {
        let button = create_button(&self.document, "button compact chip")?;
        button.set_text_content(Some(&seed.to_string()));
        let page = Rc::clone(&self.page);
        on(&button, "click", move |_| page(Event::NewSamples(seed)));
        Ok((button.clone().into(), button))
    }

    fn level(&self, (level, count, edge): (usize, usize, usize)) -> Result<(web_sys::Element, Slider)> {
        let what = match level {
            0 => "finest, ",
            _ if level + 1 == count => "coarsest, ",
            _ => "",
        };
        let label = format!("Level {level} ({what}{edge}×{edge})");
        let (row, slider) = Slider::create(&self.document, &format!("temperature-{level}"), &label, TEMPERATURES)?;
        let page = Rc::clone(&self.page);
        slider.on_input(move |t| page(Event::Level(level, t)));
        Ok((row.into(), slider))
    }
}
