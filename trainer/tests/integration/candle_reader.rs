//! The exported file is readable by another library alone: candle-core reads it and computes log p of an image with
//! a flow written from the file's documentation, in a few dozen lines.

use std::collections::HashMap;

use burn::backend::Flex;
use candle_core::{Device, Result, Tensor, safetensors};
use shared::weights::{Card, ModelFile, Precision};
use shared::{LevelConfig, RgFlow, RgFlowConfig};

const CHANNELS: usize = 3;
const BLOCK: usize = 4;

/// Cuts [C, n, n] into rows of blocks, even pixels of the checkerboard first; `shift` moves the blocks.
fn to_rows(grid: &[f32], edge: usize, shift: usize) -> Vec<(usize, f32)> {
    let mut rows = Vec::new();
    for p in (0..edge).step_by(BLOCK) {
        for q in (0..edge).step_by(BLOCK) {
            for odd in [0, 1] {
                for k in (0..BLOCK * BLOCK).filter(|k| (k / BLOCK + k % BLOCK) % 2 == odd) {
                    let (row, col) = ((p + k / BLOCK + shift) % edge, (q + k % BLOCK + shift) % edge);
                    rows.extend((0..CHANNELS).map(|c| (c * edge + row) * edge + col).map(|i| (i, grid[i])));
                }
            }
        }
    }
    rows
}

struct Reader {
    tensors: HashMap<String, Tensor>,
}

impl Reader {
    fn get(&self, name: &str, net: usize) -> Result<Tensor> {
        self.tensors[name].get(net)
    }

    fn net(&self, stage: &str, level: &LevelConfig, net: usize, x: &Tensor) -> Result<Tensor> {
        let mut stream = x.clone();
        for block in 0..level.res_blocks {
            let mut h = stream.clone();
            for k in 0..=level.mlp {
                let at = format!("{stage}.linears.{}", block * (level.mlp + 1) + k);
                let gate = candle_sigmoid(&h.broadcast_mul(&self.get(&format!("{at}.alpha"), net)?)?)?;
                let weight = self.get(&format!("{at}.weight"), net)?;
                h = (h * gate)?.matmul(&weight)?.broadcast_add(&self.get(&format!("{at}.bias"), net)?)?;
            }
            stream = ((stream + h)? * std::f64::consts::FRAC_1_SQRT_2)?;
        }
        stream.broadcast_mul(&self.get(&format!("{stage}.scale"), net)?)
    }

    /// The linear map before or after a stage's couplings; returns the rows and log |det| of one row.
    fn map(&self, name: &str, rows: Tensor) -> Result<(Tensor, f64)> {
        let weight = &self.tensors[&format!("{name}.weight")];
        let rows = rows.matmul(weight)?.broadcast_add(&self.tensors[&format!("{name}.bias")])?;
        Ok((rows, log_abs_det(weight.to_vec2()?)))
    }

    /// One stage on rows; returns the rows and their log-determinant in all.
    fn stage(&self, stage: &str, level: &LevelConfig, rows: Tensor) -> Result<(Tensor, f64)> {
        let (count, half) = (rows.dim(0)? as f64, rows.dim(1)? / 2);
        let (rows, entry) = self.map(&format!("{stage}.entry"), rows)?;
        let mut halves = [rows.narrow(1, 0, half)?, rows.narrow(1, half, half)?];
        let mut log_det = count * entry;
        for layer in 0..level.layers {
            for from in [0, 1] {
                let zeros = halves[from].zeros_like()?;
                let parts = if from == 0 { [&halves[0], &zeros] } else { [&zeros, &halves[1]] };
                let x = Tensor::cat(&parts, 1)?;
                let other = |t: Tensor| t.narrow(1, (1 - from) * half, half);
                let s = other(self.net(stage, level, 2 * layer, &x)?)?.tanh()?;
                let t = other(self.net(stage, level, 2 * layer + 1, &x)?)?;
                halves[1 - from] = ((&halves[1 - from] * s.exp()?)? + t)?;
                log_det += f64::from(s.sum_all()?.to_scalar::<f32>()?);
            }
        }
        let (rows, exit) = self.map(&format!("{stage}.exit"), Tensor::cat(&[&halves[0], &halves[1]], 1)?)?;
        Ok((rows, log_det + count * exit))
    }

