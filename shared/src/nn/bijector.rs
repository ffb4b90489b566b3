//! The trainable bijector: the weight-normed residual nets of all coupling layers, stacked, between two maps.

use burn::module::{Module, Param};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData, TensorPrimitive, read_sync};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::couplings::{Couplings, FoldedLinear};
use super::folded::FoldedBijector;
use super::linear_map::InvertibleMap;
use super::places::Places;
use crate::backend::FlowBackend;
use crate::read::numbers;
use crate::shape::StageShape;

/// One layer of all nets of a bijector: swish with a learnable slope, then a weight-normed linear layer (Salimans &
/// Kingma 2016).
///
/// # Shapes
/// The first index is the net: 2·layer for s, 2·layer + 1 for t.
#[derive(Module, Debug)]
pub struct Linear<B: Backend> {
    /// Swish slopes α, `[nets, inputs]`.
    pub alpha: Param<Tensor<B, 2>>,
    /// Directions v, `[nets, inputs, outputs]`.
    pub direction: Param<Tensor<B, 3>>,
    /// Gains g, `[nets, outputs]`: the weights are g·v/‖v‖, the norm taken over the inputs.
    pub gain: Param<Tensor<B, 2>>,
    /// Biases, `[nets, outputs]`.
    pub bias: Param<Tensor<B, 2>>,
}

impl<B: FlowBackend> Linear<B> {
    fn new(nets: usize, inputs: usize, outputs: usize, rng: &mut ChaCha8Rng, device: &B::Device) -> Self {
        // From `rng`: Burn's own generator is global to the process, and two models made at once would share its
        // numbers.
        let bound = (2.81 * 3.0 / inputs as f32).sqrt();
        let direction = (0..nets * inputs * outputs).map(|_| bound * (2.0 * rng.random::<f32>() - 1.0)).collect();
        let direction = Tensor::<B, 3>::from_data(TensorData::new(direction, [nets, inputs, outputs]), device);
        Self {
            gain: Param::from_tensor(norm(direction.clone())),
            direction: Param::from_tensor(direction),
            alpha: Param::from_tensor(Tensor::ones([nets, inputs], device)),
            bias: Param::from_tensor(Tensor::zeros([nets, outputs], device)),
        }
    }

    /// Applies the weight norm.
    fn fold(&self) -> FoldedLinear<B> {
        let weight = weight_norm(self.direction.val(), self.gain.val());
        FoldedLinear { alpha: self.alpha.val(), weight, bias: self.bias.val() }
    }
}

fn weight_norm<B: FlowBackend>(direction: Tensor<B, 3>, gain: Tensor<B, 2>) -> Tensor<B, 3> {
    match B::kernels() {
        Some(kernels) => {
            let (v, g) = (direction.into_primitive().tensor(), gain.into_primitive().tensor());
            Tensor::from_primitive(TensorPrimitive::Float(kernels.weight_norm(v, g)))
        }
        None => norm_weights(direction, gain),
    }
}

/// The weight norm in plain tensor operations; arguments as [`crate::backend::Kernels::weight_norm`]'s.
fn norm_weights<B: Backend>(direction: Tensor<B, 3>, gain: Tensor<B, 2>) -> Tensor<B, 3> {
    let factor = gain / norm(direction.clone());
    direction * factor.unsqueeze_dim(1)
}

/// Norm over the inputs: `[nets, inputs, outputs]` to `[nets, outputs]`.
fn norm<B: Backend>(direction: Tensor<B, 3>) -> Tensor<B, 2> {
    direction.square().sum_dim(1).sqrt().squeeze_dim(1)
}

/// `layers` coupling layers (Real NVP, appendix A) on rows of `dim` numbers, between two maps if wanted.
///
/// Each layer has one pair of nets (s, t) that serves both half-steps. A new bijector is the identity.
#[derive(Module, Debug)]
pub struct Bijector<B: Backend> {
    /// The map before the couplings, if the configuration has maps.
    pub entry: Option<InvertibleMap<B>>,
    /// The layers of all nets: residual block by residual block, mlp + 1 in each.
    pub linears: Vec<Linear<B>>,
    /// Factor of each of the nets' outputs, `[nets, outputs]`; starts at 0.
    pub scale: Param<Tensor<B, 2>>,
    /// The map after the couplings.
    pub exit: Option<InvertibleMap<B>>,
    /// Features of the places of its blocks, `[blocks, features]`, if the configuration has them.
    pub places: Option<Param<Tensor<B, 2>>>,
    #[module(skip)]
    shape: StageShape,
}

impl<B: FlowBackend> Bijector<B> {
    /// A new bijector, its directions and its places' features drawn from `rng`.
    pub fn new(shape: &StageShape, rng: &mut ChaCha8Rng, device: &B::Device) -> Self {
        let StageShape { dim, blocks, maps, features, couplings } = *shape;
        let nets = couplings.nets();
        let linears = couplings.linears().iter().map(|l| Linear::new(nets, l.inputs, l.outputs, rng, device)).collect();
        let map = || maps.then(|| InvertibleMap::new(dim, device));
        let places = (features > 0).then(|| {
            let values = (0..blocks * features).map(|_| 2.0 * rng.random::<f32>() - 1.0).collect();
            Param::from_tensor(Tensor::from_data(TensorData::new(values, [blocks, features]), device))
        });
        Self {
            entry: map(),
            linears,
            scale: Param::from_tensor(Tensor::zeros([nets, couplings.outputs()], device)),
            exit: map(),
            places,
            shape: *shape,
        }
    }

    /// W of its maps, `[dim²]` each.
    pub fn map_weights(&self) -> impl Iterator<Item = Tensor<B, 1>> {
        [&self.entry, &self.exit].into_iter().flatten().map(|map| map.weight.val().flatten(0, 1))
    }

    /// Applies the weight norm and inverts the maps; gradients of what the result computes reach these parameters.
    ///
    /// # Panics
    /// In a browser, if there are maps on a GPU: see [`Bijector::fold_with`].
    pub fn fold(&self) -> FoldedBijector<B> {
        self.fold_with(&mut read_sync(numbers(self.map_weights())).into_iter())
    }

    /// [`Bijector::fold`] where the numbers of [`Bijector::map_weights`] were read already.
    pub fn fold_with(&self, weights: &mut impl Iterator<Item = Vec<f32>>) -> FoldedBijector<B> {
        let couplings = Couplings {
            shape: self.shape.couplings,
            linears: self.linears.iter().map(Linear::fold).collect(),
            scale: self.scale.val(),
        };
        let [entry, exit] =
            [&self.entry, &self.exit].map(|map| map.as_ref().and_then(|map| Some(map.fold(&weights.next()?))));
        let places = self.places.as_ref().map(|features| Places { features: features.val() });
        FoldedBijector::new(&self.shape, entry, couplings, exit, places)
    }
}
