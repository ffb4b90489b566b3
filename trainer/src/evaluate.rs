//! Test likelihood and samples of a flow.

use std::hash::{BuildHasher, Hasher, RandomState};

use shared::geometry::counts_by_level;
use shared::logit::to_pixels;
use shared::train::Values;
use shared::{DataKind, FlowBackend, ImageFlow};

use crate::data::ImageSet;
use crate::drawing::{Drawing, of_sampler};
use crate::error::{Error, Result};
use crate::progress::Progress;

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
    fits(shape, images)?;
    let mut bits = Vec::with_capacity(images.len());
    let progress = Progress::new("likelihoods of images", images.len());
    for (start, values) in batches(images) {
        let mut terms = vec![Vec::new(); BATCH.min(images.len() - start)];
        for draw in 0..draws {
            // Each image's noise is its own, whatever the batch size.
            let stream = draw * images.len() as u64 + start as u64;
            let batch = values.batch::<B>(shape, EVALUATION_SEED, stream, device);
            let log_prob = flow.log_prob(batch.images) + batch.log_det;
            log_prob.into_data().iter::<f64>().zip(&mut terms).for_each(|(p, terms)| terms.push(p));
        }
        bits.extend(terms.iter().map(|terms| images.kind().cost(log_mean_exp(terms), dims)));
        progress.set(bits.len());
    }
    Score::of(&bits, images)
}

/// Bits of each level's numbers, `[image][level]`, finest first, with one dequantisation sample, the same as
/// [`bits_per_dim`]'s first.
///
/// A level's are the bits that it adds to the image ([`ImageFlow::log_prob_by_level`]), for each number that stays at it;
/// the logit's and the scale of the pixels in [0, 1] count at the finest, and every number has its own eight bits of a
/// pixel. Weighted by how many numbers a level has, they add up to bits/dim: see [`whole`].
///
/// # Errors
/// As [`bits_per_dim`].
pub fn bits_by_level<B: FlowBackend>(
    flow: &dyn ImageFlow<B>,
    images: &ImageSet,
    device: &B::Device,
) -> Result<Vec<Vec<f64>>> {
    let shape = flow.image_shape();
    fits(shape, images)?;
    let counts = counts_by_level(&flow.latent_levels());
    let mut bits = Vec::with_capacity(images.len());
    let progress = Progress::new("likelihoods of images", images.len());
    for (start, values) in batches(images) {
        let batch = values.batch::<B>(shape, EVALUATION_SEED, start as u64, device);
        let parts: Vec<f64> = flow.log_prob_by_level(batch.images).into_data().iter::<f64>().collect();
        let slopes = batch.log_det.into_data().iter::<f64>().collect::<Vec<_>>();
        let of = |(parts, slope): (&[f64], f64)| images.kind().cost_by_level(parts, slope, &counts);
        bits.extend(parts.chunks_exact(counts.len()).zip(slopes).map(of));
        progress.set(bits.len());
    }
    Score::of(&bits.iter().map(|bits| whole(bits, &counts)).collect::<Vec<_>>(), images)?;
    Ok(bits)
}

/// All images, some at a time, each time with the number of the first.
fn batches(images: &ImageSet) -> impl Iterator<Item = (usize, Values)> {
    (0..images.len()).step_by(BATCH).map(move |start| {
        let indexes: Vec<usize> = (start..images.len().min(start + BATCH)).collect();
        (start, images.values(&indexes, &[]))
    })
}

/// An image's bits/dim, from the bits of each level's numbers.
pub fn whole(bits: &[f64], counts: &[usize]) -> f64 {
    let sum: f64 = bits.iter().zip(counts).map(|(bits, &count)| bits * count as f64).sum();
    sum / counts.iter().sum::<usize>() as f64
}

/// An error if images are not of the flow's shape.
fn fits(shape: [usize; 2], images: &ImageSet) -> Result<()> {
    if [images.channels, images.size] == shape {
        return Ok(());
    }
    let [channels, size] = shape;
    let (c, l) = (images.channels, images.size);
    let problem = format!("images of {c}×{l}×{l}, but the model takes {channels}×{size}×{size}");
    Err(Error::usage("--data", problem, "give images of the model's size and channels"))
}

