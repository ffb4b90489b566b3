//! Sharing: the link, the saved file, and whether pictures look smooth in both.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    Clipboard, Document, HtmlAnchorElement, HtmlButtonElement, HtmlDocument, HtmlElement, HtmlInputElement, Location,
    Window,
};

use super::state::{Phase, State};
use crate::app::dispatch::Dispatch;
use crate::app::event::Event;
use crate::app::widgets::dom::{by_id, on, set_text, whole_page};
use crate::error::{Error, Result};

/// How an address spells that a picture is the reader's own.
const OWN: &str = "=own.";

/// The elements.
pub struct ShareView {
    document: Document,
    window: Window,
    page: Dispatch<Event>,
    body: HtmlElement,
    copy: HtmlButtonElement,
    save: HtmlButtonElement,
    told: HtmlElement,
    /// The link itself, where it cannot be copied otherwise.
    link: HtmlInputElement,
    smooth: HtmlInputElement,
    /// Leads from another page to the whole of this one.
    credit: HtmlAnchorElement,
    address: RefCell<String>,
    /// Whether the link lacks the reader's own weights.
    lacks_weights: Cell<bool>,
}

impl ShareView {
    /// `save` saves what the shown panel shows.
    pub fn new(
        document: &Document,
        page: &Dispatch<Event>,
        save: impl Fn() -> Result<()> + 'static,
    ) -> Result<Rc<Self>> {
        let missing = |what: &str| Error::Browser(format!("there is no {what}"));
        let view = Rc::new(Self {
            document: document.clone(),
            window: document.default_view().ok_or_else(|| missing("window"))?,
            page: page.clone(),
            body: document.body().ok_or_else(|| missing("body"))?,
            copy: by_id(document, "copy-link")?,
            save: by_id(document, "save")?,
            told: by_id(document, "told")?,
            link: by_id(document, "link")?,
            smooth: by_id(document, "smooth")?,
            credit: by_id(document, "credit")?,
            address: RefCell::default(),
            lacks_weights: Cell::default(),
        });
        let v = Rc::clone(&view);
        on(&view.copy, "click", move |_| {
            let view = Rc::clone(&v);
            spawn_local(async move { view.share().await });
        });
        let told = view.told.clone();
        on(&view.save, "click", move |_| {
            let said = save().map_or_else(|error| error.to_string(), |()| "Saved".to_owned());
            set_text(&told, &said);
        });
        let (d, input) = (page.clone(), view.smooth.clone());
        on(&view.smooth, "change", move |_| d(Event::Smooth(input.checked())));
        Ok(view)
    }

    pub fn render(&self, state: &State) {
        self.save.set_disabled(state.phase != Phase::Ready);
        self.smooth.set_checked(state.is_smooth());
        let _ = self.body.class_list().toggle_with_force("smooth", state.is_smooth());
        self.lacks_weights.set(state.has_own_weights());
        let address = state.address();
        if *self.address.borrow() != address {
            // What was said is about the state before.
            set_text(&self.told, "");
            self.link.set_hidden(true);
            if self.is_embedded()
                && let Ok(link) = link(&self.window.location(), &address)
            {
                self.credit.set_href(&link);
                self.credit.set_hidden(false);
            }
            self.address.replace(address);
        }
    }

    async fn share(&self) {
        set_text(&self.told, "");
        // For those who take it from there.
        (self.page)(Event::AddressWanted);
        let address = self.address.borrow().clone();
        let text = match link(&self.window.location(), &address) {
            Ok(link) => self.hand_out(&link).await.to_owned(),
            Err(error) => error.to_string(),
        };
        set_text(&self.told, &text);
    }

    /// Copies the link, and says so; or shows it to be copied by hand.
    async fn hand_out(&self, link: &str) -> &'static str {
        self.link.set_value(link);
        if write(&self.window, link).await.is_ok() || self.copy_selected() {
            self.link.set_hidden(true);
            return match (self.lacks_weights.get(), link.contains(OWN)) {
                (true, _) => "Link copied; the model, your own, is not in it",
                (false, true) => "Link copied, with your picture in it",
                (false, false) => "Link copied",
            };
        }
        if self.is_embedded() {
            "This browser does not let the page copy: copy the link from this field"
        } else {
            "This browser does not let the page copy: copy the link from the address bar or from this field"
        }
    }

    fn is_embedded(&self) -> bool {
        self.document.document_element().is_some_and(|root| root.has_attribute("data-embed"))
    }

    /// How old browsers copy, and pages without https.
    fn copy_selected(&self) -> bool {
        self.link.set_hidden(false);
        let _ = self.link.focus();
        self.link.select();
        let copied = self.document.dyn_ref::<HtmlDocument>().is_some_and(|d| d.exec_command("copy").unwrap_or(false));
        if copied {
            let _ = self.copy.focus();
        }
        copied
    }
}

/// The whole page's address with a fragment.
fn link(location: &Location, fragment: &str) -> Result<String> {
    let url = whole_page(location)?;
    url.set_hash(fragment);
    Ok(url.href())
}

async fn write(window: &Window, text: &str) -> Result<()> {
    // On an insecure origin there is no such thing.
    let clipboard = Reflect::get(&window.navigator(), &JsValue::from_str("clipboard"))?;
    if !clipboard.is_object() {
        return Err(Error::Browser("there is no clipboard".to_owned()));
    }
    JsFuture::from(clipboard.unchecked_into::<Clipboard>().write_text(text)).await?;
    Ok(())
}
