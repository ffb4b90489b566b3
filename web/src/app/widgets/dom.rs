//! The little that every view needs of the DOM.

use gloo_events::{EventListener, EventListenerOptions};
use wasm_bindgen::JsCast;
use web_sys::{
    Document, Element, Event, EventTarget, HtmlButtonElement, HtmlElement, HtmlInputElement, Location,
    ScrollIntoViewOptions, ScrollLogicalPosition, Url,
};

use crate::error::{Error, Result};

/// New seeds are below this.
const NEW_SEEDS: f64 = 1e6;

/// The element `<html>`.
pub fn root(document: &Document) -> Result<HtmlElement> {
    let root = document.document_element().ok_or_else(|| Error::Browser("the page is empty".to_owned()))?;
    root.dyn_into().map_err(|_| Error::Browser("the page is not HTML".to_owned()))
}

/// The element of that id.
pub fn by_id<T: JsCast>(document: &Document, id: &str) -> Result<T> {
    let found = document.get_element_by_id(id).and_then(|element| element.dyn_into().ok());
    found.ok_or_else(|| Error::Browser(format!("the page lacks its element {id}")))
}

/// A new element.
pub fn create<T: JsCast>(document: &Document, tag: &str) -> Result<T> {
    document.create_element(tag)?.dyn_into().map_err(|_| Error::Browser(format!("{tag} is not what it should be")))
}

/// A new button, which submits nothing.
pub fn create_button(document: &Document, class: &str) -> Result<HtmlButtonElement> {
    let button: HtmlButtonElement = create(document, "button")?;
    button.set_type("button");
    button.set_class_name(class);
    Ok(button)
}

/// Listens for as long as the page is there.
pub fn on(target: &EventTarget, name: &'static str, mut f: impl FnMut(&Event) + 'static) {
    // Some listeners keep the browser from scrolling.
    let options = EventListenerOptions::enable_prevent_default();
    EventListener::new_with_options(target, name, options, move |event| f(event)).forget();
}

/// Listens to clicks on the button of that id.
pub fn on_click(document: &Document, id: &str, mut f: impl FnMut() + 'static) -> Result<()> {
    let button: HtmlButtonElement = by_id(document, id)?;
    on(&button, "click", move |_| f());
    Ok(())
}

/// Sets a field's value unless it is there already: setting it moves the cursor.
pub fn set_value(input: &HtmlInputElement, value: &str) {
    if input.value() != value {
        input.set_value(value);
    }
}

/// Sets an element's text unless it is there already: setting it makes screen readers repeat it.
pub fn set_text(element: &HtmlElement, text: &str) {
    if element.text_content().as_deref() != Some(text) {
        element.set_text_content(Some(text));
    }
}

/// Says whether a button that stays down is down.
pub fn set_pressed(button: &HtmlElement, pressed: bool) {
    let _ = button.set_attribute("aria-pressed", if pressed { "true" } else { "false" });
}

/// Tells the style sheet how many columns an element's children stand in.
pub fn set_columns(element: &HtmlElement, count: usize) -> Result<()> {
    Ok(element.style().set_property("--columns", &count.to_string())?)
}

/// Lets a button do something, or nothing for now. Unlike a disabled one it keeps the focus.
pub fn set_able(button: &HtmlButtonElement, able: bool) {
    let _ = button.set_attribute("aria-disabled", if able { "false" } else { "true" });
}

/// Listens to clicks on a button while it is able.
pub fn on_able_click(button: &HtmlButtonElement, mut f: impl FnMut() + 'static) {
    let clicked = button.clone();
    on(button, "click", move |_| {
        if clicked.get_attribute("aria-disabled").as_deref() != Some("true") {
            f();
        }
    });
}

/// A random seed, short enough to be read out.
pub fn fresh_seed() -> u64 {
    (js_sys::Math::random() * NEW_SEEDS) as u64
}

/// The address of the whole page, also from inside another one: without what that page chose, or this reader.
pub fn whole_page(location: &Location) -> Result<Url> {
    let url = Url::new(&location.href()?)?;
    for key in ["embed", "fit", "theme"] {
        url.search_params().delete(key);
    }
    Ok(url)
}

/// The class of the element that the tour speaks of.
pub const TOURED: &str = "toured";

/// Scrolls an element into view, no farther than needed.
pub fn reveal(element: &Element) {
    let options = ScrollIntoViewOptions::new();
    options.set_block(ScrollLogicalPosition::Nearest);
    element.scroll_into_view_with_scroll_into_view_options(&options);
}

/// With a capital letter at its start.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_begin_with_a_capital_letter() {
        assert_eq!((capital("an eye").as_str(), capital("").as_str()), ("An eye", ""));
    }
}
