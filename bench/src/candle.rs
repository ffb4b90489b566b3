//! The same flow in candle-core, as one would write it there: whole-batch tensor operations, weights from our exported
//! file. A peer to measure against, for models of affine couplings alone in the paper's order.

use candle_core::{D, DType, Device, Result, Tensor, safetensors};
use shared::{LevelConfig, RgFlowConfig};

/// A model's weights.
pub struct CandleFlow {
    dim: usize,
    levels: Vec<Level>,
}

struct Level {
    stages: [Stage; 2],
    /// Places of the level's latents in its grid.
    latents: Tensor,
    /// Places of the coarser grid; none at the top.
    coarse: Option<Tensor>,
    /// Where each number of the grid stands in the latents with the coarser grid behind them.
    merge: Tensor,
}

/// A disentangler or decimator.
struct Stage {
    level: LevelConfig,
    /// Where each number of the blocks' rows stands in the grid.
    gather: Tensor,
    /// Where each number of the grid stands in the rows.
    ungather: Tensor,
    linears: Vec<Linear>,
    scale: Tensor,
}

/// One linear of all nets; the first index is the net.
struct Linear {
    alpha: Tensor,
    weight: Tensor,
    bias: Tensor,
}

impl CandleFlow {
    /// From an exported file.
    ///
    /// # Errors
    /// A file that is not one of this configuration.
    pub fn new(bytes: &[u8], config: &RgFlowConfig) -> Result<Self> {
        let tensors = safetensors::load_buffer(bytes, &Device::Cpu)?;
        let get = |name: String| match tensors.get(&name) {
            Some(tensor) => tensor.to_dtype(DType::F32),
            None => Err(candle_core::Error::Msg(format!("there is no tensor {name}"))),
        };
        let linear = |at: String| -> Result<Linear> {
            let part = |name: &str| get(format!("{at}.{name}"));
            Ok(Linear { alpha: part("alpha")?, weight: part("weight")?, bias: part("bias")? })
        };
        let stage = |h: usize, name: &str, shift: usize| -> Result<Stage> {
            let (level, at) = (config.levels[h], format!("levels.{h}.{name}"));
            let gather = rows(config, config.size >> h, shift);
            let count = level.res_blocks * (level.mlp + 1);
            Ok(Stage {
                level,
                ungather: indices(inverse(&gather))?,
                gather: indices(gather)?,
                linears: (0..count).map(|i| linear(format!("{at}.linears.{i}"))).collect::<Result<_>>()?,
                scale: get(format!("{at}.scale"))?,
            })
        };
        let level = |h: usize| -> Result<Level> {
            let edge = (config.size >> h) as u32;
            let goes_on = |i: &u32| h + 1 < config.levels.len() && (i / edge).is_multiple_of(2) && i.is_multiple_of(2);
            let (coarse, latents): (Vec<u32>, Vec<u32>) = (0..config.channels as u32 * edge * edge).partition(goes_on);
            let order = [latents.as_slice(), &coarse].concat();
            Ok(Level {
                stages: [stage(h, "disentangler", config.block / 2)?, stage(h, "decimator", 0)?],
                latents: indices(latents)?,
                coarse: if coarse.is_empty() { None } else { Some(indices(coarse)?) },
                merge: indices(inverse(&order))?,
            })
        };
        let levels = (0..config.levels.len()).map(level).collect::<Result<_>>()?;
        Ok(Self { dim: config.block_dims(), levels })
    }

    /// Latents `[n, dims]`, level by level, finest first, of images `[n, dims]`; and the log-determinants `[n]`.
    ///
    /// # Errors
    /// Images of another shape.
    pub fn forward(&self, images: &Tensor) -> Result<(Tensor, Tensor)> {
        let mut grid = images.clone();
        let (mut latents, mut log_det) = (Vec::new(), Tensor::zeros(images.dim(0)?, DType::F32, &Device::Cpu)?);
        for level in &self.levels {
            for stage in &level.stages {
                let (next, change) = stage.run(&grid, self.dim, true)?;
                (grid, log_det) = (next, (log_det + change)?);
            }
            latents.push(grid.index_select(&level.latents, 1)?);
            if let Some(coarse) = &level.coarse {
                grid = grid.index_select(coarse, 1)?;
            }
        }
        Ok((Tensor::cat(&latents, 1)?, log_det))
    }

    /// The way back.
    ///
    /// # Errors
    /// Latents of another shape.
    pub fn inverse(&self, latents: &Tensor) -> Result<Tensor> {
        let mut end = latents.dim(1)?;
        let mut grid: Option<Tensor> = None;
        for level in self.levels.iter().rev() {
            let count = level.latents.dim(0)?;
            end -= count;
            let own = latents.narrow(1, end, count)?;
            let all = match grid {
                Some(coarse) => Tensor::cat(&[&own.contiguous()?, &coarse], 1)?.contiguous()?,
                None => own.contiguous()?,
            };
            let mut fine = all.index_select(&level.merge, 1)?;
            for stage in level.stages.iter().rev() {
                fine = stage.run(&fine, self.dim, false)?.0;
            }
            grid = Some(fine);
        }
        grid.ok_or_else(|| candle_core::Error::Msg("a model without levels".into()))
    }
}

