//! A slider, and the text beside it.

use std::cell::Cell;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Document, HtmlElement, HtmlInputElement};

use super::dom::{by_id, create, on, set_text, set_value};
use crate::address::number;
use crate::error::Result;

/// The values that a slider can have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The smallest.
    pub min: f32,
    /// The largest.
    pub max: f32,
    /// Between two neighbours, a multiple of 0.01.
    pub step: f32,
}

/// The elements.
#[derive(Clone)]
pub struct Slider {
    input: HtmlInputElement,
    output: Option<HtmlElement>,
}

impl Slider {
    /// The slider of that id, and the `output` beside it if there is one.
    ///
    /// # Errors
    /// [`crate::Error::Browser`] if the page lacks it.
    pub fn by_id(document: &Document, id: &str, scale: Scale) -> Result<Self> {
        let input: HtmlInputElement = by_id(document, id)?;
        let output = input.parent_element().and_then(|row| row.query_selector("output").ok().flatten());
        Self { input, output: output.and_then(|output| output.dyn_into().ok()) }.with(scale)
    }

    /// A new slider in a row with its label.
    ///
    /// # Errors
    /// [`crate::Error::Browser`] if the browser refuses.
    pub fn create(document: &Document, id: &str, label: &str, scale: Scale) -> Result<(HtmlElement, Self)> {
        let row: HtmlElement = create(document, "div")?;
        row.set_class_name("slider");
        let (name, output): (HtmlElement, HtmlElement) = (create(document, "label")?, create(document, "output")?);
        name.set_text_content(Some(label));
        let input: HtmlInputElement = create(document, "input")?;
        input.set_type("range");
        input.set_id(id);
        for element in [&name, &output] {
            element.set_attribute("for", id)?;
        }
        for child in [&name, &output, input.unchecked_ref()] {
            row.append_child(child)?;
        }
        Ok((row, Self { input, output: Some(output) }.with(scale)?))
    }

    fn with(self, scale: Scale) -> Result<Self> {
        for (name, value) in [("min", scale.min), ("max", scale.max), ("step", scale.step)] {
            self.input.set_attribute(name, &number(value))?;
        }
        Ok(self)
    }

    /// The element that is moved.
    pub fn input(&self) -> &HtmlInputElement {
        &self.input
    }

    /// Its value.
    pub fn value(&self) -> Option<f32> {
        self.input.value().parse().ok()
    }

    /// Shows a value, and a text about it.
    pub fn show(&self, value: f32, text: &str) {
        set_value(&self.input, &number(value));
        self.say(text);
    }

    /// Shows a text about the value.
    pub fn say(&self, text: &str) {
        if let Some(output) = &self.output {
            set_text(output, text);
        }
    }

    /// Tells `f` of each value while it moves.
    pub fn on_input(&self, f: impl Fn(f32) + 'static) {
        let f = Rc::new(f);
        let (slider, moved) = (self.clone(), Rc::clone(&f));
        on(&self.input, "input", move |_| {
            if let Some(value) = slider.value() {
                moved(value);
            }
        });
        // A finger that scrolls may start on a slider, which jumps to it first and has to jump back.
        let before = Rc::new(Cell::new(None));
        let (slider, value) = (self.clone(), Rc::clone(&before));
        on(&self.input, "pointerdown", move |_| value.set(slider.value()));
        let slider = self.clone();
        on(&self.input, "pointercancel", move |_| {
            if let Some(value) = before.take().filter(|&value| slider.value() != Some(value)) {
                set_value(&slider.input, &number(value));
                f(value);
            }
        });
    }

    /// Tells `f` when it was let go.
    pub fn on_change(&self, f: impl Fn() + 'static) {
        on(&self.input, "change", move |_| f());
    }
}
