//! Times training steps on a GPU: `gpu OUT.json [DEVICE] [SECONDS]` writes images a second by the names of the CPU's
//! benchmarks, and MiB of the card that were in use.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use bench::training::Training;
use shared::RgFlowConfig;
use trainer::device::{DeviceChoice, Job, TrainBackend, dispatch};
use trainer::error::Error;

const PRESETS: [&str; 3] = ["official_celeba32", "small", "bench"];
const BATCH: usize = 64;
/// Steps before the clock counts: kernels are compiled and tuned in them.
const WARM_UP: usize = 5;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let out = args.first().context("give the file to write, and a device and seconds for each model if you like")?;
    let device = args.get(1).map_or("cuda", String::as_str).parse().map_err(anyhow::Error::msg)?;
    let seconds = args.get(2).map_or(Ok(20.0), |text| text.parse()).context("seconds are a number")?;
    let mut measured = BTreeMap::new();
    for preset in PRESETS {
        let config = RgFlowConfig::preset(preset).context("a preset without a configuration")?;
        let before = memory();
        let rate = dispatch(device, Rate { config, seconds })?;
        println!("train/{preset}/{BATCH}: {rate:.1} images/s");
        measured.insert(format!("train/{preset}/{BATCH}"), rate);
        // Pools keep what they once had, so that the end shows the peak.
        if let (Some(before), Some(after), DeviceChoice::Cuda(_)) = (before, memory(), device) {
            measured.insert(format!("memory/{preset}/{BATCH}"), after - before);
        }
        write(Path::new(out), &measured)?;
    }
    Ok(())
}

fn write(out: &Path, measured: &BTreeMap<String, f64>) -> Result<()> {
    std::fs::write(out, serde_json::to_string_pretty(measured)?)
        .with_context(|| format!("cannot write {}", out.display()))
}

struct Rate {
    config: RgFlowConfig,
    seconds: f64,
}

impl Job for Rate {
    type Output = f64;

    fn run<B: TrainBackend>(self, device: B::Device) -> trainer::error::Result<f64> {
        let start = Training::<B>::start(&self.config, &device);
        let mut training = start.map_err(|source| Error::Model { file: "the preset".into(), source })?;
        for _ in 0..WARM_UP {
            training.step(BATCH)?;
        }
        let mut times = Vec::new();
        let clock = Instant::now();
        while times.is_empty() || clock.elapsed().as_secs_f64() < self.seconds {
            let start = Instant::now();
            training.step(BATCH)?;
            times.push(start.elapsed().as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        Ok(BATCH as f64 / times[times.len() / 2])
    }
}

/// MiB in use on the first card, if there is one.
fn memory() -> Option<f64> {
    let query = ["--query-gpu=memory.used", "--format=csv,noheader,nounits", "--id=0"];
    let output = Command::new("nvidia-smi").args(query).output().ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}
