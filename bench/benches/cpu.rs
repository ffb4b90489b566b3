//! Speed on the CPU: training steps, sampling and encoding, in images per second.
//!
//! `cargo bench --manifest-path bench/Cargo.toml --target-dir target`, with `-- train` for one group;
//! RAYON_NUM_THREADS sets the threads.

// A benchmark's set-up may fail as a test does.
#![allow(clippy::unwrap_used)]

use burn::backend::{Autodiff, Flex};
use burn::module::AutodiffModule;
use burn::tensor::Tensor;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use shared::{Flow, FlowBackend, RgFlow, RgFlowConfig, Temperature};
use trainer::train::adamw::AdamW;
use trainer::train::batch::{Batch, dequantise};
use trainer::train::recipe::Recipe;
use trainer::train::step::step;

type Ad = Autodiff<Flex>;

const PRESETS: [&str; 2] = ["bench", "small"];
/// The batch of the training comparisons.
const BATCH: usize = 64;

fn model<B: FlowBackend>(config: &RgFlowConfig) -> RgFlow<B> {
    RgFlow::random(config, 0.02, 1, &Default::default()).unwrap()
}

fn images<B: FlowBackend>(config: &RgFlowConfig, batch: usize) -> Batch<B> {
    let pixels: Vec<u8> = (0..batch * config.dims()).map(|i| (i * i % 251) as u8).collect();
    dequantise(&pixels, config, 1, 0, &Default::default())
}

/// One optimizer step: loss, gradient, clipping, AdamW.
fn train(c: &mut Criterion) {
    let mut group = c.benchmark_group("train");
    group.sample_size(10).throughput(Throughput::Elements(BATCH as u64));
    for preset in PRESETS {
        let config = RgFlowConfig::preset(preset).unwrap();
        let recipe = Recipe::default();
        let model = model::<Ad>(&config);
        let mut state = Some((AdamW::new(&model.valid()), model, 0));
        group.bench_function(BenchmarkId::new(preset, BATCH), |b| {
            b.iter(|| {
                let (optimizer, model, number) = state.take().unwrap();
                let (model, optimizer, measured) =
                    step(model, optimizer, &config, &recipe, number, images(&config, BATCH));
                state = Some((optimizer, model, number + 1));
                measured
            });
        });
    }
    group.finish();
}

/// From the latents to the images, with the latents drawn.
fn sample(c: &mut Criterion) {
    each_batch(c, "sample", |flow, batch| {
        let _ = flow.sample(1, 0..batch as u64, &Temperature::uniform(0.8), &Default::default());
    });
}

/// From the images to the latents and the likelihood.
fn encode(c: &mut Criterion) {
    each_batch(c, "encode", |flow, batch| {
        let _: Tensor<Flex, 1> = flow.log_prob(images(flow.config(), batch).images);
    });
}

fn each_batch(c: &mut Criterion, name: &str, work: impl Fn(&Flow<Flex>, usize)) {
    let mut group = c.benchmark_group(name);
    group.sample_size(10);
    for preset in PRESETS {
        let config = RgFlowConfig::preset(preset).unwrap();
        let flow = model::<Flex>(&config).fold(&config);
        for batch in [1, 64] {
            group.throughput(Throughput::Elements(batch as u64));
            group.bench_function(BenchmarkId::new(preset, batch), |b| b.iter(|| work(&flow, batch)));
        }
    }
    group.finish();
}

criterion_group!(benches, train, sample, encode);
criterion_main!(benches);