/// An error if images are given to a model of fields, or fields to one of images.
///
/// # Errors
/// [`Error::Usage`] says what to give.
pub fn suits(kind: DataKind, given: DataKind) -> Result<()> {
    let (problem, advice) = match (kind, given) {
        (DataKind::Field, DataKind::Images) => ("images, for a model of fields", "give phi4 or a .npy file"),
        (DataKind::Images, DataKind::Field) => {
            ("fields, for a model of images", "train a model of fields: --preset phi4, with --size for another lattice")
        }
        _ => return Ok(()),
    };
    Err(Error::usage("--data", problem, advice))
}

impl Score {
    /// The mean of what images have.
    ///
    /// # Errors
    /// [`Error::Diverged`] if a value is not finite, [`Error::Usage`] if there is none.
    pub fn of(bits: &[f64], images: &ImageSet) -> Result<Self> {
        if bits.is_empty() {
            let problem = format!("{} has no images", images.name);
            return Err(Error::usage("--data", problem, "give a set with test images"));
        }
        if let Some(i) = bits.iter().position(|b| !b.is_finite()) {
            let problem = format!("the likelihood of image {i} of {} is {}", images.name, bits[i]);
            return Err(Error::Diverged { problem, advice: "evaluate an earlier checkpoint".into() });
        }
        let (mean, deviation) = moments(bits);
        Ok(Self { mean, standard_error: deviation / (bits.len() as f64).sqrt(), images: bits.len() })
    }
}

/// Mean and standard deviation.
pub fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    (mean, variance.sqrt())
}

/// Dequantisation noise of every evaluation, so that two models are compared on the same numbers.
const EVALUATION_SEED: u64 = 0x5EED;

/// log of the mean of e^x.
pub fn log_mean_exp(terms: &[f64]) -> f64 {
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
    let progress = Progress::new("samples drawn", (indices.end - indices.start) as usize);
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
        progress.set(pictures.len());
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
    use shared::logit;
    use shared::train::dequantise;
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
    fn levels_add_up_to_the_score_of_one_draw() {
        let flow = flow();
        let set = ImageSet::new("set", 16, (0..70 * 768).map(|i| (i * 31 % 251) as u8).collect(), None).unwrap();
        let counts = counts_by_level(&flow.latent_levels());
        assert_eq!(counts, [576, 144, 48]);
        let bits = bits_by_level(&flow, &set, &Default::default()).unwrap();
        assert_eq!((bits.len(), bits[0].len()), (70, 3));
        let all = bits_per_dim(&flow, &set, 1, &Default::default()).unwrap();
        let sums: Vec<f64> = bits.iter().map(|bits| whole(bits, &counts)).collect();
        let score = Score::of(&sums, &set).unwrap();
        assert!((score.mean - all.mean).abs() < 1e-5 && (score.standard_error - all.standard_error).abs() < 1e-5);
        // Of the two levels above the finest, as the library has them.
        let batch = dequantise::<Flex>(set.image(69), flow.image_shape(), EVALUATION_SEED, 69, &Default::default());
        let parts = flow.log_prob_by_level(batch.images).into_data().to_vec::<f32>().unwrap();
        for level in 1..3 {
            let expected = 8.0 - f64::from(parts[level]) / counts[level] as f64 / std::f64::consts::LN_2;
            assert!((bits[69][level] - expected).abs() < 1e-5);
        }
        assert!(bits_by_level(&flow, &set.grey(), &Default::default()).unwrap_err().to_string().contains("1×16×16"));
    }

    #[test]
    fn more_draws_tighten_the_bound() {
        let flow = flow();
        let set = ImageSet::new("set", 16, (0..8 * flow.dims()).map(|i| (i * 31 % 251) as u8).collect(), None).unwrap();
        let of = |draws| bits_per_dim(&flow, &set, draws, &Default::default()).unwrap().mean;
        assert!(of(8) < of(1));
        assert!((log_mean_exp(&[1.0, 1.0]) - 1.0).abs() < 1e-12);
        assert!((log_mean_exp(&[900.0, 900.0]) - 900.0).abs() < 1e-12);
        assert!((log_mean_exp(&[0.0, 3_f64.ln()]) - 2_f64.ln()).abs() < 1e-12);
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
