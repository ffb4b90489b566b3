//! Monotone rational-quadratic splines (Durkan, Bekasov, Murray & Papamakarios 2019), for couplings that bend a number
//! where an affine one only scales and shifts it: the paper's structure takes any bijector.
//!
//! A spline maps \[−B, B\] onto itself and is the identity outside. It has K bins, each with a width and a height,
//! and a slope wherever two bins meet: 3K − 1 numbers, all zero for the identity.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::dual::Dual;
use crate::shape::Direction;

/// B. Maps that whiten the data leave the couplings numbers of about unit variance; without them much may lie outside,
/// where splines do nothing.
const BOUND: f64 = 3.0;

/// A bin: its lower corner's x and y, its width and height, and the slopes at its two ends.
type Bin<B> = [Dual<B>; 6];

/// Applies splines to rows, or their inverses.
///
/// # Shapes
/// - x: `[1, n, half]`; numbers: `[1, n, (3K − 1)·half]`: the widths of all x's first bins, of their second bins and so
///   on, then the heights, then the slopes. Any number v is valid and means e^(2·tanh(v/2)), widths and heights
///   relative to their sums
/// - output: as x, and the logarithms of this direction's derivatives, as x
pub(super) fn run<B: Backend>(direction: Direction, x: Dual<B>, numbers: Dual<B>) -> (Dual<B>, Tensor<B, 3>) {
    let half = x.value.dims()[2];
    let bins = (numbers.value.dims()[2] / half + 1) / 3;
    let (from, to) = match direction {
        Direction::Forward => (0, 1),
        Direction::Inverse => (1, 0),
    };
    let outside = x.value.clone().abs().greater_equal_elem(BOUND);
    // Outside, zero in place of x, so that everything stays finite.
    let inner = x.clone().choose(outside.clone(), x.zeros());
    let positive = numbers.times(0.5).tanh().times(2.0).exp();
    let part = |k: usize| positive.clone().narrow(k * half, half);
    // Places, widths and heights in units in which widths and heights sum to these.
    let totals = [0, bins].map(|first| (first + 1..first + bins).fold(part(first), |sum, k| sum.add(part(k))));
    let place = inner.plus(BOUND).times(0.5 / BOUND).multiply(totals[from].clone());
    let [x0, y0, width, height, d0, d1] = find(from, &place.value, bins, part);
    let (corner, size) = ([x0, y0], [width, height]);
    let slope = size[1].clone().multiply(totals[0].clone()).divide(size[0].clone().multiply(totals[1].clone()));
    // How far into the bin, as a share of its side; rounding may go a little beyond it.
    let share = place.subtract(corner[from].clone()).divide(size[from].clone()).clamp(0.0, 1.0);
    let mix = share.clone().subtract(share.clone().square());
    let (along, answer) = match direction {
        Direction::Forward => {
            let bend = d0.clone().add(d1.clone()).subtract(slope.clone().times(2.0));
            let top = slope.clone().multiply(share.clone().square()).add(d0.clone().multiply(mix.clone()));
            let answer = top.divide(slope.clone().add(bend.multiply(mix)));
            (share, answer)
        }
        Direction::Inverse => {
            // The quadratic's discriminant as a sum of non-negative terms, so that rounding cannot make it negative.
            let twice = slope.clone().multiply(share.clone()).times(2.0);
            let tilt = d0.clone().subtract(share.multiply(d0.clone().add(d1.clone())));
            let root = tilt.clone().square().add(slope.clone().square().multiply(mix).times(4.0)).sqrt();
            let along = twice.clone().divide(tilt.add(twice).add(root)).clamp(0.0, 1.0);
            (along.clone(), along)
        }
    };
    let sum = totals[to].clone();
    let y = corner[to].clone().add(answer.multiply(size[to].clone())).times(2.0 * BOUND).divide(sum).plus(-BOUND);
    let log = log_derivative([along, slope, d0, d1].map(|part| part.value));
    let log = match direction {
        Direction::Forward => log,
        Direction::Inverse => log.neg(),
    };
    (y.choose(outside.clone(), x), log.mask_fill(outside, 0.0))
}

