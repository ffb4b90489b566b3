//! From what the user typed to a data set in memory.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::images::{DEFAULT_MEMORY_LIMIT, check_memory};
use super::{Dataset, ImageSet, Msds, Part, TestSet, cifar, collection, mnist};
use crate::error::{Error, Result};

/// Where pictures come from: `msds1`, `msds2`, or a path.
///
/// A path may be a folder of pictures (at any depth), a `.zip` of pictures, CelebA's official zip
/// or its folder, CIFAR-10's binary or python version (folder or `.tar.gz`), or a folder of MNIST's
/// idx files; also the folders that torchvision keeps these in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataSource {
    /// Generated from the seed.
    Msds(Msds),
    /// Read from files.
    Path(PathBuf),
}

/// How a data set is loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct DataOptions {
    /// The pictures' edge L in pixels: others are cropped to a square and resized.
    pub size: usize,
    /// Seed of generated sets, of the part held out and of what a limit picks.
    pub seed: u64,
    /// The part held out to test on where the set has no test part of its own.
    pub test_fraction: f64,
    /// A folder or zip of pictures to test on instead.
    pub test_data: Option<PathBuf>,
    /// At most this many pictures to train on, picked at random; of a generated set exactly as many.
    pub limit: Option<usize>,
    /// At most this many pictures to test on, the first in their order.
    pub test_limit: Option<usize>,
    /// Whether to go on without pictures that cannot be read.
    pub skip_broken: bool,
    /// The most bytes of pixels to load.
    pub memory_limit: usize,
    /// The pictures' licence, for the model's card.
    pub licence: Option<String>,
}

/// 32×32 pixels, seed 0, a tenth held out, no limits but 8 GiB of memory.
impl Default for DataOptions {
    fn default() -> Self {
        Self {
            size: 32,
            seed: 0,
            test_fraction: 0.1,
            test_data: None,
            limit: None,
            test_limit: None,
            skip_broken: false,
            memory_limit: DEFAULT_MEMORY_LIMIT,
            licence: None,
        }
    }
}

/// Pictures of a generated set unless limited.
const GENERATED: (usize, usize) = (90_000, 10_000);

/// A set's name wins over a file of the same name; `./msds1` means the file.
impl FromStr for DataSource {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "msds1" => Ok(Self::Msds(Msds::Msds1)),
            "msds2" => Ok(Self::Msds(Msds::Msds2)),
            "" => Err(Error::usage("the data set", "it is empty", "give msds1, msds2 or a path")),
            path => Ok(Self::Path(path.into())),
        }
    }
}

impl fmt::Display for DataSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Msds(kind) => f.write_str(kind.name()),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}

/// Which parts are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Both,
    Test,
}

/// A set of which the training part is there only if it was wanted.
pub(crate) struct Loaded {
    pub(crate) name: String,
    pub(crate) train: Option<ImageSet>,
    pub(crate) test: ImageSet,
    pub(crate) licence: Option<String>,
    pub(crate) description: String,
    pub(crate) notes: Vec<String>,
    pub(crate) mirrors: bool,
}

impl DataSource {
    /// Loads the whole set into memory.
    pub fn load(&self, options: &DataOptions) -> Result<Dataset> {
        let Loaded { name, train, test, licence, description, notes, mirrors } = self.parts(options, Wanted::Both)?;
        let licence = options.licence.clone().or(licence);
        let Some(train) = train else {
            let advice = "this is a fault of the program: please report it";
            return Err(Error::content(self, "the training part was not loaded", advice));
        };
        Ok(Dataset { name, train, test, licence, description, notes, mirrors })
    }

    /// Loads what is to be tested on, and decodes nothing else.
    pub fn load_test(&self, options: &DataOptions) -> Result<TestSet> {
        let Loaded { name, test, notes, .. } = self.parts(options, Wanted::Test)?;
        Ok(TestSet { name, images: test, notes })
    }

    fn parts(&self, options: &DataOptions, wanted: Wanted) -> Result<Loaded> {
        match self {
            Self::Msds(kind) => generated(*kind, options, wanted),
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
            Some(kind.generate(size, n, seed, Part::Train)?)
        }
        Wanted::Test => None,
    };
    check_memory(kind.name(), m, size, options.memory_limit)?;
    let (test, notes) = match &options.test_data {
        Some(path) => collection::whole(path, &format!("{}-test", kind.name()), options)?,
        None => (kind.generate(size, m, seed, Part::Test)?, Vec::new()),
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

fn from_path(path: &Path, options: &DataOptions, wanted: Wanted) -> Result<Loaded> {
    if !path.exists() {
        let problem = "there is no such file or folder, nor a set of that name";
        let advice = "give msds1, msds2, or the path of a folder, a .zip or a .tar.gz";
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
        assert_eq!(data.train, Msds::Msds2.generate(16, 6, 9, Part::Train).unwrap());
        assert_eq!(data.test, Msds::Msds2.generate(16, 3, 9, Part::Test).unwrap());
        assert!(data.description.contains("MSDS2") && data.description.contains("seed 9"));
        assert!(data.licence.is_some());
        let mine = DataOptions { licence: Some("mine".into()), ..options.clone() };
        assert_eq!(load("msds2", &mine).unwrap().licence.as_deref(), Some("mine"));
        assert!(load("msds1", &DataOptions { memory_limit: 1000, ..options }).is_err());
        let (train, test) = GENERATED;
        assert_eq!((train, test), (90_000, 10_000));
    }

    #[test]
    fn every_kind_of_path_is_recognised() {
        let dir = tempfile::tempdir().unwrap();
        let text = dir.path().display().to_string();
        let options = DataOptions { size: 4, ..DataOptions::default() };
        assert!(load(&text, &options).unwrap_err().to_string().contains("no picture"));
        for i in 0..3 {
            std::fs::write(dir.path().join(format!("{i}.png")), plain(6, [i; 3])).unwrap();
        }
        assert_eq!(load(&text, &options).unwrap().train.len(), 2);
        let tested = DataOptions { test_data: Some(dir.path().into()), limit: Some(2), ..options };
        assert_eq!(load("msds1", &DataOptions { size: 8, ..tested.clone() }).unwrap().test.len(), 3);
        std::fs::write(dir.path().join("train-images-idx3-ubyte"), "").unwrap();
        assert!(load(&text, &tested).unwrap_err().to_string().contains("idx3"));
        std::fs::write(dir.path().join("test_batch.bin"), "").unwrap();
        assert!(load(&text, &tested).unwrap_err().to_string().contains("test_batch.bin"));
    }
}
