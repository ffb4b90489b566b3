//! A Real NVP as a bijection.

use burn::tensor::{Tensor, TensorData};

use super::config::{Coupling, RealNvpConfig, Step};
use super::net::CouplingNet;
use crate::backend::FlowBackend;
use crate::config::PriorKind;
use crate::image_flow::{Encoded, EncodedByLevel, ImageFlow};
use crate::shape::Direction;

/// A Real NVP ready to run.
///
/// Its latents have the shape of a picture but are not one: in flat order, those that stayed behind first come first.
#[derive(Clone, Debug)]
pub struct RealNvpFlow<B: FlowBackend> {
    config: RealNvpConfig,
    stages: Vec<Stage<B>>,
}

#[derive(Clone, Debug)]
enum Stage<B: FlowBackend> {
    Couple {
        net: Box<CouplingNet<B>>,
        /// 1 where a number is kept, `[1, channels, n, n]`.
        kept: Tensor<B, 4>,
    },
    Squeeze,
    Split,
}

impl<B: FlowBackend> RealNvpFlow<B> {
    /// From the couplings' nets in the order of [`RealNvpConfig::couplings`].
    pub fn new(config: &RealNvpConfig, nets: Vec<CouplingNet<B>>) -> Self {
        let device = nets.first().map(|net| net.scale.val().device()).unwrap_or_default();
        let mut nets = nets.into_iter();
        let stage = |step| match step {
            Step::Couple(coupling) => {
                nets.next().map(|net| Stage::Couple { net: Box::new(net), kept: kept(&coupling, &device) })
            }
            Step::Squeeze => Some(Stage::Squeeze),
            Step::Split(_) => Some(Stage::Split),
        };
        Self { config: config.clone(), stages: config.steps().into_iter().filter_map(stage).collect() }
    }

    /// The architecture.
    pub fn config(&self) -> &RealNvpConfig {
        &self.config
    }

    /// Images through all scales, finest first.
    fn pass(&self, mut x: Tensor<B, 4>) -> Vec<Scale<B>> {
        let (mut scales, mut changes) = (Vec::new(), Vec::new());
        for stage in &self.stages {
            x = match stage {
                Stage::Couple { net, kept } => {
                    let (x, change) = couple(net, kept, Direction::Forward, x);
                    changes.push(change);
                    x
                }
                Stage::Squeeze => squeeze(x),
                Stage::Split => {
                    let half = x.dims()[1] / 2;
                    let latents = x.clone().narrow(1, half, half).flatten(1, 3);
                    scales.push(Scale { changes: std::mem::take(&mut changes), latents });
                    x.narrow(1, 0, half)
                }
            };
        }
        scales.push(Scale { changes, latents: x.flatten(1, 3) });
        scales
    }
}

/// What the flow leaves at a scale.
struct Scale<B: FlowBackend> {
    /// The couplings' log-determinants, `[batch]` each.
    changes: Vec<Tensor<B, 1>>,
    /// What stays behind, `[batch, latents]`.
    latents: Tensor<B, 2>,
}

impl<B: FlowBackend> ImageFlow<B> for RealNvpFlow<B> {
    fn image_shape(&self) -> [usize; 2] {
        [self.config.channels, self.config.size]
    }

    fn prior(&self) -> PriorKind {
        self.config.prior
    }

    fn latent_levels(&self) -> Vec<usize> {
        self.config.latent_levels()
    }

    /// All of them: the model is globally connected.
    fn reached_latents(&self, _: &[(usize, usize)]) -> Vec<usize> {
        (0..self.config.dims()).collect()
    }

    fn forward(&self, x: Tensor<B, 4>) -> Encoded<B> {
        let dims = x.dims();
        let mut log_det = Tensor::zeros([dims[0]], &x.device());
        let mut latents = Vec::new();
        for scale in self.pass(x) {
            log_det = scale.changes.into_iter().fold(log_det, |sum, change| sum + change);
            latents.push(scale.latents);
        }
        Encoded { latents: Tensor::cat(latents, 1).reshape(dims), log_det }
    }

