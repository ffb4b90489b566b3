//! The whole model: RG steps from the image to the latents and back (eq. 2 to 4), and its likelihood (eq. 1).

#[cfg(feature = "autodiff")]
use burn::backend::Autodiff;
use burn::module::{Module, Param};
use burn::tensor::{Int, Tensor, TensorData, read_sync};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::backend::FlowBackend;
use crate::config::{PriorKind, RgFlowConfig};
use crate::error::Result;
use crate::geometry::{Levels, Plan, inference_cone};
use crate::image_flow::{Encoded, EncodedByLevel, ImageFlow};
use crate::nn::{Bijector, FoldedBijector};
use crate::prior::Temperature;
use crate::read::numbers;
use crate::shape::{Direction, shapes};

/// The trainable model. [`RgFlow::fold`] gives the flow that it describes.
#[derive(Module, Debug)]
pub struct RgFlow<B: FlowBackend> {
    /// The mean image, as logits `[C, L, L]`, if the configuration has one.
    pub mean: Option<Param<Tensor<B, 3>>>,
    /// Disentangler and decimator of each level, finest first; one pair where all levels share it.
    pub bijectors: Vec<Bijector<B>>,
    #[module(skip)]
    config: RgFlowConfig,
}

impl<B: FlowBackend> RgFlow<B> {
    /// A new model, the identity up to the order of its numbers. The same seed gives the same model everywhere.
    ///
    /// # Errors
    /// [`crate::Error::Config`] if the configuration is not valid.
    pub fn new(config: &RgFlowConfig, seed: u64, device: &B::Device) -> Result<Self> {
        config.validate()?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let new = |shape| Bijector::new(&shape, &mut rng, device);
        let bijectors = shapes(config).into_iter().map(new).collect();
        let RgFlowConfig { channels, size, .. } = *config;
        let mean = config.mean_image.then(|| Param::from_tensor(Tensor::zeros([channels, size, size], device)));
        Ok(Self { mean, bijectors, config: config.clone() })
    }

    /// The architecture.
    pub fn config(&self) -> &RgFlowConfig {
        &self.config
    }

    /// The flow with these weights; gradients of what it computes reach this model's parameters.
    ///
    /// # Panics
    /// In a browser, if the model is on a GPU: see [`RgFlow::fold_async`].
    pub fn fold(&self) -> Flow<B> {
        read_sync(self.fold_async())
    }

    /// [`RgFlow::fold`] where a device's answer has to be waited for: the maps are inverted by the processor.
    pub async fn fold_async(&self) -> Flow<B> {
        Flow::new(&self.config, self.fold_bijectors().await, self.mean.as_ref().map(Param::val))
    }

    /// The folded bijectors alone, in the order of the trainable ones.
    pub(crate) async fn fold_bijectors(&self) -> Vec<FoldedBijector<B>> {
        let mut weights = numbers(self.bijectors.iter().flat_map(Bijector::map_weights)).await.into_iter();
        self.bijectors.iter().map(|bijector| bijector.fold_with(&mut weights)).collect()
    }
}

/// The bijection between images and latents.
#[derive(Clone, Debug)]
pub struct Flow<B: FlowBackend> {
    config: RgFlowConfig,
    pub(crate) stages: Vec<StageOnDevice<B>>,
    pub(crate) to_picture: Tensor<B, 1, Int>,
    /// The mean image at each level, `[1, C, n, n]`, finest first; empty if there is none.
    means: Vec<Tensor<B, 4>>,
    from_rows: Vec<Tensor<B, 1, Int>>,
}

/// A stage with its permutations on the device.
#[derive(Clone, Debug)]
pub(crate) struct StageOnDevice<B: FlowBackend> {
    pub(crate) bijector: FoldedBijector<B>,
    pub(crate) blocks: usize,
    gather: Tensor<B, 1, Int>,
    /// The outputs that stay behind as latents, if any do.
    pub(crate) latents: Option<Tensor<B, 1, Int>>,
    /// Generation: where this stage's outputs come from.
    ungather: Tensor<B, 1, Int>,
}

/// What the RG transformation leaves at a stage.
struct Passed<B: FlowBackend> {
    /// Of this stage alone, `[batch]`.
    log_det: Tensor<B, 1>,
    /// What stays behind, `[batch, latents]`, if anything does.
    latents: Option<Tensor<B, 2>>,
}

/// What generation has after a level.
struct InverseStep<B: FlowBackend> {
    level: usize,
    /// The disentangler's rows, `[batch, blocks · C·m²]`.
    rows: Tensor<B, 2>,
    /// Of this level alone, `[batch]`.
    log_det: Tensor<B, 1>,
}

