//! A bijector ready to run, in the form that its backend is quickest with.

#[cfg(feature = "autodiff")]
use burn::backend::Autodiff;
use burn::tensor::{Tensor, TensorPrimitive};

use super::{BijectorShape, Layered, LinearMap};
use crate::backend::{Direction, FlowBackend, Kernels};

/// A bijector's weights with the weight norm applied, as the weights file has them.
#[derive(Clone, Debug)]
pub struct BijectorWeights<B: FlowBackend> {
    /// The linear map before the couplings, if there is one.
    pub entry: Option<LinearMap<B>>,
    /// The couplings' nets.
    pub couplings: Layered<B>,
    /// The linear map after the couplings.
    pub exit: Option<LinearMap<B>>,
}

/// A bijector ready to run.
#[derive(Clone, Debug)]
pub struct FoldedBijector<B: FlowBackend> {
    shape: BijectorShape,
    entry: Option<LinearMap<B>>,
    weights: Weights<B>,
    exit: Option<LinearMap<B>>,
    /// The linear maps' log-determinants together, `[1]`.
    maps_log_det: Option<Tensor<B, 1>>,
}

#[derive(Clone, Debug)]
enum Weights<B: FlowBackend> {
    /// For the backend's own kernel: one vector.
    Flat(Tensor<B, 1>),
    /// The same with the linear maps in it, of both directions.
    Joined(Tensor<B, 1>),
    /// For tensor operations.
    Layered(Layered<B>),
}

/// The backend's kernels, if they run bijectors of this shape: affine couplings alone, and not all of them.
fn kernels<B: FlowBackend>(shape: &BijectorShape) -> Option<&'static dyn Kernels<B>> {
    B::kernels().filter(|kernels| shape.coupling.is_affine() && kernels.takes(shape))
}

#[cfg(feature = "autodiff")]
impl<B: FlowBackend> FoldedBijector<B> {
    /// The same bijector, of the same memory, on the backend that takes gradients.
    pub fn with_gradients(&self) -> FoldedBijector<Autodiff<B>> {
        let map = |map: &Option<LinearMap<B>>| map.as_ref().map(LinearMap::with_gradients);
        let weights = match &self.weights {
            // A kernel need not have a gradient, and none has that of the linear maps.
            Weights::Flat(theta) | Weights::Joined(theta) => match kernels::<Autodiff<B>>(&self.shape) {
                Some(_) => Weights::Flat(Tensor::from_inner(theta.clone().narrow(0, 0, self.shape.len()))),
                None => Weights::Layered(Layered::from_flat(&self.shape, theta).with_gradients()),
            },
            Weights::Layered(layered) => Weights::Layered(layered.with_gradients()),
        };
        let maps_log_det = self.maps_log_det.clone().map(Tensor::from_inner);
        FoldedBijector { shape: self.shape, entry: map(&self.entry), weights, exit: map(&self.exit), maps_log_det }
    }
}

impl<B: FlowBackend> FoldedBijector<B> {
    /// Takes the weights in the form that the backend wants.
    pub fn new(bijector: BijectorWeights<B>) -> Self {
        let BijectorWeights { entry, couplings, exit } = bijector;
        let shape = couplings.shape;
        let weights = match (kernels::<B>(&shape), &entry, &exit) {
            (Some(kernels), Some(entry), Some(exit)) if kernels.joins_maps() => {
                let [forward, inverse] = [Direction::Forward, Direction::Inverse];
                let forward = [entry.flatten(forward), exit.flatten(forward)];
                let inverse = [exit.flatten(inverse), entry.flatten(inverse)];
                let parts = std::iter::once(couplings.flatten()).chain(forward).chain(inverse);
                Weights::Joined(Tensor::cat(parts.collect(), 0))
            }
            (Some(_), ..) => Weights::Flat(couplings.flatten()),
            (None, ..) => Weights::Layered(couplings),
        };
        let maps_log_det = [&entry, &exit].into_iter().flatten().map(|map| map.log_det.clone()).reduce(|a, b| a + b);
        Self { shape, entry, weights, exit, maps_log_det }
    }

    /// Runs the bijector.
    ///
    /// # Shapes
    /// - rows: `[n, dim]`
    /// - output: `[n, dim]` and the log-determinants `[n]` of this direction
    pub fn run(&self, direction: Direction, rows: Tensor<B, 2>) -> (Tensor<B, 2>, Tensor<B, 1>) {
        let (first, last) = match self.weights {
            Weights::Joined(_) => (&None, &None),
            _ => self.linears(direction),
        };
        let linear = |map: &Option<LinearMap<B>>, rows| match map {
            Some(map) => map.run(direction, rows),
            None => rows,
        };
        let (rows, log_det) = self.couplings(direction, linear(first, rows));
        let log_det = match (&self.maps_log_det, direction) {
            (None, _) => log_det,
            (Some(maps), Direction::Forward) => log_det + maps.clone(),
            (Some(maps), Direction::Inverse) => log_det - maps.clone(),
        };
        (linear(last, rows), log_det)
    }

    /// The linear maps in the order in which this direction meets them.
    fn linears(&self, direction: Direction) -> (&Option<LinearMap<B>>, &Option<LinearMap<B>>) {
        match direction {
            Direction::Forward => (&self.entry, &self.exit),
            Direction::Inverse => (&self.exit, &self.entry),
        }
    }

    fn couplings(&self, direction: Direction, rows: Tensor<B, 2>) -> (Tensor<B, 2>, Tensor<B, 1>) {
        match (&self.weights, B::kernels()) {
            (Weights::Layered(layered), _) => layered.run(direction, rows),
            (Weights::Flat(theta) | Weights::Joined(theta), Some(kernels)) => {
                let (n, dim) = (rows.dims()[0], self.shape.dim);
                let (rows, theta) = (rows.into_primitive().tensor(), theta.clone().into_primitive().tensor());
                let output = kernels.bijector(&self.shape, direction, rows, theta);
                let output = Tensor::<B, 1>::from_primitive(TensorPrimitive::Float(output));
                (output.clone().narrow(0, 0, n * dim).reshape([n, dim]), output.narrow(0, n * dim, n))
            }
            // `new` only flattens for a backend with a kernel, and that does not change.
            (Weights::Flat(_) | Weights::Joined(_), None) => unreachable!("flat weights without a kernel"),
        }
    }

    /// Runs the bijector and the tangents of its rows, in plain tensor operations on every backend.
    ///
    /// # Shapes
    /// - rows: `[n, dim]`, tangents: `[n, k, dim]`
    /// - output: the same of the other side
    pub fn run_tangents(
        &self,
        direction: Direction,
        rows: Tensor<B, 2>,
        tangents: Tensor<B, 3>,
    ) -> (Tensor<B, 2>, Tensor<B, 3>) {
        let [n, k, dim] = tangents.dims();
        let linear = |map: &Option<LinearMap<B>>, (rows, tangents): (Tensor<B, 2>, Tensor<B, 3>)| match map {
            Some(map) => {
                let tangents = map.run_tangents(direction, tangents.reshape([n * k, dim])).reshape([n, k, dim]);
                (map.run(direction, rows), tangents)
            }
            None => (rows, tangents),
        };
        let (first, last) = self.linears(direction);
        let (rows, tangents) = linear(first, (rows, tangents));
        let duals = match &self.weights {
            Weights::Layered(layered) => layered.run_tangents(direction, rows, tangents),
            Weights::Flat(theta) | Weights::Joined(theta) => {
                Layered::from_flat(&self.shape, theta).run_tangents(direction, rows, tangents)
            }
        };
        linear(last, duals)
    }
}
