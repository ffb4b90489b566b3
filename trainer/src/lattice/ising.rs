//! The Ising model: P(s) ∝ e^{β Σ s s′}, s = ±1, drawn by Wolff's clusters and new signs at every site.
//!
//! A density of real numbers cannot be that of spins, so a spin becomes a normal number of its sign, s·|g|. Of such a field
//! S = −β Σ s s′ + Σ (φ²/2 + ½ log(π/2)), s the signs of φ: the magnitudes add nothing to Z, which is that of the spins, and at
//! β = 0 the field is one of independent normal numbers. The signs say which cell of real numbers a field is in, so −log q
//! less the magnitudes' entropy, ½ log(πe/2) = 0.7258 nats each, bounds the nats of spins from above.

use std::borrow::Cow;
use std::f64::consts::{LN_2, PI, TAU};
use std::fmt;
use std::str::FromStr;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::chain::Chain;
use super::measure::Estimate;
use super::{Phi4, THERMALISE, Theory, bonds, draw, free_energy};
use crate::error::{Error, Result};

/// Keeps the magnitudes' random numbers apart from the spins'.
const MAGNITUDES: u64 = 0x9a65_1a4d;

/// The Ising model's coupling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ising {
    /// β, between neighbours.
    pub beta: f64,
}

impl Eq for Ising {}

impl Ising {
    /// ½ log(1 + √2), where the square lattice is critical (Kramers & Wannier 1941).
    pub const CRITICAL: Self = Self { beta: 0.440_686_793_509_771_5 };
}

fn signs(field: &[f32]) -> Vec<f32> {
    field.iter().map(|phi| phi.signum()).collect()
}

impl Theory for Ising {
    fn action(&self, field: &[f32], edge: usize) -> f64 {
        let magnitude = |&phi: &f32| f64::from(phi).powi(2) / 2.0 + (PI / 2.0).ln() / 2.0;
        field.iter().map(magnitude).sum::<f64>() - self.beta * bonds(&signs(field), edge)
    }

    fn seen<'a>(&self, field: &'a [f32]) -> Cow<'a, [f32]> {
        Cow::Owned(signs(field))
    }

    fn draw(&self, edge: usize, count: usize, seed: u64, stream: u64) -> Result<Vec<f32>> {
        // Chains start at ±1 and keep their magnitudes: λ counts for nothing.
        let couplings = Phi4 { beta: self.beta, lambda: 0.0 };
        let thermalise = |chain: &mut Chain| (0..2 * THERMALISE).for_each(|_| chain.update_signs());
        let mut fields = draw(couplings, [thermalise, Chain::update_signs], [edge, count], [seed, stream])?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ MAGNITUDES);
        rng.set_stream(stream);
        for spin in &mut fields {
            // Box and Muller's; 1 − u is never zero.
            let (u, v) = (rng.random::<f64>(), rng.random::<f64>());
            *spin *= ((-2.0 * (1.0 - u).ln()).sqrt() * (TAU * v).cos().abs()).max(f64::from(f32::MIN_POSITIVE)) as f32;
        }
        Ok(fields)
    }

    fn log_z(&self, edge: usize, count: usize, seed: u64) -> Result<Estimate> {
        free_energy::integrated(|beta| Self { beta }, self.beta, LN_2, [edge, count], seed)
    }
}

/// `ising`, or `ising:beta=0.4`.
impl FromStr for Ising {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "ising" {
            return Ok(Self::CRITICAL);
        }
        let beta = text.strip_prefix("ising:beta=").and_then(|beta| beta.parse().ok());
        beta.filter(|beta| (0.0..=2.0).contains(beta)).map(|beta| Self { beta }).ok_or_else(|| {
            let problem = "it is not the Ising model".to_owned();
            let advice = "write ising, which is critical, or ising:beta=0.4 with β from 0 to 2".to_owned();
            Error::Usage { option: text.to_owned(), problem, advice }
        })
    }
}

impl fmt::Display for Ising {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self == Self::CRITICAL {
            true => f.write_str("ising"),
            false => write!(f, "ising:beta={}", self.beta),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::measure::{Observed, binder};
    use super::*;

