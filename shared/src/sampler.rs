//! Samples whose latents go together as encoded pictures' do.
//!
//! The prior (eq. 6) takes all latents as independent. Latents of real pictures are not: along their leading directions
//! they vary several times more than the prior says, and these directions are what makes an eye fit the other, or a mouth
//! the face. A [`Sampler`] holds the mean of encoded training pictures, their leading directions and the variance along
//! each, and draws those at their measured variance. It changes samples and completions only: likelihoods and encoding use
//! the model's prior.

mod redraw;

use std::iter::Sum;
use std::ops::{AddAssign, Mul};

use serde::{Deserialize, Serialize};

use crate::config::{PriorKind, RgFlowConfig};
use crate::error::{Error, Result};
use crate::geometry::Levels;
use crate::prior::{self, Temperature};

/// How the latents of samples are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Latents {
    /// All latents on their own, as in the paper.
    Independent,
    /// The leading directions of encoded pictures at their measured variance, if the model has them.
    #[default]
    Joint,
}

/// Most directions of a file.
pub const MOST_DIRECTIONS: usize = 1024;

/// The mean and the leading directions of encoded pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampler {
    mean: Vec<f32>,
    /// Unit vectors, one after the other.
    directions: Vec<f32>,
    variances: Vec<f32>,
}

/// Directions are drawn at this multiple of the coarsest level's temperature, at most at 1: their variance is measured,
/// the other latents' is not.
const ABOVE: f32 = 9.0 / 7.0;

impl Sampler {
    /// From a mean `[dims]`, orthonormal directions `[K, dims]` and variances `[K]`, each latent in its place in the
    /// picture of latents.
    ///
    /// # Errors
    /// [`Error::Weights`] if their lengths differ, a number is not finite, a variance is negative or a direction is not of
    /// length one.
    pub fn new(mean: Vec<f32>, directions: Vec<f32>, variances: Vec<f32>) -> Result<Self> {
        let wrong = |what: &str| Err(Error::Weights(format!("the sampler's {what}; fit it again")));
        if variances.is_empty() || variances.len() > MOST_DIRECTIONS || directions.len() != mean.len() * variances.len()
        {
            return wrong("tensors do not fit together");
        }
        if [&mean, &directions, &variances].into_iter().flatten().any(|v| !v.is_finite()) {
            return wrong("numbers are not finite");
        }
        if variances.iter().any(|v| !(0.0..=1e6).contains(v)) {
            return wrong("variances are not between 0 and 1,000,000");
        }
        let length = |direction: &[f32]| direction.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
        if directions.chunks_exact(mean.len()).any(|direction| (length(direction) - 1.0).abs() > 0.01) {
            return wrong("directions are not of length one");
        }
        Ok(Self { mean, directions, variances })
    }

    /// The mean of encoded pictures, `[dims]`.
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// All directions, `[K, dims]`.
    pub fn directions(&self) -> &[f32] {
        &self.directions
    }

    /// The variance along each direction, `[K]`; the prior's is 1.
    pub fn variances(&self) -> &[f32] {
        &self.variances
    }

    /// Direction `k`, if there is one, `[dims]`.
    pub fn direction(&self, k: usize) -> Option<&[f32]> {
        self.directions.chunks_exact(self.mean.len()).nth(k)
    }

    /// How many directions there are.
    pub fn count(&self) -> usize {
        self.variances.len()
    }

    /// Where latents `[dims]` are along direction `k`, in standard deviations from the mean of encoded pictures; `None`
    /// if there is no such direction, or the latents are not as many.
    pub fn position(&self, latents: &[f32], k: usize) -> Option<f32> {
        let direction = self.direction(k).filter(|direction| direction.len() == latents.len())?;
        let off: f32 = direction.iter().zip(latents).zip(&self.mean).map(|((v, z), mean)| v * (z - mean)).sum();
        Some(off / self.deviation(k))
    }

    /// The standard deviation along direction `k` that samples are drawn with at temperature 1; 1 if there is none.
    pub fn deviation(&self, k: usize) -> f32 {
        self.variances.get(k).copied().unwrap_or(1.0).max(1.0).sqrt()
    }

