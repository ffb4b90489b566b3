//! How well single latents tell the factors that images were made from.
//!
//! - **MIG**, the mutual-information gap (Chen et al. 2018): for each factor, the difference between the two latents
//!   that tell most about it, as a share of the factor's entropy. Latents, and factors that are quantities, are cut
//!   into 20 bins of equal width.
//! - **DCI** (Eastwood & Williams 2018): disentanglement, completeness and informativeness of a lasso from latents to
//!   factors, whose absolute weights are the importances. A categorical factor is one regression for each category,
//!   which count by their variance.
//!   Half of the images fit, a quarter chooses the penalty, and the last quarter gives informativeness: the mean R².

use rayon::prelude::*;
use serde::Serialize;

use super::lasso::{Fit, Lasso};
use crate::data::Factor;

const BINS: usize = 20;

/// Latents of many images, column by column.
#[derive(Clone, Debug)]
pub struct Codes {
    columns: Vec<Vec<f32>>,
}

/// Scores of a group of latents, all from 0 to 1 but informativeness, which is below 0 where a lasso is worse than the
/// mean.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Scores {
    /// Mutual-information gap, mean over factors.
    pub mig: f64,
    /// Whether a latent matters for one factor only.
    pub disentanglement: f64,
    /// Whether a factor needs one latent only.
    pub completeness: f64,
    /// How much of the factors a linear map can tell.
    pub informativeness: f64,
}

impl Codes {
    /// The latents at some places of flat pictures of `dims` numbers.
    pub fn of_places(latents: &[f32], dims: usize, places: &[usize]) -> Self {
        let column = |&place: &usize| latents.iter().skip(place).step_by(dims).copied().collect();
        Self { columns: places.iter().map(column).collect() }
    }
}

/// All scores of a group of latents.
pub fn scores(codes: &Codes, factors: &[Factor]) -> Scores {
    let importance = Importances::new(codes, factors);
    Scores {
        mig: mutual_information_gap(codes, factors),
        disentanglement: importance.disentanglement(),
        completeness: importance.completeness(),
        informativeness: importance.explained.iter().sum::<f64>() / factors.len().max(1) as f64,
    }
}

/// Which of 20 bins of equal width between the smallest and the largest value.
fn bins(values: &[f32]) -> Vec<usize> {
    let (low, high) = values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
    let width = ((high - low) / BINS as f32).max(f32::MIN_POSITIVE);
    values.iter().map(|v| (((v - low) / width) as usize).min(BINS - 1)).collect()
}

fn mutual_information_gap(codes: &Codes, factors: &[Factor]) -> f64 {
    let codes: Vec<Vec<usize>> = codes.columns.par_iter().map(|column| bins(column)).collect();
    let gap = |factor: &Factor| {
        let (values, kinds) = match factor.categories {
            Some(count) => (factor.values.iter().map(|v| *v as usize).collect(), count),
            None => (bins(&factor.values), BINS),
        };
        let mut told: Vec<f64> = codes.iter().map(|code| mutual_information(code, &values, kinds)).collect();
        told.sort_by(|a, b| b.total_cmp(a));
        let [first, second] = [0, 1].map(|i| told.get(i).copied().unwrap_or(0.0));
        let mut counts = vec![0.0; kinds];
        values.iter().for_each(|&v| counts[v] += 1.0);
        (first - second) / entropy(counts.iter().copied()).max(f64::MIN_POSITIVE)
    };
    factors.par_iter().map(gap).sum::<f64>() / factors.len().max(1) as f64
}

/// In nats.
fn mutual_information(code: &[usize], values: &[usize], kinds: usize) -> f64 {
    let mut joint = vec![0.0; BINS * kinds];
    code.iter().zip(values).for_each(|(&c, &v)| joint[c * kinds + v] += 1.0);
    let of_code = joint.chunks_exact(kinds).map(|row| row.iter().sum());
    let of_value = (0..kinds).map(|v| joint.iter().skip(v).step_by(kinds).sum());
    entropy(of_code) + entropy(of_value) - entropy(joint.iter().copied())
}

