//! What is measured of fields, with errors.

use rayon::prelude::*;

use super::{Theory, bonds};

/// Parts that one is left out of at a time.
const BLOCKS: usize = 50;

/// A number and its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
}

impl Estimate {
    /// How far two independent estimates are apart, in standard errors.
    pub fn apart(self, other: Self) -> f64 {
        (self.value - other.value) / self.error.hypot(other.error)
    }
}

/// Of each field: |m|, m², m⁴, Σ φφ and S over the sites' number, and ⟨φ_0 φ_r⟩ averaged over sites and both directions.
#[derive(Clone, Debug)]
pub struct Observed {
    rows: Vec<Vec<f64>>,
    /// How much each field counts.
    weights: Vec<f64>,
    sites: f64,
    distances: Vec<usize>,
}

impl Observed {
    /// Measures fields `[count, edge, edge]`: the action of the fields, and all else of what is [seen](Theory::seen) of them.
    pub fn of(fields: &[f32], edge: usize, theory: &dyn Theory) -> Self {
        let sites = edge * edge;
        let distances = distances(edge);
        let row = |field: &[f32]| {
            let per_site = |value: f64| value / sites as f64;
            let action = per_site(theory.action(field, edge));
            let seen = theory.seen(field);
            let field = &*seen;
            let m = field.iter().map(|&phi| f64::from(phi)).sum::<f64>() / sites as f64;
            let mut row = vec![m.abs(), m * m, m.powi(4), per_site(bonds(field, edge)), action];
            row.extend(distances.iter().map(|&r| two_point(field, edge, r)));
            row
        };
        let rows: Vec<_> = fields.par_chunks_exact(sites).map(row).collect();
        let weights = vec![1.0; rows.len()];
        Self { rows, weights, sites: sites as f64, distances }
    }

    /// The same fields with other weights.
    pub fn weighted(&self, weights: Vec<f64>) -> Self {
        Self { weights, ..self.clone() }
    }

    /// ⟨|m|⟩.
    pub fn magnetisation(&self) -> Estimate {
        self.estimate(|mean| mean[0])
    }

    /// ⟨Σ φφ⟩ over the number of sites.
    pub fn bond_energy(&self) -> Estimate {
        self.estimate(|mean| mean[3])
    }

    /// ⟨S⟩ over the number of sites.
    pub fn action(&self) -> Estimate {
        self.estimate(|mean| mean[4])
    }

    /// χ = V(⟨m²⟩ − ⟨|m|⟩²).
    pub fn susceptibility(&self) -> Estimate {
        self.estimate(|mean| self.sites * (mean[1] - mean[0] * mean[0]))
    }

    /// ⟨φ_0 φ_r⟩ for r = 0, 1, 2, 4, … up to half the edge.
    pub fn two_point(&self) -> Vec<(usize, Estimate)> {
        let of = |(i, &r): (usize, &usize)| (r, self.estimate(|mean| mean[5 + i]));
        self.distances.iter().enumerate().map(of).collect()
    }

    /// How steeply ⟨φ_0 φ_r⟩ falls from r to 2r, r = 1, 2, 4, …: −d log/d log r. On an infinite critical lattice it is η = ¼ far out;
    /// here the field comes back round the lattice.
    pub fn slopes(&self) -> Vec<(usize, Estimate)> {
        let of = |i: usize| self.estimate(|mean| (mean[5 + i] / mean[6 + i]).log2());
        (1..self.distances.len().saturating_sub(1)).map(|i| (self.distances[i], of(i))).collect()
    }

    /// A function of the weighted means, with its error by the jackknife over blocks of fields that follow one another.
    pub fn estimate(&self, of: impl Fn(&[f64]) -> f64) -> Estimate {
        let columns = self.rows.first().map_or(0, Vec::len);
        let size = self.rows.len().div_ceil(BLOCKS).max(1);
        let sum = |range: (&[Vec<f64>], &[f64])| {
            let mut sums = vec![0.0; columns + 1];
            for (row, weight) in range.0.iter().zip(range.1) {
                sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight * value);
                sums[columns] += weight;
            }
            sums
        };
        let blocks: Vec<_> = self.rows.chunks(size).zip(self.weights.chunks(size)).map(sum).collect();
        let all = blocks.iter().fold(vec![0.0; columns + 1], |all, block| plus(&all, block, 1.0));
        let value = |sums: &[f64]| of(&sums[..columns].iter().map(|sum| sum / sums[columns]).collect::<Vec<_>>());
        let without: Vec<f64> = blocks.iter().map(|block| value(&plus(&all, block, -1.0))).collect();
        let n = without.len() as f64;
        let mean = without.iter().sum::<f64>() / n;
        let variance = without.iter().map(|value| (value - mean).powi(2)).sum::<f64>() * (n - 1.0) / n;
        Estimate { value: value(&all), error: variance.sqrt() }
    }
}

/// The Binder cumulant 1 − ⟨m⁴⟩/(3⟨m²⟩²).
pub fn binder(observed: &Observed) -> Estimate {
    observed.estimate(|mean| 1.0 - mean[2] / (3.0 * mean[1] * mean[1]))
}

fn plus(a: &[f64], b: &[f64], factor: f64) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + factor * b).collect()
}