impl<B: FlowBackend> StageOnDevice<B> {
    /// Generation: what this stage's bijector undoes, from the latents and what the stage above gave.
    ///
    /// # Shapes
    /// - picture: `[batch, C·L²]`, above and output: `[batch, blocks · C·m²]`
    pub(crate) fn gather_from_above(&self, picture: &Tensor<B, 2>, above: Option<Tensor<B, 2>>) -> Tensor<B, 2> {
        let source = match above {
            None => picture.clone(),
            Some(above) if self.latents.is_some() => Tensor::cat(vec![picture.clone(), above], 1),
            Some(above) => above,
        };
        source.select(1, self.ungather.clone())
    }
}

#[cfg(feature = "autodiff")]
impl<B: FlowBackend> Flow<B> {
    /// The same flow, sharing its memory, on the backend that takes gradients.
    pub fn with_gradients(&self) -> Flow<Autodiff<B>> {
        let index = |list: &Tensor<B, 1, Int>| Tensor::from_inner(list.clone());
        let stage = |stage: &StageOnDevice<B>| StageOnDevice {
            bijector: stage.bijector.with_gradients(),
            blocks: stage.blocks,
            gather: index(&stage.gather),
            latents: stage.latents.as_ref().map(index),
            ungather: index(&stage.ungather),
        };
        Flow {
            config: self.config.clone(),
            stages: self.stages.iter().map(stage).collect(),
            to_picture: index(&self.to_picture),
            means: self.means.iter().map(|mean| Tensor::from_inner(mean.clone())).collect(),
            from_rows: self.from_rows.iter().map(index).collect(),
        }
    }
}

impl<B: FlowBackend> Flow<B> {
    /// From the bijector of each stage, in the order of [`shapes`], and the mean image `[C, L, L]` if there is one. Shared
    /// bijectors, folded once, serve every level, so their gradients add up.
    pub fn new(config: &RgFlowConfig, stages: Vec<FoldedBijector<B>>, mean: Option<Tensor<B, 3>>) -> Self {
        let plan = Plan::new(config);
        let device = stages.first().map(FoldedBijector::device).unwrap_or_default();
        let index = |list: &[usize]| {
            let list: Vec<i32> = list.iter().map(|&i| i as i32).collect();
            let len = list.len();
            Tensor::<B, 1, Int>::from_data(TensorData::new(list, [len]), &device)
        };
        let on_device = |(i, bijector): (usize, FoldedBijector<B>)| {
            let latents = &plan.latents[i];
            StageOnDevice {
                bijector,
                blocks: plan.stages[i].blocks,
                gather: index(&plan.stages[i].gather),
                latents: (!latents.is_empty()).then(|| index(latents)),
                ungather: index(&plan.stages[i].ungather),
            }
        };
        Self {
            config: config.clone(),
            stages: stages.into_iter().cycle().take(plan.stages.len()).enumerate().map(on_device).collect(),
            to_picture: index(&plan.to_picture),
            means: mean.map(|mean| means(config, mean.unsqueeze_dim(0))).unwrap_or_default(),
            from_rows: plan.from_rows.iter().map(|list| index(list)).collect(),
        }
    }

    /// The architecture.
    pub fn config(&self) -> &RgFlowConfig {
        &self.config
    }

    /// The RG transformation R: images (as logits) to latents.
    ///
    /// # Shapes
    /// - x: `[batch, C, L, L]`
    pub fn forward(&self, x: Tensor<B, 4>) -> Encoded<B> {
        let dims = x.dims();
        let device = x.device();
        let (log_dets, latents): (Vec<_>, Vec<_>) =
            self.pass(x).into_iter().map(|passed| (passed.log_det, passed.latents)).unzip();
        let log_det = log_dets.into_iter().reduce(|a, b| a + b).unwrap_or_else(|| Tensor::zeros([dims[0]], &device));
        Encoded { latents: self.picture(latents.into_iter().flatten().collect(), dims), log_det }
    }

    /// Images through all stages, finest first.
    fn pass(&self, x: Tensor<B, 4>) -> Vec<Passed<B>> {
        let (batch, d) = (x.dims()[0], self.config.block_dims());
        let mut current = self.subtract_mean(x).reshape([batch, self.config.dims()]);
        let through = |stage: &StageOnDevice<B>| {
            let rows = current.clone().select(1, stage.gather.clone()).reshape([batch * stage.blocks, d]);
            let (rows, change) = stage.bijector.run(Direction::Forward, rows);
            current = rows.reshape([batch, stage.blocks * d]);
            let latents = stage.latents.as_ref().map(|stay| current.clone().select(1, stay.clone()));
            Passed { log_det: accumulate(None, change, batch, stage.blocks), latents }
        };
        self.stages.iter().map(through).collect()
    }

