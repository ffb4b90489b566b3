//! What local recomputation saves: one pixel's change and one latent's edit against the whole pass, and against a Real
//! NVP, in which every latent depends on every pixel. Blocks are counted in the names.

// A benchmark's set-up may fail as a test does.
#![allow(clippy::unwrap_used)]

use burn::backend::Flex;
use burn::tensor::Tensor;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use shared::edit::local::Trace;
use shared::prior::draw_latents;
use shared::real_nvp::{RealNvp, RealNvpConfig};
use shared::{Flow, ImageFlow, LevelConfig, RgFlow, RgFlowConfig, Temperature};

const SIZES: [usize; 4] = [32, 64, 128, 256];

/// Widths like the preset `deep`'s, at any size.
fn flow(size: usize) -> Flow<Flex> {
    let level = |h| LevelConfig { layers: 4, res_blocks: 1, mlp: 2, hidden: if h == 0 { 64 } else { 128 } };
    let config = RgFlowConfig::new(size, (0..=(size / 4).ilog2()).map(level).collect());
    RgFlow::<Flex>::random(&config, 0.1, 3, &Default::default()).unwrap().fold()
}

fn local(c: &mut Criterion) {
    let device = Default::default();
    let mut group = c.benchmark_group("local");
    group.sample_size(10);
    for size in SIZES {
        let flow = flow(size);
        let latents = flow.batch(draw_latents(flow.config(), 1, 0, &Temperature::uniform(0.8)), &device).unwrap();
        let mut trace = Trace::generate(&flow, latents).unwrap();
        let images = trace.images();
        let place = [5 * size + 5];
        let value = |i: &mut u32| {
            *i = i.wrapping_add(1);
            Tensor::<Flex, 2>::full([1, 1], f64::from(*i % 20) * 0.1 - 1.0, &device)
        };
        let mut i = 0;
        let pixel = trace.edit_pixels(&place, value(&mut i)).unwrap();
        let name = |what: &str, blocks: usize| BenchmarkId::new(format!("{what}, {blocks} blocks"), size);
        group.bench_function(name("whole pass", pixel.of), |b| b.iter(|| flow.forward(images.clone())));
        group.bench_function(name("one pixel", pixel.blocks), |b| {
            b.iter(|| trace.edit_pixels(&place, value(&mut i)).unwrap());
        });
        let latent = trace.edit_latents(&place, value(&mut i)).unwrap();
        group.bench_function(name("one latent", latent.blocks), |b| {
            b.iter(|| trace.edit_latents(&place, value(&mut i)).unwrap());
        });
    }
    group.finish();
}

/// The whole pass is what one pixel's change costs a Real NVP.
fn real_nvp(c: &mut Criterion) {
    let mut group = c.benchmark_group("local");
    group.sample_size(10);
    for size in SIZES {
        let config = RealNvpConfig { size, ..RealNvpConfig::deep() };
        let flow = RealNvp::<Flex>::random(&config, 0.02, 3, &Default::default()).unwrap().fold();
        let values = (0..flow.dims()).map(|i| (i as f32 * 0.37).sin()).collect();
        let image = flow.batch(values, &Default::default()).unwrap();
        group
            .bench_function(BenchmarkId::new("Real NVP, whole pass", size), |b| b.iter(|| flow.forward(image.clone())));
    }
    group.finish();
}

criterion_group!(benches, local, real_nvp);
criterion_main!(benches);
