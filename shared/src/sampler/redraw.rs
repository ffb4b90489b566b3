//! Some latents drawn anew, so that they go with those that stay.

use super::{Sampler, normal_noise};
use crate::config::RgFlowConfig;
use crate::error::Result;
use crate::geometry::Levels;
use crate::prior::{self, Temperature};

/// Solving stops when this share of the difference is left: less than a picture shows.
const TOLERANCE: f64 = 1e-4;
/// The most steps of solving.
const MOST_STEPS: usize = 100;
/// Kept latents are taken to vary at least so much: drawn at temperature 0, they would tell nothing about the others.
const LEAST_TEMPERATURE: f32 = 0.05;

impl Sampler {
    /// Other latents at the levels below `below`, drawn jointly with those at `below` and above, which stay as they are.
    ///
    /// [`Sampler::draw`] makes latents z = μ + M·e from normal noise e. Of all such noise, this takes a draw of the
    /// noise that gives the kept latents: a fresh e, corrected by Mₖᵀ(MₖMₖᵀ)⁻¹(zₖ − μₖ − Mₖe), where ₖ stands for the
    /// rows of the kept latents (Matheron's rule).
    ///
    /// # Shapes
    /// - latents, output: a flat picture [C, L, L]
    ///
    /// # Errors
    /// [`Error::Input`](crate::Error::Input) if the latents are not as many as the model's and the sampler's.
    pub fn redraw(
        &self,
        config: &RgFlowConfig,
        latents: &[f32],
        below: usize,
        seed: u64,
        temperature: &Temperature,
    ) -> Result<Vec<f32>> {
        let noise = normal_noise(config.prior, &Levels::new(config).of_picture(), seed, 0);
        self.follow(config, latents, below, noise, temperature)
    }

    /// The most likely latents at the levels below `below`, given those at `below` and above: what the coarse ones say of
    /// the fine ones.
    ///
    /// # Shapes
    /// - latents, output: a flat picture [C, L, L]
    ///
    /// # Errors
    /// As [`Sampler::redraw`].
    pub fn most_likely(&self, config: &RgFlowConfig, latents: &[f32], below: usize) -> Result<Vec<f32>> {
        self.follow(config, latents, below, vec![0.0; config.dims()], &Temperature::uniform(1.0))
    }

    /// Latents below a level that follow the others, starting from noise.
    fn follow(
        &self,
        config: &RgFlowConfig,
        latents: &[f32],
        below: usize,
        noise: Vec<f32>,
        temperature: &Temperature,
    ) -> Result<Vec<f32>> {
        let levels = Levels::new(config).of_picture();
        self.check(&levels)?;
        prior::check_latents(config, latents)?;
        let mix = Mix::new(self, config, &levels, temperature);
        let kept: Vec<bool> = levels.iter().map(|&level| level >= below).collect();
        let mut noise: Vec<f64> = noise.into_iter().map(f64::from).collect();
        let drawn = mix.apply(&noise);
        let mut wanted: Vec<f64> =
            latents.iter().zip(&self.mean).zip(&drawn).map(|((z, mean), x)| f64::from(z - mean) - x).collect();
        mask(&mut wanted, &kept);
        let correction = mix.apply_transposed(&mix.solve(&wanted, &kept));
        noise.iter_mut().zip(correction).for_each(|(e, correction)| *e += correction);
        let drawn = mix.apply(&noise);
        let places = latents.iter().zip(&self.mean).zip(drawn).zip(kept);
        Ok(places.map(|(((&z, mean), x), kept)| if kept { z } else { mean + x as f32 }).collect())
    }
}

/// The matrix M = T·(I − VVᵀ) + V·D·Vᵀ that makes latents of noise: V the directions, T the temperatures by place, D the
/// deviations along the directions.
struct Mix<'a> {
    directions: Vec<&'a [f32]>,
    temperatures: Vec<f64>,
    deviations: Vec<f64>,
}

impl<'a> Mix<'a> {
    fn new(sampler: &'a Sampler, config: &RgFlowConfig, levels: &[usize], temperature: &Temperature) -> Self {
        let joint = f64::from(
            Sampler::joint_temperature(config.level_count().saturating_sub(1), temperature).max(LEAST_TEMPERATURE),
        );
        Self {
            directions: sampler.directions.chunks_exact(sampler.mean.len()).collect(),
            temperatures: levels.iter().map(|&h| f64::from(temperature.at(h).max(LEAST_TEMPERATURE))).collect(),
            deviations: sampler.variances.iter().map(|&w| joint * f64::from(w.max(1.0)).sqrt()).collect(),
        }
    }

