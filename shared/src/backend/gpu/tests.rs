//! The kernels against the CPU's, which are tested against tensor operations.

// A test's helpers may fail as the test itself does.
#![allow(clippy::unwrap_used)]

use burn::backend::Flex;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData, TensorPrimitive};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::config::{CouplingKind, LevelConfig};

/// Numbers between −1 and 1.
fn numbers(len: usize, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..len).map(|_| 2.0 * rng.random::<f32>() - 1.0).collect()
}

fn tensor<B: Backend, const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FloatTensor<B> {
    Tensor::<B, D>::from_data(TensorData::new(values, shape), &Default::default()).into_primitive().tensor()
}

fn values<B: Backend, const D: usize>(tensor: FloatTensor<B>) -> Vec<f32> {
    Tensor::<B, D>::from_primitive(TensorPrimitive::Float(tensor)).into_data().to_vec().unwrap()
}

fn assert_close(what: &str, got: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let size = expected.iter().fold(0f32, |m, x| m.max(x.abs()));
    let off = got.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0f32, |m, x| if x >= m { x } else { m });
    assert!(got.iter().all(|x| x.is_finite()), "{what} is not finite");
    assert!(size > 1e-3 && off <= tolerance * size, "{what} is off by {off} of {size}");
}

fn shape(dim: usize, layers: usize, res_blocks: usize, mlp: usize, hidden: usize) -> BijectorShape {
    BijectorShape { dim, level: LevelConfig { layers, res_blocks, mlp, hidden }, coupling: CouplingKind::Affine }
}

/// Weights that keep a row's numbers at about their size.
fn weights(shape: &BijectorShape) -> Vec<f32> {
    let mut theta = numbers(shape.len(), 1);
    for linear in shape.linears() {
        theta[linear.alpha..linear.weight].iter_mut().for_each(|alpha| *alpha += 1.0);
        let bound = 2.0 / (linear.inputs as f32).sqrt();
        theta[linear.weight..linear.bias].iter_mut().for_each(|weight| *weight *= bound);
    }
    theta[shape.scale()..].iter_mut().for_each(|scale| *scale *= 0.5);
    theta
}

/// Values and gradients of one bijector on both backends.
fn bijector<B: FlowBackend>(kernels: &dyn DifferentiableKernels<B>, shape: &BijectorShape, n: usize) {
    let dim = shape.dim;
    let theta = weights(shape);
    let rows: Vec<f32> = numbers(n * dim, 2).iter().map(|x| 2.0 * x).collect();
    let grad = numbers(n * dim + n, 3);
    assert!(kernels.takes(shape) && kernels.differentiates(shape));
    let cpu = Flex::differentiable().unwrap();
    for direction in [Direction::Forward, Direction::Inverse] {
        let what = |of: &str| format!("{of} of {n} rows, {direction:?}, {shape:?}");
        let weights = || tensor::<B, 1>(theta.clone(), [theta.len()]);
        let expected = cpu.bijector(
            shape,
            direction,
            tensor::<Flex, 2>(rows.clone(), [n, dim]),
            tensor::<Flex, 1>(theta.clone(), [theta.len()]),
        );
        let expected = values::<Flex, 1>(expected);
        let got = kernels.bijector(shape, direction, tensor::<B, 2>(rows.clone(), [n, dim]), weights());
        assert_close(&what("output"), &values::<B, 1>(got), &expected, 2e-4);

        let (expected_rows, expected_theta) = cpu.bijector_grad(
            shape,
            direction,
            tensor::<Flex, 1>(expected.clone(), [n * dim + n]),
            tensor::<Flex, 1>(theta.clone(), [theta.len()]),
            tensor::<Flex, 1>(grad.clone(), [n * dim + n]),
            true,
        );
        let expected_rows = values::<Flex, 2>(expected_rows);
        for want_theta in [true, false] {
            let output = tensor::<B, 1>(expected.clone(), [n * dim + n]);
            let grads = tensor::<B, 1>(grad.clone(), [n * dim + n]);
            // Both have another owner and must not change.
            let held = [output.clone(), grads.clone()];
            let (d_rows, d_theta) = kernels.bijector_grad(shape, direction, output, weights(), grads, want_theta);
            assert_close(&what("the rows' gradient"), &values::<B, 2>(d_rows), &expected_rows, 1e-3);
            assert_eq!(d_theta.is_some(), want_theta);
            if let Some(d_theta) = d_theta {
                let expected = values::<Flex, 1>(expected_theta.clone().unwrap());
                assert_close(&what("the weights' gradient"), &values::<B, 1>(d_theta), &expected, 1e-3);
            }
            let held = held.map(values::<B, 1>);
            assert!(held[0] == expected && held[1] == grad, "an argument was overwritten");
        }
    }
}

