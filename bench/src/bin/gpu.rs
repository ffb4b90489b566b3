//! Times training steps on a CUDA card: `gpu OUT.json` writes images a second by the names of the CPU's benchmarks, and
//! MiB of the card that were in use. Each preset is a process of its own, `gpu OUT.json PRESET`, since memory that a
//! process had once it keeps.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use bench::results::json;
use bench::training::Training;
use shared::RgFlowConfig;
use trainer::device::{DeviceChoice, Job, TrainBackend, dispatch};
use trainer::error::Error;

const PRESETS: [&str; 3] = ["official_celeba32", "demo", "bench"];
const BATCH: usize = 64;
/// Steps before the clock counts: kernels are compiled and tuned in them.
const WARM_UP: usize = 5;
const SECONDS: f64 = 20.0;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.as_slice() {
        [out] => {
            std::fs::write(out, "{}").with_context(|| format!("cannot write {out}"))?;
            for preset in PRESETS {
                let status = Command::new(std::env::current_exe()?).args([out, preset]).status()?;
                ensure!(status.success(), "{preset} failed");
            }
            Ok(())
        }
        [out, preset] => measure(Path::new(out), preset),
        _ => anyhow::bail!("give the file to write"),
    }
}

/// Adds what one preset takes to the file.
fn measure(out: &Path, preset: &str) -> Result<()> {
    let config = RgFlowConfig::preset(preset).with_context(|| format!("no preset is called {preset}"))?;
    let before = memory()?;
    let rate = dispatch(DeviceChoice::Cuda(0), Rate(config))?;
    println!("train/{preset}/{BATCH}: {rate:.1} images/s");
    let mut measured: BTreeMap<String, f64> = json(out)?;
    measured.insert(format!("train/{preset}/{BATCH}"), rate);
    measured.insert(format!("memory/{preset}/{BATCH}"), memory()? - before);
    std::fs::write(out, serde_json::to_string_pretty(&measured)?)
        .with_context(|| format!("cannot write {}", out.display()))
}

struct Rate(RgFlowConfig);

impl Job for Rate {
    type Output = f64;

    fn run<B: TrainBackend>(self, device: B::Device) -> trainer::error::Result<f64> {
        let start = Training::<B>::start(&self.0, &device);
        let mut training = start.map_err(|source| Error::Model { file: "the preset".into(), source })?;
        for _ in 0..WARM_UP {
            training = training.step(BATCH)?.0;
        }
        let mut times = Vec::new();
        let clock = Instant::now();
        while times.is_empty() || clock.elapsed().as_secs_f64() < SECONDS {
            let start = Instant::now();
            training = training.step(BATCH)?.0;
            times.push(start.elapsed().as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        Ok(BATCH as f64 / times[times.len() / 2])
    }
}

/// MiB in use on the first card.
fn memory() -> Result<f64> {
    let query = ["--query-gpu=memory.used", "--format=csv,noheader,nounits", "--id=0"];
    let output = Command::new("nvidia-smi").args(query).output().context("no nvidia-smi: is there a CUDA card?")?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().with_context(|| format!("nvidia-smi said {text:?}"))
}
