//! Opens what holds pictures.

use std::path::Path;

use super::archive::Archive;
use super::container::Container;
use super::folder::Folder;
use crate::error::{Error, Result};

/// Opens a folder or a zip; one without pictures is an error.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Container>> {
    open_part(path, "")
}

/// Opens the folder `part` (with `/` between folders, none for all) in a folder or a zip.
pub(crate) fn open_part(path: &Path, part: &str) -> Result<Box<dyn Container>> {
    let is_zip = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("zip"));
    let container: Box<dyn Container> = if path.is_dir() {
        Box::new(Folder::open(path, part)?)
    } else if is_zip {
        Box::new(Archive::open(path, part)?)
    } else {
        let advice = "give a folder or a .zip of pictures";
        return Err(Error::content(path.display(), "not a known kind of data set", advice));
    };
    if container.names().is_empty() {
        let skipped = container.skipped();
        let found = match skipped.count() {
            0 => "there is no picture in it".to_string(),
            count => format!("there is no picture among its {count} files ({})", skipped.kinds()),
        };
        let advice =
            format!("pictures end in .png, .jpg, .jpeg, .jfif, .webp, .bmp, .gif, .tif or .tiff{}", skipped.advice());
        return Err(Error::content(container.path().display(), found, advice));
    }
    Ok(container)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_and_unknown_containers_are_named() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("readme.txt"), "x").unwrap();
        let error = open(dir.path()).err().unwrap().to_string();
        assert!(error.contains("no picture among its 1 files (1 .txt)"), "{error}");
        assert!(error.contains(&dir.path().display().to_string()), "{error}");
        let error = open(&dir.path().join("readme.txt")).err().unwrap().to_string();
        assert!(error.contains("readme.txt") && error.contains(".zip"), "{error}");
    }
}
