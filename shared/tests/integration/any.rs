//! What holds for every model: configurations and places made up by proptest, the same ones in every run.
//! `PROPTEST_CASES=1000` tries more, `PROPTEST_RNG_SEED=7` others.

use burn::backend::Flex;
use burn::tensor::{Tensor, TensorData};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use shared::edit::local::Trace;
use shared::geometry::{Levels, generation_cone, inference_cone};
use shared::prior::draw_latents;
use shared::weights::{Card, ModelFile, Precision};
use shared::{BlockOrder, CouplingKind, Encoded, Flow, LevelConfig, PriorKind, RgFlow, RgFlowConfig, Temperature};

use crate::numbers::{largest_difference, values};

/// Few cases, as each builds a model; found ones are written into a test, not into a file.
fn cases(cases: u32) -> Config {
    let set = Config::default();
    let chosen = std::env::var_os("PROPTEST_CASES").is_some();
    let seed = if std::env::var_os("PROPTEST_RNG_SEED").is_some() { set.rng_seed } else { RngSeed::Fixed(20) };
    Config { cases: if chosen { set.cases } else { cases }, rng_seed: seed, failure_persistence: None, ..set }
}

/// Sizes m·2^k, blocks of 2 to 8, 1 to 4 channels, both orders, priors and couplings, with and without linear maps, a mean
/// image, place features, and levels that share their weights.
fn config() -> impl Strategy<Value = RgFlowConfig> {
    let level = (1..=3usize, 1..=2usize, 1..=2usize, 1..=6usize);
    let level = level.prop_map(|(layers, res_blocks, mlp, hidden)| LevelConfig { layers, res_blocks, mlp, hidden });
    let switches = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let shape = (1..=4usize, 0..=2u32, 1..=4usize).prop_flat_map(move |(half, doublings, channels)| {
        // No larger than tests can wait for.
        let doublings = doublings.min(if half > 2 { 1 } else { 2 });
        let levels = prop::collection::vec(level.clone(), doublings as usize + 1);
        (Just((2 * half, (2 * half) << doublings, channels)), levels)
    });
    let coupling = prop_oneof![Just(CouplingKind::Affine), (2..=6usize).prop_map(CouplingKind::Spline)];
    (shape, switches, coupling, (0..=2usize, 0..=2usize), any::<bool>()).prop_map(
        |(((block, size, channels), levels), switches, coupling, (features, from), share)| {
            let (official, gaussian, linear_maps, mean_image) = switches;
            let config = RgFlowConfig {
                channels,
                block,
                order: if official { BlockOrder::Official } else { BlockOrder::Paper },
                prior: if gaussian { PriorKind::Gaussian } else { PriorKind::Laplace },
                coupling,
                linear_maps,
                mean_image,
                place_features: features,
                places_from: from.min(levels.len() - 1),
                ..RgFlowConfig::new(size, levels)
            };
            if share && features == 0 { config.shared() } else { config }
        },
    )
}

/// Parameters off their first values by that much; by less where there are linear maps, which must stay far from singular:
/// a random map's norm grows with the root of its width.
fn model(config: &RgFlowConfig, amount: f32, seed: u64) -> RgFlow<Flex> {
    let amount = if config.linear_maps { amount.min(0.15 / (config.block_dims() as f32).sqrt()) } else { amount };
    RgFlow::random(config, amount, seed, &Default::default()).unwrap()
}

fn pictures(flow: &Flow<Flex>, seed: u64, count: u64) -> Tensor<Flex, 4> {
    let temperature = Temperature::uniform(1.0);
    let values = (0..count).flat_map(|i| draw_latents(flow.config(), seed, i, &temperature)).collect();
    flow.batch(values, &Default::default()).unwrap()
}

/// The largest difference, as a share of the largest number if that is above 1.
fn apart(a: &[f32], b: &[f32]) -> f32 {
    largest_difference(a, b) / b.iter().fold(1f32, |most, b| most.max(b.abs()))
}

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn any_model_round_trips_and_its_log_dets_cancel(config in config(), seed in 0..1000u64) {
        config.validate().unwrap();
        let flow = model(&config, 0.1, seed).fold();
        let x = pictures(&flow, seed, 2);
        let Encoded { latents, log_det } = flow.forward(x.clone());
        let (back, inverse_log_det) = flow.inverse(latents.clone());
        prop_assert!(apart(&values(latents), &values(x.clone())) > 1e-3, "the model is the identity");
        prop_assert!(apart(&values(back), &values(x)) < 1e-3);
        prop_assert!(apart(&values(log_det), &values(inverse_log_det.neg())) < 1e-3);
    }

    #[test]
    fn any_model_keeps_every_bit_in_a_file(config in config(), seed in 0..1000u64) {
        let model = model(&config, 0.1, seed);
        let file = ModelFile::from_model(&model, Card::default());
        let whole = file.to_bytes(Precision::F32).unwrap();
        let back = ModelFile::from_bytes(&whole).unwrap();
        prop_assert_eq!(&back.config, &config);
        prop_assert!(back.to_bytes(Precision::F32).unwrap() == whole);
        // Half the digits once are half the digits for ever.
        let half = file.to_bytes(Precision::F16).unwrap();
        prop_assert!(ModelFile::from_bytes(&half).unwrap().to_bytes(Precision::F16).unwrap() == half);
        // What is read computes what was written, bit by bit.
        let [written, read] = [file, back].map(|file| file.into_flow::<Flex>(&Default::default()).unwrap());
        let x = pictures(&written, seed, 1);
        prop_assert!(values(written.forward(x.clone()).latents) == values(read.forward(x).latents));
    }
}

