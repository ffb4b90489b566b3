//! The flow as a whole, always from random parameters.

use burn::backend::{Autodiff, Flex};
use burn::tensor::{Tensor, TensorData};
use shared::geometry::{Levels, generation_cone, inference_cone};
use shared::nn::{Bijector, Couplings};
use shared::{
    BijectorShape, BlockOrder, CouplingKind, Direction, Encoded, Flow, FlowBackend, LevelConfig, PriorKind, RgFlow,
    RgFlowConfig, Temperature,
};

use crate::numbers::{largest_difference, values};

type Ad = Autodiff<Flex>;

fn level(layers: usize, res_blocks: usize, mlp: usize) -> LevelConfig {
    LevelConfig { layers, res_blocks, mlp, hidden: 10 }
}

pub fn configs() -> Vec<RgFlowConfig> {
    let paper = RgFlowConfig::new(16, vec![level(2, 2, 1), level(3, 1, 2), level(1, 3, 1)]);
    let official = RgFlowConfig {
        order: BlockOrder::Official,
        prior: PriorKind::Gaussian,
        ..RgFlowConfig::new(32, vec![level(2, 2, 2); 4])
    };
    let grey = RgFlowConfig { channels: 1, ..RgFlowConfig::new(8, vec![level(2, 1, 1); 2]) };
    let linear = RgFlowConfig { linear_maps: true, mean_image: true, ..grey.clone() };
    let splines = RgFlowConfig { coupling: CouplingKind::Spline(4), ..linear.clone() };
    let places = RgFlowConfig { place_features: 3, ..paper.clone() };
    let all = RgFlowConfig { place_features: 1, ..splines.clone() };
    vec![paper, official, grey, linear, splines, places, all]
}

pub fn flow<B: FlowBackend>(config: &RgFlowConfig) -> Flow<B> {
    RgFlow::<B>::random(config, 0.15, 3, &Default::default()).unwrap().fold()
}

pub fn images<B: FlowBackend>(flow: &Flow<B>, batch: u64) -> Tensor<B, 4> {
    let values = (0..batch)
        .flat_map(|i| shared::prior::draw_latents(flow.config(), 11, i, &Temperature::uniform(1.0)))
        .collect();
    flow.batch(values, &Default::default()).unwrap()
}

#[test]
fn generation_undoes_the_rg_transformation() {
    for config in configs() {
        let flow = flow::<Flex>(&config);
        let x = images(&flow, 3);
        let Encoded { latents, log_det } = flow.forward(x.clone());
        assert!(largest_difference(&values(latents.clone()), &values(x.clone())) > 0.1, "the model is the identity");
        let (back, inverse_log_det) = flow.inverse(latents.clone());
        assert!(largest_difference(&values(back), &values(x.clone())) < 1e-4);
        assert!(
            largest_difference(&values(log_det.clone()), &values(inverse_log_det.neg()))
                < 1e-2 * config.level_count() as f32 / 4.0
        );
        let (generated, _) = flow.inverse(x.clone());
        assert!(largest_difference(&values(flow.forward(generated).latents), &values(x)) < 1e-4);
    }
}

#[test]
fn log_det_is_that_of_the_jacobian() {
    for order in [BlockOrder::Paper, BlockOrder::Official] {
        let levels = vec![level(2, 2, 1), level(2, 1, 2)];
        let (linear_maps, coupling) = match order {
            BlockOrder::Paper => (true, CouplingKind::Affine),
            BlockOrder::Official => (false, CouplingKind::Spline(4)),
        };
        let place_features = 2;
        let plain = RgFlowConfig::new(8, levels);
        let config = RgFlowConfig { channels: 1, order, coupling, linear_maps, place_features, ..plain };
        let flow = flow::<Ad>(&config);
        let x = images(&flow, 1);
        let jacobian = (0..config.dims()).flat_map(|i| {
            // Each backward pass consumes its graph.
            let x = x.clone().detach().require_grad();
            let latents = flow.forward(x.clone()).latents.reshape([config.dims()]);
            values::<Flex, 4>(x.grad(&latents.narrow(0, i, 1).backward()).unwrap())
        });
        let log_det = flow.forward(x.clone()).log_det;
        let expected = log_abs_det(jacobian.map(f64::from).collect(), config.dims());
        let got = values(log_det)[0] as f64;
        assert!(expected.abs() > 0.05, "the model is volume-preserving");
        assert!((got - expected).abs() < 1e-3, "{got} {expected}");
    }
}

