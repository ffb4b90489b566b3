//! A set of test pictures that samples are compared with, and what they score.

use nalgebra::DMatrix;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::gaussian::{Gaussian, Manifold};
use super::swd::Patches;
use crate::data::ImageSet;
use crate::pca::Pca;

/// Principal components of the Fréchet distance.
const COMPONENTS: usize = 64;
/// Components in which neighbours are looked for: of these few, distances still tell something.
const NEIGHBOUR_COMPONENTS: usize = 32;
/// Training pictures whose principal components are taken.
const BASIS_PICTURES: usize = 6000;

/// What a set of pictures scores against a reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// 1000 × the sliced Wasserstein distance of patches at each scale, finest first, with the scale's edge in pixels.
    pub swd: Vec<(usize, f64)>,
    /// Fréchet distance on the principal components of pixels in [−1, 1].
    pub frechet: f64,
    /// The same with each component divided by its standard deviation.
    pub frechet_white: f64,
    /// The share of the pictures that lie where the reference's do.
    pub precision: f64,
    /// The share of the reference's pictures that lie where these do.
    pub recall: f64,
}

impl Scores {
    /// The mean of the distances by scale.
    pub fn swd_mean(&self) -> f64 {
        self.swd.iter().map(|(_, distance)| distance).sum::<f64>() / self.swd.len().max(1) as f64
    }
}

/// Test pictures that others are compared with.
pub struct Reference {
    basis: Pca,
    patches: Patches,
    gaussian: Gaussian,
    white: Gaussian,
    manifold: Manifold,
    count: usize,
}

impl Reference {
    /// The first `count` test pictures, mirrored with probability ½ if `mirrored`, in the space of the training
    /// pictures' principal components. Both sets have at least two pictures.
    pub fn new(train: &ImageSet, test: &ImageSet, count: usize, mirrored: bool) -> Self {
        let basis_pictures: Vec<&[u8]> = train.iter().take(BASIS_PICTURES).collect();
        let basis = Pca::fit(&basis_pictures, COMPONENTS);
        let count = count.min(test.len());
        let picked = pick(test, &(0..count).collect::<Vec<_>>(), mirrored);
        let pictures: Vec<&[u8]> = picked.chunks_exact(test.image_len()).collect();
        let (codes, white) = codes(&basis, &pictures);
        Self {
            patches: Patches::new(&pictures, test.size),
            gaussian: Gaussian::of(&codes),
            manifold: Manifold::of(first(&white)),
            white: Gaussian::of(&white),
            basis,
            count,
        }
    }

    /// How many pictures there are: as many are to be compared.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The scores of planar pictures, `[channels, size, size]`; as many as there are here.
    pub fn score(&self, pictures: &[&[u8]]) -> Scores {
        let (codes, white) = codes(&self.basis, pictures);
        let manifold = Manifold::of(first(&white));
        Scores {
            swd: self.patches.distances(pictures),
            frechet: self.gaussian.frechet(&Gaussian::of(&codes)),
            frechet_white: self.white.frechet(&Gaussian::of(&white)),
            precision: self.manifold.holds(&manifold),
            recall: manifold.holds(&self.manifold),
        }
    }

    /// What training pictures score, picked at random: the best that a model can be expected to reach.
    pub fn floor(&self, train: &ImageSet, mirrored: bool) -> Scores {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let picked = rand::seq::index::sample(&mut rng, train.len(), self.count.min(train.len())).into_vec();
        let pixels = pick(train, &picked, mirrored);
        self.score(&pixels.chunks_exact(train.image_len()).collect::<Vec<_>>())
    }
}

/// Pictures one after the other, each mirrored with probability ½ if wanted.
fn pick(set: &ImageSet, indexes: &[usize], mirrored: bool) -> Vec<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let flips: Vec<bool> = indexes.iter().map(|_| mirrored && rng.random()).collect();
    set.gather(indexes, &flips)
}

/// Coefficients `[components, pictures]`, of pixels in [−1, 1], and the same over their standard deviations.
fn codes(basis: &Pca, pictures: &[&[u8]]) -> (DMatrix<f64>, DMatrix<f64>) {
    /// Grey levels in a unit of pixels in [−1, 1].
    const UNIT: f64 = 127.5;
    let codes = basis.codes(pictures).map(f64::from);
    let white =
        DMatrix::from_fn(codes.nrows(), codes.ncols(), |k, i| codes[(k, i)] / f64::from(basis.variances()[k]).sqrt());
    (codes / UNIT, white)
}

fn first(white: &DMatrix<f64>) -> DMatrix<f64> {
    white.rows(0, NEIGHBOUR_COMPONENTS.min(white.nrows())).into_owned()
}

#[cfg(test)]
mod tests;
