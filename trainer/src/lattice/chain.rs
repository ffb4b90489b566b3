//! A Markov chain of fields: Metropolis steps for the magnitudes, Wolff's clusters for the signs.
//!
//! With the magnitudes held, signs are an Ising model with bonds β|φ_x φ_y| (Brower & Tamayo, Phys. Rev. Lett. 62, 1087,
//! 1989), and a cluster of it is flipped at once (Wolff, Phys. Rev. Lett. 62, 361, 1989), so that even critical fields are
//! soon forgotten.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Phi4;

/// How many proposals are accepted once the width of the steps has settled.
const ACCEPTED: f64 = 0.5;

pub struct Chain {
    couplings: Phi4,
    edge: usize,
    field: Vec<f64>,
    rng: ChaCha8Rng,
    /// Steps are uniform in ± this.
    width: f64,
    /// Sites of the cluster whose neighbours were not looked at, and whether a site is in it.
    open: Vec<usize>,
    inside: Vec<bool>,
}

impl Chain {
    /// Starts with random signs.
    pub fn new(couplings: Phi4, edge: usize, seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        let field = (0..edge * edge).map(|_| if rng.random() { 1.0 } else { -1.0 }).collect();
        let inside = vec![false; edge * edge];
        Self { couplings, edge, field, rng, width: 1.0, open: Vec::new(), inside }
    }

    pub fn field(&self) -> &[f64] {
        &self.field
    }

    /// Forgets the start, and settles the width of the steps, which does not change any more afterwards.
    pub fn thermalise(&mut self, updates: usize) {
        for _ in 0..updates {
            let share = self.sweep() as f64 / self.field.len() as f64;
            self.width = (self.width * (1.0 + 0.5 * (share - ACCEPTED))).clamp(1e-3, 10.0);
            self.cluster();
        }
        (0..updates).for_each(|_| self.update());
    }

    /// A new sign at every site, given its neighbours, and a cluster: magnitudes stay what they are.
    pub fn update_signs(&mut self) {
        for site in 0..self.field.len() {
            let magnitude = self.field[site].abs();
            let around: f64 = self.neighbours(site).iter().map(|&n| self.field[n]).sum();
            let up = 1.0 / (1.0 + (-2.0 * self.couplings.beta * magnitude * around).exp());
            self.field[site] = if self.rng.random::<f64>() < up { magnitude } else { -magnitude };
        }
        self.cluster();
    }

    /// A sweep over all sites and a cluster.
    pub fn update(&mut self) {
        self.sweep();
        self.cluster();
    }

    fn neighbours(&self, site: usize) -> [usize; 4] {
        let (edge, row, col) = (self.edge, site / self.edge, site % self.edge);
        let (up, down) = ((row + edge - 1) % edge, (row + 1) % edge);
        let (left, right) = ((col + edge - 1) % edge, (col + 1) % edge);
        [up * edge + col, down * edge + col, row * edge + left, row * edge + right]
    }

    /// How the action changes if a site's field becomes another.
    fn change(&self, site: usize, to: f64) -> f64 {
        let Phi4 { beta, lambda } = self.couplings;
        let alone = |phi: f64| phi * phi + lambda * (phi * phi - 1.0).powi(2);
        let field: f64 = self.neighbours(site).iter().map(|&n| self.field[n]).sum();
        alone(to) - alone(self.field[site]) - beta * field * (to - self.field[site])
    }

    /// A Metropolis step at every site; how many were accepted.
    fn sweep(&mut self) -> usize {
        let mut accepted = 0;
        for site in 0..self.field.len() {
            let to = self.field[site] + self.width * (2.0 * self.rng.random::<f64>() - 1.0);
            if self.rng.random::<f64>() < (-self.change(site, to)).exp() {
                self.field[site] = to;
                accepted += 1;
            }
        }
        accepted
    }

