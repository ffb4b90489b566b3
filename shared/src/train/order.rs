//! Which pictures a training step sees: a pure function of the seed and the step's number, so that
//! a run resumes from its step number alone.

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Seeds the flips apart from the order.
const FLIP_SALT: u64 = 0x666c_6970;

/// The sampler: every epoch is its own shuffle, cut into batches; a last partial batch is dropped.
/// With fewer pictures than a batch, a batch goes round the shuffle as often as it must.
///
/// Keeps the current epoch's order, which is all the state there is: it may be asked for any step
/// at any time.
#[derive(Clone, Debug)]
pub struct Batches {
    n: usize,
    batch: usize,
    seed: u64,
    cached: Option<(u64, Vec<usize>)>,
}

impl Batches {
    /// A sampler of `n` pictures in batches of `batch`.
    pub fn new(n: usize, batch: usize, seed: u64) -> Self {
        Self { n, batch, seed, cached: None }
    }

    /// Steps that make an epoch: at least one.
    pub fn steps_per_epoch(&self) -> u64 {
        self.n.checked_div(self.batch).unwrap_or(0).max(1) as u64
    }

    /// The epoch (from 0) that `step` is in, and the step's place (from 0) within it.
    pub fn position(&self, step: u64) -> (u64, u64) {
        (step / self.steps_per_epoch(), step % self.steps_per_epoch())
    }

    /// The pictures of `step`: `batch` indexes below `n` (none when `n` is 0).
    pub fn indexes(&mut self, step: u64) -> Vec<usize> {
        let (epoch, position) = self.position(step);
        let order = match self.cached.take() {
            Some((cached, order)) if cached == epoch => order,
            _ => order(self.n, self.seed, epoch),
        };
        let start = position as usize * self.batch;
        let indexes = order.iter().copied().cycle().skip(start).take(self.batch).collect();
        self.cached = Some((epoch, order));
        indexes
    }
}

/// Which pictures of `step`'s batch are mirrored left to right: each with probability ½.
pub fn flips(batch: usize, seed: u64, step: u64) -> Vec<bool> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ FLIP_SALT);
    rng.set_stream(step);
    (0..batch).map(|_| rng.random()).collect()
}

fn order(n: usize, seed: u64, epoch: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(epoch);
    order.shuffle(&mut rng);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pictures of a step, from a sampler that knows nothing of the others.
    fn batch_indexes(n: usize, batch: usize, seed: u64, step: u64) -> Vec<usize> {
        Batches::new(n, batch, seed).indexes(step)
    }

    #[test]
    fn an_epoch_visits_each_picture_once_and_epochs_differ() {
        let mut batches = Batches::new(20, 5, 7);
        assert_eq!(batches.steps_per_epoch(), 4);
        let epochs: Vec<Vec<usize>> =
            (0..2).map(|epoch| (0..4).flat_map(|i| batches.indexes(epoch * 4 + i)).collect()).collect();
        for epoch in &epochs {
            let mut seen = epoch.clone();
            seen.sort_unstable();
            assert_eq!(seen, (0..20).collect::<Vec<_>>());
        }
        assert_ne!(epochs[0], epochs[1]);
        assert_ne!(epochs[0], (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn a_partial_batch_is_dropped() {
        let mut batches = Batches::new(23, 5, 7);
        assert_eq!(batches.position(9), (2, 1));
        let mut seen: Vec<usize> = (0..4).flat_map(|step| batches.indexes(step)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 20);
    }

    #[test]
    fn any_step_can_be_resumed_from_its_number() {
        let mut running = Batches::new(50, 8, 3);
        for step in 0..30 {
            assert_eq!(running.indexes(step), batch_indexes(50, 8, 3, step));
        }
        assert_eq!(running.indexes(2), batch_indexes(50, 8, 3, 2));
        assert_ne!(batch_indexes(50, 8, 3, 2), batch_indexes(50, 8, 4, 2));
    }

    #[test]
    fn fewer_pictures_than_a_batch_go_round() {
        let indexes = batch_indexes(3, 7, 1, 5);
        assert_eq!(indexes.len(), 7);
        assert_eq!(indexes[..3], indexes[3..6]);
        for picture in 0..3 {
            assert!(indexes[..3].contains(&picture));
        }
        assert!(batch_indexes(0, 4, 1, 0).is_empty());
        assert!(batch_indexes(4, 0, 1, 3).is_empty());
    }

    #[test]
    fn flips_are_fair_and_depend_on_seed_and_step() {
        let all = flips(4000, 1, 9);
        let mirrored = all.iter().filter(|&&flip| flip).count();
        assert!((1850..2150).contains(&mirrored), "{mirrored}");
        assert_eq!(all, flips(4000, 1, 9));
        assert_ne!(all, flips(4000, 1, 10));
        assert_ne!(all, flips(4000, 2, 9));
        assert_eq!(all[..10], flips(10, 1, 9));
    }
}
