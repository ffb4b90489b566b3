//! What holds pictures: a folder or a zip archive, seen alike.

use std::path::Path;

use super::archive::Archive;
use super::folder::Folder;
use crate::error::{Error, Result};

/// The most bytes one picture's file may have, unpacked.
pub(crate) const MAX_FILE: u64 = 64 << 20;

/// Files that can be read one at a time.
pub(crate) trait Container {
    /// Where it is.
    fn path(&self) -> &Path;
    /// The pictures' names, sorted, with `/` between folders.
    fn names(&self) -> &[String];
    /// How many files are no pictures.
    fn skipped(&self) -> usize;
    /// The bytes of the picture with this place in `names`.
    fn read(&mut self, index: usize) -> Result<Vec<u8>>;
    /// How errors call that picture.
    fn label(&self, index: usize) -> String;
}

/// Opens a folder or a zip; one without pictures is an error.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Container>> {
    let is_zip = path
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("zip"));
    let container: Box<dyn Container> = if path.is_dir() {
        Box::new(Folder::open(path)?)
    } else if is_zip {
        Box::new(Archive::open(path)?)
    } else {
        let advice = "give a folder or a .zip of pictures";
        return Err(Error::content(
            path.display(),
            "not a data set that is known",
            advice,
        ));
    };
    if container.names().is_empty() {
        let problem = format!(
            "there is no picture among its {} files",
            container.skipped()
        );
        let advice = "pictures end in .png, .jpg, .jpeg, .webp, .bmp or .gif";
        return Err(Error::content(path.display(), problem, advice));
    }
    Ok(container)
}

/// Whether a name is a picture's: by its ending, unless hidden or left there by a file manager.
pub(crate) fn is_picture(name: &str) -> bool {
    const ENDINGS: [&str; 6] = ["png", "jpg", "jpeg", "webp", "bmp", "gif"];
    let hidden = name
        .split('/')
        .any(|part| part.starts_with('.') || part == "__MACOSX");
    let ending = name
        .rsplit_once('.')
        .map(|(_, ending)| ending.to_ascii_lowercase());
    !hidden && ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

/// The error for a file with more than [`MAX_FILE`] bytes.
pub(crate) fn too_large(file: String) -> Error {
    let problem = format!("larger than {} MiB", MAX_FILE >> 20);
    Error::content(file, problem, "shrink the picture or remove it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_by_their_names() {
        for name in ["a.png", "d/e.JPG", "x.y.jpeg", "a.webp", "a.bmp", "a.gif"] {
            assert!(is_picture(name), "{name}");
        }
        for name in [
            "a.txt",
            "png",
            "d.png/x",
            ".a.png",
            "__MACOSX/a.png",
            ".git/a.png",
            "",
        ] {
            assert!(!is_picture(name), "{name}");
        }
    }

    #[test]
    fn empty_and_unknown_containers_are_named() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("readme.txt"), "x").unwrap();
        let error = open(dir.path()).err().unwrap().to_string();
        assert!(error.contains("no picture among its 1 files"), "{error}");
        assert!(error.contains(&dir.path().display().to_string()), "{error}");
        let error = open(&dir.path().join("readme.txt"))
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains("readme.txt") && error.contains(".zip"),
            "{error}"
        );
        assert!(too_large("f".into()).to_string().contains("64 MiB"));
    }
}
