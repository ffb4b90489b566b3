//! Local recomputation: an edit of latents or pixels recomputes only the blocks in its cone (fig. 2c, 2d).

use std::collections::HashMap;

use burn::tensor::{Int, Tensor, TensorData};

use super::check;
use crate::backend::FlowBackend;
use crate::error::{Error, Result};
use crate::flow::Flow;
use crate::geometry::{Cone, LevelCone, Levels, Plan, Stage, generation_cone, inference_cone};
use crate::shape::Direction;

/// What an edit cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recomputed {
    /// Blocks that were recomputed.
    pub blocks: usize,
    /// Blocks of the whole flow.
    pub of: usize,
    /// What may have changed, level by level.
    pub cone: Cone,
}

/// A pass through the flow that keeps everything between image and latents on the device, so that an edit at either end
/// can be followed to the other through its cone only.
///
/// In a batch the same places are edited in every picture, each with its own values.
///
/// # Examples
/// A new value for a latent of the finest level costs a few blocks, not all:
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use shared::edit::local::Trace;
/// use shared::prior::draw_latents;
/// use shared::{RgFlow, RgFlowConfig, Temperature};
///
/// let (config, device) = (RgFlowConfig::tiny(), Default::default());
/// let flow = RgFlow::<Flex>::random(&config, 0.1, 1, &device)?.fold();
/// let latents = flow.batch(draw_latents(&config, 7, 0, &Temperature::uniform(0.8)), &device)?;
///
/// let mut trace = Trace::generate(&flow, latents)?;
/// let cost = trace.edit_latents(&[1], Tensor::from_data([[2.0]], &device))?;
/// assert!(cost.blocks < cost.of / 2);
/// // The images are those of a whole pass.
/// let (whole, _) = flow.inverse(trace.latents());
/// assert!((trace.images() - whole).abs().max().into_scalar() < 1e-5);
/// # Ok::<(), shared::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Trace<B: FlowBackend> {
    flow: Flow<B>,
    plan: Plan,
    /// Each stage's rows on the image's side, `[batch, blocks · C·m²]`.
    before: Vec<Tensor<B, 2>>,
    /// The same on the latents' side.
    after: Vec<Tensor<B, 2>>,
    /// log |det ∂z/∂x| of each block, `[batch, blocks]`.
    log_det: Vec<Tensor<B, 2>>,
}

/// New values for some places of the picture.
struct Edit<B: FlowBackend> {
    /// The index of each place's value.
    values_of: HashMap<usize, usize>,
    /// `[batch, places]`
    values: Tensor<B, 2>,
}

/// Where a number of the rows that go into a bijector comes from.
enum Source {
    /// It has not changed.
    Kept,
    /// The edit.
    Edit(usize),
    /// The neighbouring stage's rows.
    Neighbour(usize),
}

impl<B: FlowBackend> Trace<B> {
    /// Generates images from latents.
    ///
    /// # Shapes
    /// - latents: `[batch, C, L, L]`
    ///
    /// # Errors
    /// [`Error::Input`] if the shape is not the model's.
    pub fn generate(flow: &Flow<B>, latents: Tensor<B, 4>) -> Result<Self> {
        Self::run(flow, latents, Direction::Inverse)
    }

    /// Encodes images given as logits.
    ///
    /// # Shapes
    /// - images: `[batch, C, L, L]`
    ///
    /// # Errors
    /// [`Error::Input`] if the shape is not the model's.
    pub fn encode(flow: &Flow<B>, images: Tensor<B, 4>) -> Result<Self> {
        Self::run(flow, images, Direction::Forward)
    }

    /// A whole pass: an edit of everything.
    fn run(flow: &Flow<B>, pictures: Tensor<B, 4>, direction: Direction) -> Result<Self> {
        let config = flow.config();
        check(config, "pictures", &pictures)?;
        let plan = Plan::new(config);
        let (batch, d, device) = (pictures.dims()[0], config.block_dims(), pictures.device());
        let zeros = |width: usize| -> Vec<Tensor<B, 2>> {
            plan.stages.iter().map(|stage| Tensor::zeros([batch, stage.blocks * width], &device)).collect()
        };
        let (before, after, log_det) = (zeros(d), zeros(d), zeros(1));
        let mut trace = Self { flow: flow.clone(), plan, before, after, log_det };
        let dims = config.dims();
        let everything: Vec<usize> = (0..dims).collect();
        match direction {
            Direction::Forward => trace.edit_pixels(&everything, pictures.reshape([batch, dims]))?,
            Direction::Inverse => trace.edit_latents(&everything, pictures.reshape([batch, dims]))?,
        };
        Ok(trace)
    }

