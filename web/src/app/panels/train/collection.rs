//! The reader's own pictures to learn from, and what there is to say about them.

use std::rc::Rc;

use crate::app::gather::{Batch, Gathered};
use crate::app::widgets::numbers::grouped;
use crate::index::shorten;
use crate::protocol::{Image, TRAINING_EDGE, TRAINING_PICTURES, opaque};

/// Bytes of a picture.
const BYTES: usize = 3 * (TRAINING_EDGE * TRAINING_EDGE) as usize;
/// The first pictures are shown.
const SHOWN: usize = 16;
/// So many files that could not be used are named.
const NAMED: usize = 3;
/// Pictures that nowhere differ by more than this are the same to the eye.
const ALIKE: u8 = 2;

/// The pictures.
#[derive(Clone, Debug, Default)]
pub struct Collection {
    /// One after the other, each row by row, three bytes per pixel.
    pub rgb: Vec<u8>,
    /// The first of them.
    pub shown: Vec<Rc<Image>>,
    /// Whether they are aligned by the eyes of the faces in them, once that is decided.
    pub aligned: Option<bool>,
    /// How many are.
    faces: usize,
    /// Whether more are being read.
    pub reading: bool,
    /// Whether something was left, since no more can be learned from.
    left: bool,
    /// Files that could not be used: how many, and the first ones with what they are.
    skipped: usize,
    named: Vec<(String, String)>,
    /// Whether a picture differs from the first.
    differ: bool,
}

impl Collection {
    /// None yet; whether they are to be aligned may be decided.
    pub fn empty(aligned: Option<bool>) -> Self {
        Self { aligned, ..Self::default() }
    }

    /// Takes in how reading goes on.
    pub fn take(&mut self, gathered: Gathered) {
        match gathered {
            Gathered::Begun => self.reading = true,
            Gathered::Some(batch) => self.add(batch),
            Gathered::Aligned(aligned) => self.aligned = Some(aligned),
            // Nothing was read yet.
            Gathered::Look { .. } => {}
            Gathered::Over { left } => {
                self.reading = false;
                self.left |= left;
            }
        }
    }

    fn add(&mut self, batch: Batch) {
        for picture in batch.rgb.chunks_exact(BYTES) {
            if self.shown.len() < SHOWN {
                self.shown.push(Rc::new(image(picture)));
            }
            self.rgb.extend_from_slice(picture);
            self.differ |= self.rgb[..BYTES].iter().zip(picture).any(|(a, b)| a.abs_diff(*b) > ALIKE);
        }
        self.faces += batch.faces;
        self.skipped += batch.skipped.len();
        let room = NAMED.saturating_sub(self.named.len());
        self.named.extend(batch.skipped.into_iter().take(room));
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.rgb.len() / BYTES
    }

    /// Whether nothing was chosen yet.
    pub fn is_untouched(&self) -> bool {
        !self.reading && self.rgb.is_empty() && self.skipped == 0
    }

    /// Whether a model can learn from them.
    pub fn is_fit(&self) -> bool {
        !self.reading && self.count() >= TRAINING_PICTURES.0 && self.differ
    }

    /// How many there are, and what is missing.
    pub fn says(&self) -> String {
        let (count, (fewest, most)) = (self.count(), TRAINING_PICTURES);
        let pictures = match count {
            1 => "1 picture".to_owned(),
            _ => format!("{} pictures", grouped(count)),
        };
        let faces = match self.faces {
            0 => String::new(),
            faces if faces == count => " All show a face, and the eyes were put into one place.".to_owned(),
            faces => format!(
                " {} of them show a face, and its eyes were put into one place; all others, and those smaller than 128 \
                 pixels, are taken as they are.",
                grouped(faces)
            ),
        };
        match count {
            _ if self.reading && self.aligned == Some(true) => {
                format!("Reading, and looking for faces, which takes a moment each. {pictures} so far.")
            }
            _ if self.reading => format!("Reading. {pictures} so far."),
            _ if self.is_untouched() => String::new(),
            0 => "There is no picture in it that this browser can read.".to_owned(),
            _ if !self.differ && count > 1 => {
                format!("All {pictures} are the same, so there is nothing to learn. Add different ones.")
            }
            _ if count < fewest => format!("{pictures}. It takes at least {fewest}: add {} more.", fewest - count),
            _ if self.left => {
                format!("The first {pictures} were taken. The page learns from {} at most.{faces}", grouped(most))
            }
            _ => format!("{pictures}.{faces}"),
        }
    }

