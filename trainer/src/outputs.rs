//! What a command reads and writes, looked at before it computes: hours of work must not end in a file that cannot be
//! written, and no output may replace what the command reads, or a file of another kind.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use image::ImageFormat;

use crate::error::{Error, Result};
use crate::files::{is_used, writable};

/// How much of a file is read to tell what it is.
const START: u64 = 64 << 10;

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A picture, in the format of its name.
    Picture,
    /// A model's weights.
    Weights,
    /// Latents of images.
    Latents,
    /// Numbers, as JSON.
    Json,
    /// A folder. One that holds files of others is refused unless the named file is there, by which the command knows its
    /// own.
    Folder(Option<&'static str>),
}

impl Kind {
    /// In words.
    fn name(self) -> &'static str {
        match self {
            Self::Picture => "a picture",
            Self::Weights => "a weights file",
            Self::Latents => "a file of latents",
            Self::Json => "a JSON file",
            Self::Folder(_) => "a folder",
        }
    }

    /// Whether a file that starts like this is of the kind.
    fn is(self, start: &[u8]) -> bool {
        let holds = |text: &str| start.windows(text.len()).any(|window| window == text.as_bytes());
        match self {
            Self::Picture => image::guess_format(start).is_ok(),
            Self::Weights => start.get(8) == Some(&b'{') && holds("\"rg-flow\""),
            Self::Latents => start.get(8) == Some(&b'{') && holds("\"rg-flow-latents\""),
            Self::Json => matches!(start.trim_ascii_start().first(), Some(b'{' | b'[')),
            Self::Folder(_) => false,
        }
    }
}

/// The paths of a command line.
#[derive(Debug, Default)]
pub struct Files<'a> {
    /// What is read, and must stay.
    pub read: Vec<&'a Path>,
    /// The options that name what is written, with their values.
    pub written: Vec<(&'static str, &'a Path, Kind)>,
}

impl<'a> Files<'a> {
    /// Of a command that reads these.
    pub fn reading(read: impl IntoIterator<Item = &'a PathBuf>) -> Self {
        Self { read: read.into_iter().map(PathBuf::as_path).collect(), written: Vec::new() }
    }

    /// And writes this.
    pub fn writing(mut self, option: &'static str, path: &'a Path, kind: Kind) -> Self {
        self.written.push((option, path, kind));
        self
    }

    /// And writes this, if it is given.
    pub fn perhaps(self, option: &'static str, path: Option<&'a PathBuf>, kind: Kind) -> Self {
        match path {
            Some(path) => self.writing(option, path, kind),
            None => self,
        }
    }

    /// Whether all of it can be written without a loss.
    ///
    /// # Errors
    /// [`Error::Usage`] names the option whose file is read by the same command, is another option's, or holds something
    /// else; else as [`writable`].
    pub fn check(&self) -> Result<()> {
        for (i, &(option, path, kind)) in self.written.iter().enumerate() {
            let whole = whole(path);
            if self.read.iter().any(|read| same(read, &whole)) {
                let problem = format!("{} is read by this command, and would be lost", path.display());
                return Err(Error::usage(option, problem, "give another name"));
            }
            if let Some((other, ..)) = self.written[..i].iter().find(|(_, other, _)| same(other, &whole)) {
                let problem = format!("{} is what {other} names, too", path.display());
                return Err(Error::usage(option, problem, "give another name"));
            }
            if let Kind::Folder(own) = kind {
                folder(option, path, own)?;
            } else {
                file(option, path, kind)?;
            }
        }
        Ok(())
    }
}

/// A path without links and dots, as far as it exists.
fn whole(path: &Path) -> PathBuf {
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_path_buf())
}

fn same(path: &Path, whole_other: &Path) -> bool {
    whole(path) == whole_other
}

fn folder(option: &str, path: &Path, own: Option<&str>) -> Result<()> {
    if path.is_file() {
        return Err(Error::usage(option, format!("{} is a file", path.display()), "give the name of a folder"));
    }
    let Some(own) = own else { return Ok(()) };
    if path.is_dir() && is_used(path)? && !path.join(own).exists() {
        let problem = format!("{} holds other files", path.display());
        return Err(Error::usage(option, problem, "give a new folder"));
    }
    Ok(())
}