/// 0, 1, 2, 4, … up to half the edge.
fn distances(edge: usize) -> Vec<usize> {
    std::iter::once(0).chain(std::iter::successors(Some(1), |r| Some(2 * r)).take_while(|&r| r <= edge / 2)).collect()
}

fn two_point(field: &[f32], edge: usize, r: usize) -> f64 {
    let at = |row: usize, col: usize| f64::from(field[row % edge * edge + col % edge]);
    let one = |i: usize| {
        let (row, col) = (i / edge, i % edge);
        at(row, col) * (at(row, col + r) + at(row + r, col)) / 2.0
    };
    (0..edge * edge).map(one).sum::<f64>() / (edge * edge) as f64
}

/// How well proposals of log density `log_q` (up to nothing) serve for e^{−S}, from log w = −S − log q.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Proposals {
    /// (Σ w)² / (n Σ w²), of 1.
    pub effective: f64,
    /// Share of proposals that an independence Metropolis chain accepts.
    pub acceptance: f64,
    /// log Z, by the mean of w.
    pub log_z: f64,
}

impl Proposals {
    /// From the logarithms of the weights, in the order of the proposals; `uniform` gives numbers in [0, 1).
    pub fn of(log_weights: &[f64], mut uniform: impl FnMut() -> f64) -> Self {
        let n = log_weights.len() as f64;
        let largest = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = log_weights.iter().map(|w| (w - largest).exp()).collect();
        let (sum, squares) = weights.iter().fold((0.0, 0.0), |(sum, squares), w| (sum + w, squares + w * w));
        let (mut here, mut accepted) = (f64::NEG_INFINITY, 0.0);
        for &weight in log_weights {
            if uniform() < (weight - here).exp() {
                (here, accepted) = (weight, accepted + 1.0);
            }
        }
        Self { effective: sum * sum / squares / n, acceptance: accepted / n, log_z: largest + (sum / n).ln() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Phi4;
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn a_known_field_has_known_numbers() {
        // A checkerboard: m = 0, neighbours −1, second neighbours 1.
        let board: Vec<f32> = (0..16).map(|i| if (i / 4 + i % 4) % 2 == 0 { 2.0 } else { -2.0 }).collect();
        let observed = Observed::of(&[board.clone(), board].concat(), 4, &Phi4::CRITICAL);
        assert_eq!(observed.magnetisation(), Estimate { value: 0.0, error: 0.0 });
        assert_eq!(observed.bond_energy().value, -8.0);
        let two_point: Vec<_> = observed.two_point().iter().map(|(r, e)| (*r, e.value)).collect();
        assert_eq!(two_point, [(0, 4.0), (1, -4.0), (2, 4.0)]);
        assert!((observed.action().value - (0.6806 * 8.0 + 4.0 + 9.0)).abs() < 1e-9);
        let flat = Observed::of(&[1.0; 32], 4, &Phi4::CRITICAL);
        assert_eq!((flat.magnetisation().value, flat.susceptibility().value), (1.0, 0.0));
        assert!((binder(&flat).value - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_power_of_the_distance_has_its_slope() {
        // Along rows and columns alike, 4, 2 and 1 at distances 1, 2 and 4, up to a constant: slopes of 1.
        let rows = vec![vec![0.0, 0.0, 0.0, 0.0, 0.0, 5.0, 4.0, 2.0, 1.0]; 3];
        let observed = Observed { rows, weights: vec![1.0; 3], sites: 64.0, distances: distances(8) };
        let slopes: Vec<_> = observed.slopes().into_iter().map(|(r, e)| (r, e.value)).collect();
        assert_eq!(slopes, [(1, 1.0), (2, 1.0)]);
    }

    #[test]
    fn errors_are_the_spread_over_many_experiments() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut experiment = || {
            let fields: Vec<f32> = (0..200 * 16).map(|_| rng.random::<f32>() - 0.3).collect();
            Observed::of(&fields, 4, &Phi4::CRITICAL).susceptibility()
        };
        let all: Vec<Estimate> = (0..300).map(|_| experiment()).collect();
        let mean = all.iter().map(|e| e.value).sum::<f64>() / 300.0;
        let spread = (all.iter().map(|e| (e.value - mean).powi(2)).sum::<f64>() / 299.0).sqrt();
        let said = all.iter().map(|e| e.error).sum::<f64>() / 300.0;
        assert!((said / spread - 1.0).abs() < 0.15, "{said} {spread}");
        assert_eq!(Estimate { value: 5.0, error: 3.0 }.apart(Estimate { value: 0.0, error: 4.0 }), 1.0);
    }

    #[test]
    fn weights_move_the_means_and_say_how_many_count() {
        let fields = [[1.0f32; 16], [0.0; 16]].concat();
        let observed = Observed::of(&fields, 4, &Phi4::CRITICAL).weighted(vec![3.0, 1.0]);
        assert_eq!(observed.magnetisation().value, 0.75);
        let same = Proposals::of(&[2.0; 8], || 0.999);
        assert_eq!((same.effective, same.acceptance), (1.0, 1.0));
        assert!((same.log_z - 2.0).abs() < 1e-12);
        // One of four counts; after it nothing is accepted.
        let one = Proposals::of(&[0.0, -800.0, -800.0, -800.0], || 0.5);
        assert_eq!((one.effective, one.acceptance), (0.25, 0.25));
        assert!((one.log_z - 0.25f64.ln()).abs() < 1e-12);
    }
}
