//! The paper's synthetic multi-scale sets (section 4): a grid of ovals on black, generated from a seed.
//!
//! Every picture draws from its own random stream, so the pictures depend neither on the number of threads nor on how
//! many others are made: a smaller set is the beginning of a larger one.

mod ellipse;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use ellipse::TILE;
use ellipse::rotated;

/// Colour channels of the pictures.
const CHANNELS: usize = 3;

/// Which of the two sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Msds {
    /// MSDS1: one colour per picture, varied a little per oval; every oval turned freely.
    /// The large-scale factor is the colour.
    Msds1,
    /// MSDS2: one direction per picture, varied a little per oval; every oval coloured freely.
    /// The large-scale factor is the direction.
    Msds2,
}

/// Which part of a set: the two share no random stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// To train on.
    Train,
    /// To test on.
    Test,
}

/// An oval of a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Oval {
    /// Left edge of its tile in the picture, in pixels.
    pub x: i32,
    /// Upper edge of its tile.
    pub y: i32,
    /// Degrees, counter-clockwise.
    pub angle: f64,
    /// Red, green and blue, 0 to 255.
    pub colour: [i32; CHANNELS],
}

impl Msds {
    /// The set's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Msds1 => "msds1",
            Self::Msds2 => "msds2",
        }
    }

    /// The ovals of picture number `image` of `tiles`×`tiles` tiles of [`TILE`] pixels, row by row.
    pub fn ovals(self, tiles: usize, seed: u64, part: Part, image: u64) -> Vec<Oval> {
        let rng = &mut self.stream(seed, part, image);
        let base_colour: [i32; CHANNELS] = std::array::from_fn(|_| rng.random_range(32..=223));
        let base_angle = rng.random_range(0.0..180.0);
        (0..tiles * tiles)
            .map(|tile| {
                let (angle, colour) = match self {
                    Self::Msds1 => (rng.random_range(0.0..180.0), base_colour.map(|c| c + rng.random_range(-32..=32))),
                    Self::Msds2 => {
                        (base_angle + rng.random_range(0.0..45.0), std::array::from_fn(|_| rng.random_range(0..=255)))
                    }
                };
                let mut place = |at: usize| (at * TILE) as i32 + rng.random_range(-1..=1);
                Oval { x: place(tile % tiles), y: place(tile / tiles), angle, colour }
            })
            .collect()
    }

    /// Picture number `image`, planar, `[3, L, L]` for L = `tiles` times [`TILE`].
    ///
    /// # Examples
    /// ```
    /// use shared::msds::{Msds, Part};
    ///
    /// let picture = Msds::Msds1.picture(4, 0, Part::Train, 7);
    /// assert_eq!(picture.len(), 3 * 32 * 32);
    /// assert_eq!(picture, Msds::Msds1.picture(4, 0, Part::Train, 7));
    /// ```
    pub fn picture(self, tiles: usize, seed: u64, part: Part, image: u64) -> Vec<u8> {
        let size = tiles * TILE;
        let mut pixels = vec![0; CHANNELS * size * size];
        self.ovals(tiles, seed, part, image).iter().for_each(|oval| oval.paste(&mut pixels, size));
        pixels
    }

    fn stream(self, seed: u64, part: Part, image: u64) -> ChaCha8Rng {
        let set = u64::from(self == Self::Msds2) << 63;
        let part = u64::from(part == Part::Test) << 62;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(set | part | image);
        rng
    }
}

impl Oval {
    /// Lays the oval over what is there; what sticks out of the picture is cut off.
    fn paste(&self, image: &mut [u8], size: usize) {
        let mask = rotated(self.angle);
        for (row, line) in mask.iter().enumerate() {
            for (column, &ink) in line.iter().enumerate() {
                let (x, y) = (self.x + column as i32, self.y + row as i32);
                let edge = size as i32;
                if ink <= 0.0 || !(0..edge).contains(&x) || !(0..edge).contains(&y) {
                    continue;
                }
                let at = y as usize * size + x as usize;
                for (channel, &colour) in self.colour.iter().enumerate() {
                    let pixel = &mut image[channel * size * size + at];
                    let below = f64::from(*pixel) * (1.0 - ink.min(1.0));
                    let mixed = below + f64::from(colour) * ink;
                    *pixel = (mixed + 0.5).clamp(0.0, 255.0) as u8;
                }
            }
        }
    }
}