/// The logarithm of a spline's derivative at a share of its bin's width, from the bin's mean slope and those at its
/// ends.
fn log_derivative<B: Backend>([along, slope, d0, d1]: [Tensor<B, 3>; 4]) -> Tensor<B, 3> {
    let rest = along.clone().neg() + 1.0;
    let mix = along.clone() * rest.clone();
    let bend = d0.clone() + d1.clone() - slope.clone() * 2.0;
    let top = d1 * along.square() + slope.clone() * mix.clone() * 2.0 + d0 * rest.square();
    (slope.clone().square() * top / (slope + bend * mix).square()).log()
}

/// The bin that holds each place, along the widths (`side` 0) or the heights (1).
fn find<B: Backend>(side: usize, place: &Tensor<B, 3>, bins: usize, part: impl Fn(usize) -> Dual<B>) -> Bin<B> {
    let slope = |k: usize| match k == 0 || k == bins {
        true => Dual::constant(place.ones_like()),
        false => part(2 * bins + k - 1),
    };
    let zero = || Dual::constant(place.zeros_like());
    let mut corner = [zero(), zero()];
    let bin = |k: usize| {
        let ([x, y], [width, height]) = (corner.clone(), [part(k), part(bins + k)]);
        corner = [x.clone().add(width.clone()), y.clone().add(height.clone())];
        [x, y, width, height, slope(k), slope(k + 1)]
    };
    let later = |found: Bin<B>, bin: Bin<B>| {
        let here = place.clone().greater_equal(bin[side].value.clone());
        std::array::from_fn(|i| found[i].clone().choose(here.clone(), bin[i].clone()))
    };
    match (0..bins).map(bin).reduce(later) {
        Some(bin) => bin,
        // A valid configuration has at least two bins.
        None => unreachable!("a spline without bins"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;
    use burn::tensor::TensorData;

    const K: usize = 5;
    const COUNT: usize = 60;

    fn tensor(values: impl Iterator<Item = f32>, width: usize) -> Tensor<Flex, 3> {
        let values: Vec<f32> = values.collect();
        let shape = [1, values.len() / width, width];
        Tensor::from_data(TensorData::new(values, shape), &Default::default())
    }

    /// Numbers on both sides of the bound, and splines far from the identity.
    fn example() -> (Tensor<Flex, 3>, Tensor<Flex, 3>) {
        let x = tensor((0..2 * COUNT).map(|i| 4.0 * (i as f32 * 0.7).sin()), 2);
        let numbers = (0..2 * COUNT * (3 * K - 1)).map(|i| 2.0 * (i as f32 * 0.37).sin());
        (x, tensor(numbers, 2 * (3 * K - 1)))
    }

    fn values(x: Tensor<Flex, 3>) -> Vec<f32> {
        x.into_data().iter::<f32>().collect()
    }

    fn apply(direction: Direction, x: &Tensor<Flex, 3>, numbers: &Tensor<Flex, 3>) -> [Vec<f32>; 2] {
        let (y, log) = run(direction, Dual::constant(x.clone()), Dual::constant(numbers.clone()));
        [values(y.value), values(log)]
    }

    fn near(a: &[f32], b: &[f32], tolerance: f32) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < tolerance)
    }

    #[test]
    fn a_spline_is_undone_and_bends_what_is_inside() {
        let (x, numbers) = example();
        let [y, log] = apply(Direction::Forward, &x, &numbers);
        let [back, inverse_log] = apply(Direction::Inverse, &tensor(y.iter().copied(), 2), &numbers);
        assert!(near(&back, &values(x.clone()), 5e-4));
        assert!(log.iter().zip(&inverse_log).all(|(a, b)| (a + b).abs() < 2e-3));
        for ((x, y), log) in values(x).into_iter().zip(y).zip(log) {
            assert_eq!(x.abs() >= BOUND as f32, (x, log) == (y, 0.0), "{x} {y} {log}");
            assert!(y.abs() < BOUND as f32 || x == y);
        }
    }

    #[test]
    fn the_logarithm_is_that_of_the_slope_and_tangents_are_differences() {
        let (x, numbers) = example();
        let change = (0..2 * COUNT * (3 * K - 1)).map(|i| (i as f32 * 0.53).cos());
        let change = tensor(change, 2 * (3 * K - 1));
        for direction in [Direction::Forward, Direction::Inverse] {
            let tangent = |along_x: f32, along_numbers: f32| {
                let tangents = |like: &Tensor<Flex, 3>, t: Tensor<Flex, 3>| Dual {
                    value: like.clone(),
                    tangents: Some(t.unsqueeze_dim(2)),
                };
                let x = tangents(&x, x.ones_like() * along_x);
                let (y, log) = run(direction, x, tangents(&numbers, change.clone() * along_numbers));
                (values(y.tangents.unwrap().squeeze_dim(2)), values(log))
            };
            let step = 4e-3;
            let slope = |along_x: f32, along_numbers: f32| {
                let moved = |by: f32| {
                    let numbers = numbers.clone() + change.clone() * (by * along_numbers);
                    let [y, _] = apply(direction, &(x.clone() + by * along_x), &numbers);
                    y
                };
                let (above, below) = (moved(step), moved(-step));
                above.iter().zip(&below).map(|(a, b)| (a - b) / (2.0 * step)).collect::<Vec<_>>()
            };
            let (by_x, log) = tangent(1.0, 0.0);
            assert!(near(&by_x, &log.iter().map(|l| l.exp()).collect::<Vec<_>>(), 1e-3));
            for (along_x, along_numbers) in [(1.0, 0.0), (0.0, 1.0)] {
                let (exact, _) = tangent(along_x, along_numbers);
                let differences = slope(along_x, along_numbers);
                // A difference over a knot, where the second derivative jumps, or over the bound is a little off.
                let off =
                    exact.iter().zip(&differences).filter(|(a, b)| (*a - *b).abs() > 2e-2 * (1.0 + a.abs())).count();
                assert!(off <= COUNT / 15, "{direction:?}: {off} of {} are off", exact.len());
                assert!(exact.iter().any(|t| t.abs() > 0.1));
            }
        }
    }

    #[test]
    fn zeros_are_the_identity() {
        let (x, numbers) = example();
        for direction in [Direction::Forward, Direction::Inverse] {
            let [y, log] = apply(direction, &x, &numbers.zeros_like());
            assert!(near(&y, &values(x.clone()), 1e-5) && near(&log, &vec![0.0; log.len()], 1e-5));
        }
    }

    #[test]
    fn steep_bins_and_their_borders_give_numbers() {
        // One bin is as narrow and as high as can be, another the opposite; the slopes are as small as can be.
        let mut steep = [0f32; 3 * K - 1];
        for (k, v) in steep.iter_mut().enumerate() {
            *v = match k {
                1 => -30.0,
                k if k < K => 30.0,
                k if k == K + 1 => 30.0,
                _ => -30.0,
            };
        }
        let bound = BOUND as f32;
        let knots = [0, K].into_iter().flat_map(|first| {
            let sizes: Vec<f32> = steep[first..first + K].iter().map(|v| (2.0 * (v / 2.0).tanh()).exp()).collect();
            let total: f32 = sizes.iter().sum();
            (1..K).map(move |k| 2.0 * bound * sizes[..k].iter().sum::<f32>() / total - bound)
        });
        let near = knots.flat_map(|knot| (-40..40).map(move |i| f32::from_bits(knot.to_bits().wrapping_add_signed(i))));
        let places = (-2000..2000).map(|i| i as f32 * 1.5e-3);
        let ends = [bound, -bound, f32::from_bits(bound.to_bits() - 1), -f32::from_bits(bound.to_bits() - 1)];
        let x: Vec<f32> = places.chain(near).chain(ends).collect();
        let numbers = tensor(x.iter().flat_map(|_| steep), 3 * K - 1);
        let x = tensor(x.into_iter(), 1);
        for direction in [Direction::Forward, Direction::Inverse] {
            let with = |value: &Tensor<Flex, 3>| Dual {
                value: value.clone(),
                tangents: Some(value.ones_like().unsqueeze_dim(2)),
            };
            let (y, log) = run(direction, with(&x), with(&numbers));
            let tangents = values(y.tangents.unwrap().squeeze_dim(2));
            assert!(values(y.value).iter().all(|y| y.abs() <= bound + 1e-5));
            assert!(values(log).iter().chain(&tangents).all(|v| v.is_finite()), "{direction:?}");
        }
    }
}