/// By Gaussian elimination with pivots.
fn log_abs_det(mut a: Vec<f64>, n: usize) -> f64 {
    let mut sum = 0.0;
    for k in 0..n {
        let pivot = (k..n).max_by(|&i, &j| a[i * n + k].abs().total_cmp(&a[j * n + k].abs())).unwrap();
        (0..n).for_each(|c| a.swap(k * n + c, pivot * n + c));
        sum += a[k * n + k].abs().ln();
        for i in k + 1..n {
            let factor = a[i * n + k] / a[k * n + k];
            (k..n).for_each(|c| a[i * n + c] -= factor * a[k * n + c]);
        }
    }
    sum
}

const CHANGES: [f32; 4] = [2.0, -1.7, 0.9, -3.0];

#[test]
fn cones_equal_brute_force() {
    for size in [16, 32] {
        for order in [BlockOrder::Paper, BlockOrder::Official] {
            let config = RgFlowConfig {
                order,
                channels: 1,
                ..RgFlowConfig::new(size, vec![level(2, 1, 1); (size / 4).ilog2() as usize + 1])
            };
            // Strong couplings and several large changes, so that none that passes several levels drowns in rounding.
            let flow = RgFlow::<Flex>::random(&config, 0.4, 3, &Default::default()).unwrap().fold();
            let levels = Levels::new(&config);
            let dims = size * size;
            // One image for each change: what is rounded away in one shows in another.
            let bases = values(images(&flow, CHANGES.len() as u64));
            // The 64 first places include every level and both sides of the shifted blocks' borders.
            let places: Vec<usize> =
                (0..size * size).step_by(size * size / 64 + 1).chain([0, 1, size, size * 5 + 4]).collect();
            let mut inputs = bases.clone();
            for &place in &places {
                for (base, change) in bases.chunks_exact(dims).zip(CHANGES) {
                    inputs.extend(base.iter().enumerate().map(|(i, x)| if i == place { x + change } else { *x }));
                }
            }
            let batch = flow.batch(inputs, &Default::default()).unwrap();
            let changed = |out: &[f32], k: usize| -> Vec<usize> {
                let (bases, all) = (&out[..CHANGES.len() * dims], &out[(k + 1) * CHANGES.len() * dims..]);
                let differs = |i: usize| (0..CHANGES.len()).any(|c| all[c * dims + i] != bases[c * dims + i]);
                (0..dims).filter(|&i| differs(i)).collect()
            };
            let encoded = values(flow.forward(batch.clone()).latents);
            let generated = values(flow.inverse(batch).0);
            for (k, &place) in places.iter().enumerate() {
                let cone = inference_cone(&config, &[(place / size, place % size)]);
                let mut expected: Vec<usize> = cone
                    .iter()
                    .enumerate()
                    .flat_map(|(h, c)| c.latents.iter().map(move |(r, c)| (r << h) * size + (c << h)))
                    .collect();
                expected.sort_unstable();
                assert_eq!(changed(&encoded, k), expected, "inference cone of {place} at {size} {order:?}");
                let at = levels.address(place).unwrap();
                let cone = generation_cone(&config, &[(at.level, (at.row, at.col))]);
                let expected: Vec<usize> = cone[0].pixels.iter().map(|(r, c)| r * size + c).collect();
                assert_eq!(changed(&generated, k), expected, "generation cone of {at:?} at {size} {order:?}");
            }
        }
    }
}

