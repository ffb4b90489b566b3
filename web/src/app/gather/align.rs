//! Whether pictures are cut out about the face in them, with its eyes in one place. No browser here.

use crate::app::picker::frame::{Frame, Place};
use face_finder::Face;

/// Where the eyes go, in shares of the square's edge: where the shipped models of faces have them.
const EYES: [Place; 2] = [(0.33, 0.31), (0.67, 0.31)];
/// So many pictures are looked at before it is decided.
const PROBE: usize = 6;
/// The longer side of the copies in which faces are looked for, at most: these faces fill their pictures, more or less.
pub const SIDE: usize = 448;
/// Smaller pictures were cut out by somebody else already.
const SMALLEST: f64 = 128.0;

/// The reader's choice, or what the first pictures suggest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    set: Option<bool>,
    seen: usize,
    faces: usize,
}

impl Choice {
    /// As the reader wants it.
    pub fn set(aligned: bool) -> Self {
        Self { set: Some(aligned), ..Self::default() }
    }

    /// What was decided.
    pub fn decided(&self) -> Option<bool> {
        self.set
    }

    /// Whether the next picture is to be looked at.
    pub fn looks(&self, (width, height): (f64, f64)) -> bool {
        self.set != Some(false) && width.min(height) >= SMALLEST
    }

    /// A picture was looked at, or not worth it. Whether this decides it.
    pub fn saw(&mut self, face: bool) -> bool {
        if self.set.is_some() {
            return false;
        }
        self.seen += 1;
        self.faces += usize::from(face);
        self.is_over(false)
    }

    /// No more will come. Whether this decides it.
    pub fn end(&mut self) -> bool {
        self.set.is_none() && self.seen > 0 && self.is_over(true)
    }

    fn is_over(&mut self, last: bool) -> bool {
        let over = last || self.seen >= PROBE;
        if over {
            self.set = Some(2 * self.faces > self.seen);
        }
        over
    }
}

/// The square about the largest face, in the pixels of a picture of that size; `scale` of them are one of the copy's in which
/// faces were looked for.
pub fn about(faces: &[Face], scale: f64, size: (f64, f64)) -> Option<Frame> {
    let eyes = faces.first()?.eyes.map(|(x, y)| (f64::from(x) * scale, f64::from(y) * scale));
    Frame::on_eyes(eyes, EYES).map(|frame| frame.kept(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(faces: impl IntoIterator<Item = bool>) -> Choice {
        let mut choice = Choice::default();
        for face in faces {
            choice.saw(face);
        }
        choice
    }

    #[test]
    fn the_first_pictures_decide_unless_the_reader_has() {
        assert_eq!(after([true; 5]).decided(), None);
        assert_eq!(after([true, true, true, true, false, false]).decided(), Some(true));
        assert_eq!(after([true, true, true, false, false, false]).decided(), Some(false));
        // Fewer decide when no more come.
        let mut few = after([true, false, true]);
        assert!(few.end() && few.decided() == Some(true) && !few.end());
        let mut set = Choice::set(false);
        assert!(!set.saw(true) && !set.end() && set.decided() == Some(false));
        assert!(!Choice::default().end());
    }

    #[test]
    fn small_pictures_are_not_looked_at() {
        assert!(Choice::default().looks((128.0, 160.0)) && !Choice::default().looks((64.0, 160.0)));
        assert!(Choice::set(true).looks((128.0, 128.0)) && !Choice::set(false).looks((640.0, 640.0)));
    }

    #[test]
    fn the_eyes_come_where_the_models_have_them() {
        let face = Face { eyes: [(20.0, 30.0), (37.0, 30.0)], frame: [0.0; 4] };
        let frame = about(&[face], 2.0, (200.0, 200.0)).unwrap();
        assert!((frame.edge - 100.0).abs() < 1e-6, "{frame:?}");
        let (x, y) = frame.place(EYES[0]);
        assert!((x - 40.0).abs() < 1e-6 && (y - 60.0).abs() < 1e-6);
        assert_eq!(about(&[], 1.0, (9.0, 9.0)), None);
    }
}
