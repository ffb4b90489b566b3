//! How to train: everything but the architecture and the data.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Hyper-parameters of a training run; they and the seed determine it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Images in a batch.
    pub batch: usize,
    /// Steps in all.
    pub steps: u64,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Steps over which it rises from zero.
    pub warmup: u64,
    /// Whether it falls along a half cosine to a hundredth after the warm-up; constant otherwise.
    pub cosine: bool,
    /// AdamW's weight decay.
    pub weight_decay: f64,
    /// Bound on the norm of the gradient of all parameters together.
    pub clip: f64,
    /// Decay of the moving average of the weights that is evaluated and exported; 0 for none.
    pub ema: f64,
    /// Whether images are mirrored at random.
    pub flips: bool,
    /// Seed of the initial weights, the order of images, the flips and the dequantisation noise.
    pub seed: u64,
}

impl Recipe {
    /// Largest batch.
    pub const MOST_BATCH: usize = 65_536;

    /// The authors' recipe, for the given number of steps.
    pub fn official(steps: u64) -> Self {
        Self {
            batch: 64,
            steps,
            learning_rate: 1e-3,
            warmup: 0,
            cosine: false,
            weight_decay: 5e-2,
            clip: 1.0,
            ema: 0.0,
            flips: true,
            seed: 0,
        }
    }

    /// Warm-up, cosine decay and averaged weights: small batches at a high rate, as docs/experiments.md found best.
    pub fn cosine(steps: u64) -> Self {
        Self {
            batch: 16,
            learning_rate: 1.2e-2,
            warmup: 200.min(steps / 5),
            cosine: true,
            weight_decay: 1e-2,
            ema: 0.998,
            ..Self::official(steps)
        }
    }

    /// Learning rate of step number `step`, counted from 0.
    pub fn learning_rate_at(&self, step: u64) -> f64 {
        if step < self.warmup {
            return self.learning_rate * (step + 1) as f64 / self.warmup as f64;
        }
        if !self.cosine {
            return self.learning_rate;
        }
        let done = (step - self.warmup) as f64 / (self.steps.saturating_sub(self.warmup)).max(1) as f64;
        self.learning_rate * (0.01 + 0.99 * half_cosine(done.min(1.0)))
    }

    /// Decay of the average at a step: short at first, so that the start is forgotten.
    pub fn ema_at(&self, step: u64) -> f64 {
        self.ema.min((1.0 + step as f64) / (10.0 + step as f64))
    }

    /// Checks the values.
    ///
    /// # Errors
    /// [`Error::Recipe`] names the field.
    pub fn validate(&self) -> Result<()> {
        let wrong = |field: &'static str, problem: String| Err(Error::Recipe { field, problem });
        for (field, value) in [("learning_rate", self.learning_rate), ("clip", self.clip)] {
            if !(value.is_finite() && value > 0.0) {
                return wrong(field, format!("{value} is not a positive number"));
            }
        }
        if !(1..=Self::MOST_BATCH).contains(&self.batch) {
            let problem = format!("{} images in a batch; it must be 1 to {}", self.batch, Self::MOST_BATCH);
            return wrong("batch", problem);
        }
        if !(0.0..1.0).contains(&self.ema) {
            return wrong("ema", format!("{} is not in [0, 1)", self.ema));
        }
        if !(0.0..=1.0).contains(&self.weight_decay) {
            return wrong("weight_decay", format!("{} is not in [0, 1]", self.weight_decay));
        }
        Ok(())
    }
}

/// Half a period of a cosine, from 1 at `done` = 0 to 0 at 1.
pub fn half_cosine(done: f64) -> f64 {
    0.5 * (1.0 + (std::f64::consts::PI * done).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learning_rate_rises_and_falls() {
        let recipe = Recipe { warmup: 10, ..Recipe::cosine(110) };
        let rates: Vec<f64> = (0..110).map(|s| recipe.learning_rate_at(s)).collect();
        assert!((rates[0] - 1.2e-3).abs() < 1e-12 && (rates[9] - 1.2e-2).abs() < 1e-12);
        assert!(rates[10..].windows(2).all(|w| w[1] < w[0]));
        assert!(rates[109] < 2e-4);
        let official = Recipe::official(5);
        assert_eq!(official.learning_rate_at(0), official.learning_rate_at(1_000_000));
    }

    #[test]
    fn average_starts_short() {
        let recipe = Recipe::cosine(1000);
        assert_eq!(recipe.ema_at(0), 0.1);
        assert_eq!(recipe.ema_at(1_000_000), 0.998);
        assert_eq!(Recipe::official(1).ema_at(50), 0.0);
    }

    #[test]
    fn impossible_values_name_their_field() {
        let spoil = |f: fn(&mut Recipe)| {
            let mut recipe = Recipe::cosine(10);
            f(&mut recipe);
            recipe.validate().unwrap_err().to_string()
        };
        assert!(Recipe::cosine(10).validate().is_ok());
        assert!(spoil(|r| r.batch = 0).contains("batch"));
        assert!(spoil(|r| r.learning_rate = f64::NAN).contains("learning_rate"));
        assert!(spoil(|r| r.clip = 0.0).contains("clip"));
        assert!(spoil(|r| r.ema = 1.0).contains("ema"));
        assert!(spoil(|r| r.weight_decay = 2.0).contains("weight_decay"));
    }
}
