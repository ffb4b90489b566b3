//! Inpainting and correction (section 4, fig. 7): unknown pixels are found by the likelihood of the completed image.
//!
//! Only latents in the inference cone of the unknown pixels (fig. 2d) may change, and the known pixels may not. The
//! latents that keep the known pixels are a surface in the space of all latents, and the unknown pixels are exact
//! coordinates on it: an image that differs in these pixels alone has, by the cone, the same latents outside of it.
//! So the search moves the unknown pixels x_U, through z = R(x), and nothing has to be penalised:
//!
//! log p(x_U | x_K) = log p_Z(R(x)) + log |det ∂R/∂x| + const.
//!
//! This is the density per unit of x_U as logits, which is what the flow models; in other coordinates the maximum
//! would be elsewhere, but the samples the same.
//!
//! A model without cones can be held to a set S of latents, to compare: then the z_S themselves move, all other
//! latents stay those of the first guess, and known pixels are measured with a tolerance ε. Per unit of z_S the
//! posterior is p(z_S) · N(x_K; G(z)_K, ε²), without a determinant, because nothing is transformed.

mod ascent;
mod langevin;
mod mask;

use std::rc::Rc;

use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Bool, Int, Tensor, TensorData};

use self::ascent::Ascent;
use self::langevin::{Langevin, Point};
pub use self::mask::Mask;
use crate::backend::FlowBackend;
use crate::error::{Error, Result};
use crate::image_flow::ImageFlow;

/// What the search may move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variables {
    /// The unknown pixels, and with them every latent that they reach.
    Pixels,
    /// The latents at these places of the flat latent picture.
    Latents(Vec<usize>),
}

/// How long, how often and from which numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Steps uphill, to the most likely completion.
    pub search: u32,
    /// Langevin steps from there; the first half adapts.
    pub sampling: u32,
    /// Sampled completions of each image.
    pub chains: usize,
    /// Seed of the samples.
    pub seed: u64,
}

/// What the next step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Uphill.
    Search,
    /// Langevin steps.
    Sampling,
    /// Nothing: all is done.
    Done,
}

/// An inpainting under way: take steps, and look at the images between them.
///
/// No step reads anything back from the device.
pub struct Inpainting<B: FlowBackend + AutodiffBackend> {
    model: Rc<dyn ImageFlow<B>>,
    variables: Variables,
    schedule: Schedule,
    taken: u32,
    /// The images with their hole filled by the first guess, `[images, dims]`.
    filled: Tensor<B::InnerBackend, 2>,
    /// What the variables are put into: the filled images or their latents.
    around: Tensor<B::InnerBackend, 2>,
    /// Index, in `around` followed by the variables, of each number.
    place: Tensor<B::InnerBackend, 1, Int>,
    /// `[1, dims]`.
    unknown: Tensor<B::InnerBackend, 2, Bool>,
    touched: usize,
    best: Point<B::InnerBackend>,
    ascent: Ascent<B::InnerBackend>,
    chains: Option<Langevin<B::InnerBackend>>,
}

/// Step of the search in each variable, at first.
const RATE: f64 = 0.1;
/// ε, in logits: about two steps of an 8-bit pixel.
const TOLERANCE: f64 = 0.03;

impl<B: FlowBackend + AutodiffBackend<InnerBackend: FlowBackend>> Inpainting<B> {
    /// Starts on images, given as logits one after the other, that all lack the same pixels; what stands there now is
    /// ignored.
    ///
    /// # Errors
    /// [`Error::Input`] if the numbers are no whole number of images, the mask is of another size, or a latent is
    /// outside of the model.
    pub fn new(
        model: Rc<dyn ImageFlow<B>>,
        mut images: Vec<f32>,
        mask: &Mask,
        variables: Variables,
        schedule: Schedule,
        device: &B::Device,
    ) -> Result<Self> {
        let ([channels, size], dims) = (model.image_shape(), model.dims());
        if mask.size() != size {
            let problem = format!("the mask's edge is {}, but the model's images have {size}", mask.size());
            return Err(Error::Input(format!("{problem}; resize the mask")));
        }
        images.chunks_exact_mut(dims).for_each(|image| mask.fill(image));
        let unknown = mask.places(channels);
        let images = model.batch(images, device)?.inner();
        let rows = images.dims()[0];
        let filled = images.clone().reshape([rows, dims]);
        let (around, moving) = match &variables {
            Variables::Pixels => (filled.clone(), unknown.clone()),
            Variables::Latents(latents) => {
                let z = model.forward(Tensor::from_inner(images)).latents.inner().reshape([rows, dims]);
                (z, latents.clone())
            }
        };
        if moving.is_empty() || moving.iter().any(|&i| i >= dims) {
            return Err(Error::Input(format!("latents are numbered 0 to {}, and one at least must move", dims - 1)));
        }
        let touched = match &variables {
            Variables::Pixels => model.reached_latents(&mask.pixels()).len(),
            Variables::Latents(latents) => latents.len(),
        };
        let mut place: Vec<i32> = (0..dims as i32).collect();
        moving.iter().enumerate().for_each(|(k, &i)| place[i] = (dims + k) as i32);
        let index = |list: Vec<i32>| {
            let len = list.len();
            Tensor::<B::InnerBackend, 1, Int>::from_data(TensorData::new(list, [len]), device)
        };
        let value = around.clone().select(1, index(moving.iter().map(|&i| i as i32).collect()));
        let mut flags = vec![false; dims];
        unknown.iter().for_each(|&i| flags[i] = true);
        let best = Point {
            log_density: Tensor::full([rows], f32::NEG_INFINITY, device),
            gradient: value.zeros_like(),
            value: value.clone(),
        };
        let mut inpainting = Self {
            ascent: Ascent::new(&value, schedule.search, RATE),
            model,
            variables,
            schedule,
            taken: 0,
            filled,
            around,
            place: index(place),
            unknown: Tensor::from_data(TensorData::new(flags, [1, dims]), device),
            touched,
            best,
            chains: None,
        };
        inpainting.best = inpainting.density(value);
        Ok(inpainting)
    }

