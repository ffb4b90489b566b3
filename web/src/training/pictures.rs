//! What a model learns from.

use shared::msds::{Msds, Part};
use shared::train::Batches;

use crate::engine::planes;
use crate::error::{Error, Result};
use crate::protocol::{Pictures, TRAINING_EDGE, TRAINING_PICTURES};

/// Ovals to learn from, and to compare with.
const OVALS: usize = 4096;
/// Most pictures that are kept apart for comparison.
const HELD_OUT: usize = 64;
/// Bytes of a picture.
const LEN: usize = 3 * (TRAINING_EDGE * TRAINING_EDGE) as usize;
/// Tiles in a row of ovals.
const TILES: usize = TRAINING_EDGE as usize / shared::msds::TILE;

/// Pictures to learn from, and others to compare with; all planar, `[3, L, L]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Set {
    source: Source,
    held_out: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq)]
enum Source {
    /// Made when they are first looked at.
    Ovals { seed: u64, made: Vec<Option<Box<[u8]>>> },
    /// One after the other.
    Own { pixels: Vec<u8>, mirrored: bool },
}

impl Set {
    /// Prepares pictures. Of the reader's own a tenth is held out, chosen by the seed.
    ///
    /// # Errors
    /// [`Error::Learning`] if there are too few or too many, or if they are all alike.
    pub fn new(pictures: Pictures, seed: u64) -> Result<Self> {
        let Pictures::Own { rgb, mirrored } = pictures else {
            let held_out = (0..HELD_OUT as u64).flat_map(|i| Msds::Msds1.picture(TILES, seed, Part::Test, i)).collect();
            return Ok(Self { source: Source::Ovals { seed, made: vec![None; OVALS] }, held_out });
        };
        let (fewest, most) = TRAINING_PICTURES;
        let count = rgb.len() / LEN;
        if rgb.len() != count * LEN || !(fewest..=most).contains(&count) {
            return Err(Error::Learning(format!("it takes {fewest} to {most} pictures, not {count}")));
        }
        if rgb.chunks_exact(LEN).all(|picture| picture == &rgb[..LEN]) {
            return Err(Error::Learning("the pictures are all alike".to_owned()));
        }
        let planar: Vec<Vec<u8>> = rgb.chunks_exact(LEN).map(planes).collect();
        let mut order = Batches::new(count, count, seed).indexes(0);
        let held_out = order.split_off(count - (count / 10).clamp(1, HELD_OUT));
        let of = |indexes: Vec<usize>| indexes.into_iter().flat_map(|i| planar[i].clone()).collect::<Vec<u8>>();
        Ok(Self::of(of(order), of(held_out), mirrored))
    }

    /// Planar pictures as they are: those to learn from, those to compare with, and whether they may be mirrored.
    pub fn of(pixels: Vec<u8>, held_out: Vec<u8>, mirrored: bool) -> Self {
        Self { source: Source::Own { pixels, mirrored }, held_out }
    }

    /// How many there are to learn from.
    pub fn len(&self) -> usize {
        match &self.source {
            Source::Ovals { made, .. } => made.len(),
            Source::Own { pixels, .. } => pixels.len() / LEN,
        }
    }

    /// Whether there is nothing to learn from.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Those to compare with, one after the other.
    pub fn held_out(&self) -> &[u8] {
        &self.held_out
    }

    /// Whether they are the reader's own.
    pub fn is_own(&self) -> bool {
        matches!(self.source, Source::Own { .. })
    }

    /// Whether they may be mirrored.
    pub fn is_mirrored(&self) -> bool {
        match self.source {
            Source::Ovals { .. } => true,
            Source::Own { mirrored, .. } => mirrored,
        }
    }

    /// Picture `i`. Panics beyond the end.
    pub fn picture(&mut self, i: usize) -> &[u8] {
        match &mut self.source {
            Source::Own { pixels, .. } => &pixels[i * LEN..(i + 1) * LEN],
            Source::Ovals { seed, made } => {
                let seed = *seed;
                made[i].get_or_insert_with(|| Msds::Msds1.picture(TILES, seed, Part::Train, i as u64).into())
            }
        }
    }

