//! Test likelihood and samples of a flow.

use std::hash::{BuildHasher, Hasher, RandomState};

use shared::{FlowBackend, ImageFlow, logit};

use crate::data::{ImageSet, dequantise, to_pixels};
use crate::drawing::{Drawing, of_sampler};
use crate::error::{Error, Result};

/// Images on the device at once.
const BATCH: usize = 64;

/// A mean over images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Bits/dim.
    pub mean: f64,
    /// Standard error of the mean.
    pub standard_error: f64,
    /// Images.
    pub images: usize,
}

/// Bits/dim of a set, without augmentation, by the importance-weighted bound of `draws` dequantisation samples.
///
/// # Errors
/// [`Error::Diverged`] if a likelihood is not finite, [`Error::Usage`] if the set is empty.
pub fn bits_per_dim<B: FlowBackend>(
    flow: &dyn ImageFlow<B>,
    images: &ImageSet,
    draws: u64,
    device: &B::Device,
) -> Result<Score> {
    let (dims, shape) = (flow.dims(), flow.image_shape());
    if [images.channels, images.size] != shape {
        let [channels, size] = shape;
        let (c, l) = (images.channels, images.size);
        let problem = format!("images of {c}×{l}×{l}, but the model takes {channels}×{size}×{size}");
        return Err(Error::usage("--data", problem, "give images of the model's size and channels"));
    }
    let mut bits = Vec::with_capacity(images.len());
    for (start, chunk) in images.pixels().chunks(BATCH * dims).enumerate().map(|(i, c)| (i * BATCH, c)) {
        let count = chunk.len() / dims;
        let mut terms = vec![Vec::new(); count];
        for draw in 0..draws {
            // Each image's noise is its own, whatever the batch size.
            let stream = draw * images.len() as u64 + start as u64;
            let batch = dequantise::<B>(chunk, shape, EVALUATION_SEED, stream, device);
            let log_prob = flow.log_prob(batch.images) + batch.log_det;
            log_prob.into_data().iter::<f64>().zip(&mut terms).for_each(|(p, terms)| terms.push(p));
        }
        bits.extend(terms.iter().map(|terms| logit::bits_per_dim(log_mean_exp(terms), dims)));
    }
    if bits.is_empty() {
        let problem = format!("{} has no images", images.name);
        return Err(Error::Usage { option: "--data".into(), problem, advice: "give a set with test images".into() });
    }
    if let Some(i) = bits.iter().position(|b| !b.is_finite()) {
        let problem = format!("the likelihood of image {i} of {} is {}", images.name, bits[i]);
        return Err(Error::Diverged { problem, advice: "evaluate an earlier checkpoint".into() });
    }
    let n = bits.len() as f64;
    let mean = bits.iter().sum::<f64>() / n;
    let variance = bits.iter().map(|b| (b - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    Ok(Score { mean, standard_error: (variance / n).sqrt(), images: bits.len() })
}

/// Dequantisation noise of every evaluation, so that two models are compared on the same numbers.
const EVALUATION_SEED: u64 = 0x5EED;

fn log_mean_exp(terms: &[f64]) -> f64 {
    let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest + (terms.iter().map(|t| (t - largest).exp()).sum::<f64>() / terms.len() as f64).ln()
}

/// Samples as planar pictures of bytes.
///
/// # Errors
/// [`Error::Diverged`] if a sample is not finite.
pub fn sample_pictures<B: FlowBackend>(
    flow: &dyn ImageFlow<B>,
    seed: u64,
    indices: std::ops::Range<u64>,
    drawing: &Drawing,
    device: &B::Device,
) -> Result<Vec<Vec<u8>>> {
    let mut pictures = Vec::new();
    let mut start = indices.start;
    while start < indices.end {
        let end = indices.end.min(start + BATCH as u64);
        let logits = match &drawing.joint {
            None => flow.sample(seed, start..end, &drawing.temperature, device),
            Some(joint) => {
                let latents = joint.draw(seed, start..end, &drawing.temperature)?;
                flow.inverse(flow.batch(latents, device).map_err(of_sampler)?).0
            }
        };
        let logits: Vec<f32> = logits.into_data().iter::<f32>().collect();
        if logits.iter().any(|y| !y.is_finite()) {
            let problem = format!("a sample between {start} and {end} of seed {seed} is not finite");
            return Err(Error::Diverged { problem, advice: "use a lower temperature or an earlier checkpoint".into() });
        }
        pictures.extend(logits.chunks_exact(flow.dims()).map(to_pixels));
        start = end;
    }
    Ok(pictures)
}

/// A random seed.
pub fn random_seed() -> u64 {
    // The standard library's hasher is keyed at random.
    RandomState::new().build_hasher().finish() % 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;
    use shared::{Flow, RgFlow, RgFlowConfig, Temperature};

    fn flow() -> Flow<Flex> {
        let config = RgFlowConfig::tiny();
        RgFlow::<Flex>::random(&config, 0.15, 4, &Default::default()).unwrap().fold()
    }

    #[test]
    fn score_is_the_mean_over_images_whatever_the_batch() {
        let flow = flow();
        let dims = flow.dims();
        let pixels: Vec<u8> = (0..70 * dims).map(|i| (i * 31 % 251) as u8).collect();
        let set = ImageSet::new("set", 16, pixels.clone(), None).unwrap();
        let all = bits_per_dim(&flow, &set, 1, &Default::default()).unwrap();
        assert_eq!(all.images, 70);
        let by_hand: f64 = (0..70)
            .map(|i| {
                let one = dequantise::<Flex>(
                    &pixels[i * dims..(i + 1) * dims],
                    flow.image_shape(),
                    EVALUATION_SEED,
                    i as u64,
                    &Default::default(),
                );
                let p = (flow.log_prob(one.images) + one.log_det).into_data().to_vec::<f32>().unwrap()[0];
                logit::bits_per_dim(p as f64, dims) / 70.0
            })
            .sum();
        assert!((all.mean - by_hand).abs() < 1e-5, "{} {by_hand}", all.mean);
        assert!(all.standard_error > 0.0);
    }

    #[test]
    fn more_draws_tighten_the_bound() {
        let flow = flow();
        let set = ImageSet::new("set", 16, (0..8 * flow.dims()).map(|i| (i * 31 % 251) as u8).collect(), None).unwrap();
        let of = |draws| bits_per_dim(&flow, &set, draws, &Default::default()).unwrap().mean;
        assert!(of(8) < of(1));
        assert!((log_mean_exp(&[1.0, 1.0]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn an_empty_set_is_an_error() {
        assert!(
            ImageSet::new("none", 16, Vec::new(), None).map_or(true, |set| bits_per_dim(
                &flow(),
                &set,
                1,
                &Default::default()
            )
            .is_err())
        );
    }

    #[test]
    fn pictures_are_the_flows_samples() {
        let flow = flow();
        let pictures =
            sample_pictures(&flow, 3, 0..70, &Drawing::independent(Temperature::uniform(0.7)), &Default::default())
                .unwrap();
        assert_eq!(pictures.len(), 70);
        let one = flow
            .sample(3, 69..70, &Temperature::uniform(0.7), &Default::default())
            .into_data()
            .to_vec::<f32>()
            .unwrap();
        let off = one.iter().zip(&pictures[69]).map(|(y, p)| logit::to_pixel(*y).abs_diff(*p)).max();
        assert!(off <= Some(1));
        assert_ne!(pictures[0], pictures[1]);
    }
}
