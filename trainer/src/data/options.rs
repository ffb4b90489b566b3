//! How a data set is loaded, and what comes of it.

use std::path::PathBuf;

use super::images::DEFAULT_MEMORY_LIMIT;
use super::set::ImageSet;

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
    /// At most this many pictures to train on, picked at random; a generated set has exactly this many.
    pub limit: Option<usize>,
    /// At most this many pictures to test on, the first in their order.
    pub test_limit: Option<usize>,
    /// Whether to skip pictures that cannot be read.
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

/// Which parts are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Both,
    Test,
}

/// A set whose training part is loaded only if it was wanted.
pub(crate) struct Loaded {
    pub(crate) name: String,
    pub(crate) train: Option<ImageSet>,
    pub(crate) test: ImageSet,
    pub(crate) licence: Option<String>,
    pub(crate) description: String,
    pub(crate) notes: Vec<String>,
    pub(crate) mirrors: bool,
}
