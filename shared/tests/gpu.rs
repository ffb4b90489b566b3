//! The GPU's kernel against the CPU's. A software Vulkan, such as Mesa's lavapipe, does as a GPU.
#![cfg(feature = "wgpu")]
// A test's helpers may fail as the test itself does.
#![allow(clippy::unwrap_used)]

use burn::backend::{Flex, Wgpu};
use burn::tensor::TensorData;
use shared::weights::{Card, ModelFile};
use shared::{Encoded, Flow, FlowBackend, LevelConfig, RgFlow, RgFlowConfig};

/// Latents, log-determinants, and the images that come back.
fn there_and_back<B: FlowBackend>(file: &ModelFile, images: &[f32]) -> [Vec<f32>; 3] {
    let device = Default::default();
    let flow: Flow<B> = file.to_flow(&device).unwrap();
    let numbers = |data: TensorData| data.iter::<f32>().collect();
    let Encoded { latents, log_det } = flow.forward(flow.batch(images.to_vec(), &device).unwrap());
    let (back, _) = flow.inverse(latents.clone());
    [latents.into_data(), log_det.into_data(), back.into_data()].map(numbers)
}

#[test]
#[ignore = "needs a GPU, or a software Vulkan"]
fn gpu_and_cpu_agree() {
    let level = |layers, res_blocks, mlp, hidden| LevelConfig { layers, res_blocks, mlp, hidden };
    // One net deep and one shallow, one narrower and one wider than a block, and one too wide for the kernel.
    let levels = vec![level(2, 2, 1, 12), level(3, 1, 2, 130), level(1, 3, 3, 300)];
    let config = RgFlowConfig { levels, ..RgFlowConfig::tiny() };
    let model = RgFlow::<Flex>::random(&config, 0.1, 1, &Default::default()).unwrap();
    let file = ModelFile::from_model(&model, &config, Card::default());
    // Three images: the last level's rows do not fill a workgroup.
    let images: Vec<f32> = (0..3 * config.dims()).map(|i| ((i * 7919 % 1000) as f32 / 500.0 - 1.0) * 2.0).collect();
    let (cpu, gpu) = (there_and_back::<Flex>(&file, &images), there_and_back::<Wgpu>(&file, &images));
    for (what, (cpu, gpu)) in ["latents", "log-determinants", "images"].iter().zip(cpu.iter().zip(&gpu)) {
        assert_eq!(cpu.len(), gpu.len());
        let off = cpu.iter().zip(gpu).map(|(a, b)| (a - b).abs() / (1.0 + a.abs())).fold(0.0, f32::max);
        assert!(off < 1e-3, "{what} are off by {off}");
    }
    let moved = images.iter().zip(&gpu[0]).filter(|(a, b)| (*a - *b).abs() > 0.1).count();
    assert!(moved > images.len() / 2, "the model does next to nothing");
}