    /// The latents of sample number `index` of a seed, as a flat picture [C, L, L]. The same numbers as
    /// [`prior::draw_latents`]'s are used, so that a sample resembles the one with independent latents.
    ///
    /// With e normal, a = Vᵀe, V the directions, w their variances, T the temperatures by level and Tc the directions':
    /// z = μ + T·(e − V a) + Tc·V (√max(w, 1)·a).
    ///
    /// # Errors
    /// [`Error::Input`] if the model's latents are not as many as the sampler's.
    pub fn draw(&self, config: &RgFlowConfig, seed: u64, index: u64, temperature: &Temperature) -> Result<Vec<f32>> {
        let levels = Levels::new(config).of_picture();
        self.check(&levels)?;
        let noise = normal_noise(config.prior, &levels, seed, index);
        let along = self.along(&noise);
        let joint = Self::joint_temperature(config.level_count().saturating_sub(1), temperature);
        let temperatures: Vec<f32> = levels.iter().map(|&h| temperature.at(h)).collect();
        let mut latents: Vec<f32> =
            self.mean.iter().zip(&temperatures).zip(&noise).map(|((mean, t), e)| mean + t * e).collect();
        for ((direction, a), variance) in self.directions.chunks_exact(self.mean.len()).zip(along).zip(&self.variances)
        {
            let drawn = joint * variance.max(1.0).sqrt() * a;
            for ((latent, v), t) in latents.iter_mut().zip(direction).zip(&temperatures) {
                *latent += v * (drawn - t * a);
            }
        }
        Ok(latents)
    }

    /// Whether it is for a model with latents of these levels.
    fn check(&self, levels: &[usize]) -> Result<()> {
        if levels.len() != self.mean.len() {
            let (ours, theirs) = (self.mean.len(), levels.len());
            return Err(Error::Input(format!("a sampler of {ours} latents for a model of {theirs}; fit it again")));
        }
        Ok(())
    }

    /// The directions' temperature, of a model with this coarsest level.
    pub(crate) fn joint_temperature(top: usize, temperature: &Temperature) -> f32 {
        (ABOVE * temperature.at(top)).min(1.0)
    }

    /// Coefficients along the directions, Vᵀz.
    fn along(&self, latents: &[f32]) -> Vec<f32> {
        self.directions.chunks_exact(self.mean.len()).map(|direction| dot(direction, latents)).collect()
    }
}

