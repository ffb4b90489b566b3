//! Principal components of pictures, and the mean of a hole given the rest: what a linear model knows of a completion.

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use shared::edit::inpaint::Mask;

use crate::completion::hole_psnr;
use crate::data::ImageSet;

/// Rounds of subspace iteration; the spectra of pictures fall fast.
const ROUNDS: usize = 6;
/// Directions carried along and given up at the end, which makes the last ones that are kept exact.
const SPARE: usize = 8;
/// Pictures that the noise is chosen on, and that the components do not see.
const HELD_OUT: usize = 64;
/// Noise that is tried, as multiples of what the components leave over.
const NOISE: [f32; 6] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0];

/// The mean of points and their leading directions, largest variance first.
pub struct Principal {
    /// `[dims]`.
    pub mean: DVector<f32>,
    /// Orthonormal columns, `[dims, K]`.
    pub directions: DMatrix<f32>,
    /// Along each direction, `[K]`.
    pub variances: DVector<f32>,
    /// Of all directions together.
    pub total: f32,
}

impl Principal {
    /// The first `components` directions of points, one a column.
    pub fn of(mut points: DMatrix<f32>, components: usize) -> Self {
        let (dims, count) = points.shape();
        let mean = points.column_mean();
        points.column_iter_mut().for_each(|mut point| point -= &mean);
        let centred = points;
        let kept = components.min(dims).min(count);
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut basis =
            DMatrix::from_fn(dims, (kept + SPARE).min(dims), |_, _| rand::Rng::random::<f32>(&mut rng) - 0.5);
        for _ in 0..ROUNDS {
            basis = (&centred * (centred.tr_mul(&basis))).qr().q();
        }
        let inside = basis.tr_mul(&centred);
        let spectrum = (&inside * inside.transpose() / count.max(1) as f32).symmetric_eigen();
        let mut order: Vec<usize> = (0..spectrum.eigenvalues.len()).collect();
        order.sort_by(|&a, &b| spectrum.eigenvalues[b].total_cmp(&spectrum.eigenvalues[a]));
        order.truncate(kept);
        let directions = &basis * spectrum.eigenvectors.select_columns(&order);
        let variances = DVector::from_iterator(kept, order.iter().map(|&i| spectrum.eigenvalues[i].max(1e-6)));
        let total = centred.norm_squared() / count.max(1) as f32;
        Self { mean, directions, variances, total }
    }
}

/// A Gaussian model of pictures: a mean, a few directions with their variances, white noise.
pub struct Pca {
    mean: DVector<f32>,
    /// Orthonormal columns.
    directions: DMatrix<f32>,
    variances: DVector<f32>,
    /// Standard deviation of what the directions leave over, in grey levels.
    rest: f32,
}

impl Pca {
    /// Of the pictures' first `components` directions.
    pub fn fit(pictures: &[&[u8]], components: usize) -> Self {
        let dims = pictures.first().map_or(0, |picture| picture.len());
        let points = DMatrix::from_fn(dims, pictures.len(), |i, k| f32::from(pictures[k][i]));
        let Principal { mean, directions, variances, total } = Principal::of(points, components);
        let spare = dims - directions.ncols();
        let rest = ((total - variances.sum()).max(0.0) / spare.max(1) as f32).sqrt().max(1e-3);
        Self { mean, directions, variances, rest }
    }

    /// Variances along the directions, largest first.
    pub fn variances(&self) -> &[f32] {
        self.variances.as_slice()
    }

    /// Coefficients along the directions, `[components, pictures]`, in grey levels.
    pub fn codes(&self, pictures: &[&[u8]]) -> DMatrix<f32> {
        let centred =
            DMatrix::from_fn(self.mean.len(), pictures.len(), |i, k| f32::from(pictures[k][i]) - self.mean[i]);
        self.directions.tr_mul(&centred)
    }