#[test]
fn the_cpu_kernel_and_its_gradient_agree_with_tensor_operations() {
    for (layers, res_blocks, mlp) in [(2, 1, 1), (3, 2, 2), (1, 3, 1)] {
        for direction in [Direction::Forward, Direction::Inverse] {
            let shape =
                BijectorShape { dim: 12, level: level(layers, res_blocks, mlp), coupling: CouplingKind::Affine };
            let config = RgFlowConfig { block: 2, ..RgFlowConfig::new(2, vec![shape.level]) };
            let bijector: Bijector<Ad> =
                RgFlow::<Ad>::random(&config, 0.2, 5, &Default::default()).unwrap().bijectors.remove(0);
            let leaf = |t: Tensor<Ad, 1>| t.detach().require_grad();
            let theta = leaf(bijector.fold().couplings().flatten());
            let rows = || {
                Tensor::<Ad, 2>::from_data(
                    TensorData::new((0..97 * 12).map(|i| (i as f32 * 0.37).sin()).collect(), [97, 12]),
                    &Default::default(),
                )
                .require_grad()
            };
            let weigh = |y: Tensor<Ad, 2>, log_det: Tensor<Ad, 1>| {
                (y.clone() * y.clone().sin()).sum() + log_det.powf_scalar(2.0).sum()
            };

            let x1 = rows();
            let (y1, l1) = Couplings::from_flat(&shape, &theta).run(direction, x1.clone());
            let grads1 = weigh(y1.clone(), l1.clone()).backward();

            let x2 = rows();
            let kernels = Ad::kernels().expect("the CPU has kernels");
            let out = kernels.bijector(
                &shape,
                direction,
                x2.clone().into_primitive().tensor(),
                theta.clone().into_primitive().tensor(),
            );
            let out = Tensor::<Ad, 1>::from_primitive(burn::tensor::TensorPrimitive::Float(out));
            let (y2, l2) = (out.clone().narrow(0, 0, 97 * 12).reshape([97, 12]), out.narrow(0, 97 * 12, 97));
            let grads2 = weigh(y2.clone(), l2.clone()).backward();

            assert!(largest_difference(&values(y1), &values(y2)) < 1e-5);
            assert!(largest_difference(&values(l1), &values(l2)) < 1e-5);
            assert!(largest_difference(&values(x1.grad(&grads1).unwrap()), &values(x2.grad(&grads2).unwrap())) < 1e-4);
            let (d1, d2) = (values(theta.grad(&grads1).unwrap()), values(theta.grad(&grads2).unwrap()));
            let size = d1.iter().fold(0f32, |m, d| m.max(d.abs()));
            assert!(
                size > 1.0 && largest_difference(&d1, &d2) < 1e-4 * size,
                "{} of {size}",
                largest_difference(&d1, &d2)
            );
        }
    }
}

#[test]
fn every_parameter_gets_a_gradient() {
    for config in configs() {
        let model = RgFlow::<Ad>::random(&config, 0.15, 3, &Default::default()).unwrap();
        let flow = model.fold();
        let grads = flow.log_prob(images(&flow, 4)).sum().backward();
        let mut checked = 0;
        if let Some(mean) = &model.mean {
            let grad = values(mean.grad(&grads).unwrap());
            assert!(grad.iter().all(|g| g.abs() > 1e-7));
            checked += grad.len();
        }
        for bijector in &model.bijectors {
            let mut check = |name: &str, grad: Vec<f32>| {
                checked += grad.len();
                assert!(grad.iter().any(|g| g.abs() > 1e-7), "{name} has no gradient");
                assert!(grad.iter().all(|g| g.is_finite()), "{name}");
            };
            for linear in &bijector.linears {
                check("alpha", values(linear.alpha.grad(&grads).unwrap()));
                check("direction", values(linear.direction.grad(&grads).unwrap()));
                check("gain", values(linear.gain.grad(&grads).unwrap()));
                check("bias", values(linear.bias.grad(&grads).unwrap()));
            }
            check("scale", values(bijector.scale.grad(&grads).unwrap()));
            if let Some(places) = &bijector.places {
                check("places", values(places.grad(&grads).unwrap()));
            }
            for map in bijector.entry.iter().chain(&bijector.exit) {
                check("weight", values(map.weight.grad(&grads).unwrap()));
                check("bias", values(map.bias.grad(&grads).unwrap()));
            }
        }
        assert_eq!(checked, config.param_count());
    }
}

