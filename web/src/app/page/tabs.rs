//! The tabs, and which panel is shown.

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
    tabs: Rc<Vec<Tab>>,
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
        Ok(Self { tabs })
    }

    pub fn render(&self, state: &State) {
        for Tab { panel, tab, section } in self.tabs.iter() {
            let selected = *panel == state.settings.panel;
            let _ = tab.set_attribute("aria-selected", if selected { "true" } else { "false" });
            tab.set_tab_index(if selected { 0 } else { -1 });
            section.set_hidden(!selected);
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
        assert_eq!((step(0, "ArrowLeft"), step(4, "ArrowRight"), step(1, "ArrowRight")), (Some(4), Some(0), Some(2)));
        assert_eq!((step(3, "Home"), step(3, "End"), step(3, "x")), (Some(0), Some(4), None));
    }
}
