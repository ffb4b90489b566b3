//! A photograph, and squares that are cut out of it.

use crate::map::Map;

/// A picture of any size.
#[derive(Clone, Debug, PartialEq)]
pub struct Photo {
    width: usize,
    height: usize,
    /// Three numbers per pixel from 0 to 255, row by row.
    rgb: Vec<f32>,
}

/// A square in a picture, in its pixels. Rows run downwards, and so do positive turns from x to y.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Square {
    /// Its centre.
    pub x: f32,
    /// Its centre.
    pub y: f32,
    /// Its edge.
    pub edge: f32,
    /// How far its upper edge is turned, in radians.
    pub turn: f32,
}

impl Square {
    /// The place in the picture of a place in the square, in shares of its edge from its upper left corner.
    pub fn place(&self, (u, v): (f32, f32)) -> (f32, f32) {
        let (x, y) = turned(((u - 0.5) * self.edge, (v - 0.5) * self.edge), self.turn);
        (self.x + x, self.y + y)
    }
}

/// A place turned about the origin, from x to y.
pub fn turned((x, y): (f32, f32), by: f32) -> (f32, f32) {
    let (sin, cos) = by.sin_cos();
    (x * cos - y * sin, x * sin + y * cos)
}

impl Photo {
    /// From three bytes per pixel; `None` if there are not as many as that takes, or no pixels.
    pub fn new(width: usize, height: usize, rgb: &[u8]) -> Option<Self> {
        let fits = width > 0 && height > 0 && width.checked_mul(height)?.checked_mul(3)? == rgb.len();
        fits.then(|| Self { width, height, rgb: rgb.iter().map(|&byte| f32::from(byte)).collect() })
    }

    /// Pixels in a row and in a column.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Half as large, each pixel the mean of four; an odd row or column at the end is dropped.
    fn halved(&self) -> Self {
        let (width, height) = ((self.width / 2).max(1), (self.height / 2).max(1));
        let mut rgb = Vec::with_capacity(width * height * 3);
        for y in 0..height {
            for x in 0..width {
                let (right, below) = ((2 * x + 1).min(self.width - 1), (2 * y + 1).min(self.height - 1));
                let pixels = [(2 * x, 2 * y), (right, 2 * y), (2 * x, below), (right, below)];
                let mean = |c| pixels.map(|(x, y)| self.rgb[(y * self.width + x) * 3 + c]).iter().sum::<f32>() / 4.0;
                rgb.extend((0..3).map(mean));
            }
        }
        Self { width, height, rgb }
    }

    /// It, half, a quarter… as large, as long as more than a pixel is left.
    pub fn pyramid(self) -> Vec<Self> {
        let mut sizes = vec![self];
        while let Some(last) = sizes.last().filter(|last| last.width.min(last.height) > 1) {
            let next = last.halved();
            sizes.push(next);
        }
        sizes
    }

    /// As [`cut`] does, from this picture alone.
    fn square(&self, square: Square, size: usize, means: [f32; 3]) -> Map {
        let mut map = Map::new(size, size, 3);
        for (i, pixel) in map.data.chunks_exact_mut(3).enumerate() {
            let share = |at: usize| (at as f32 + 0.5) / size as f32;
            let (x, y) = square.place((share(i % size), share(i / size)));
            let colour = self.at(x - 0.5, y - 0.5);
            for c in 0..3 {
                pixel[c] = (colour[c] - means[c]) / 255.0;
            }
        }
        map
    }

    /// The colour between the middles of four pixels; beyond the edge it is black.
    fn at(&self, x: f32, y: f32) -> [f32; 3] {
        let (width, height) = (self.width as f32, self.height as f32);
        if x < -0.5 || y < -0.5 || x > width - 0.5 || y > height - 0.5 {
            return [0.0; 3];
        }
        let (x, y) = (x.clamp(0.0, width - 1.0), y.clamp(0.0, height - 1.0));
        let (left, top) = (x as usize, y as usize);
        let (right, below) = ((left + 1).min(self.width - 1), (top + 1).min(self.height - 1));
        let (along, down) = (x - left as f32, y - top as f32);
        let pixel = |x: usize, y: usize| -> &[f32] { &self.rgb[(y * self.width + x) * 3..][..3] };
        let corners = [pixel(left, top), pixel(right, top), pixel(left, below), pixel(right, below)];
        let (far, low) = (1.0 - along, 1.0 - down);
        let shares = [far * low, along * low, far * down, along * down];
        std::array::from_fn(|c| corners.iter().zip(shares).map(|(corner, share)| share * corner[c]).sum())
    }
}

/// A square of a picture whose halves are these, as a net takes it: `size`² pixels, each channel less its mean, in shares
/// of 255. Beyond the picture it is black.
pub fn cut(pyramid: &[Photo], square: Square, size: usize, means: [f32; 3]) -> Map {
    // The smallest that still has a pixel for each that is wanted.
    let steps = (square.edge / size as f32).max(1.0).log2().floor() as usize;
    let steps = steps.min(pyramid.len() - 1);
    let scale = (1_u32 << steps.min(31)) as f32;
    let scaled = Square { x: square.x / scale, y: square.y / scale, edge: square.edge / scale, turn: square.turn };
    pyramid[steps].square(scaled, size, means)
}
