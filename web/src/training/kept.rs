//! A run as bytes, to go on with after a reload: all of it, so that it goes on exactly.

use std::collections::BTreeMap;

use burn::backend::Autodiff;
use burn::module::{AutodiffModule, Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use shared::train::Recipe;
use shared::weights::to_safetensors;
use shared::{FlowBackend, Model, RgFlowConfig, read};

use super::curve::Curve;
use super::pictures::Set;
use super::{Training, recipe};
use crate::error::{Error, Result};
use crate::protocol::{ModelSize, Pictures, TRAINING_PICTURES};

/// The format's name in the metadata. Another version's runs are not read.
const FORMAT: &str = "rg-flow-page-run-1";
/// The largest run: four times the parameters of the largest model, and the most pictures.
pub const MOST_BYTES: u64 = 48 << 20;

/// The name of the trainable parameters.
const MODEL: &str = "model";

/// Centuries.
const MOST_STEPS: u64 = 1 << 40;

/// All but the numbers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    size: ModelSize,
    rate: f64,
    seed: u64,
    mirrored: bool,
    step: u64,
    millis: f64,
    curve: Curve,
}

impl<B: FlowBackend> Training<B> {
    /// The run as bytes.
    ///
    /// # Errors
    /// [`Error::Learning`] if they cannot be written.
    pub async fn to_bytes(&self) -> Result<Vec<u8>> {
        self.written(true).await
    }

    /// The run as bytes without the reader's own pictures, for a worker that is given those of each step: to it the run is
    /// one on ovals.
    ///
    /// # Errors
    /// As [`to_bytes`](Self::to_bytes).
    pub async fn without_pictures(&self) -> Result<Vec<u8>> {
        self.written(false).await
    }

    async fn written(&self, pictures: bool) -> Result<Vec<u8>> {
        let Recipe { learning_rate: rate, seed, .. } = self.recipe;
        let state = State {
            size: self.size,
            rate,
            seed,
            mirrored: self.set.is_mirrored(),
            step: self.step,
            millis: self.millis,
            curve: self.curve.clone(),
        };
        let state = serde_json::to_string(&state).map_err(|e| unwritten(&e))?;
        let metadata = BTreeMap::from([("format".to_owned(), FORMAT.to_owned()), ("state".to_owned(), state)]);
        let models = [
            (MODEL, numbers(&self.model.valid()).await),
            ("average", numbers(&self.average).await),
            ("first_moment", numbers(&self.optimizer.first).await),
            ("second_moment", numbers(&self.optimizer.second).await),
        ];
        let models = models.map(|(name, numbers)| (name, Dtype::F32, 4, le_bytes(&numbers)));
        let own = self.set.own().filter(|_| pictures).map(|(pixels, _)| {
            [("pictures", pixels), ("held_out", self.set.held_out())].map(|(name, p)| (name, Dtype::U8, 1, p.to_vec()))
        });
        let parts: Vec<_> = models.into_iter().chain(own.into_iter().flatten()).collect();
        let views = parts.iter().map(|(name, dtype, width, bytes)| {
            TensorView::new(*dtype, vec![bytes.len() / width], bytes).map(|view| (*name, view))
        });
        let views = views.collect::<std::result::Result<Vec<_>, _>>().map_err(|e| unwritten(&e))?;
        Ok(to_safetensors(views, &metadata)?)
    }

    /// A run from bytes that may be anything.
    ///
    /// # Errors
    /// [`Error::Learning`] if they are not a whole run of this version.
    pub fn from_bytes(bytes: &[u8], device: B::Device) -> Result<Self> {
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|_| damaged())?;
        let metadata = header.metadata().clone().unwrap_or_default();
        if metadata.get("format").map(String::as_str) != Some(FORMAT) {
            return Err(damaged());
        }
        let state = metadata.get("state").ok_or_else(damaged)?;
        let State { size, rate, seed, mirrored, step, millis, curve } =
            serde_json::from_str(state).map_err(|_| damaged())?;
        if !(rate.is_finite() && millis.is_finite() && step <= MOST_STEPS) {
            return Err(damaged());
        }
        let file = SafeTensors::deserialize(bytes).map_err(|_| damaged())?;
        let part = |name: &str, dtype| {
            file.tensor(name).ok().filter(|tensor| tensor.dtype() == dtype).map(|tensor| tensor.data())
        };
        let config = size.config();
        let set = match (part("pictures", Dtype::U8), part("held_out", Dtype::U8)) {
            (Some(pictures), Some(held_out)) => {
                own(pictures.to_vec(), held_out.to_vec(), mirrored, &config).ok_or_else(damaged)?
            }
            _ => Set::new(Pictures::Ovals, seed)?,
        };
        // Before a model is made, which costs more than all that was read.
        let whole = |all: &&[u8]| all.len() == 4 * config.param_count() && are_finite(all);
        let load = |name| part(name, Dtype::F32).filter(whole).ok_or_else(damaged);
        let (learned, average) = (load(MODEL)?, load("average")?);
        let (first, second) = (load("first_moment")?, load("second_moment")?);
        let model = Model::<Autodiff<B>>::new(&config.clone().into(), seed, &device)?;
        let mut run = Self::of(size, recipe(rate, mirrored, seed), set, model, device);
        // All from one model, so that their parameters have the same identities.
        let plain = run.average.clone();
        run.model = with_numbers(run.model, learned)?;
        run.average = with_numbers(plain.clone(), average)?;
        run.optimizer.first = with_numbers(plain.clone(), first)?;
        run.optimizer.second = with_numbers(plain, second)?;
        (run.step, run.millis, run.curve) = (step, millis, curve);
        Ok(run)
    }
}

