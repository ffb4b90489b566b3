//! What a fit varies: how far latents are along a sampler's directions, and each latent's rest.

use crate::sampler::Sampler;

/// Variables (a, e), all standard normal a priori, and the latents that they stand for: z = μ + V·√(w − 1)·a + e, with μ the
/// mean of encoded pictures, V their leading directions and w the variances along these. So latents that go together in
/// pictures are likely together in a completion, too: an eye that is seen says what the other one is like. Without a sampler
/// there is no a, and z = e, as the model's prior has it.
#[derive(Clone, Debug)]
pub(super) struct Variables {
    mean: Vec<f32>,
    /// Each direction times √(w − 1), one after the other.
    stretched: Vec<f32>,
}

impl Variables {
    /// Latents alone.
    pub fn plain(dims: usize) -> Self {
        Self { mean: vec![0.0; dims], stretched: vec![] }
    }

    /// Directions, too.
    pub fn of(sampler: &Sampler) -> Self {
        let (mean, dims) = (sampler.mean().to_vec(), sampler.mean().len());
        let directions = sampler.directions().chunks_exact(dims).zip(sampler.variances());
        let stretched = directions.flat_map(|(direction, w)| {
            let stretch = (w - 1.0).max(0.0).sqrt();
            direction.iter().map(move |v| stretch * v)
        });
        Self { stretched: stretched.collect(), mean }
    }

    /// How many of them are directions: the first ones.
    pub fn directions(&self) -> usize {
        self.stretched.len() / self.mean.len().max(1)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.directions() + self.mean.len()
    }

    /// The latents, `[C·L²]`.
    pub fn latents(&self, variables: &[f32]) -> Vec<f32> {
        let (along, rest) = variables.split_at(self.directions());
        let mut latents: Vec<f32> = self.mean.iter().zip(rest).map(|(mean, e)| mean + e).collect();
        for (a, direction) in along.iter().zip(self.stretched.chunks_exact(self.mean.len())) {
            latents.iter_mut().zip(direction).for_each(|(z, v)| *z += a * v);
        }
        latents
    }

    /// The gradient with respect to the variables, given that with respect to the latents.
    pub fn gradient(&self, of_latents: &[f32]) -> Vec<f32> {
        let dot = |direction: &[f32]| direction.iter().zip(of_latents).map(|(v, g)| v * g).sum();
        let along = self.stretched.chunks_exact(self.mean.len()).map(dot);
        along.chain(of_latents.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latents_vary_as_the_sampler_says() {
        let sampler = Sampler::new(vec![1.0, 2.0, 3.0], vec![0.6, 0.0, 0.8], vec![5.0]).unwrap();
        let variables = Variables::of(&sampler);
        assert_eq!((variables.directions(), variables.count()), (1, 4));
        assert_eq!(variables.latents(&[0.0, 0.1, 0.2, 0.3]), [1.1, 2.2, 3.3]);
        let moved = variables.latents(&[0.5, 0.0, 0.0, 0.0]);
        assert!(moved.iter().zip([1.6, 2.0, 3.8]).all(|(a, b)| (a - b).abs() < 1e-6), "{moved:?}");
        // The chain rule: 2·(0.6·1 + 0.8·(−1)).
        let gradient = variables.gradient(&[1.0, 7.0, -1.0]);
        assert!((gradient[0] + 0.4).abs() < 1e-6 && gradient[1..] == [1.0, 7.0, -1.0]);
        // A direction along which pictures vary less than the prior says is left to the prior.
        let narrow = Sampler::new(vec![0.0; 3], vec![0.6, 0.0, 0.8], vec![0.5]).unwrap();
        assert_eq!(Variables::of(&narrow).latents(&[9.0, 0.0, 0.0, 0.0]), [0.0; 3]);
        let plain = Variables::plain(2);
        assert_eq!((plain.count(), plain.latents(&[0.3, -0.4])), (2, vec![0.3, -0.4]));
    }
}
