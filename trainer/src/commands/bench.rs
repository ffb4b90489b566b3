//! `trainer bench`: images a second.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, ValueEnum};
use shared::train::TrainBackend;
use shared::{Model, ModelConfig, Temperature};

use crate::args::numbers::{count, positive};
use crate::args::{DeviceArgs, Preset, preset};
use crate::device::{DeviceChoice, Job, dispatch};
use crate::error::{Error, Result};
use crate::files::{read_limited, write_whole};
use crate::output::say;
use crate::train::timed::{TimedSteps, Timing, noise};

/// Repetitions before the clock counts: kernels are compiled in them.
const WARM_UP: usize = 3;
/// Largest file of earlier results.
const MAX_BYTES: u64 = 1 << 20;

/// What can be timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Timed {
    /// Loss, gradient, clipping and AdamW.
    Train,
    /// From drawn latents to images.
    Sample,
    /// From images to latents and their likelihood.
    Encode,
}

impl Timed {
    /// Its name in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Sample => "sample",
            Self::Encode => "encode",
        }
    }
}

/// Arguments of `bench`.
#[derive(Args, Debug, Clone)]
pub struct BenchArgs {
    /// Architectures to time.
    #[arg(value_name = "PRESET", default_value = "demo", value_parser = preset())]
    pub presets: Vec<Preset>,
    /// Images in a batch, 1 to 65536; may be given several times.
    #[arg(long, default_value = "64", value_parser = count(1..=65_536_usize))]
    pub batch: Vec<usize>,
    /// Time only this [default: all three].
    #[arg(long, value_enum)]
    pub only: Option<Timed>,
    /// Repeat each measurement for this many seconds, at most 3600, and take the median.
    #[arg(long, default_value_t = 5.0, value_parser = positive(3600.0))]
    pub seconds: f64,
    /// Add the results to this JSON file: images a second, and on a CUDA card the MiB that training takes.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Times training steps, sampling and encoding, and prints images a second.
///
/// # Errors
/// A device that does not answer, and a file that cannot be written.
pub fn run(args: BenchArgs) -> Result<()> {
    let mut rates = match &args.out {
        Some(path) if path.exists() => earlier(path)?,
        _ => BTreeMap::new(),
    };
    let before = match args.device.device {
        DeviceChoice::Cuda(card) => memory(card),
        _ => None,
    };
    for Preset { name: preset, config } in &args.presets {
        for &batch in &args.batch {
            for &what in Timed::value_variants().iter().filter(|&&what| args.only.is_none_or(|only| only == what)) {
                let job = Rate { config, what, batch, seconds: args.seconds };
                let Timing { rate, first } = dispatch(args.device.device, job)?;
                let name = format!("{}/{preset}/{batch}", what.name());
                say!(
                    "{name}: {rate:.1} images/s, {:.2} ms each time, {first:.1} s the first",
                    1e3 * batch as f64 / rate
                )?;
                rates.insert(name, rate);
                // Of training alone: the pool keeps that memory, so later figures would say nothing.
                if let (Timed::Train, DeviceChoice::Cuda(card), Some(before)) = (what, args.device.device, before)
                    && let Some(after) = memory(card)
                {
                    rates.insert(format!("memory/{preset}/{batch}"), after - before);
                }
                if let Some(path) = &args.out {
                    // At once: the next one may take long, or be interrupted.
                    let text = serde_json::to_string_pretty(&rates).unwrap_or_default();
                    write_whole(path, (text + "\n").as_bytes())?;
                }
            }
        }
    }
    Ok(())
}

/// What an earlier run of this command left in the file.
fn earlier(path: &Path) -> Result<BTreeMap<String, f64>> {
    serde_json::from_slice(&read_limited(path, MAX_BYTES)?).map_err(|e| {
        Error::content(path.display(), format!("not results of `trainer bench` ({e})"), "give another name for --out")
    })
}

/// MiB in use on a card, if nvidia-smi can be run.
fn memory(card: usize) -> Option<f64> {
    let query = ["--query-gpu=memory.used", "--format=csv,noheader,nounits", "-i"];
    let output = Command::new("nvidia-smi").args(query).arg(card.to_string()).output().ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

struct Rate<'a> {
    config: &'a ModelConfig,
    what: Timed,
    batch: usize,
    seconds: f64,
}

impl Job for Rate<'_> {
    type Output = Timing;

    fn run<B: TrainBackend>(self, device: B::Device) -> Result<Timing> {
        let Self { config, what, batch, seconds } = self;
        if what == Timed::Train {
            return TimedSteps { config, batch, warm_up: WARM_UP, seconds }.run::<B>(device);
        }
        let model = Model::<B::InnerBackend>::new(config, 1, &device).map_err(Error::model("the preset".as_ref()))?;
        let flow = model.fold();
        if what == Timed::Sample {
            let temperature = Temperature::uniform(0.8);
            return Timing::of(batch, WARM_UP, seconds, || {
                drop(flow.sample(1, 0..batch as u64, &temperature, &device).into_data());
                Ok(())
            });
        }
        let images = noise::<B::InnerBackend>(config.image_shape(), batch, &device).images;
        Timing::of(batch, WARM_UP, seconds, || {
            drop(flow.log_prob(images.clone()).into_data());
            Ok(())
        })
    }
}