    /// M·e.
    fn apply(&self, noise: &[f64]) -> Vec<f64> {
        let mut rest = noise.to_vec();
        let along = self.along(noise);
        self.add(&mut rest, along.iter().map(|a| -a));
        rest.iter_mut().zip(&self.temperatures).for_each(|(x, t)| *x *= t);
        self.add(&mut rest, along.iter().zip(&self.deviations).map(|(a, d)| a * d));
        rest
    }

    /// Mᵀ·x.
    fn apply_transposed(&self, x: &[f64]) -> Vec<f64> {
        let mut scaled: Vec<f64> = x.iter().zip(&self.temperatures).map(|(x, t)| x * t).collect();
        let (plain, weighted) = (self.along(x), self.along(&scaled));
        let coefficients = plain.iter().zip(&weighted).zip(&self.deviations).map(|((a, b), d)| a * d - b);
        self.add(&mut scaled, coefficients);
        scaled
    }

    /// The x at the kept places for which MₖMₖᵀ·x is what is wanted there, by conjugate gradients: apart from the
    /// directions' the matrix has an eigenvalue for each temperature, so few steps are enough.
    fn solve(&self, wanted: &[f64], kept: &[bool]) -> Vec<f64> {
        let mut x = vec![0.0; wanted.len()];
        let mut residual = wanted.to_vec();
        let mut step = residual.clone();
        let mut left = dot(&residual, &residual);
        let enough = left * TOLERANCE * TOLERANCE;
        for _ in 0..MOST_STEPS {
            if left <= enough {
                break;
            }
            let mut image = self.apply(&self.apply_transposed(&step));
            mask(&mut image, kept);
            let length = left / dot(&step, &image);
            x.iter_mut().zip(&step).for_each(|(x, s)| *x += length * s);
            residual.iter_mut().zip(&image).for_each(|(r, i)| *r -= length * i);
            let next = dot(&residual, &residual);
            step.iter_mut().zip(&residual).for_each(|(s, r)| *s = r + next / left * *s);
            left = next;
        }
        x
    }

    /// Vᵀ·x.
    fn along(&self, x: &[f64]) -> Vec<f64> {
        let of = |direction: &&[f32]| direction.iter().zip(x).map(|(&v, x)| f64::from(v) * x).sum();
        self.directions.iter().map(of).collect()
    }

    /// Adds V times the coefficients.
    fn add(&self, x: &mut [f64], coefficients: impl Iterator<Item = f64>) {
        for (direction, coefficient) in self.directions.iter().zip(coefficients) {
            x.iter_mut().zip(*direction).for_each(|(x, &v)| *x += f64::from(v) * coefficient);
        }
    }
}