    /// The expected picture given its known pixels, with noise of that deviation.
    fn expect(&self, hole: &Hole, picture: &[u8]) -> Vec<f32> {
        let off =
            DVector::from_iterator(hole.known.len(), hole.known.iter().map(|&i| f32::from(picture[i]) - self.mean[i]));
        let code = hole.solver.solve(&(hole.seen.tr_mul(&off) / hole.noise.powi(2)));
        (&self.mean + &self.directions * code).as_slice().to_vec()
    }

    fn hole(&self, mask: &Mask, noise: f32) -> Option<Hole> {
        let (dims, plane) = (self.mean.len(), mask.size() * mask.size());
        let known: Vec<usize> = (0..dims).filter(|i| !mask.flags()[i % plane]).collect();
        let seen = self.directions.select_rows(&known);
        let mut precision = seen.tr_mul(&seen) / noise.powi(2);
        self.variances.iter().enumerate().for_each(|(k, v)| precision[(k, k)] += 1.0 / v);
        Some(Hole { solver: Cholesky::new(precision)?, known, seen, noise })
    }

    fn complete_with(&self, hole: &Hole, picture: &[u8], mask: &Mask) -> Vec<u8> {
        let given: Vec<f32> = picture.iter().map(|&v| f32::from(v)).collect();
        mask.complete(&given, &self.expect(hole, picture))
            .into_iter()
            .map(|v| v.round().clamp(0.0, 255.0) as u8)
            .collect()
    }

    /// Completes pictures by their conditional means, the noise chosen as the best one for the held-out ones.
    pub fn complete(&self, held_out: &[&[u8]], pictures: &ImageSet, mask: &Mask) -> Vec<Vec<u8>> {
        let holes = NOISE.iter().filter_map(|factor| self.hole(mask, factor * self.rest));
        let score = |hole: &Hole| -> f64 {
            held_out.iter().map(|truth| hole_psnr(truth, &self.complete_with(hole, truth, mask), mask).min(60.0)).sum()
        };
        let best = holes.map(|hole| (score(&hole), hole)).max_by(|a, b| a.0.total_cmp(&b.0));
        let complete = |picture: &[u8]| match &best {
            Some((_, hole)) => self.complete_with(hole, picture, mask),
            None => picture.to_vec(),
        };
        pictures.iter().map(complete).collect()
    }

    /// Cuts training pictures into those for the components, at most `count`, and those held out.
    pub fn split(train: &ImageSet, count: usize) -> (Vec<&[u8]>, Vec<&[u8]>) {
        let held_out = HELD_OUT.min(train.len() / 4);
        let mut pictures: Vec<&[u8]> = train.iter().take(count + held_out).collect();
        let held_out = pictures.split_off(pictures.len().saturating_sub(held_out));
        (pictures, held_out)
    }
}

/// What all pictures with the same hole share.
struct Hole {
    known: Vec<usize>,
    seen: DMatrix<f32>,
    solver: Cholesky<f32, Dyn>,
    noise: f32,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pictures of two brightnesses, left and right, that go together, and a third that does not.
    fn pictures() -> Vec<Vec<u8>> {
        let picture = |k: u32| {
            let (together, alone) = ((k * 37 % 101) as f32, (k * 53 % 29) as f32);
            (0..64u32)
                .map(|i| (60.0 + together * if i % 8 < 4 { 1.0 } else { 0.5 } + alone * (i % 2) as f32) as u8)
                .collect()
        };
        (0..200).map(picture).collect()
    }

    #[test]
    fn what_goes_together_is_completed() {
        let all = pictures();
        let flat: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
        let pca = Pca::fit(&flat[..150], 2);
        assert!(pca.variances()[0] > 4.0 * pca.variances()[1] && pca.rest < 2.0, "{:?} {}", pca.variances(), pca.rest);
        let mask = Mask::region(8, [0.0, 0.5, 1.0, 1.0]).unwrap();
        let hole = pca.hole(&mask, pca.rest).unwrap();
        for truth in &flat[150..] {
            let psnr = hole_psnr(truth, &pca.complete_with(&hole, truth, &mask), &mask);
            assert!(psnr > 38.0, "{psnr}");
        }
    }
}
