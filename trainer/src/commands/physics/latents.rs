//! Latents of the sampler's fields, level by level: more like a Gaussian's, or like a sparse prior's?

use std::f64::consts::PI;

use shared::RgFlowConfig;
use shared::geometry::Levels;

use crate::evaluate::moments;
use crate::lattice::measure::Estimate;

/// What is measured of a level's latents.
pub struct LevelLatents {
    /// Root of the mean square.
    pub spread: f64,
    /// ⟨z⁴⟩/⟨z²⟩² − 3: 0 of a Gaussian, 3 of a Laplacian.
    pub kurtosis: f64,
    /// By how many nats a number a Gaussian is likelier than a Laplacian, both around 0 and of the width that fits best.
    pub for_gaussian: Estimate,
}

/// Measures encoded fields, finest level first.
///
/// # Shapes
/// - latents: `[count, C, L, L]`, with a count of at least 2
pub fn measure(config: &RgFlowConfig, latents: &[f32]) -> Vec<LevelLatents> {
    let levels = Levels::new(config);
    (0..config.level_count()).map(|level| of_level(&levels.indices(level), latents, config.dims())).collect()
}

fn of_level(places: &[usize], latents: &[f32], dims: usize) -> LevelLatents {
    // Of each field, since its latents need not be independent.
    let mean = |power: i32| -> Vec<f64> {
        let of_field = |z: &[f32]| places.iter().map(|&i| f64::from(z[i]).abs().powi(power)).sum::<f64>();
        latents.chunks_exact(dims).map(|z| of_field(z) / places.len() as f64).collect()
    };
    let [first, square, fourth] = [1, 2, 4].map(mean);
    let over_fields = |rows: &[f64]| rows.iter().sum::<f64>() / rows.len() as f64;
    let (width, variance) = (over_fields(&first), over_fields(&square));
    // −log of both densities, as the likeliest widths make them; the widths' own errors change them in second order alone.
    let gaussian = |square: f64| 0.5 * ((2.0 * PI * variance).ln() + square / variance);
    let laplacian = |first: f64| (2.0 * width).ln() + first / width;
    let rows: Vec<f64> = first.iter().zip(&square).map(|(&a, &b)| laplacian(a) - gaussian(b)).collect();
    let (value, deviation) = moments(&rows);
    LevelLatents {
        spread: variance.sqrt(),
        kurtosis: over_fields(&fourth) / variance.powi(2) - 3.0,
        for_gaussian: Estimate { value, error: deviation / (rows.len() as f64).sqrt() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::prior::draw_latents;
    use shared::{PriorKind, Temperature};

    #[test]
    fn each_prior_is_known_by_its_own_latents() {
        for (prior, kurtosis, gain) in [(PriorKind::Gaussian, 0.0, 0.0484), (PriorKind::Laplace, 3.0, -0.0724)] {
            let config = RgFlowConfig { prior, ..RgFlowConfig::tiny() };
            let draw = |i| draw_latents(&config, 7, i, &Temperature::uniform(0.6));
            let latents: Vec<f32> = (0..200).flat_map(draw).collect();
            let measured = measure(&config, &latents);
            assert_eq!(measured.len(), config.level_count());
            // The finest level has the most numbers.
            let LevelLatents { kurtosis: found, for_gaussian, .. } = &measured[0];
            assert!((found - kurtosis).abs() < 0.25, "{prior:?}: {found}");
            assert!((for_gaussian.value - gain).abs() < 5.0 * for_gaussian.error, "{prior:?}: {for_gaussian:?}");
            assert!(for_gaussian.error < 0.01);
        }
    }
}
