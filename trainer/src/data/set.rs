//! Sets of pictures in memory.

use std::borrow::Cow;

use shared::DataKind;
use shared::logit::to_pixels;
use shared::train::Values;

use super::labels::Labels;
use super::pixels::Pixels;
use crate::error::{Error, Result};

/// Square pictures of one size, in memory.
///
/// Pixels are bytes, planar per picture: `[n, channels, size, size]`, as the model takes them.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageSet {
    /// The set's name, for instance `msds1-train`.
    pub name: String,
    /// The edge L in pixels.
    pub size: usize,
    /// Channels of a picture: 3 (red, green, blue) as loaded, 1 of [`ImageSet::grey`].
    pub channels: usize,
    pixels: Pixels,
    /// Fields as they are, `[n, channels, size, size]`; their pixels are what they look like.
    field: Option<Vec<f32>>,
    pub(super) labels: Option<Labels>,
}

/// A set to train on and a set to test on.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// The name of the whole, for instance `msds1`.
    pub name: String,
    /// Pictures to train on.
    pub train: ImageSet,
    /// Pictures never trained on.
    pub test: ImageSet,
    /// The licence of the pictures, where known.
    pub licence: Option<String>,
    /// Where the pictures come from and how they were split, in a sentence or two.
    pub description: String,
    /// What the user should know: files skipped, pictures left out or converted.
    pub notes: Vec<String>,
    /// Whether a mirrored picture is as good as the original: not for digits and letters.
    pub mirrors: bool,
}

/// A set to test on.
#[derive(Clone, Debug, PartialEq)]
pub struct TestSet {
    /// The name of the whole, for instance `msds1`.
    pub name: String,
    /// The pictures.
    pub images: ImageSet,
    /// What the user should know, as [`Dataset::notes`].
    pub notes: Vec<String>,
}

impl ImageSet {
    /// A set from planar pixels `[n, 3, size, size]` and, if known, a row of labels per picture.
    pub fn new(name: impl Into<String>, size: usize, pixels: Vec<u8>, labels: Option<Labels>) -> Result<Self> {
        let (name, found) = (name.into(), pixels.len());
        let set = Self { name, size, channels: CHANNELS, pixels: Pixels::Stored(pixels), field: None, labels };
        let bytes = set.image_len();
        if bytes == 0 || found == 0 || !found.is_multiple_of(bytes) {
            let problem = format!("{found} bytes are not a multiple of a picture's, {size}x{size}");
            return Err(Error::content(set.name, problem, "give at least one whole picture"));
        }
        set.checked()
    }

    /// A set of `count` pictures, each of which `make` makes, `[3, size, size]`, when it is first looked at.
    pub(super) fn made(
        name: String,
        size: usize,
        count: usize,
        labels: Option<Labels>,
        make: impl Fn(usize) -> Box<[u8]> + Send + Sync + 'static,
    ) -> Result<Self> {
        Self { name, size, channels: CHANNELS, pixels: Pixels::made(count, make), field: None, labels }.checked()
    }

    /// A set of fields `[n, channels, size, size]`.
    pub fn of_fields(name: impl Into<String>, channels: usize, size: usize, field: Vec<f32>) -> Result<Self> {
        let (name, dims) = (name.into(), channels * size * size);
        if dims == 0 || field.is_empty() || !field.len().is_multiple_of(dims) {
            let problem = format!("{} numbers are not a multiple of a field's, {channels}×{size}×{size}", field.len());
            return Err(Error::content(name, problem, "give at least one whole field"));
        }
        let pixels = Pixels::Stored(to_pixels(&field));
        Ok(Self { name, size, channels, pixels, field: Some(field), labels: None })
    }

    /// What the set holds.
    pub fn kind(&self) -> DataKind {
        if self.field.is_some() { DataKind::Field } else { DataKind::Images }
    }

    /// The set, if its labels are as many as its pictures.
    fn checked(self) -> Result<Self> {
        if let Some(labels) = &self.labels
            && labels.len() != self.len()
        {
            let problem = format!("{} labels for {} pictures", labels.len(), self.len());
            return Err(Error::content(self.name, problem, "give one row of labels per picture"));
        }
        Ok(self)
    }

