//! Inpainting and correction (section 4, fig. 7): the coarse latents are fit to the known pixels, and generate what is
//! in the hole.
//!
//! The most likely completion of a hole under log p(x) is a smooth blob, since log |det ∂z/∂x| rewards flatness. So the
//! completion is sought among the pictures that likely latents generate: z minimises
//!
//! F(z) = Σ (z − ξ)²/2 + Σ_known (G(z) − x)²/2ε²
//!
//! over the coarse latents, starting from z = 0, from coarse to fine ([`schedule`]). With a sampler the first term is
//! that of latents that go together (`variables.rs`), and the fit starts from the mean of encoded pictures. If the hole
//! is large the finest level never moves: with it, meaningless latents could match the known pixels exactly. ξ = 0 gives
//! the best completion. Others follow by randomising and then optimising: ξ is a draw from the prior, and the known
//! pixels get a little noise.
//!
//! The known pixels are then put back exactly, and their difference from G(z) fades into the hole. Images that differ
//! in the hole only have the same latents outside the hole's inference cone (fig. 2d).

mod draws;
mod lbfgs;
mod mask;
mod row;
pub mod schedule;
mod variables;
mod wish;

use std::rc::Rc;

use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;

use self::lbfgs::Descent;
pub use self::mask::Mask;
use self::row::{Row, Seen, objective};
pub use self::schedule::Phase;
use self::schedule::{Stage, refinement, stages};
use self::variables::Variables;
pub use self::wish::Wish;
use crate::backend::FlowBackend;
use crate::error::{Error, Result};
use crate::image_flow::ImageFlow;

/// Which latents may move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Free {
    /// All but the finest level's, from coarse to fine.
    Coarse,
    /// Those at these places of the flat latent picture; all others stay as the smooth fill has them.
    Places(Vec<usize>),
}

/// An inpainting under way: take steps, and look at the images between them.
///
/// # Examples
/// A hole of 3×3 pixels in an image of 8×8:
/// ```
/// use std::rc::Rc;
///
/// use burn::backend::{Autodiff, Flex};
/// use shared::edit::inpaint::{Free, Inpainting, Mask, Wish};
/// use shared::{LevelConfig, RgFlow, RgFlowConfig};
///
/// let level = LevelConfig { layers: 1, res_blocks: 1, mlp: 1, hidden: 8 };
/// let (config, device) = (RgFlowConfig::new(8, vec![level; 2]), Default::default());
/// let flow = Rc::new(RgFlow::<Autodiff<Flex>>::random(&config, 0.1, 1, &device)?.fold());
/// let image: Vec<f32> = (0..config.dims()).map(|i| (i as f32 * 0.1).sin()).collect();
/// let mask = Mask::square(8, 2, 3, 3)?;
///
/// let mut inpainting = Inpainting::new(flow, image.clone(), &mask, Free::Coarse, Wish::new(0, 1, None), &device)?;
/// while inpainting.step() {}
/// let completed = &inpainting.images()[0];
/// let changed: Vec<usize> = (0..config.dims()).filter(|&i| completed[i] != image[i]).collect();
/// assert_eq!(changed, mask.places(config.channels));
/// # Ok::<(), shared::Error>(())
/// ```
pub struct Inpainting<B: FlowBackend + AutodiffBackend> {
    flow: Rc<dyn ImageFlow<B>>,
    device: B::Device,
    mask: Mask,
    levels: Vec<usize>,
    variables: Variables,
    free: Free,
    wish: Wish,
    phase: Phase,
    best: Vec<Row>,
    others: Vec<Row>,
    stages: Vec<Stage>,
    /// Index of the stage, and the looks taken in it so far.
    at: (usize, u32),
    /// The variables that move in this stage.
    moving: Vec<usize>,
    /// Each row's descent in this stage.
    descents: Vec<Descent>,
    taken: u32,
}