fn bijectors_agree<B: FlowBackend>() {
    let kernels = B::differentiable().unwrap();
    // Narrower and wider than a block, deep and shallow, an odd half; rows that do not fill a group, and one alone.
    bijector(kernels, &shape(12, 2, 1, 1, 12), 97);
    bijector(kernels, &shape(48, 2, 1, 2, 96), 33);
    bijector(kernels, &shape(48, 1, 1, 2, 130), 6);
    bijector(kernels, &shape(6, 3, 3, 3, 20), 1);
    // Rows enough for two and for four groups a workgroup.
    bijector(kernels, &shape(12, 1, 1, 2, 40), 1050);
    bijector(kernels, &shape(6, 1, 2, 1, 5), 2100);
}

/// The same numbers again, of rows enough for several parts of the weights' sums.
fn gradients_repeat<B: FlowBackend>() {
    let kernels = B::differentiable().unwrap();
    let (shape, n) = (shape(12, 2, 1, 2, 24), 1000);
    let theta = weights(&shape);
    let run = || {
        let output = tensor::<B, 1>(numbers(n * 12 + n, 2), [n * 12 + n]);
        let grad = tensor::<B, 1>(numbers(n * 12 + n, 3), [n * 12 + n]);
        let theta = tensor::<B, 1>(theta.clone(), [theta.len()]);
        values::<B, 1>(kernels.bijector_grad(&shape, Direction::Forward, output, theta, grad, true).1.unwrap())
    };
    assert_eq!(run(), run());
}

fn weight_norms_agree<B: FlowBackend>() {
    for shape in [[1, 1, 1], [4, 24, 130], [6, 70, 48]] {
        let [nets, _, outputs] = shape;
        let len = shape.iter().product();
        let (v, g, grad) = (numbers(len, 1), numbers(nets * outputs, 2), numbers(len, 3));
        let (cpu, gpu) = (Flex::differentiable().unwrap(), B::differentiable().unwrap());
        let expected =
            cpu.weight_norm(tensor::<Flex, 3>(v.clone(), shape), tensor::<Flex, 2>(g.clone(), [nets, outputs]));
        let got = gpu.weight_norm(tensor::<B, 3>(v.clone(), shape), tensor::<B, 2>(g.clone(), [nets, outputs]));
        assert_close("weights", &values::<B, 3>(got), &values::<Flex, 3>(expected), 1e-5);
        let (d_v, d_g) = cpu.weight_norm_grad(
            tensor::<Flex, 3>(v.clone(), shape),
            tensor::<Flex, 2>(g.clone(), [nets, outputs]),
            tensor::<Flex, 3>(grad.clone(), shape),
        );
        let (got_v, got_g) = gpu.weight_norm_grad(
            tensor::<B, 3>(v, shape),
            tensor::<B, 2>(g, [nets, outputs]),
            tensor::<B, 3>(grad, shape),
        );
        // A single number's direction has no length to change: its gradient is 0.
        if len > 1 {
            assert_close("the directions' gradient", &values::<B, 3>(got_v), &values::<Flex, 3>(d_v), 1e-5);
        }
        assert_close("the gains' gradient", &values::<B, 2>(got_g), &values::<Flex, 2>(d_g), 1e-5);
    }
}

