//! The sliced Wasserstein distance of patches, scale by scale (Karras et al. 2018, section 5).

use nalgebra::DMatrix;
use rand::seq::index::sample;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::pyramid::{Band, bands, edges};

/// Pixels along a patch.
const PATCH: usize = 7;
/// Patches of one scale of one picture.
const PATCHES: usize = 16;
/// Directions onto which patches are projected.
const DIRECTIONS: usize = 256;
/// What distances are multiplied by, so that they are read without decimals.
const UNIT: f64 = 1000.0;

/// The patches of one scale of the reference, projected, and how to project others.
#[derive(Debug)]
struct Scale {
    edge: usize,
    /// Mean and standard deviation of each channel of the reference's patches.
    channels: Vec<[f32; 2]>,
    /// Unit vectors, `[DIRECTIONS, channels·patch²]`.
    directions: DMatrix<f32>,
    /// For each direction the reference's projections, in order.
    sorted: Vec<Vec<f32>>,
}

/// A set of pictures that others are compared with.
#[derive(Debug)]
pub struct Patches {
    size: usize,
    scales: Vec<Scale>,
}

/// Patches `[channels·patch², patches]` of one scale of all pictures. Picture i is cut at the same places in every set.
fn cut(pictures: &[Vec<Band>], scale: usize, seed: u64) -> DMatrix<f32> {
    let edge = pictures[0][scale].edge;
    let (patch, plane) = (PATCH.min(edge), edge * edge);
    let channels = pictures[0][scale].values.len() / plane;
    let along = edge - patch + 1;
    let columns: Vec<Vec<f32>> = pictures
        .par_iter()
        .enumerate()
        .map(|(i, bands)| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(i as u64);
            let places = sample(&mut rng, along * along, PATCHES.min(along * along));
            let values = &bands[scale].values;
            let numbers = places.into_iter().flat_map(|place| {
                let (top, left) = (place / along, place % along);
                (0..channels * patch * patch).map(move |k| {
                    let (channel, row, col) = (k / (patch * patch), k / patch % patch, k % patch);
                    values[channel * plane + (top + row) * edge + left + col]
                })
            });
            numbers.collect()
        })
        .collect();
    DMatrix::from_vec(
        channels * patch * patch,
        columns.iter().map(Vec::len).sum::<usize>() / (channels * patch * patch),
        columns.concat(),
    )
}

fn unit_directions(dims: usize, seed: u64) -> DMatrix<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // Box and Muller's normal numbers have no direction of their own.
    let mut normal = || {
        let (radius, angle) = (1.0 - rng.random::<f32>(), rng.random::<f32>());
        (-2.0 * radius.ln()).sqrt() * (std::f32::consts::TAU * angle).cos()
    };
    let mut directions = DMatrix::from_fn(DIRECTIONS, dims, |_, _| normal());
    directions.row_iter_mut().for_each(|mut row| {
        let norm = row.norm();
        row /= norm;
    });
    directions
}

impl Scale {
    fn new(pictures: &[Vec<Band>], scale: usize) -> Self {
        let mut patches = cut(pictures, scale, scale as u64);
        let edge = pictures[0][scale].edge;
        let area = PATCH.min(edge).pow(2);
        let channels: Vec<[f32; 2]> = (0..patches.nrows() / area)
            .map(|c| {
                let rows = patches.rows(c * area, area);
                let mean = rows.mean();
                // A channel that does not vary is left as it is.
                [mean, rows.variance().sqrt().max(1e-6)]
            })
            .collect();
        let directions = unit_directions(patches.nrows(), scale as u64);
        standardise(&mut patches, &channels, area);
        let sorted = project(&directions, &patches);
        Self { edge, channels, directions, sorted }
    }

    fn distance(&self, pictures: &[Vec<Band>], scale: usize) -> f64 {
        let mut patches = cut(pictures, scale, scale as u64);
        standardise(&mut patches, &self.channels, PATCH.min(self.edge).pow(2));
        let sorted = project(&self.directions, &patches);
        let one = |(a, b): (&Vec<f32>, &Vec<f32>)| {
            a.iter().zip(b).map(|(a, b)| f64::from((a - b).abs())).sum::<f64>() / a.len() as f64
        };
        UNIT * self.sorted.iter().zip(&sorted).map(one).sum::<f64>() / self.sorted.len() as f64
    }
}

fn standardise(patches: &mut DMatrix<f32>, channels: &[[f32; 2]], area: usize) {
    for mut patch in patches.column_iter_mut() {
        patch.iter_mut().enumerate().for_each(|(k, v)| {
            let [mean, deviation] = channels[k / area];
            *v = (*v - mean) / deviation;
        });
    }
}

/// The projections onto each direction, in order.
fn project(directions: &DMatrix<f32>, patches: &DMatrix<f32>) -> Vec<Vec<f32>> {
    let projected = (directions * patches).transpose();
    let mut columns: Vec<Vec<f32>> = projected.column_iter().map(|column| column.iter().copied().collect()).collect();
    columns.par_iter_mut().for_each(|column| column.sort_unstable_by(f32::total_cmp));
    columns
}

impl Patches {
    /// The patches of the reference; all pictures are planar, of that edge, and there is at least one.
    pub fn new(pictures: &[&[u8]], size: usize) -> Self {
        let pyramids = pyramids(pictures, size);
        let scales = (0..edges(size).len()).map(|scale| Scale::new(&pyramids, scale)).collect();
        Self { size, scales }
    }

    /// The distance of as many other pictures at each scale, finest first, with the scale's edge.
    pub fn distances(&self, pictures: &[&[u8]]) -> Vec<(usize, f64)> {
        let pyramids = pyramids(pictures, self.size);
        let one = |(i, scale): (usize, &Scale)| (scale.edge, scale.distance(&pyramids, i));
        self.scales.iter().enumerate().map(one).collect()
    }
}

fn pyramids(pictures: &[&[u8]], size: usize) -> Vec<Vec<Band>> {
    pictures.par_iter().map(|picture| bands(picture, size)).collect()
}