fn file(option: &str, path: &Path, kind: Kind) -> Result<()> {
    let path = &writable(path)?;
    if kind == Kind::Picture {
        ImageFormat::from_path(path).map_err(Error::draw(path))?;
    }
    if let Some(start) = start(path)?.filter(|start| !start.is_empty())
        && !kind.is(&start)
    {
        let problem = format!("{} exists, and is not {}", path.display(), kind.name());
        return Err(Error::usage(option, problem, "give another name, or remove that file first"));
    }
    // The nearest folder that is there must take a file.
    match path.ancestors().skip(1).find(|above| above.as_os_str().is_empty() || above.exists()) {
        Some(above) => {
            let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
            tempfile::tempfile_in(above).map(drop).map_err(Error::io(above, "write into it"))
        }
        None => Ok(()),
    }
}

/// The first bytes of a file, if it is there.
fn start(path: &Path) -> Result<Option<Vec<u8>>> {
    if !fs::exists(path).map_err(Error::io(path, "access it"))? {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Error::io(path, "read it"))?;
    file.take(START).read_to_end(&mut bytes).map_err(Error::io(path, "read it"))?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_and_what_is_of_another_kind_stays() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let header =
            |format: &str| [&[9, 0, 0, 0, 0, 0, 0, 0][..], format!(r#"{{"format":"{format}"}}"#).as_bytes()].concat();
        fs::write(at("weights"), header("rg-flow")).unwrap();
        fs::write(at("latents"), header("rg-flow-latents")).unwrap();
        fs::write(at("numbers"), b" [1, 2]").unwrap();
        fs::write(at("empty.png"), b"").unwrap();
        fs::write(at("notes.png"), b"my notes").unwrap();
        image::RgbImage::new(2, 2).save(at("picture.png")).unwrap();
        let kinds = [
            ("weights", Kind::Weights),
            ("latents", Kind::Latents),
            ("numbers", Kind::Json),
            ("picture.png", Kind::Picture),
        ];
        for (name, own) in kinds {
            for (_, kind) in kinds {
                let path = at(name);
                let checked = Files::default().writing("--out", &path, kind).check();
                assert_eq!(checked.is_ok(), kind == own, "{name} {kind:?}: {checked:?}");
            }
            // Read by the command itself, by whatever way its path takes.
            let (path, roundabout) = (at(name), dir.path().join(".").join(name));
            let error = Files::reading([&roundabout]).writing("--out", &path, own).check().unwrap_err().to_string();
            assert!(error.contains("--out") && error.contains("would be lost"), "{error}");
        }
        for (name, good) in [("empty.png", true), ("new/sheet.png", true), ("notes.png", false), ("sheet.txt", false)] {
            assert_eq!(Files::default().writing("--out", &at(name), Kind::Picture).check().is_ok(), good, "{name}");
        }
        let twice = at("twice.png");
        let both = Files::default().writing("--out", &twice, Kind::Picture).writing("--grid", &twice, Kind::Picture);
        assert!(both.check().unwrap_err().to_string().contains("--grid"));
    }

    #[test]
    fn folders_of_others_stay() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for folder in ["empty", "photos", "sheets"] {
            fs::create_dir(at(folder)).unwrap();
        }
        fs::write(at("photos/a.png"), b"x").unwrap();
        fs::write(at("sheets/key.csv"), b"x").unwrap();
        for (name, good) in
            [("new", true), ("empty", true), ("sheets", true), ("photos", false), ("photos/a.png", false)]
        {
            let path = at(name);
            let checked = Files::default().writing("--out", &path, Kind::Folder(Some("key.csv"))).check();
            assert_eq!(checked.is_ok(), good, "{name}: {checked:?}");
        }
        Files::default().writing("--out", &at("photos"), Kind::Folder(None)).check().unwrap();
    }
}