    /// The latents of all levels as a picture of these dimensions.
    fn picture(&self, latents: Vec<Tensor<B, 2>>, dims: [usize; 4]) -> Tensor<B, 4> {
        Tensor::cat(latents, 1).select(1, self.to_picture.clone()).reshape(dims)
    }

    /// The generator G: latents to images (as logits), with log |det ∂x/∂z|.
    ///
    /// # Shapes
    /// - latents: `[batch, C, L, L]`; output: the same and `[batch]`
    pub fn inverse(&self, latents: Tensor<B, 4>) -> (Tensor<B, 4>, Tensor<B, 1>) {
        let steps = self.inverse_steps(latents);
        let log_det = steps.iter().map(|step| step.log_det.clone()).reduce(|a, b| a + b);
        match (steps.into_iter().next_back(), log_det) {
            (Some(step), Some(log_det)) => (self.image_of(step.level, step.rows), log_det),
            // A valid configuration has at least one level.
            _ => unreachable!("a flow without levels"),
        }
    }

    /// The images x^(h) after each inverse RG step (fig. 4a), coarsest first, each with its step's log-determinant.
    ///
    /// # Shapes
    /// - latents: `[batch, C, L, L]`; output: `[batch, C, n, n]` with n = m, 2m, …, L, and `[batch]`
    pub fn progressive(&self, latents: Tensor<B, 4>) -> Vec<(Tensor<B, 4>, Tensor<B, 1>)> {
        let image = |step: InverseStep<B>| (self.image_of(step.level, step.rows), step.log_det);
        self.inverse_steps(latents).into_iter().map(image).collect()
    }

    /// The image x^(h) of a level's disentangler's rows.
    pub(crate) fn image_of(&self, level: usize, rows: Tensor<B, 2>) -> Tensor<B, 4> {
        self.add_mean(self.grid(rows, level), level)
    }

    /// The inverse RG steps, coarsest first.
    ///
    /// # Shapes
    /// - latents: `[batch, C, L, L]`
    fn inverse_steps(&self, latents: Tensor<B, 4>) -> Vec<InverseStep<B>> {
        let (batch, d) = (latents.dims()[0], self.config.block_dims());
        let picture = latents.reshape([batch, self.config.dims()]);
        let mut steps = Vec::new();
        let mut current: Option<Tensor<B, 2>> = None;
        for (level, stages) in self.stages.chunks_exact(2).enumerate().rev() {
            let mut log_det: Option<Tensor<B, 1>> = None;
            for stage in stages.iter().rev() {
                let rows = stage.gather_from_above(&picture, current.take()).reshape([batch * stage.blocks, d]);
                let (rows, change) = stage.bijector.run(Direction::Inverse, rows);
                log_det = Some(accumulate(log_det, change, batch, stage.blocks));
                current = Some(rows.reshape([batch, stage.blocks * d]));
            }
            if let (Some(rows), Some(log_det)) = (current.clone(), log_det) {
                steps.push(InverseStep { level, rows, log_det });
            }
        }
        steps
    }

    /// Images with the mean image subtracted.
    pub(crate) fn subtract_mean(&self, images: Tensor<B, 4>) -> Tensor<B, 4> {
        match self.means.first() {
            Some(mean) => images - mean.clone(),
            None => images,
        }
    }

    /// The mean image at places of the flat picture, `[1, places]`.
    pub(crate) fn mean_at(&self, places: &[usize]) -> Option<Tensor<B, 2>> {
        let mean = self.means.first()?.clone().reshape([1, self.config.dims()]);
        let index = TensorData::new(places.iter().map(|&p| p as i32).collect::<Vec<_>>(), [places.len()]);
        Some(mean.clone().select(1, Tensor::from_data(index, &mean.device())))
    }

    /// A level's images with the mean image added back.
    fn add_mean(&self, images: Tensor<B, 4>, level: usize) -> Tensor<B, 4> {
        match self.means.get(level) {
            Some(mean) => images + mean.clone(),
            None => images,
        }
    }

    /// The finest disentangler's rows as the image, without the mean image.
    pub(crate) fn image(&self, rows: Tensor<B, 2>) -> Tensor<B, 4> {
        self.grid(rows, 0)
    }

    /// A disentangler's rows as the image x^(h).
    fn grid(&self, rows: Tensor<B, 2>, level: usize) -> Tensor<B, 4> {
        let (batch, edge) = (rows.dims()[0], self.config.size >> level);
        let order = self.from_rows[level].clone();
        rows.select(1, order).reshape([batch, self.config.channels, edge, edge])
    }

    /// log p(x) of images given as logits, in nats, without the log-determinant of the logit transform.
    ///
    /// # Shapes
    /// - x: `[batch, C, L, L]`; output: `[batch]`
    pub fn log_prob(&self, x: Tensor<B, 4>) -> Tensor<B, 1> {
        ImageFlow::log_prob(self, x)
    }

