//! Which pictures are for training and which for testing.

use rand::seq::index;
use rand::{RngCore, SeedableRng};
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

/// The first `limit` of `from`.
pub(crate) fn first(mut from: Vec<usize>, limit: Option<usize>) -> Vec<usize> {
    from.truncate(limit.unwrap_or(usize::MAX));
    from
}

/// Holds out a `fraction` of the pictures (at least one, at most 10,000) to test on: those whose name's hash is low.
/// Gives the indexes to train on and those to test on, each in order.
///
/// A picture's part depends on its own name, not on how many others there are: when a folder grows, no picture that was
/// trained on is ever tested on. (Only if every name would be held out, one is trained on anyway.)
pub(crate) fn hold_out(file: &str, names: &[String], fraction: f64, seed: u64) -> Result<(Vec<usize>, Vec<usize>)> {
    if !(fraction > 0.0 && fraction < 1.0) {
        let problem = format!("cannot hold out a fraction of {fraction}");
        return Err(Error::usage(file, problem, "use a test fraction between 0 and 1"));
    }
    if names.len() < 2 {
        let problem = "one picture cannot serve for both training and testing";
        return Err(Error::content(file, problem, "add pictures, or give a separate test set"));
    }
    let mut order: Vec<(u64, usize)> = names.iter().enumerate().map(|(i, name)| (hash(name, seed), i)).collect();
    order.sort_unstable();
    let bound = (fraction * u64::MAX as f64) as u64;
    let low = order.iter().take_while(|(hash, _)| *hash < bound).count();
    let (test, train) = order.split_at(low.clamp(1, MOST_HELD_OUT.min(names.len() - 1)));
    let indexes = |part: &[(u64, usize)]| {
        let mut indexes: Vec<usize> = part.iter().map(|(_, i)| *i).collect();
        indexes.sort_unstable();
        indexes
    };
    Ok((indexes(train), indexes(test)))
}

/// FNV-1a, mixed by the generator so that names in a row fall anywhere.
fn hash(name: &str, seed: u64) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = name.bytes().chain(seed.to_le_bytes()).fold(0xcbf2_9ce4_8422_2325, step);
    ChaCha8Rng::seed_from_u64(hash).next_u64()
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

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|i| format!("photos/img_{i:05}.jpg")).collect()
    }

    #[test]
    fn a_held_out_part_is_disjoint_and_seeded() {
        let (train, test) = hold_out("f", &names(1000), 0.1, 1).unwrap();
        assert!((70..130).contains(&test.len()), "{}", test.len());
        let mut all = [train.clone(), test.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
        assert!(train.is_sorted() && test.is_sorted());
        assert_eq!(hold_out("f", &names(1000), 0.1, 1).unwrap(), (train, test.clone()));
        assert_ne!(hold_out("f", &names(1000), 0.1, 2).unwrap().1, test);
    }

    #[test]
    fn no_picture_that_was_trained_on_is_tested_on_when_the_folder_grows() {
        // From one held out to the most that are, at both bounds.
        for pair in [(2, 3), (3, 20), (20, 500), (500, 9000), (9000, 25_000), (25_000, 25_001)] {
            let (large, mut small) = (names(pair.1), names(pair.1));
            // What is new may come first, last or between.
            small.retain(|name| !hash(name, 99).is_multiple_of(8));
            small.truncate(pair.0);
            let (train, _) = hold_out("f", &small, 0.1, 3).unwrap();
            let (_, test) = hold_out("f", &large, 0.1, 3).unwrap();
            let trained: std::collections::HashSet<&String> = train.iter().map(|&i| &small[i]).collect();
            assert!(test.iter().all(|&i| !trained.contains(&large[i])), "{pair:?}");
        }
    }

    #[test]
    fn the_held_out_part_has_bounds() {
        assert_eq!(hold_out("f", &names(300_000), 0.1, 1).unwrap().1.len(), 10_000);
        assert_eq!(hold_out("f", &names(3), 0.0001, 1).unwrap().1.len(), 1);
        assert_eq!(hold_out("f", &names(3), 0.9999, 1).unwrap().0.len(), 1);
        for (n, fraction) in [(1, 0.1), (0, 0.1), (9, 0.0), (9, 1.0), (9, -1.0), (9, f64::NAN)] {
            assert!(hold_out("f", &names(n), fraction, 1).is_err(), "{n} {fraction}");
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
        assert_eq!(first(from.clone(), Some(10)), from[..10]);
        assert_eq!(first(from.clone(), None), from);
    }
}