    /// What the next step does.
    pub fn phase(&self) -> Phase {
        match self.taken {
            taken if taken < self.schedule.search => Phase::Search,
            taken if taken < self.schedule.search + self.sampling() => Phase::Sampling,
            _ => Phase::Done,
        }
    }

    fn sampling(&self) -> u32 {
        if self.schedule.chains == 0 { 0 } else { self.schedule.sampling }
    }

    /// Takes one step; false if there was none left to take.
    pub fn step(&mut self) -> bool {
        match self.phase() {
            Phase::Search => {
                let value = self.ascent.step(self.best.value.clone(), self.best.gradient.clone());
                self.best = self.density(value);
            }
            Phase::Sampling => {
                let mut chains = self.chains.take().unwrap_or_else(|| self.start());
                chains.step(|value| self.density(value));
                self.chains = Some(chains);
            }
            Phase::Done => return false,
        }
        self.taken += 1;
        true
    }

    /// Every image's chains, one after the other, at its best completion.
    fn start(&self) -> Langevin<B::InnerBackend> {
        let Point { value, log_density, gradient } = self.best.clone();
        let rows = value.dims()[0] * self.schedule.chains;
        let log_density = spread(log_density.unsqueeze_dim(1), rows).squeeze_dim(1);
        let at = Point { value: spread(value, rows), log_density, gradient: spread(gradient, rows) };
        Langevin::new(at, self.schedule.sampling / 2, self.schedule.seed)
    }

    /// Steps taken so far, of how many.
    pub fn progress(&self) -> (u32, u32) {
        (self.taken, self.schedule.search + self.sampling())
    }

    /// Latents that this may change, and how many there are.
    pub fn touched(&self) -> (usize, usize) {
        (self.touched, self.model.dims())
    }

    /// The completed images so far, as logits, known pixels exactly as given.
    ///
    /// # Shapes
    /// - output: `[images, C, L, L]`
    pub fn image(&self) -> Tensor<B::InnerBackend, 4> {
        self.complete(self.best.value.clone())
    }

    /// The sampled completions so far, image by image; none before the first Langevin step.
    ///
    /// # Shapes
    /// - output: `[images · chains, C, L, L]`
    pub fn samples(&self) -> Option<Tensor<B::InnerBackend, 4>> {
        Some(self.complete(self.chains.as_ref()?.at().value.clone()))
    }

    /// Log of the density of each image's completion, up to a constant.
    ///
    /// # Shapes
    /// - output: `[images]`
    pub fn objective(&self) -> Tensor<B::InnerBackend, 1> {
        self.best.log_density.clone()
    }

    fn complete(&self, value: Tensor<B::InnerBackend, 2>) -> Tensor<B::InnerBackend, 4> {
        let [channels, size] = self.model.image_shape();
        let (rows, dims) = (value.dims()[0], self.model.dims());
        let put = put(self.around.clone(), self.place.clone(), value);
        let picture = put.reshape([rows, channels, size, size]);
        match &self.variables {
            Variables::Pixels => picture,
            Variables::Latents(_) => {
                let generated = self.model.inverse(Tensor::from_inner(picture)).0.inner().reshape([rows, dims]);
                let unknown = self.unknown.clone().expand([rows, dims]);
                spread(self.filled.clone(), rows).mask_where(unknown, generated).reshape([rows, channels, size, size])
            }
        }
    }

    fn density(&self, value: Tensor<B::InnerBackend, 2>) -> Point<B::InnerBackend> {
        let [channels, size] = self.model.image_shape();
        let (rows, dims) = (value.dims()[0], self.model.dims());
        let tracked = Tensor::<B, 2>::from_inner(value.clone()).require_grad();
        let around = Tensor::from_inner(self.around.clone());
        let put = put(around, Tensor::from_inner(self.place.clone()), tracked.clone());
        let picture = put.clone().reshape([rows, channels, size, size]);
        let log_density = match &self.variables {
            Variables::Pixels => self.model.log_prob(picture),
            Variables::Latents(_) => {
                let image = self.model.inverse(picture).0.reshape([rows, dims]);
                let given = Tensor::<B, 2>::from_inner(spread(self.filled.clone(), rows));
                let unknown = Tensor::<B, 2, Bool>::from_inner(self.unknown.clone()).expand([rows, dims]);
                let off = (image - given).mask_fill(unknown, 0.0) / TOLERANCE;
                self.model.prior().log_prob(put) - off.square().sum_dim(1).squeeze_dim::<1>(1) * 0.5
            }
        };
        let grads = log_density.clone().sum().backward();
        let gradient = tracked.grad(&grads).unwrap_or_else(|| value.zeros_like());
        Point { value, log_density: log_density.inner(), gradient }
    }
}

/// Each row as often as it takes to make `rows` of them.
fn spread<A: FlowBackend>(tensor: Tensor<A, 2>, rows: usize) -> Tensor<A, 2> {
    let [images, width] = tensor.dims();
    if images == rows {
        return tensor;
    }
    tensor.reshape([images, 1, width]).repeat_dim(1, rows / images).reshape([rows, width])
}

/// Puts the variables where they belong.
fn put<A: FlowBackend>(around: Tensor<A, 2>, place: Tensor<A, 1, Int>, value: Tensor<A, 2>) -> Tensor<A, 2> {
    let rows = value.dims()[0];
    Tensor::cat(vec![spread(around, rows), value], 1).select(1, place)
}