fn indices(places: Vec<u32>) -> Result<Tensor> {
    let len = places.len();
    Tensor::from_vec(places, len, &Device::Cpu)
}

/// The permutation that undoes another.
fn inverse(order: &[u32]) -> Vec<u32> {
    let mut back = vec![0; order.len()];
    order.iter().zip(0..).for_each(|(&place, i)| back[place as usize] = i);
    back
}

impl Stage {
    /// Runs on grids `[n, C·edge²]`.
    fn run(&self, grid: &Tensor, dim: usize, forward: bool) -> Result<(Tensor, Tensor)> {
        let n = grid.dim(0)?;
        let rows = grid.index_select(&self.gather, 1)?.reshape(((), dim))?;
        let half = dim / 2;
        let mut halves = [rows.narrow(1, 0, half)?.contiguous()?, rows.narrow(1, half, half)?.contiguous()?];
        let mut log_det = Tensor::zeros(rows.dim(0)?, DType::F32, &Device::Cpu)?;
        for step in 0..2 * self.level.layers {
            let at = if forward { step } else { 2 * self.level.layers - 1 - step };
            let (layer, from) = (at / 2, at % 2);
            let zeros = halves[from].zeros_like()?;
            let parts = if from == 0 { [&halves[0], &zeros] } else { [&zeros, &halves[1]] };
            let x = Tensor::cat(&parts, 1)?;
            let other = |y: Tensor| y.narrow(1, (1 - from) * half, half);
            let (s, t) = (other(self.net(2 * layer, &x)?)?.tanh()?, other(self.net(2 * layer + 1, &x)?)?);
            let old = &halves[1 - from];
            halves[1 - from] = if forward { ((old * s.exp()?)? + t)? } else { ((old - t)? * s.neg()?.exp()?)? };
            log_det = (log_det + s.sum(D::Minus1)?)?;
        }
        let rows = Tensor::cat(&[&halves[0], &halves[1]], 1)?;
        Ok((rows.reshape((n, ()))?.index_select(&self.ungather, 1)?, log_det.reshape((n, ()))?.sum(1)?))
    }

    fn net(&self, net: usize, x: &Tensor) -> Result<Tensor> {
        let mut stream = x.clone();
        for block in self.linears.chunks(self.level.mlp + 1) {
            let mut h = stream.clone();
            for linear in block {
                let gate = (h.broadcast_mul(&linear.alpha.get(net)?)?.neg()?.exp()? + 1.0)?.recip()?;
                h = (h * gate)?.matmul(&linear.weight.get(net)?)?.broadcast_add(&linear.bias.get(net)?)?;
            }
            stream = ((stream + h)? * std::f64::consts::FRAC_1_SQRT_2)?;
        }
        stream.broadcast_mul(&self.scale.get(net)?)
    }
}

/// Places in a grid `[C, edge, edge]` of the numbers of its blocks' rows, even pixels of the checkerboard first.
fn rows(config: &RgFlowConfig, edge: usize, shift: usize) -> Vec<u32> {
    let m = config.block;
    let mut rows = Vec::with_capacity(config.channels * edge * edge);
    for (p, q) in (0..edge / m).flat_map(|p| (0..edge / m).map(move |q| (p, q))) {
        for parity in [0, 1] {
            for (i, j) in (0..m * m).map(|k| (k / m, k % m)).filter(|(i, j)| (i + j) % 2 == parity) {
                let place = (p * m + i + shift) % edge * edge + (q * m + j + shift) % edge;
                rows.extend((0..config.channels).map(|c| (c * edge * edge + place) as u32));
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;
    use shared::RgFlow;
    use shared::weights::{Card, ModelFile, Precision};

    #[test]
    fn the_peer_computes_what_we_do() {
        let config = RgFlowConfig::tiny();
        let model = RgFlow::<Flex>::random(&config, 0.1, 3, &Default::default()).unwrap();
        let bytes = ModelFile::from_model(&model, Card::default()).to_bytes(Precision::F32).unwrap();
        let (ours, theirs) = (model.fold(), CandleFlow::new(&bytes, &config).unwrap());
        let images: Vec<f32> = (0..2 * config.dims()).map(|i| (i as f32 * 0.37).sin()).collect();
        let x = Tensor::from_vec(images.clone(), (2, config.dims()), &Device::Cpu).unwrap();
        let (z, log_det) = theirs.forward(&x).unwrap();
        let expected = ours.forward(ours.batch(images.clone(), &Default::default()).unwrap()).log_det;
        let expected = expected.into_data().to_vec::<f32>().unwrap();
        for (a, b) in log_det.to_vec1::<f32>().unwrap().iter().zip(expected) {
            assert!((a - b).abs() < 1e-3, "{a} {b}");
        }
        let back = theirs.inverse(&z).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(back.iter().zip(images).all(|(a, b)| (a - b).abs() < 1e-3));
    }
}