fn mask(x: &mut [f64], kept: &[bool]) {
    x.iter_mut().zip(kept).filter(|(_, kept)| !**kept).for_each(|(x, _)| *x = 0.0);
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::super::tests::with_variances;
    use super::*;
    use crate::config::PriorKind;

    /// Along the first direction latents vary by ±18.
    fn sampler(config: &RgFlowConfig) -> Sampler {
        with_variances(config, [400.0, 0.5])
    }

    fn position(sampler: &Sampler, latents: &[f32], k: usize) -> f32 {
        let direction = sampler.direction(k).unwrap();
        direction.iter().zip(latents).zip(sampler.mean()).map(|((v, z), mean)| v * (z - mean)).sum()
    }

    #[test]
    fn coarse_latents_stay_and_fine_ones_follow_them() {
        for prior in [PriorKind::Laplace, PriorKind::Gaussian] {
            let config = RgFlowConfig { prior, ..RgFlowConfig::tiny() };
            let (sampler, t) = (sampler(&config), Temperature::mixed(0.7, 0.4, 1));
            let levels = Levels::new(&config).of_picture();
            let first = sampler.draw(&config, 5, 0, &t).unwrap();
            let redraw = |latents: &[f32], seed| sampler.redraw(&config, latents, 1, seed, &t).unwrap();
            let other = redraw(&first, 9);
            assert_eq!(other, redraw(&first, 9));
            assert!(first.iter().zip(&other).zip(&levels).all(|((a, b), &level)| (a == b) == (level >= 1)));
            // Along the first direction latents vary by ±18, and those that stay are a quarter of all: what these say
            // of it, the others must say, too.
            let far: f32 =
                (0..20).map(|i| position(&sampler, &sampler.draw(&config, 6, i, &t).unwrap(), 0).abs()).sum();
            assert!(far / 20.0 > 6.0);
            for i in 0..20 {
                let first = sampler.draw(&config, 6, i, &t).unwrap();
                let off = position(&sampler, &redraw(&first, 100 + i), 0) - position(&sampler, &first, 0);
                assert!(off.abs() < 4.5, "{prior:?} {i}: {off}");
            }
        }
    }

    #[test]
    fn what_is_redrawn_is_distributed_as_what_is_drawn() {
        let config = RgFlowConfig { prior: PriorKind::Gaussian, ..RgFlowConfig::tiny() };
        let (sampler, t) = (sampler(&config), Temperature::mixed(0.7, 0.4, 1));
        let spread = |values: &[f32]| (values.iter().map(|v| v * v).sum::<f32>() / values.len() as f32).sqrt();
        let draws = |redrawn: bool, k: usize| -> Vec<f32> {
            let one = |i| {
                let drawn = sampler.draw(&config, 7, i, &t).unwrap();
                let latents = if redrawn { sampler.redraw(&config, &drawn, 1, i, &t).unwrap() } else { drawn };
                position(&sampler, &latents, k)
            };
            (0..300).map(one).collect()
        };
        for k in 0..2 {
            let ratio = spread(&draws(true, k)) / spread(&draws(false, k));
            assert!((ratio - 1.0).abs() < 0.15, "{k}: {ratio}");
        }
    }

    #[test]
    fn kept_latents_are_those_that_the_noise_gives() {
        let config = RgFlowConfig { prior: PriorKind::Gaussian, ..RgFlowConfig::tiny() };
        let (sampler, t) = (sampler(&config), Temperature::mixed(0.7, 0.4, 1));
        let levels = Levels::new(&config).of_picture();
        let mix = Mix::new(&sampler, &config, &levels, &t);
        let kept: Vec<bool> = levels.iter().map(|&level| level >= 1).collect();
        let mut wanted: Vec<f64> = (0..levels.len()).map(|i| (i as f64 * 0.7).sin() * 3.0).collect();
        mask(&mut wanted, &kept);
        let mut found = mix.apply(&mix.apply_transposed(&mix.solve(&wanted, &kept)));
        mask(&mut found, &kept);
        assert!(wanted.iter().zip(&found).all(|(a, b)| (a - b).abs() < 1e-2));
        // The transpose is one: x·(M e) = e·(Mᵀ x).
        let noise: Vec<f64> = (0..levels.len()).map(|i| (i as f64 * 1.3).cos()).collect();
        let (a, b) = (dot(&wanted, &mix.apply(&noise)), dot(&noise, &mix.apply_transposed(&wanted)));
        assert!((a - b).abs() < 1e-6 * a.abs().max(1.0), "{a} {b}");
    }

    #[test]
    fn what_is_expected_lies_in_the_middle_of_what_is_drawn() {
        let config = RgFlowConfig { prior: PriorKind::Gaussian, ..RgFlowConfig::tiny() };
        let sampler = sampler(&config);
        let latents = sampler.draw(&config, 6, 1, &Temperature::uniform(1.0)).unwrap();
        let expected = sampler.most_likely(&config, &latents, 1).unwrap();
        let of = |seed| sampler.redraw(&config, &latents, 1, seed, &Temperature::uniform(1.0)).unwrap();
        let draws: Vec<Vec<f32>> = (0..200).map(of).collect();
        let mean = |i: usize| draws.iter().map(|z| z[i]).sum::<f32>() / draws.len() as f32;
        let off = |to: &dyn Fn(usize) -> f32| {
            let squares = (0..config.dims()).map(|i| (mean(i) - to(i)).powi(2));
            (squares.sum::<f32>() / config.dims() as f32).sqrt()
        };
        assert!(off(&|i| expected[i]) < 0.1, "{}", off(&|i| expected[i]));
        assert!(off(&|i| sampler.mean()[i]) > 3.0 * off(&|i| expected[i]));
    }

    #[test]
    fn at_either_end_all_stay_or_all_are_new() {
        let config = RgFlowConfig::tiny();
        let (sampler, t) = (sampler(&config), Temperature::uniform(0.0));
        let latents = vec![0.5; config.dims()];
        assert_eq!(sampler.redraw(&config, &latents, 0, 1, &t).unwrap(), latents);
        let new = sampler.redraw(&config, &latents, 9, 1, &t).unwrap();
        assert!(new.iter().all(|z| z.is_finite()) && new.iter().zip(&latents).all(|(a, b)| a != b));
        assert!(sampler.redraw(&config, &[0.0; 4], 1, 1, &t).is_err());
    }
}
