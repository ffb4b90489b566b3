//! Pictures as points in the space of the training pictures' principal components: the Fréchet distance of two
//! Gaussians (Dowson & Landau 1982), and precision and recall by nearest neighbours (Kynkäänniemi et al. 2019).

use nalgebra::{DMatrix, DVector, SymmetricEigen};
use rayon::prelude::*;

/// Neighbours that make a picture's ball.
const NEIGHBOURS: usize = 3;

/// Mean and covariance of points, one a column.
#[derive(Clone, Debug)]
pub struct Gaussian {
    mean: DVector<f64>,
    covariance: DMatrix<f64>,
}

impl Gaussian {
    /// Of points `[dims, count]`.
    pub fn of(points: &DMatrix<f64>) -> Self {
        let mean = points.column_mean();
        let mut centred = points.clone();
        centred.column_iter_mut().for_each(|mut column| column -= &mean);
        let covariance = &centred * centred.transpose() / (points.ncols().max(2) - 1) as f64;
        Self { mean, covariance }
    }

    /// |μa − μb|² + tr(A + B − 2(AB)^½).
    pub fn frechet(&self, other: &Self) -> f64 {
        // tr (AB)^½ = tr (A^½ B A^½)^½, which is of a symmetric matrix.
        let root = root(&self.covariance);
        let between = SymmetricEigen::new(&root * &other.covariance * &root).eigenvalues;
        let cross: f64 = between.iter().map(|v| v.max(0.0).sqrt()).sum();
        let means = (&self.mean - &other.mean).norm_squared();
        (means + self.covariance.trace() + other.covariance.trace() - 2.0 * cross).max(0.0)
    }
}

fn root(matrix: &DMatrix<f64>) -> DMatrix<f64> {
    let SymmetricEigen { eigenvalues, eigenvectors } = SymmetricEigen::new(matrix.clone());
    let scaled = DMatrix::from_diagonal(&eigenvalues.map(|v| v.max(0.0).sqrt()));
    &eigenvectors * scaled * eigenvectors.transpose()
}

/// Points, each with the squared distance to its third neighbour among the others.
#[derive(Debug)]
pub struct Manifold {
    points: DMatrix<f64>,
    radii: Vec<f64>,
}

impl Manifold {
    /// Of points `[dims, count]`.
    pub fn of(points: DMatrix<f64>) -> Self {
        let radius = |i: usize| {
            let mut distances: Vec<f64> =
                (0..points.ncols()).filter(|&j| j != i).map(|j| squared(&points, i, &points, j)).collect();
            let at = NEIGHBOURS.min(distances.len()).saturating_sub(1);
            match distances.is_empty() {
                true => 0.0,
                false => *distances.select_nth_unstable_by(at, f64::total_cmp).1,
            }
        };
        let radii = (0..points.ncols()).into_par_iter().map(radius).collect();
        Self { points, radii }
    }

    /// The share of the other's points that lie in one of the balls here.
    pub fn holds(&self, other: &Self) -> f64 {
        let inside =
            |j: &usize| (0..self.radii.len()).any(|i| squared(&self.points, i, &other.points, *j) <= self.radii[i]);
        let count = (0..other.points.ncols()).into_par_iter().filter(inside).count();
        count as f64 / other.points.ncols().max(1) as f64
    }
}

fn squared(a: &DMatrix<f64>, i: usize, b: &DMatrix<f64>, j: usize) -> f64 {
    a.column(i).iter().zip(b.column(j).iter()).map(|(a, b)| (a - b).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn cloud(count: usize, scales: &[f64], shift: f64, seed: u64) -> DMatrix<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // Twelve uniform numbers: nearly normal, of variance one.
        let mut normal = || (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
        DMatrix::from_fn(scales.len(), count, |i, _| shift + scales[i] * normal())
    }

    #[test]
    fn the_distance_of_two_gaussians_is_its_closed_form() {
        let diagonal = |values: &[f64]| DMatrix::from_diagonal(&DVector::from_row_slice(values));
        let a = Gaussian { mean: DVector::from_vec(vec![1.0, 0.0]), covariance: diagonal(&[4.0, 1.0]) };
        let b = Gaussian { mean: DVector::from_vec(vec![0.0, 2.0]), covariance: diagonal(&[1.0, 9.0]) };
        // 1 + 4, and (2 − 1)² + (1 − 3)².
        assert!((a.frechet(&b) - 10.0).abs() < 1e-9, "{}", a.frechet(&b));
        assert!(a.frechet(&a) < 1e-9);
        let turned = DMatrix::from_row_slice(2, 2, &[0.6, -0.8, 0.8, 0.6]);
        let turn = |g: &Gaussian| Gaussian {
            mean: &turned * &g.mean,
            covariance: &turned * &g.covariance * turned.transpose(),
        };
        assert!((turn(&a).frechet(&turn(&b)) - 10.0).abs() < 1e-9);
        let drawn = Gaussian::of(&cloud(20_000, &[2.0, 1.0], 0.0, 3));
        let meant = Gaussian { mean: DVector::zeros(2), covariance: diagonal(&[4.0, 1.0]) };
        assert!(drawn.frechet(&meant) < 0.01, "{}", drawn.frechet(&meant));
    }

    #[test]
    fn outliers_cost_precision_and_missing_modes_recall() {
        let whole = Manifold::of(cloud(400, &[1.0; 4], 0.0, 1));
        let same = Manifold::of(cloud(400, &[1.0; 4], 0.0, 2));
        let narrow = Manifold::of(cloud(400, &[0.2; 4], 0.0, 3));
        let wide = Manifold::of(cloud(400, &[4.0; 4], 0.0, 4));
        let (precision, recall) = (whole.holds(&same), same.holds(&whole));
        assert!(precision > 0.8 && recall > 0.8, "{precision} {recall}");
        assert!(whole.holds(&narrow) > 0.95 && narrow.holds(&whole) < 0.3);
        assert!(whole.holds(&wide) < 0.4 && wide.holds(&whole) > 0.8);
        let far = Manifold::of(cloud(50, &[1.0; 4], 40.0, 5));
        assert_eq!((whole.holds(&far), far.holds(&whole)), (0.0, 0.0));
    }
}
