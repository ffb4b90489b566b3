//! Some latents drawn anew, so that they go with those that stay.

use nalgebra::{DMatrix, DVector};

use super::{Sampler, normal_noise};
use crate::config::RgFlowConfig;
use crate::error::{Error, Result};
use crate::geometry::Levels;
use crate::prior::{self, Temperature};

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
        if below == 0 {
            return Ok(latents.to_vec());
        }
        let mix = Mix::new(self, config, &levels, temperature);
        let noise: Vec<f64> = noise.into_iter().map(f64::from).collect();
        let off: Vec<f64> = latents.iter().zip(&self.mean).map(|(z, mean)| f64::from(z - mean)).collect();
        let drawn = mix.follow(&off, below, &noise).ok_or_else(|| {
            Error::Weights("the sampler's directions are not at right angles; fit it again".to_owned())
        })?;
        let places = latents.iter().zip(&self.mean).zip(drawn).zip(&levels);
        Ok(places.map(|(((&z, mean), x), &level)| if level >= below { z } else { mean + x as f32 }).collect())
    }
}

/// The matrix M = T·(I − VVᵀ) + V·D·Vᵀ that makes latents of noise: V the directions, T the temperatures by level, D the
/// deviations along the directions.
struct Mix<'a> {
    directions: Vec<&'a [f32]>,
    /// The level of each latent.
    levels: &'a [usize],
    temperatures: Vec<f64>,
    deviations: DVector<f64>,
}

impl<'a> Mix<'a> {
    fn new(sampler: &'a Sampler, config: &RgFlowConfig, levels: &'a [usize], temperature: &Temperature) -> Self {
        let least = |t: f32| f64::from(t.max(LEAST_TEMPERATURE));
        let joint = least(Sampler::joint_temperature(config.level_count().saturating_sub(1), temperature));
        let deviations = sampler.variances.iter().map(|&w| joint * f64::from(w.max(1.0)).sqrt());
        Self {
            directions: sampler.directions.chunks_exact(sampler.mean.len()).collect(),
            levels,
            temperatures: (0..config.level_count()).map(|level| least(temperature.at(level))).collect(),
            deviations: DVector::from_iterator(sampler.variances.len(), deviations),
        }
    }

    /// M·(e + Mₖᵀ·y) below a level, with the y for which this is x at that level and above: MₖMₖᵀ·y = x − Mₖe.
    ///
    /// MₖMₖᵀ is T² − TV·(TV)ᵀ + VD·(VD)ᵀ at the kept places, diagonal but for two columns a direction. So y is found among
    /// as many unknowns (Woodbury's identity), and all that is needed of y is Vᵀy and VᵀTy. `None` if there is no such y.
    fn follow(&self, x: &[f64], below: usize, noise: &[f64]) -> Option<Vec<f64>> {
        let (count, d) = (self.directions.len(), &self.deviations);
        let along = self.along(noise);
        // What is missing at the kept places.
        let drawn = self.of_noise(noise, |t| d.component_mul(&along) - &along * t, |level| level >= below);
        let missing: Vec<f64> = x.iter().zip(&drawn).map(|(x, drawn)| x - drawn).collect();
        // [T·V, V·D]ᵀ·T⁻²·[T·V, V·D], and the missing part seen by the same columns.
        let mut system = DMatrix::zeros(2 * count, 2 * count);
        let mut seen = DVector::zeros(2 * count);
        let scaled = DMatrix::from_diagonal(d);
        let levels: Vec<_> = self.temperatures.iter().enumerate().skip(below).collect();
        let levels: Vec<_> = levels.into_iter().map(|(level, &t)| (t, self.products(level, &missing))).collect();
        for (t, (products, missing)) in &levels {
            let (once, both) = (products * &scaled / *t, &scaled * products * &scaled / (t * t));
            for (row, col, part) in
                [(0, 0, products), (0, count, &once), (count, 0, &once.transpose()), (count, count, &both)]
            {
                let mut view = system.view_mut((row, col), (count, count));
                view += part;
            }
            let mut first = seen.rows_mut(0, count);
            first += missing / *t;
            let mut second = seen.rows_mut(count, count);
            second += d.component_mul(missing) / (t * t);
        }
        for k in 0..count {
            system[(k, k)] -= 1.0;
            system[(count + k, count + k)] += 1.0;
        }
        let found = system.lu().solve(&seen).filter(|found| found.iter().all(|v| v.is_finite()))?;
        let (first, second) = (found.rows(0, count), d.component_mul(&found.rows(count, count)));
        // Vᵀy and VᵀTy.
        let (mut plain, mut weighted) = (DVector::zeros(count), DVector::zeros(count));
        for (t, (products, missing)) in &levels {
            let of_level = (missing - products * (first * *t + &second)) / (t * t);
            plain += &of_level;
            weighted += of_level * *t;
        }
        // Below, y is 0 and Mₖᵀy is V·(D·Vᵀy − VᵀTy).
        let change = |t: f64| d.component_mul(&(&along + d.component_mul(&plain))) - (&along + &weighted) * t;
        Some(self.of_noise(noise, change, |level| level < below))
    }

