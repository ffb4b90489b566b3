//! The convolutional residual net of a coupling.

use burn::module::{Module, Param};
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Tensor, TensorData};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::config::Coupling;

/// A convolution that keeps the image's size.
#[derive(Module, Debug)]
pub struct Conv<B: Backend> {
    /// `[outputs, inputs, k, k]`
    pub weight: Param<Tensor<B, 4>>,
    /// `[outputs]`
    pub bias: Param<Tensor<B, 1>>,
}

impl<B: Backend> Conv<B> {
    /// Weights uniform in ±√(3·`gain`/fan_in): zero if the gain is zero.
    fn new(shape: [usize; 4], gain: f32, rng: &mut ChaCha8Rng, device: &B::Device) -> Self {
        let [outputs, inputs, height, width] = shape;
        let bound = (gain * 3.0 / (inputs * height * width) as f32).sqrt();
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| bound * (2.0 * rng.random::<f32>() - 1.0)).collect();
        Self {
            weight: Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), device)),
            bias: Param::from_tensor(Tensor::zeros([outputs], device)),
        }
    }

    fn run(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        let weight = self.weight.val();
        let padding = weight.dims()[2] / 2;
        let options = ConvOptions::new([1, 1], [padding, padding], [1, 1], 1);
        conv2d(x, weight, Some(self.bias.val()), options)
    }
}

/// A residual block of two convolutions, activation before each.
#[derive(Module, Debug)]
pub struct ResBlock<B: Backend> {
    /// The first.
    pub first: Conv<B>,
    /// The second.
    pub second: Conv<B>,
}

/// The net of a coupling: log-scales s and shifts t from the numbers that the coupling keeps.
#[derive(Module, Debug)]
pub struct CouplingNet<B: Backend> {
    /// From the image's channels to the hidden ones.
    pub entry: Conv<B>,
    /// On the hidden channels.
    pub blocks: Vec<ResBlock<B>>,
    /// To s and t; starts at zero, so that a new model is the identity.
    pub exit: Conv<B>,
    /// Bound on |s| for each channel.
    pub scale: Param<Tensor<B, 1>>,
}

impl<B: Backend> CouplingNet<B> {
    /// A new net of a coupling's shape.
    pub fn new(coupling: &Coupling, rng: &mut ChaCha8Rng, device: &B::Device) -> Self {
        let (channels, hidden) = (coupling.channels, coupling.scale.hidden);
        let inner = |rng: &mut ChaCha8Rng| Conv::new([hidden, hidden, 3, 3], 1.0, rng, device);
        let block = |rng: &mut ChaCha8Rng| ResBlock { first: inner(rng), second: inner(rng) };
        Self {
            entry: Conv::new([hidden, channels, 3, 3], 1.0, rng, device),
            blocks: (0..coupling.scale.res_blocks).map(|_| block(rng)).collect(),
            exit: Conv::new([2 * channels, hidden, 1, 1], 0.0, rng, device),
            scale: Param::from_tensor(Tensor::ones([channels], device)),
        }
    }

    /// s and t.
    ///
    /// # Shapes
    /// - kept: `[batch, channels, n, n]`; output: two of the same
    pub fn run(&self, kept: Tensor<B, 4>) -> [Tensor<B, 4>; 2] {
        let channels = kept.dims()[1];
        let mut stream = self.entry.run(kept);
        for block in &self.blocks {
            let change = block.second.run(relu(block.first.run(relu(stream.clone()))));
            stream = (stream + change) * std::f64::consts::FRAC_1_SQRT_2;
        }
        let output = self.exit.run(relu(stream));
        let scale = self.scale.val().reshape([1, channels, 1, 1]);
        [output.clone().narrow(1, 0, channels).tanh() * scale, output.narrow(1, channels, channels)]
    }
}