/// Entropy of counts or weights, in nats.
fn entropy(weights: impl Iterator<Item = f64> + Clone) -> f64 {
    let total: f64 = weights.clone().sum();
    weights.filter(|w| *w > 0.0).map(|w| -(w / total) * (w / total).ln()).sum()
}

/// |weights| of the regressions: `[latents][factors]`, and each factor's R² on images of its own.
struct Importances {
    weights: Vec<Vec<f64>>,
    explained: Vec<f64>,
}

impl Importances {
    fn new(codes: &Codes, factors: &[Factor]) -> Self {
        let lasso = Lasso::new(&codes.columns);
        let fit = |factor: &Factor| {
            let targets: Vec<Vec<f32>> = match factor.categories {
                None => vec![factor.values.clone()],
                Some(count) => (0..count)
                    .map(|kind| factor.values.iter().map(|v| f32::from(*v as usize == kind)).collect())
                    .collect(),
            };
            let fits: Vec<_> = targets.iter().filter_map(|target| lasso.fit(target)).collect();
            // Categories count as much as they vary: of a rare one a few images say nothing.
            let mut sum = vec![0.0; codes.columns.len()];
            let mut squares = [0.0; 2];
            let scale = fits.iter().map(|fit| f64::from(fit.deviation).powi(2)).sum::<f64>().sqrt();
            for Fit { weights, deviation, squares: own } in &fits {
                let deviation = f64::from(*deviation);
                sum.iter_mut().zip(weights).for_each(|(s, w)| *s += (f64::from(*w) * deviation / scale).powi(2));
                squares.iter_mut().zip(own).for_each(|(s, own)| *s += own * deviation.powi(2));
            }
            let [total, left] = squares;
            sum.iter_mut().for_each(|s: &mut f64| *s = s.sqrt());
            (sum, if total > 0.0 { 1.0 - left / total } else { 0.0 })
        };
        let (by_factor, explained): (Vec<Vec<f64>>, Vec<f64>) = factors.par_iter().map(fit).unzip();
        let weights = (0..codes.columns.len()).map(|i| by_factor.iter().map(|f| f[i]).collect()).collect();
        Self { weights, explained }
    }

    /// Σ ρ_i (1 − H_K(P_i)): P_i are latent i's importances among the K factors, ρ_i its share of all importance.
    fn disentanglement(&self) -> f64 {
        let total: f64 = self.weights.iter().flatten().sum();
        let single = |row: &Vec<f64>| {
            let share = row.iter().sum::<f64>() / total;
            if share > 0.0 { share * (1.0 - relative_entropy(row.iter().copied(), row.len())) } else { 0.0 }
        };
        self.weights.iter().map(single).sum()
    }

    /// Mean over factors of 1 − H_D(P_k): P_k are the importances of the D latents for factor k.
    fn completeness(&self) -> f64 {
        let factors = self.explained.len();
        let single = |k: usize| {
            let column = self.weights.iter().map(move |row| row[k]);
            if column.clone().sum::<f64>() > 0.0 { 1.0 - relative_entropy(column, self.weights.len()) } else { 0.0 }
        };
        (0..factors).map(single).sum::<f64>() / factors.max(1) as f64
    }
}

