//! A learning curve of bounded length.

use serde::{Deserialize, Serialize};

use crate::protocol::CurvePoint;

/// Most points: twice what a chart can show.
const MOST: usize = 400;

/// What was measured so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    points: Vec<CurvePoint>,
    /// Sum of the steps' bits/dim since the last point, and their number. As JSON, an f32 is read back exactly.
    bits: f32,
    steps: u32,
    /// Milliseconds and pictures at the last two looks.
    looks: [(f64, u64); 2],
}

impl Curve {
    /// Counts a step.
    pub fn learned(&mut self, bits_per_dim: f64) {
        self.bits += bits_per_dim as f32;
        self.steps += 1;
    }

    /// Adds a look after `millis` and `images`. Where there are too many, every second of those before goes.
    pub fn look(&mut self, millis: f64, images: u64, held_out: f64) {
        if self.points.last().is_some_and(|last| last.millis >= millis) {
            return;
        }
        self.looks = [self.looks[1], (millis, images)];
        let train = (self.steps > 0).then(|| self.bits / self.steps as f32);
        (self.bits, self.steps) = (0.0, 0);
        if self.points.len() == MOST {
            let old = std::mem::take(&mut self.points);
            self.points = old.into_iter().step_by(2).collect();
        }
        self.points.push(CurvePoint { millis, train, held_out: held_out as f32 });
    }

    /// The points, oldest first.
    pub fn points(&self) -> &[CurvePoint] {
        &self.points
    }

    /// bits/dim of held-out pictures at the last look.
    pub fn held_out(&self) -> Option<f64> {
        self.points.last().map(|point| f64::from(point.held_out))
    }

    /// Pictures a second between the last two looks.
    pub fn speed(&self) -> f64 {
        let [(before, fewer), (millis, images)] = self.looks;
        let seconds = (millis - before) / 1e3;
        if seconds > 0.0 { images.saturating_sub(fewer) as f64 / seconds } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_has_the_mean_of_the_steps_since_the_one_before() {
        let mut curve = Curve::default();
        curve.look(1.0, 0, 8.0);
        for bits in [6.0, 4.0] {
            curve.learned(bits);
        }
        curve.look(501.0, 32, 4.5);
        let point = |millis, train, held_out| CurvePoint { millis, train, held_out };
        assert_eq!(curve.points(), [point(1.0, None, 8.0), point(501.0, Some(5.0), 4.5)]);
        assert_eq!((curve.speed(), curve.held_out()), (64.0, Some(4.5)));
        // A look at what has not moved on is no point.
        curve.look(501.0, 32, 4.5);
        assert_eq!((curve.points().len(), curve.speed()), (2, 64.0));
    }

    #[test]
    fn a_long_curve_keeps_its_first_and_its_newest_points() {
        let mut curve = Curve::default();
        for i in 0..5000 {
            curve.learned(3.0);
            curve.look(f64::from(i), 16, 2.0);
            assert!(curve.points().len() <= MOST);
        }
        let millis: Vec<f64> = curve.points().iter().map(|point| point.millis).collect();
        assert_eq!((millis[0], millis[millis.len() - 1]), (0.0, 4999.0));
        assert!(millis.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
