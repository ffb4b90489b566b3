//! A zip archive of pictures, read in place.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::container::{Container, MAX_FILE, is_picture, too_large};
use super::skipped::Skipped;
use super::sniff::sniff;
use crate::error::{Error, Result};

pub(crate) struct Archive {
    path: PathBuf,
    zip: ZipArchive<BufReader<File>>,
    /// Where names begin: nothing, or a folder with its `/`.
    part: String,
    names: Vec<String>,
    places: Vec<usize>,
    /// Names and places of the other files.
    others: Vec<(String, usize)>,
    /// Whole names and places of files in the folders above the part.
    above: Vec<(String, usize)>,
    skipped: Skipped,
}

impl Archive {
    /// The pictures in the folder `part` of the archive, or all.
    pub(crate) fn open(path: &Path, part: &str) -> Result<Self> {
        let mut file = File::open(path).map_err(Error::io(path, "open it"))?;
        let damaged = |source| Error::Zip { file: path.display().to_string(), source };
        let mut start = Vec::new();
        file.by_ref().take(64).read_to_end(&mut start).map_err(Error::io(path, "read it"))?;
        if let Some(what) = sniff(&start).filter(|what| *what != "a zip archive") {
            return Err(Error::content(
                path.display(),
                format!("cannot read the zip: it is {what}"),
                "download it again",
            ));
        }
        let zip = ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
        let part = if part.is_empty() { String::new() } else { format!("{part}/") };
        let (mut found, mut others, mut skipped) = (Vec::new(), Vec::new(), Skipped::default());
        let mut above = Vec::new();
        for place in 0..zip.len() {
            let name = match zip.name_for_index(place) {
                Some(Ok(name)) => name.into_owned(),
                _ => {
                    skipped.add_kind("files whose name cannot be read".into());
                    continue;
                }
            };
            let plain = plain(&name);
            if name.ends_with(['/', '\\']) {
                continue;
            }
            let Some(inside) = plain.strip_prefix(&part) else {
                let folder = plain.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
                if part.starts_with(&folder) && !is_picture(&plain) {
                    above.push((plain, place));
                }
                continue;
            };
            if is_picture(inside) {
                found.push((inside.to_string(), place));
            } else {
                skipped.add(inside);
                others.push((inside.to_string(), place));
            }
        }
        found.sort();
        let (names, places) = found.into_iter().unzip();
        Ok(Self { path: path.to_path_buf(), zip, part, names, places, others, above, skipped })
    }

    fn unpack(&mut self, place: usize, file: String) -> Result<Vec<u8>> {
        let damaged = |source| Error::Zip { file: file.clone(), source };
        let entry = self.zip.by_index(place).map_err(damaged)?;
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

    fn label_of(&self, name: &str) -> String {
        format!("{}:{}{name}", self.path.display(), self.part)
    }
}

/// A name with `/` between its folders, whatever made the archive: `./a/b.png` and `a\b.png` are `a/b.png`.
fn plain(name: &str) -> String {
    let parts = name.split(['/', '\\']).filter(|part| !matches!(*part, "" | "."));
    parts.collect::<Vec<_>>().join("/")
}

impl Container for Archive {
    fn path(&self) -> &Path {
        &self.path
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn skipped(&self) -> &Skipped {
        &self.skipped
    }

    fn read(&mut self, index: usize) -> Result<Vec<u8>> {
        self.unpack(self.places[index], self.label(index))
    }

    fn label(&self, index: usize) -> String {
        self.label_of(&self.names[index])
    }

    fn companion(&mut self, name: &str) -> Result<Option<(PathBuf, Vec<u8>)>> {
        // The one nearest to the top: archives often hold one folder that holds everything.
        let named = self.others.iter().filter(|(other, _)| other.rsplit('/').next() == Some(name));
        let Some((found, place)) = named.min_by_key(|(other, _)| other.matches('/').count()).cloned() else {
            return Ok(None);
        };
        let label = self.label_of(&found);
        let bytes = self.unpack(place, label.clone())?;
        Ok(Some((label.into(), bytes)))
    }

    fn companion_above(&mut self, name: &str) -> Result<Option<(PathBuf, Vec<u8>)>> {
        let named = self.above.iter().filter(|(other, _)| other.rsplit('/').next() == Some(name));
        let Some((found, place)) = named.max_by_key(|(other, _)| other.len()).cloned() else {
            return Ok(None);
        };
        let label = format!("{}:{found}", self.path.display());
        let bytes = self.unpack(place, label.clone())?;
        Ok(Some((label.into(), bytes)))
    }

    fn part(&self) -> &str {
        &self.part
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
        let entries = [("d/", &b""[..]), ("d/b.png", b"bee"), ("readme.txt", b"x"), ("a.webp", b"ay")];
        write_zip(&path, &entries);
        let mut archive = Archive::open(&path, "").unwrap();
        assert_eq!(archive.names(), ["a.webp", "d/b.png"]);
        assert_eq!((archive.skipped().kinds().as_str(), archive.path()), ("1 .txt", path.as_path()));
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
        let error = Archive::open(&path, "").unwrap().read(0).unwrap_err().to_string();
        assert!(error.contains("bomb.zip:a.png: larger than 64 MiB"), "{error}");
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
            let error = Archive::open(&path, "").err().unwrap().to_string();
            assert!(error.contains("set.zip: cannot read the zip"), "{error}");
        }
        let mut flipped = whole;
        flipped[200] ^= 0x55;
        std::fs::write(&path, &flipped).unwrap();
        let error = Archive::open(&path, "").unwrap().read(0).unwrap_err().to_string();
        assert!(error.contains("set.zip:a.png: cannot read the zip"), "{error}");
    }

    #[test]
    fn names_are_the_same_whatever_made_the_archive() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("set.zip");
        let entries = [
            ("./", &b""[..]),
            ("./photos/a.png", b"1"),
            ("photos\\b.png", b"2"),
            ("/photos/c.png", b"3"),
            ("__MACOSX/photos/._a.png", b"x"),
            ("photos/.DS_Store", b"x"),
            ("photos/labels.csv", b"file,v\n"),
        ];
        write_zip(&path, &entries);
        let mut archive = Archive::open(&path, "").unwrap();
        assert_eq!(archive.names(), ["photos/a.png", "photos/b.png", "photos/c.png"]);
        assert_eq!(archive.skipped().kinds(), "2 system files");
        assert_eq!((archive.read(1).unwrap(), archive.read(2).unwrap()), (b"2".to_vec(), b"3".to_vec()));
        let (label, bytes) = archive.companion("labels.csv").unwrap().unwrap();
        assert!(label.ends_with("set.zip:photos/labels.csv"), "{}", label.display());
        assert_eq!(bytes, b"file,v\n");
        assert_eq!(archive.companion("list.csv").unwrap(), None);
        let part = Archive::open(&path, "photos").unwrap();
        assert_eq!(part.names(), ["a.png", "b.png", "c.png"]);
        assert!(part.label(0).ends_with("set.zip:photos/a.png"));
    }

    #[test]
    fn a_web_page_in_place_of_a_zip_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("set.zip");
        std::fs::write(&path, "<!DOCTYPE html><h1>403</h1>").unwrap();
        let error = Archive::open(&path, "").err().unwrap().to_string();
        assert!(error.contains("set.zip: cannot read the zip: it is a web page"), "{error}");
    }
}