impl<B: FlowBackend + AutodiffBackend<InnerBackend: FlowBackend>> Inpainting<B> {
    /// Starts on images, given as logits one after the other, that all lack the same pixels. Their values at those
    /// pixels are ignored.
    ///
    /// # Errors
    /// [`Error::Input`] if the number of values is not a multiple of an image's, the mask has another size, or a latent
    /// is outside the model.
    pub fn new(
        flow: Rc<dyn ImageFlow<B>>,
        images: Vec<f32>,
        mask: &Mask,
        free: Free,
        wish: Wish,
        device: &B::Device,
    ) -> Result<Self> {
        let ([_, size], dims) = (flow.image_shape(), flow.dims());
        if mask.size() != size {
            let mask = mask.size();
            let problem = format!("the mask has {mask}×{mask} pixels, but the model's images have {size}×{size}");
            return Err(Error::Input(format!("{problem}; resize the mask")));
        }
        if images.is_empty() || !images.len().is_multiple_of(dims) {
            return Err(Error::Input(format!("{} numbers: not a multiple of the image size, {dims}", images.len())));
        }
        if let Free::Places(places) = &free
            && (places.is_empty() || places.iter().any(|&place| place >= dims))
        {
            return Err(Error::Input(format!("latents are numbered 0 to {}; give at least one of them", dims - 1)));
        }
        let sampler = wish.sampler.as_ref().filter(|_| free == Free::Coarse);
        if let Some(ours) = sampler.map(|sampler| sampler.mean().len()).filter(|&ours| ours != dims) {
            return Err(Error::Input(format!("a sampler of {ours} latents for a model of {dims}; fit it again")));
        }
        let variables = sampler.map_or_else(|| Variables::plain(dims), |sampler| Variables::of(sampler));
        let fill = |image: &[f32]| {
            let mut image = image.to_vec();
            mask.fill(&mut image);
            image
        };
        let smooth: Vec<Vec<f32>> = images.chunks_exact(dims).map(fill).collect();
        let start = match &free {
            Free::Coarse => vec![0.0; images.len() / dims * variables.count()],
            Free::Places(_) => {
                let encoded = flow.forward(flow.batch(smooth.concat(), device)?).latents;
                encoded.into_data().iter::<f32>().collect()
            }
        };
        let row = |(image, at): (&Vec<f32>, &[f32])| Row {
            at: at.to_vec(),
            xi: vec![0.0; at.len()],
            given: image.clone(),
            target: image.clone(),
            seen: None,
        };
        let mut inpainting = Self {
            best: smooth.iter().zip(start.chunks_exact(variables.count())).map(row).collect(),
            others: vec![],
            levels: flow.latent_levels(),
            variables,
            stages: vec![],
            flow,
            device: device.clone(),
            mask: mask.clone(),
            free,
            wish,
            phase: Phase::Best,
            at: (0, 0),
            moving: vec![],
            descents: vec![],
            taken: 0,
        };
        inpainting.stages = inpainting.stages_of(Phase::Best);
        inpainting.begin_stage();
        Ok(inpainting)
    }

    fn stages_of(&self, phase: Phase) -> Vec<Stage> {
        match &self.free {
            Free::Coarse => {
                let top = self.levels.iter().copied().max().unwrap_or(0);
                let more = if self.refines(phase) { refinement(top) } else { vec![] };
                [stages(top, phase), more].concat()
            }
            Free::Places(_) => vec![schedule::at_once(self.mask.size(), phase, self.refines(phase))],
        }
    }

    /// Whether every level is fit in the end, as in small holes: less than a quarter of the picture.
    fn refines(&self, phase: Phase) -> bool {
        phase == Phase::Best && 4 * self.mask.pixels().len() < self.mask.flags().len()
    }

    /// What is under way.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Gradients taken so far, and in all.
    pub fn progress(&self) -> (u32, u32) {
        let count = |phase| self.stages_of(phase).iter().map(|stage| stage.gradients).sum::<u32>();
        let texture = u32::from(self.has_texture());
        let others = if self.wish.others == 0 { 0 } else { count(Phase::Others) };
        (self.taken, count(Phase::Best) + texture + others)
    }

    /// Whether the finest level gets a drawn texture; where it is fit, it has one already.
    fn has_texture(&self) -> bool {
        self.wish.texture > 0.0 && self.free == Free::Coarse && !self.refines(Phase::Best)
    }

    /// How many of a completed image's latents may differ from the given image's, and how many latents there are.
    pub fn touched(&self) -> (usize, usize) {
        let touched = match &self.free {
            Free::Coarse => self.flow.reached_latents(&self.mask.pixels()).len(),
            Free::Places(places) => places.len(),
        };
        (touched, self.flow.dims())
    }

    /// The best completion of each image so far, as logits `[C, L, L]`, known pixels exactly as given. Until the first of
    /// several stages is over it is the smooth fill.
    pub fn images(&self) -> Vec<Vec<f32>> {
        let early = self.phase == Phase::Best && self.at.0 == 0 && self.free == Free::Coarse;
        self.best.iter().map(|row| if early { row.given.clone() } else { self.completed(row) }).collect()
    }

    /// The other completions so far, image by image; none until their first stage is over.
    pub fn others(&self) -> Vec<Vec<f32>> {
        if self.phase == Phase::Others && self.at.0 == 0 {
            return vec![];
        }
        self.others.iter().map(|row| self.completed(row)).collect()
    }

    fn completed(&self, row: &Row) -> Vec<f32> {
        match &row.seen {
            Some(seen) => self.mask.complete(&row.given, &seen.picture),
            None => row.given.clone(),
        }
    }

    fn rows(&self) -> &[Row] {
        if self.phase == Phase::Best { &self.best } else { &self.others }
    }

    /// Takes one step, on a device that answers at once; false if there is none left.
    pub fn step(&mut self) -> bool {
        match self.look() {
            Some(look) => self.take(look.into_data().iter::<f32>().collect()),
            None => return false,
        }
        true
    }

