//! Sliders for the leading directions of encoded pictures.

use std::rc::Rc;

use web_sys::{Document, Element, HtmlElement};

use super::address::ExploreSettings;
use super::state::{Explore, ExploreEvent};
use crate::app::dispatch::Dispatch;
use crate::app::panels::Site;
use crate::app::widgets::dom::{by_id, capital};
use crate::app::widgets::list::List;
use crate::app::widgets::numbers::signed;
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
    /// Those that nobody has named, where others have a name.
    more: HtmlElement,
    unnamed: List<(usize, String), Slider>,
}

impl DirectionsView {
    pub fn new(site: &Site<'_, ExploreEvent>) -> Result<Self> {
        Ok(Self {
            document: site.document.clone(),
            dispatch: Rc::clone(&site.own),
            block: by_id(site.document, "explore-directions")?,
            sliders: List::by_id(site.document, "explore-direction-sliders")?,
            more: by_id(site.document, "explore-more-directions")?,
            unnamed: List::by_id(site.document, "explore-more-sliders")?,
        })
    }

    /// `expected`: whether the model has directions, of which nothing may be known yet.
    pub fn render(&self, explore: &Explore, settings: &ExploreSettings, entry: Option<&ModelEntry>, expected: bool) {
        // Its room is kept: what stands below would move.
        self.block.set_hidden(explore.places.is_empty() && !expected);
        let names = entry.map_or(&[][..], |entry| &entry.directions);
        let [first, more] = in_order(names, explore.places.len());
        self.more.set_hidden(more.is_empty());
        for (list, those) in [(&self.sliders, first), (&self.unnamed, more)] {
            let _ = list.fit(those, |(k, name)| self.slider(*k, name));
            list.for_each(|&(k, _), slider| {
                if let Some(place) = explore.place(settings, k) {
                    slider.show(place, &format!("{} σ", signed(place, 2)));
                }
            });
        }
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

/// The directions by number, with what they are called: first those that say what they do, then the others, unless there
/// are only those.
fn in_order(names: &[String], count: usize) -> [Vec<(usize, String)>; 2] {
    let name = |k: usize| names.get(k).filter(|name| !name.is_empty());
    let (named, unnamed): (Vec<usize>, Vec<usize>) = (0..count).partition(|&k| name(k).is_some());
    let named = named.into_iter().filter_map(|k| Some((k, capital(name(k)?)))).collect::<Vec<_>>();
    let unnamed = unnamed.into_iter().map(|k| (k, format!("Direction {}", k + 1))).collect();
    if named.is_empty() { [unnamed, named] } else { [named, unnamed] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_with_a_name_come_first() {
        let names = ["", "closed mouth to smile"].map(str::to_owned);
        let of = |those: &[(usize, String)]| those.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>();
        let [first, more] = in_order(&names, 3);
        assert_eq!(
            (of(&first), of(&more)),
            (vec!["Closed mouth to smile".to_owned()], vec!["Direction 1".to_owned(), "Direction 3".to_owned()])
        );
        let [first, more] = in_order(&[], 2);
        assert_eq!((first.len(), more.len()), (2, 0));
    }
}