    /// T·e + V·c at the chosen levels and 0 elsewhere, with coefficients c by their temperature.
    fn of_noise(&self, noise: &[f64], along: impl Fn(f64) -> DVector<f64>, of: impl Fn(usize) -> bool) -> Vec<f64> {
        let by_level: Vec<_> = self.temperatures.iter().map(|&t| along(t)).collect();
        let scaled = |(e, &level): (&f64, &usize)| if of(level) { e * self.temperatures[level] } else { 0.0 };
        let mut x: Vec<f64> = noise.iter().zip(self.levels).map(scaled).collect();
        for (k, direction) in self.directions.iter().enumerate() {
            let coefficients: Vec<f64> =
                by_level.iter().enumerate().map(|(level, c)| if of(level) { c[k] } else { 0.0 }).collect();
            if coefficients.iter().all(|&c| c == 0.0) {
                continue;
            }
            let places = x.iter_mut().zip(*direction).zip(self.levels);
            places.for_each(|((x, &v), &level)| *x += f64::from(v) * coefficients[level]);
        }
        x
    }

    /// Vᵀ·x.
    fn along(&self, x: &[f64]) -> DVector<f64> {
        let dot = |direction: &&[f32]| direction.iter().zip(x).map(|(&v, x)| f64::from(v) * x).sum();
        DVector::from_iterator(self.directions.len(), self.directions.iter().map(dot))
    }

    /// VᵀV and Vᵀ·x over a level.
    fn products(&self, level: usize, x: &[f64]) -> (DMatrix<f64>, DVector<f64>) {
        let at: Vec<usize> = (0..self.levels.len()).filter(|&i| self.levels[i] == level).collect();
        let columns = self.directions.iter().flat_map(|direction| at.iter().map(|&i| f64::from(direction[i])));
        let part = DMatrix::from_iterator(at.len(), self.directions.len(), columns);
        let x = DVector::from_iterator(at.len(), at.iter().map(|&i| x[i]));
        (part.tr_mul(&part), part.tr_mul(&x))
    }
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

    /// The same with M written out, and MₖMₖᵀ·y = x − Mₖe solved without knowing what it is made of.
    fn written_out(mix: &Mix, x: &[f64], below: usize, noise: &[f64]) -> Vec<f64> {
        let dims = x.len();
        let directions = mix.directions.iter().flat_map(|direction| direction.iter().map(|&v| f64::from(v)));
        let v = DMatrix::from_iterator(dims, mix.directions.len(), directions);
        let t = DMatrix::from_diagonal(&DVector::from_iterator(dims, mix.levels.iter().map(|&h| mix.temperatures[h])));
        let m = &t - &t * &v * v.transpose() + &v * DMatrix::from_diagonal(&mix.deviations) * v.transpose();
        let kept: Vec<usize> = (0..dims).filter(|&i| mix.levels[i] >= below).collect();
        let (kept_rows, noise) = (m.select_rows(&kept), DVector::from_column_slice(noise));
        let missing = DVector::from_iterator(kept.len(), kept.iter().map(|&i| x[i])) - &kept_rows * &noise;
        let y = (&kept_rows * kept_rows.transpose()).lu().solve(&missing).unwrap();
        let drawn = m * (noise + kept_rows.tr_mul(&y));
        drawn.iter().zip(mix.levels).map(|(&x, &level)| if level < below { x } else { 0.0 }).collect()
    }

    #[test]
    fn the_short_way_leads_where_the_matrix_written_out_does() {
        let config = RgFlowConfig { prior: PriorKind::Gaussian, ..RgFlowConfig::tiny() };
        let (sampler, t) = (sampler(&config), Temperature::mixed(0.7, 0.4, 1));
        let levels = Levels::new(&config).of_picture();
        let mix = Mix::new(&sampler, &config, &levels, &t);
        let x: Vec<f64> = (0..levels.len()).map(|i| (i as f64 * 0.7).sin() * 3.0 + 1.0).collect();
        let noise: Vec<f64> = (0..levels.len()).map(|i| (i as f64 * 1.3).cos()).collect();
        for noise in [noise, vec![0.0; levels.len()]] {
            for below in 1..config.level_count() {
                let (found, expected) = (mix.follow(&x, below, &noise).unwrap(), written_out(&mix, &x, below, &noise));
                let off = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(off < 1e-4, "below {below}: {off}");
                assert!(expected.iter().any(|x| x.abs() > 0.1));
            }
        }
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
