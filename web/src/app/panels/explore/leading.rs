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
use crate::app::widgets::dom::{by_id, create, create_button, on, set_columns, set_text};
use crate::app::widgets::slider::Slider;
use crate::error::Result;
use crate::protocol::Factor;

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
    shown: RefCell<Option<Rc<Vec<Vec<Factor>>>>>,
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
            shown: RefCell::default(),
        };
        set_columns(&view.rows, LEADING)?;
        let d = Rc::clone(&site.own);
        on(&view.search, "click", move |_| d(ExploreEvent::Search));
        Ok(view)
    }

    pub fn render(&self, explore: &Explore, config: &RgFlowConfig) {
        let searching = explore.is_searching();
        self.search.set_disabled(searching || explore.leading.is_some());
        set_text(&self.search, if searching { "Searching…" } else { "Find the leading latents" });
        if is_new(self.shown.borrow().as_ref(), explore.leading.as_ref()) {
            let _ = self.show(explore.leading.as_deref().map_or(&[], Vec::as_slice), config);
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

    fn button(&self, factor: &Factor, config: &RgFlowConfig) -> Result<Option<HtmlButtonElement>> {
        let Ok(at) = Levels::new(config).address(factor.index as usize) else { return Ok(None) };
        let button = create_button(&self.document, "cell")?;
        let place = format!("Latent of level {}, row {}, column {}", at.level, at.row + 1, at.col + 1);
        button.set_attribute("aria-label", &format!("{place}: choose it"))?;
        let layer = Layer::create(&self.document)?;
        if let Some(marks) = layer.marks(config.size) {
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
