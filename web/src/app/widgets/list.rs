//! Lists of elements that the program makes.

use std::cell::RefCell;

use web_sys::{Document, Element, HtmlElement};

use super::dom::by_id;
use crate::error::Result;

/// The children of an element: one for each key, made anew when the keys change.
pub struct List<K, T> {
    parent: HtmlElement,
    reversed: bool,
    made: RefCell<Vec<(K, T)>>,
}

impl<K: PartialEq, T> List<K, T> {
    /// In the empty element of that id.
    ///
    /// # Errors
    /// [`crate::Error::Browser`] if the page lacks it.
    pub fn by_id(document: &Document, id: &str) -> Result<Self> {
        Ok(Self { parent: by_id(document, id)?, reversed: false, made: RefCell::default() })
    }

    /// The same with the last key's element first: levels are shown from coarse to fine.
    ///
    /// # Errors
    /// As [`List::by_id`].
    pub fn reversed_by_id(document: &Document, id: &str) -> Result<Self> {
        Ok(Self { reversed: true, ..Self::by_id(document, id)? })
    }

    /// The element that has the children.
    pub fn parent(&self) -> &HtmlElement {
        &self.parent
    }

    /// Makes the children anew with `make`, unless they are those of these keys already. Returns whether it did.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn fit(&self, keys: impl IntoIterator<Item = K>, make: impl Fn(&K) -> Result<(Element, T)>) -> Result<bool> {
        let keys: Vec<K> = keys.into_iter().collect();
        if self.made.borrow().iter().map(|(key, _)| key).eq(&keys) {
            return Ok(false);
        }
        self.parent.set_text_content(None);
        let mut made = Vec::with_capacity(keys.len());
        for key in keys {
            let (element, item) = make(&key)?;
            let next = self.parent.first_child().filter(|_| self.reversed);
            self.parent.insert_before(&element, next.as_ref())?;
            made.push((key, item));
        }
        self.made.replace(made);
        Ok(true)
    }

    /// Does something with each child.
    pub fn for_each(&self, mut f: impl FnMut(&K, &T)) {
        self.made.borrow().iter().for_each(|(key, item)| f(key, item));
    }

    /// Something of each child.
    pub fn map<U>(&self, mut f: impl FnMut(&K, &T) -> U) -> Vec<U> {
        self.made.borrow().iter().map(|(key, item)| f(key, item)).collect()
    }
}
