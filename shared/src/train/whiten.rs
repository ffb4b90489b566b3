//! Mean image and linear maps computed from the data before the first step.
//!
//! Each disentangler's couplings get whitened blocks and its exit undoes the whitening. Each decimator's entry takes
//! the blocks apart into averages of 2×2 pixels, which become the coarser image, and whitened details given these,
//! which become latents. So a new model is a linear one that fits the data's second moments scale by scale, and
//! training starts from there.
//!
//! Levels that share their weights share these maps, too: they take the moments of all levels' blocks together, and bring
//! each coarser image to the spread of the finer one, so that one whitening suits all. The coarsest averages, which the
//! same decimator leaves as latents, are not white; training has to see to them.

mod moments;

use burn::tensor::{Tensor, TensorData};
use nalgebra::{DMatrix, DVector};

use self::moments::{Moments, Sums};
use super::values::{self, Values};
use crate::backend::FlowBackend;
use crate::config::RgFlowConfig;
use crate::flow::RgFlow;
use crate::geometry::{Plan, Stage};
use crate::nn::InvertibleMap;
use crate::threads::map_each;

/// Images that the moments are taken from.
pub const IMAGES: usize = 2048;
/// Smallest variance, as a share of the largest.
const FLOOR: f64 = 1e-7;

/// x·weight + bias on rows.
struct Affine {
    weight: DMatrix<f64>,
    bias: DVector<f64>,
}

/// Entry and exit of one stage.
struct Maps {
    entry: Affine,
    exit: Affine,
}

/// Sets the mean image and the linear maps of a new model from images as logits, or fields, `[C, L, L]` each, [`IMAGES`] of
/// which are enough. A model without them stays as it is; a single image has no second moments.
pub fn whiten<B: FlowBackend>(
    mut model: RgFlow<B>,
    config: &RgFlowConfig,
    mut grids: Vec<Vec<f32>>,
    device: &B::Device,
) -> RgFlow<B> {
    if grids.is_empty() {
        return model;
    }
    model.mean = model.mean.map(|mean| {
        let average = centre(&mut grids);
        let shape = mean.shape();
        mean.map(|_| Tensor::from_data(TensorData::new(average, shape), device).require_grad())
    });
    if !config.linear_maps || grids.len() == 1 {
        return model;
    }
    let maps = maps(config, grids);
    let bijectors = model.bijectors.into_iter().zip(maps).map(|(mut bijector, maps)| {
        bijector.entry = bijector.entry.map(|map| set(map, &maps.entry, device));
        bijector.exit = bijector.exit.map(|map| set(map, &maps.exit, device));
        bijector
    });
    model.bijectors = bijectors.collect();
    model
}

fn set<B: FlowBackend>(map: InvertibleMap<B>, to: &Affine, device: &B::Device) -> InvertibleMap<B> {
    let dim = to.bias.len();
    // nalgebra stores by columns.
    let weight: Vec<f32> = to.weight.transpose().iter().map(|&v| v as f32).collect();
    let bias: Vec<f32> = to.bias.iter().map(|&v| v as f32).collect();
    InvertibleMap {
        weight: map.weight.map(|_| Tensor::from_data(TensorData::new(weight, [dim, dim]), device).require_grad()),
        bias: map.bias.map(|_| Tensor::from_data(TensorData::new(bias, [dim]), device).require_grad()),
    }
}

/// What whitening takes of pictures or fields.
pub fn grids(config: &RgFlowConfig, values: &Values, seed: u64) -> Vec<Vec<f32>> {
    match values {
        Values::Pixels(pixels) => {
            values::logits(pixels, config.dims(), seed, 0).into_iter().map(|(logits, _)| logits).collect()
        }
        Values::Field(field) => field.chunks_exact(config.dims()).map(<[f32]>::to_vec).collect(),
    }
}

