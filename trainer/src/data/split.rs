//! Which pictures are for training and which for testing.

use rand::SeedableRng;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;

use crate::error::{Error, Result};

/// A test set that is held out has at most this many pictures.
const MOST_HELD_OUT: usize = 10_000;

/// At most `limit` of `from`, picked at random by `seed`, in their order.
pub(crate) fn choose(from: Vec<usize>, limit: Option<usize>, seed: u64) -> Vec<usize> {
    match limit {
        Some(limit) if limit < from.len() => {
            let places = sorted_sample(from.len(), limit, seed);
            places.into_iter().map(|place| from[place]).collect()
        }
        _ => from,
    }
}

/// Holds out a random `fraction` of `n` pictures (at least one, at most 10,000) to test on.
/// Gives the indexes to train on and those to test on, each in order.
pub(crate) fn hold_out(
    file: &str,
    n: usize,
    fraction: f64,
    seed: u64,
) -> Result<(Vec<usize>, Vec<usize>)> {
    if !(fraction > 0.0 && fraction < 1.0) {
        let problem = format!("cannot hold out a fraction of {fraction}");
        return Err(Error::usage(
            file,
            problem,
            "use a test fraction between 0 and 1",
        ));
    }
    if n < 2 {
        let problem = "one picture cannot be both trained and tested on";
        return Err(Error::content(
            file,
            problem,
            "add pictures, or give a test set of its own",
        ));
    }
    let held = ((n as f64 * fraction).round() as usize).clamp(1, MOST_HELD_OUT.min(n - 1));
    let test = sorted_sample(n, held, seed);
    let mut held = test.iter().copied().peekable();
    let train = (0..n).filter(|i| held.next_if_eq(i).is_none()).collect();
    Ok((train, test))
}

fn sorted_sample(n: usize, amount: usize, seed: u64) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut places = index::sample(&mut rng, n, amount).into_vec();
    places.sort_unstable();
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_out_part_is_disjoint_and_seeded() {
        let (train, test) = hold_out("f", 100, 0.1, 1).unwrap();
        assert_eq!((train.len(), test.len()), (90, 10));
        let mut all = [train.clone(), test.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
        assert!(train.is_sorted() && test.is_sorted());
        assert_eq!(hold_out("f", 100, 0.1, 1).unwrap(), (train, test.clone()));
        assert_ne!(hold_out("f", 100, 0.1, 2).unwrap().1, test);
    }

    #[test]
    fn the_held_out_part_has_bounds() {
        assert_eq!(hold_out("f", 300_000, 0.1, 1).unwrap().1.len(), 10_000);
        assert_eq!(hold_out("f", 3, 0.1, 1).unwrap().1.len(), 1);
        assert_eq!(hold_out("f", 3, 0.99, 1).unwrap().0.len(), 1);
        for (n, fraction) in [
            (1, 0.1),
            (0, 0.1),
            (9, 0.0),
            (9, 1.0),
            (9, -1.0),
            (9, f64::NAN),
        ] {
            assert!(hold_out("f", n, fraction, 1).is_err(), "{n} {fraction}");
        }
    }

    #[test]
    fn a_limit_picks_at_random_and_keeps_order() {
        let from: Vec<usize> = (100..200).collect();
        let some = choose(from.clone(), Some(10), 1);
        assert_eq!(some.len(), 10);
        assert!(some.is_sorted() && some.iter().all(|i| from.contains(i)));
        assert_ne!(some, from[..10]);
        assert_eq!(choose(from.clone(), None, 1), from);
        assert_eq!(choose(from.clone(), Some(500), 1), from);
    }
}
