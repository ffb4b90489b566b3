//! From what the user typed to a data set in memory.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use shared::DataKind;
use shared::msds::{Msds, Part};

use super::images::check_memory;
use super::options::{DataOptions, Loaded, Wanted};
use super::set::{Dataset, ImageSet, TestSet};
use super::{cifar, collection, mnist, msds, npy};
use crate::error::{Error, Result};
use crate::lattice::Couplings;

/// Where pictures come from: `msds1`, `msds2`, `phi4`, `ising`, or a path.
///
/// A path may be a folder of pictures (at any depth), a `.zip` of pictures, CelebA's official zip
/// or its folder, CIFAR-10's binary or python version (folder or `.tar.gz`), or a folder of MNIST's
/// idx files; also the folders that torchvision keeps these in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataSource {
    /// Generated from the seed.
    Msds(Msds),
    /// Fields, drawn from the seed.
    Lattice(Couplings),
    /// Read from files.
    Path(PathBuf),
}

/// Default sizes of a generated set: pictures to train on, and to test on.
const GENERATED: (usize, usize) = (90_000, 10_000);

/// Default sizes of a drawn set of fields.
const DRAWN: (usize, usize) = (50_000, 2_000);

/// A set's name wins over a file of the same name; `./msds1` means the file.
impl FromStr for DataSource {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "msds1" => Ok(Self::Msds(Msds::Msds1)),
            "msds2" => Ok(Self::Msds(Msds::Msds2)),
            text if Couplings::are_named(text) => text.parse().map(Self::Lattice),
            "" => Err(Error::usage("the data set", "it is empty", "give msds1, msds2 or a path")),
            path => Ok(Self::Path(path.into())),
        }
    }
}

impl fmt::Display for DataSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Msds(kind) => f.write_str(kind.name()),
            Self::Lattice(couplings) => write!(f, "{couplings}"),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}

impl DataSource {
    /// What it holds.
    pub fn kind(&self) -> DataKind {
        match self {
            Self::Lattice(_) => DataKind::Field,
            Self::Path(path) if is_npy(path) => DataKind::Field,
            _ => DataKind::Images,
        }
    }

    /// Loads the whole set into memory.
    pub fn load(&self, options: &DataOptions) -> Result<Dataset> {
        let Loaded { name, train, test, licence, description, notes, mirrors } = self.parts(options, Wanted::Both)?;
        let licence = options.licence.clone().or(licence);
        let Some(train) = train else {
            let advice = "this is a bug: please report it";
            return Err(Error::content(self, "the training part was not loaded", advice));
        };
        Ok(Dataset { name, train, test, licence, description, notes, mirrors })
    }

    /// Loads the test part, and decodes nothing else.
    pub fn load_test(&self, options: &DataOptions) -> Result<TestSet> {
        let Loaded { name, test, notes, .. } = self.parts(options, Wanted::Test)?;
        // Pictures from elsewhere go by their own name.
        let name = options.test_data.as_ref().map_or(name, |path| path.display().to_string());
        Ok(TestSet { name, images: test, notes })
    }

    /// Loads all pictures as a set to test on: of a generated set and of those with a test part of their own, that part.
    pub fn load_whole(&self, options: &DataOptions) -> Result<TestSet> {
        match self {
            Self::Path(path) if !is_npy(path) && cifar::locate(path).is_none() && mnist::locate(path)?.is_none() => {
                let name =
                    path.file_stem().map_or_else(|| self.to_string(), |stem| stem.to_string_lossy().into_owned());
                let (images, notes) = collection::whole(path, &name, options)?;
                Ok(TestSet { name, images, notes })
            }
            Self::Path(path) if is_npy(path) => {
                let images = whole_fields(path, options)?;
                Ok(TestSet { name: images.name.clone(), images, notes: vec![] })
            }
            _ => self.load_test(options),
        }
    }

    fn parts(&self, options: &DataOptions, wanted: Wanted) -> Result<Loaded> {
        match self {
            Self::Msds(kind) => generated(*kind, options, wanted),
            Self::Lattice(couplings) => drawn(couplings, options, wanted),
            Self::Path(path) if is_npy(path) => fields(path, options),
            Self::Path(path) => from_path(path, options, wanted),
        }
    }
}

fn generated(kind: Msds, options: &DataOptions, wanted: Wanted) -> Result<Loaded> {
    let (size, seed) = (options.size, options.seed);
    let (n, m) = (options.limit.unwrap_or(GENERATED.0), options.test_limit.unwrap_or(GENERATED.1));
    let train = match wanted {
        Wanted::Both => {
            check_memory(kind.name(), n.saturating_add(m), size, options.memory_limit)?;
            Some(msds::generate(kind, size, n, seed, Part::Train)?)
        }
        Wanted::Test => None,
    };
    check_memory(kind.name(), m, size, options.memory_limit)?;
    let (test, notes) = match &options.test_data {
        Some(path) => collection::whole(path, &format!("{}-test", kind.name()), options)?,
        None => (msds::generate(kind, size, m, seed, Part::Test)?, Vec::new()),
    };
    let description = format!(
        "{}: ovals on black, {} pictures to train on and {} to test on, generated with seed {seed}",
        kind.name().to_uppercase(),
        train.as_ref().map_or(0, ImageSet::len),
        test.len(),
    );
    let licence = Some("generated by this program: no rights reserved".to_string());
    Ok(Loaded { name: kind.name().into(), train, test, licence, description, notes, mirrors: true })
}