/// The trainable parameters of a run that was written, one after the other.
///
/// # Errors
/// [`Error::Learning`] if there are none.
pub fn parameters(run: &[u8]) -> Result<Vec<f32>> {
    let file = SafeTensors::deserialize(run).map_err(|_| damaged())?;
    file.tensor(MODEL).ok().and_then(|model| floats(model.data())).ok_or_else(damaged)
}

fn own(pixels: Vec<u8>, held_out: Vec<u8>, mirrored: bool, config: &RgFlowConfig) -> Option<Set> {
    let count = (pixels.len() + held_out.len()) / config.dims();
    let whole = |part: &[u8]| !part.is_empty() && part.len().is_multiple_of(config.dims());
    let fits = whole(&pixels) && whole(&held_out) && (TRAINING_PICTURES.0..=TRAINING_PICTURES.1).contains(&count);
    fits.then(|| Set::of(pixels, held_out, mirrored))
}

fn damaged() -> Error {
    Error::Learning("the run that this browser kept is damaged, or of another version of the page".to_owned())
}

fn unwritten(reason: &dyn std::fmt::Display) -> Error {
    Error::Learning(format!("the run cannot be kept: {reason}"))
}

/// Numbers as bytes.
pub(super) fn le_bytes(numbers: &[f32]) -> Vec<u8> {
    // One loop over what is there already: a browser makes vectors of it.
    let mut bytes = vec![0; 4 * numbers.len()];
    for (four, number) in bytes.as_chunks_mut().0.iter_mut().zip(numbers) {
        *four = number.to_le_bytes();
    }
    bytes
}

/// The inverse; none if a number is not finite.
pub(super) fn floats(bytes: &[u8]) -> Option<Vec<f32>> {
    are_finite(bytes).then(|| numbers_in(bytes).collect())
}

fn are_finite(bytes: &[u8]) -> bool {
    numbers_in(bytes).all(f32::is_finite)
}

fn numbers_in(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes.as_chunks().0.iter().map(|&four| f32::from_le_bytes(four))
}

/// All numbers of a model, one parameter after the other.
async fn numbers<B: Backend, M: Module<B>>(model: &M) -> Vec<f32> {
    struct All<B: Backend>(Vec<Tensor<B, 1>>);
    impl<B: Backend> ModuleVisitor<B> for All<B> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            self.0.push(param.val().reshape([-1]));
        }
    }
    let mut all = All(Vec::new());
    model.visit(&mut all);
    read::numbers(all.0).await.concat()
}

/// The model with other numbers, exactly as many as it has, from bytes.
fn with_numbers<B: Backend, M: Module<B>>(model: M, bytes: &[u8]) -> Result<M> {
    struct Fill<'a> {
        rest: &'a [f32],
        short: bool,
    }
    impl<B: Backend> ModuleMapper<B> for Fill<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
            let shape = param.shape();
            let Some((numbers, rest)) = self.rest.split_at_checked(shape.num_elements()) else {
                self.short = true;
                return param;
            };
            self.rest = rest;
            let data = TensorData::new(numbers.to_vec(), shape);
            param.map(|old| Tensor::from_data(data, &old.device()).require_grad())
        }
    }
    // One model's at a time: what is read once is never given back to a browser.
    let numbers = floats(bytes).ok_or_else(damaged)?;
    let mut fill = Fill { rest: &numbers, short: false };
    let model = model.map(&mut fill);
    if fill.short || !fill.rest.is_empty() { Err(damaged()) } else { Ok(model) }
}
