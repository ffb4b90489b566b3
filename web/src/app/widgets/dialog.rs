//! Dialogs, which the browser's Back button closes as Escape does.
//!
//! An open dialog has an entry of its own in the browser's history, with the address of the page behind it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, HtmlDialogElement, PopStateEvent, Window};

use super::dom::{by_id, on};
use crate::error::{Error, Result};

/// Marks the entry that a dialog's entry follows.
const BEHIND: &str = "behind a dialog";
/// Marks a dialog's entry.
pub const DIALOG: &str = "a dialog";

/// All dialogs of the page.
pub struct Dialogs {
    window: Window,
    /// Hears that the browser's address may be out of date.
    returned: Box<dyn Fn()>,
    /// Those with an entry, the one on top last.
    open: RefCell<Vec<HtmlDialogElement>>,
    /// Entries that are being taken back, which browsers do a moment later.
    leaving: Cell<usize>,
    /// Dialogs that opened meanwhile.
    waiting: RefCell<Vec<HtmlDialogElement>>,
    /// What is to be done then.
    then: RefCell<Vec<Box<dyn FnOnce()>>>,
}

impl Dialogs {
    /// Listens for the Back button. `returned` hears when the browser is back at an entry, which has the address from
    /// before the dialog.
    ///
    /// # Errors
    /// [`Error::Browser`] if there is no window.
    pub fn new(document: &Document, returned: impl Fn() + 'static) -> Result<Rc<Self>> {
        let window = document.default_view().ok_or_else(|| Error::Browser("there is no window".to_owned()))?;
        let dialogs = Rc::new(Self {
            window,
            returned: Box::new(returned),
            open: RefCell::default(),
            leaving: Cell::default(),
            waiting: RefCell::default(),
            then: RefCell::default(),
        });
        let d = Rc::clone(&dialogs);
        on(&dialogs.window, "popstate", move |event| {
            let state = event.dyn_ref::<PopStateEvent>().map_or(JsValue::NULL, PopStateEvent::state);
            d.moved(state.as_string().as_deref());
        });
        Ok(dialogs)
    }

    /// Whether a dialog has an entry.
    pub fn is_any_open(&self) -> bool {
        !self.open.borrow().is_empty()
    }

    /// The dialog of that id.
    pub fn by_id(self: &Rc<Self>, document: &Document, id: &str) -> Result<Dialog> {
        let element: HtmlDialogElement = by_id(document, id)?;
        let (dialogs, closed) = (Rc::clone(self), element.clone());
        on(&element, "close", move |_| {
            if !closed.open() {
                dialogs.closed(&closed);
            }
        });
        Ok(Dialog { element, dialogs: Rc::clone(self) })
    }

    /// Gives a dialog its entry. Where the browser refuses, Back leaves the page as it always did.
    fn enter(&self, dialog: &HtmlDialogElement) {
        if self.leaving.get() > 0 {
            self.waiting.borrow_mut().push(dialog.clone());
            return;
        }
        let entered = self.window.history().and_then(|history| {
            history.replace_state(&JsValue::from_str(BEHIND), "")?;
            history.push_state(&JsValue::from_str(DIALOG), "")
        });
        if entered.is_ok() {
            self.open.borrow_mut().push(dialog.clone());
        }
    }

    /// A dialog was closed otherwise: its entry goes too.
    fn closed(&self, dialog: &HtmlDialogElement) {
        self.waiting.borrow_mut().retain(|waiting| waiting != dialog);
        let place = self.open.borrow().iter().position(|open| open == dialog);
        if let Some(place) = place {
            self.open.borrow_mut().remove(place);
            self.take_back();
        }
    }

    /// Goes back by an entry, of which nobody else needs to hear.
    fn take_back(&self) {
        if self.window.history().and_then(|history| history.back()).is_ok() {
            self.leaving.set(self.leaving.get() + 1);
        }
    }

    /// The browser went to another entry of its history, with this mark.
    fn moved(&self, mark: Option<&str>) {
        if self.leaving.get() > 0 {
            self.leaving.set(self.leaving.get() - 1);
        } else {
            let top = self.open.borrow_mut().pop();
            let Some(dialog) = top else {
                // Forward, to a dialog that was left: it is not there any more, and neither is its entry.
                if mark == Some(DIALOG) {
                    self.take_back();
                }
                return;
            };
            dialog.close();
            // A link that was typed meanwhile is followed.
            if mark != Some(BEHIND) {
                return;
            }
        }
        (self.returned)();
        if self.leaving.get() == 0 {
            let (then, waiting) = (self.then.take(), self.waiting.take());
            then.into_iter().for_each(|then| then());
            waiting.iter().for_each(|dialog| self.enter(dialog));
        }
    }
}

/// One dialog.
pub struct Dialog {
    element: HtmlDialogElement,
    dialogs: Rc<Dialogs>,
}

impl Dialog {
    /// The element itself.
    pub fn element(&self) -> &HtmlDialogElement {
        &self.element
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.element.open()
    }

    /// Opens it, unless it is open.
    pub fn open(&self) {
        if !self.is_open() && self.element.show_modal().is_ok() {
            self.dialogs.enter(&self.element);
        }
    }

    /// Closes it.
    pub fn close(&self) {
        self.element.close();
        // Not when its event comes: it may be open again by then.
        self.dialogs.closed(&self.element);
    }

    /// Closes it, and does what has an entry of its own in the browser's history when the dialog's is gone.
    pub fn close_then(&self, then: impl FnOnce() + 'static) {
        self.close();
        if self.dialogs.leaving.get() > 0 {
            self.dialogs.then.borrow_mut().push(Box::new(then));
        } else {
            then();
        }
    }
}