/// Subtracts the average image and returns it.
fn centre(grids: &mut [Vec<f32>]) -> Vec<f32> {
    let mut sum = vec![0.0; grids.first().map_or(0, Vec::len)];
    for grid in grids.iter() {
        sum.iter_mut().zip(grid).for_each(|(s, &v)| *s += f64::from(v));
    }
    let mean: Vec<f32> = sum.iter().map(|s| (s / grids.len() as f64) as f32).collect();
    for grid in grids.iter_mut() {
        grid.iter_mut().zip(&mean).for_each(|(v, m)| *v -= m);
    }
    mean
}

/// The maps of the stages that have weights of their own.
fn maps(config: &RgFlowConfig, mut grids: Vec<Vec<f32>>) -> Vec<Maps> {
    let plan = Plan::new(config);
    let spread = if config.share_levels { spread(config, &grids) } else { 1.0 };
    let mean = average(&grids, config.channels);
    // Of each stage that has weights of its own: its blocks' sums, and which outputs of the first block are latents; all
    // blocks are alike.
    let mut sums: Vec<(Sums, Vec<bool>)> = Vec::new();
    for level in 0..config.level_count() {
        for stage in Stage::BOTH {
            let at = 2 * level + stage as usize;
            let rows = plan.stages[at].picture.iter().map(|&p| on_grid(config, level, p)).collect::<Vec<_>>();
            let new = Sums::of(&grids, &rows, config.block_dims());
            match sums.get_mut(stage as usize) {
                Some((all, _)) if config.share_levels => all.add(new),
                _ => sums.push((new, (0..config.block_dims()).map(|j| plan.latents[at].contains(&j)).collect())),
            }
        }
        grids = map_each(grids, |grid| {
            let mut pooled = pool(&grid, config.channels, config.size >> level);
            let plane = pooled.len() / config.channels;
            for (plane, mean) in pooled.chunks_exact_mut(plane).zip(&mean) {
                plane.iter_mut().for_each(|v| *v = mean + spread * (*v - mean));
            }
            pooled
        });
    }
    let maps = sums.into_iter().zip(Stage::BOTH.into_iter().cycle()).map(|((sums, latent), stage)| {
        let moments = sums.moments();
        match (stage, latent.iter().all(|&l| l)) {
            (Stage::Decimator, false) => decimator(config, &moments, &latent, f64::from(spread)),
            (Stage::Decimator, true) => Maps { entry: whitening(&moments), exit: identity(moments.mean.len()) },
            (Stage::Disentangler, _) => Maps { entry: whitening(&moments), exit: unwhitening(&moments) },
        }
    });
    maps.collect()
}

/// By what averages of 2×2 pixels are multiplied to vary as much as the pixels: from 1, where neighbours are the same, to 2,
/// where they know nothing of one another.
fn spread(config: &RgFlowConfig, grids: &[Vec<f32>]) -> f32 {
    let variance = |grids: &[Vec<f32>]| {
        let mean = average(grids, config.channels);
        let squares = |grid: &Vec<f32>| {
            let planes = grid.chunks_exact(grid.len() / config.channels).zip(&mean);
            planes.flat_map(|(plane, mean)| plane.iter().map(move |v| f64::from(v - mean).powi(2))).sum::<f64>()
                / grid.len() as f64
        };
        grids.iter().map(squares).sum::<f64>()
    };
    let pooled: Vec<_> = grids.iter().map(|grid| pool(grid, config.channels, config.size)).collect();
    let spread = (variance(grids) / variance(&pooled)).sqrt();
    // Of pictures of one colour it is 0/0.
    if spread.is_finite() { spread.clamp(1.0, 2.0) as f32 } else { 1.0 }
}

/// Each channel's mean over all pixels.
fn average(grids: &[Vec<f32>], channels: usize) -> Vec<f32> {
    let of = |channel: usize| {
        let plane = |grid: &Vec<f32>| {
            let len = grid.len() / channels;
            grid[channel * len..][..len].iter().map(|&v| f64::from(v)).sum::<f64>() / len as f64
        };
        (grids.iter().map(plane).sum::<f64>() / grids.len() as f64) as f32
    };
    (0..channels).map(of).collect()
}

