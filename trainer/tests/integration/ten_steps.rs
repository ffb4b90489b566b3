//! The page trains models by the same steps: both are held to the same numbers. The page's side is in
//! `web/src/training/tests.rs`.

use std::fs;

use serde::Deserialize;
use shared::RgFlowConfig;

use crate::runs::{metrics, run};

/// What the first ten steps measure: see the test for how.
#[derive(Deserialize)]
struct TenSteps {
    config: RgFlowConfig,
    pictures: usize,
    bits_per_dim: Vec<f64>,
}

#[test]
fn the_first_ten_steps_are_those_that_the_page_takes() {
    let expected: TenSteps = serde_json::from_str(include_str!("../../../shared/tests/ten-steps.json")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (config, out) = (dir.path().join("config.json"), dir.path().join("run"));
    fs::write(&config, serde_json::to_string(&expected.config).unwrap()).unwrap();
    let data = format!("--data msds1 --limit {} --test-limit 1 --seed 0 --flips", expected.pictures);
    let recipe = "--recipe official --batch 16 --learning-rate 0.016 --warmup 200 --weight-decay 0.01 --ema 0.998";
    let line = format!("train --config {{}} {data} {recipe} --steps 10 --log-every 1 --device cpu --out {{}}");
    run(&line, &[&config, &out]).unwrap();
    let found: Vec<f64> = metrics(&out).iter().map(|line| line["train"].as_f64().unwrap()).collect();
    assert_eq!(found.len(), 10);
    for (step, (found, expected)) in found.iter().zip(&expected.bits_per_dim).enumerate() {
        assert!((found - expected).abs() < 1e-4 * expected, "step {step}: {found} {expected}");
    }
}