    /// Grows a cluster from a random site and flips it.
    fn cluster(&mut self) {
        let start = self.rng.random_range(0..self.field.len());
        self.inside.fill(false);
        self.inside[start] = true;
        self.open.push(start);
        while let Some(site) = self.open.pop() {
            let here = self.field[site];
            for next in self.neighbours(site) {
                // Of opposite signs the exponent is positive, and no bond is set.
                let apart = (-2.0 * self.couplings.beta * here * self.field[next]).exp();
                if !self.inside[next] && self.rng.random::<f64>() < 1.0 - apart {
                    self.inside[next] = true;
                    self.open.push(next);
                }
            }
        }
        for (phi, _) in self.field.iter_mut().zip(&self.inside).filter(|&(_, &inside)| inside) {
            *phi = -*phi;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lattice::Theory;

    fn chain(edge: usize) -> Chain {
        let mut chain = Chain::new(Phi4::CRITICAL, edge, 5, 0);
        chain.thermalise(50);
        chain
    }

    fn action(chain: &Chain) -> f64 {
        let field: Vec<f32> = chain.field.iter().map(|&phi| phi as f32).collect();
        chain.couplings.action(&field, chain.edge)
    }

    #[test]
    fn a_steps_change_is_that_of_the_whole_action() {
        let mut chain = chain(6);
        for (site, to) in [(0, 1.3), (17, -0.2), (35, 0.9)] {
            let (expected, before) = (chain.change(site, to), action(&chain));
            chain.field[site] = to;
            assert!((action(&chain) - before - expected).abs() < 1e-4, "{site}");
        }
    }

    /// The clusters alone, with magnitudes held: all 65,536 states are known.
    #[test]
    fn clusters_flip_signs_as_often_as_the_action_says() {
        let mut chain = chain(4);
        let magnitudes: Vec<f64> = (0..16).map(|i| 0.4 + 0.05 * f64::from(i)).collect();
        chain.field.copy_from_slice(&magnitudes);
        let pairs = |field: &[f64], chain: &Chain| -> f64 {
            (0..16).map(|s| field[s] * chain.neighbours(s).iter().map(|&n| field[n]).sum::<f64>()).sum::<f64>() / 2.0
        };
        let (mut sum, mut exact) = (0.0, 0.0);
        for state in 0u32..1 << 16 {
            let field: Vec<f64> =
                magnitudes.iter().enumerate().map(|(i, m)| if state >> i & 1 == 1 { *m } else { -m }).collect();
            let bonds = pairs(&field, &chain);
            let weight = (chain.couplings.beta * bonds).exp();
            sum += weight;
            exact += weight * bonds;
        }
        let exact = exact / sum;
        let blocks: Vec<f64> = (0..40)
            .map(|_| {
                let measure = |_| {
                    chain.cluster();
                    pairs(&chain.field, &chain)
                };
                (0..1500).map(measure).sum::<f64>() / 1500.0
            })
            .collect();
        let mean = blocks.iter().sum::<f64>() / 40.0;
        let error = (blocks.iter().map(|b| (b - mean).powi(2)).sum::<f64>() / 39.0 / 40.0).sqrt();
        assert!((mean - exact).abs() < 4.0 * error, "{mean} ± {error}, exactly {exact}");
        assert!(chain.field.iter().zip(&magnitudes).all(|(phi, m)| phi.abs() == *m));
    }

    #[test]
    fn fields_are_forgotten_between_two_that_are_kept() {
        let mut chain = chain(16);
        let magnetisation: Vec<f64> = (0..1200)
            .map(|_| {
                (0..super::super::APART).for_each(|_| chain.update());
                (chain.field.iter().sum::<f64>() / 256.0).abs()
            })
            .collect();
        let n = magnetisation.len() as f64;
        let mean = magnetisation.iter().sum::<f64>() / n;
        let covariance =
            |lag: usize| magnetisation.windows(lag + 1).map(|w| (w[0] - mean) * (w[lag] - mean)).sum::<f64>() / n;
        let correlation = covariance(1) / covariance(0);
        assert!(correlation.abs() < 0.2, "{correlation}");
        assert!((0.35..0.65).contains(&(chain.sweep() as f64 / 256.0)));
    }
}