/// Index in level h's grid of an index in the picture.
fn on_grid(config: &RgFlowConfig, level: usize, index: usize) -> usize {
    let (size, edge) = (config.size, config.size >> level);
    let (channel, row, col) = (index / (size * size), index / size % size, index % size);
    (channel * edge + (row >> level)) * edge + (col >> level)
}

/// Averages of 2×2 pixels.
fn pool(grid: &[f32], channels: usize, edge: usize) -> Vec<f32> {
    let half = edge / 2;
    (0..channels * half * half)
        .map(|i| {
            let (c, r, q) = (i / (half * half), 2 * (i / half % half), 2 * (i % half));
            let at = |r: usize, q: usize| grid[(c * edge + r) * edge + q];
            (at(r, q) + at(r, q + 1) + at(r + 1, q) + at(r + 1, q + 1)) / 4.0
        })
        .collect()
}

/// C^power of a covariance, by its eigenvectors.
fn power(covariance: &DMatrix<f64>, power: f64) -> DMatrix<f64> {
    let eigen = covariance.clone().symmetric_eigen();
    let floor = (eigen.eigenvalues.max() * FLOOR).max(f64::MIN_POSITIVE);
    let values = eigen.eigenvalues.map(|v| v.max(floor).powf(power));
    &eigen.eigenvectors * DMatrix::from_diagonal(&values) * eigen.eigenvectors.transpose()
}

fn identity(dim: usize) -> Affine {
    Affine { weight: DMatrix::identity(dim, dim), bias: DVector::zeros(dim) }
}

fn whitening(moments: &Moments) -> Affine {
    centred(power(&moments.covariance, -0.5), &moments.mean)
}

fn unwhitening(moments: &Moments) -> Affine {
    Affine { weight: power(&moments.covariance, 0.5), bias: moments.mean.clone() }
}

/// (x − mean)·weight.
fn centred(weight: DMatrix<f64>, mean: &DVector<f64>) -> Affine {
    let bias = -(weight.transpose() * mean);
    Affine { weight, bias }
}

/// Averages where coarse pixels stay, `spread` times as far from their mean; whitened details given the averages elsewhere.
fn decimator(config: &RgFlowConfig, moments: &Moments, latent: &[bool], spread: f64) -> Maps {
    let dim = latent.len();
    let pixels = pixels(config.block);
    let cell = |j: usize| {
        let (row, col) = pixels[j / config.channels];
        (row / 2, col / 2, j % config.channels)
    };
    // Columns are outputs: a coarse pixel is its cell's average, a detail the difference from it.
    let split = DMatrix::from_fn(dim, dim, |i, j| {
        let average = if cell(i) == cell(j) { 0.25 } else { 0.0 };
        if latent[j] { f64::from(i == j) - average } else { average }
    });
    let (kept, details): (Vec<usize>, Vec<usize>) = (0..dim).partition(|&j| !latent[j]);
    let covariance = split.transpose() * &moments.covariance * &split;
    let part = |rows: &[usize], cols: &[usize]| covariance.select_rows(rows).select_columns(cols);
    let (kk, ke, ee) = (part(&kept, &kept), part(&kept, &details), part(&details, &details));
    let regression = power(&kk, -1.0) * &ke;
    let scale = power(&(ee - ke.transpose() * &regression), -0.5);
    let (whiten, restore) = (power(&kk, -0.5), power(&kk, 0.5) * spread);
    let from_averages = -(&regression * &scale);
    let mut entry = DMatrix::zeros(dim, dim);
    let mut exit = DMatrix::identity(dim, dim);
    let place = |rows: &[usize], cols: &[usize], block: &DMatrix<f64>, into: &mut DMatrix<f64>| {
        for (i, &row) in rows.iter().enumerate() {
            for (j, &col) in cols.iter().enumerate() {
                into[(row, col)] = block[(i, j)];
            }
        }
    };
    place(&kept, &kept, &whiten, &mut entry);
    place(&kept, &details, &from_averages, &mut entry);
    place(&details, &details, &scale, &mut entry);
    place(&kept, &kept, &restore, &mut exit);
    let means = split.transpose() * &moments.mean;
    let bias = DVector::from_fn(dim, |j, _| if latent[j] { 0.0 } else { means[j] });
    Maps { entry: centred(split * entry, &moments.mean), exit: Affine { weight: exit, bias } }
}

