//! The factorised prior (eq. 6), its temperatures, and noise that is the same on every machine.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use rand::distr::Open01;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::config::{PriorKind, RgFlowConfig};
use crate::error::{Error, Result};
use crate::geometry::Levels;

/// A factor on the prior's scale for each level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Temperature {
    /// Finest level first; levels beyond the end have the last one's factor.
    pub levels: Vec<f32>,
}

impl Temperature {
    /// The same factor for all levels.
    pub fn uniform(temperature: f32) -> Self {
        Self { levels: vec![temperature] }
    }

    /// The paper's mixed temperature: `high` at levels ≥ `cutoff`, `low` below.
    pub fn mixed(high: f32, low: f32, cutoff: usize) -> Self {
        let mut levels = vec![low; cutoff];
        levels.push(high);
        Self { levels }
    }

    /// The factor at a level.
    pub fn at(&self, level: usize) -> f32 {
        self.levels.get(level).or(self.levels.last()).copied().unwrap_or(1.0)
    }
}

impl PriorKind {
    /// log p(z) in nats, summed over each image.
    ///
    /// # Shapes
    /// - z: `[batch, dims]`; output: `[batch]`
    pub fn log_prob<B: Backend>(self, z: Tensor<B, 2>) -> Tensor<B, 1> {
        let dims = z.dims()[1] as f64;
        match self {
            // b = 1/√2: −ln(2b) − |z|/b
            Self::Laplace => {
                z.abs().sum_dim(1).squeeze_dim(1) * -std::f64::consts::SQRT_2 - dims * 0.5 * std::f64::consts::LN_2
            }
            Self::Gaussian => {
                z.square().sum_dim(1).squeeze_dim(1) * -0.5 - dims * 0.5 * (2.0 * std::f64::consts::PI).ln()
            }
        }
    }

    /// One draw of unit variance.
    pub(crate) fn draw(self, rng: &mut ChaCha8Rng) -> f32 {
        // In (0, 1) without its ends, whose logarithm is taken.
        let mut uniform = || rng.sample::<f64, _>(Open01);
        match self {
            Self::Laplace => {
                let u = uniform() - 0.5;
                (-u.signum() * (1.0 - 2.0 * u.abs()).ln() * std::f64::consts::FRAC_1_SQRT_2) as f32
            }
            Self::Gaussian => {
                let (radius, angle) = ((-2.0 * uniform().ln()).sqrt(), std::f64::consts::TAU * uniform());
                (radius * angle.cos()) as f32
            }
        }
    }
}

/// The latents of a seed's sample with this index, as a flat picture `[C, L, L]`.
///
/// They depend on nothing else: not on the batch, the machine or the backend. Coarse levels are drawn first, and the
/// temperature only scales what is drawn, so that a sample keeps its structure at every temperature.
pub fn draw_latents(config: &RgFlowConfig, seed: u64, index: u64, temperature: &Temperature) -> Vec<f32> {
    draw(config.prior, &Levels::new(config).of_picture(), seed, index, temperature)
}

/// Other latents at the levels below `below`, drawn on their own; those at `below` and above stay as they are.
///
/// # Shapes
/// - latents, output: a flat picture `[C, L, L]`
///
/// # Errors
/// [`Error::Input`] if the latents are not as many as the model's.
pub fn redraw_latents(
    config: &RgFlowConfig,
    latents: &[f32],
    below: usize,
    seed: u64,
    temperature: &Temperature,
) -> Result<Vec<f32>> {
    check_latents(config, latents)?;
    let levels = Levels::new(config).of_picture();
    let new = draw(config.prior, &levels, seed, 0, temperature);
    Ok(latents.iter().zip(new).zip(levels).map(|((&old, new), level)| if level >= below { old } else { new }).collect())
}

/// Whether latents are as many as the model's.
pub(crate) fn check_latents(config: &RgFlowConfig, latents: &[f32]) -> Result<()> {
    if latents.len() == config.dims() {
        return Ok(());
    }
    Err(Error::Input(format!("{} latents for a model of {}", latents.len(), config.dims())))
}

