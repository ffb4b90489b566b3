//! A bijector ready to run: map, couplings, map. The couplings run in the form that the backend is fastest with.

use std::borrow::Cow;

#[cfg(feature = "autodiff")]
use burn::backend::Autodiff;
use burn::tensor::{Tensor, TensorPrimitive};

use super::couplings::Couplings;
use super::linear_map::FoldedMap;
use super::places::{Places, spare};
use crate::backend::{FlowBackend, Kernels};
use crate::shape::{BijectorShape, Direction, StageShape};

/// A bijector with the weight norm applied and the maps inverted.
#[derive(Clone, Debug)]
pub struct FoldedBijector<B: FlowBackend> {
    shape: BijectorShape,
    entry: Option<FoldedMap<B>>,
    form: Form<B>,
    exit: Option<FoldedMap<B>>,
    places: Option<Places<B>>,
    /// The sum of the maps' log-determinants, `[1]`.
    maps_log_det: Option<Tensor<B, 1>>,
}

/// The couplings' weights.
#[derive(Clone, Debug)]
enum Form<B: FlowBackend> {
    /// For tensor operations.
    Couplings(Couplings<B>),
    /// For the backend's kernel: one vector.
    Flat(Tensor<B, 1>),
    /// For a kernel that applies the maps too: the same vector, then the maps of both directions.
    FlatWithMaps(Tensor<B, 1>),
}

/// The backend's kernels, if they run bijectors of this shape: they take affine couplings only, and not all of those.
fn kernels<B: FlowBackend>(shape: &BijectorShape) -> Option<&'static dyn Kernels<B>> {
    B::kernels().filter(|kernels| shape.coupling.is_affine() && kernels.takes(shape))
}

impl<B: FlowBackend> FoldedBijector<B> {
    /// The couplings between a map before them and one after them, if the model has maps, told of places if it has those.
    pub fn new(
        stage: &StageShape,
        entry: Option<FoldedMap<B>>,
        mut couplings: Couplings<B>,
        exit: Option<FoldedMap<B>>,
        places: Option<Places<B>>,
    ) -> Self {
        let shape = couplings.shape;
        if places.is_some() {
            couplings.scale = spare(couplings.scale, stage);
        }
        let form = match (kernels::<B>(&shape), &entry, &exit) {
            (Some(kernels), Some(entry), Some(exit)) if kernels.joins_maps() && places.is_none() => {
                let [forward, inverse] = [Direction::Forward, Direction::Inverse];
                let forward = [entry.flatten(forward), exit.flatten(forward)];
                let inverse = [exit.flatten(inverse), entry.flatten(inverse)];
                let parts = std::iter::once(couplings.flatten()).chain(forward).chain(inverse);
                Form::FlatWithMaps(Tensor::cat(parts.collect(), 0))
            }
            (Some(_), ..) => Form::Flat(couplings.flatten()),
            (None, ..) => Form::Couplings(couplings),
        };
        let maps_log_det = [&entry, &exit].into_iter().flatten().map(|map| map.log_det.clone()).reduce(|a, b| a + b);
        Self { shape, entry, form, exit, places, maps_log_det }
    }

