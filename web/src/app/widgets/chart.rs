//! Small charts, as SVG: the style sheet colours them, and a screen reader gets them in words.

use web_sys::{Document, Element};

use super::dom::by_id;
use crate::error::Result;

const SVG: &str = "http://www.w3.org/2000/svg";

/// Which end of a text stands at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The first letter.
    Start,
    /// The middle.
    Middle,
    /// The last letter.
    End,
}

/// An `svg` element; everything is placed in the units of its `viewBox`.
pub struct Chart {
    document: Document,
    element: Element,
}

impl Chart {
    /// The element of that id.
    ///
    /// # Errors
    /// [`crate::Error::Browser`] if the page lacks it.
    pub fn by_id(document: &Document, id: &str) -> Result<Self> {
        Ok(Self { document: document.clone(), element: by_id(document, id)? })
    }

    /// Empties it, and says what will be seen.
    pub fn begin(&self, label: &str) {
        self.element.set_text_content(None);
        let _ = self.element.set_attribute("aria-label", label);
    }

    /// A line through points.
    ///
    /// # Errors
    /// [`crate::Error::Browser`] if the browser refuses.
    pub fn line(&self, points: &[(f64, f64)], class: &str) -> Result<()> {
        let points: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        self.add("polyline", class, &[("points", &points.join(" "))]).map(drop)
    }

    /// A dot.
    ///
    /// # Errors
    /// As [`Chart::line`].
    pub fn dot(&self, (x, y): (f64, f64), radius: f64, class: &str) -> Result<()> {
        let numbers = [x, y, radius].map(|v| format!("{v:.1}"));
        self.add("circle", class, &[("cx", &numbers[0]), ("cy", &numbers[1]), ("r", &numbers[2])]).map(drop)
    }

    /// A rectangle from its upper left corner, with its width and height.
    ///
    /// # Errors
    /// As [`Chart::line`].
    pub fn bar(&self, (x, y): (f64, f64), (width, height): (f64, f64), class: &str) -> Result<()> {
        let numbers = [x, y, width, height].map(|v| format!("{v:.1}"));
        let names = ["x", "y", "width", "height"];
        let attributes: Vec<_> = names.into_iter().zip(numbers.iter().map(String::as_str)).collect();
        self.add("rect", class, &attributes).map(drop)
    }

    /// A text.
    ///
    /// # Errors
    /// As [`Chart::line`].
    pub fn text(&self, (x, y): (f64, f64), text: &str, anchor: Anchor, class: &str) -> Result<()> {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let numbers = [x, y].map(|v| format!("{v:.1}"));
        let attributes = [("x", numbers[0].as_str()), ("y", &numbers[1]), ("text-anchor", anchor)];
        self.add("text", class, &attributes)?.set_text_content(Some(text));
        Ok(())
    }

    fn add(&self, tag: &str, class: &str, attributes: &[(&str, &str)]) -> Result<Element> {
        let element = self.document.create_element_ns(Some(SVG), tag)?;
        element.set_attribute("class", class)?;
        for (name, value) in attributes {
            element.set_attribute(name, value)?;
        }
        self.element.append_child(&element)?;
        Ok(element)
    }
}

/// Where a positive number stands on a logarithmic scale between two others, as a share of the way.
pub fn log_share(value: f64, from: f64, to: f64) -> f64 {
    (value.max(f64::MIN_POSITIVE) / from).ln() / (to / from).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decade_is_as_long_as_any_other() {
        assert!((log_share(100.0, 10.0, 1000.0) - 0.5).abs() < 1e-9);
        assert!(log_share(10.0, 10.0, 1000.0).abs() < 1e-9 && log_share(0.0, 10.0, 1000.0) < 0.0);
    }
}
