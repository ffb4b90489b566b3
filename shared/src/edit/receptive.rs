//! Receptive fields (eq. 8): how the generated image responds to an infinitesimal change of a latent.
//!
//! All derivatives are exact. [`push_forward`] takes one tangent through the generator, for one latent on demand;
//! [`Jacobian`] has the derivatives of all blocks, from which those of all latents follow by small matrix products.
//! Images are logits here, as everywhere in the flow.

use burn::tensor::{Int, Tensor, TensorData};

use super::check;
use crate::backend::FlowBackend;
use crate::config::RgFlowConfig;
use crate::error::{Error, Result};
use crate::flow::Flow;
use crate::geometry::Levels;
use crate::shape::Direction;

/// Blocks whose derivatives are computed at once; bounds memory, whatever the image's size.
const BLOCKS: usize = 256;
/// Latents whose columns are held at once while strengths are summed up.
const COLUMNS: usize = 256;

/// The generator's images, and their exact change along one tangent each: G(z) and ∂G/∂z · t.
///
/// # Shapes
/// - latents, tangents, outputs: `[batch, C, L, L]`
///
/// # Errors
/// [`Error::Input`] if the shapes are not the model's or not the same.
pub fn push_forward<B: FlowBackend>(
    flow: &Flow<B>,
    latents: Tensor<B, 4>,
    tangents: Tensor<B, 4>,
) -> Result<(Tensor<B, 4>, Tensor<B, 4>)> {
    let config = flow.config();
    check(config, "latents", &latents)?;
    check(config, "tangents", &tangents)?;
    let shape = latents.dims();
    if tangents.dims() != shape {
        return Err(Error::Input(format!(
            "{} tangents for {} pictures; give one for each",
            tangents.dims()[0],
            shape[0]
        )));
    }
    let (batch, d) = (shape[0], config.block_dims());
    let [picture, direction] = [latents, tangents].map(|picture| picture.reshape([batch, config.dims()]));
    let (mut image, mut change) = (None, None);
    for stage in flow.stages.iter().rev() {
        let rows = stage.gather_from_above(&picture, image.take()).reshape([batch * stage.blocks, d]);
        let tangents = stage.gather_from_above(&direction, change.take()).reshape([batch * stage.blocks, 1, d]);
        let (rows, tangents) = stage.bijector.run_tangents(Direction::Inverse, rows, tangents);
        image = Some(rows.reshape([batch, stage.blocks * d]));
        change = Some(tangents.reshape([batch, stage.blocks * d]));
    }
    match (image, change) {
        (Some(image), Some(change)) => Ok((flow.image_of(0, image), flow.image(change))),
        // A valid configuration has at least one level.
        _ => unreachable!("a flow without stages"),
    }
}

/// The generator's derivative at one point of latent space, block by block.
#[derive(Clone, Debug)]
pub struct Jacobian<B: FlowBackend> {
    flow: Flow<B>,
    /// Each stage's ∂(image side)/∂(latent side), `[blocks, C·m² in, C·m² out]`.
    stages: Vec<Tensor<B, 3>>,
}

impl<B: FlowBackend> Jacobian<B> {
    /// The derivative at these latents.
    ///
    /// # Shapes
    /// - latents: `[1, C, L, L]`
    ///
    /// # Errors
    /// [`Error::Input`] if the shape is not that of one picture of the model.
    pub fn at(flow: &Flow<B>, latents: Tensor<B, 4>) -> Result<Self> {
        let config = flow.config();
        check(config, "latents", &latents)?;
        if latents.dims()[0] != 1 {
            return Err(Error::Input(format!(
                "the derivative is at one picture, but {} were given",
                latents.dims()[0]
            )));
        }
        let (d, device) = (config.block_dims(), latents.device());
        // With splines the nets have that many more outputs, and tangents of each.
        let at_once = (BLOCKS / config.coupling.outputs()).max(1);
        let picture = latents.reshape([1, config.dims()]);
        let mut current = None;
        let mut stages = Vec::with_capacity(flow.stages.len());
        for stage in flow.stages.iter().rev() {
            let rows = stage.gather_from_above(&picture, current.take()).reshape([stage.blocks, d]);
            let parts = rows.split(at_once, 0).into_iter().enumerate().map(|(part, rows)| {
                let (first, count) = (part * at_once, rows.dims()[0]);
                let units = Tensor::<B, 2>::eye(d, &device).unsqueeze_dim::<3>(0).expand([count, d, d]);
                let blocks: Vec<usize> = (first..first + count).collect();
                stage.bijector.of_blocks(&blocks).run_tangents(Direction::Inverse, rows, units)
            });
            let (rows, blocks): (Vec<_>, Vec<_>) = parts.unzip();
            current = Some(Tensor::cat(rows, 0).reshape([1, stage.blocks * d]));
            stages.push(Tensor::cat(blocks, 0));
        }
        stages.reverse();
        Ok(Self { flow: flow.clone(), stages })
    }