    /// The samples of a seed with these indices, as logits.
    ///
    /// # Shapes
    /// - output: `[indices.len(), C, L, L]`
    ///
    /// # Examples
    /// Sample 2 is the same picture, whatever it is drawn with:
    /// ```
    /// use burn::backend::Flex;
    /// use shared::{RgFlow, RgFlowConfig, Temperature};
    ///
    /// let device = Default::default();
    /// let flow = RgFlow::<Flex>::random(&RgFlowConfig::tiny(), 0.1, 1, &device)?.fold();
    /// let [four, one] = [0..4, 2..3].map(|indices| flow.sample(7, indices, &Temperature::uniform(0.8), &device));
    /// assert_eq!(four.dims(), [4, 3, 16, 16]);
    /// assert!((four.narrow(0, 2, 1) - one).abs().max().into_scalar() < 1e-5);
    /// # Ok::<(), shared::Error>(())
    /// ```
    pub fn sample(
        &self,
        seed: u64,
        indices: std::ops::Range<u64>,
        temperature: &Temperature,
        device: &B::Device,
    ) -> Tensor<B, 4> {
        ImageFlow::sample(self, seed, indices, temperature, device)
    }

    /// A batch of images or latents from plain numbers, in [batch, C, L, L] order.
    ///
    /// # Errors
    /// [`crate::Error::Input`] if their number is not a multiple of an image's C·L².
    pub fn batch(&self, values: Vec<f32>, device: &B::Device) -> Result<Tensor<B, 4>> {
        ImageFlow::batch(self, values, device)
    }
}

impl<B: FlowBackend> ImageFlow<B> for Flow<B> {
    fn image_shape(&self) -> [usize; 2] {
        [self.config.channels, self.config.size]
    }

    fn prior(&self) -> PriorKind {
        self.config.prior
    }

    fn latent_levels(&self) -> Vec<usize> {
        Levels::new(&self.config).of_picture()
    }

    /// The latents in the inference cone (fig. 2d).
    fn reached_latents(&self, pixels: &[(usize, usize)]) -> Vec<usize> {
        let [channels, size] = self.image_shape();
        let mut reached = Vec::new();
        for (level, cone) in inference_cone(&self.config, pixels).iter().enumerate() {
            let places = cone.latents.iter().map(|(row, col)| (row << level) * size + (col << level));
            reached.extend(places.flat_map(|place| (0..channels).map(move |c| c * size * size + place)));
        }
        reached.sort_unstable();
        reached
    }

    fn forward(&self, x: Tensor<B, 4>) -> Encoded<B> {
        Flow::forward(self, x)
    }

    fn forward_by_level(&self, x: Tensor<B, 4>) -> EncodedByLevel<B> {
        let dims = x.dims();
        let (mut parts, mut latents) = (Vec::new(), Vec::new());
        let mut log_det: Option<Tensor<B, 1>> = None;
        for passed in self.pass(x) {
            let sum = log_det.take().map_or(passed.log_det.clone(), |before| before + passed.log_det);
            match passed.latents {
                // The level ends where latents stay behind.
                Some(stay) => {
                    parts.push((self.config.prior.log_prob(stay.clone()) + sum).unsqueeze_dim(1));
                    latents.push(stay);
                }
                None => log_det = Some(sum),
            }
        }
        EncodedByLevel { latents: self.picture(latents, dims), log_prob: Tensor::cat(parts, 1) }
    }

    fn inverse(&self, latents: Tensor<B, 4>) -> (Tensor<B, 4>, Tensor<B, 1>) {
        Flow::inverse(self, latents)
    }
}

/// The mean image at each level: repeated averages of 2×2 pixels.
fn means<B: FlowBackend>(config: &RgFlowConfig, mean: Tensor<B, 4>) -> Vec<Tensor<B, 4>> {
    let coarser = |fine: &Tensor<B, 4>| {
        let [_, channels, edge, _] = fine.dims();
        let cells = fine.clone().reshape([channels, edge / 2, 2, edge / 2, 2]);
        Some(cells.mean_dim(4).mean_dim(2).reshape([1, channels, edge / 2, edge / 2]))
    };
    std::iter::successors(Some(mean), coarser).take(config.level_count()).collect()
}

/// Adds up the blocks' log-determinants of each image.
fn accumulate<B: FlowBackend>(
    sum: Option<Tensor<B, 1>>,
    change: Tensor<B, 1>,
    batch: usize,
    blocks: usize,
) -> Tensor<B, 1> {
    let change = change.reshape([batch, blocks]).sum_dim(1).squeeze_dim(1);
    match sum {
        Some(sum) => sum + change,
        None => change,
    }
}
