//! Images of 64 and 128 pixels against the flow's definition in f64, always from random parameters.

use burn::backend::Flex;
use burn::module::Param;
use shared::geometry::{Levels, generation_cone, inference_cone};
use shared::{BlockOrder, LevelConfig, PriorKind, RgFlow, RgFlowConfig};

use crate::numbers::values;
use crate::reference::{Reference, log_prob};

const ORDERS: [BlockOrder; 2] = [BlockOrder::Paper, BlockOrder::Official];

/// Nets of several depths, each level's its own, none wide.
fn config(size: usize) -> RgFlowConfig {
    let level = |layers, res_blocks, mlp| LevelConfig { layers, res_blocks, mlp, hidden: 6 };
    let shapes = [level(2, 1, 1), level(1, 2, 1), level(2, 1, 2), level(1, 1, 1), level(3, 1, 1), level(2, 2, 2)];
    RgFlowConfig::new(size, shapes[..(size / 4).ilog2() as usize + 1].to_vec())
}

/// Far from the identity; maps less so, since their condition multiplies f32's rounding.
fn model(config: &RgFlowConfig) -> RgFlow<Flex> {
    const STRENGTH: f32 = 0.15;
    let amount = if config.linear_maps { 0.02 } else { STRENGTH };
    let mut model = RgFlow::<Flex>::random(config, amount, 3, &Default::default()).unwrap();
    for bijector in &mut model.bijectors {
        bijector.scale = Param::from_tensor(bijector.scale.val() * (STRENGTH / amount));
    }
    model
}

fn waves(len: usize) -> Vec<f32> {
    (0..len).map(|i| 2.0 * (i as f32 * 0.731 + (i as f32 * 0.0173).powi(2)).sin()).collect()
}

fn wide(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().copied().map(f64::from).collect()
}

/// Checks that two lists differ by no more than so many of f32's roundings of the largest number.
fn near(what: &str, got: &[f32], want: &[f64], roundings: f64) {
    assert_eq!(got.len(), want.len(), "{what}");
    let size = want.iter().fold(0.0, |m: f64, w| m.max(w.abs()));
    let off = got.iter().zip(want).map(|(g, w)| (f64::from(*g) - w).abs()).fold(0.0, f64::max);
    let found = off / size / f64::from(f32::EPSILON);
    assert!(found <= roundings, "{what}: off by {found:.1} roundings of {size}, where {roundings} are allowed");
}

/// Compares the library with the definition on two images.
///
/// A number goes through some twenty products of a few dozen terms, each of which rounds, and what rounds is
/// multiplied by the maps' condition: z and x are allowed more roundings than sums over all numbers, where they cancel.
fn check(config: &RgFlowConfig) {
    let model = model(config);
    let reference = Reference::new(config, &model);
    let dims = config.dims();
    let x = waves(2 * dims);
    let flow = model.fold();
    let batch = |numbers: &[f32]| flow.batch(numbers.to_vec(), &Default::default()).unwrap();
    let encoded = flow.forward(batch(&x));
    let (z, log_det) = (values(encoded.latents), values(encoded.log_det));
    let image = values(flow.inverse(batch(&z)).0);
    let priors = [PriorKind::Laplace, PriorKind::Gaussian];
    let log_probs = priors.map(|prior| {
        let flow = self::model(&RgFlowConfig { prior, ..config.clone() }).fold();
        values(flow.log_prob(batch(&x)))
    });
    for i in 0..2 {
        let what = |name: &str| format!("{name} of image {i}, {config:?}");
        let [x, z, image] = [&x, &z, &image].map(|all| &all[i * dims..(i + 1) * dims]);
        let (latents, latents_log_det) = reference.forward(&wide(x));
        let moved = latents.iter().zip(x).filter(|(z, x)| (*z - f64::from(**x)).abs() > 0.1).count();
        assert!(moved > dims / 2 && latents_log_det.abs() > 10.0, "nearly the identity: {moved}, {latents_log_det}");
        near(&what("z"), z, &latents, 64.0);
        near(&what("log_det"), &log_det[i..=i], &[latents_log_det], 16.0);
        near(&what("x"), image, &reference.inverse(&wide(z)), 256.0);
        for (prior, found) in priors.iter().zip(&log_probs) {
            let expected = log_prob(*prior, &latents, latents_log_det);
            near(&what(&format!("log p, {prior:?},")), &found[i..=i], &[expected], 16.0);
        }
    }
}