    /// The images as logits.
    ///
    /// # Shapes
    /// - output: `[batch, C, L, L]`
    pub fn images(&self) -> Tensor<B, 4> {
        self.flow.image_of(0, self.before[0].clone())
    }

    /// Their latents as pictures.
    ///
    /// # Shapes
    /// - output: `[batch, C, L, L]`
    pub fn latents(&self) -> Tensor<B, 4> {
        let left = self.flow.stages.iter().zip(&self.after);
        let left = left.filter_map(|(stage, rows)| stage.latents.clone().map(|stay| rows.clone().select(1, stay)));
        self.picture(Tensor::cat(left.collect(), 1).select(1, self.flow.to_picture.clone()))
    }

    /// log |det ∂z/∂x|.
    ///
    /// # Shapes
    /// - output: `[batch]`
    pub fn log_det(&self) -> Tensor<B, 1> {
        Tensor::cat(self.log_det.clone(), 1).sum_dim(1).squeeze_dim(1)
    }

    /// Sets latents to new values and follows the change to the image.
    ///
    /// # Shapes
    /// - places: indices in the flat picture (see [`Levels::index`]); values: `[batch, places]`
    ///
    /// # Errors
    /// [`Error::Address`] if a place is outside the picture or given twice, [`Error::Input`] if there is not one value
    /// for each place and picture.
    pub fn edit_latents(&mut self, places: &[usize], values: Tensor<B, 2>) -> Result<Recomputed> {
        let edit = self.edit(places, values)?;
        let levels = Levels::new(self.flow.config());
        let addresses: Result<Vec<_>> = places.iter().map(|&place| levels.address(place)).collect();
        let latents: Vec<_> = addresses?.iter().map(|at| (at.level, (at.row, at.col))).collect();
        let cone = generation_cone(self.flow.config(), &latents);
        Ok(self.follow(cone, Direction::Inverse, &edit))
    }

    /// Sets channels of pixels to new values, as logits, and follows the change to the latents.
    ///
    /// # Shapes
    /// - places: indices in the flat picture `[C, L, L]`; values: `[batch, places]`
    ///
    /// # Errors
    /// As [`Trace::edit_latents`].
    pub fn edit_pixels(&mut self, places: &[usize], values: Tensor<B, 2>) -> Result<Recomputed> {
        let mut edit = self.edit(places, values)?;
        if let Some(mean) = self.flow.mean_at(places) {
            edit.values = edit.values - mean;
        }
        let size = self.flow.config().size;
        let pixels: Vec<_> = places.iter().map(|&place| (place / size % size, place % size)).collect();
        let cone = inference_cone(self.flow.config(), &pixels);
        Ok(self.follow(cone, Direction::Forward, &edit))
    }

    /// An edit of this trace's pictures, checked.
    fn edit(&self, places: &[usize], values: Tensor<B, 2>) -> Result<Edit<B>> {
        let (dims, batch) = (self.flow.config().dims(), self.before[0].dims()[0]);
        if values.dims() != [batch, places.len()] {
            let (shape, n) = (values.dims(), places.len());
            return Err(Error::Input(format!(
                "values have shape {shape:?}, but {n} places of {batch} pictures need [{batch}, {n}]"
            )));
        }
        let mut values_of = HashMap::with_capacity(places.len());
        for (i, &place) in places.iter().enumerate() {
            if place >= dims {
                return Err(Error::Address(format!("place {place} is outside a picture of {dims} numbers")));
            }
            if values_of.insert(place, i).is_some() {
                return Err(Error::Address(format!("place {place} is given twice; give each place one value")));
            }
        }
        Ok(Edit { values_of, values })
    }

    /// Recomputes the cone's blocks, stage by stage.
    fn follow(&mut self, cone: Cone, direction: Direction, edit: &Edit<B>) -> Recomputed {
        let count = self.plan.stages.len();
        let mut blocks = 0;
        for step in 0..count {
            let at = if direction == Direction::Forward { step } else { count - 1 - step };
            let LevelCone { disentangler, decimator, .. } = &cone[self.plan.stages[at].level];
            let of_stage = match self.plan.stages[at].stage {
                Stage::Disentangler => disentangler,
                Stage::Decimator => decimator,
            };
            if !of_stage.is_empty() {
                self.recompute(at, of_stage, direction, edit);
                blocks += of_stage.len();
            }
        }
        Recomputed { blocks, of: self.plan.stages.iter().map(|stage| stage.blocks).sum(), cone }
    }