/// Entropy to the base of the number of kinds.
fn relative_entropy(weights: impl Iterator<Item = f64> + Clone, kinds: usize) -> f64 {
    if kinds < 2 { 0.0 } else { entropy(weights) / (kinds as f64).ln() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Independent numbers in [0, 1), column by column.
    fn noise(columns: usize, rows: usize) -> Vec<Vec<f32>> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut number = || rng.random::<f32>();
        (0..columns).map(|_| (0..rows).map(|_| number()).collect()).collect()
    }

    fn numbers(columns: &[Vec<f32>]) -> Vec<Factor> {
        columns.iter().map(|values| Factor { name: "f".into(), values: values.clone(), categories: None }).collect()
    }

    #[test]
    fn a_latent_a_factor_scores_full_marks() {
        let mut columns = noise(5, 2000);
        let factors = numbers(&columns[..3]);
        columns[1].iter_mut().for_each(|v| *v = 3.0 - 2.0 * *v);
        let Scores { mig, disentanglement, completeness, informativeness } = scores(&Codes { columns }, &factors);
        assert!(mig > 0.85, "{mig}");
        assert!(disentanglement > 0.95 && completeness > 0.95 && informativeness > 0.99);
    }

    #[test]
    fn a_rotation_of_the_same_latents_scores_low() {
        let columns = noise(2, 2000);
        let factors = numbers(&columns);
        let mixed = |sign: f32| columns[0].iter().zip(&columns[1]).map(|(a, b)| a + sign * b).collect();
        let found = scores(&Codes { columns: vec![mixed(1.0), mixed(-1.0)] }, &factors);
        assert!(found.mig < 0.1 && found.disentanglement < 0.1 && found.completeness < 0.1, "{found:?}");
        assert!(found.informativeness > 0.99);
    }

    #[test]
    fn what_is_not_there_is_not_told() {
        let columns = noise(4, 2000);
        let found = scores(&Codes { columns: columns[..3].to_vec() }, &numbers(&columns[3..]));
        assert!(found.mig < 0.02 && found.informativeness < 0.02, "{found:?}");
    }

    #[test]
    fn categories_are_told_one_by_one() {
        // So many that no other latent is taken for a part of it by chance.
        let mut columns = noise(3, 8000);
        let kinds: Vec<f32> = columns[0].iter().map(|v| (v * 3.0).floor()).collect();
        columns[0].clone_from(&kinds);
        let factor = Factor { name: "kind".into(), values: kinds, categories: Some(3) };
        let found = scores(&Codes { columns }, &[factor]);
        assert!(found.mig > 0.95 && found.completeness > 0.9, "{found:?}");
    }

    #[test]
    fn two_categories_weigh_as_much_as_the_quantity_that_they_are() {
        let columns = noise(3, 800);
        let values: Vec<f32> = columns[0].iter().map(|v| (v * 2.0).floor()).collect();
        let factor = |categories| Factor { name: "f".into(), values: values.clone(), categories };
        let found = Importances::new(&Codes { columns }, &[factor(None), factor(Some(2))]);
        for row in &found.weights {
            assert!((row[0] - row[1]).abs() < 1e-3, "{row:?}");
        }
        assert!(found.weights[0][0] > 0.8, "{:?}", found.weights);
    }

    #[test]
    fn a_rare_category_says_next_to_nothing() {
        let columns = noise(20, 400);
        let mut kinds: Vec<f32> = columns[0].iter().map(|v| (v * 2.0).floor()).collect();
        // Twice where the regression is fitted, never where it is judged.
        (kinds[3], kinds[50]) = (2.0, 2.0);
        let factor = Factor { name: "kind".into(), values: kinds, categories: Some(3) };
        let found = scores(&Codes { columns }, &[factor]).informativeness;
        assert!((0.6..1.0).contains(&found), "{found}");
    }

    #[test]
    fn mutual_information_equals_its_closed_form() {
        let (a, b) = ([0, 0, 1, 1], [0, 1, 0, 1]);
        assert!(mutual_information(&a, &b, 2).abs() < 1e-12);
        assert!((mutual_information(&a, &a, 2) - 2f64.ln()).abs() < 1e-12);
        assert_eq!(bins(&[0.0, 0.5, 1.0]), [0, 10, 19]);
    }

    #[test]
    fn codes_are_columns() {
        let codes = Codes::of_places(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 3, &[2, 0]);
        assert_eq!(codes.columns, [[2.0, 5.0], [0.0, 3.0]]);
    }
}
