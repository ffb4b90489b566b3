//! The pinwheel in two dimensions: what a sparse prior does to the axes of latent space (the paper's appendix E).
//!
//! A Gaussian looks the same from everywhere, so that nothing tells a flow where to put its axes. A Laplace prior is
//! dense along the axes, and the cheapest way to describe the pinwheel's arms is to lay them there.

use burn::module::AutodiffModule;
use burn::optim::{AdamConfig, GradientsParams, Optimizer};
use burn::tensor::{Tensor, TensorData};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shared::nn::Bijector;
use shared::train::{TrainBackend, half_cosine};
use shared::{BijectorShape, CouplingKind, Direction, FlowBackend, LevelConfig, PriorKind, StageShape};

use crate::error::{Error, Result};
use crate::progress::Progress;

/// A point of the plane and the arm that it belongs to.
pub type Point = ([f32; 2], usize);

/// How to train.
#[derive(Clone, Copy, Debug)]
pub struct Pinwheel {
    /// Arms of the wheel.
    pub arms: usize,
    /// Steps of training.
    pub steps: usize,
    /// Seed of the points and the initial weights.
    pub seed: u64,
}

/// A trained flow, seen from both sides.
#[derive(Clone, Debug)]
pub struct Trained {
    /// Its prior.
    pub prior: PriorKind,
    /// Test points in latent space.
    pub latents: Vec<Point>,
    /// The axes of latent space in the plane, each from −4 to 4.
    pub axes: [Vec<[f32; 2]>; 2],
    /// −log p of a test point in nats, on average.
    pub nats: f64,
}

const BATCH: usize = 256;
const RATE: f64 = 3e-3;
const SHAPE: StageShape = StageShape {
    dim: 2,
    blocks: 1,
    maps: true,
    features: 0,
    couplings: BijectorShape {
        dim: 2,
        level: LevelConfig { layers: 6, res_blocks: 2, mlp: 1, hidden: 32 },
        coupling: CouplingKind::Affine,
    },
};

impl Pinwheel {
    /// Points on the wheel: spread along an arm, a little across it, and turned about the centre, more further out.
    pub fn points(&self, stream: u64, count: usize) -> Vec<Point> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(stream);
        let mut uniform = || (f64::from(rng.next_u32()) + 0.5) / 4_294_967_296.0;
        let mut normal = || (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
        (0..count)
            .map(|i| {
                let (along, across) = (1.0 + 0.3 * normal(), 0.1 * normal());
                let angle = std::f64::consts::TAU * (i % self.arms) as f64 / self.arms as f64 + 0.25 * along.exp();
                let (sin, cos) = angle.sin_cos();
                let place = [along * cos - across * sin, along * sin + across * cos];
                (place.map(|v| (1.5 * v) as f32), i % self.arms)
            })
            .collect()
    }

    /// Trains with a prior, and evaluates the test points.
    ///
    /// # Errors
    /// [`Error::Diverged`] if a loss is not finite.
    pub fn train<B: TrainBackend>(&self, prior: PriorKind, device: &B::Device) -> Result<Trained> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut model = Bijector::<B>::new(&SHAPE, &mut rng, device);
        // Burn's Adam, without the weight decay of a run's.
        let mut optimizer = AdamConfig::new().init::<B, Bijector<B>>();
        let progress = Progress::new(format!("steps with the {prior:?} prior"), self.steps);
        for step in 0..self.steps {
            let points = tensor::<B>(&self.points(1 + step as u64, BATCH), device);
            let loss = -log_prob(&model, prior, points).mean();
            let grads = GradientsParams::from_grads(loss.backward(), &model);
            let rate = RATE * half_cosine(step as f64 / self.steps as f64);
            model = optimizer.step(rate, model, grads);
            progress.add(1);
        }
        let model = model.valid();
        let test = self.points(0, 2000);
        let points = tensor::<B::InnerBackend>(&test, device);
        let flow = model.fold();
        let latents = pairs(flow.run(Direction::Forward, points.clone()).0);
        let nats = -log_prob(&model, prior, points).mean().into_data().iter::<f64>().next().unwrap_or(f64::NAN);
        if !nats.is_finite() {
            let problem = format!("the {prior:?} prior ended at a loss of {nats}");
            return Err(Error::Diverged { problem, advice: "try another --seed".into() });
        }
        let axis = |k: usize| {
            let at = |i: usize| {
                let mut place = [0.0; 2];
                place[k] = (i as f32 - 100.0) * 0.04;
                (place, 0)
            };
            let line: Vec<Point> = (0..=200).map(at).collect();
            pairs(flow.run(Direction::Inverse, tensor(&line, device)).0)
        };
        let latents = latents.into_iter().zip(test).map(|(z, (_, arm))| (z, arm)).collect();
        Ok(Trained { prior, latents, axes: [axis(0), axis(1)], nats })
    }
}

