//! What is drawn: the texture of a best completion, and where the other completions start.

use burn::tensor::backend::AutodiffBackend;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::row::Row;
use super::{Free, Inpainting, Phase, Wish};
use crate::backend::FlowBackend;
use crate::config::PriorKind;
use crate::prior::{Temperature, draw};
use crate::sampler::normal_noise;

/// Seed of the texture: the best completion does not depend on the seed of the others.
const TEXTURE_SEED: u64 = 1;
/// Standard deviation of the noise on the known pixels that other completions are fit to, in logits.
const DATA_NOISE: f32 = 0.1;

impl<B: FlowBackend + AutodiffBackend<InnerBackend: FlowBackend>> Inpainting<B> {
    /// Draws the finest level's latents in the hole; the next look shows the result.
    pub(super) fn put_texture(&mut self) {
        let temperature = Temperature::uniform(self.wish.texture);
        let directions = self.variables.directions();
        for k in 0..self.best.len() {
            let noise = draw(self.flow.prior(), &self.levels, TEXTURE_SEED, k as u64, &temperature);
            let places: Vec<usize> = (0..noise.len()).filter(|&i| self.levels[i] == 0 && self.near(i, 0)).collect();
            places.into_iter().for_each(|i| self.best[k].at[directions + i] = noise[i]);
        }
    }

    /// Whether a latent stands within some pixels of the hole.
    fn near(&self, place: usize, distance: usize) -> bool {
        let size = self.mask.size();
        let (row, col) = (place % (size * size) / size, place % size);
        let around = |at: usize| at.saturating_sub(distance)..(at + distance + 1).min(size);
        around(row).any(|r| around(col).any(|c| self.mask.flags()[r * size + c]))
    }

    /// A draw of all latents' rests: along the directions it is a draw of its own.
    fn draw_rest(&self, stream: u64) -> Vec<f32> {
        let (prior, Wish { seed, temperature, .. }) = (self.flow.prior(), &self.wish);
        if self.variables.directions() == 0 {
            return draw(prior, &self.levels, *seed, stream, temperature);
        }
        let noise = normal_noise(prior, &self.levels, *seed, stream);
        noise.iter().zip(&self.levels).map(|(e, &h)| temperature.at(h) * e).collect()
    }

    /// Begins every image's other completions, each at the best one plus a draw.
    pub(super) fn begin_others(&mut self) {
        let (plane, directions) = (self.mask.size().pow(2), self.variables.directions());
        let drawn: Vec<bool> = (0..self.levels.len())
            .map(|i| match (&self.free, self.levels[i]) {
                (Free::Places(places), _) => places.binary_search(&i).is_ok(),
                (Free::Coarse, 0) => self.near(i, 0),
                (Free::Coarse, 1) => self.near(i, 2),
                (Free::Coarse, _) => true,
            })
            .collect();
        let along = self.wish.along(self.levels.iter().copied().max().unwrap_or(0));
        for k in 0..self.best.len() * self.wish.others {
            let best = &self.best[k / self.wish.others];
            let stream = 1 + k as u64;
            let mut rest = self.draw_rest(stream);
            rest.iter_mut().zip(&drawn).filter(|&(_, &drawn)| !drawn).for_each(|(xi, _)| *xi = 0.0);
            let mut rng = ChaCha8Rng::seed_from_u64(self.wish.seed);
            rng.set_stream(u64::MAX - stream);
            let mut xi: Vec<f32> = (0..directions).map(|_| along * PriorKind::Gaussian.draw(&mut rng)).collect();
            xi.extend(rest);
            let noisy = |(i, &x): (usize, &f32)| {
                let noise = DATA_NOISE * PriorKind::Gaussian.draw(&mut rng);
                if self.mask.flags()[i % plane] { x } else { x + noise }
            };
            let target = best.given.iter().enumerate().map(noisy).collect();
            // All start from what was fit, but the drawn texture stays with the best one.
            let is_texture = |i: usize| i >= directions && self.levels[i - directions] == 0 && self.has_texture();
            let from = |i: usize| if is_texture(i) { 0.0 } else { best.at[i] };
            let at = xi.iter().enumerate().map(|(i, xi)| from(i) + xi).collect();
            self.others.push(Row { at, xi, given: best.given.clone(), target, seen: None });
        }
        self.phase = Phase::Others;
        self.stages = self.stages_of(Phase::Others);
        self.at = (0, 0);
        self.begin_stage();
    }
}
