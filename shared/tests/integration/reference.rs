//! The flow by its definition, to compare with: f64, block after block in plain loops over the model's parameters. Of
//! the library's geometry, folding and kernels nothing is used.
//!
//! A latent stands where its pixel stood and level h works on multiples of 2^h alone, so everything happens in place.

use burn::backend::Flex;
use burn::tensor::Tensor;
use shared::nn::{Bijector, InvertibleMap};
use shared::{BlockOrder, LevelConfig, PriorKind, RgFlow, RgFlowConfig};

use crate::numbers::values;

pub struct Reference {
    config: RgFlowConfig,
    mean: Vec<f64>,
    /// Disentangler and decimator of each level, finest first.
    stages: Vec<Block>,
}

/// The bijector of a stage's blocks.
struct Block {
    level: LevelConfig,
    dim: usize,
    entry: Option<Map>,
    linears: Vec<Linear>,
    scale: Vec<f64>,
    exit: Option<Map>,
}

/// x·weight + bias.
struct Map {
    weight: Vec<f64>,
    bias: Vec<f64>,
    inverse: Vec<f64>,
    log_det: f64,
}

/// A linear of all nets, the weight norm applied.
struct Linear {
    inputs: usize,
    outputs: usize,
    alpha: Vec<f64>,
    weight: Vec<f64>,
    bias: Vec<f64>,
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    ToLatents,
    ToImage,
}

impl Reference {
    pub fn new(config: &RgFlowConfig, model: &RgFlow<Flex>) -> Self {
        let mean = model.mean.as_ref().map_or(vec![0.0; config.dims()], |mean| wide(mean.val()));
        let stage = |(i, bijector): (usize, &Bijector<Flex>)| {
            Block::new(config.channels * config.block * config.block, config.levels[i / 2], bijector)
        };
        Self { config: config.clone(), mean, stages: model.bijectors.iter().enumerate().map(stage).collect() }
    }

    /// Latents of an image given as logits, and log |det ∂z/∂x|.
    pub fn forward(&self, x: &[f64]) -> (Vec<f64>, f64) {
        let mut picture: Vec<f64> = x.iter().zip(&self.mean).map(|(x, mean)| x - mean).collect();
        let stages = 0..self.stages.len();
        let log_det = stages.map(|i| self.stage(i, Way::ToLatents, &mut picture)).sum();
        (picture, log_det)
    }

    /// The image of latents.
    pub fn inverse(&self, z: &[f64]) -> Vec<f64> {
        let mut picture = z.to_vec();
        for i in (0..self.stages.len()).rev() {
            self.stage(i, Way::ToImage, &mut picture);
        }
        picture.iter().zip(&self.mean).map(|(x, mean)| x + mean).collect()
    }

    /// Runs a stage on all of its blocks.
    fn stage(&self, index: usize, way: Way, picture: &mut [f64]) -> f64 {
        let RgFlowConfig { size, channels, block: m, order, .. } = self.config;
        let (stride, first) = (1 << (index / 2), index.is_multiple_of(2));
        let n = size / stride;
        let shift = if first == (order == BlockOrder::Paper) { m / 2 } else { 0 };
        let mut log_det = 0.0;
        for top in (0..n).step_by(m) {
            for left in (0..n).step_by(m) {
                let mut places = Vec::new();
                for parity in [0, 1] {
                    for a in 0..m {
                        for b in 0..m {
                            if (a + b) % 2 == parity {
                                let (row, col) = ((top + a + shift) % n * stride, (left + b + shift) % n * stride);
                                places.extend((0..channels).map(|c| (c * size + row) * size + col));
                            }
                        }
                    }
                }
                let mut numbers: Vec<f64> = places.iter().map(|&place| picture[place]).collect();
                log_det += self.stages[index].run(way, &mut numbers);
                places.iter().zip(numbers).for_each(|(&place, number)| picture[place] = number);
            }
        }
        log_det
    }
}

/// log p(x) of what has these latents and this log-determinant.
pub fn log_prob(prior: PriorKind, z: &[f64], log_det: f64) -> f64 {
    let log_density = |z: &f64| match prior {
        PriorKind::Laplace => -(2.0 * 0.5f64.sqrt()).ln() - z.abs() / 0.5f64.sqrt(),
        PriorKind::Gaussian => -0.5 * std::f64::consts::TAU.ln() - 0.5 * z * z,
    };
    z.iter().map(log_density).sum::<f64>() + log_det
}

impl Block {
    fn new(dim: usize, level: LevelConfig, bijector: &Bijector<Flex>) -> Self {
        let linear = |linear: &shared::nn::Linear<Flex>| {
            let [nets, inputs, outputs] = linear.direction.val().dims();
            let (direction, gain) = (wide(linear.direction.val()), wide(linear.gain.val()));
            let mut weight = vec![0.0; direction.len()];
            for net in 0..nets {
                for o in 0..outputs {
                    let at = |i: usize| (net * inputs + i) * outputs + o;
                    let norm = (0..inputs).map(|i| direction[at(i)].powi(2)).sum::<f64>().sqrt();
                    (0..inputs).for_each(|i| weight[at(i)] = gain[net * outputs + o] * direction[at(i)] / norm);
                }
            }
            Linear { inputs, outputs, alpha: wide(linear.alpha.val()), weight, bias: wide(linear.bias.val()) }
        };
        Self {
            level,
            dim,
            entry: bijector.entry.as_ref().map(Map::new),
            linears: bijector.linears.iter().map(linear).collect(),
            scale: wide(bijector.scale.val()),
            exit: bijector.exit.as_ref().map(Map::new),
        }
    }