    /// What the next step needs, for devices that must be waited for: give its numbers to [`Inpainting::take`]. `None`
    /// if all is done.
    ///
    /// # Shapes
    /// - output: `[rows, 1 + 2·C·L²]`: the squared distance to the known pixels, its gradient with respect to the
    ///   latents, the picture
    pub fn look(&self) -> Option<Tensor<B::InnerBackend, 2>> {
        if self.phase == Phase::Done {
            return None;
        }
        let ([channels, size], dims, rows) = (self.flow.image_shape(), self.flow.dims(), self.rows());
        let latents: Vec<f32> = (0..rows.len()).flat_map(|k| self.variables.latents(&self.trial(k))).collect();
        let targets: Vec<f32> = rows.iter().flat_map(|row| row.target.iter().copied()).collect();
        let known: Vec<f32> = (0..dims).map(|i| f32::from(!self.mask.flags()[i % (size * size)])).collect();
        let shape = [rows.len(), channels, size, size];
        let tensor = |values: Vec<f32>, shape: [usize; 4]| {
            let data = burn::tensor::TensorData::new(values, shape);
            Tensor::<B::InnerBackend, 4>::from_data(data, &self.device)
        };
        let z = Tensor::<B, 4>::from_inner(tensor(latents, shape)).require_grad();
        let picture = self.flow.inverse(z.clone()).0;
        let target = Tensor::from_inner(tensor(targets, shape));
        let known = Tensor::from_inner(tensor(known, [1, channels, size, size]));
        let misfit = ((picture.clone() - target).square() * known).reshape([rows.len(), dims]).sum_dim(1);
        let grads = misfit.clone().sum().backward();
        let gradient = z.grad(&grads).unwrap_or_else(|| picture.clone().inner().zeros_like());
        let flat = |tensor: Tensor<B::InnerBackend, 4>| tensor.reshape([rows.len(), dims]);
        Some(Tensor::cat(vec![misfit.inner(), flat(gradient), flat(picture.inner())], 1))
    }

    /// The variables of row `k` to look at next.
    fn trial(&self, k: usize) -> Vec<f32> {
        let mut at = self.rows()[k].at.clone();
        if let Some(descent) = self.descents.get(k) {
            self.moving.iter().zip(descent.trial()).for_each(|(&i, &value)| at[i] = value as f32);
        }
        at
    }

    /// Takes in what [`Inpainting::look`] found.
    pub fn take(&mut self, look: Vec<f32>) {
        let dims = self.flow.dims();
        let tolerance = self.stages.get(self.at.0).map_or(1.0, |stage| stage.tolerance);
        for (k, numbers) in look.chunks_exact(1 + 2 * dims).take(self.rows().len()).enumerate() {
            let (gradient, picture) = numbers[1..].split_at(dims);
            let gradient = self.variables.gradient(gradient);
            let seen = Seen { picture: picture.to_vec(), misfit: f64::from(numbers[0]), gradient };
            let at = self.trial(k);
            let row = if self.phase == Phase::Best { &mut self.best[k] } else { &mut self.others[k] };
            let better = match self.descents.get_mut(k) {
                Some(descent) => {
                    let known = objective(&at, &row.xi, &seen, &self.moving, tolerance);
                    descent.tell(known.value, known.gradient)
                }
                // Nothing moves: this look shows the finest level's texture.
                None => true,
            };
            if better || row.seen.is_none() {
                (row.at, row.seen) = (at, Some(seen));
            }
        }
        self.taken += 1;
        self.at.1 += 1;
        let over = self.stages.get(self.at.0).is_none_or(|stage| self.at.1 >= stage.gradients);
        if over {
            self.at = (self.at.0 + 1, 0);
            self.begin_stage();
        }
    }

    /// Begins the current stage, or what follows the last one.
    fn begin_stage(&mut self) {
        if let Some(stage) = self.stages.get(self.at.0) {
            self.moving = match &self.free {
                Free::Coarse => {
                    let directions = self.variables.directions();
                    let latents = (0..self.levels.len()).filter(|&i| self.levels[i] >= stage.level);
                    (0..directions).chain(latents.map(|i| directions + i)).collect()
                }
                Free::Places(places) => places.clone(),
            };
            let begin = |row: &Row| match &row.seen {
                Some(seen) => Descent::from_known(objective(&row.at, &row.xi, seen, &self.moving, stage.tolerance)),
                None => Descent::from_point(self.moving.iter().map(|&i| f64::from(row.at[i])).collect()),
            };
            self.descents = self.rows().iter().map(begin).collect();
            return;
        }
        self.descents = vec![];
        let only_texture = self.at.0 == self.stages.len();
        match self.phase {
            Phase::Best if only_texture && self.has_texture() => self.put_texture(),
            Phase::Best if self.wish.others > 0 => self.begin_others(),
            _ => self.phase = Phase::Done,
        }
    }
}