/// Fields of a theory: those to train on and those to test on come from chains of their own.
fn drawn(couplings: &Couplings, options: &DataOptions, wanted: Wanted) -> Result<Loaded> {
    let (name, size, seed) = (couplings.to_string(), options.size, options.seed);
    let (n, m) = (options.limit.unwrap_or(DRAWN.0), options.test_limit.unwrap_or(DRAWN.1));
    let all = if wanted == Wanted::Both { n.saturating_add(m) } else { m };
    // Each number is kept as a float and as a byte, and a picture is thought to have three.
    check_memory(&name, all.saturating_mul(2), size, options.memory_limit)?;
    let set = |part: &str, count, stream| {
        ImageSet::of_fields(format!("{name}-{part}"), 1, size, couplings.theory().draw(size, count, seed, stream)?)
    };
    let train = if wanted == Wanted::Both { Some(set("train", n, 0)?) } else { None };
    let test = match &options.test_data {
        Some(path) => whole_fields(path, options)?,
        None => set("test", m, 1)?,
    };
    let description = format!(
        "{} on {size}×{size}, {} fields to train on and {} to test on, drawn with seed {seed}",
        couplings.described(),
        train.as_ref().map_or(0, ImageSet::len),
        test.len(),
    );
    let licence = Some("generated by this program: no rights reserved".to_string());
    Ok(Loaded { name, train, test, licence, description, notes: vec![], mirrors: true })
}

/// Whether a path is one of fields.
fn is_npy(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy"))
}

/// All fields of a file.
fn whole_fields(path: &Path, options: &DataOptions) -> Result<ImageSet> {
    let npy::Fields { channels, size, values } = npy::read(path, options.memory_limit)?;
    if size != options.size {
        let problem = format!("its fields are {size}×{size}, but {0}×{0} are needed", options.size);
        return Err(Error::content(path.display(), problem, format!("train a model with --size {size}")));
    }
    ImageSet::of_fields(path.display().to_string(), channels, size, values)
}

/// Fields of a file, the last of which are held out: those that follow one another in a chain are alike.
fn fields(path: &Path, options: &DataOptions) -> Result<Loaded> {
    let all = whole_fields(path, options)?;
    let held_out = ((all.len() as f64 * options.test_fraction).round() as usize).clamp(1, all.len() - 1);
    let first = all.len() - held_out;
    let part = |range: std::ops::Range<usize>, most: Option<usize>| {
        all.subset(&range.take(most.unwrap_or(usize::MAX)).collect::<Vec<_>>())
    };
    let train = part(0..first, options.limit)?;
    let test = match &options.test_data {
        Some(path) => whole_fields(path, options)?,
        None => part(first..all.len(), options.test_limit)?,
    };
    let description = format!("{}: {} fields, the last {held_out} of them to test on", path.display(), all.len());
    let name = path.file_stem().map_or_else(|| path.display().to_string(), |stem| stem.to_string_lossy().into_owned());
    Ok(Loaded { name, train: Some(train), test, licence: None, description, notes: vec![], mirrors: true })
}

