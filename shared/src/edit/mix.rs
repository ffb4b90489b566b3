//! Mixing two images in the scaling direction (eq. 9, fig. 6), and the conventional interpolation beside it.

use burn::tensor::{Bool, Tensor, TensorData};

use super::check;
use crate::backend::FlowBackend;
use crate::config::RgFlowConfig;
use crate::error::{Error, Result};
use crate::geometry::Levels;

/// True where the picture's latents are of level `theta` or above.
///
/// # Shapes
/// - output: `[1, C, L, L]`
pub fn levels_from<B: FlowBackend>(config: &RgFlowConfig, theta: usize, device: &B::Device) -> Tensor<B, 4, Bool> {
    let mask: Vec<bool> = Levels::new(config).of_picture().iter().map(|&level| level >= theta).collect();
    Tensor::from_data(TensorData::new(mask, [1, config.channels, config.size, config.size]), device)
}

/// Levels ≥ `theta` of `coarse`, levels < `theta` of `fine` (eq. 9).
///
/// If `theta` is 0 that is `coarse` itself, if it is the number of levels `fine`.
///
/// # Shapes
/// - coarse, fine, output: `[batch, C, L, L]`, latents as pictures
///
/// # Errors
/// [`Error::Input`] if the shapes are not the model's or not the same, or `theta` is above the number of levels.
///
/// # Examples
/// Levels 1 and above of sample 0 with the finest level of sample 1:
/// ```
/// use burn::backend::Flex;
/// use shared::edit::mix::by_level;
/// use shared::prior::draw_latents;
/// use shared::{RgFlow, RgFlowConfig, Temperature};
///
/// let (config, device) = (RgFlowConfig::tiny(), Default::default());
/// let flow = RgFlow::<Flex>::random(&config, 0.1, 1, &device)?.fold();
/// let sample = |i| flow.batch(draw_latents(&config, 7, i, &Temperature::uniform(0.8)), &device);
/// let (coarse, fine) = (sample(0)?, sample(1)?);
///
/// let mixed = by_level(&config, coarse.clone(), fine.clone(), 1)?;
/// let (image, _) = flow.inverse(mixed.clone());
/// assert_eq!(image.dims(), [1, 3, 16, 16]);
/// // Three in four latents are of the finest level.
/// let share = mixed.equal(fine).float().mean().into_scalar();
/// assert_eq!(share, 0.75);
/// # Ok::<(), shared::Error>(())
/// ```
pub fn by_level<B: FlowBackend>(
    config: &RgFlowConfig,
    coarse: Tensor<B, 4>,
    fine: Tensor<B, 4>,
    theta: usize,
) -> Result<Tensor<B, 4>> {
    check_pair(config, &coarse, &fine)?;
    let count = config.level_count();
    if theta > count {
        return Err(Error::Input(format!("cannot mix from level {theta}; use 0 to {count}")));
    }
    let mask = levels_from::<B>(config, theta, &coarse.device()).expand(coarse.dims());
    Ok(fine.mask_where(mask, coarse))
}

/// The mixes of two images for every Θ from 0 to the number of levels: from all of `coarse` to all of `fine`.
///
/// # Shapes
/// - coarse, fine: `[1, C, L, L]`; output: `[levels + 1, C, L, L]`
///
/// # Errors
/// As [`by_level`].
pub fn all_levels<B: FlowBackend>(
    config: &RgFlowConfig,
    coarse: Tensor<B, 4>,
    fine: Tensor<B, 4>,
) -> Result<Tensor<B, 4>> {
    let mixes: Result<Vec<_>> =
        (0..=config.level_count()).map(|theta| by_level(config, coarse.clone(), fine.clone(), theta)).collect();
    Ok(Tensor::cat(mixes?, 0))
}

/// The conventional interpolation λ·a + (1 − λ)·b of all latents, one for each λ.
///
/// # Shapes
/// - a, b: `[1, C, L, L]`; output: `[lambdas.len(), C, L, L]`
///
/// # Errors
/// [`Error::Input`] if the shapes are not the model's or not the same, or there is no λ.
pub fn interpolate<B: FlowBackend>(
    config: &RgFlowConfig,
    a: Tensor<B, 4>,
    b: Tensor<B, 4>,
    lambdas: &[f32],
) -> Result<Tensor<B, 4>> {
    check_pair(config, &a, &b)?;
    if lambdas.is_empty() {
        return Err(Error::Input("no λ to interpolate by; give one or more from 0 to 1".into()));
    }
    let of = |&lambda: &f32| a.clone() * lambda + b.clone() * (1.0 - lambda);
    Ok(Tensor::cat(lambdas.iter().map(of).collect(), 0))
}

