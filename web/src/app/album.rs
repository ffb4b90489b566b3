//! The reader's own pictures in the browser's storage for this site: they survive a reload and leave the device never.
//!
//! A few hundred kilobytes of text at most, read once. So this is the storage that answers at once, and not a database.

use std::rc::Rc;

use web_sys::{Storage, Window};

use crate::address::Own;
use crate::error::{Error, Result};

/// Where they lie: other pages of the same site have names of their own.
pub const KEY: &str = "rg-flow-pictures";

/// The pictures that the browser kept, the newest first, at most `most`.
///
/// # Errors
/// [`Error::Browser`] where it keeps nothing: in some private windows, and in pages inside other sites' pages.
pub fn read(window: &Window, most: usize) -> Result<Vec<Rc<Own>>> {
    let text = storage(window)?.get_item(KEY)?.unwrap_or_default();
    Ok(parse(&text, most))
}

/// Keeps these pictures instead of those before.
///
/// # Errors
/// [`Error::Browser`] where it keeps nothing, or nothing more.
pub fn write(window: &Window, pictures: &[Rc<Own>]) -> Result<()> {
    let storage = storage(window)?;
    if pictures.is_empty() {
        return Ok(storage.remove_item(KEY)?);
    }
    Ok(storage.set_item(KEY, &spell(pictures))?)
}

fn storage(window: &Window) -> Result<Storage> {
    window.local_storage()?.ok_or_else(|| Error::Browser("there is no storage".to_owned()))
}

fn spell(pictures: &[Rc<Own>]) -> String {
    pictures.iter().map(|own| own.code()).collect::<Vec<_>>().join(" ")
}

/// Whatever is no picture is left out.
fn parse(text: &str, most: usize) -> Vec<Rc<Own>> {
    text.split(' ').filter_map(Own::parse).map(Rc::new).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_survive_and_nonsense_does_not() {
        let own = |value: u8| Rc::new(Own::new(2, vec![value; 12]).unwrap());
        let pictures = [own(1), own(2), own(3)];
        let text = spell(&pictures);
        assert_eq!(parse(&text, 12), pictures);
        assert_eq!(parse(&text, 2), pictures[..2]);
        assert_eq!(parse(&format!("x  <script> {text} AAAA"), 12), pictures);
        assert_eq!(parse("", 12), []);
    }
}