    fn forward_by_level(&self, x: Tensor<B, 4>) -> EncodedByLevel<B> {
        let dims = x.dims();
        let (mut parts, mut latents) = (Vec::new(), Vec::new());
        for scale in self.pass(x) {
            let log_prior = self.config.prior.log_prob(scale.latents.clone());
            parts.push(scale.changes.into_iter().fold(log_prior, |sum, change| sum + change).unsqueeze_dim(1));
            latents.push(scale.latents);
        }
        EncodedByLevel { latents: Tensor::cat(latents, 1).reshape(dims), log_prob: Tensor::cat(parts, 1) }
    }

    fn inverse(&self, latents: Tensor<B, 4>) -> (Tensor<B, 4>, Tensor<B, 1>) {
        let dims = latents.dims();
        let (batch, total) = (dims[0], self.config.dims());
        let mut log_det = Tensor::zeros([batch], &latents.device());
        let latents = latents.reshape([batch, total]);
        let top = self.config.scales.len() - 1;
        let (mut channels, mut edge) = (self.config.channels << top, self.config.size >> top);
        // The latents from `start` on have been put back.
        let mut start = total - channels * edge * edge;
        let mut x = latents.clone().narrow(1, start, total - start).reshape([batch, channels, edge, edge]);
        for stage in self.stages.iter().rev() {
            x = match stage {
                Stage::Couple { net, kept } => {
                    let (x, change) = couple(net, kept, Direction::Inverse, x);
                    log_det = log_det + change;
                    x
                }
                Stage::Squeeze => {
                    (channels, edge) = (channels / 4, edge * 2);
                    unsqueeze(x)
                }
                Stage::Split => {
                    let len = channels * edge * edge;
                    start -= len;
                    let stayed = latents.clone().narrow(1, start, len).reshape([batch, channels, edge, edge]);
                    channels *= 2;
                    Tensor::cat(vec![x, stayed], 1)
                }
            };
        }
        (x, log_det)
    }
}

/// A coupling, with this direction's log-determinant `[batch]`.
fn couple<B: FlowBackend>(
    net: &CouplingNet<B>,
    kept: &Tensor<B, 4>,
    direction: Direction,
    x: Tensor<B, 4>,
) -> (Tensor<B, 4>, Tensor<B, 1>) {
    let given = x.clone() * kept.clone();
    let moved = kept.clone().neg() + 1.0;
    let [s, t] = net.run(given.clone()).map(|output| output * moved.clone());
    // Where s and t are zero, on what is kept, both directions are the identity.
    let log_det = s.clone().flatten::<2>(1, 3).sum_dim(1).squeeze_dim::<1>(1);
    match direction {
        Direction::Forward => (x * s.exp() + t, log_det),
        Direction::Inverse => ((x - t) * s.neg().exp(), log_det.neg()),
    }
}

/// `[batch, C, n, n]` to `[batch, 4C, n/2, n/2]`.
fn squeeze<B: FlowBackend>(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let [batch, channels, height, width] = x.dims();
    x.reshape([batch, channels, height / 2, 2, width / 2, 2]).permute([0, 3, 5, 1, 2, 4]).reshape([
        batch,
        4 * channels,
        height / 2,
        width / 2,
    ])
}

fn unsqueeze<B: FlowBackend>(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let [batch, channels, height, width] = x.dims();
    x.reshape([batch, 2, 2, channels / 4, height, width]).permute([0, 3, 4, 1, 5, 2]).reshape([
        batch,
        channels / 4,
        2 * height,
        2 * width,
    ])
}

fn kept<B: FlowBackend>(coupling: &Coupling, device: &B::Device) -> Tensor<B, 4> {
    let (channels, n) = (coupling.channels, coupling.edge);
    let keeps = |i: usize| coupling.mask.keeps(channels, i / (n * n), i / n % n, i % n);
    let values: Vec<f32> = (0..channels * n * n).map(|i| f32::from(u8::from(keeps(i)))).collect();
    Tensor::from_data(TensorData::new(values, [1, channels, n, n]), device)
}
