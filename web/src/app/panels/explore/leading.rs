//! The latents with the strongest receptive fields.

use std::cell::RefCell;
use std::rc::Rc;

use shared::RgFlowConfig;
use shared::geometry::Levels;
use web_sys::{Document, HtmlButtonElement, HtmlElement};

use super::state::{Explore, ExploreEvent, LEADING};
use crate::app::dispatch::Dispatch;
use crate::app::panels::Site;
use crate::app::widgets::board::Layer;
use crate::app::widgets::canvas::is_new;
use crate::app::widgets::chart::{Anchor, Chart};
use crate::app::widgets::dom::{by_id, create, create_button, on, on_able_click, set_able, set_columns, set_text};
use crate::app::widgets::numbers::grouped;
use crate::app::widgets::slider::Slider;
use crate::error::Result;
use crate::protocol::{Factor, Leading, STRENGTH_BINS};

/// What a field is drawn with.
const FIELD: [u8; 3] = [255, 138, 40];

/// The elements.
pub struct LeadingView {
    document: Document,
    dispatch: Dispatch<ExploreEvent>,
    /// Follows a choice.
    chosen: Rc<dyn Fn()>,
    slider: Slider,
    search: HtmlButtonElement,
    rows: HtmlElement,
    strengths: HtmlElement,
    chart: Chart,
    shown: RefCell<Option<Rc<Leading>>>,
}

impl LeadingView {
    pub fn new(site: &Site<'_, ExploreEvent>, chosen: Rc<dyn Fn()>, slider: &Slider) -> Result<Self> {
        let view = Self {
            document: site.document.clone(),
            dispatch: Rc::clone(&site.own),
            chosen,
            slider: slider.clone(),
            search: by_id(site.document, "explore-search")?,
            rows: by_id(site.document, "explore-leading")?,
            strengths: by_id(site.document, "explore-strengths")?,
            chart: Chart::by_id(site.document, "explore-strengths-chart")?,
            shown: RefCell::default(),
        };
        set_columns(&view.rows, LEADING)?;
        let d = Rc::clone(&site.own);
        on_able_click(&view.search, move || d(ExploreEvent::Search));
        Ok(view)
    }

    pub fn render(&self, explore: &Explore, config: &RgFlowConfig) {
        let searching = explore.is_searching();
        set_able(&self.search, !searching && explore.leading.is_none());
        let label =
            if searching { &explore.so_far("Searching", &[&explore.search]) } else { "Find the leading latents" };
        set_text(&self.search, label);
        if is_new(self.shown.borrow().as_ref(), explore.leading.as_ref()) {
            let (levels, histogram) =
                explore.leading.as_deref().map_or((&[][..], &[][..]), |found| (&found.levels, &found.histogram));
            let _ = self.show(levels, config);
            self.strengths.set_hidden(histogram.is_empty());
            let _ = self.draw(histogram);
            self.shown.replace(explore.leading.clone());
        }
    }

    /// A row for each level, coarsest first: each latent's field, which is a button.
    fn show(&self, levels: &[Vec<Factor>], config: &RgFlowConfig) -> Result<()> {
        self.rows.set_text_content(None);
        for (level, factors) in levels.iter().enumerate().rev() {
            let row: HtmlElement = create(&self.document, "div")?;
            row.set_class_name("factors");
            let name: HtmlElement = create(&self.document, "b")?;
            name.set_text_content(Some(&format!("Level {level}")));
            row.append_child(&name)?;
            for factor in factors {
                if let Some(button) = self.button(factor, config)? {
                    row.append_child(&button)?;
                }
            }
            self.rows.append_child(&row)?;
        }
        Ok(())
    }

    /// How many latents have which strength, a row for each level, coarsest first.
    fn draw(&self, levels: &[Vec<u32>]) -> Result<()> {
        self.chart.begin(&in_words(levels));
        let (count, [from, to]) = STRENGTH_BINS;
        let (left, wide) = (62.0, 382.0);
        let width = wide / count as f64;
        let height = 240.0 / levels.len().max(1) as f64;
        for (row, (level, bins)) in levels.iter().enumerate().rev().enumerate() {
            let bottom = height * (row + 1) as f64;
            self.chart.text((left - 8.0, bottom - 4.0), &format!("Level {level}"), Anchor::End, "")?;
            self.chart.line(&[(left, bottom), (left + wide, bottom)], "grid-line")?;
            let most = f64::from(bins.iter().copied().max().unwrap_or(1).max(1));
            for (i, &bin) in bins.iter().enumerate().filter(|&(_, &bin)| bin > 0) {
                let tall = (height - 8.0) * f64::from(bin) / most;
                self.chart.bar((left + i as f64 * width + 0.5, bottom - tall), (width - 1.0, tall), "bar")?;
            }
        }
        for power in from as i32..=to as i32 {
            let x = left + wide * f64::from(power as f32 - from) / f64::from(to - from);
            let text = if power < 0 { format!("{}", 10f64.powi(power)) } else { grouped(10usize.pow(power as u32)) };
            self.chart.text((x, 256.0), &text, Anchor::Middle, "")?;
            if power == 0 {
                self.chart.line(&[(x, 4.0), (x, 240.0)], "curve-1")?;
            }
        }
        Ok(())
    }

    fn button(&self, factor: &Factor, config: &RgFlowConfig) -> Result<Option<HtmlButtonElement>> {
        let Ok(at) = Levels::new(config).address(factor.index as usize) else { return Ok(None) };
        let button = create_button(&self.document, "cell")?;
        let place = format!("Latent of level {}, row {}, column {}", at.level, at.row + 1, at.col + 1);
        button.set_attribute("aria-label", &format!("{place}: choose it"))?;
        let layer = Layer::create(&self.document)?;
        if let Some(marks) = layer.marks_of(config.size, &factor.index) {
            marks.heat(&factor.field, FIELD);
        }
        button.append_child(layer.canvas())?;
        let (d, chosen, slider) = (Rc::clone(&self.dispatch), Rc::clone(&self.chosen), self.slider.clone());
        on(&button, "click", move |_| {
            d(ExploreEvent::Latent(at));
            chosen();
            // Arrow keys move it.
            let _ = slider.input().focus();
        });
        Ok(Some(button))
    }
}

/// The chart for a screen reader.
fn in_words(levels: &[Vec<u32>]) -> String {
    let (count, [from, to]) = STRENGTH_BINS;
    // The bin that begins with a strength of one.
    let one = (count as f32 * -from / (to - from)).round() as usize;
    let of = |(level, bins): (usize, &Vec<u32>)| {
        let above: u32 = bins.iter().skip(one).sum();
        format!("level {level}: {above} of {} above one", bins.iter().sum::<u32>())
    };
    format!("Strengths of the latents. {}", levels.iter().enumerate().rev().map(of).collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strengths_above_one_are_counted() {
        let mut bins = vec![0; STRENGTH_BINS.0];
        (bins[9], bins[10], bins[29]) = (5, 2, 1);
        assert_eq!(in_words(&[bins]), "Strengths of the latents. level 0: 3 of 8 above one");
    }
}