    /// The same for some blocks of a picture alone, in this order. Without place features any block is like any other.
    pub fn of_blocks(&self, blocks: &[usize]) -> Cow<'_, Self> {
        match &self.places {
            Some(places) => Cow::Owned(Self { places: Some(places.of(blocks)), ..self.clone() }),
            None => Cow::Borrowed(self),
        }
    }

    /// Runs the bijector.
    ///
    /// # Shapes
    /// - rows: `[n, dim]`, the blocks of one picture after those of another
    /// - output: `[n, dim]` and the log-determinants `[n]` of this direction
    pub fn run(&self, direction: Direction, rows: Tensor<B, 2>) -> (Tensor<B, 2>, Tensor<B, 1>) {
        let (first, last) = match self.form {
            Form::FlatWithMaps(_) => (None, None),
            _ => self.maps(direction),
        };
        let apply = |map: Option<&FoldedMap<B>>, rows| match map {
            Some(map) => map.run(direction, rows),
            None => rows,
        };
        let (rows, log_det) = match &self.places {
            Some(places) => {
                let (rows, log_det) = self.run_couplings(direction, places.widen(apply(first, rows)));
                (places.narrow(rows), log_det)
            }
            None => self.run_couplings(direction, apply(first, rows)),
        };
        let log_det = match (&self.maps_log_det, direction) {
            (None, _) => log_det,
            (Some(maps), Direction::Forward) => log_det + maps.clone(),
            (Some(maps), Direction::Inverse) => log_det - maps.clone(),
        };
        (apply(last, rows), log_det)
    }

    fn run_couplings(&self, direction: Direction, rows: Tensor<B, 2>) -> (Tensor<B, 2>, Tensor<B, 1>) {
        match (&self.form, B::kernels()) {
            (Form::Couplings(couplings), _) => couplings.run(direction, rows),
            (Form::Flat(theta) | Form::FlatWithMaps(theta), Some(kernels)) => {
                let (n, dim) = (rows.dims()[0], self.shape.dim);
                let (rows, theta) = (rows.into_primitive().tensor(), theta.clone().into_primitive().tensor());
                let output = kernels.bijector(&self.shape, direction, rows, theta);
                let output = Tensor::<B, 1>::from_primitive(TensorPrimitive::Float(output));
                (output.clone().narrow(0, 0, n * dim).reshape([n, dim]), output.narrow(0, n * dim, n))
            }
            // `new` only flattens for a backend with kernels, and a backend's kernels do not change.
            (Form::Flat(_) | Form::FlatWithMaps(_), None) => unreachable!("flat weights without a kernel"),
        }
    }

    /// The maps in the order in which this direction meets them.
    fn maps(&self, direction: Direction) -> (Option<&FoldedMap<B>>, Option<&FoldedMap<B>>) {
        match direction {
            Direction::Forward => (self.entry.as_ref(), self.exit.as_ref()),
            Direction::Inverse => (self.exit.as_ref(), self.entry.as_ref()),
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
        let apply = |map: Option<&FoldedMap<B>>, (rows, tangents): (Tensor<B, 2>, Tensor<B, 3>)| match map {
            Some(map) => {
                let tangents = map.run_tangents(direction, tangents.reshape([n * k, dim])).reshape([n, k, dim]);
                (map.run(direction, rows), tangents)
            }
            None => (rows, tangents),
        };
        let (first, last) = self.maps(direction);
        let (rows, tangents) = apply(first, (rows, tangents));
        let couplings = self.couplings();
        let moved = match &self.places {
            Some(places) => {
                let (rows, tangents) = (places.widen(rows), places.widen_tangents(tangents));
                let (rows, tangents) = couplings.run_tangents(direction, rows, tangents);
                (places.narrow(rows), places.narrow_tangents(tangents))
            }
            None => couplings.run_tangents(direction, rows, tangents),
        };
        apply(last, moved)
    }

    /// The map before the couplings, if there is one.
    pub fn entry(&self) -> Option<&FoldedMap<B>> {
        self.entry.as_ref()
    }

    /// The couplings for tensor operations.
    pub fn couplings(&self) -> Couplings<B> {
        match &self.form {
            Form::Couplings(couplings) => couplings.clone(),
            Form::Flat(theta) | Form::FlatWithMaps(theta) => Couplings::from_flat(&self.shape, theta),
        }
    }

    /// The map after the couplings, if there is one.
    pub fn exit(&self) -> Option<&FoldedMap<B>> {
        self.exit.as_ref()
    }

    /// The features of the blocks' places, if there are any.
    pub fn places(&self) -> Option<&Places<B>> {
        self.places.as_ref()
    }

    /// Where the weights are.
    pub fn device(&self) -> B::Device {
        match &self.form {
            Form::Couplings(couplings) => couplings.scale.device(),
            Form::Flat(theta) | Form::FlatWithMaps(theta) => theta.device(),
        }
    }
}

#[cfg(feature = "autodiff")]
impl<B: FlowBackend> FoldedBijector<B> {
    /// The same bijector, sharing its memory, on the backend that takes gradients.
    pub fn with_gradients(&self) -> FoldedBijector<Autodiff<B>> {
        let map = |map: &Option<FoldedMap<B>>| map.as_ref().map(FoldedMap::with_gradients);
        let form = match &self.form {
            // A kernel need not have a gradient, and none has that of the maps.
            Form::Flat(theta) | Form::FlatWithMaps(theta) if kernels::<Autodiff<B>>(&self.shape).is_some() => {
                Form::Flat(Tensor::from_inner(theta.clone().narrow(0, 0, self.shape.len())))
            }
            _ => Form::Couplings(self.couplings().with_gradients()),
        };
        let maps_log_det = self.maps_log_det.clone().map(Tensor::from_inner);
        let places =
            self.places.as_ref().map(|places| Places { features: Tensor::from_inner(places.features.clone()) });
        FoldedBijector { shape: self.shape, entry: map(&self.entry), form, exit: map(&self.exit), places, maps_log_det }
    }
}