#[test]
fn samples_do_not_depend_on_their_batch() {
    let config = RgFlowConfig::tiny();
    let flow = flow::<Flex>(&config);
    let temperature = Temperature::mixed(0.8, 0.3, 1);
    let together = values(flow.sample(5, 0..4, &temperature, &Default::default()));
    let alone = values(flow.sample(5, 2..3, &temperature, &Default::default()));
    assert!(largest_difference(&together[2 * config.dims()..3 * config.dims()], &alone) < 1e-6);
    assert!(largest_difference(&together[..config.dims()], &alone) > 0.1);
}

#[test]
fn generation_is_progressive() {
    let config = RgFlowConfig { order: BlockOrder::Official, mean_image: true, ..RgFlowConfig::tiny() };
    let flow = flow::<Flex>(&config);
    let x = images(&flow, 2);
    let Encoded { latents, .. } = flow.forward(x.clone());
    let steps = flow.progressive(latents);
    let edges: Vec<usize> = steps.iter().map(|(x, _)| x.dims()[3]).collect();
    assert_eq!(edges, [4, 8, 16]);
    assert!(largest_difference(&values(steps[2].0.clone()), &values(x.clone())) < 1e-4);
    // The coarse image is what the finest RG step leaves of the image: a flow of the coarser levels alone maps it on.
    let coarse = RgFlowConfig { size: 8, levels: config.levels[1..].to_vec(), ..config.clone() };
    let model = RgFlow::<Flex>::random(&config, 0.15, 3, &Default::default()).unwrap();
    let stages = model.bijectors[2..].iter().map(Bijector::fold);
    let mean = model.mean.as_ref().unwrap().val().reshape([3, 8, 2, 8, 2]).mean_dim(4).mean_dim(2).reshape([3, 8, 8]);
    let tail = Flow::new(&coarse, stages.collect(), Some(mean));
    let expected: Vec<f32> = (0..2)
        .flat_map(|i| {
            let z = values(flow.forward(x.clone()).latents);
            let picture = z[i * config.dims()..(i + 1) * config.dims()].to_vec();
            (0..3 * 64).map(move |k| picture[(k / 64 * 16 + k / 8 % 8 * 2) * 16 + k % 8 * 2]).collect::<Vec<_>>()
        })
        .collect();
    let got = values(tail.forward(steps[1].0.clone()).latents);
    assert!(largest_difference(&got, &expected) < 1e-4);
}

#[test]
fn wrong_batches_are_refused() {
    let flow = flow::<Flex>(&RgFlowConfig::tiny());
    assert!(flow.batch(vec![0.0; 5], &Default::default()).is_err());
    assert!(flow.batch(Vec::new(), &Default::default()).is_err());
}

#[test]
fn the_weight_norms_kernel_agrees_with_tensor_operations() {
    let tensor = |shape: [usize; 3], shift: f32| {
        let len = shape.iter().product::<usize>();
        let values = (0..len).map(|i| (i as f32 * 0.71 + shift).sin()).collect();
        Tensor::<Ad, 3>::from_data(TensorData::new(values, shape), &Default::default())
    };
    let v = tensor([3, 5, 4], 0.0).require_grad();
    let g = tensor([1, 3, 4], 1.0).squeeze_dim::<2>(0).detach().require_grad();
    let weigh = tensor([3, 5, 4], 2.0);
    let norm = v.clone().square().sum_dim(1).sqrt();
    let expected = v.clone() * (g.clone().unsqueeze_dim(1) / norm);
    let expected_grads = (expected.clone() * weigh.clone()).sum().backward();
    let kernels = Ad::kernels().expect("the CPU has kernels");
    let got = kernels.weight_norm(v.clone().into_primitive().tensor(), g.clone().into_primitive().tensor());
    let got = Tensor::<Ad, 3>::from_primitive(burn::tensor::TensorPrimitive::Float(got));
    let grads = (got.clone() * weigh).sum().backward();
    assert!(largest_difference(&values(got), &values(expected)) < 1e-6);
    assert!(largest_difference(&values(v.grad(&grads).unwrap()), &values(v.grad(&expected_grads).unwrap())) < 1e-5);
    assert!(largest_difference(&values(g.grad(&grads).unwrap()), &values(g.grad(&expected_grads).unwrap())) < 1e-5);
}

