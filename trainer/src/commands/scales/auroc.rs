//! How well a number tells two sets apart.

/// The area under the receiver operating characteristic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Auroc {
    /// The chance that a positive's number is the larger one, ties counting half: ½ tells nothing apart.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
}

/// The area and its standard error by DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988): from the spread of the
/// share of the other set that each number beats. The two sets are independent, and neither is empty.
pub fn auroc(positives: &[f64], negatives: &[f64]) -> Auroc {
    let all: Vec<f64> = positives.iter().chain(negatives).copied().collect();
    let ranks = midranks(&all);
    let (of_positives, of_negatives) = ranks.split_at(positives.len());
    // A number's rank among all, less that among its own, is how many of the others it beats.
    let beaten = |among_all: &[f64], own: &[f64], others: usize| -> Vec<f64> {
        among_all.iter().zip(midranks(own)).map(|(all, own)| (all - own) / others as f64).collect()
    };
    let wins = beaten(of_positives, positives, negatives.len());
    let losses = beaten(of_negatives, negatives, positives.len());
    let standard_error = (variance_of_mean(&wins) + variance_of_mean(&losses)).sqrt();
    Auroc { value: wins.iter().sum::<f64>() / wins.len() as f64, standard_error }
}

/// The rank of each number from 1 on; equal ones share the mean of theirs.
fn midranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for equal in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = start as f64 + (equal.len() as f64 + 1.0) / 2.0;
        equal.iter().for_each(|&i| ranks[i] = rank);
        start += equal.len();
    }
    ranks
}

fn variance_of_mean(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0) / n
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Small whole numbers, so that many are equal.
    fn draws(rng: &mut ChaCha8Rng, count: usize, shift: f64) -> Vec<f64> {
        (0..count).map(|_| (rng.random::<f64>() * 9.0 + shift).floor()).collect()
    }

    #[test]
    fn the_area_is_the_share_of_pairs_that_are_won() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (positives, negatives) = (draws(&mut rng, 31, 2.0), draws(&mut rng, 17, 0.0));
        let won = |p: f64, n: f64| {
            if p > n {
                1.0
            } else if p == n {
                0.5
            } else {
                0.0
            }
        };
        let pairs: f64 = positives.iter().flat_map(|&p| negatives.iter().map(move |&n| won(p, n))).sum();
        let found = auroc(&positives, &negatives);
        assert!((found.value - pairs / (31.0 * 17.0)).abs() < 1e-12);
        assert!((auroc(&negatives, &positives).value - (1.0 - found.value)).abs() < 1e-12);
        assert_eq!(auroc(&[1.0, 1.0], &[1.0; 3]).value, 0.5);
        assert_eq!(auroc(&[2.0, 3.0], &[0.0, 1.0]), Auroc { value: 1.0, standard_error: 0.0 });
    }

    #[test]
    fn the_error_is_the_spread_of_the_area_over_many_sets() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let runs: Vec<Auroc> = (0..2000).map(|_| auroc(&draws(&mut rng, 60, 1.5), &draws(&mut rng, 40, 0.0))).collect();
        let mean = runs.iter().map(|run| run.value).sum::<f64>() / 2000.0;
        let spread = (runs.iter().map(|run| (run.value - mean).powi(2)).sum::<f64>() / 1999.0).sqrt();
        let said = runs.iter().map(|run| run.standard_error).sum::<f64>() / 2000.0;
        assert!(mean > 0.6 && mean < 0.8 && (said / spread - 1.0).abs() < 0.05, "{mean} {said} {spread}");
    }
}
