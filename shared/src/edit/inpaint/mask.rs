//! Which pixels of an image are unknown, and a first guess at them.

use crate::error::{Error, Result};

/// How fast a difference fades into the hole: over 1/√0.15 ≈ 2.6 pixels.
const SCREENING: f32 = 0.15;

/// The unknown pixels of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    size: usize,
    unknown: Vec<bool>,
}

impl Mask {
    /// From one flag per pixel, row by row: true where the pixel is unknown.
    ///
    /// # Errors
    /// [`Error::Input`] if there are not `size`² flags, or if all or none are set.
    pub fn new(size: usize, unknown: Vec<bool>) -> Result<Self> {
        if unknown.len() != size * size {
            let (found, needed) = (unknown.len(), size * size);
            return Err(Error::Input(format!(
                "the mask has {found} pixels, but the image has {needed}; resize the mask"
            )));
        }
        let count = unknown.iter().filter(|&&u| u).count();
        if count == 0 {
            return Err(Error::Input("the mask marks no pixels; mark those to fill in".into()));
        }
        if count == unknown.len() {
            return Err(Error::Input(
                "the mask marks every pixel; leave some unmarked, or draw a sample instead".into(),
            ));
        }
        Ok(Self { size, unknown })
    }

    /// A rectangle, given by its top, left, bottom and right border as shares of the edge, rounded to pixels.
    ///
    /// # Errors
    /// As [`Mask::new`].
    pub fn region(size: usize, shares: [f32; 4]) -> Result<Self> {
        let [top, left, bottom, right] = shares.map(|share| (share * size as f32).round() as usize);
        let inside = |i: usize| (top..bottom).contains(&(i / size)) && (left..right).contains(&(i % size));
        Self::new(size, (0..size * size).map(inside).collect())
    }

    /// A square of edge `edge` with its first pixel at (row, col), cut off at the image's border.
    ///
    /// # Errors
    /// As [`Mask::new`].
    pub fn square(size: usize, row: usize, col: usize, edge: usize) -> Result<Self> {
        let inside = |i: usize, from: usize| i >= from && i - from < edge;
        Self::new(size, (0..size * size).map(|i| inside(i / size, row) && inside(i % size, col)).collect())
    }

    /// Edge of the image in pixels.
    pub fn size(&self) -> usize {
        self.size
    }

    /// One flag per pixel, row by row: true where the pixel is unknown.
    pub fn flags(&self) -> &[bool] {
        &self.unknown
    }

    /// The unknown pixels, (row, column) in reading order.
    pub fn pixels(&self) -> Vec<(usize, usize)> {
        let unknown = (0..self.unknown.len()).filter(|&i| self.unknown[i]);
        unknown.map(|i| (i / self.size, i % self.size)).collect()
    }

    /// Places of the unknown numbers in a planar image `[channels, size, size]`, ascending.
    pub fn places(&self, channels: usize) -> Vec<usize> {
        let plane = self.size * self.size;
        (0..channels * plane).filter(|i| self.unknown[i % plane]).collect()
    }

    /// Fills the hole of one planar image with the smoothest surface that meets its border: each unknown number is
    /// the mean of its neighbours.
    pub fn fill(&self, image: &mut [f32]) {
        for plane in image.chunks_exact_mut(self.size * self.size) {
            let known = || (0..plane.len()).filter(|&i| !self.unknown[i]);
            let mean = known().map(|i| plane[i]).sum::<f32>() / known().count().max(1) as f32;
            self.relax(plane, mean, 0.0);
        }
    }

    /// A planar image with a generated one in its hole, without a seam: their difference at the hole's border fades
    /// over two or three pixels. Known pixels stay exactly the image's.
    pub fn complete(&self, image: &[f32], generated: &[f32]) -> Vec<f32> {
        let mut difference: Vec<f32> = image.iter().zip(generated).map(|(x, g)| x - g).collect();
        for plane in difference.chunks_exact_mut(self.size * self.size) {
            self.relax(plane, 0.0, SCREENING);
        }
        let unknown = self.unknown.iter().cycle();
        let numbers = image.iter().zip(generated).zip(&difference).zip(unknown);
        numbers.map(|(((&x, &g), &d), &unknown)| if unknown { g + d } else { x }).collect()
    }