#[test]
fn a_flow_with_gradients_is_the_same_flow() {
    for coupling in [CouplingKind::Affine, CouplingKind::Spline(3)] {
        same_with_gradients(&RgFlowConfig { linear_maps: true, mean_image: true, coupling, ..RgFlowConfig::tiny() });
        same_with_gradients(&RgFlowConfig { place_features: 2, linear_maps: true, coupling, ..RgFlowConfig::tiny() });
    }
}

fn same_with_gradients(config: &RgFlowConfig) {
    let device = Default::default();
    let plain = RgFlow::<Flex>::random(config, 0.3, 5, &device).unwrap().fold();
    let x: Vec<f32> = (0..config.dims()).map(|i| (i as f32 * 0.17).sin()).collect();
    let expected = values(plain.log_prob(plain.batch(x.clone(), &device).unwrap()));
    let gradient = |flow: &Flow<Ad>| {
        let x = flow.batch(x.clone(), &device).unwrap().require_grad();
        let log_prob = flow.log_prob(x.clone());
        (values(log_prob.clone()), values(x.grad(&log_prob.sum().backward()).unwrap()))
    };
    let (value, grad) = gradient(&plain.with_gradients());
    assert_eq!(value, expected);
    let (_, trained) = gradient(&RgFlow::<Ad>::random(config, 0.3, 5, &device).unwrap().fold());
    assert!(largest_difference(&grad, &trained) < 1e-4 && grad.iter().any(|g| g.abs() > 0.1));
}

/// A picture that is the same everywhere: without place features all blocks of a level have the same latents.
#[test]
fn place_features_tell_blocks_apart() {
    let device = Default::default();
    for (place_features, alike) in [(0, true), (2, false)] {
        let config = RgFlowConfig { channels: 1, place_features, ..RgFlowConfig::tiny() };
        let flow = RgFlow::<Flex>::random(&config, 0.15, 3, &device).unwrap().fold();
        let latents = values(flow.forward(flow.batch(vec![0.4; config.dims()], &device).unwrap()).latents);
        let blocks = config.size / config.block;
        let at = |row: usize, col: usize, block: usize| {
            let (down, right) = (block / blocks * config.block, block % blocks * config.block);
            latents[(down + row) * config.size + right + col]
        };
        let spread = (1..blocks * blocks).map(|block| (at(1, 1, block) - at(1, 1, 0)).abs()).fold(0.0, f32::max);
        assert_eq!(spread < 1e-5, alike, "{place_features}: {spread}");
    }
}

#[test]
fn the_log_determinant_of_a_linear_map_has_its_gradient() {
    let config =
        RgFlowConfig { linear_maps: true, block: 2, channels: 1, ..RgFlowConfig::new(2, vec![level(1, 1, 1)]) };
    let log_det = |bump: f32| {
        let mut model = RgFlow::<Ad>::random(&config, 0.3, 5, &Default::default()).unwrap();
        let map = model.bijectors[0].entry.as_mut().unwrap();
        let mut change = vec![0.0; 16];
        change[6] = bump;
        let change = Tensor::<Ad, 2>::from_data(TensorData::new(change, [4, 4]), &Default::default());
        map.weight = map.weight.clone().map(|w| (w + change).detach().require_grad());
        let map = map.clone();
        (map.fold(&values(map.weight.val())).log_det, map)
    };
    let (value, map) = log_det(0.0);
    let grads = values(map.weight.grad(&value.backward()).unwrap());
    let slope = (values(log_det(1e-2).0)[0] - values(log_det(-1e-2).0)[0]) / 2e-2;
    assert!(slope.abs() > 1e-2 && (slope - grads[6]).abs() < 1e-3 * slope.abs().max(1.0), "{slope} {}", grads[6]);
}
