//! Derivatives of the generator against finite differences and against each other, always from random parameters.

use burn::backend::Flex;
use burn::tensor::{Tensor, TensorData};
use shared::edit::receptive::{Jacobian, leading, push_forward, receptive_fields, strengths};
use shared::geometry::{Levels, generation_cone};
use shared::prior::draw_latents;
use shared::{BlockOrder, CouplingKind, Flow, LevelConfig, RgFlow, RgFlowConfig, Temperature};

use crate::numbers::{largest_difference, values};

fn flow(order: BlockOrder) -> Flow<Flex> {
    let level = |res_blocks, mlp| LevelConfig { layers: 2, res_blocks, mlp, hidden: 10 };
    let (linear_maps, coupling) = match order {
        BlockOrder::Paper => (true, CouplingKind::Affine),
        BlockOrder::Official => (false, CouplingKind::Spline(4)),
    };
    let levels = vec![level(1, 2), level(2, 1), level(3, 1)];
    let config = RgFlowConfig { order, coupling, linear_maps, place_features: 2, ..RgFlowConfig::new(16, levels) };
    RgFlow::<Flex>::random(&config, 0.1, 3, &Default::default()).unwrap().fold()
}

fn samples(flow: &Flow<Flex>, count: u64) -> Tensor<Flex, 4> {
    let values = (0..count).flat_map(|i| draw_latents(flow.config(), 5, i, &Temperature::uniform(1.0))).collect();
    flow.batch(values, &Default::default()).unwrap()
}

/// The largest difference, as a share of the largest number there is.
fn relative_difference(a: &[f32], b: &[f32]) -> f32 {
    largest_difference(a, b) / b.iter().fold(0f32, |m, x| m.max(x.abs()))
}

fn unit(flow: &Flow<Flex>, place: usize, height: f32) -> Tensor<Flex, 4> {
    let values = (0..flow.config().dims()).map(|i| if i == place { height } else { 0.0 }).collect();
    flow.batch(values, &Default::default()).unwrap()
}

/// Latents of every level, on both sides of blocks' borders and on the torus' seam.
const PLACES: [usize; 6] = [0, 17, 256 + 15 * 16 + 15, 2 * 256 + 34, 4 * 16 + 8, 256 + 8 * 16 + 4];

#[test]
fn columns_are_the_derivatives() {
    for order in [BlockOrder::Paper, BlockOrder::Official] {
        let flow = flow(order);
        let dims = flow.config().dims();
        let z = samples(&flow, 1);
        let columns = values(Jacobian::at(&flow, z.clone()).unwrap().columns(&PLACES).unwrap());
        let image = values(flow.inverse(z.clone()).0);
        for (&place, column) in PLACES.iter().zip(columns.chunks_exact(dims)) {
            let (same_image, one) = push_forward(&flow, z.clone(), unit(&flow, place, 1.0)).unwrap();
            assert!(relative_difference(&values(same_image), &image) < 1e-5);
            assert!(relative_difference(&values(one), column) < 1e-5, "{place} {order:?}");
            let step = 6e-3;
            let side = |sign: f32| values(flow.inverse(z.clone() + unit(&flow, place, sign * step)).0);
            let differences: Vec<f32> =
                side(1.0).iter().zip(side(-1.0)).map(|(up, down)| (up - down) / (2.0 * step)).collect();
            assert!(column.iter().any(|x| x.abs() > 0.3), "{place} {order:?}");
            let off = relative_difference(&differences, column);
            assert!(off < 3e-3, "{place} {order:?}: {off}");
        }
    }
}

#[test]
fn tangents_add_up() {
    let flow = flow(BlockOrder::Paper);
    let z = samples(&flow, 2);
    let direction = samples(&flow, 4).narrow(0, 2, 2);
    let whole = values(push_forward(&flow, z.clone(), direction.clone()).unwrap().1);
    let parts = [0.25, 0.75].map(|share| values(push_forward(&flow, z.clone(), direction.clone() * share).unwrap().1));
    let sum: Vec<f32> = parts[0].iter().zip(&parts[1]).map(|(a, b)| a + b).collect();
    assert!(relative_difference(&sum, &whole) < 1e-5);
    // Each picture of a batch has its own point and its own tangent.
    let one = push_forward(&flow, z.narrow(0, 1, 1), direction.narrow(0, 1, 1)).unwrap().1;
    assert!(relative_difference(&values(one), &whole[flow.config().dims()..]) < 1e-5);
}

#[test]
fn fields_are_means_of_norms_and_stay_in_their_cones() {
    let flow = flow(BlockOrder::Paper);
    let dims = flow.config().dims();
    let z = samples(&flow, 3);
    let fields = values(receptive_fields(&flow, &PLACES, z.clone()).unwrap());
    let mut expected = vec![0.0; fields.len()];
    for i in 0..3 {
        let columns = values(Jacobian::at(&flow, z.clone().narrow(0, i, 1)).unwrap().columns(&PLACES).unwrap());
        for (k, column) in columns.chunks_exact(dims).enumerate() {
            for (j, value) in column.iter().enumerate() {
                expected[k * 256 + j % 256] += value.abs() / 3.0;
            }
        }
    }
    assert!(relative_difference(&fields, &expected) < 1e-5);
    let levels = Levels::new(flow.config());
    for (&place, field) in PLACES.iter().zip(fields.chunks_exact(256)) {
        let at = levels.address(place).unwrap();
        let cone = generation_cone(flow.config(), &[(at.level, (at.row, at.col))]);
        let inside = |i: usize| cone[0].pixels.contains(&(i / 16, i % 16));
        assert!(field.iter().enumerate().all(|(i, f)| inside(i) || *f == 0.0), "{at:?}");
    }
    let all = values(strengths(&flow, z).unwrap());
    for (&place, field) in PLACES.iter().zip(fields.chunks_exact(256)) {
        let total: f32 = field.iter().sum();
        assert!((all[place] - total).abs() < 1e-3 * total, "{place}: {} {total}", all[place]);
    }
}

#[test]
fn leading_latents_are_the_strongest_of_their_level() {
    let config = RgFlowConfig::tiny();
    let strengths: Vec<f32> = (0..config.dims()).map(|i| (i as f32 * 0.37).sin()).collect();
    let places = leading(&config, &strengths, 1, 5).unwrap();
    let mut level = Levels::new(&config).indices(1);
    level.sort_by(|a, b| strengths[*b].total_cmp(&strengths[*a]));
    assert_eq!(places, level[..5]);
    assert_eq!(leading(&config, &strengths, 2, 1000).unwrap().len(), 3 * 16);
    assert!(leading(&config, &strengths[1..], 1, 5).is_err());
}

#[test]
fn what_has_no_derivative_is_refused() {
    let flow = flow(BlockOrder::Paper);
    let z = samples(&flow, 1);
    assert!(Jacobian::at(&flow, samples(&flow, 2)).is_err());
    let jacobian = Jacobian::at(&flow, z.clone()).unwrap();
    assert!(jacobian.columns(&[768]).is_err());
    assert!(jacobian.columns(&[]).is_err());
    assert!(push_forward(&flow, z, samples(&flow, 2)).is_err());
    let wrong = Tensor::<Flex, 4>::from_data(TensorData::new(vec![0f32; 192], [1, 3, 8, 8]), &Default::default());
    assert!(strengths(&flow, wrong).is_err());
}
