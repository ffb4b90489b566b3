//! Linear regression with an L1 penalty, by cyclic coordinate descent along a path of penalties
//! (Friedman, Hastie & Tibshirani 2010).

/// Penalties tried, as shares of the smallest that leaves no weight at all.
const PATH: [f32; 5] = [0.5, 0.2, 0.1, 0.05, 0.02];
/// Sweeps over all weights at each penalty; the weights that stay zero cost one dot product each.
const SWEEPS: usize = 60;
/// Change of a weight, in standard deviations of the target, below which it counts as found.
const TOLERANCE: f32 = 1e-3;

/// Columns made ready: standardised on the images that fit.
pub struct Lasso {
    columns: Vec<Vec<f32>>,
    fit: usize,
    choose: usize,
}

/// A fitted regression.
pub struct Fit {
    /// Weights of the standardised columns, for the standardised target.
    pub weights: Vec<f32>,
    /// The target's standard deviation where it was fitted.
    pub deviation: f32,
    /// On images that had no part in it: the standardised target's squares about its mean, and those of what is left.
    pub squares: [f64; 2],
}

impl Lasso {
    /// Takes half of the images to fit and a quarter to choose the penalty.
    pub fn new(columns: &[Vec<f32>]) -> Self {
        let n = columns.first().map_or(0, Vec::len);
        let (fit, choose) = (n / 2, n * 3 / 4);
        Self { columns: columns.iter().map(|column| standardised(column, fit).0).collect(), fit, choose }
    }

    /// Fits a target; nothing if it does not vary.
    pub fn fit(&self, target: &[f32]) -> Option<Fit> {
        let (target, deviation) = standardised(target, self.fit);
        let n = self.fit as f32;
        if target[..self.fit].iter().all(|t| *t == 0.0) {
            return None;
        }
        let correlation = |column: &Vec<f32>| dot(&column[..self.fit], &target[..self.fit]) / n;
        let most = self.columns.iter().map(|column| correlation(column).abs()).fold(0f32, f32::max);
        let mut weights = vec![0f32; self.columns.len()];
        let mut residual = target.clone();
        let mut best: Option<(f64, Vec<f32>, [f64; 2])> = None;
        for share in PATH {
            self.descend(&mut weights, &mut residual, share * most);
            let [_, chosen] = squares(&target[self.fit..self.choose], &residual[self.fit..self.choose]);
            if best.as_ref().is_none_or(|(least, ..)| chosen < *least) {
                let tested = squares(&target[self.choose..], &residual[self.choose..]);
                best = Some((chosen, weights.clone(), tested));
            }
        }
        best.map(|(_, weights, squares)| Fit { weights, deviation, squares })
    }

    /// Finds the weights of one penalty, from those of a larger one.
    fn descend(&self, weights: &mut [f32], residual: &mut [f32], penalty: f32) {
        let n = self.fit as f32;
        for _ in 0..SWEEPS {
            let mut largest = 0f32;
            for (weight, column) in weights.iter_mut().zip(&self.columns) {
                // Columns have variance 1, so that this is the whole step.
                let towards = *weight + dot(&column[..self.fit], &residual[..self.fit]) / n;
                let next = towards.signum() * (towards.abs() - penalty).max(0.0);
                let change = next - *weight;
                if change != 0.0 {
                    residual.iter_mut().zip(column).for_each(|(r, x)| *r -= change * x);
                    *weight = next;
                    largest = largest.max(change.abs());
                }
            }
            if largest < TOLERANCE {
                return;
            }
        }
    }
}

/// Mean 0 and variance 1 over the first `fit` numbers, and their standard deviation; zeros if they do not vary.
fn standardised(values: &[f32], fit: usize) -> (Vec<f32>, f32) {
    let n = fit.max(1) as f32;
    let mean = values[..fit].iter().sum::<f32>() / n;
    let variance = values[..fit].iter().map(|v| (v - mean).powi(2)).sum::<f32>() / n;
    let factor = if variance > 1e-12 { variance.sqrt().recip() } else { 0.0 };
    (values.iter().map(|v| (v - mean) * factor).collect(), variance.sqrt())
}

/// A target's squares about its mean, and those of what is left of it.
fn squares(target: &[f32], residual: &[f32]) -> [f64; 2] {
    let mean = target.iter().sum::<f32>() / target.len().max(1) as f32;
    let total: f32 = target.iter().map(|t| (t - mean).powi(2)).sum();
    [total, dot(residual, residual)].map(f64::from)
}

/// In eight sums, which the compiler turns into vectors.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a_parts, a_rest) = a.as_chunks::<8>();
    let (b_parts, b_rest) = b.as_chunks::<8>();
    let mut sums = [0f32; 8];
    for (a, b) in a_parts.iter().zip(b_parts) {
        (0..8).for_each(|i| sums[i] += a[i] * b[i]);
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(step: f32) -> Vec<f32> {
        (0..400).map(|i| (i as f32 * step).sin()).collect()
    }

    #[test]
    fn weights_of_orthogonal_columns_are_soft_thresholds() {
        let columns = vec![wave(0.7), wave(1.3), wave(2.1)];
        let target: Vec<f32> = columns[0].iter().zip(&columns[2]).map(|(a, c)| 2.0 * a - 0.5 * c).collect();
        let fit = Lasso::new(&columns).fit(&target).unwrap();
        let norm = (4f32 + 0.25).sqrt();
        assert!((fit.weights[0] - 2.0 / norm).abs() < 0.05, "{:?}", fit.weights);
        assert!((fit.weights[2] + 0.5 / norm).abs() < 0.05, "{:?}", fit.weights);
        assert!(fit.weights[1].abs() < 0.02 && fit.squares[1] < 0.01 * fit.squares[0]);
    }

    #[test]
    fn a_target_that_does_not_vary_has_no_fit() {
        assert!(Lasso::new(&[wave(0.7)]).fit(&[3.0; 400]).is_none());
    }

    #[test]
    fn a_constant_column_has_no_weight() {
        let fit = Lasso::new(&[vec![2.0; 400], wave(0.7)]).fit(&wave(0.7)).unwrap();
        assert_eq!(fit.weights[0], 0.0);
        assert!(fit.weights[1] > 0.9);
    }

    #[test]
    fn sums_are_whole() {
        let (a, b): (Vec<f32>, Vec<f32>) = ((0..19).map(|i| i as f32).collect(), vec![2.0; 19]);
        assert_eq!(dot(&a, &b), 342.0);
    }
}
