//! Faces in a photograph, and where their eyes are: it finds faces, and recognises nobody.
//!
//! Two small nets of other people's, whose weights web/faces/README.md describes: `detector` draws boxes about faces,
//! `landmarks` finds the eyes in one. They are run by plain loops (`map`), which is why this is a package of its own: the
//! page's other code is compiled to be small, this to be fast.

mod detector;
mod error;
mod landmarks;
mod map;
mod photo;
mod weights;

use detector::{Detector, Found, distinct};
use landmarks::{Landmarks, Points};
use photo::{Square, cut, turned};
use serde::{Deserialize, Serialize};

pub use error::{Error, Result};
pub use photo::Photo;

/// The longer side of a photograph that is looked at, at most.
pub const MAX_SIDE: usize = 1024;
/// The detector's pictures: the first sees large faces, the second small ones, which the first overlooks.
const SIZES: [usize; 2] = [224, 416];
/// Where no face is upright, some may be tilted: in radians.
const TILTS: [f32; 2] = [0.5, -0.5];
/// Boxes that are less sure than this are no faces.
const SURE: f32 = 0.3;
/// The most faces of a photograph.
const MOST: usize = 8;
/// Looks at a face: each starts where the one before found its points.
const LOOKS: usize = 3;
/// A face's square reaches this far about its points.
const ROOM: f32 = 1.1;

/// The file with the nets' weights, as web/faces/README.md makes it.
pub mod file {
    /// Its name.
    pub const NAME: &str = "faces.safetensors";
    /// Its length.
    pub const BYTES: u64 = 279_889;
    /// Its digest.
    pub const SHA256: &str = "d8036c9029517b8b676bc621808c6ff8ff697831fb1d84464173d5feb8fdfda5";
}

/// A face, in the photograph's pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Face {
    /// The middles of the eyes, (column, row): first the one that is on the left while the face is upright.
    pub eyes: [(f32, f32); 2],
    /// A box about the face: its left, its top, its width, its height.
    pub frame: [f32; 4],
}

/// Both nets.
#[derive(Clone, Debug)]
pub struct Finder {
    detector: Detector,
    landmarks: Landmarks,
}

impl Finder {
    /// From the bytes of the [`file`](mod@file).
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is something else.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        let file = weights::open(bytes)?;
        Ok(Self { detector: Detector::new(&file)?, landmarks: Landmarks::new(&file)? })
    }

    /// The faces of a photograph, the largest first.
    pub fn find(&self, photo: Photo) -> Vec<Face> {
        let (width, height) = photo.size();
        let (width, height) = (width as f32, height as f32);
        let whole = Square { x: width / 2.0, y: height / 2.0, edge: width.max(height), turn: 0.0 };
        let pyramid = photo.pyramid();
        let mut squares = self.boxes(&pyramid, whole, &SIZES);
        for turn in TILTS {
            if squares.is_empty() {
                squares = self.boxes(&pyramid, Square { turn, ..whole }, &SIZES);
            }
        }
        let mut faces: Vec<Face> = squares.iter().map(|square| self.look(&pyramid, *square)).collect();
        faces.sort_by(|a, b| b.size().total_cmp(&a.size()));
        faces
    }

    /// Squares about the faces in a square of a photograph, which is looked at in several sizes.
    fn boxes(&self, pyramid: &[Photo], whole: Square, sizes: &[usize]) -> Vec<Square> {
        let look = |&size: &usize| self.detector.find(&cut(pyramid, whole, size, detector::MEANS), SURE);
        let found: Vec<Found> = distinct(sizes.iter().flat_map(look).collect());
        let square = |found: &Found| {
            let (x, y) = whole.place((found.x, found.y));
            Square { x, y, edge: whole.edge * found.width.max(found.height), turn: whole.turn }
        };
        found.iter().take(MOST).map(square).collect()
    }

    /// The face in a square.
    fn look(&self, pyramid: &[Photo], mut square: Square) -> Face {
        let frame = [square.x - square.edge / 2.0, square.y - square.edge / 2.0, square.edge, square.edge];
        for _ in 1..LOOKS {
            let points = self.points(pyramid, square);
            square = about(&points, square);
        }
        Face { eyes: self.points(pyramid, square).eyes.map(|eye| square.place(eye)), frame }
    }

    /// The points of the face in a square. The net leans a little to one side: a look in the mirror makes up for that.
    fn points(&self, pyramid: &[Photo], square: Square) -> Points {
        let picture = cut(pyramid, square, landmarks::SIZE, landmarks::MEANS);
        let (seen, mirrored) = (self.landmarks.find(&picture), self.landmarks.find(&picture.mirrored()));
        seen.with_mirrored(&mirrored)
    }
}

impl Face {
    /// How large it is: the distance between the eyes.
    fn size(&self) -> f32 {
        let [a, b] = self.eyes;
        (a.0 - b.0).hypot(a.1 - b.1)
    }
}

/// The upright square about points that were found in another one.
fn about(points: &Points, square: Square) -> Square {
    let [left, right] = points.eyes.map(|eye| square.place(eye));
    let turn = (right.1 - left.1).atan2(right.0 - left.0);
    let places = points.all.iter().map(|&point| turned(square.place(point), -turn));
    let (mut least, mut most) = ((f32::MAX, f32::MAX), (f32::MIN, f32::MIN));
    for (x, y) in places {
        (least, most) = ((least.0.min(x), least.1.min(y)), (most.0.max(x), most.1.max(y)));
    }
    let (x, y) = turned(((least.0 + most.0) / 2.0, (least.1 + most.1) / 2.0), turn);
    Square { x, y, edge: (most.0 - least.0).max(most.1 - least.1) * ROOM, turn }
}
