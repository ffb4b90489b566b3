//! Which pixels of an image are unknown, and a first guess at them.

use crate::error::{Error, Result};

/// The unknown pixels of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    size: usize,
    unknown: Vec<bool>,
}

impl Mask {
    /// From one flag a pixel, row by row: true where the pixel is unknown.
    ///
    /// # Errors
    /// [`Error::Input`] if there are not `size`² flags, or if all or none are set.
    pub fn new(size: usize, unknown: Vec<bool>) -> Result<Self> {
        if unknown.len() != size * size {
            let (found, needed) = (unknown.len(), size * size);
            return Err(Error::Input(format!("the mask has {found} pixels, but the image {needed}; resize the mask")));
        }
        let count = unknown.iter().filter(|&&u| u).count();
        if count == 0 {
            return Err(Error::Input("the mask marks no pixel; mark what is to be filled in".into()));
        }
        if count == unknown.len() {
            return Err(Error::Input("the mask marks every pixel; leave some, or draw a sample instead".into()));
        }
        Ok(Self { size, unknown })
    }

    /// A square of edge `edge` with its first pixel at (row, col), cut off at the image's border.
    ///
    /// # Errors
    /// As [`Mask::new`].
    pub fn square(size: usize, row: usize, col: usize, edge: usize) -> Result<Self> {
        let inside = |i: usize, from: usize| i >= from && i - from < edge;
        Self::new(size, (0..size * size).map(|i| inside(i / size, row) && inside(i % size, col)).collect())
    }

    /// Edge of the image.
    pub fn size(&self) -> usize {
        self.size
    }

    /// One flag a pixel, row by row.
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
            self.fill_plane(plane);
        }
    }

    fn fill_plane(&self, plane: &mut [f32]) {
        /// Over-relaxation: takes the number of sweeps from L² to L.
        const OVER: f32 = 1.8;
        let n = self.size;
        let holes = self.pixels();
        let known = || (0..n * n).filter(|&i| !self.unknown[i]);
        let mean = known().map(|i| plane[i]).sum::<f32>() / known().count().max(1) as f32;
        holes.iter().for_each(|&(r, c)| plane[r * n + c] = mean);
        for _ in 0..8 * n {
            let mut change = 0f32;
            for &(r, c) in &holes {
                let vertical = [(r > 0).then(|| (r - 1) * n + c), (r + 1 < n).then_some((r + 1) * n + c)];
                let level = [(c > 0).then(|| r * n + c - 1), (c + 1 < n).then_some(r * n + c + 1)];
                let around = || vertical.iter().chain(&level).flatten();
                let target = around().map(|&i| plane[i]).sum::<f32>() / around().count().max(1) as f32;
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
    }
}