/// a·b, in as many sums as make use of vectors.
fn dot<T: Copy + Default + Mul<Output = T> + AddAssign + Sum>(a: &[T], b: &[T]) -> T {
    let ((a, rest_of_a), (b, rest_of_b)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [T::default(); 8];
    for (a, b) in a.iter().zip(b) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    let rest = rest_of_a.iter().zip(rest_of_b).map(|(&a, &b)| a * b);
    sums.into_iter().chain(rest).sum()
}

/// The noise that the latents of a sample are made of, each number normal.
pub(crate) fn normal_noise(prior: PriorKind, levels: &[usize], seed: u64, index: u64) -> Vec<f32> {
    let noise = prior::draw(prior, levels, seed, index, &Temperature::uniform(1.0));
    match prior {
        PriorKind::Laplace => noise.into_iter().map(normal_of_laplace).collect(),
        PriorKind::Gaussian => noise,
    }
}

/// The normal number with as much below it as a Laplace one, of unit variance, has.
fn normal_of_laplace(z: f32) -> f32 {
    // The upper tail alone, by symmetry: it is what an f64 can hold of a draw far out.
    let tail = 0.5 * (-std::f64::consts::SQRT_2 * f64::from(z.abs())).exp();
    (normal_of_tail(tail) * f64::from(z.signum())) as f32
}

/// The normal number above which a share of at most ½ lies.
fn normal_of_tail(tail: f64) -> f64 {
    // Abramowitz & Stegun 26.2.23, to 4.5e-4, and a step of Newton's method.
    let t = (-2.0 * tail.ln()).sqrt();
    let start = t
        - (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1.0 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t);
    let density = (-0.5 * start * start).exp() / std::f64::consts::TAU.sqrt();
    start + (0.5 * libm::erfc(start * std::f64::consts::FRAC_1_SQRT_2) - tail) / density
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RgFlowConfig;

    /// Two directions across levels, with these variances.
    pub(super) fn with_variances(config: &RgFlowConfig, variances: [f32; 2]) -> Sampler {
        let dims = config.dims();
        let direction = |parity: usize| {
            let value = (2.0 / dims as f32).sqrt();
            (0..dims).map(move |i| if i % 2 == parity { value } else { 0.0 })
        };
        let mean = (0..dims).map(|i| (i % 5) as f32 * 0.1).collect();
        Sampler::new(mean, direction(0).chain(direction(1)).collect(), variances.to_vec()).unwrap()
    }

    /// The first is far from the prior's variance.
    fn sampler(config: &RgFlowConfig) -> Sampler {
        with_variances(config, [9.0, 0.5])
    }

    fn config(prior: PriorKind) -> RgFlowConfig {
        RgFlowConfig { prior, ..RgFlowConfig::tiny() }
    }

    #[test]
    fn tails_and_their_numbers_belong_together() {
        for (tail, number) in [(0.5, 0.0), (0.158_655_253_931, 1.0), (0.022_750_131_948, 2.0), (3.167e-5, 4.0)] {
            assert!((normal_of_tail(tail) - number).abs() < 1e-4, "{tail}: {}", normal_of_tail(tail));
        }
        for z in [0.0f32, 0.3, 1.0, 2.5, 6.0, 20.0] {
            let (up, down) = (normal_of_laplace(z), normal_of_laplace(-z));
            assert!(up.is_finite() && up == -down && up <= z.max(0.5) * 1.2, "{z}: {up}");
        }
        let ordered: Vec<f32> = (-40..=40).map(|z| normal_of_laplace(z as f32 / 8.0)).collect();
        assert!(ordered.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn directions_have_their_variance_and_the_rest_its_temperature() {
        for prior in [PriorKind::Laplace, PriorKind::Gaussian] {
            let config = config(prior);
            let (sampler, t) = (sampler(&config), Temperature::mixed(0.7, 0.4, 1));
            let draws: Vec<Vec<f32>> = (0..600).map(|i| sampler.draw(&config, 5, i, &t).unwrap()).collect();
            let spread = |values: Vec<f32>| {
                let mean = values.iter().sum::<f32>() / values.len() as f32;
                (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / values.len() as f32).sqrt())
            };
            // √9 at 0.9, and no less than the prior's variance, at 0.9 as well; in standard deviations.
            for k in 0..2 {
                let (mean, deviation) = spread(draws.iter().map(|z| sampler.position(z, k).unwrap()).collect());
                assert!(mean.abs() < 0.12 && (deviation - 0.9).abs() < 0.08, "{prior:?} {k}: {mean} {deviation}");
            }
            let levels = Levels::new(&config).of_picture();
            for (level, expected) in [(0, 0.4), (1, 0.7)] {
                let place = levels.iter().rposition(|&h| h == level).unwrap();
                let (mean, deviation) = spread(draws.iter().map(|z| z[place] - sampler.mean[place]).collect());
                assert!(mean.abs() < 0.1 && (deviation - expected).abs() < 0.1, "{prior:?} {level}: {deviation}");
            }
        }
    }

    #[test]
    fn a_sample_resembles_the_independent_one_and_is_a_function_of_its_number() {
        let config = config(PriorKind::Laplace);
        let (sampler, t) = (sampler(&config), Temperature::uniform(0.7));
        let joint = sampler.draw(&config, 3, 1, &t).unwrap();
        assert_eq!(joint, sampler.draw(&config, 3, 1, &t).unwrap());
        let likeness = |index: u64| {
            let other = prior::draw_latents(&config, 3, index, &t);
            let off: Vec<f32> = joint.iter().zip(&sampler.mean).map(|(z, mean)| z - mean).collect();
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            dot(&off, &other) / (dot(&off, &off) * dot(&other, &other)).sqrt()
        };
        assert!(likeness(1) > 0.9 && likeness(2).abs() < 0.2, "{} {}", likeness(1), likeness(2));
        assert_ne!(joint, sampler.draw(&config, 3, 2, &t).unwrap());
    }

    #[test]
    fn a_position_is_in_standard_deviations_from_the_mean() {
        let config = config(PriorKind::Laplace);
        let sampler = sampler(&config);
        let moved: Vec<f32> =
            sampler.mean().iter().zip(sampler.direction(0).unwrap()).map(|(mean, v)| mean - 6.0 * v).collect();
        assert!((sampler.position(&moved, 0).unwrap() + 2.0).abs() < 1e-3);
        assert!(sampler.position(&moved, 1).unwrap().abs() < 1e-3);
        assert_eq!((sampler.count(), sampler.position(&moved, 2), sampler.position(&[0.0], 0)), (2, None, None));
    }

    #[test]
    fn no_temperature_gives_the_mean() {
        let config = config(PriorKind::Gaussian);
        let sampler = sampler(&config);
        assert_eq!(sampler.draw(&config, 1, 1, &Temperature::uniform(0.0)).unwrap(), sampler.mean);
    }

    #[test]
    fn what_cannot_be_a_sampler_is_refused() {
        let unit = |at: usize| (0..4).map(move |i| if i == at { 1.0 } else { 0.0 });
        let new = |mean: Vec<f32>, directions: Vec<f32>, variances: Vec<f32>| Sampler::new(mean, directions, variances);
        assert!(new(vec![0.0; 4], unit(0).collect(), vec![2.0]).is_ok());
        for (mean, directions, variances, says) in [
            (vec![0.0; 4], unit(0).collect(), vec![], "fit together"),
            (vec![0.0; 4], vec![1.0; 3], vec![2.0], "fit together"),
            (vec![f32::NAN; 4], unit(0).collect(), vec![2.0], "not finite"),
            (vec![0.0; 4], unit(0).collect(), vec![-1.0], "variances"),
            (vec![0.0; 4], vec![1.0; 4], vec![1.0], "length one"),
        ] {
            let error = new(mean, directions, variances).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        let small = new(vec![0.0; 4], unit(0).collect(), vec![2.0]).unwrap();
        let error = small.draw(&RgFlowConfig::tiny(), 1, 1, &Temperature::uniform(1.0)).unwrap_err().to_string();
        assert!(error.contains("fit it again"), "{error}");
    }
}
