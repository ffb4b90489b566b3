//! log Z by thermodynamic integration: d log Z/dβ = ⟨Σ φφ′⟩, and at β = 0 the sites are independent.

use std::f64::consts::PI;

use super::Theory;
use super::measure::{Estimate, Observed};
use crate::error::Result;
use crate::progress::Progress;

/// Couplings between 0 and β at which ⟨Σ φφ′⟩ is measured.
const NODES: usize = 16;
/// The stream of the first of them.
const STREAM: u64 = 16;

/// log Z a site of the theory `at` β, from that of one site alone, with `count` fields at each of sixteen couplings.
///
/// # Errors
/// As [`Theory::draw`].
pub fn integrated<T: Theory>(
    at: impl Fn(f64) -> T,
    beta: f64,
    alone: f64,
    [edge, count]: [usize; 2],
    seed: u64,
) -> Result<Estimate> {
    let mut sum = Estimate { value: alone, error: 0.0 };
    let progress = Progress::new("log Z, couplings on the way", NODES);
    for (i, (node, weight)) in gauss_legendre(NODES).into_iter().enumerate() {
        let at = at(beta * (1.0 + node) / 2.0);
        let fields = at.draw(edge, count, seed, STREAM + i as u64)?;
        let Estimate { value, error } = Observed::of(&fields, edge, &at).bond_energy();
        let share = weight * beta / 2.0;
        sum = Estimate { value: sum.value + share * value, error: sum.error.hypot(share * error) };
        progress.add(1);
    }
    Ok(sum)
}

/// log ∫ e^{−φ² − λ(φ² − 1)²} dφ, by the trapezoidal rule, which is exact to rounding for what vanishes at both ends.
pub fn of_a_site(lambda: f64) -> f64 {
    const STEP: f64 = 5e-4;
    let density = |i: i32| {
        let square = (f64::from(i) * STEP).powi(2);
        (-square - lambda * (square - 1.0).powi(2)).exp()
    };
    ((-16_000..=16_000).map(density).sum::<f64>() * STEP).ln()
}

/// Nodes in (−1, 1) and weights of Gauss and Legendre, by Newton's method on the Legendre polynomial.
fn gauss_legendre(count: usize) -> Vec<(f64, f64)> {
    let n = count as f64;
    // P_n and its derivative.
    let legendre = |x: f64| {
        let (mut before, mut now) = (1.0, x);
        for k in 2..=count {
            let k = k as f64;
            (before, now) = (now, ((2.0 * k - 1.0) * x * now - (k - 1.0) * before) / k);
        }
        (now, n * (x * now - before) / (x * x - 1.0))
    };
    let node = |i: usize| {
        let mut x = (PI * (i as f64 + 0.75) / (n + 0.5)).cos();
        for _ in 0..20 {
            let (value, slope) = legendre(x);
            x -= value / slope;
        }
        (x, 2.0 / ((1.0 - x * x) * legendre(x).1.powi(2)))
    };
    (0..count).map(node).collect()
}

/// log Z a site of the free field, λ = 0: the action is half a quadratic form with eigenvalues 2 − 2β(cos k + cos k′).
#[cfg(test)]
pub fn of_free_field(beta: f64, edge: usize) -> f64 {
    let cos = |n: usize| (2.0 * PI * n as f64 / edge as f64).cos();
    let term = |i: usize| 0.5 * (2.0 * PI / (2.0 - 2.0 * beta * (cos(i / edge) + cos(i % edge)))).ln();
    (0..edge * edge).map(term).sum::<f64>() / (edge * edge) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lattice::{Phi4, bonds};

    fn log_z(couplings: &Phi4, edge: usize, count: usize, seed: u64) -> Result<Estimate> {
        couplings.log_z(edge, count, seed)
    }

    #[test]
    fn the_rule_of_gauss_integrates_polynomials() {
        let rule = gauss_legendre(5);
        for power in 0..10 {
            let found: f64 = rule.iter().map(|(x, w)| w * x.powi(power)).sum();
            let exact = if power % 2 == 0 { 2.0 / f64::from(power + 1) } else { 0.0 };
            assert!((found - exact).abs() < 1e-12, "{power}: {found}");
        }
    }

    #[test]
    fn independent_sites_have_their_integrals() {
        assert!((of_a_site(0.0) - PI.ln() / 2.0).abs() < 1e-12);
        // A narrow well at each of ±1: 2e⁻¹ √(π/4λ), up to a part in λ.
        let narrow = (2.0 / std::f64::consts::E * (PI / 4000.0).sqrt()).ln();
        assert!((of_a_site(1000.0) - narrow).abs() < 2e-3);
        let none = log_z(&Phi4 { beta: 0.0, lambda: 1.0 }, 4, 50, 1).unwrap();
        assert_eq!(none, Estimate { value: of_a_site(1.0), error: 0.0 });
    }

    #[test]
    fn the_free_field_has_its_exact_log_z() {
        let found = log_z(&Phi4 { beta: 0.45, lambda: 0.0 }, 4, 1500, 1).unwrap();
        let exact = of_free_field(0.45, 4);
        assert!((found.value - exact).abs() < 4.0 * found.error && found.error < 0.01, "{found:?} {exact}");
    }

    #[test]
    fn the_ising_limit_is_the_sum_over_all_states() {
        // To first order in 1/λ the magnitudes are held at √(1 − 1/2λ).
        let (beta, lambda) = (0.4, 1000.0);
        let square = 1.0 - 0.5 / lambda;
        let sum: f64 = (0u32..1 << 16)
            .map(|state| {
                let spins: Vec<f32> = (0..16).map(|i| if state >> i & 1 == 1 { 1.0 } else { -1.0 }).collect();
                (beta * square * bonds(&spins, 4)).exp()
            })
            .sum();
        let exact = of_a_site(lambda) - std::f64::consts::LN_2 + sum.ln() / 16.0;
        let found = log_z(&Phi4 { beta, lambda }, 4, 400, 2).unwrap();
        assert!((found.value - exact).abs() < 4.0 * found.error + 1e-3, "{found:?} {exact}");
    }
}
