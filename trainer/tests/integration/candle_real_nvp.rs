//! A Real NVP read as docs/weights.md says.

use candle_core::{Device, Result, Tensor};
use serde_json::Value;

use crate::candle_reader::{Reader, number, numbers, sum};

/// Where a coupling keeps what it finds, `[channels, n, n]`: by channel, row and column.
type Kept<'a> = &'a dyn Fn(usize, usize, usize) -> bool;

impl Reader {
    pub fn real_nvp(&self, y: &[f64]) -> Result<(Vec<f64>, f64)> {
        let (size, channels) = (number(&self.config()["size"]), number(&self.config()["channels"]));
        let scales = self.config()["scales"].as_array().unwrap();
        let y = y.iter().map(|&y| y as f32).collect();
        let mut x = Tensor::from_vec(y, (1, channels, size, size), &Device::Cpu)?;
        let (mut latents, mut log_det, mut net) = (Vec::new(), 0.0, 0);
        let mut couple = |x: &mut Tensor, scale: &Value, kept: Kept| -> Result<()> {
            let (moved, change) = self.couple(net, scale, x, kept)?;
            *x = moved;
            log_det += change;
            net += 1;
            Ok(())
        };
        for (k, scale) in scales.iter().enumerate() {
            let couplings = number(&scale["couplings"]);
            for i in 0..couplings {
                couple(&mut x, scale, &|_, row, col| (row + col) % 2 == i % 2)?;
            }
            if k + 1 == scales.len() {
                break;
            }
            x = squeeze(&x)?;
            let half = x.dim(1)? / 2;
            for i in 0..couplings {
                couple(&mut x, scale, &|channel, _, _| (channel < half) == (i % 2 == 0))?;
            }
            latents.extend(numbers(&x.narrow(1, half, half)?)?);
            x = x.narrow(1, 0, half)?.contiguous()?;
        }
        latents.extend(numbers(&x)?);
        Ok((latents, log_det))
    }

    fn couple(&self, net: usize, scale: &Value, x: &Tensor, kept: Kept) -> Result<(Tensor, f64)> {
        let (_, channels, n, _) = x.dims4()?;
        let keeps = (0..channels * n * n).map(|i| f32::from(u8::from(kept(i / n / n, i / n % n, i % n)))).collect();
        let keeps = Tensor::from_vec(keeps, x.shape(), &Device::Cpu)?;
        let changes = (1.0 - &keeps)?;
        let conv = |part: &str, x: &Tensor| -> Result<Tensor> {
            let weight = self.tensor(&format!("nets.{net}.{part}.weight"));
            let bias = self.tensor(&format!("nets.{net}.{part}.bias"));
            let padding = weight.dim(2)? / 2;
            x.conv2d(weight, padding, 1, 1, 1)?.broadcast_add(&bias.reshape((1, (), 1, 1))?)
        };
        let mut h = conv("entry", &(x * &keeps)?)?;
        for k in 0..number(&scale["res_blocks"]) {
            let first = conv(&format!("blocks.{k}.first"), &h.relu()?)?;
            let second = conv(&format!("blocks.{k}.second"), &first.relu()?)?;
            h = ((h + second)? / 2f64.sqrt())?;
        }
        let out = conv("exit", &h.relu()?)?;
        let bound = self.tensor(&format!("nets.{net}.scale")).reshape((1, (), 1, 1))?;
        let s = (out.narrow(1, 0, channels)?.tanh()?.broadcast_mul(&bound)? * &changes)?;
        let t = (out.narrow(1, channels, channels)? * &changes)?;
        let moved = ((x * s.exp()?)? + t)?;
        Ok((moved, sum(&s)?))
    }
}

/// Channel (2a + b)·c + k at (row, col) is channel k at (2·row + a, 2·col + b).
fn squeeze(x: &Tensor) -> Result<Tensor> {
    let (_, channels, n, _) = x.dims4()?;
    let old = x.squeeze(0)?.to_vec3::<f32>()?;
    let half = n / 2;
    let mut new = Vec::new();
    for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        for plane in &old {
            for row in 0..half {
                new.extend((0..half).map(|col| plane[2 * row + a][2 * col + b]));
            }
        }
    }
    Tensor::from_vec(new, (1, 4 * channels, half, half), &Device::Cpu)
}