/// The latents of [`draw_latents`], given the level of each.
pub(crate) fn draw(prior: PriorKind, levels: &[usize], seed: u64, index: u64, temperature: &Temperature) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(index);
    let mut latents = vec![0.0; levels.len()];
    for level in (0..=levels.iter().copied().max().unwrap_or(0)).rev() {
        for (latent, _) in latents.iter_mut().zip(levels).filter(|&(_, &l)| l == level) {
            *latent = temperature.at(level) * prior.draw(&mut rng);
        }
    }
    latents
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn_flex::Flex;
    use rand::RngCore;

    #[test]
    fn redrawing_keeps_the_coarse_levels() {
        let (config, t) = (RgFlowConfig::tiny(), Temperature::uniform(0.8));
        let levels = Levels::new(&config).of_picture();
        let [old, new] = [3, 4].map(|seed| draw_latents(&config, seed, 0, &t));
        let redrawn = redraw_latents(&config, &old, 2, 4, &t).unwrap();
        for (i, &z) in redrawn.iter().enumerate() {
            assert_eq!(z, if levels[i] >= 2 { old[i] } else { new[i] });
        }
        let error = redraw_latents(&config, &old[1..], 2, 4, &t).unwrap_err().to_string();
        assert!(error.contains("767 latents"), "{error}");
    }

    #[test]
    fn densities_equal_their_closed_forms() {
        let values = [0.0f64, -0.3, 1.7, 4.0];
        let z = Tensor::<Flex, 2>::from_data([values.map(|v| v as f32)], &Default::default());
        let of = |prior: PriorKind| prior.log_prob(z.clone()).into_data().to_vec::<f32>().unwrap()[0] as f64;
        let b = 0.5f64.sqrt();
        let laplace: f64 = values.iter().map(|z| (1.0 / (2.0 * b) * (-z.abs() / b).exp()).ln()).sum();
        let gaussian: f64 =
            values.iter().map(|z| (1.0 / std::f64::consts::TAU.sqrt() * (-z * z / 2.0).exp()).ln()).sum();
        assert!((of(PriorKind::Laplace) - laplace).abs() < 1e-5);
        assert!((of(PriorKind::Gaussian) - gaussian).abs() < 1e-5);
    }

    #[test]
    fn uniform_numbers_are_those_that_seeds_and_links_rely_on() {
        let [mut ours, mut theirs] = [ChaCha8Rng::seed_from_u64(5), ChaCha8Rng::seed_from_u64(5)];
        for _ in 0..1000 {
            let open = ((theirs.next_u64() >> 12) as f64 + 0.5) / (1u64 << 52) as f64;
            assert_eq!(ours.sample::<f64, _>(Open01), open);
            assert_eq!(ours.random::<f32>(), (theirs.next_u32() >> 8) as f32 / (1 << 24) as f32);
        }
    }

    #[test]
    fn draws_have_the_moments_of_their_prior() {
        for (prior, kurtosis) in [(PriorKind::Laplace, 6.0), (PriorKind::Gaussian, 3.0)] {
            let config = RgFlowConfig { prior, ..RgFlowConfig::deep() };
            let z: Vec<f64> =
                (0..100).flat_map(|i| draw_latents(&config, 7, i, &Temperature::uniform(1.0))).map(f64::from).collect();
            let moment = |k: i32| z.iter().map(|z| z.powi(k)).sum::<f64>() / z.len() as f64;
            assert!(moment(1).abs() < 0.01, "{prior:?} mean {}", moment(1));
            assert!((moment(2) - 1.0).abs() < 0.02, "{prior:?} variance {}", moment(2));
            assert!((moment(4) - kurtosis).abs() < 0.35, "{prior:?} fourth moment {}", moment(4));
        }
    }

    #[test]
    fn temperature_scales_its_levels_and_nothing_else() {
        let config = RgFlowConfig::deep();
        let one = draw_latents(&config, 1, 2, &Temperature::uniform(1.0));
        let mixed = draw_latents(&config, 1, 2, &Temperature::mixed(0.8, 0.2, 1));
        for ((one, mixed), level) in one.iter().zip(&mixed).zip(Levels::new(&config).of_picture()) {
            assert_eq!(*mixed, one * if level >= 1 { 0.8 } else { 0.2 });
        }
        assert_ne!(one, draw_latents(&config, 1, 3, &Temperature::uniform(1.0)));
        assert_ne!(one, draw_latents(&config, 2, 2, &Temperature::uniform(1.0)));
    }
}