impl Trained {
    /// Angle between an arm's mean latent and the nearest axis, in degrees, averaged over the arms: 0 where arms lie
    /// on axes, 22.5 where they lie anywhere.
    pub fn misalignment(&self) -> f64 {
        let arms = self.latents.iter().map(|(_, arm)| arm + 1).max().unwrap_or(1);
        let angle = |arm: usize| {
            let of_arm = self.latents.iter().filter(|(_, a)| *a == arm);
            let sum = of_arm.fold([0f64; 2], |s, (z, _)| [s[0] + f64::from(z[0]), s[1] + f64::from(z[1])]);
            let (low, high) = (sum[0].abs().min(sum[1].abs()), sum[0].abs().max(sum[1].abs()));
            low.atan2(high).to_degrees()
        };
        (0..arms).map(angle).sum::<f64>() / arms as f64
    }
}

fn log_prob<B: FlowBackend>(model: &Bijector<B>, prior: PriorKind, points: Tensor<B, 2>) -> Tensor<B, 1> {
    let (latents, log_det) = model.fold().run(Direction::Forward, points);
    prior.log_prob(latents) + log_det
}

fn tensor<B: FlowBackend>(points: &[Point], device: &B::Device) -> Tensor<B, 2> {
    let values = points.iter().flat_map(|(place, _)| *place).collect();
    Tensor::from_data(TensorData::new(values, [points.len(), 2]), device)
}

fn pairs<B: FlowBackend>(points: Tensor<B, 2>) -> Vec<[f32; 2]> {
    let values: Vec<f32> = points.into_data().iter::<f32>().collect();
    values.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::{Autodiff, Flex};

    const WHEEL: Pinwheel = Pinwheel { arms: 4, steps: 60, seed: 1 };

    #[test]
    fn points_lie_on_their_arms() {
        let points = WHEEL.points(0, 4000);
        assert_eq!(points, WHEEL.points(0, 4000));
        assert_ne!(points, WHEEL.points(1, 4000));
        let middle = |arm: usize| {
            let of_arm: Vec<[f32; 2]> = points.iter().filter(|p| p.1 == arm).map(|p| p.0).collect();
            let sum = of_arm.iter().fold([0.0; 2], |s, p| [s[0] + p[0], s[1] + p[1]]);
            sum.map(|s: f32| s / of_arm.len() as f32)
        };
        // A quarter of a turn takes each arm to the next one.
        for arm in 0..4 {
            let (here, next) = (middle(arm), middle((arm + 1) % 4));
            assert!((here[0] - next[1]).abs() < 0.1 && (here[1] + next[0]).abs() < 0.1, "{here:?} {next:?}");
            assert!(here[0].hypot(here[1]) > 0.8);
        }
    }

    #[test]
    fn training_makes_the_points_more_likely() {
        let short = Pinwheel { steps: 1, ..WHEEL };
        for prior in [PriorKind::Laplace, PriorKind::Gaussian] {
            let of = |wheel: Pinwheel| wheel.train::<Autodiff<Flex>>(prior, &Default::default()).unwrap();
            let (first, later) = (of(short), of(WHEEL));
            assert!(later.nats < first.nats - 0.02, "{} {}", first.nats, later.nats);
            assert_eq!((later.latents.len(), later.axes[1].len()), (2000, 201));
        }
    }

    #[test]
    fn misalignment_is_the_angle_to_the_nearest_axis() {
        let of = |arms: &[[f32; 2]]| Trained {
            prior: PriorKind::Laplace,
            latents: arms.iter().enumerate().map(|(arm, z)| (*z, arm)).collect(),
            axes: [Vec::new(), Vec::new()],
            nats: 0.0,
        };
        assert!(of(&[[2.0, 0.0], [0.0, -1.0]]).misalignment() < 1e-6);
        assert!((of(&[[2.0, 2.0], [0.0, -1.0]]).misalignment() - 22.5).abs() < 1e-6);
    }
}