    /// Solves for the unknown numbers of a plane, starting from `start`: each is the sum of its neighbours over their
    /// count plus `screening`.
    fn relax(&self, plane: &mut [f32], start: f32, screening: f32) {
        /// Over-relaxation, which needs some L sweeps instead of L².
        const OVER: f32 = 1.8;
        let n = self.size;
        let holes = self.pixels();
        holes.iter().for_each(|&(r, c)| plane[r * n + c] = start);
        for _ in 0..8 * n {
            let mut change = 0f32;
            for &(r, c) in &holes {
                let vertical = [(r > 0).then(|| (r - 1) * n + c), (r + 1 < n).then_some((r + 1) * n + c)];
                let level = [(c > 0).then(|| r * n + c - 1), (c + 1 < n).then_some(r * n + c + 1)];
                let around = || vertical.iter().chain(&level).flatten();
                let target = around().map(|&i| plane[i]).sum::<f32>() / (around().count().max(1) as f32 + screening);
                let step = OVER * (target - plane[r * n + c]);
                plane[r * n + c] += step;
                change = change.max(step.abs());
            }
            if change < 1e-4 {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_is_continued_through_the_hole() {
        let mask = Mask::square(8, 2, 3, 4).unwrap();
        let slope: Vec<f32> =
            (0..2 * 64).map(|i| (i / 8 % 8) as f32 * 0.5 - (i % 8) as f32 + (i / 64) as f32).collect();
        let mut image = slope.clone();
        mask.places(2).into_iter().for_each(|i| image[i] = f32::NAN);
        mask.fill(&mut image);
        assert!(image.iter().zip(&slope).all(|(a, b)| (a - b).abs() < 1e-2), "{image:?}");
    }

    #[test]
    fn a_difference_fades_into_the_hole_and_known_pixels_stay() {
        let mask = Mask::square(32, 0, 8, 24).unwrap();
        let (given, generated) = (vec![3.0; 32 * 32], vec![2.0; 32 * 32]);
        let image = mask.complete(&given, &generated);
        let at = |col: usize| image[12 * 32 + col] - 2.0;
        assert!(at(7) == 1.0 && at(8) > 0.6 && at(8) > at(11) && at(11) > at(14) && at(31).abs() < 0.01);
        // The equation itself.
        let around = image[11 * 32 + 10] + image[13 * 32 + 10] - 4.0 + at(9) + at(11);
        assert!((at(10) - around / 4.15).abs() < 1e-3);
    }

    #[test]
    fn pixels_and_places_are_those_of_the_square() {
        let mask = Mask::square(4, 1, 3, 2).unwrap();
        assert_eq!(mask.pixels(), [(1, 3), (2, 3)]);
        assert_eq!(mask.places(2), [7, 11, 23, 27]);
        assert_eq!((mask.size(), mask.flags().iter().filter(|&&u| u).count()), (4, 2));
    }

    #[test]
    fn masks_that_mean_nothing_are_refused() {
        let error = |mask: Result<Mask>| mask.unwrap_err().to_string();
        assert!(error(Mask::new(4, vec![false; 16])).contains("no pixel"));
        assert!(error(Mask::new(4, vec![true; 16])).contains("every pixel"));
        assert!(error(Mask::new(4, vec![true; 15])).contains("resize"));
        assert!(error(Mask::square(4, 9, 9, 2)).contains("no pixel"));
        assert!(error(Mask::region(4, [0.0, 0.0, 1.0, 1.0])).contains("every pixel"));
        assert_eq!(Mask::region(8, [0.5, 0.0, 0.75, 0.25]).unwrap().pixels(), [(4, 0), (4, 1), (5, 0), (5, 1)]);
    }
}
