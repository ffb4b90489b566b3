//! Minimising a smooth function from one point: L-BFGS (Liu & Nocedal 1989) with backtracking.
//!
//! It asks for a point and is told value and gradient there, so that the caller can compute many points at once, on any
//! device.

use std::collections::VecDeque;

/// Pairs of a step and the gradient's change that the curvature is estimated from.
const MEMORY: usize = 15;
/// Length of the first step, when no curvature is known yet.
const FIRST_STEP: f64 = 0.5;
/// A step is refused if it gains less than this share of what the slope promises.
const SUFFICIENT: f64 = 1e-4;
/// Factor on a step that was refused.
const SHRINK: f64 = 0.3;
/// A pair with less curvature than this is not kept.
const LEAST_CURVATURE: f64 = 1e-10;

/// A point, and the function there.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// The variables.
    pub at: Vec<f64>,
    /// The function.
    pub value: f64,
    /// Its gradient.
    pub gradient: Vec<f64>,
}

/// A descent under way.
#[derive(Clone, Debug)]
pub(super) struct Descent {
    best: Option<Known>,
    pairs: VecDeque<Pair>,
    direction: Vec<f64>,
    slope: f64,
    step: f64,
    trial: Vec<f64>,
}

/// A step, how the gradient changed along it, and one over their product.
#[derive(Clone, Debug)]
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    scale: f64,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl Descent {
    /// From a point where the function is not known yet: it is the first trial.
    pub(super) fn from_point(at: Vec<f64>) -> Self {
        Self { best: None, pairs: VecDeque::new(), direction: vec![], slope: 0.0, step: 1.0, trial: at }
    }

    /// From a point where the function is known.
    pub(super) fn from_known(known: Known) -> Self {
        let mut descent = Self::from_point(vec![]);
        descent.accept(known);
        descent
    }

    /// Where the function is needed next.
    pub(super) fn trial(&self) -> &[f64] {
        &self.trial
    }

    /// Takes the function at [`Descent::trial`]; true if that is the best point so far.
    pub(super) fn tell(&mut self, value: f64, gradient: Vec<f64>) -> bool {
        let finite = value.is_finite() && gradient.iter().all(|g| g.is_finite());
        let bound = self.best.as_ref().map(|best| best.value + SUFFICIENT * self.step * self.slope);
        // NaN is never below a bound, so that a step to it is refused. The start has no bound and must be finite.
        let good = finite && bound.is_none_or(|bound| value <= bound);
        if good {
            self.accept(Known { at: self.trial.clone(), value, gradient });
        } else {
            self.step *= SHRINK;
            self.propose();
        }
        good
    }

    fn accept(&mut self, new: Known) {
        if let Some(old) = &self.best {
            let minus = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>();
            let (step, change) = (minus(&new.at, &old.at), minus(&new.gradient, &old.gradient));
            let curvature = dot(&step, &change);
            if curvature > LEAST_CURVATURE {
                self.pairs.push_back(Pair { step, change, scale: 1.0 / curvature });
                if self.pairs.len() > MEMORY {
                    self.pairs.pop_front();
                }
            }
        }
        self.direction = self.downhill(&new.gradient);
        self.slope = dot(&self.direction, &new.gradient);
        if self.slope >= 0.0 {
            // Rounding has spoiled the pairs.
            self.pairs.clear();
            self.direction = self.downhill(&new.gradient);
            self.slope = dot(&self.direction, &new.gradient);
        }
        self.step = 1.0;
        self.best = Some(new);
        self.propose();
    }

    fn propose(&mut self) {
        if let Some(best) = &self.best {
            self.trial = best.at.iter().zip(&self.direction).map(|(x, d)| x + self.step * d).collect();
        }
    }

    /// −H·g, where H is the inverse Hessian estimated from the pairs.
    fn downhill(&self, gradient: &[f64]) -> Vec<f64> {
        let mut direction: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let Some(last) = self.pairs.back() else {
            let length = dot(gradient, gradient).sqrt().max(f64::MIN_POSITIVE);
            direction.iter_mut().for_each(|d| *d *= FIRST_STEP / length);
            return direction;
        };
        let mut factors = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let factor = pair.scale * dot(&pair.step, &direction);
            direction.iter_mut().zip(&pair.change).for_each(|(d, y)| *d -= factor * y);
            factors.push(factor);
        }
        let size = 1.0 / (last.scale * dot(&last.change, &last.change));
        direction.iter_mut().for_each(|d| *d *= size);
        for (pair, factor) in self.pairs.iter().zip(factors.into_iter().rev()) {
            let back = factor - pair.scale * dot(&pair.change, &direction);
            direction.iter_mut().zip(&pair.step).for_each(|(d, s)| *d += back * s);
        }
        direction
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rosenbrock's valley, whose bottom is at (1, 1).
    fn valley(x: &[f64]) -> (f64, Vec<f64>) {
        let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
        (a * a + 100.0 * b * b, vec![-2.0 * a - 400.0 * x[0] * b, 200.0 * b])
    }

    #[test]
    fn the_bottom_of_a_bent_valley_is_found() {
        let mut descent = Descent::from_point(vec![-1.2, 1.0]);
        let mut last = f64::INFINITY;
        for _ in 0..80 {
            let (value, gradient) = valley(descent.trial());
            if descent.tell(value, gradient) {
                assert!(value <= last);
                last = value;
            }
        }
        let best = descent.best.unwrap();
        assert!(best.at.iter().all(|x| (x - 1.0).abs() < 1e-6), "{best:?}");
    }

    #[test]
    fn a_quadratic_of_different_scales_takes_few_gradients() {
        let curvature = [1.0, 10.0, 100.0, 0.1];
        let mut descent = Descent::from_point(vec![1.0; 4]);
        for _ in 0..25 {
            let x = descent.trial().to_vec();
            let gradient: Vec<f64> = x.iter().zip(curvature).map(|(x, c)| c * x).collect();
            descent.tell(dot(&x, &gradient) / 2.0, gradient);
        }
        assert!(descent.best.unwrap().value < 1e-8);
    }

    #[test]
    fn nonsense_is_refused_and_a_known_start_is_not_asked_for_again() {
        let (value, gradient) = valley(&[0.0, 0.0]);
        let mut descent = Descent::from_known(Known { at: vec![0.0, 0.0], value, gradient });
        let far = descent.trial().to_vec();
        assert_ne!(far, [0.0, 0.0]);
        assert!(!descent.tell(f64::NAN, vec![0.0, 0.0]));
        assert!(!descent.tell(f64::NEG_INFINITY, vec![f64::NAN, 0.0]));
        assert!((descent.trial()[0] / far[0] - SHRINK * SHRINK).abs() < 1e-12);
    }
}
