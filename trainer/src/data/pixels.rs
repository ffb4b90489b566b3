//! The pixels of a set's pictures: in memory, or made when they are first looked at.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

/// Pixels of some pictures of one size, a byte for each number.
#[derive(Clone, Debug)]
pub(super) enum Pixels {
    /// One picture after the other.
    Stored(Vec<u8>),
    /// Made one by one: a run that trains on some of them starts at once.
    Made(Arc<Made>),
}

/// Pictures that a function makes from their number.
pub(super) struct Made {
    pictures: Vec<OnceLock<Box<[u8]>>>,
    make: Box<dyn Fn(usize) -> Box<[u8]> + Send + Sync>,
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Made({})", self.pictures.len())
    }
}

impl Made {
    fn picture(&self, i: usize) -> &[u8] {
        self.pictures[i].get_or_init(|| (self.make)(i))
    }
}

impl Pixels {
    /// `count` pictures, of which `make` makes any.
    pub(super) fn made(count: usize, make: impl Fn(usize) -> Box<[u8]> + Send + Sync + 'static) -> Self {
        let pictures = std::iter::repeat_with(OnceLock::new).take(count).collect();
        Self::Made(Arc::new(Made { pictures, make: Box::new(make) }))
    }

    /// How many pictures of `len` bytes.
    pub(super) fn count(&self, len: usize) -> usize {
        match self {
            Self::Stored(bytes) => bytes.len().checked_div(len).unwrap_or(0),
            Self::Made(made) => made.pictures.len(),
        }
    }

    /// Picture `i`, of `len` bytes. Panics beyond the end.
    pub(super) fn picture(&self, i: usize, len: usize) -> &[u8] {
        match self {
            Self::Stored(bytes) => &bytes[i * len..(i + 1) * len],
            Self::Made(made) => made.picture(i),
        }
    }

    /// Makes what is missing of these pictures, on all threads.
    pub(super) fn prepare(&self, indexes: &[usize]) {
        if let Self::Made(made) = self {
            indexes.par_iter().for_each(|&i| {
                made.picture(i);
            });
        }
    }

    /// All of them, one after the other.
    pub(super) fn all(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Stored(bytes) => Cow::Borrowed(bytes),
            Self::Made(made) => {
                let pictures: Vec<_> = (0..made.pictures.len()).into_par_iter().map(|i| made.picture(i)).collect();
                Cow::Owned(pictures.concat())
            }
        }
    }
}

impl PartialEq for Pixels {
    fn eq(&self, other: &Self) -> bool {
        self.all() == other.all()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_picture_is_made_once_and_only_when_it_is_looked_at() {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let pixels = Pixels::made(5, move |i| {
            counted.fetch_add(1, Ordering::Relaxed);
            vec![i as u8; 3].into()
        });
        assert_eq!((pixels.count(3), calls.load(Ordering::Relaxed)), (5, 0));
        assert_eq!(pixels.picture(3, 3), [3; 3]);
        let copy = pixels.clone();
        copy.prepare(&[3, 1, 3]);
        assert_eq!(calls.load(Ordering::Relaxed), 2);
        let stored = Pixels::Stored([[0; 3], [1; 3], [2; 3], [3; 3], [4; 3]].concat());
        assert_eq!(pixels, stored);
        assert_eq!((calls.load(Ordering::Relaxed), stored.count(3)), (5, 5));
        assert_ne!(copy, Pixels::Stored(vec![0; 15]));
    }
}