    /// What could not be used.
    pub fn says_skipped(&self) -> String {
        let named: Vec<String> =
            self.named.iter().map(|(name, what)| format!("“{}” ({what})", shorten(name))).collect();
        let others = match self.skipped - self.named.len() {
            0 => String::new(),
            others => format!(" and {} more", grouped(others)),
        };
        match self.skipped {
            0 => String::new(),
            1 => format!("One file was skipped: {}.", named.concat()),
            count => format!("{} files were skipped: {}{others}.", grouped(count), named.join(", ")),
        }
    }
}

fn image(rgb: &[u8]) -> Image {
    let rgba = opaque(rgb);
    Image { size: TRAINING_EDGE, rgba: rgba.into() }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// So many pictures, each of one grey.
    pub fn batch(greys: impl IntoIterator<Item = u8>) -> Gathered {
        let rgb: Vec<u8> = greys.into_iter().flat_map(|grey| [grey; BYTES]).collect();
        Gathered::Some(Batch { count: rgb.len() / BYTES, rgb, ..Batch::default() })
    }

    fn skipped(names: &[&str]) -> Gathered {
        let skipped = names.iter().map(|name| ((*name).to_owned(), "a text".to_owned())).collect();
        Gathered::Some(Batch { skipped, ..Batch::default() })
    }

    fn read(batches: impl IntoIterator<Item = Gathered>, left: bool) -> Collection {
        let mut collection = Collection::default();
        for gathered in [Gathered::Begun].into_iter().chain(batches).chain([Gathered::Over { left }]) {
            collection.take(gathered);
        }
        collection
    }

    #[test]
    fn what_is_missing_is_said() {
        for (batches, left, says) in [
            (vec![batch([7])], false, "1 picture. It takes at least 20: add 19 more."),
            (vec![batch(0..12)], false, "12 pictures. It takes at least 20: add 8 more."),
            (vec![batch([7; 30])], false, "All 30 pictures are the same, so there is nothing to learn."),
            (vec![batch([7, 8, 9, 7])], false, "All 4 pictures are the same"),
            (vec![], false, ""),
            (vec![skipped(&["a.txt"])], false, "There is no picture in it that this browser can read."),
        ] {
            let collection = read(batches, left);
            assert!(collection.says().starts_with(says) && !collection.is_fit(), "{}", collection.says());
        }
        let enough = read([batch(0..30)], false);
        assert_eq!((enough.says().as_str(), enough.is_fit(), enough.shown.len()), ("30 pictures.", true, 16));
        assert_eq!((enough.shown[3].rgba.len(), enough.shown[3].rgba[..4].to_vec()), (4096, vec![3, 3, 3, 255]));
        let many = read((0..136).map(|_| batch(0..30)).chain([batch(0..16)]), true);
        assert_eq!(many.says(), "The first 4,096 pictures were taken. The page learns from 4,096 at most.");
    }

    #[test]
    fn nothing_can_be_learned_from_while_more_is_read() {
        let mut collection = read([batch(0..30)], false);
        collection.take(Gathered::Begun);
        assert_eq!((collection.says().as_str(), collection.is_fit()), ("Reading. 30 pictures so far.", false));
    }

    #[test]
    fn aligned_faces_are_counted() {
        let some = |faces| {
            let Gathered::Some(some) = batch(0..30) else { panic!() };
            read([Gathered::Aligned(true), Gathered::Some(Batch { faces, ..some })], false)
        };
        assert_eq!(
            some(28).says(),
            "30 pictures. 28 of them show a face, and its eyes were put into one place; all others, and those smaller than \
             128 pixels, are taken as they are."
        );
        assert!(some(30).says().contains("All show a face") && some(0).says() == "30 pictures.");
        assert_eq!((some(1).aligned, Collection::default().aligned), (Some(true), None));
    }

    #[test]
    fn files_that_could_not_be_used_are_named() {
        assert_eq!(read([batch([1])], false).says_skipped(), "");
        assert_eq!(read([skipped(&["a.txt"])], false).says_skipped(), "One file was skipped: “a.txt” (a text).");
        let two = read([skipped(&["a"]), skipped(&["b"])], false);
        assert_eq!(two.says_skipped(), "2 files were skipped: “a” (a text), “b” (a text).");
        let five = read([skipped(&["a", "b"]), skipped(&["c", "d", "e"])], false);
        assert_eq!(five.says_skipped(), "5 files were skipped: “a” (a text), “b” (a text), “c” (a text) and 2 more.");
    }
}