    fn log_prob(&self, config: &RgFlowConfig, image: &[f32]) -> Result<f64> {
        let mut grid = image.to_vec();
        let mut edge = config.size;
        let (mut log_prob, b) = (0.0, 0.5f64.sqrt());
        for (h, level) in config.levels.iter().enumerate() {
            for (stage, shift) in [("disentangler", BLOCK / 2), ("decimator", 0)] {
                let rows = to_rows(&grid, edge, shift);
                let dim = CHANNELS * BLOCK * BLOCK;
                let values =
                    Tensor::from_vec(rows.iter().map(|r| r.1).collect(), (rows.len() / dim, dim), &Device::Cpu)?;
                let (values, log_det) = self.stage(&format!("levels.{h}.{stage}"), level, values)?;
                let values: Vec<f32> = values.flatten_all()?.to_vec1()?;
                rows.iter().zip(values).for_each(|(&(i, _), v)| grid[i] = v);
                log_prob += log_det;
            }
            let last = h + 1 == config.levels.len();
            let mut coarse = Vec::new();
            for (i, &v) in grid.iter().enumerate() {
                if !last && (i / edge).is_multiple_of(2) && (i % edge).is_multiple_of(2) {
                    coarse.push(v);
                } else {
                    log_prob += -(2.0 * b).ln() - f64::from(v.abs()) / b;
                }
            }
            grid = coarse;
            edge /= 2;
        }
        Ok(log_prob)
    }
}

/// By Gaussian elimination; the matrices here are near the identity and need no pivots.
fn log_abs_det(rows: Vec<Vec<f32>>) -> f64 {
    let mut a: Vec<Vec<f64>> = rows.iter().map(|r| r.iter().map(|&v| f64::from(v)).collect()).collect();
    for k in 0..a.len() {
        let (above, below) = a.split_at_mut(k + 1);
        for row in below {
            let factor = row[k] / above[k][k];
            row.iter_mut().zip(&above[k]).for_each(|(r, p)| *r -= factor * p);
        }
    }
    (0..a.len()).map(|k| a[k][k].abs().ln()).sum()
}

fn candle_sigmoid(x: &Tensor) -> Result<Tensor> {
    (x.neg()?.exp()? + 1.0)?.recip()
}

#[test]
fn candle_reads_the_file_and_finds_the_same_likelihood() {
    let level = |layers, res_blocks, mlp| LevelConfig { layers, res_blocks, mlp, hidden: 20 };
    let levels = vec![level(2, 2, 1), level(1, 1, 2), level(2, 2, 2)];
    let config = RgFlowConfig { linear_maps: true, ..RgFlowConfig::new(16, levels) };
    let model = RgFlow::<Flex>::random(&config, 0.05, 8, &Default::default()).unwrap();
    let file = ModelFile::from_model(&model, &config, Card::default());
    let image: Vec<f32> = (0..config.dims()).map(|i| (i as f32 * 0.17).sin() * 1.5).collect();
    for precision in [Precision::F32, Precision::F16] {
        let bytes = file.to_bytes(precision).unwrap();
        let flow = ModelFile::from_bytes(&bytes).unwrap().into_flow::<Flex>(&Default::default()).unwrap();
        let ours = flow.log_prob(flow.batch(image.clone(), &Default::default()).unwrap());
        let ours = f64::from(ours.into_data().to_vec::<f32>().unwrap()[0]);
        let tensors = safetensors::load_buffer(&bytes, &Device::Cpu).unwrap();
        let tensors = tensors.into_iter().map(|(k, t)| (k, t.to_dtype(candle_core::DType::F32).unwrap())).collect();
        let theirs = Reader { tensors }.log_prob(&config, &image).unwrap();
        assert!((ours / theirs - 1.0).abs() < 1e-3, "{precision:?}: {ours} {theirs}");
    }
}
