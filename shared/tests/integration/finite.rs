//! Numbers stay numbers: bijectors with valid weights at the edge of what a file may hold, and extreme inputs. The CPU's
//! kernels and the tensor operations agree on them, and on their gradients.

use burn::backend::{Autodiff, Flex};
use burn::tensor::{Tensor, TensorData, TensorPrimitive};
use shared::logit::image_to_logit;
use shared::nn::{Couplings, FoldedLinear};
use shared::{
    BijectorShape, CouplingKind, Direction, Encoded, Flow, FlowBackend, LevelConfig, PriorKind, RgFlow, RgFlowConfig,
    Temperature,
};

use crate::numbers::values;

type Ad = Autodiff<Flex>;

/// What is done to a random bijector's weights: the last scales, the swish slopes, and a factor of everything else.
#[derive(Clone, Copy, Debug)]
struct Hostile {
    scale: Option<f32>,
    slope: Option<f32>,
    factor: f32,
}

const HOSTILE: [Hostile; 7] = [
    Hostile { scale: Some(60.0), slope: None, factor: 1.0 },
    Hostile { scale: Some(-60.0), slope: None, factor: 1.0 },
    Hostile { scale: None, slope: Some(0.0), factor: 1.0 },
    Hostile { scale: Some(60.0), slope: Some(0.0), factor: 1.0 },
    Hostile { scale: None, slope: Some(1e4), factor: 1.0 },
    Hostile { scale: None, slope: Some(-1e4), factor: 1.0 },
    Hostile { scale: Some(0.0), slope: Some(0.0), factor: 0.0 },
];

const SHAPE: BijectorShape = BijectorShape {
    dim: 12,
    level: LevelConfig { layers: 2, res_blocks: 2, mlp: 1, hidden: 10 },
    coupling: CouplingKind::Affine,
};

fn couplings(hostile: Hostile) -> Couplings<Ad> {
    let config = RgFlowConfig { block: 2, ..RgFlowConfig::new(2, vec![SHAPE.level]) };
    let model = RgFlow::<Ad>::random(&config, 0.2, 5, &Default::default()).unwrap();
    let couplings = model.bijectors[0].fold().couplings();
    let set = |tensor: Tensor<Ad, 2>, to: Option<f32>| match to {
        Some(to) => tensor.zeros_like().add_scalar(to),
        None => tensor,
    };
    let linear = |linear: FoldedLinear<Ad>| FoldedLinear {
        alpha: set(linear.alpha, hostile.slope),
        weight: linear.weight.mul_scalar(hostile.factor),
        bias: linear.bias.mul_scalar(hostile.factor),
    };
    Couplings {
        shape: SHAPE,
        scale: set(couplings.scale, hostile.scale),
        linears: couplings.linears.into_iter().map(linear).collect(),
    }
}

/// Rows of ordinary numbers, of zeros, of the logits of black and of white pixels, and of latents far out.
fn rows() -> Tensor<Ad, 2> {
    let black = image_to_logit(&[0], || 0.0).0[0];
    let white = image_to_logit(&[255], || 1.0).0[0];
    let mut rows: Vec<f32> = (0..8 * 12).map(|i| (i as f32 * 0.37).sin()).collect();
    rows.extend([0.0, black, white, 30.0, -30.0].into_iter().flat_map(|x| [x; 12]));
    let count = rows.len() / 12;
    Tensor::from_data(TensorData::new(rows, [count, 12]), &Default::default())
}

/// Numbers to weigh others with, so that a gradient has something to go by.
fn weights(of: &Tensor<Ad, 2>) -> Tensor<Ad, 2> {
    let [rows, columns] = of.dims();
    let weights = (0..rows * columns).map(|i| (i as f32 * 0.7).cos()).collect();
    Tensor::from_data(TensorData::new(weights, [rows, columns]), &Default::default())
}

/// The largest difference, as a share of the largest number or of 1.
fn apart(a: &[f32], b: &[f32]) -> f32 {
    let most = b.iter().fold(1f32, |most, b| most.max(b.abs()));
    a.iter().zip(b).map(|(a, b)| (a - b).abs() / most).fold(0.0, f32::max)
}