    /// Some of them, one after the other; `mirror` says which are mirrored left to right, none if it is empty.
    pub fn batch(&mut self, indexes: &[usize], mirror: &[bool]) -> Vec<u8> {
        let mut batch = Vec::with_capacity(indexes.len() * LEN);
        for (k, &i) in indexes.iter().enumerate() {
            let start = batch.len();
            batch.extend_from_slice(self.picture(i));
            if mirror.get(k).is_some_and(|&mirrored| mirrored) {
                batch[start..].chunks_exact_mut(TRAINING_EDGE as usize).for_each(<[u8]>::reverse);
            }
        }
        batch
    }

    /// The reader's own pictures, those to learn from and those to compare with.
    pub(super) fn own(&self) -> Option<(&[u8], bool)> {
        match &self.source {
            Source::Own { pixels, mirrored } => Some((pixels, *mirrored)),
            Source::Ovals { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(count: usize, mirrored: bool) -> Pictures {
        let rgb: Vec<u8> = (0..count * LEN).map(|i| if i % LEN == 0 { i / LEN } else { i % 7 } as u8).collect();
        Pictures::Own { rgb: rgb.into(), mirrored }
    }

    #[test]
    fn a_tenth_is_held_out_and_nothing_is_lost() {
        let mut set = Set::new(own(40, false), 3).unwrap();
        assert_eq!((set.len(), set.held_out().len()), (36, 4 * LEN));
        // The first number of each tells which one it is.
        let mut seen: Vec<u8> = (0..36).map(|i| set.picture(i)[0]).collect();
        seen.extend(set.held_out().chunks(LEN).map(|picture| picture[0]));
        seen.sort_unstable();
        assert_eq!(seen, (0..40).collect::<Vec<u8>>());
        assert_ne!(Set::new(own(40, false), 4).unwrap(), set);
        assert_eq!(Set::new(own(4096, false), 4).unwrap().held_out().len(), HELD_OUT * LEN);
    }

    #[test]
    fn colours_become_planes_and_mirrored_rows_run_backwards() {
        assert_eq!(planes(&[1, 2, 3, 4, 5, 6]), [1, 4, 2, 5, 3, 6]);
        let mut set = Set::new(own(20, true), 0).unwrap();
        let (one, other) = (set.picture(0).to_vec(), set.picture(1).to_vec());
        let batch = set.batch(&[0, 1], &[false, true]);
        assert_eq!(batch[..LEN], one);
        assert_eq!(batch[LEN..LEN + 32], other[..32].iter().rev().copied().collect::<Vec<u8>>());
        assert_eq!(set.batch(&[0, 1], &[]), [one, other].concat());
        assert!(set.is_mirrored() && set.is_own());
    }

    #[test]
    fn ovals_are_those_of_the_native_program() {
        let mut set = Set::new(Pictures::Ovals, 5).unwrap();
        assert_eq!((set.len(), set.is_own()), (OVALS, false));
        assert_eq!(set.picture(9), Msds::Msds1.picture(4, 5, Part::Train, 9));
        assert_eq!(set.held_out()[..LEN], Msds::Msds1.picture(4, 5, Part::Test, 0));
    }

    #[test]
    fn too_few_too_many_and_equal_ones_are_refused() {
        for count in [0, 1, 19, 4097] {
            let error = Set::new(own(count, false), 0).unwrap_err().to_string();
            assert!(error.contains("20 to 4096") && error.contains(&format!("not {count}")), "{error}");
        }
        let odd = Pictures::Own { rgb: vec![1; 30 * LEN + 5].into(), mirrored: false };
        assert!(Set::new(odd, 0).is_err());
        let alike = Pictures::Own { rgb: vec![7; 30 * LEN].into(), mirrored: false };
        assert!(Set::new(alike, 0).unwrap_err().to_string().contains("all alike"));
    }
}
