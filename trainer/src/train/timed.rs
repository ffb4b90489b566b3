//! Training steps one after the other, as `trainer train` takes them, to be timed.

use std::time::Instant;

use burn::module::AutodiffModule;
use burn::tensor::read_sync;
use shared::train::{AdamW, Batch, Measured, Recipe, TrainBackend, dequantise, step};
use shared::{FlowBackend, Model, ModelConfig};

use crate::device::Job;
use crate::error::{Error, Result};

/// What repeated work takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// Images a second, by the median.
    pub rate: f64,
    /// Seconds that the first time took.
    pub first: f64,
}

impl Timing {
    /// Repeats work on `images` images for that many seconds, after `warm_up` times in which kernels are compiled.
    ///
    /// # Errors
    /// The work's own.
    pub fn of(images: usize, warm_up: usize, seconds: f64, mut work: impl FnMut() -> Result<()>) -> Result<Self> {
        let clock = Instant::now();
        work()?;
        let first = clock.elapsed().as_secs_f64();
        for _ in 1..warm_up {
            work()?;
        }
        let (mut times, clock) = (Vec::new(), Instant::now());
        while times.is_empty() || clock.elapsed().as_secs_f64() < seconds {
            let start = Instant::now();
            work()?;
            times.push(start.elapsed().as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        Ok(Self { rate: images as f64 / times[times.len() / 2], first })
    }
}

/// Times training steps of an architecture.
pub struct TimedSteps<'a> {
    /// The architecture.
    pub config: &'a ModelConfig,
    /// Images in a batch.
    pub batch: usize,
    /// Steps before the clock counts.
    pub warm_up: usize,
    /// Seconds to repeat them for.
    pub seconds: f64,
}

impl Job for TimedSteps<'_> {
    type Output = Timing;

    fn run<B: TrainBackend>(self, device: B::Device) -> Result<Timing> {
        let run = TimedRun::<B>::start(self.config, &device);
        let mut run = Some(run.map_err(Error::model("the preset".as_ref()))?);
        Timing::of(self.batch, self.warm_up, self.seconds, || {
            if let Some(before) = run.take() {
                run = Some(before.step(self.batch).0);
            }
            Ok(())
        })
    }
}

/// A run on meaningless pictures.
pub struct TimedRun<B: TrainBackend> {
    config: ModelConfig,
    recipe: Recipe,
    device: B::Device,
    model: Model<B>,
    optimizer: AdamW<B::InnerBackend>,
    number: u64,
}

impl<B: TrainBackend> TimedRun<B> {
    /// Starts from a new model: what its parameters are makes no difference to the time.
    ///
    /// # Errors
    /// A configuration that does not describe a model.
    pub fn start(config: &ModelConfig, device: &B::Device) -> shared::Result<Self> {
        let model = Model::<B>::new(config, 1, device)?;
        let optimizer = AdamW::new(&model.valid());
        let (config, device) = (config.clone(), device.clone());
        Ok(Self { config, recipe: Recipe::cosine(1000), device, model, optimizer, number: 0 })
    }

    /// One step on that many images: loss, gradient, clipping, AdamW. The loss is read back, so that the step is over.
    pub fn step(self, images: usize) -> (Self, Measured) {
        let Self { config, recipe, device, model, optimizer, number } = self;
        let batch = noise(config.image_shape(), images, &device);
        let (model, optimizer, measured) = read_sync(step(model, optimizer, &recipe, number, batch));
        (Self { config, recipe, device, model, optimizer, number: number + 1 }, measured)
    }
}

/// Meaningless pictures of the given channels and edge.
pub fn noise<B: FlowBackend>([channels, size]: [usize; 2], images: usize, device: &B::Device) -> Batch<B> {
    let pixels: Vec<u8> = (0..images * channels * size * size).map(|i| (i * i % 251) as u8).collect();
    dequantise(&pixels, [channels, size], 1, 0, device)
}
