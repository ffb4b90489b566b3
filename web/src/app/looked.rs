//! The pictures that were looked at, kept in the tab's storage while it is loaded again.

use web_sys::{Storage, Window};

use super::page::History;
use crate::error::{Error, Result};

/// Where they lie: other pages of the same site have names of their own.
const KEY: &str = "rg-flow-looked-at";

/// Those that were there before the page was loaded again; none where the tab keeps nothing.
pub fn read(window: &Window) -> History {
    let text = storage(window).and_then(|storage| Ok(storage.get_item(KEY)?));
    text.ok().flatten().map(|text| History::parse(&text)).unwrap_or_default()
}

/// Keeps them.
///
/// # Errors
/// [`Error::Browser`] where the tab keeps nothing, or nothing more.
pub fn write(window: &Window, history: &History) -> Result<()> {
    Ok(storage(window)?.set_item(KEY, &history.spell())?)
}

fn storage(window: &Window) -> Result<Storage> {
    window.session_storage()?.ok_or_else(|| Error::Browser("there is no storage".to_owned()))
}
