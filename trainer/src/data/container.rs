//! What holds pictures, a folder or a zip archive, seen alike.

use std::path::{Path, PathBuf};

use super::skipped::Skipped;
use crate::error::{Error, Result};

/// The most bytes one file may have, unpacked.
pub(crate) const MAX_FILE: u64 = 64 << 20;

/// Files that can be read one at a time.
pub(crate) trait Container {
    /// Where it is.
    fn path(&self) -> &Path;
    /// The pictures' names, sorted, with `/` between folders.
    fn names(&self) -> &[String];
    /// The files that are not pictures.
    fn skipped(&self) -> &Skipped;
    /// The bytes of the picture with this place in `names`.
    fn read(&mut self, index: usize) -> Result<Vec<u8>>;
    /// That picture's name in errors.
    fn label(&self, index: usize) -> String;
    /// A file of this name that goes with the pictures (a list, a table of labels): its path for errors, and its bytes.
    fn companion(&mut self, name: &str) -> Result<Option<(PathBuf, Vec<u8>)>>;
    /// The same in the folders above, where these pictures are a part of what the user gave.
    fn companion_above(&mut self, name: &str) -> Result<Option<(PathBuf, Vec<u8>)>>;
    /// The folder of the part with its `/`; nothing for a whole.
    fn part(&self) -> &str;
}

/// Whether a name is a picture's: by its ending, unless hidden or left there by a file manager.
pub(crate) fn is_picture(name: &str) -> bool {
    const ENDINGS: [&str; 11] = ["png", "apng", "jpg", "jpeg", "jfif", "jpe", "webp", "bmp", "gif", "tif", "tiff"];
    let hidden = name.split('/').any(|part| part.starts_with('.') || part == "__MACOSX");
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    !hidden && ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

/// The error for a file with more than [`MAX_FILE`] bytes.
pub(crate) fn too_large(file: String) -> Error {
    let problem = format!("larger than {} MiB", MAX_FILE >> 20);
    Error::content(file, problem, "shrink it or remove it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_by_their_names() {
        for name in ["a.png", "d/e.JPG", "x.y.jpeg", "download.jfif", "a.webp", "a.bmp", "a.gif", "scan.TIF", "a.tiff"]
        {
            assert!(is_picture(name), "{name}");
        }
        assert!(too_large("f".into()).to_string().contains("64 MiB"));
        for name in ["a.txt", "png", "d.png/x", ".a.png", "__MACOSX/a.png", ".git/a.png", ""] {
            assert!(!is_picture(name), "{name}");
        }
    }
}