    /// Recomputes some blocks of a stage.
    fn recompute(&mut self, at: usize, blocks: &[usize], direction: Direction, edit: &Edit<B>) {
        let (d, batch) = (self.flow.config().block_dims(), edit.values.dims()[0]);
        let rows = self.input(at, blocks, direction, edit);
        let bijector = self.flow.stages[at].bijector.of_blocks(blocks);
        let (out, change) = bijector.run(direction, rows.clone().reshape([batch * blocks.len(), d]));
        let out = out.reshape([batch, blocks.len() * d]);
        let change = change.reshape([batch, blocks.len()]);
        let (before, after, log_det) = match direction {
            Direction::Forward => (rows, out, change),
            Direction::Inverse => (out, rows, change.neg()),
        };
        write(&mut self.before[at], blocks, d, before);
        write(&mut self.after[at], blocks, d, after);
        write(&mut self.log_det[at], blocks, 1, log_det);
    }

    /// What goes into the bijector of some blocks of a stage.
    ///
    /// # Shapes
    /// - output: `[batch, blocks · C·m²]`
    fn input(&self, at: usize, blocks: &[usize], direction: Direction, edit: &Edit<B>) -> Tensor<B, 2> {
        let d = self.flow.config().block_dims();
        let (own, neighbour) = match direction {
            Direction::Forward => (&self.before[at], at.checked_sub(1).map(|i| &self.after[i])),
            Direction::Inverse => (&self.after[at], self.before.get(at + 1)),
        };
        let numbers: Vec<usize> = blocks.iter().flat_map(|&block| block * d..(block + 1) * d).collect();
        let (kept, edited) = (numbers.len(), edit.values.dims()[1]);
        let mut from_neighbour = Vec::new();
        let order: Vec<usize> = numbers
            .iter()
            .enumerate()
            .map(|(i, &number)| match self.source(at, number, direction, edit) {
                Source::Kept => i,
                Source::Edit(value) => kept + value,
                Source::Neighbour(index) => {
                    from_neighbour.push(index);
                    kept + edited + from_neighbour.len() - 1
                }
            })
            .collect();
        let device = own.device();
        let mut parts = vec![own.clone().select(1, indices::<B>(&numbers, &device)), edit.values.clone()];
        if let Some(rows) = neighbour.filter(|_| !from_neighbour.is_empty()) {
            parts.push(rows.clone().select(1, indices::<B>(&from_neighbour, &device)));
        }
        Tensor::cat(parts, 1).select(1, indices::<B>(&order, &device))
    }

    fn source(&self, at: usize, number: usize, direction: Direction, edit: &Edit<B>) -> Source {
        let stage = &self.plan.stages[at];
        let dims = self.flow.config().dims();
        let of_picture = |place: usize| edit.values_of.get(&place).map_or(Source::Kept, |&value| Source::Edit(value));
        match (direction, stage.stage) {
            (Direction::Forward, _) if at == 0 => of_picture(stage.gather[number]),
            (Direction::Forward, _) => Source::Neighbour(stage.gather[number]),
            (Direction::Inverse, Stage::Disentangler) => Source::Neighbour(stage.ungather[number]),
            (Direction::Inverse, Stage::Decimator) => match stage.ungather[number].checked_sub(dims) {
                Some(above) => Source::Neighbour(above),
                None => of_picture(stage.ungather[number]),
            },
        }
    }

    fn picture(&self, flat: Tensor<B, 2>) -> Tensor<B, 4> {
        let config = self.flow.config();
        let batch = flat.dims()[0];
        flat.reshape([batch, config.channels, config.size, config.size])
    }
}

fn indices<B: FlowBackend>(list: &[usize], device: &B::Device) -> Tensor<B, 1, Int> {
    let list: Vec<i32> = list.iter().map(|&i| i as i32).collect();
    let len = list.len();
    Tensor::from_data(TensorData::new(list, [len]), device)
}

/// Overwrites some blocks' rows of `width` numbers, in place and run by run.
fn write<B: FlowBackend>(rows: &mut Tensor<B, 2>, blocks: &[usize], width: usize, values: Tensor<B, 2>) {
    let batch = values.dims()[0];
    let mut start = 0;
    for run in blocks.chunk_by(|a, b| a + 1 == *b) {
        let part = values.clone().narrow(1, start * width, run.len() * width);
        let to = run[0] * width..(run[0] + run.len()) * width;
        rows.inplace(|rows| rows.slice_assign([0..batch, to], part));
        start += run.len();
    }
}