fn updates_agree<B: FlowBackend>() {
    let (cpu, gpu) = (Flex::differentiable().unwrap(), B::differentiable().unwrap());
    for shape in [[1, 1], [9, 111]] {
        let len = shape.iter().product();
        let (x, first) = (numbers(len, 1), numbers(len, 2));
        let second: Vec<f32> = numbers(len, 3).iter().map(|x| x * x).collect();
        let mean = tensor::<B, 2>(first.clone(), shape);
        let held = mean.clone();
        let got = gpu.blend(mean, tensor::<B, 2>(x.clone(), shape), 0.9);
        let expected = cpu.blend(tensor::<Flex, 2>(first.clone(), shape), tensor::<Flex, 2>(x.clone(), shape), 0.9);
        assert_close("a mean", &values::<B, 2>(got), &values::<Flex, 2>(expected), 1e-6);
        assert_eq!(values::<B, 2>(held), first, "an argument was overwritten");

        let adam = Adam { factor: 0.5, keep: [0.9, 0.99], rate: 0.01, second_factor: 1.5, epsilon: 1e-8, decay: 0.99 };
        let numbers = [x, first, second, numbers(len, 4)];
        let [value, first, second, grad] = numbers.each_ref().map(|x| tensor::<Flex, 2>(x.clone(), shape));
        let expected = cpu.adam(Moments { value, first, second }, grad, adam);
        let [value, first, second, grad] = numbers.each_ref().map(|x| tensor::<B, 2>(x.clone(), shape));
        let held = first.clone();
        let got = gpu.adam(Moments { value, first, second }, grad, adam);
        assert_eq!(values::<B, 2>(held), numbers[1], "an argument was overwritten");
        assert_close("a value", &values::<B, 2>(got.value), &values::<Flex, 2>(expected.value), 1e-6);
        assert_close("a first moment", &values::<B, 2>(got.first), &values::<Flex, 2>(expected.first), 1e-6);
        assert_close("a second moment", &values::<B, 2>(got.second), &values::<Flex, 2>(expected.second), 1e-6);
    }
}

fn norms_agree<B: FlowBackend>() {
    let kernels = B::differentiable().unwrap();
    assert!(kernels.sum_of_squares(Vec::new()).is_none());
    let lens = [1, 300, 50_000, 300_000];
    let all: Vec<Vec<f32>> = lens.iter().map(|&len| numbers(len, len as u64)).collect();
    let expected: f64 = all.iter().flatten().map(|&x| f64::from(x).powi(2)).sum();
    let got = kernels.sum_of_squares(all.into_iter().map(|x| tensor::<B, 1>(x.clone(), [x.len()])).collect());
    assert_close("the sum of squares", &values::<B, 1>(got.unwrap()), &[expected as f32], 1e-5);
}

/// Buffers too small for all rows at once: they go through in pieces.
fn pieces_agree<B: FlowBackend>()
where
    GpuKernels: DifferentiableKernels<B>,
{
    let kernels = GpuKernels { limits: Limits { binding: 256 << 10, ..WEBGPU.limits } };
    bijector::<B>(&kernels, &shape(12, 1, 2, 1, 16), 2100);
}

macro_rules! on_device {
    ($name:ident, $backend:ty) => {
        mod $name {
            type B = $backend;

            #[test]
            #[ignore = "needs a GPU, or for wgpu a software Vulkan such as Mesa's lavapipe"]
            fn bijectors_agree() {
                super::bijectors_agree::<B>();
            }

            #[test]
            #[ignore = "needs a GPU, or for wgpu a software Vulkan such as Mesa's lavapipe"]
            fn pieces_agree() {
                super::pieces_agree::<B>();
            }

            #[test]
            #[ignore = "needs a GPU, or for wgpu a software Vulkan such as Mesa's lavapipe"]
            fn gradients_repeat() {
                super::gradients_repeat::<B>();
            }

            #[test]
            #[ignore = "needs a GPU, or for wgpu a software Vulkan such as Mesa's lavapipe"]
            fn weight_norms_agree() {
                super::weight_norms_agree::<B>();
            }

            #[test]
            #[ignore = "needs a GPU, or for wgpu a software Vulkan such as Mesa's lavapipe"]
            fn norms_agree() {
                super::norms_agree::<B>();
            }

            #[test]
            #[ignore = "needs a GPU, or for wgpu a software Vulkan such as Mesa's lavapipe"]
            fn updates_agree() {
                super::updates_agree::<B>();
            }
        }
    };
}

#[cfg(feature = "wgpu")]
on_device!(wgpu, burn::backend::Wgpu);
#[cfg(feature = "cuda")]
on_device!(cuda, burn::backend::Cuda);
