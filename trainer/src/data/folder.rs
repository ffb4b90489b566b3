//! A folder of pictures, with the folders inside it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::container::{Container, MAX_FILE, is_picture, too_large};
use crate::error::{Error, Result};

pub(crate) struct Folder {
    root: PathBuf,
    names: Vec<String>,
    files: Vec<PathBuf>,
    skipped: usize,
}

impl Folder {
    pub(crate) fn open(root: &Path) -> Result<Self> {
        let (mut found, mut skipped) = (Vec::new(), 0);
        for entry in WalkDir::new(root).follow_links(true) {
            let entry = entry.map_err(|error| {
                let path = error.path().unwrap_or(root).to_path_buf();
                Error::io(&path, "list it")(error.into())
            })?;
            if !entry.file_type().is_file() {
                continue;
            }
            let inside = entry.path().strip_prefix(root).unwrap_or(entry.path());
            let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
            let name = parts.join("/");
            if is_picture(&name) {
                found.push((name, entry.into_path()));
            } else {
                skipped += 1;
            }
        }
        found.sort();
        let (names, files) = found.into_iter().unzip();
        Ok(Self {
            root: root.to_path_buf(),
            names,
            files,
            skipped,
        })
    }
}

impl Container for Folder {
    fn path(&self) -> &Path {
        &self.root
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn skipped(&self) -> usize {
        self.skipped
    }

    fn read(&mut self, index: usize) -> Result<Vec<u8>> {
        let path = &self.files[index];
        let file = File::open(path).map_err(Error::io(path, "open it"))?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE + 1)
            .read_to_end(&mut bytes)
            .map_err(Error::io(path, "read it"))?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(too_large(self.label(index)));
        }
        Ok(bytes)
    }

    fn label(&self, index: usize) -> String {
        self.files[index].display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_found_at_any_depth_in_order() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("b/c")).unwrap();
        for name in ["z.png", "b/c/a.jpg", "a.webp", "b/notes.txt", ".hidden.png"] {
            std::fs::write(dir.path().join(name), name).unwrap();
        }
        let mut folder = Folder::open(dir.path()).unwrap();
        assert_eq!(folder.names(), ["a.webp", "b/c/a.jpg", "z.png"]);
        assert_eq!((folder.skipped(), folder.path()), (2, dir.path()));
        assert_eq!(folder.read(1).unwrap(), b"b/c/a.jpg");
        assert!(folder.label(1).ends_with("a.jpg") && folder.label(1).len() > "b/c/a.jpg".len());
    }

    #[test]
    fn a_vanished_or_oversized_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.png");
        File::create(&path).unwrap().set_len(MAX_FILE + 1).unwrap();
        let mut folder = Folder::open(dir.path()).unwrap();
        assert!(
            folder
                .read(0)
                .unwrap_err()
                .to_string()
                .contains("a.png: larger than")
        );
        std::fs::remove_file(&path).unwrap();
        assert!(
            folder
                .read(0)
                .unwrap_err()
                .to_string()
                .contains("a.png: cannot open it")
        );
    }
}
