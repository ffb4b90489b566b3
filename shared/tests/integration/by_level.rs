//! The likelihood level by level, always from random parameters.

use burn::backend::Flex;
use shared::nn::Bijector;
use shared::{EncodedByLevel, Flow, ImageFlow, LevelConfig, PriorKind, RgFlow, RgFlowConfig};

use crate::numbers::{largest_difference, values};
use crate::{flow, real_nvp};

/// Images in a batch.
const BATCH: usize = 3;

/// −log p of some latents under the prior, in nats.
fn surprise(prior: PriorKind, latents: impl Iterator<Item = f32>) -> f64 {
    let b = 0.5f64.sqrt();
    let of = |z: f64| match prior {
        PriorKind::Laplace => (2.0 * b).ln() + z.abs() / b,
        PriorKind::Gaussian => 0.5 * (std::f64::consts::TAU.ln() + z * z),
    };
    latents.map(|z| of(f64::from(z))).sum()
}

/// The prior's share of each level, `[image][level]`, from the latents' places alone.
fn priors(flow: &dyn ImageFlow<Flex>, latents: &[f32], levels: usize) -> Vec<f64> {
    let of = flow.latent_levels();
    let part = |image: &[f32], level: usize| {
        let here = image.iter().zip(&of).filter(|&(_, &l)| l == level).map(|(&z, _)| z);
        -surprise(flow.prior(), here)
    };
    latents.chunks_exact(of.len()).flat_map(|image| (0..levels).map(move |level| part(image, level))).collect()
}

#[test]
fn parts_add_up_and_the_latents_are_the_same() {
    for config in flow::configs() {
        let flow = flow::flow::<Flex>(&config);
        let x = flow::images(&flow, BATCH as u64);
        let EncodedByLevel { latents, log_prob } = flow.forward_by_level(x.clone());
        assert_eq!(values(latents), values(flow.forward(x.clone()).latents));
        assert_eq!(log_prob.dims(), [BATCH, config.level_count()]);
        let (sums, whole) = (values(log_prob.sum_dim(1)), values(flow.log_prob(x)));
        assert!(largest_difference(&sums, &whole) < 1e-6 * config.dims() as f32, "{sums:?} {whole:?}");
    }
}

#[test]
fn a_part_is_the_priors_and_the_steps_that_generation_undoes() {
    for config in flow::configs() {
        let levels = config.level_count();
        let flow = flow::flow::<Flex>(&config);
        let EncodedByLevel { latents, log_prob } = flow.forward_by_level(flow::images(&flow, BATCH as u64));
        let priors = priors(&flow, &values(latents.clone()), levels);
        // Coarsest first, and of the inverse.
        let steps: Vec<Vec<f32>> = flow.progressive(latents).into_iter().map(|(_, log_det)| values(log_det)).collect();
        for (i, part) in values(log_prob).into_iter().enumerate() {
            let (image, level) = (i / levels, i % levels);
            let log_det = -f64::from(steps[levels - 1 - level][image]);
            assert!(log_det.abs() > 0.05, "level {level} keeps the volume");
            let expected = priors[i] + log_det;
            assert!((f64::from(part) - expected).abs() < 5e-3, "level {level}: {part} {expected}");
        }
    }
}

#[test]
fn the_coarse_levels_are_a_flow_of_the_coarse_image() {
    let level = |layers| LevelConfig { layers, res_blocks: 2, mlp: 1, hidden: 10 };
    for prior in [PriorKind::Laplace, PriorKind::Gaussian] {
        let config = RgFlowConfig { prior, ..RgFlowConfig::new(16, vec![level(2), level(3), level(1)]) };
        let model = RgFlow::<Flex>::random(&config, 0.15, 3, &Default::default()).unwrap();
        let whole = model.fold();
        let EncodedByLevel { latents, log_prob } = whole.forward_by_level(flow::images(&whole, BATCH as u64));
        let parts = values(log_prob);
        let mut coarse = whole.progressive(latents).into_iter().map(|(image, _)| image).rev();
        for h in 0..config.level_count() {
            let above = RgFlowConfig { size: config.size >> h, levels: config.levels[h..].to_vec(), ..config.clone() };
            let stages = model.bijectors[2 * h..].iter().map(Bijector::fold).collect();
            let log_prob = values(Flow::new(&above, stages, None).log_prob(coarse.next().unwrap()));
            for (image, expected) in log_prob.into_iter().enumerate() {
                let sum: f32 = parts[image * config.level_count()..][h..config.level_count()].iter().sum();
                assert!((sum - expected).abs() < 5e-3, "x^({h}): {sum} {expected}");
            }
        }
    }
}

#[test]
fn a_real_nvps_parts_add_up_scale_by_scale() {
    let config = real_nvp::three_scales();
    let flow = real_nvp::flow::<Flex>(&config);
    let x = real_nvp::images(&flow, BATCH);
    let EncodedByLevel { latents, log_prob } = flow.forward_by_level(x.clone());
    let (whole, dims) = (flow.forward(x.clone()), log_prob.dims());
    assert_eq!((values(latents.clone()), dims), (values(whole.latents), [BATCH, 3]));
    let (sums, expected) = (values(log_prob.clone().sum_dim(1)), values(flow.log_prob(x)));
    assert!(largest_difference(&sums, &expected) < 1e-6 * flow.dims() as f32);
    // What the couplings of a scale do to the volume is not nothing, and no scale's counts for another.
    let priors = priors(&flow, &values(latents), 3);
    let log_dets: Vec<f64> =
        values(log_prob).into_iter().zip(&priors).map(|(part, prior)| f64::from(part) - prior).collect();
    assert!(log_dets.iter().all(|log_det| log_det.abs() > 0.01), "{log_dets:?}");
    let sum: f64 = log_dets[..3].iter().sum();
    assert!((sum - f64::from(values(whole.log_det)[0])).abs() < 5e-3);
}