/// Places of a row's pixels in its block: the checkerboard's even ones first.
fn pixels(block: usize) -> Vec<(usize, usize)> {
    let colour =
        |odd: usize| (0..block * block).map(move |k| (k / block, k % block)).filter(move |(a, b)| (a + b) % 2 == odd);
    colour(0).chain(colour(1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::BlockOrder;
    use crate::logit;
    use burn::backend::Flex;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Smooth random pictures: neighbours are alike, as in photographs.
    fn pictures(config: &RgFlowConfig, count: usize) -> Vec<u8> {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let mut number = || rng.random::<f64>();
        let mut pixels = Vec::new();
        for _ in 0..count {
            for _ in 0..config.channels {
                let (a, b, c, d) = (number() * 6.0, number() * 6.0, number() * 0.6, number() * 0.6);
                pixels.extend((0..config.size * config.size).map(|i| {
                    let (r, q) = ((i / config.size) as f64, (i % config.size) as f64);
                    (128.0 + 50.0 * (a + c * r).sin() + 50.0 * (b + d * q).cos()) as u8
                }));
            }
        }
        pixels
    }

    fn logits(config: &RgFlowConfig, pixels: &[u8]) -> Vec<Vec<f32>> {
        grids(config, &Values::Pixels(pixels.to_vec()), 0)
    }

    #[test]
    fn a_whitened_model_fits_second_moments_and_keeps_the_coarse_image() {
        for order in [BlockOrder::Paper, BlockOrder::Official] {
            let config = RgFlowConfig { linear_maps: true, mean_image: true, order, ..RgFlowConfig::tiny() };
            let pixels = pictures(&config, 300);
            let model = RgFlow::<Flex>::new(&config, 0, &Default::default()).unwrap();
            let mut rng = ChaCha8Rng::seed_from_u64(9);
            let mut noise = || rng.random::<f32>();
            let images: Vec<f32> =
                pixels.chunks(config.dims()).flat_map(|p| logit::image_to_logit(p, &mut noise).0).collect();
            let shape = [300, config.channels, config.size, config.size];
            let x = || Tensor::<Flex, 4>::from_data(TensorData::new(images.clone(), shape), &Default::default());
            let before = model.fold().log_prob(x()).mean().into_scalar();
            let flow = whiten(model, &config, logits(&config, &pixels), &Default::default()).fold();
            let after = flow.log_prob(x()).mean().into_scalar();
            assert!(after > before + 200.0, "{before} {after}");
            let latents = flow.forward(x()).latents;
            let variance = latents.clone().square().mean().into_scalar();
            assert!((variance - 1.0).abs() < 0.15, "{variance}");
            // The image after one RG step is the pooled one.
            let coarse: Vec<f32> = flow.progressive(latents)[1].0.clone().into_data().to_vec().unwrap();
            let expected: Vec<f32> =
                images.chunks(config.dims()).flat_map(|i| pool(i, config.channels, config.size)).collect();
            assert!(coarse.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-3));
        }
    }

    /// Levels that share their maps: the coarse image is the pooled one, spread out to vary as the fine one does.
    #[test]
    fn one_whitening_suits_all_levels_that_share_it() {
        let config = RgFlowConfig { linear_maps: true, ..RgFlowConfig::tiny().shared() };
        let device = Default::default();
        let pixels = pictures(&config, 300);
        let images = logits(&config, &pixels);
        let x = || Tensor::<Flex, 4>::from_data(TensorData::new(images.concat(), [300, 3, 16, 16]), &device);
        let model = RgFlow::<Flex>::new(&config, 0, &device).unwrap();
        let before = model.fold().log_prob(x()).mean().into_scalar();
        let model = whiten(model, &config, images.clone(), &device);
        assert_eq!(model.bijectors.len(), 2);
        let flow = model.fold();
        let after = flow.log_prob(x()).mean().into_scalar();
        assert!(after > before + 200.0, "{before} {after}");
        let (factor, mean) = (spread(&config, &images), average(&images, 3));
        assert!(factor > 1.0 && factor < 1.5, "{factor}");
        let coarse: Vec<f32> = flow.progressive(flow.forward(x()).latents)[1].0.clone().into_data().to_vec().unwrap();
        let expected: Vec<f32> = images.iter().flat_map(|image| pool(image, 3, 16)).collect();
        let channel = |i: usize| mean[i / 64 % 3];
        let off = |(i, (a, b)): (usize, (&f32, &f32))| (a - channel(i) - factor * (b - channel(i))).abs();
        let worst = coarse.iter().zip(&expected).enumerate().map(off).fold(0.0, f32::max);
        assert!(worst < 0.05, "{worst}");
        // Numbers that know nothing of one another, and pictures of one colour.
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let noise: Vec<Vec<f32>> = (0..50).map(|_| (0..768).map(|_| rng.random()).collect()).collect();
        assert!((spread(&config, &noise) - 2.0).abs() < 0.05);
        assert_eq!(spread(&config, &[vec![1.0; 768]]), 1.0);
    }

    #[test]
    fn few_pictures_make_no_others_impossible() {
        let config = RgFlowConfig { linear_maps: true, mean_image: true, ..RgFlowConfig::tiny() };
        let all = pictures(&config, 40);
        let other = all.chunks(config.dims()).skip(20).map(|p| logit::image_to_logit(p, || 0.5));
        let (images, log_det): (Vec<Vec<f32>>, Vec<f32>) = other.unzip();
        let shape = [20, config.channels, config.size, config.size];
        let x = || Tensor::<Flex, 4>::from_data(TensorData::new(images.concat(), shape), &Default::default());
        let bits = |flow: crate::flow::Flow<Flex>| {
            let log_prob = flow.log_prob(x()).mean().into_scalar() + log_det.iter().sum::<f32>() / 20.0;
            logit::bits_per_dim(f64::from(log_prob), config.dims())
        };
        let model = || RgFlow::<Flex>::new(&config, 0, &Default::default()).unwrap();
        let plain = bits(model().fold());
        for count in [1, 2, 5, 20] {
            let few = &all[..count * config.dims()];
            let whitened = bits(whiten(model(), &config, logits(&config, few), &Default::default()).fold());
            assert!(whitened < plain + 1.0, "{count}: {whitened} {plain}");
        }
    }

    #[test]
    fn constant_pictures_do_no_harm() {
        let config = RgFlowConfig { linear_maps: true, ..RgFlowConfig::tiny() };
        let pixels = vec![0; 4 * config.dims()];
        let model = RgFlow::<Flex>::new(&config, 0, &Default::default()).unwrap();
        let flow = whiten(model, &config, logits(&config, &pixels), &Default::default()).fold();
        let x = flow.batch(logit::image_to_logit(&pixels[..config.dims()], || 0.3).0, &Default::default()).unwrap();
        assert!(flow.log_prob(x).into_scalar().is_finite());
    }

    #[test]
    fn a_model_without_maps_stays_as_it_is() {
        let config = RgFlowConfig::tiny();
        let model = RgFlow::<Flex>::random(&config, 0.1, 0, &Default::default()).unwrap();
        let x = model.fold().batch(vec![0.3; config.dims()], &Default::default()).unwrap();
        let before = model.fold().log_prob(x.clone()).into_scalar();
        let same = whiten(model, &config, logits(&config, &vec![7; config.dims()]), &Default::default());
        assert_eq!(same.fold().log_prob(x).into_scalar(), before);
    }
}
