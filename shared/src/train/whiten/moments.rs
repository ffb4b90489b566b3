//! Second moments of blocks.

use nalgebra::{DMatrix, DVector};

use crate::threads::map_each;

/// Pictures whose moments are summed one after the other.
const PART: usize = 64;
/// Rows for each of their numbers from which on a covariance is taken as it is.
const ENOUGH: f64 = 8.0;

/// Sums over a stage's rows.
pub struct Sums {
    rows: f64,
    sum: DVector<f64>,
    square: DMatrix<f64>,
}

/// Mean and covariance of a stage's rows.
pub struct Moments {
    /// The rows' mean.
    pub mean: DVector<f64>,
    /// Their covariance, drawn towards equal variances where rows are few.
    pub covariance: DMatrix<f64>,
}

impl Sums {
    /// Of rows of `dim` numbers, named by their places in a grid.
    pub fn of(grids: &[Vec<f32>], rows: &[usize], dim: usize) -> Self {
        let zero = || (DVector::zeros(dim), DMatrix::zeros(dim, dim));
        let add = |sums: (DVector<f64>, DMatrix<f64>), grid: &Vec<f32>| {
            let block = DMatrix::from_iterator(dim, rows.len() / dim, rows.iter().map(|&i| f64::from(grid[i])));
            (sums.0 + block.column_sum(), sums.1 + &block * block.transpose())
        };
        // In parts that do not depend on the number of threads, so that the sums are the same on any.
        let parts = map_each(grids.chunks(PART).collect(), |part| part.iter().fold(zero(), add));
        let (sum, square) = parts.into_iter().fold(zero(), |a, b| (a.0 + b.0, a.1 + b.1));
        Self { rows: (grids.len() * rows.len() / dim).max(1) as f64, sum, square }
    }

    /// Adds those of other rows.
    pub fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.sum += other.sum;
        self.square += other.square;
    }

    /// Mean and covariance of all rows.
    pub fn moments(self) -> Moments {
        let mean = self.sum / self.rows;
        let covariance = shrunk(self.square / self.rows - &mean * mean.transpose(), self.rows);
        Moments { mean, covariance }
    }
}

/// A covariance of few rows, drawn towards equal variances: in directions that none of them shows it would be zero, and
/// whitening would blow up what other images have there. The weight is that of oracle approximating shrinkage (Chen,
/// Wiesel, Eldar & Hero 2010, eq. 23), and the smaller the nearer the rows are to enough.
fn shrunk(covariance: DMatrix<f64>, rows: f64) -> DMatrix<f64> {
    let p = covariance.nrows() as f64;
    let few = 1.0 - rows / (ENOUGH * p);
    if few <= 0.0 {
        return covariance;
    }
    let (trace, squares) = (covariance.trace(), covariance.norm_squared());
    let oracle = ((1.0 - 2.0 / p) * squares + trace.powi(2)) / ((rows + 1.0 - 2.0 / p) * (squares - trace.powi(2) / p));
    // Equal variances make it 0/0, and are what they are drawn towards.
    let weight = few * oracle.min(1.0);
    let equal = DMatrix::identity(covariance.nrows(), covariance.nrows()) * (trace / p);
    covariance * (1.0 - weight) + equal * weight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_rows_are_taken_as_they_are() {
        let covariance = DMatrix::from_fn(4, 4, |i, j| if i == j { 2.0 } else { 0.5 + (i + j) as f64 * 0.1 });
        assert_eq!(shrunk(covariance.clone(), 32.0), covariance);
        let few = shrunk(covariance.clone(), 4.0);
        assert!((few.trace() - 8.0).abs() < 1e-12 && few[(0, 1)] < covariance[(0, 1)] && few[(0, 1)] > 0.0);
        assert_eq!(shrunk(DMatrix::zeros(3, 3), 1.0), DMatrix::zeros(3, 3));
    }
}
