//! A zip archive of pictures, read in place.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::container::{Container, MAX_FILE, is_picture, too_large};
use crate::error::{Error, Result};

pub(crate) struct Archive {
    path: PathBuf,
    zip: ZipArchive<BufReader<File>>,
    names: Vec<String>,
    places: Vec<usize>,
    skipped: usize,
}

impl Archive {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io(path, "open it"))?;
        let damaged = |source| Error::Zip {
            file: path.display().to_string(),
            source,
        };
        let zip = ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
        let (mut found, mut skipped) = (Vec::new(), 0);
        for place in 0..zip.len() {
            match zip.name_for_index(place) {
                Some(Ok(name)) if is_picture(&name) => found.push((name.into_owned(), place)),
                Some(Ok(name)) if name.ends_with('/') => {}
                _ => skipped += 1,
            }
        }
        found.sort();
        let (names, places) = found.into_iter().unzip();
        Ok(Self {
            path: path.to_path_buf(),
            zip,
            names,
            places,
            skipped,
        })
    }
}

impl Container for Archive {
    fn path(&self) -> &Path {
        &self.path
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn skipped(&self) -> usize {
        self.skipped
    }

    fn read(&mut self, index: usize) -> Result<Vec<u8>> {
        let file = self.label(index);
        let damaged = |source| Error::Zip {
            file: file.clone(),
            source,
        };
        let entry = self.zip.by_index(self.places[index]).map_err(damaged)?;
        if entry.size() > MAX_FILE {
            return Err(too_large(file));
        }
        // The size is a claim: what counts is what comes out.
        let mut bytes = Vec::new();
        let read = entry.take(MAX_FILE + 1).read_to_end(&mut bytes);
        read.map_err(|source| damaged(source.into()))?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(too_large(file));
        }
        Ok(bytes)
    }

    fn label(&self, index: usize) -> String {
        format!("{}:{}", self.path.display(), self.names[index])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::write_zip;

    #[test]
    fn pictures_are_sorted_and_the_rest_counted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("set.zip");
        let entries = [
            ("d/", &b""[..]),
            ("d/b.png", b"bee"),
            ("readme.txt", b"x"),
            ("a.webp", b"ay"),
        ];
        write_zip(&path, &entries);
        let mut archive = Archive::open(&path).unwrap();
        assert_eq!(archive.names(), ["a.webp", "d/b.png"]);
        assert_eq!((archive.skipped(), archive.path()), (1, path.as_path()));
        assert_eq!(archive.read(1).unwrap(), b"bee");
        assert_eq!(archive.read(0).unwrap(), b"ay");
        assert!(archive.label(0).ends_with("set.zip:a.webp"));
    }

    #[test]
    fn a_bomb_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bomb.zip");
        write_zip(&path, &[("a.png", &vec![0; MAX_FILE as usize + 1])]);
        assert!(std::fs::metadata(&path).unwrap().len() < 1 << 20);
        let error = Archive::open(&path)
            .unwrap()
            .read(0)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("bomb.zip:a.png: larger than 64 MiB"),
            "{error}"
        );
    }

    #[test]
    fn damaged_archives_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("set.zip");
        let noise: Vec<u8> = (0..4000u32).map(|i| (i * i / 7) as u8).collect();
        write_zip(&path, &[("a.png", &noise)]);
        let whole = std::fs::read(&path).unwrap();
        for bytes in [&whole[..whole.len() / 2], b"PK", b""] {
            std::fs::write(&path, bytes).unwrap();
            let error = Archive::open(&path).err().unwrap().to_string();
            assert!(error.contains("set.zip: cannot read the zip"), "{error}");
        }
        let mut flipped = whole;
        flipped[200] ^= 0x55;
        std::fs::write(&path, &flipped).unwrap();
        let error = Archive::open(&path)
            .unwrap()
            .read(0)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("set.zip:a.png: cannot read the zip"),
            "{error}"
        );
    }
}
