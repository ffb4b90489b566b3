//! Local recomputation against whole passes, always from random parameters.

use burn::backend::Flex;
use burn::tensor::{Tensor, TensorData};
use shared::edit::local::Trace;
use shared::prior::draw_latents;
use shared::{BlockOrder, Encoded, Flow, LevelConfig, RgFlow, RgFlowConfig, Temperature};

use crate::numbers::{self, values};

fn flow(size: usize, order: BlockOrder, channels: usize) -> Flow<Flex> {
    let level = LevelConfig { layers: 2, res_blocks: 1, mlp: 1, hidden: 10 };
    let levels = vec![level; (size / 4).ilog2() as usize + 1];
    let mean_image = order == BlockOrder::Official;
    let config = RgFlowConfig { order, channels, mean_image, ..RgFlowConfig::new(size, levels) };
    RgFlow::<Flex>::random(&config, 0.2, 3, &Default::default()).unwrap().fold()
}

fn pictures(flow: &Flow<Flex>, batch: u64) -> Tensor<Flex, 4> {
    let values = (0..batch).flat_map(|i| draw_latents(flow.config(), 11, i, &Temperature::uniform(1.0))).collect();
    flow.batch(values, &Default::default()).unwrap()
}

fn largest_difference<const D: usize>(a: Tensor<Flex, D>, b: Tensor<Flex, D>) -> f32 {
    numbers::largest_difference(&values(a), &values(b))
}

/// New values for these places of a batch of two.
fn news(places: &[usize], shift: f32) -> Tensor<Flex, 2> {
    let values = (0..2 * places.len()).map(|i| (i as f32 * 0.7 + shift).sin() * 2.0).collect();
    Tensor::from_data(TensorData::new(values, [2, places.len()]), &Default::default())
}

/// The pictures with those values in those places.
fn edited(pictures: Tensor<Flex, 4>, places: &[usize], news: &Tensor<Flex, 2>) -> Tensor<Flex, 4> {
    let (shape, mut all, news) = (pictures.dims(), values(pictures), values(news.clone()));
    let dims = all.len() / 2;
    for (picture, news) in all.chunks_exact_mut(dims).zip(news.chunks_exact(places.len())) {
        places.iter().zip(news).for_each(|(&place, &value)| picture[place] = value);
    }
    Tensor::from_data(TensorData::new(all, shape), &Default::default())
}

#[test]
fn edits_in_their_cone_equal_whole_passes() {
    for size in [16, 32] {
        for order in [BlockOrder::Paper, BlockOrder::Official] {
            let flow = flow(size, order, 3);
            let latents = pictures(&flow, 2);
            let mut trace = Trace::generate(&flow, latents.clone()).unwrap();
            let check = |trace: &Trace<Flex>, latents: Tensor<Flex, 4>, what: &str| {
                let (images, log_det) = flow.inverse(latents.clone());
                assert!(largest_difference(trace.images(), images.clone()) < 1e-5, "{what} {size} {order:?}");
                assert!(largest_difference(trace.latents(), latents) < 1e-5, "{what} {size} {order:?}");
                assert!(largest_difference(trace.log_det(), log_det.neg()) < 1e-3, "{what} {size} {order:?}");
                images
            };
            let before = check(&trace, latents.clone(), "the pass itself");

            // A latent of the finest level, two on a block's border, one of each higher level.
            let plane = size * size;
            let fine = [size + 3, plane + 5 * size + 7, 3 * size + 4];
            let all_levels: Vec<usize> =
                (0..=(size / 4).ilog2()).map(|h| (size + 1) << h).filter(|i| *i < plane).collect();
            for places in [&fine[..], &[0, 2 * plane + 2], &all_levels] {
                let news = news(places, 0.3);
                let expected = edited(trace.latents(), places, &news);
                let cost = trace.edit_latents(places, news).unwrap();
                let after = check(&trace, expected, "latents");
                assert!(largest_difference(after, before.clone()) > 0.1);
                assert!(cost.blocks <= cost.of);
            }

            // From the other end, and in the middle of a trace's life.
            let mut encoded = Trace::encode(&flow, before.clone()).unwrap();
            assert!(largest_difference(encoded.latents(), latents) < 1e-4);
            for (trace, places) in [(&mut encoded, &[size + 3][..]), (&mut trace, &[0, 5 * size + 4, 2 * plane + 9])] {
                let news = news(places, 0.9);
                let images = edited(trace.images(), places, &news);
                let cost = trace.edit_pixels(places, news).unwrap();
                let Encoded { latents, log_det } = flow.forward(images.clone());
                assert!(largest_difference(trace.latents(), latents) < 1e-5, "pixels {size} {order:?}");
                assert!(largest_difference(trace.images(), images) < 1e-5);
                assert!(largest_difference(trace.log_det(), log_det) < 1e-3);
                assert!(cost.blocks < cost.of);
            }
        }
    }
}

#[test]
fn what_lies_outside_the_cone_is_not_touched_at_all() {
    let flow = flow(32, BlockOrder::Paper, 3);
    let mut trace = Trace::generate(&flow, pictures(&flow, 2)).unwrap();
    let before = values(trace.images());
    let cost = trace.edit_latents(&[33], news(&[33], 0.1)).unwrap();
    let after = values(trace.images());
    let inside = |i: usize| cost.cone[0].pixels.contains(&(i / 32 % 32, i % 32));
    assert!(before.iter().zip(&after).enumerate().all(|(i, (a, b))| inside(i) || a == b));
    assert!(before.iter().zip(&after).any(|(a, b)| a != b));
}

/// Blocks computed again for one pixel and for one latent of the finest level.
fn blocks(size: usize) -> [usize; 3] {
    let flow = flow(size, BlockOrder::Paper, 1);
    let mut trace = Trace::generate(&flow, pictures(&flow, 2)).unwrap();
    let pixel = trace.edit_pixels(&[5 * size + 5], news(&[0], 0.1)).unwrap();
    let latent = trace.edit_latents(&[5 * size + 5], news(&[0], 0.2)).unwrap();
    [pixel.blocks, latent.blocks, pixel.of]
}

#[test]
fn the_cost_of_one_pixel_grows_like_log_l() {
    let [a, b, c] = [32, 64, 128].map(blocks);
    assert_eq!(b[0] - a[0], c[0] - b[0], "each doubling adds one level's blocks");
    assert!(b[0] - a[0] <= 20);
    assert_eq!((a[1], b[1]), (c[1], c[1]), "a finest latent's blocks do not depend on the size at all");
    // 2·((L/4)² + … + 1): the whole grows like L².
    assert_eq!([a[2], b[2], c[2]], [170, 682, 2730]);
}

#[test]
fn edits_that_make_no_sense_are_refused() {
    let flow = flow(16, BlockOrder::Paper, 3);
    let mut trace = Trace::generate(&flow, pictures(&flow, 2)).unwrap();
    let before = values(trace.images());
    let message = |result: shared::Result<_>| -> String {
        result.map(|_: shared::edit::local::Recomputed| ()).unwrap_err().to_string()
    };
    assert!(message(trace.edit_latents(&[768], news(&[0], 0.0))).contains("outside"));
    assert!(message(trace.edit_pixels(&[3, 3], news(&[0, 0], 0.0))).contains("twice"));
    assert!(message(trace.edit_pixels(&[3], news(&[0, 0], 0.0))).contains("[2, 1]"));
    assert!(Trace::encode(&flow, Tensor::zeros([1, 3, 8, 8], &Default::default())).is_err());
    assert_eq!(before, values(trace.images()));
}