fn check_pair<B: FlowBackend>(config: &RgFlowConfig, a: &Tensor<B, 4>, b: &Tensor<B, 4>) -> Result<()> {
    check(config, "latents", a)?;
    check(config, "latents", b)?;
    if a.dims() == b.dims() {
        return Ok(());
    }
    Err(Error::Input(format!("cannot mix {} pictures with {}; give the same number of each", a.dims()[0], b.dims()[0])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prior::{Temperature, draw_latents};
    use burn_flex::Flex;

    fn picture(config: &RgFlowConfig, index: u64) -> (Vec<f32>, Tensor<Flex, 4>) {
        let values = draw_latents(config, 1, index, &Temperature::uniform(1.0));
        let shape = [1, config.channels, config.size, config.size];
        (values.clone(), Tensor::from_data(TensorData::new(values, shape), &Default::default()))
    }

    fn values(tensor: Tensor<Flex, 4>) -> Vec<f32> {
        tensor.into_data().to_vec().unwrap()
    }

    #[test]
    fn each_level_comes_from_the_image_that_eq_9_names() {
        let config = RgFlowConfig::tiny();
        let ((a, a_picture), (b, b_picture)) = (picture(&config, 0), picture(&config, 1));
        let levels = Levels::new(&config).of_picture();
        let all = values(all_levels(&config, a_picture.clone(), b_picture.clone()).unwrap());
        for (theta, mix) in all.chunks_exact(config.dims()).enumerate() {
            for (i, &z) in mix.iter().enumerate() {
                assert_eq!(z, if levels[i] >= theta { a[i] } else { b[i] }, "Θ = {theta}, place {i}");
            }
        }
        assert_eq!(all.len(), 4 * config.dims());
        let swapped = values(by_level(&config, b_picture, a_picture, 1).unwrap());
        assert!(swapped.iter().zip(&a).zip(&levels).all(|((z, a), &level)| (z == a) == (level < 1)));
    }

    #[test]
    fn a_mask_holds_one_level_and_those_above() {
        let config = RgFlowConfig::tiny();
        let counts: Vec<usize> = (0..=3)
            .map(|theta| levels_from::<Flex>(&config, theta, &Default::default()).int().sum().into_scalar() as usize)
            .collect();
        assert_eq!(counts, [3 * 256, 3 * 64, 3 * 16, 0]);
    }

    #[test]
    fn interpolation_is_linear_in_its_share() {
        let config = RgFlowConfig::tiny();
        let ((a, a_picture), (b, b_picture)) = (picture(&config, 0), picture(&config, 1));
        let mixed = values(interpolate(&config, a_picture, b_picture, &[0.0, 0.25, 1.0]).unwrap());
        let dims = config.dims();
        assert_eq!((&mixed[..dims], &mixed[2 * dims..]), (&b[..], &a[..]));
        assert!(
            mixed[dims..2 * dims]
                .iter()
                .zip(a.iter().zip(&b))
                .all(|(m, (a, b))| (m - 0.25 * a - 0.75 * b).abs() < 1e-6)
        );
    }

    #[test]
    fn what_cannot_be_mixed_is_refused() {
        let config = RgFlowConfig::tiny();
        let (_, a) = picture(&config, 0);
        let two = Tensor::cat(vec![a.clone(), a.clone()], 0);
        let (_, other) = picture(&RgFlowConfig::deep(), 0);
        let message = |result: Result<Tensor<Flex, 4>>| result.unwrap_err().to_string();
        assert!(message(by_level(&config, a.clone(), a.clone(), 4)).contains("0 to 3"));
        assert!(message(by_level(&config, a.clone(), two, 1)).contains("the same number"));
        assert!(message(by_level(&config, a.clone(), other.clone(), 1)).contains("[1, 3, 32, 32]"));
        assert!(interpolate(&config, other, a.clone(), &[0.5]).is_err());
        assert!(message(interpolate(&config, a.clone(), a, &[])).contains("no λ"));
    }
}