#[test]
fn hostile_weights_give_finite_numbers_and_gradients_on_which_kernels_and_tensor_operations_agree() {
    for (hostile, direction) in
        HOSTILE.into_iter().flat_map(|h| [Direction::Forward, Direction::Inverse].map(|d| (h, d)))
    {
        let theta = couplings(hostile).flatten().detach().require_grad();
        let weigh = |y: &Tensor<Ad, 2>, log_det: &Tensor<Ad, 1>| (y.clone() * weights(y)).sum() + log_det.clone().sum();

        let x1 = rows().require_grad();
        let (y1, l1) = Couplings::from_flat(&SHAPE, &theta).run(direction, x1.clone());
        let grads1 = weigh(&y1, &l1).backward();

        let x2 = rows().require_grad();
        let count = x2.dims()[0];
        let kernels = Ad::kernels().expect("the CPU has kernels");
        let out = kernels.bijector(
            &SHAPE,
            direction,
            x2.clone().into_primitive().tensor(),
            theta.clone().into_primitive().tensor(),
        );
        let out = Tensor::<Ad, 1>::from_primitive(TensorPrimitive::Float(out));
        let y2 = out.clone().narrow(0, 0, count * 12).reshape([count, 12]);
        let l2 = out.narrow(0, count * 12, count);
        let grads2 = weigh(&y2, &l2).backward();

        // The kernel's gradient goes back through the inverse, where a scale of 60 leaves it few digits: finite, and no more.
        let of_gradients = if hostile.scale.is_some_and(|scale| scale.abs() > 1.0) { f32::INFINITY } else { 1e-2 };
        let pairs = [
            ("values", values(y2), values(y1), 1e-4),
            ("log-determinants", values(l2), values(l1), 1e-4),
            (
                "gradient of the rows",
                values(x2.grad(&grads2).unwrap()),
                values(x1.grad(&grads1).unwrap()),
                of_gradients,
            ),
            (
                "gradient of the weights",
                values(theta.grad(&grads2).unwrap()),
                values(theta.grad(&grads1).unwrap()),
                of_gradients,
            ),
        ];
        for (what, kernel, tensor, bound) in pairs {
            assert!(tensor.iter().all(|v| v.is_finite()), "{what} of tensor operations: {hostile:?} {direction:?}");
            assert!(kernel.iter().all(|v| v.is_finite()), "{what} of kernels: {hostile:?} {direction:?}");
            let apart = apart(&kernel, &tensor);
            assert!(apart < bound, "{what} differ by {apart}: {hostile:?} {direction:?}");
        }
    }
}

fn flow(config: &RgFlowConfig) -> Flow<Flex> {
    RgFlow::<Flex>::random(config, 0.15, 3, &Default::default()).unwrap().fold()
}

#[test]
fn black_and_white_pictures_and_extreme_temperatures_give_finite_numbers() {
    let level = LevelConfig { layers: 2, res_blocks: 1, mlp: 1, hidden: 10 };
    let plain = RgFlowConfig::new(16, vec![level; 3]);
    let splines = RgFlowConfig { coupling: CouplingKind::Spline(4), prior: PriorKind::Gaussian, ..plain.clone() };
    for config in [plain, splines] {
        let flow = flow(&config);
        for (pixel, noise) in [(0, 0.0), (255, 1.0), (0, 0.5), (255, 0.5)] {
            let (logits, log_det) = image_to_logit(&vec![pixel; config.dims()], || noise);
            let Encoded { latents, log_det: of_flow } = flow.forward(flow.batch(logits, &Default::default()).unwrap());
            let log_prior = config.prior.log_prob(latents.clone().reshape([1, config.dims()]));
            let found = [values(latents), values(of_flow), values(log_prior), vec![log_det]].concat();
            assert!(found.iter().all(|v| v.is_finite()), "{pixel} {:?}", config.coupling);
        }
        for temperature in [0.0, 1e-30, 1.5, 100.0, 1e4] {
            let images = flow.sample(1, 0..2, &Temperature::uniform(temperature), &Default::default());
            assert!(values(images).iter().all(|v| v.is_finite()), "{temperature} {:?}", config.coupling);
        }
    }
}
