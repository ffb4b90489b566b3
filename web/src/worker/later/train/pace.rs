//! Whether it pays that several workers share each batch: steps of either kind, timed in turn.

use std::collections::VecDeque;

/// Steps of either kind that are compared.
const STEPS: usize = 8;
/// The first with others are slower: their programs and their memory are new.
const FIRST: usize = 2;
/// What a shared step may take of the time of one alone. For less, other programs had better have the processor.
const PAYS: f64 = 0.85;

/// Milliseconds of the latest steps.
#[derive(Debug, Default)]
pub struct Pace {
    alone: VecDeque<f64>,
    shared: Vec<f64>,
}

impl Pace {
    /// A step alone took so long.
    pub fn alone(&mut self, millis: f64) {
        if self.alone.len() == STEPS {
            self.alone.pop_front();
        }
        self.alone.push_back(millis);
    }

    /// Whether enough steps were taken alone.
    pub fn is_known(&self) -> bool {
        self.alone.len() == STEPS
    }

    /// A shared step took so long. Says once, when it is clear, whether it pays.
    pub fn shared(&mut self, millis: f64) -> Option<bool> {
        if self.shared.len() == FIRST + STEPS {
            return None;
        }
        self.shared.push(millis);
        let (alone, shared) = (quarter(self.alone.iter().copied())?, self.of_shared()?);
        (self.shared.len() == FIRST + STEPS).then_some(shared <= PAYS * alone)
    }

    /// Milliseconds of a shared step, if there were enough.
    pub fn of_shared(&self) -> Option<f64> {
        quarter(self.shared.iter().skip(FIRST).copied())
    }

    /// Others share from now on, or nobody does.
    pub fn forget_shared(&mut self) {
        self.shared.clear();
    }
}

/// The time that a quarter of the steps stay below: whatever else the processor does makes some slower, and none faster.
fn quarter(steps: impl Iterator<Item = f64>) -> Option<f64> {
    let mut steps: Vec<f64> = steps.collect();
    steps.sort_by(f64::total_cmp);
    steps.get(STEPS / 4).copied().filter(|_| steps.len() >= STEPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said after steps alone of 10 ms, some of them disturbed, and these shared ones.
    fn said(shared: f64) -> Vec<bool> {
        let mut pace = Pace::default();
        for millis in [50.0, 10.0, 10.0, 31.0, 10.0, 10.0, 10.0] {
            pace.alone(millis);
        }
        assert!(!pace.is_known());
        pace.alone(10.0);
        assert!(pace.is_known());
        let disturbed = |i: usize| if i < FIRST || i.is_multiple_of(3) { 90.0 } else { shared };
        (0..30).filter_map(|i| pace.shared(disturbed(i))).collect()
    }

    #[test]
    fn sharing_pays_if_it_is_clearly_faster() {
        assert_eq!(said(5.0), [true]);
        assert_eq!(said(8.4), [true]);
        assert_eq!(said(9.0), [false]);
        assert_eq!(said(20.0), [false]);
    }

    #[test]
    fn it_is_tried_anew_with_others() {
        let mut pace = Pace::default();
        (0..9).for_each(|_| pace.alone(10.0));
        let tried = |pace: &mut Pace, millis| (0..FIRST + STEPS).filter_map(|_| pace.shared(millis)).last();
        assert_eq!((tried(&mut pace, 12.0), pace.of_shared()), (Some(false), Some(12.0)));
        pace.forget_shared();
        assert_eq!((pace.of_shared(), tried(&mut pace, 6.0)), (None, Some(true)));
    }
}
