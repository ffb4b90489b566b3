//! What local recomputation saves: one pixel's change and one latent's edit against the whole pass, as a table.
//!
//! A harness of its own: criterion would give a dependency of Burn another feature, and Burn be built twice.

#![allow(clippy::unwrap_used)]

use std::time::Instant;

use burn::backend::Flex;
use burn::tensor::Tensor;
use shared::edit::local::Trace;
use shared::prior::draw_latents;
use shared::{Flow, LevelConfig, RgFlow, RgFlowConfig, Temperature};

/// The small preset's widths at any size.
fn flow(size: usize) -> Flow<Flex> {
    let levels = (0..=(size / 4).ilog2()).map(|h| LevelConfig {
        layers: 4,
        res_blocks: 1,
        mlp: 2,
        hidden: if h == 0 { 64 } else { 128 },
    });
    let config = RgFlowConfig::new(size, levels.collect());
    RgFlow::<Flex>::random(&config, 0.1, 3, &Default::default()).unwrap().fold(&config)
}

/// Median milliseconds of a run, after one that does not count.
fn median(mut run: impl FnMut(usize)) -> f64 {
    run(0);
    let mut times: Vec<f64> = (1..=15)
        .map(|i| {
            let start = Instant::now();
            run(i);
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    println!("| L | blocks | whole pass | one pixel: blocks | time | one latent of level 0: blocks | time |");
    println!("|---|---|---|---|---|---|---|");
    for size in [32, 64, 128, 256] {
        let flow = flow(size);
        let device = Default::default();
        let latents = flow.batch(draw_latents(flow.config(), 1, 0, &Temperature::uniform(0.8)), &device).unwrap();
        let mut trace = Trace::generate(&flow, latents).unwrap();
        let images = trace.images();
        let whole = median(|_| {
            flow.forward(images.clone());
        });
        let place = [5 * size + 5];
        let value = |i: usize| Tensor::<Flex, 2>::full([1, 1], i as f32 * 0.1, &device);
        let mut blocks = [0; 3];
        let pixel = median(|i| {
            let cost = trace.edit_pixels(&place, value(i)).unwrap();
            (blocks[0], blocks[2]) = (cost.blocks, cost.of);
        });
        let latent = median(|i| blocks[1] = trace.edit_latents(&place, value(i)).unwrap().blocks);
        let [of_pixel, of_latent, all] = blocks;
        println!("| {size} | {all} | {whole:.2} ms | {of_pixel} | {pixel:.2} ms | {of_latent} | {latent:.2} ms |");
    }
}
