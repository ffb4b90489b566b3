//! The chart of bits by scale.

use std::cell::RefCell;

use shared::DataKind;
use web_sys::{Document, HtmlElement};

use super::bits::{self, ScaleBits, UNUSUAL, in_words, said, scales};
use super::state::Sample;
use crate::app::panels::Scene;
use crate::app::widgets::chart::{Anchor, Chart};
use crate::app::widgets::dom::{by_id, set_text};
use crate::error::Result;

/// The plot's left and right border, its first line and the height of all, in the chart's own units.
const PLOT: [f64; 4] = [62.0, 250.0, 20.0, 130.0];
/// Deviations from the middle to either border.
const REACH: f64 = 6.0;

/// The elements.
pub struct BitsView {
    chart: Chart,
    /// Opens the card that says what is counted.
    word: HtmlElement,
    title: HtmlElement,
    says: HtmlElement,
    drawn: RefCell<Vec<ScaleBits>>,
}

impl BitsView {
    pub fn new(document: &Document) -> Result<Self> {
        Ok(Self {
            chart: Chart::by_id(document, "bits-chart")?,
            word: by_id(document, "bits-word")?,
            title: by_id(document, "bits-title")?,
            says: by_id(document, "bits-says")?,
            drawn: RefCell::default(),
        })
    }

    pub fn render(&self, panel: &Sample, page: &Scene<'_>) {
        // Another picture's stay until this one's are there.
        let (Some(info), Some(bits)) = (page.info, panel.scale_bits()) else { return };
        let usual = page.entry.map_or(&[][..], |entry| &entry.usual);
        let scales = scales(&info.config, bits, usual);
        if *self.drawn.borrow() != scales {
            let kind = page.kind();
            let _ = self.draw(&scales, kind);
            let whose = if kind == DataKind::Field { "field" } else { "picture" };
            set_text(&self.word, kind.unit());
            set_text(&self.title, &format!("The {whose}’s {} by scale", bits::unit(kind)));
            set_text(&self.says, &said(&scales, kind));
            self.drawn.replace(scales);
        }
    }

    /// A line for each scale: a bar from the mean of real pictures, over the span that is usual.
    fn draw(&self, scales: &[ScaleBits], kind: DataKind) -> Result<()> {
        let [left, right, top, height] = PLOT;
        let (middle, unit) = ((left + right) / 2.0, (right - left) / 2.0 / REACH);
        let line = height / scales.len().max(1) as f64;
        self.chart.begin(&in_words(scales, kind));
        if scales.iter().any(|scale| scale.usual.is_some()) {
            self.chart.text((left, 12.0), "fewer", Anchor::Start, "")?;
            self.chart.text((middle, 12.0), "usual", Anchor::Middle, "")?;
            self.chart.text((right, 12.0), &format!("more {}", bits::unit(kind)), Anchor::End, "")?;
        }
        for (i, scale) in scales.iter().enumerate() {
            let y = top + line * i as f64;
            let name = format!("{0}×{0}", scale.edge);
            self.chart.text((left - 8.0, y + line / 2.0 + 4.5), &name, Anchor::End, "strong")?;
            self.chart.text((right + 8.0, y + line / 2.0 + 4.5), &scale.numbers(kind), Anchor::Start, "")?;
            let Some(distance) = scale.distance() else { continue };
            let usual = f64::from(UNUSUAL) * unit;
            self.chart.bar((middle - usual, y + 2.0), (2.0 * usual, line - 4.0), "span")?;
            let to = f64::from(distance).clamp(-REACH, REACH) * unit;
            self.chart.bar((middle + to.min(0.0), y + line / 2.0 - 4.0), (to.abs(), 8.0), "bar")?;
        }
        if scales.iter().any(|scale| scale.usual.is_some()) {
            self.chart.line(&[(middle, top), (middle, top + height)], "")?;
        }
        Ok(())
    }
}