    /// Exact means over the 65,536 states of 4×4 spins: |m|, Σ ss′ a site, m², m⁴, and log Z a site.
    fn exact(beta: f64) -> [f64; 5] {
        let mut sums = [0.0; 5];
        for state in 0u32..1 << 16 {
            let spins: Vec<f32> = (0..16).map(|i| if state >> i & 1 == 1 { 1.0 } else { -1.0 }).collect();
            let (m, bonds) = (f64::from(spins.iter().sum::<f32>()) / 16.0, bonds(&spins, 4));
            let weight = (beta * bonds).exp();
            let values = [m.abs(), bonds / 16.0, m * m, m.powi(4), 1.0];
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * value);
        }
        let [m, bonds, square, fourth, all] = sums;
        [m / all, bonds / all, square / all, fourth / all, all.ln() / 16.0]
    }

    #[test]
    fn spins_are_those_of_the_sum_over_all_states() {
        for beta in [0.2, Ising::CRITICAL.beta, 0.6] {
            let ising = Ising { beta };
            let [m, bonds, square, fourth, log_z] = exact(beta);
            let observed = Observed::of(&ising.draw(4, 6000, 2, 0).unwrap(), 4, &ising);
            let cumulant = 1.0 - fourth / (3.0 * square * square);
            let found = [observed.magnetisation(), observed.bond_energy(), binder(&observed)];
            for (found, exact) in found.into_iter().zip([m, bonds, cumulant]) {
                assert!((found.value - exact).abs() < 4.0 * found.error, "β = {beta}: {found:?} {exact}");
                assert!(found.error < 0.05 * exact.abs(), "β = {beta}: {found:?} {exact}");
            }
            let found = ising.log_z(4, 400, 2).unwrap();
            assert!((found.value - log_z).abs() < 4.0 * found.error + 1e-6, "β = {beta}: {found:?} {log_z}");
        }
    }

    #[test]
    fn magnitudes_are_those_of_normal_numbers_and_keep_the_spins() {
        let ising = Ising { beta: 0.3 };
        let fields = ising.draw(8, 500, 3, 1).unwrap();
        let moment = |power: i32| fields.iter().map(|phi| f64::from(phi.abs()).powi(power)).sum::<f64>() / 32_000.0;
        assert!((moment(1) - (2.0 / PI).sqrt()).abs() < 0.015 && (moment(2) - 1.0).abs() < 0.03);
        assert!(fields.iter().all(|phi| *phi != 0.0));
        let seen = ising.seen(&fields);
        assert!(seen.iter().zip(&fields).all(|(s, phi)| s.abs() == 1.0 && s * phi > 0.0));
        assert!(fields == ising.draw(8, 500, 3, 1).unwrap() && fields != ising.draw(8, 500, 3, 2).unwrap());
    }

    /// e^{−S} integrates over magnitudes to e^{β Σ ss′}: at β = 0 it is the density of independent normal numbers.
    #[test]
    fn the_action_is_that_of_spins_and_normal_magnitudes() {
        let field: Vec<f32> = (0..16).map(|i| (i as f32 * 0.7 + 0.3).sin() * 1.5).collect();
        let normal = |phi: &f32| f64::from(*phi).powi(2) / 2.0 + TAU.ln() / 2.0 - LN_2;
        let free: f64 = field.iter().map(normal).sum();
        assert!((Ising { beta: 0.0 }.action(&field, 4) - free).abs() < 1e-9);
        let bonds = bonds(&signs(&field), 4);
        assert!((Ising { beta: 0.5 }.action(&field, 4) - free + 0.5 * bonds).abs() < 1e-9);
    }

    #[test]
    fn names_say_the_coupling() {
        assert_eq!("ising".parse::<Ising>().unwrap(), Ising::CRITICAL);
        assert!((Ising::CRITICAL.beta - (1.0 + 2f64.sqrt()).ln() / 2.0).abs() < 1e-15);
        assert_eq!("ising:beta=0.4".parse::<Ising>().unwrap(), Ising { beta: 0.4 });
        for bad in ["ising:", "ising:beta", "ising:beta=nan", "ising:beta=3", "ising:beta=0.4,lambda=1", "ising4"] {
            assert!(bad.parse::<Ising>().unwrap_err().to_string().contains("ising:beta=0.4"), "{bad}");
        }
    }
}
