//! The tabs, and which panel is shown.

use std::cell::Cell;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Document, HtmlElement, KeyboardEvent};

use super::state::State;
use crate::app::dispatch::Dispatch;
use crate::app::event::Event;
use crate::app::panel::Panel;
use crate::app::panels::list::slots;
use crate::app::slot;
use crate::app::widgets::dom::{by_id, create_button, on};
use crate::error::Result;

/// A tab and its panel.
struct Tab {
    panel: Panel,
    tab: HtmlElement,
    section: HtmlElement,
}

/// All tabs.
pub struct TabsView {
    document: Document,
    tabs: Rc<Vec<Tab>>,
    /// The panel that was shown last.
    shown: Cell<Option<Panel>>,
}

impl TabsView {
    pub fn new(document: &Document, page: &Dispatch<Event>) -> Result<Self> {
        let row: HtmlElement = by_id(document, "tabs")?;
        let tab = |&panel: &Panel| {
            let (id, name) = (format!("tab-{}", panel.name()), format!("panel-{}", panel.name()));
            let tab: HtmlElement = create_button(document, "")?.into();
            tab.set_id(&id);
            tab.set_text_content(Some(panel.title()));
            tab.set_attribute("role", "tab")?;
            tab.set_attribute("aria-controls", &name)?;
            // A picture can be dropped on it.
            if let Some(slot) = slot::landing(&slots(), panel, None) {
                tab.dataset().set("slot", slot.name)?;
            }
            row.append_child(&tab)?;
            let section: HtmlElement = by_id(document, &name)?;
            section.set_attribute("aria-labelledby", &id)?;
            Ok(Tab { panel, tab, section })
        };
        let tabs = Rc::new(Panel::ALL.iter().map(tab).collect::<Result<Vec<_>>>()?);
        for (i, tab) in tabs.iter().enumerate() {
            let (d, panel) = (page.clone(), tab.panel);
            on(&tab.tab, "click", move |_| d(Event::Show(panel)));
            let (d, all) = (page.clone(), Rc::clone(&tabs));
            on(&tab.tab, "keydown", move |event| {
                let key = event.dyn_ref::<KeyboardEvent>().map(KeyboardEvent::key).unwrap_or_default();
                if let Some(next) = step(i, &key).and_then(|next| all.get(next)) {
                    event.prevent_default();
                    d(Event::Show(next.panel));
                    let _ = next.tab.focus();
                }
            });
        }
        Ok(Self { document: document.clone(), tabs, shown: Cell::default() })
    }

    pub fn render(&self, state: &State) {
        let before = self.shown.replace(Some(state.settings.panel));
        let moved = before.is_some_and(|before| before != state.settings.panel);
        // A link in a panel leads to another one: the focus goes along, and what was scrolled to is not there any more.
        let active = self.document.active_element();
        let left = self.tabs.iter().any(|tab| Some(tab.panel) == before && tab.section.contains(active.as_deref()));
        for Tab { panel, tab, section } in self.tabs.iter() {
            let selected = *panel == state.settings.panel;
            let _ = tab.set_attribute("aria-selected", if selected { "true" } else { "false" });
            tab.set_tab_index(if selected { 0 } else { -1 });
            section.set_hidden(!selected);
            if selected && moved && left {
                section.set_tab_index(-1);
                let _ = section.focus();
            }
        }
        if let (true, Some(window)) = (moved, web_sys::window()) {
            window.scroll_to_with_x_and_y(0.0, 0.0);
        }
    }
}

/// Where a key leads from a tab.
fn step(tab: usize, key: &str) -> Option<usize> {
    let count = Panel::ALL.len();
    match key {
        "ArrowLeft" => Some((tab + count - 1) % count),
        "ArrowRight" => Some((tab + 1) % count),
        "Home" => Some(0),
        "End" => Some(count - 1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_go_round() {
        assert_eq!((step(0, "ArrowLeft"), step(5, "ArrowRight"), step(1, "ArrowRight")), (Some(5), Some(0), Some(2)));
        assert_eq!((step(3, "Home"), step(3, "End"), step(3, "x")), (Some(0), Some(5), None));
    }
}