    /// ∂x/∂z of some latents.
    ///
    /// # Shapes
    /// - places: indices in the flat picture; output: `[places, C, L, L]`
    ///
    /// # Errors
    /// [`Error::Address`] if a place is outside the picture or no place is given.
    pub fn columns(&self, places: &[usize]) -> Result<Tensor<B, 4>> {
        let config = self.flow.config();
        let levels = Levels::new(config);
        let addresses: Result<Vec<_>> = places.iter().map(|&place| levels.address(place)).collect();
        let Some(highest) = addresses?.iter().map(|at| at.level).max() else {
            return Err(Error::Address("no latents given; give at least one".into()));
        };
        let (n, d, device) = (places.len(), config.block_dims(), self.stages[0].device());
        let picture = units(places, config.dims(), &device);
        // Nothing changes above the highest level of these latents.
        let first = 2 * highest + 1;
        let mut current = self.flow.stages.get(first + 1).map(|above| Tensor::zeros([n, above.blocks * d], &device));
        for (stage, jacobian) in self.flow.stages.iter().zip(&self.stages).take(first + 1).rev() {
            let tangents = stage.gather_from_above(&picture, current.take()).reshape([n, stage.blocks, d]);
            let tangents = tangents.swap_dims(0, 1).matmul(jacobian.clone()).swap_dims(0, 1);
            current = Some(tangents.reshape([n, stage.blocks * d]));
        }
        match current {
            Some(rows) => Ok(self.flow.image(rows)),
            None => unreachable!("a flow without stages"),
        }
    }
}

/// Unit vectors, `[places, dims]`.
fn units<B: FlowBackend>(places: &[usize], dims: usize, device: &B::Device) -> Tensor<B, 2> {
    let n = places.len();
    let columns = |list: Vec<i32>, rows: usize, width: usize| {
        Tensor::<B, 2, Int>::from_data(TensorData::new(list, [rows, width]), device)
    };
    let own = columns(places.iter().map(|&place| place as i32).collect(), n, 1).expand([n, dims]);
    let all = columns((0..dims as i32).collect(), 1, dims).expand([n, dims]);
    own.equal(all).float()
}

/// Receptive fields of some latents (eq. 8): E_z |∂x/∂z_l|_c, the 1-norm over the channels.
///
/// # Shapes
/// - places: indices in the flat picture; samples: latents drawn from the prior, `[samples, C, L, L]`
/// - output: `[places, L, L]`
///
/// # Errors
/// [`Error::Input`] if the samples are not the model's or there are none, [`Error::Address`] as [`Jacobian::columns`].
pub fn receptive_fields<B: FlowBackend>(
    flow: &Flow<B>,
    places: &[usize],
    samples: Tensor<B, 4>,
) -> Result<Tensor<B, 3>> {
    average(flow, samples, |jacobian| Ok(jacobian.columns(places)?.abs().sum_dim(1).squeeze_dim(1)))
}

/// Strengths of all latents' receptive fields: their sums over the image.
///
/// # Shapes
/// - samples: latents drawn from the prior, `[samples, C, L, L]`; output: a picture, `[C, L, L]`
///
/// # Errors
/// [`Error::Input`] if the samples are not the model's or there are none.
pub fn strengths<B: FlowBackend>(flow: &Flow<B>, samples: Tensor<B, 4>) -> Result<Tensor<B, 3>> {
    let config = flow.config();
    let levels = Levels::new(config);
    // Level by level, because a fine latent's column costs less.
    let by_level: Vec<Vec<usize>> = (0..levels.count()).map(|level| levels.indices(level)).collect();
    let groups: Vec<&[usize]> = by_level.iter().flat_map(|level| level.chunks(COLUMNS)).collect();
    let mut place = vec![0; levels.len()];
    by_level.iter().flatten().enumerate().for_each(|(i, &at)| place[at] = i as i32);
    let place = Tensor::<B, 1, Int>::from_data(TensorData::new(place, [levels.len()]), &samples.device());
    average(flow, samples, |jacobian| {
        let totals: Result<Vec<_>> = groups
            .iter()
            .map(|group| Ok(jacobian.columns(group)?.abs().reshape([group.len() as i32, -1]).sum_dim(1).squeeze_dim(1)))
            .collect();
        let by_place = Tensor::<B, 1>::cat(totals?, 0).select(0, place.clone());
        Ok(by_place.reshape([config.channels, config.size, config.size]))
    })
}

/// The mean over samples of a function of the Jacobian.
fn average<B: FlowBackend>(
    flow: &Flow<B>,
    samples: Tensor<B, 4>,
    of: impl Fn(&Jacobian<B>) -> Result<Tensor<B, 3>>,
) -> Result<Tensor<B, 3>> {
    let count = samples.dims()[0];
    let mut sum: Option<Tensor<B, 3>> = None;
    for i in 0..count {
        let one = of(&Jacobian::at(flow, samples.clone().narrow(0, i, 1))?)?;
        sum = Some(match sum {
            Some(sum) => sum + one,
            None => one,
        });
    }
    sum.map(|sum| sum / count as f64)
        .ok_or_else(|| Error::Input("no samples to average over; give at least one".into()))
}

/// The latents of a level with the strongest receptive fields, strongest first.
///
/// # Errors
/// [`Error::Input`] if there is not one strength for each number of the picture.
pub fn leading(config: &RgFlowConfig, strengths: &[f32], level: usize, count: usize) -> Result<Vec<usize>> {
    if strengths.len() != config.dims() {
        return Err(Error::Input(format!(
            "{} strengths for {} latents; give one for each",
            strengths.len(),
            config.dims()
        )));
    }
    let mut places = Levels::new(config).indices(level);
    places.sort_by(|&a, &b| strengths[b].total_cmp(&strengths[a]));
    places.truncate(count);
    Ok(places)
}
