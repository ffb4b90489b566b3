//! Sliders for the leading directions of encoded pictures.

use std::rc::Rc;

use web_sys::{Document, Element, HtmlElement};

use super::address::ExploreSettings;
use super::state::{Explore, ExploreEvent};
use crate::address::rounded;
use crate::app::dispatch::Dispatch;
use crate::app::panels::Site;
use crate::app::widgets::dom::{by_id, capital};
use crate::app::widgets::list::List;
use crate::app::widgets::slider::{Scale, Slider};
use crate::error::Result;
use crate::index::ModelEntry;

/// How far the sliders go, in standard deviations.
const END: f32 = 3.0;

/// The elements.
pub struct DirectionsView {
    document: Document,
    dispatch: Dispatch<ExploreEvent>,
    block: HtmlElement,
    sliders: List<(usize, String), Slider>,
}

impl DirectionsView {
    pub fn new(site: &Site<'_, ExploreEvent>) -> Result<Self> {
        Ok(Self {
            document: site.document.clone(),
            dispatch: Rc::clone(&site.own),
            block: by_id(site.document, "explore-directions")?,
            sliders: List::by_id(site.document, "explore-direction-sliders")?,
        })
    }

    /// `expected`: whether the model has directions, of which nothing may be known yet.
    pub fn render(&self, explore: &Explore, settings: &ExploreSettings, entry: Option<&ModelEntry>, expected: bool) {
        // Its room is kept: what stands below would move.
        self.block.set_hidden(explore.places.is_empty() && !expected);
        let names = entry.map_or(&[][..], |entry| &entry.directions);
        let name = |k: usize| {
            let known = names.get(k).filter(|name| !name.is_empty());
            known.map_or_else(|| format!("Direction {}", k + 1), |name| capital(name))
        };
        // Those that say what they do come first.
        let mut order: Vec<usize> = (0..explore.places.len()).collect();
        order.sort_by_key(|&k| names.get(k).is_none_or(String::is_empty));
        let _ = self.sliders.fit(order.into_iter().map(|k| (k, name(k))), |(k, name)| self.slider(*k, name));
        self.sliders.for_each(|&(k, _), slider| {
            if let Some(place) = explore.place(settings, k) {
                slider.show(place, &format!("{:+.2} σ", rounded(place)));
            }
        });
    }

    fn slider(&self, k: usize, name: &str) -> Result<(Element, Slider)> {
        let ends = Scale { min: -END, max: END, step: 0.05 };
        let (row, slider) = Slider::create(&self.document, &format!("explore-direction-{k}"), name, ends)?;
        let d = Rc::clone(&self.dispatch);
        slider.on_input(move |to| d(ExploreEvent::Direction(k, to)));
        let d = Rc::clone(&self.dispatch);
        slider.on_change(move || d(ExploreEvent::Settled));
        Ok((row.into(), slider))
    }
}
