//! The GPU's kernels against the CPU's, by what the trainer does: a test of its own would compile the GPU's backend once
//! more. Each test for each of the GPU's backends.

use std::path::Path;
use std::process::Command;

use burn::backend::Flex;
use shared::weights::{Card, ModelFile, Precision};
use shared::{CouplingKind, LevelConfig, RgFlow, RgFlowConfig};
use trainer::device::DeviceChoice;
use trainer::train::metrics::Line;

use crate::training::{lines, training};

/// What a command prints.
fn trainer(dir: &Path, args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_trainer")).args(args).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn gpu_and_cpu_agree(device: &str) {
    let level = |layers, res_blocks, mlp, hidden| LevelConfig { layers, res_blocks, mlp, hidden };
    // Nets shallow and deep, narrower and wider than a block, and one too wide for WebGPU's kernel.
    let levels = vec![level(2, 2, 1, 12), level(3, 1, 2, 130), level(1, 3, 3, 60), level(1, 1, 1, 300)];
    let config = RgFlowConfig { levels, ..RgFlowConfig::deep() };
    // No kernel takes splines.
    let splines = RgFlowConfig { coupling: CouplingKind::Spline(4), ..config.clone() };
    let dir = tempfile::tempdir().unwrap();
    // The larger the parameters, the more a flow makes of a GPU's rounding: pixels are compared where it is a little,
    // likelihoods where nets reach values that a GPU's own tanh does not take.
    for (name, config, amount) in [("calm", &config, 0.05), ("wild", &config, 0.1), ("bent", &splines, 0.05)] {
        let model = RgFlow::<Flex>::random(config, amount, 1, &Default::default()).unwrap();
        let bytes = ModelFile::from_model(&model, Card::default()).to_bytes(Precision::F32).unwrap();
        std::fs::write(dir.path().join(format!("{name}.safetensors")), bytes).unwrap();
    }

    let both = ["cpu", device];
    for model in ["calm.safetensors", "bent.safetensors"] {
        // Three images: the last level's rows do not fill a workgroup.
        let [cpu, gpu] = both.map(|device| {
            let out = format!("{device}.png");
            let sample = ["sample", model, "--count", "3", "--seed", "7", "--zoom", "1"];
            trainer(dir.path(), &[&sample[..], &["--out", &out, "--device", device]].concat());
            image::open(dir.path().join(out)).unwrap().to_rgb8()
        });
        assert_eq!(cpu.dimensions(), gpu.dimensions());
        let off = cpu.iter().zip(gpu.iter()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(off <= 2, "samples of {model} are off by {off}/255");
    }
    for model in ["wild.safetensors", "bent.safetensors"] {
        let [cpu, gpu] = both.map(|device| {
            let data = ["eval", model, "--data", "msds1", "--limit", "8", "--test-limit", "7"];
            let said = trainer(dir.path(), &[&data[..], &["--device", device]].concat());
            said.split_whitespace().next().unwrap().parse::<f64>().unwrap()
        });
        assert!((cpu - gpu).abs() < 2e-3, "{model}: {cpu} and {gpu} bits/dim");
    }
}

/// Five steps from the same seed: what is learnt goes through every gradient and every pass of the optimizer.
fn gpu_and_cpu_learn_the_same(device: &str) {
    let levels = vec![LevelConfig { layers: 2, res_blocks: 2, mlp: 1, hidden: 12 }; 2];
    let config = RgFlowConfig { linear_maps: true, mean_image: true, ..RgFlowConfig::new(8, levels) };
    let [cpu, gpu] = ["cpu", device].map(|device| {
        let dir = tempfile::tempdir().unwrap();
        let mut training = training(dir.path(), 1);
        training.state.config = config.clone().into();
        // Slowly: steps that overshoot make much of a GPU's rounding.
        training.state.recipe.learning_rate = 1e-3;
        training.state.recipe.steps = 5;
        trainer::train::run(device.parse::<DeviceChoice>().unwrap(), training).unwrap();
        lines(dir.path())
    });
    assert_eq!((cpu.len(), gpu.len()), (5, 5));
    assert!(cpu[4].train.unwrap() < cpu[0].train.unwrap() - 0.1, "nothing was learnt: {cpu:?}");
    for (cpu, gpu) in cpu.iter().zip(&gpu) {
        let off = |of: fn(&Line) -> Option<f64>| (of(cpu).unwrap() - of(gpu).unwrap()).abs();
        assert!(off(|l| l.train) < 1e-4, "a batch's bits/dim: {cpu:?} and {gpu:?}");
        assert!(off(|l| l.test) < 1e-4, "bits/dim of the averaged weights: {cpu:?} and {gpu:?}");
        assert!(off(|l| l.grad_norm) < 1e-3 * cpu.grad_norm.unwrap(), "the gradient's norm: {cpu:?} and {gpu:?}");
    }
}

#[cfg(feature = "wgpu")]
mod wgpu {
    #[test]
    #[ignore = "needs a GPU, or a software Vulkan such as Mesa's lavapipe"]
    fn agrees_with_the_cpu() {
        super::gpu_and_cpu_agree("wgpu");
    }

    #[test]
    #[ignore = "needs a GPU, or a software Vulkan such as Mesa's lavapipe"]
    fn learns_as_the_cpu() {
        super::gpu_and_cpu_learn_the_same("wgpu");
    }
}

#[cfg(feature = "cuda")]
mod cuda {
    #[test]
    #[ignore = "needs an NVIDIA card"]
    fn agrees_with_the_cpu() {
        super::gpu_and_cpu_agree("cuda");
    }

    #[test]
    #[ignore = "needs an NVIDIA card"]
    fn learns_as_the_cpu() {
        super::gpu_and_cpu_learn_the_same("cuda");
    }
}