    /// The same pictures in greyscale, `[n, 1, size, size]`: luma with BT.601's weights, which leave grey pictures exact.
    pub fn grey(&self) -> Self {
        let plane = self.size * self.size;
        let luma = |image: &[u8]| -> Vec<u8> {
            if self.channels == CHANNELS { to_grey(image, plane) } else { image.to_vec() }
        };
        let pixels = Pixels::Stored(self.iter().flat_map(luma).collect());
        Self { name: self.name.clone(), size: self.size, channels: 1, pixels, field: None, labels: self.labels.clone() }
    }

    /// How many pictures.
    pub fn len(&self) -> usize {
        self.pixels.count(self.image_len())
    }

    /// Whether there are none (a set that was loaded has at least one).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of one picture.
    pub fn image_len(&self) -> usize {
        self.channels * self.size * self.size
    }

    /// Picture `i`, planar `[3, size, size]`. Panics beyond the end, as a slice does.
    pub fn image(&self, i: usize) -> &[u8] {
        self.pixels.picture(i, self.image_len())
    }

    /// All pictures in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        (0..self.len()).map(|i| self.image(i))
    }

    /// All pixels, `[n, 3, size, size]`.
    pub fn pixels(&self) -> Cow<'_, [u8]> {
        self.pixels.all()
    }

    /// The labels, where known: row `i` belongs to picture `i`.
    pub fn labels(&self) -> Option<&Labels> {
        self.labels.as_ref()
    }

    /// The pictures at `indexes`, in that order, with their labels.
    pub fn subset(&self, indexes: &[usize]) -> Result<Self> {
        if let Some(&out) = indexes.iter().find(|&&i| i >= self.len()) {
            let problem = format!("there is no picture {out} among {}", self.len());
            return Err(Error::content(&self.name, problem, "count from 0"));
        }
        if indexes.is_empty() {
            return Err(Error::content(&self.name, "no picture was picked", "pick at least one"));
        }
        let labels = self.labels.as_ref().map(|labels| labels.subset(indexes));
        let pixels = Pixels::Stored(self.gather(indexes, &[]));
        let field = self.field.as_deref().map(|field| picked(field, self.image_len(), self.size, indexes, &[]));
        Ok(Self { name: self.name.clone(), pixels, field, labels, ..*self })
    }

    /// A batch: the pixels of the pictures at `indexes`, `[indexes, 3, size, size]`, the `i`-th
    /// mirrored left to right where `flips[i]` (a missing entry means no). Panics beyond the end.
    pub fn gather(&self, indexes: &[usize], flips: &[bool]) -> Vec<u8> {
        self.pixels.prepare(indexes);
        let mut batch = Vec::with_capacity(indexes.len() * self.image_len());
        for (i, &index) in indexes.iter().enumerate() {
            let start = batch.len();
            batch.extend_from_slice(self.image(index));
            if flips.get(i).copied().unwrap_or(false) {
                batch[start..].chunks_exact_mut(self.size).for_each(<[u8]>::reverse);
            }
        }
        batch
    }

    /// The same of whatever the set holds.
    pub fn values(&self, indexes: &[usize], flips: &[bool]) -> Values {
        match &self.field {
            Some(field) => Values::Field(picked(field, self.image_len(), self.size, indexes, flips)),
            None => Values::Pixels(self.gather(indexes, flips)),
        }
    }
}

/// Fields of `dims` numbers at `indexes`, the `i`-th mirrored left to right where `flips[i]`.
fn picked(field: &[f32], dims: usize, size: usize, indexes: &[usize], flips: &[bool]) -> Vec<f32> {
    let mut all = Vec::with_capacity(indexes.len() * dims);
    for (i, &index) in indexes.iter().enumerate() {
        let start = all.len();
        all.extend_from_slice(&field[index * dims..(index + 1) * dims]);
        if flips.get(i).copied().unwrap_or(false) {
            all[start..].chunks_exact_mut(size).for_each(<[f32]>::reverse);
        }
    }
    all
}

/// Red, green, blue.
pub(crate) const CHANNELS: usize = 3;