    fn run(&self, way: Way, x: &mut [f64]) -> f64 {
        let maps_log_det: f64 = [&self.entry, &self.exit].into_iter().flatten().map(|map| map.log_det).sum();
        match way {
            Way::ToLatents => {
                self.entry.iter().for_each(|map| map.forward(x));
                let log_det = self.couplings(way, x);
                self.exit.iter().for_each(|map| map.forward(x));
                log_det + maps_log_det
            }
            Way::ToImage => {
                self.exit.iter().for_each(|map| map.inverse(x));
                let log_det = self.couplings(way, x);
                self.entry.iter().for_each(|map| map.inverse(x));
                log_det - maps_log_det
            }
        }
    }

    /// In each layer the odd half from the even one, then the even half from the odd one, by the same nets.
    fn couplings(&self, way: Way, x: &mut [f64]) -> f64 {
        let half = self.dim / 2;
        let mut steps: Vec<(usize, bool)> =
            (0..self.level.layers).flat_map(|layer| [(layer, true), (layer, false)]).collect();
        if way == Way::ToImage {
            steps.reverse();
        }
        let mut log_det = 0.0;
        for (layer, from_even) in steps {
            let given = |i: usize| (i < half) == from_even;
            let input: Vec<f64> = (0..self.dim).map(|i| if given(i) { x[i] } else { 0.0 }).collect();
            let [s, t] = [2 * layer, 2 * layer + 1].map(|net| self.net(net, &input));
            for i in (0..self.dim).filter(|&i| !given(i)) {
                let s = s[i].tanh();
                match way {
                    Way::ToLatents => (x[i], log_det) = (x[i] * s.exp() + t[i], log_det + s),
                    Way::ToImage => (x[i], log_det) = ((x[i] - t[i]) * (-s).exp(), log_det - s),
                }
            }
        }
        log_det
    }

    fn net(&self, net: usize, input: &[f64]) -> Vec<f64> {
        let mut stream = input.to_vec();
        for linears in self.linears.chunks(self.level.mlp + 1) {
            let change = linears.iter().fold(stream.clone(), |x, linear| linear.run(net, &x));
            stream = stream.iter().zip(change).map(|(x, f)| (x + f) / 2f64.sqrt()).collect();
        }
        stream.iter().enumerate().map(|(i, x)| x * self.scale[net * self.dim + i]).collect()
    }
}

impl Linear {
    /// Swish, then the linear.
    fn run(&self, net: usize, x: &[f64]) -> Vec<f64> {
        let mut y = self.bias[net * self.outputs..][..self.outputs].to_vec();
        for (i, x) in x.iter().enumerate() {
            let active = x / (1.0 + (-self.alpha[net * self.inputs + i] * x).exp());
            let weights = &self.weight[(net * self.inputs + i) * self.outputs..][..self.outputs];
            y.iter_mut().zip(weights).for_each(|(y, w)| *y += active * w);
        }
        y
    }
}

impl Map {
    fn new(map: &InvertibleMap<Flex>) -> Self {
        let (weight, bias) = (wide(map.weight.val()), wide(map.bias.val()));
        let (inverse, log_det) = invert(&weight, bias.len());
        Self { weight, bias, inverse, log_det }
    }

    fn forward(&self, x: &mut [f64]) {
        let y = times(x, &self.weight);
        x.iter_mut().zip(y).zip(&self.bias).for_each(|((x, y), b)| *x = y + b);
    }

    fn inverse(&self, x: &mut [f64]) {
        x.iter_mut().zip(&self.bias).for_each(|(x, b)| *x -= b);
        let y = times(x, &self.inverse);
        x.copy_from_slice(&y);
    }
}

/// x·W, W row by row.
fn times(x: &[f64], weight: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; x.len()];
    for (x, row) in x.iter().zip(weight.chunks(x.len())) {
        y.iter_mut().zip(row).for_each(|(y, w)| *y += x * w);
    }
    y
}

/// Inverse and log |det| by Gauss-Jordan elimination with pivots.
fn invert(matrix: &[f64], n: usize) -> (Vec<f64>, f64) {
    let unit = |r: usize| (0..n).map(move |c| f64::from(u8::from(r == c)));
    let mut rows: Vec<Vec<f64>> =
        (0..n).map(|r| matrix[r * n..(r + 1) * n].iter().copied().chain(unit(r)).collect()).collect();
    let mut log_det = 0.0;
    for k in 0..n {
        let pivot = (k..n).max_by(|&i, &j| rows[i][k].abs().total_cmp(&rows[j][k].abs())).unwrap();
        rows.swap(k, pivot);
        log_det += rows[k][k].abs().ln();
        let own: Vec<f64> = rows[k].iter().map(|v| v / rows[k][k]).collect();
        for (r, row) in rows.iter_mut().enumerate() {
            let factor = row[k];
            if r != k {
                row.iter_mut().zip(&own).for_each(|(v, o)| *v -= factor * o);
            }
        }
        rows[k] = own;
    }
    (rows.iter().flat_map(|row| row[n..].to_vec()).collect(), log_det)
}

fn wide<const D: usize>(tensor: Tensor<Flex, D>) -> Vec<f64> {
    values(tensor).into_iter().map(f64::from).collect()
}
