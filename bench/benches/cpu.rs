//! Speed on the CPU: training steps, sampling and encoding, in images per second.
//!
//! `cargo xtask bench` runs them all; `cargo bench --manifest-path bench/Cargo.toml -- train` one group.
//! RAYON_NUM_THREADS sets the threads.

// A benchmark's set-up may fail as a test does.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use bench::candle::CandleFlow;
use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use shared::weights::{Card, ModelFile, Precision};
use shared::{Flow, ModelConfig, RgFlow, RgFlowConfig, Temperature};
use trainer::train::timed::{TimedRun, noise};

const PRESETS: [&str; 2] = ["bench", "demo"];
/// The batch of the training comparisons.
const BATCH: usize = 64;

fn model(config: &RgFlowConfig) -> RgFlow<Flex> {
    RgFlow::random(config, 0.02, 1, &Default::default()).unwrap()
}

/// One optimizer step.
fn train(c: &mut Criterion) {
    let mut group = c.benchmark_group("train");
    group.sample_size(10).throughput(Throughput::Elements(BATCH as u64));
    for preset in PRESETS {
        let config = ModelConfig::preset(preset).unwrap();
        let mut training = Some(TimedRun::<Autodiff<Flex>>::start(&config, &Default::default()).unwrap());
        group.bench_function(BenchmarkId::new(preset, BATCH), |b| {
            b.iter(|| {
                let (next, measured) = training.take().unwrap().step(BATCH);
                training = Some(next);
                measured
            });
        });
    }
    group.finish();
}

/// The matrix products of a training step alone, as the gemm library does them: the time below which no flow made of
/// them can come.
fn products(c: &mut Criterion) {
    let mut group = c.benchmark_group("train");
    group.sample_size(10).throughput(Throughput::Elements(BATCH as u64));
    for preset in PRESETS {
        let config = RgFlowConfig::preset(preset).unwrap();
        let zeros = |rows: usize, columns: usize| Tensor::<Flex, 2>::full([rows, columns], 0.5, &Default::default());
        let mut operands = Vec::new();
        for (h, level) in config.levels.iter().enumerate() {
            let rows = BATCH * ((config.size / config.block) >> h).pow(2);
            // Each net runs in both half-steps of its layer, in both stages.
            let times = 2 * 2 * 2 * level.layers * level.res_blocks;
            let dim = config.block_dims();
            let widths = [vec![dim], vec![level.hidden; level.mlp], vec![dim]].concat();
            for w in widths.windows(2) {
                operands.push((times, zeros(rows, w[0]), zeros(w[0], w[1]), zeros(rows, w[1])));
            }
        }
        group.bench_function(BenchmarkId::new(format!("{preset}, products alone"), BATCH), |b| {
            b.iter(|| {
                for (times, x, weight, dy) in &operands {
                    for _ in 0..*times {
                        black_box(x.clone().matmul(weight.clone()));
                        black_box(dy.clone().matmul(weight.clone().transpose()));
                        black_box(x.clone().transpose().matmul(dy.clone()));
                    }
                }
            });
        });
    }
    group.finish();
}

/// From the latents to the images, with the latents drawn.
fn sample(c: &mut Criterion) {
    each_batch(c, "sample", |flow, batch| {
        move || drop(flow.sample(1, 0..batch as u64, &Temperature::uniform(0.8), &Default::default()))
    });
}

/// From the images to the latents and the likelihood.
fn encode(c: &mut Criterion) {
    each_batch(c, "encode", |flow, batch| {
        let images = noise::<Flex>([flow.config().channels, flow.config().size], batch, &Default::default()).images;
        move || drop(flow.log_prob(images.clone()))
    });
}

fn each_batch<W: Fn()>(c: &mut Criterion, name: &str, work: impl Fn(Flow<Flex>, usize) -> W) {
    let mut group = c.benchmark_group(name);
    group.sample_size(10);
    for preset in PRESETS {
        let config = RgFlowConfig::preset(preset).unwrap();
        let flow = model(&config).fold();
        for batch in [1, 64] {
            group.throughput(Throughput::Elements(batch as u64));
            group.bench_function(BenchmarkId::new(preset, batch), |b| b.iter(work(flow.clone(), batch)));
        }
    }
    group.finish();
}

/// The same in candle-core.
fn candle(c: &mut Criterion) {
    let config = RgFlowConfig::bench();
    let model = model(&config);
    let bytes = ModelFile::from_model(&model, Card::default()).to_bytes(Precision::F32).unwrap();
    let flow = CandleFlow::new(&bytes, &config).unwrap();
    for batch in [1, 64] {
        let values: Vec<f32> = (0..batch * config.dims()).map(|i| (i as f32 * 0.37).sin()).collect();
        let x = candle_core::Tensor::from_vec(values, (batch, config.dims()), &candle_core::Device::Cpu).unwrap();
        let work: [(&str, &dyn Fn()); 2] = [
            ("sample", &|| drop(black_box(flow.inverse(&x).unwrap()))),
            ("encode", &|| drop(black_box(flow.forward(&x).unwrap()))),
        ];
        for (name, work) in work {
            let mut group = c.benchmark_group(name);
            group.sample_size(10).throughput(Throughput::Elements(batch as u64));
            group.bench_function(BenchmarkId::new("bench, candle-core", batch), |b| b.iter(work));
            group.finish();
        }
    }
}

criterion_group!(benches, train, products, sample, encode, candle);
criterion_main!(benches);