/// From numbers of a picture to those of its latents, or back.
type Way<'a> = &'a dyn Fn(&[f32]) -> Vec<f64>;

#[test]
fn images_of_64_pixels_go_the_way_of_the_definition() {
    for (order, linear_maps, mean_image, channels) in choices() {
        check(&RgFlowConfig { order, linear_maps, mean_image, channels, ..config(64) });
    }
}

#[test]
fn images_of_128_pixels_go_the_way_of_the_definition() {
    // Half of the choices, in which every three of the four settings meet in every way.
    let odd = |&(order, maps, mean, channels): &(BlockOrder, bool, bool, usize)| {
        (order == BlockOrder::Official) ^ maps ^ mean ^ (channels == 3)
    };
    for (order, linear_maps, mean_image, channels) in choices().filter(odd) {
        check(&RgFlowConfig { order, linear_maps, mean_image, channels, ..config(128) });
    }
}

/// Both orders, with and without linear maps and a mean image, grey and coloured.
fn choices() -> impl Iterator<Item = (BlockOrder, bool, bool, usize)> {
    (0..16).map(|k| (ORDERS[k & 1], k & 2 != 0, k & 4 != 0, [1, 3][k >> 3]))
}

/// Pixels, and places of latents of every level: on both sides of blocks' borders, on the seam of the torus, inside.
const PLACES: [(usize, usize); 14] = [
    (0, 0),
    (63, 63),
    (1, 0),
    (2, 2),
    (31, 32),
    (32, 32),
    (16, 48),
    (8, 24),
    (4, 12),
    (33, 62),
    (17, 30),
    (47, 5),
    (20, 44),
    (61, 2),
];

#[test]
fn cones_of_64_pixels_are_what_changes() {
    const SIZE: usize = 64;
    for order in ORDERS {
        let level = LevelConfig { layers: 2, res_blocks: 1, mlp: 1, hidden: 6 };
        let config = RgFlowConfig { order, channels: 1, ..RgFlowConfig::new(SIZE, vec![level; 5]) };
        // Strong couplings and several changes, so that none drowns in rounding on its way through the levels.
        let model = RgFlow::<Flex>::random(&config, 0.4, 3, &Default::default()).unwrap();
        let (reference, flow, levels) = (Reference::new(&config, &model), model.fold(), Levels::new(&config));
        let base = waves(config.dims());
        let batch = |numbers: Vec<f32>| flow.batch(numbers, &Default::default()).unwrap();
        let by_definition: [Way<'_>; 2] = [&|x| reference.forward(&wide(x)).0, &|z| reference.inverse(&wide(z))];
        let by_library: [Way<'_>; 2] = [&|x| wide(&values(flow.forward(batch(x.to_vec())).latents)), &|z| {
            values(flow.inverse(batch(z.to_vec())).0).into_iter().map(f64::from).collect()
        }];
        let unchanged = [by_definition, by_library].map(|ways| ways.map(|run| run(&base)));
        for (row, col) in PLACES {
            let place = row * SIZE + col;
            let changed = |run: &dyn Fn(&[f32]) -> Vec<f64>, before: &[f64]| -> Vec<usize> {
                let after = [2.0, -1.7, 0.9].map(|change| {
                    let mut other = base.clone();
                    other[place] += change;
                    run(&other)
                });
                (0..before.len()).filter(|&i| after.iter().any(|after| after[i] != before[i])).collect()
            };
            let mut latents: Vec<usize> = inference_cone(&config, &[(row, col)])
                .iter()
                .enumerate()
                .flat_map(|(h, cone)| cone.latents.iter().map(move |(r, c)| (r << h) * SIZE + (c << h)))
                .collect();
            latents.sort_unstable();
            let at = levels.address(place).unwrap();
            let cone = generation_cone(&config, &[(at.level, (at.row, at.col))]);
            let pixels: Vec<usize> = cone[0].pixels.iter().map(|(r, c)| r * SIZE + c).collect();
            for (way, cone) in [latents, pixels].into_iter().enumerate() {
                let what = format!("{} of {row}, {col}, {order:?}", ["latents", "pixels"][way]);
                assert_eq!(changed(by_definition[way], &unchanged[0][way]), cone, "{what}");
                let in_f32 = changed(by_library[way], &unchanged[1][way]);
                assert!(in_f32.iter().all(|i| cone.contains(i)), "{what}: the library changes others");
                assert!(in_f32.len() * 10 > cone.len() * 9, "{what}: {} of {}", in_f32.len(), cone.len());
            }
        }
    }
}
