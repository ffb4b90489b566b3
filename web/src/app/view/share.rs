//! What takes something out of the page: the link and the file.

use std::rc::Rc;

use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Document, HtmlButtonElement, HtmlElement, HtmlInputElement, Window};

use super::dom::{by_id, on, set_text};
use crate::app::state::{Phase, State};
use crate::error::{Error, Result};

/// The elements.
pub struct ShareView {
    save: HtmlButtonElement,
    told: HtmlElement,
}

impl ShareView {
    /// `save` hands out what the shown panel shows.
    pub fn new(document: &Document, save: impl Fn() -> Result<()> + 'static) -> Result<Self> {
        let told: HtmlElement = by_id(document, "told")?;
        let copy: HtmlButtonElement = by_id(document, "copy-link")?;
        let (heard, window) = (told.clone(), document.default_view());
        on(&copy, "click", move |_| {
            let (told, window) = (heard.clone(), window.clone());
            spawn_local(async move {
                set_text(&told, "");
                let text = match copy_link(window).await {
                    Ok(()) => "Link copied",
                    Err(_) => "Copy the link from the address bar",
                };
                set_text(&told, text);
            });
        });
        let button: HtmlButtonElement = by_id(document, "save")?;
        let heard = told.clone();
        on(&button, "click", move |_| {
            if let Err(error) = save() {
                set_text(&heard, &error.to_string());
            }
        });
        let smooth: HtmlInputElement = by_id(document, "smooth")?;
        let body = Rc::new(document.body().ok_or_else(|| Error::Browser("the page is empty".to_owned()))?);
        let (input, target) = (smooth.clone(), Rc::clone(&body));
        let show = move || {
            let _ = target.class_list().toggle_with_force("smooth", input.checked());
        };
        // A reload keeps the box as it was.
        show();
        on(&smooth, "change", move |_| show());
        Ok(Self { save: button, told })
    }

    pub fn render(&self, state: &State) {
        self.save.set_disabled(state.phase != Phase::Ready);
        // What was said is about the state before.
        set_text(&self.told, "");
    }
}

async fn copy_link(window: Option<Window>) -> Result<()> {
    let window = window.ok_or_else(|| Error::Browser("there is no window".to_owned()))?;
    let link = window.location().href()?;
    JsFuture::from(window.navigator().clipboard().write_text(&link)).await?;
    Ok(())
}
