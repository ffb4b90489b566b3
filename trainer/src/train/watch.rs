//! Whether a run goes wrong: steps that measure no number, and a loss that leaves where it was.

use shared::train::Measured;

/// Steps without a number, one after the other, after which a run ends: its weights give none for any images.
pub const HOPELESS: u32 = 10;
/// Steps that the loss is averaged over.
pub const WINDOW: u64 = 20;
/// A mean loss so far above the lowest one has left, in bits/dim, or nats a site for fields: single batches do not move it so
/// far, and a rate that is too high moves it much further.
const FAR: f64 = 2.0;
/// A first batch may be so much easier than others.
const EASIER: f64 = 1.0;

/// What a step shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Seen {
    /// Nothing that needs to be said.
    Fine,
    /// It has no loss or no gradient, and so it was not taken: how many there were so far.
    Skipped(u64),
    /// It is the last of too many of these in a row.
    Hopeless,
    /// The mean loss is now far above the lowest one.
    Left {
        /// The lowest.
        from: f64,
        /// Where it is.
        to: f64,
    },
    /// It has come back.
    Back,
}

/// What the steps of this process showed so far.
#[derive(Debug)]
pub struct Watch {
    in_a_row: u32,
    skipped: u64,
    steps: u64,
    mean: f64,
    lowest: f64,
    away: bool,
}

impl Watch {
    /// Before the first step.
    pub fn new() -> Self {
        Self { in_a_row: 0, skipped: 0, steps: 0, mean: 0.0, lowest: f64::INFINITY, away: false }
    }

    /// Looks at a step.
    pub fn see(&mut self, measured: &Measured) -> Seen {
        if !is_number(measured) {
            self.in_a_row += 1;
            self.skipped += 1;
            return if self.in_a_row >= HOPELESS { Seen::Hopeless } else { Seen::Skipped(self.skipped) };
        }
        self.in_a_row = 0;
        self.steps += 1;
        if self.steps == 1 {
            // Before any step of this process, which may leave at once.
            self.lowest = measured.bits_per_dim + EASIER;
        }
        self.mean += (measured.bits_per_dim - self.mean) / self.steps.min(WINDOW) as f64;
        if self.steps < WINDOW {
            return Seen::Fine;
        }
        self.lowest = self.lowest.min(self.mean);
        let above = self.mean - self.lowest;
        // It counts as back where it is nearer, so that one at the border is not told again and again.
        match self.away {
            false if above > FAR => {
                self.away = true;
                Seen::Left { from: self.lowest, to: self.mean }
            }
            true if above < FAR / 2.0 => {
                self.away = false;
                Seen::Back
            }
            _ => Seen::Fine,
        }
    }

    /// Steps without a number up to the last one, which is one of them unless this is 0.
    pub fn in_a_row(&self) -> u32 {
        self.in_a_row
    }

    /// Whether the last step had a loss and a gradient.
    pub fn is_sound(&self) -> bool {
        self.in_a_row == 0
    }
}

/// Whether a step has a loss and a gradient: one that has not leaves the model as it was.
pub fn is_number(measured: &Measured) -> bool {
    measured.bits_per_dim.is_finite() && measured.grad_norm.is_finite()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn see(watch: &mut Watch, bits_per_dim: f64) -> Seen {
        watch.see(&Measured { bits_per_dim, grad_norm: 1.0, factor: 1.0 })
    }

    #[test]
    fn steps_without_numbers_count_in_a_row() {
        let mut watch = Watch::new();
        for round in 0..3 {
            for step in 1..HOPELESS {
                let count = u64::from(round * (HOPELESS - 1) + step);
                assert_eq!(see(&mut watch, f64::NAN), Seen::Skipped(count));
                assert!(!watch.is_sound());
            }
            assert_eq!(see(&mut watch, 5.0), Seen::Fine);
            assert!(watch.is_sound());
        }
        for _ in 1..HOPELESS {
            watch.see(&Measured { bits_per_dim: 5.0, grad_norm: f64::INFINITY, factor: 0.0 });
        }
        assert_eq!(see(&mut watch, f64::INFINITY), Seen::Hopeless);
    }

    #[test]
    fn a_loss_that_leaves_at_once_is_told() {
        let mut watch = Watch::new();
        let told: Vec<Seen> = (0..60).map(|step| see(&mut watch, if step == 0 { 6.0 } else { 99.0 })).collect();
        assert!(told[..19].iter().all(|seen| *seen == Seen::Fine));
        assert!(matches!(told[19], Seen::Left { from: 7.0, to } if to > 90.0), "{:?}", told[19]);
    }

    #[test]
    fn a_loss_that_leaves_is_told_once_and_again_when_it_was_back() {
        let mut watch = Watch::new();
        // A new model begins high, and its batches differ.
        for step in 0..200 {
            let bits = 4.0 + 5.0 * (-0.1 * f64::from(step)).exp() + if step % 7 == 0 { 3.0 } else { 0.0 };
            assert_eq!(see(&mut watch, bits), Seen::Fine, "{step}");
        }
        for _ in 0..2 {
            let told: Vec<Seen> = (0..60).map(|_| see(&mut watch, 9.0)).filter(|seen| *seen != Seen::Fine).collect();
            let [Seen::Left { from, to }] = told[..] else { panic!("{told:?}") };
            assert!((4.0..5.0).contains(&from) && to > from + FAR, "{from} {to}");
            let told: Vec<Seen> = (0..60).map(|_| see(&mut watch, 4.0)).filter(|seen| *seen != Seen::Fine).collect();
            assert_eq!(told, [Seen::Back]);
        }
    }
}