/// Several changes, so that not all of them drown in rounding. That everything inside the cone changes is tested on models
/// that show it: flow.rs.
const CHANGES: [f32; 4] = [2.0, -1.7, 0.9, -3.0];

/// The places of one channel at which one of the images differs from what it came of.
fn changed(images: &[f32], bases: &[f32], config: &RgFlowConfig) -> Vec<usize> {
    let (plane, dims) = (config.size * config.size, config.dims());
    let differs = |place: usize| {
        let all =
            (0..CHANGES.len() * config.channels).map(|i| i / config.channels * dims + i % config.channels * plane);
        all.map(|start| start + place).any(|i| images[i] != bases[i])
    };
    (0..plane).filter(|&place| differs(place)).collect()
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn nothing_outside_any_cone_changes(config in config(), seed in 0..1000u64, place in 0..4096usize, channel in 0..4usize) {
        let flow = model(&config, 0.4, seed).fold();
        let (size, plane) = (config.size, config.size * config.size);
        let (place, channel) = (place % plane, channel % config.channels);
        let bases = pictures(&flow, seed, CHANGES.len() as u64);
        let mut inputs = values(bases.clone());
        for (picture, change) in inputs.chunks_exact_mut(config.dims()).zip(CHANGES) {
            picture[channel * plane + place] += change;
        }
        let inputs = flow.batch(inputs, &Default::default()).unwrap();

        let encoded = [inputs.clone(), bases.clone()].map(|x| values(flow.forward(x).latents));
        let cone = inference_cone(&config, &[(place / size, place % size)]);
        let latents = cone.iter().enumerate().flat_map(|(h, c)| c.latents.iter().map(move |(r, c)| (r << h) * size + (c << h)));
        let expected: Vec<usize> = latents.collect();
        let found = changed(&encoded[0], &encoded[1], &config);
        prop_assert!(!found.is_empty() && found.iter().all(|place| expected.contains(place)), "{:?} {:?}", found, expected);

        let generated = [inputs, bases].map(|z| values(flow.inverse(z).0));
        let at = Levels::new(&config).address(channel * plane + place).unwrap();
        let cone = generation_cone(&config, &[(at.level, (at.row, at.col))]);
        let expected: Vec<usize> = cone[0].pixels.iter().map(|(r, c)| r * size + c).collect();
        let found = changed(&generated[0], &generated[1], &config);
        prop_assert!(!found.is_empty() && found.iter().all(|place| expected.contains(place)), "{:?} {:?}", found, expected);
    }

    #[test]
    fn any_local_edit_equals_a_whole_pass(
        config in config(),
        seed in 0..1000u64,
        places in prop::collection::btree_set(0..16_384usize, 1..4),
        values_at in prop::collection::vec(-3f32..3.0, 4),
    ) {
        let flow = model(&config, 0.15, seed).fold();
        let places: std::collections::BTreeSet<usize> = places.into_iter().map(|place| place % config.dims()).collect();
        let places: Vec<usize> = places.into_iter().collect();
        let news = TensorData::new(values_at[..places.len()].to_vec(), [1, places.len()]);
        let news = Tensor::<Flex, 2>::from_data(news, &Default::default());
        let edited = |x: Tensor<Flex, 4>| {
            let mut all = values(x);
            places.iter().zip(&values_at).for_each(|(&place, &value)| all[place] = value);
            flow.batch(all, &Default::default()).unwrap()
        };

        let mut trace = Trace::generate(&flow, pictures(&flow, seed, 1)).unwrap();
        let latents = edited(trace.latents());
        trace.edit_latents(&places, news.clone()).unwrap();
        let (images, log_det) = flow.inverse(latents.clone());
        prop_assert!(apart(&values(trace.images()), &values(images)) < 1e-4);
        prop_assert!(apart(&values(trace.latents()), &values(latents)) < 1e-4);
        prop_assert!(apart(&values(trace.log_det()), &values(log_det.neg())) < 1e-3);

        let images = edited(trace.images());
        trace.edit_pixels(&places, news).unwrap();
        let Encoded { latents, log_det } = flow.forward(images.clone());
        prop_assert!(apart(&values(trace.latents()), &values(latents)) < 1e-4);
        prop_assert!(apart(&values(trace.images()), &values(images)) < 1e-4);
        prop_assert!(apart(&values(trace.log_det()), &values(log_det)) < 1e-3);
    }
}