fn from_path(path: &Path, options: &DataOptions, wanted: Wanted) -> Result<Loaded> {
    if !path.exists() {
        let problem = "there is no file, folder or data set of that name";
        let advice = "give msds1, msds2, phi4, ising, or the path of a folder, a .zip, a .tar.gz or a .npy";
        return Err(Error::usage(path.display().to_string(), problem, advice));
    }
    let mut data = if let Some(path) = cifar::locate(path) {
        cifar::load(&path, options, wanted)?
    } else if let Some(folder) = mnist::locate(path)? {
        mnist::load(&folder, options, wanted)?
    } else {
        return collection::load(path, options, wanted);
    };
    if let Some(test) = &options.test_data {
        let (test, notes) = collection::whole(test, &data.test.name, options)?;
        data.test = test;
        data.notes.extend(notes);
    }
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::plain;
    use shared::train::Values;

    fn load(text: &str, options: &DataOptions) -> Result<Dataset> {
        text.parse::<DataSource>()?.load(options)
    }

    #[test]
    fn names_and_paths_are_told_apart() {
        assert_eq!("msds1".parse::<DataSource>().unwrap(), DataSource::Msds(Msds::Msds1));
        assert_eq!("msds2".parse::<DataSource>().unwrap(), DataSource::Msds(Msds::Msds2));
        assert_eq!("a/b".parse::<DataSource>().unwrap(), DataSource::Path("a/b".into()));
        assert!("".parse::<DataSource>().is_err());
        for text in ["msds1", "msds2", "a/b.zip"] {
            assert_eq!(text.parse::<DataSource>().unwrap().to_string(), text);
        }
        let error = load("msds3", &DataOptions::default()).unwrap_err().to_string();
        assert!(error.contains("msds3") && error.contains("msds1"), "{error}");
    }

    #[test]
    fn generated_sets_take_their_options() {
        let options = DataOptions { limit: Some(6), test_limit: Some(3), seed: 9, size: 16, ..DataOptions::default() };
        let data = load("msds2", &options).unwrap();
        assert_eq!((data.train.len(), data.test.len(), data.train.size), (6, 3, 16));
        assert_eq!(data.train, msds::generate(Msds::Msds2, 16, 6, 9, Part::Train).unwrap());
        assert_eq!(data.test, msds::generate(Msds::Msds2, 16, 3, 9, Part::Test).unwrap());
        assert!(data.description.contains("MSDS2") && data.description.contains("seed 9"));
        assert!(data.licence.is_some());
        let mine = DataOptions { licence: Some("mine".into()), ..options.clone() };
        assert_eq!(load("msds2", &mine).unwrap().licence.as_deref(), Some("mine"));
        assert!(load("msds1", &DataOptions { memory_limit: 1000, ..options }).is_err());
        let (train, test) = GENERATED;
        assert_eq!((train, test), (90_000, 10_000));
    }

    #[test]
    fn fields_are_drawn_or_read() {
        let options = DataOptions { limit: Some(5), test_limit: Some(3), size: 4, ..DataOptions::default() };
        let data = load("phi4:beta=0.5", &options).unwrap();
        assert_eq!((data.name.as_str(), data.train.len(), data.test.len()), ("phi4:beta=0.5,lambda=1", 5, 3));
        assert_eq!((data.train.channels, data.train.kind()), (1, shared::DataKind::Field));
        assert_ne!(data.train.values(&[0], &[]), data.test.values(&[0], &[]));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine.npy");
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (20, 4, 4), }";
        let mut bytes = [&b"\x93NUMPY\x01\x00"[..], &(header.len() as u16).to_le_bytes(), header.as_bytes()].concat();
        bytes.extend((0..320).flat_map(|i| (i as f32).to_le_bytes()));
        std::fs::write(&path, bytes).unwrap();
        let text = path.display().to_string();
        let mine = load(&text, &options).unwrap();
        assert_eq!((mine.name.as_str(), mine.train.len(), mine.test.len()), ("mine", 5, 2));
        assert_eq!(mine.test.values(&[0], &[]), Values::Field((288..304).map(|i| i as f32).collect()));
        let error = load(&text, &DataOptions { size: 8, ..options.clone() }).unwrap_err().to_string();
        assert!(error.contains("mine.npy") && error.contains("--size 4"), "{error}");
        let whole = text
            .parse::<DataSource>()
            .unwrap()
            .load_whole(&DataOptions { test_limit: None, ..options.clone() })
            .unwrap();
        assert_eq!(whole.images.len(), 20);
        assert!("phi4:beta=nan".parse::<DataSource>().is_err());
        let data = load("ising:beta=0.3", &DataOptions { size: 8, ..options }).unwrap();
        assert_eq!(
            (data.name.as_str(), data.train.len(), data.train.kind()),
            ("ising:beta=0.3", 5, shared::DataKind::Field)
        );
        assert!(
            data.description.contains("Ising") && data.description.contains("normal number"),
            "{}",
            data.description
        );
    }

    #[test]
    fn every_kind_of_path_is_recognised() {
        let dir = tempfile::tempdir().unwrap();
        let text = dir.path().display().to_string();
        let options = DataOptions { size: 4, test_limit: Some(9), ..DataOptions::default() };
        assert!(load(&text, &options).unwrap_err().to_string().contains("no picture"));
        for i in 0..3 {
            std::fs::write(dir.path().join(format!("{i}.png")), plain(6, [i; 3])).unwrap();
        }
        assert_eq!(load(&text, &options).unwrap().train.len(), 2);
        let whole = |text: &str| text.parse::<DataSource>().unwrap().load_whole(&options).unwrap();
        assert_eq!((whole(&text).images.len(), whole("phi4").images.name.as_str()), (3, "phi4-test"));
        let tested = DataOptions { test_data: Some(dir.path().into()), limit: Some(2), ..options };
        assert_eq!(load("msds1", &DataOptions { size: 8, ..tested.clone() }).unwrap().test.len(), 3);
        std::fs::write(dir.path().join("train-images-idx3-ubyte"), "").unwrap();
        assert!(load(&text, &tested).unwrap_err().to_string().contains("idx3"));
        std::fs::write(dir.path().join("test_batch.bin"), "").unwrap();
        assert!(load(&text, &tested).unwrap_err().to_string().contains("test_batch.bin"));
    }
}
