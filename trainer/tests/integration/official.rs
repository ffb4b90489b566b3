//! What the authors' PyTorch code computes on random weights, against ours on the same weights.

use std::collections::HashMap;
use std::path::PathBuf;

use burn::backend::Flex;
use burn::tensor::Tensor;
use safetensors::SafeTensors;
use shared::{BlockOrder, Flow, FlowBackend, PriorKind};
use trainer::commands::import::official;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn expected(name: &str) -> HashMap<String, Vec<f32>> {
    let bytes = std::fs::read(path(&format!("{name}.safetensors"))).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let numbers = |data: &[u8]| data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    file.tensors().into_iter().map(|(name, view)| (name, numbers(view.data()))).collect()
}

fn close(what: &str, got: Vec<f32>, want: &[f32]) {
    assert_eq!(got.len(), want.len(), "{what}");
    let size = want.iter().fold(0f32, |m, w| m.max(w.abs()));
    let off = got.iter().zip(want).map(|(g, w)| (g - w).abs()).fold(0f32, f32::max);
    assert!(off < 1e-3 * size, "{what}: off by {off} of {size}");
}

fn numbers<B: FlowBackend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn check<B: FlowBackend>(name: &str, device: &B::Device) {
    let flow: Flow<B> = official::import(&path(&format!("{name}.state"))).unwrap().into_flow(device).unwrap();
    let expected = expected(name);
    let batch = |key: &str| flow.batch(expected[key].clone(), device).unwrap();
    let encoded = flow.forward(batch("x"));
    close("z", numbers(encoded.latents), &expected["z"]);
    close("logdet", numbers(encoded.log_det), &expected["logdet"]);
    close("logp", numbers(flow.log_prob(batch("x"))), &expected["logp"]);
    close("x_sample", numbers(flow.inverse(batch("z_sample")).0), &expected["x_sample"]);
}

#[test]
fn official_checkpoints_compute_the_same_here() {
    for (name, prior, size) in
        [("official-gaussian-16", PriorKind::Gaussian, 16), ("official-laplace-32", PriorKind::Laplace, 32)]
    {
        let file = official::import(&path(&format!("{name}.state"))).unwrap();
        assert_eq!((file.config.prior, file.config.size, file.config.order), (prior, size, BlockOrder::Official));
        check::<Flex>(name, &Default::default());
    }
}

#[cfg(feature = "candle")]
#[test]
#[expect(deprecated)]
fn and_so_they_do_through_candle() {
    check::<burn::backend::Candle>("official-laplace-32", &Default::default());
    check::<burn::backend::Candle>("official-gaussian-16", &Default::default());
}

#[test]
fn files_that_are_no_checkpoints_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let whole = std::fs::read(path("official-gaussian-16.state")).unwrap();
    let file = dir.path().join("broken.state");
    for bytes in [&whole[..whole.len() / 2], &whole[..10], b"hello", b""] {
        std::fs::write(&file, bytes).unwrap();
        let error = official::import(&file).unwrap_err().to_string();
        assert!(error.contains("broken.state") && error.contains(".state file"), "{error}");
    }
    assert!(official::import(&dir.path().join("none.state")).unwrap_err().to_string().contains("none.state"));
}
