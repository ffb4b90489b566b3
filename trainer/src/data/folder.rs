//! A folder of pictures, with the folders inside it.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::container::{Container, MAX_FILE, is_picture, too_large};
use super::skipped::Skipped;
use crate::error::{Error, Result};

pub(crate) struct Folder {
    root: PathBuf,
    /// Where names begin in what the user gave: nothing, or a folder with its `/`.
    part: String,
    names: Vec<String>,
    files: Vec<PathBuf>,
    skipped: Skipped,
}

impl Folder {
    /// The pictures in the folder `part` of a folder, or all.
    pub(crate) fn open(whole: &Path, part: &str) -> Result<Self> {
        let root = &whole.join(part);
        let (mut found, mut skipped) = (Vec::new(), Skipped::default());
        let mut entries = WalkDir::new(root).follow_links(true).into_iter();
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let path = error.path().unwrap_or(root).to_path_buf();
                    let absent = error.io_error().is_some_and(|error| error.kind() == ErrorKind::NotFound);
                    if absent && path.is_symlink() {
                        skipped.add_kind("links to nothing".into());
                        continue;
                    }
                    return Err(Error::io(&path, "list it")(error.into()));
                }
            };
            if entry.depth() > 0 && entry.file_type().is_dir() && is_run(entry.path()) {
                skipped.add_kind("folders of runs, with their sheets".into());
                entries.skip_current_dir();
            }
            if !entry.file_type().is_file() {
                continue;
            }
            let inside = entry.path().strip_prefix(root).unwrap_or(entry.path());
            let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
            let name = parts.join("/");
            if is_picture(&name) {
                found.push((name, entry.into_path()));
            } else {
                skipped.add(&name);
            }
        }
        found.sort();
        let (names, files) = found.into_iter().unzip();
        let part = if part.is_empty() { String::new() } else { format!("{part}/") };
        Ok(Self { root: root.clone(), part, names, files, skipped })
    }
}

/// Whether this folder is what `trainer train` leaves: its sheets of samples are not pictures to train on.
fn is_run(folder: &Path) -> bool {
    folder.join("metrics.jsonl").is_file() && folder.join("checkpoints").is_dir()
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(Error::io(path, "open it"))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(Error::io(path, "read it"))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(too_large(path.display().to_string()));
    }
    Ok(bytes)
}

impl Container for Folder {
    fn path(&self) -> &Path {
        &self.root
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn skipped(&self) -> &Skipped {
        &self.skipped
    }

    fn read(&mut self, index: usize) -> Result<Vec<u8>> {
        read(&self.files[index])
    }

    fn label(&self, index: usize) -> String {
        self.files[index].display().to_string()
    }

    fn companion(&mut self, name: &str) -> Result<Option<(PathBuf, Vec<u8>)>> {
        let path = self.root.join(name);
        if path.is_file() { read(&path).map(|bytes| Some((path, bytes))) } else { Ok(None) }
    }

    fn companion_above(&mut self, name: &str) -> Result<Option<(PathBuf, Vec<u8>)>> {
        let above = self.root.ancestors().skip(1).take(self.part.matches('/').count());
        let found = above.map(|folder| folder.join(name)).find(|path| path.is_file());
        found.map(|path| read(&path).map(|bytes| (path, bytes))).transpose()
    }

    fn part(&self) -> &str {
        &self.part
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
        let mut folder = Folder::open(dir.path(), "").unwrap();
        assert_eq!(folder.names(), ["a.webp", "b/c/a.jpg", "z.png"]);
        assert_eq!((folder.skipped().kinds().as_str(), folder.path()), ("1 .txt, 1 system files", dir.path()));
        assert_eq!(folder.read(1).unwrap(), b"b/c/a.jpg");
        assert!(folder.label(1).ends_with("a.jpg") && folder.label(1).len() > "b/c/a.jpg".len());
    }

    #[test]
    fn a_vanished_or_oversized_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.png");
        File::create(&path).unwrap().set_len(MAX_FILE + 1).unwrap();
        let mut folder = Folder::open(dir.path(), "").unwrap();
        assert!(folder.read(0).unwrap_err().to_string().contains("a.png: larger than"));
        std::fs::remove_file(&path).unwrap();
        assert!(folder.read(0).unwrap_err().to_string().contains("a.png: cannot open it"));
    }

    #[test]
    fn what_a_run_left_is_not_trained_on() {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("runs/latest");
        for folder in ["checkpoints", "samples"] {
            std::fs::create_dir_all(run.join(folder)).unwrap();
        }
        for name in ["a.png", "runs/latest/metrics.jsonl", "runs/latest/curve.png", "runs/latest/samples/1.png"] {
            std::fs::write(dir.path().join(name), name).unwrap();
        }
        let folder = Folder::open(dir.path(), "").unwrap();
        assert_eq!(folder.names(), ["a.png"]);
        assert_eq!(folder.skipped().kinds(), "1 folders of runs, with their sheets");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_nothing_stops_no_folder() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.png"), "a").unwrap();
        std::os::unix::fs::symlink("nowhere.png", dir.path().join("b.png")).unwrap();
        let folder = Folder::open(dir.path(), "").unwrap();
        assert_eq!((folder.names().len(), folder.skipped().kinds().as_str()), (1, "1 links to nothing"));
    }

    #[test]
    fn a_table_in_the_folder_is_found() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("labels.csv"), "x").unwrap();
        let mut folder = Folder::open(dir.path(), "").unwrap();
        assert_eq!(folder.companion("labels.csv").unwrap(), Some((dir.path().join("labels.csv"), b"x".to_vec())));
        assert_eq!(folder.companion("list.txt").unwrap(), None);
    }
}
