//! Some latents drawn anew, so that they go with those that stay.

use nalgebra::DMatrix;

use super::{Sampler, dot, normal_noise};
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
    /// [`Error::Input`] if the latents are not as many as the model's and the sampler's, [`Error::Weights`] if its directions
    /// are not at right angles.
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
    deviations: Vec<f64>,
}

/// What a kept level says.
struct Kept {
    temperature: f64,
    /// VᵀV over the level, row by row, which is symmetric.
    products: Vec<f64>,
    /// Vᵀ·x over the level.
    along: Vec<f64>,
}

impl<'a> Mix<'a> {
    fn new(sampler: &'a Sampler, config: &RgFlowConfig, levels: &'a [usize], temperature: &Temperature) -> Self {
        let least = |t: f32| f64::from(t.max(LEAST_TEMPERATURE));
        let joint = least(Sampler::joint_temperature(config.level_count().saturating_sub(1), temperature));
        Self {
            directions: sampler.directions.chunks_exact(sampler.mean.len()).collect(),
            levels,
            temperatures: (0..config.level_count()).map(|level| least(temperature.at(level))).collect(),
            deviations: sampler.variances.iter().map(|&w| joint * f64::from(w.max(1.0)).sqrt()).collect(),
        }
    }

    /// M·(e + Mₖᵀ·y) below a level, with the y for which this is x at that level and above: MₖMₖᵀ·y = x − Mₖe. `None` if
    /// there is no such y.
    ///
    /// All that is needed of y is a = Vᵀy and b = VᵀTy: where y is 0, Mₖᵀy is V·(D·a − b).
    fn follow(&self, x: &[f64], below: usize, noise: &[f64]) -> Option<Vec<f64>> {
        let (d, along) = (&self.deviations, self.along(noise));
        let drawn = self.of_noise(noise, |t, k| (d[k] - t) * along[k], |level| level >= below);
        let missing: Vec<f64> = x.iter().zip(&drawn).map(|(x, drawn)| x - drawn).collect();
        let levels = self.temperatures.iter().enumerate().skip(below);
        let kept: Vec<Kept> = levels.map(|(level, &t)| self.kept(level, t, &missing)).collect();
        let (plain, weighted) = self.solve(&kept)?;
        let change = |t: f64, k: usize| d[k] * (along[k] + d[k] * plain[k]) - t * (along[k] + weighted[k]);
        Some(self.of_noise(noise, change, |level| level < below))
    }

    /// Vᵀy and VᵀTy of the y for which MₖMₖᵀ·y is what is missing.
    ///
    /// MₖMₖᵀ is T² − TV·(TV)ᵀ + VD·(VD)ᵀ at the kept places, diagonal but for two columns a direction. So y is found among
    /// as many unknowns (Woodbury's identity).
    fn solve(&self, kept: &[Kept]) -> Option<(Vec<f64>, Vec<f64>)> {
        let (count, d) = (self.directions.len(), &self.deviations);
        // −1 and 1, and [TV, VD]ᵀ·T⁻²·[TV, VD]; what is missing, seen by the same columns.
        let mut system = DMatrix::from_fn(2 * count, 2 * count, |row, col| match row == col {
            true if row < count => -1.0,
            true => 1.0,
            false => 0.0,
        });
        let mut seen = vec![0.0; 2 * count];
        for Kept { temperature: t, products, along } in kept {
            for i in 0..count {
                seen[i] += along[i] / t;
                seen[count + i] += d[i] * along[i] / (t * t);
                for j in 0..count {
                    let product = products[i * count + j];
                    system[(i, j)] += product;
                    system[(i, count + j)] += product * d[j] / t;
                    system[(count + j, i)] += product * d[j] / t;
                    system[(count + i, count + j)] += d[i] * product * d[j] / (t * t);
                }
            }
        }
        let found = system.lu().solve(&DMatrix::from_vec(2 * count, 1, seen))?;
        let (mut plain, mut weighted) = (vec![0.0; count], vec![0.0; count]);
        for Kept { temperature: t, products, along } in kept {
            for i in 0..count {
                let products = &products[i * count..(i + 1) * count];
                let known = |(j, product): (usize, &f64)| product * (t * found[j] + d[j] * found[count + j]);
                let y = (along[i] - products.iter().enumerate().map(known).sum::<f64>()) / (t * t);
                plain[i] += y;
                weighted[i] += t * y;
            }
        }
        plain.iter().chain(&weighted).all(|v| v.is_finite()).then_some((plain, weighted))
    }

    /// T·e + V·c at the chosen levels and 0 elsewhere; `c` tells the coefficient of a direction at a temperature.
    fn of_noise(&self, noise: &[f64], c: impl Fn(f64, usize) -> f64, of: impl Fn(usize) -> bool) -> Vec<f64> {
        let scaled = |(e, &level): (&f64, &usize)| if of(level) { e * self.temperatures[level] } else { 0.0 };
        let mut x: Vec<f64> = noise.iter().zip(self.levels).map(scaled).collect();
        for (k, direction) in self.directions.iter().enumerate() {
            let at = |(level, &t)| if of(level) { c(t, k) } else { 0.0 };
            let coefficients: Vec<f64> = self.temperatures.iter().enumerate().map(at).collect();
            if coefficients.iter().any(|&c| c != 0.0) {
                let places = x.iter_mut().zip(*direction).zip(self.levels);
                places.for_each(|((x, &v), &level)| *x += f64::from(v) * coefficients[level]);
            }
        }
        x
    }

    /// Vᵀ·x.
    fn along(&self, x: &[f64]) -> Vec<f64> {
        if x.iter().all(|&x| x == 0.0) {
            return vec![0.0; self.directions.len()];
        }
        let dot = |direction: &&[f32]| direction.iter().zip(x).map(|(&v, x)| f64::from(v) * x).sum();
        self.directions.iter().map(dot).collect()
    }

    /// What a level says of x.
    fn kept(&self, level: usize, temperature: f64, x: &[f64]) -> Kept {
        let at: Vec<usize> = (0..self.levels.len()).filter(|&i| self.levels[i] == level).collect();
        let part = |direction: &&[f32]| at.iter().map(|&i| f64::from(direction[i])).collect();
        let parts: Vec<Vec<f64>> = self.directions.iter().map(part).collect();
        let x: Vec<f64> = at.iter().map(|&i| x[i]).collect();
        let (count, along) = (parts.len(), parts.iter().map(|part| dot(part, &x)).collect());
        let mut products = vec![0.0; count * count];
        for i in 0..count {
            for j in 0..=i {
                let product = dot(&parts[i], &parts[j]);
                (products[i * count + j], products[j * count + i]) = (product, product);
            }
        }
        Kept { temperature, products, along }
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::DVector;

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
        let m = &t - &t * &v * v.transpose()
            + &v * DMatrix::from_diagonal(&DVector::from_column_slice(&mix.deviations)) * v.transpose();
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
