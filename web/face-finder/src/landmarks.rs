//! Sixty-eight points of a face, of which six go around each eye.

use std::ops::Range;

use safetensors::SafeTensors;

use crate::error::Result;
use crate::map::{Dense, Map, Padding};
use crate::weights::{Separable, Weights};

/// Pixels in a row of what the net takes.
pub const SIZE: usize = 112;
/// What the net takes from each channel.
pub const MEANS: [f32; 3] = [122.782, 117.001, 104.298];
/// How many points it finds.
const POINTS: usize = 68;
/// The points around the eye that is on the left in the picture, and the other's.
const EYES: [Range<usize>; 2] = [36..42, 42..48];

/// Three convolutions whose results are added; the first halves the map.
#[derive(Clone, Debug)]
struct Block {
    first: First,
    second: Separable,
    third: Separable,
}

#[derive(Clone, Debug)]
enum First {
    Full(Dense),
    Separable(Separable),
}

/// The net.
#[derive(Clone, Debug)]
pub struct Landmarks {
    blocks: [Block; 3],
    last: Dense,
}

/// What was found, in shares of the net's square, (column, row).
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    /// All points.
    pub all: Vec<(f32, f32)>,
    /// The middles of the eyes: first the one on the left in the picture.
    pub eyes: [(f32, f32); 2],
}

impl Points {
    /// Together with what was found in the mirror.
    pub fn with_mirrored(mut self, mirrored: &Self) -> Self {
        let back = |(x, y): (f32, f32)| (1.0 - x, y);
        let [right, left] = mirrored.eyes.map(back);
        self.all.extend(mirrored.all.iter().map(|&point| back(point)));
        self.eyes = [middle(&[self.eyes[0], left]), middle(&[self.eyes[1], right])];
        self
    }
}

/// The mean of some points.
fn middle(points: &[(f32, f32)]) -> (f32, f32) {
    let count = points.len().max(1) as f32;
    points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / count, y + point.1 / count))
}

impl Landmarks {
    /// Reads its weights.
    ///
    /// # Errors
    /// [`Error::Damaged`](crate::Error::Damaged) if they are not there.
    pub fn new(file: &SafeTensors<'_>) -> Result<Self> {
        let weights = Weights::new(file, "landmarks");
        let block = |name: &str, inputs: usize, outputs: usize| -> Result<Block> {
            let first = format!("{name}/conv0");
            Ok(Block {
                // The first of all sees colours.
                first: match inputs {
                    3 => First::Full(weights.full(&first, inputs, outputs)?),
                    _ => First::Separable(weights.separable(&first, inputs, outputs)?),
                },
                second: weights.separable(&format!("{name}/conv1"), outputs, outputs)?,
                third: weights.separable(&format!("{name}/conv2"), outputs, outputs)?,
            })
        };
        Ok(Self {
            blocks: [block("dense0", 3, 32)?, block("dense1", 32, 64)?, block("dense2", 64, 128)?],
            last: weights.dense("fc/weights", "fc/bias", &[128, 2 * POINTS])?,
        })
    }

    /// The points of the face that a picture of [`SIZE`]² pixels shows.
    pub fn find(&self, picture: &Map) -> Points {
        let mut map = self.blocks[0].run(picture);
        map = self.blocks[1].run(&map);
        map = self.blocks[2].run(&map);
        let numbers = self.last.apply(&map.mean());
        let all: Vec<_> = numbers.chunks_exact(2).map(|point| (point[0], point[1])).collect();
        let eyes = EYES.map(|eye| middle(&all[eye]));
        Points { all, eyes }
    }
}

impl Block {
    fn run(&self, map: &Map) -> Map {
        let mut sum = match &self.first {
            First::Full(dense) => map.convolved(dense, Padding::HALVING, 2),
            First::Separable(layer) => map.filtered(&layer.filter, Padding::HALVING, 2).pointwise(&layer.dense),
        };
        sum.rectify(0.0);
        for layer in [&self.second, &self.third] {
            // The sum so far is what comes in; at the last it is the whole.
            let mut input = sum.clone();
            input.rectify(0.0);
            sum.add(&input.filtered(&layer.filter, Padding::ALL, 1).pointwise(&layer.dense));
        }
        sum.rectify(0.0);
        sum
    }
}
