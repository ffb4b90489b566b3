//! What a new run is to be: what it learns from, and how large its model is.

use std::rc::Rc;

use web_sys::{HtmlButtonElement, HtmlElement, HtmlInputElement};

use super::address::{SIZES, TrainSettings};
use super::state::{Train, TrainEvent};
use crate::app::panels::Site;
use crate::app::widgets::dom::{by_id, on, set_text};
use crate::error::Result;
use crate::protocol::ModelSize;

/// The elements.
pub struct SetupView {
    /// Ovals, and the reader's own pictures.
    from: [HtmlInputElement; 2],
    bring: HtmlElement,
    count: HtmlElement,
    skipped: HtmlElement,
    align: HtmlInputElement,
    mirror: HtmlInputElement,
    empty: HtmlButtonElement,
    sizes: Vec<(ModelSize, HtmlInputElement)>,
}

impl SetupView {
    /// Finds the elements and listens to them.
    ///
    /// # Errors
    /// [`crate::Error::Browser`] if the page lacks one.
    pub fn new(site: &Site<'_, TrainEvent>) -> Result<Self> {
        let document = site.document;
        let input = |id: &str| by_id::<HtmlInputElement>(document, id);
        let sizes = SIZES.iter().map(|(size, name)| Ok((*size, input(&format!("train-{name}"))?)));
        let view = Self {
            from: [input("train-ovals")?, input("train-own")?],
            bring: by_id(document, "train-bring")?,
            count: by_id(document, "train-count")?,
            skipped: by_id(document, "train-skipped")?,
            align: input("train-align")?,
            mirror: input("train-mirror")?,
            empty: by_id(document, "train-empty")?,
            sizes: sizes.collect::<Result<_>>()?,
        };
        for (own, input) in [false, true].into_iter().zip(&view.from) {
            let d = Rc::clone(&site.own);
            on(input, "change", move |_| d(TrainEvent::Own(own)));
        }
        for &(size, ref input) in &view.sizes {
            let d = Rc::clone(&site.own);
            on(input, "change", move |_| d(TrainEvent::Size(size)));
        }
        for id in ["train-files", "train-folder"] {
            let (files, gatherer) = (input(id)?, Rc::clone(site.gatherer));
            let field = files.clone();
            on(&files, "change", move |_| {
                gatherer.take_files(field.files());
                // The same ones may be chosen again.
                field.set_value("");
            });
        }
        let (d, gatherer, align) = (Rc::clone(&site.own), Rc::clone(site.gatherer), view.align.clone());
        on(&view.align, "change", move |_| {
            d(TrainEvent::Align(align.checked()));
            gatherer.align(align.checked());
        });
        let (d, mirror) = (Rc::clone(&site.own), view.mirror.clone());
        on(&view.mirror, "change", move |_| d(TrainEvent::Mirror(mirror.checked())));
        let (d, gatherer, files) = (Rc::clone(&site.own), Rc::clone(site.gatherer), input("train-files")?);
        on(&view.empty, "click", move |_| {
            gatherer.clear();
            // The button goes.
            let _ = files.focus();
            d(TrainEvent::Empty);
        });
        Ok(view)
    }

    /// Shows what is set.
    pub fn render(&self, train: &Train, settings: &TrainSettings) {
        for (own, input) in [false, true].into_iter().zip(&self.from) {
            input.set_checked(own == settings.own);
        }
        for (size, input) in &self.sizes {
            input.set_checked(*size == settings.size);
        }
        self.bring.set_hidden(!settings.own);
        // That reading goes on is not read out again and again.
        let _ = self.count.set_attribute("aria-live", if train.collection.reading { "off" } else { "polite" });
        set_text(&self.count, &train.collection.says());
        set_text(&self.skipped, &train.collection.says_skipped());
        self.align.set_checked(train.collection.aligned == Some(true));
        self.mirror.set_checked(!train.unmirrored);
        self.empty.set_hidden(train.collection.is_untouched());
    }
}
