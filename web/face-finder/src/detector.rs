//! Boxes about faces: a small net that says of each cell of a grid whether the middle of a face is in it.

use safetensors::SafeTensors;

use crate::error::Result;
use crate::map::{Dense, Map, Padding};
use crate::weights::{Separable, Weights};

/// What the net takes from each channel.
pub const MEANS: [f32; 3] = [117.001, 114.697, 97.404];
/// Widths and heights of typical boxes, in cells.
const ANCHORS: [(f32, f32); 5] =
    [(1.603231, 2.094468), (6.041143, 7.080126), (2.882459, 3.518061), (4.266906, 5.178857), (9.041765, 10.66308)];
/// Numbers for each typical box: the middle, the size, and whether there is a face.
const CODE: usize = 5;
/// Values below 0 become this small.
const LEAK: f32 = 0.1;
/// The separable convolutions' channels.
const WIDTHS: [usize; 6] = [16, 32, 64, 128, 256, 512];
/// Boxes that share more than this of their union are one face's.
const OVERLAP: f32 = 0.4;
/// Boxes of which one holds more of the other are of one face, seen from near and from far.
const NESTED: f32 = 0.6;

/// A box, in shares of the net's square, or in a picture's pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// How sure it is that this is a face, 0 to 1.
    pub score: f32,
    /// The middle.
    pub x: f32,
    /// The middle.
    pub y: f32,
    /// The width.
    pub width: f32,
    /// The height.
    pub height: f32,
}

impl Found {
    /// What both have in common, as a share of what they cover together.
    pub fn overlap(&self, other: &Self) -> f32 {
        let area = self.common(other);
        area / (self.area() + other.area() - area)
    }

    /// What both have in common, as a share of the smaller one.
    pub fn nested(&self, other: &Self) -> f32 {
        self.common(other) / self.area().min(other.area())
    }

    fn area(&self) -> f32 {
        self.width * self.height
    }

    fn common(&self, other: &Self) -> f32 {
        let common = |a: f32, a_length: f32, b: f32, b_length: f32| {
            let end = (a + a_length / 2.0).min(b + b_length / 2.0);
            (end - (a - a_length / 2.0).max(b - b_length / 2.0)).max(0.0)
        };
        common(self.x, self.width, other.x, other.width) * common(self.y, self.height, other.y, other.height)
    }
}

/// The net.
#[derive(Clone, Debug)]
pub struct Detector {
    first: Dense,
    middle: Vec<Separable>,
    last: Dense,
}

impl Detector {
    /// Reads its weights.
    ///
    /// # Errors
    /// [`Error::Damaged`](crate::Error::Damaged) if they are not there.
    pub fn new(file: &SafeTensors<'_>) -> Result<Self> {
        let weights = Weights::new(file, "detector");
        let middle = WIDTHS.windows(2).enumerate();
        let middle = middle.map(|(i, width)| weights.separable(&format!("conv{}", i + 1), width[0], width[1]));
        Ok(Self {
            first: weights.full("conv0", 3, WIDTHS[0])?,
            middle: middle.collect::<Result<_>>()?,
            last: weights.dense("conv8/filters", "conv8/bias", &[1, 1, WIDTHS[5], ANCHORS.len() * CODE])?,
        })
    }

    /// What the net says of a square picture, the surest first. Its edge is a multiple of 32.
    pub fn find(&self, picture: &Map, least: f32) -> Vec<Found> {
        let mut map = picture.convolved(&self.first, Padding::NONE, 1);
        map.rectify(LEAK);
        for (i, layer) in self.middle.iter().enumerate() {
            map = map.pooled(2).filtered(&layer.filter, Padding::ALL, 1).pointwise(&layer.dense);
            map.rectify(LEAK);
            if i + 1 == self.middle.len() {
                map = map.pooled(1);
            }
        }
        distinct(decode(&map.pointwise(&self.last), least))
    }
}

fn decode(map: &Map, least: f32) -> Vec<Found> {
    let cells = map.width as f32;
    let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
    let mut found = Vec::new();
    for (i, code) in map.data.chunks_exact(CODE).enumerate() {
        let (cell, anchor) = (i / ANCHORS.len(), ANCHORS[i % ANCHORS.len()]);
        let score = sigmoid(code[4]);
        if score > least {
            found.push(Found {
                score,
                x: ((cell % map.width) as f32 + sigmoid(code[0])) / cells,
                y: ((cell / map.width) as f32 + sigmoid(code[1])) / cells,
                width: code[2].exp() * anchor.0 / cells,
                height: code[3].exp() * anchor.1 / cells,
            });
        }
    }
    found
}

/// One box for each face: the surest of those that overlap or lie in one another.
pub fn distinct(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Found> = Vec::new();
    for one in found {
        if kept.iter().all(|other| one.overlap(other) <= OVERLAP && one.nested(other) <= NESTED) {
            kept.push(one);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_in_one_another_are_of_one_face() {
        let found = |score, x, width| Found { score, x, y: 0.0, width, height: width };
        // A face, the same from near, and another one beside it.
        let kept = distinct(vec![found(0.5, 0.1, 0.4), found(0.9, 0.0, 1.0), found(0.4, 1.5, 1.0)]);
        assert_eq!(kept.iter().map(|one| one.score).collect::<Vec<_>>(), [0.9, 0.4]);
        assert!(found(1.0, 0.0, 1.0).overlap(&found(1.0, 0.1, 0.4)) < OVERLAP);
    }
}