/// The grey of each pixel of a planar colour picture, `[3, plane]`.
pub(crate) fn to_grey(picture: &[u8], plane: usize) -> Vec<u8> {
    let luma = |i: usize| {
        let [r, g, b] = [0, 1, 2].map(|c| u32::from(picture[c * plane + i]));
        ((299 * r + 587 * g + 114 * b + 500) / 1000) as u8
    };
    (0..plane).map(luma).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set() -> ImageSet {
        let labels = Labels::numbers(&["v"], vec![10.0, 11.0, 12.0]).unwrap();
        ImageSet::new("t", 2, (0..36).collect(), Some(labels)).unwrap()
    }

    #[test]
    fn pictures_are_planar_slices_in_order() {
        let set = set();
        assert_eq!((set.len(), set.image_len(), set.channels), (3, 12, 3));
        assert!(!set.is_empty());
        assert_eq!(set.image(1), (12..24).collect::<Vec<u8>>());
        assert_eq!(set.iter().nth(2), Some(set.image(2)));
        assert_eq!(set.iter().len(), 3);
        assert_eq!(set.pixels().len(), 36);
    }

    #[test]
    fn a_subset_takes_its_labels_along() {
        let part = set().subset(&[2, 0]).unwrap();
        assert_eq!(part.image(0), set().image(2));
        assert_eq!(part.labels().unwrap().row(0), [12.0]);
        assert_eq!(part.labels().unwrap().row(1), [10.0]);
        assert!(set().subset(&[3]).unwrap_err().to_string().contains("no picture 3"));
    }

    #[test]
    fn grey_pictures_keep_their_greys_and_labels() {
        let set = ImageSet::new(
            "t",
            2,
            [vec![7; 12], vec![255, 0, 0, 9], vec![0, 255, 0, 9], vec![0, 0, 255, 9]].concat(),
            None,
        );
        let grey = set.unwrap().grey();
        assert_eq!((grey.channels, grey.len(), grey.image_len()), (1, 2, 4));
        assert_eq!(grey.pixels()[..], [7, 7, 7, 7, 76, 150, 29, 9]);
        assert_eq!(grey.grey(), grey);
        assert_eq!(grey.subset(&[1]).unwrap().image(0), [76, 150, 29, 9]);
        assert!(grey.subset(&[]).is_err());
    }

    #[test]
    fn a_flip_mirrors_rows_within_each_channel() {
        let batch = set().gather(&[0, 0], &[false, true]);
        assert_eq!(batch[..12], (0..12).collect::<Vec<u8>>());
        assert_eq!(batch[12..], [1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10]);
    }

    #[test]
    fn fields_keep_their_numbers_and_look_like_something() {
        let field: Vec<f32> = (0..12).map(|i| i as f32 - 6.0).collect();
        let pictures = set();
        let set = ImageSet::of_fields("f", 1, 2, field.clone()).unwrap();
        assert_eq!((set.len(), set.image_len(), set.kind()), (3, 4, DataKind::Field));
        // Zero is grey, and what is far from it black or white.
        assert_eq!((set.image(0)[0], set.image(1)[2], set.image(2)[3]), (0, 128, 255));
        assert_eq!(
            set.values(&[1, 0], &[false, true]),
            Values::Field(vec![-2.0, -1.0, 0.0, 1.0, -5.0, -6.0, -3.0, -4.0])
        );
        assert_eq!(set.subset(&[2]).unwrap().values(&[0], &[]), Values::Field(field[8..].to_vec()));
        assert!(ImageSet::of_fields("f", 1, 2, field[1..].to_vec()).is_err());
        assert_eq!(pictures.values(&[0], &[]), Values::Pixels((0..12).collect()));
    }

    #[test]
    fn ragged_sets_are_refused() {
        assert!(ImageSet::new("t", 2, vec![0; 13], None).is_err());
        assert!(ImageSet::new("t", 2, vec![], None).is_err());
        assert!(ImageSet::new("t", 0, vec![0; 12], None).is_err());
        let labels = Labels::numbers(&["v"], vec![1.0]).unwrap();
        assert!(ImageSet::new("t", 2, vec![0; 24], Some(labels)).is_err());
    }
}
