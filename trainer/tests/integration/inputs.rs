//! What the commands make of unusual inputs, through the command line.

use std::path::{Path, PathBuf};

use clap::Parser;
use image::{Rgb, RgbImage};
use trainer::cli::{self, Cli};
use trainer::open::load;
use trainer::train::best::Which;

fn run(line: &[&str]) -> Result<(), String> {
    let cli = Cli::try_parse_from([&["trainer"], line].concat()).map_err(|error| error.to_string())?;
    cli::run(cli).map_err(|error| error.to_string())
}

/// The configuration of a small model of 16×16 pixels.
fn config(folder: &Path, channels: usize) -> String {
    let path = folder.join("config.json");
    let level = r#"{"layers": 1, "res_blocks": 1, "mlp": 1, "hidden": 8}"#;
    let text = format!(
        r#"{{"size": 16, "channels": {channels}, "block": 4, "levels": [{level}, {level}, {level}],
            "prior": "laplace", "order": "official"}}"#
    );
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// A run of two steps on ovals.
fn train(folder: &Path, channels: usize) -> Result<PathBuf, String> {
    let (config, out) = (config(folder, channels), folder.join("run"));
    let out_text = out.display().to_string();
    let fixed = ["train", "--config", &config, "--out", &out_text, "--device", "cpu", "--steps", "2", "--batch", "4"];
    let data = ["--data", "msds1", "--limit", "8", "--test-limit", "4", "--test-images", "4"];
    run(&[&fixed[..], &data].concat())?;
    Ok(out)
}

#[test]
fn a_model_of_one_channel_is_served_by_every_command() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let model = train(dir.path(), 1).unwrap().display().to_string();
    let data = ["--data", "msds1", "--test-limit", "3", "--device", "cpu"];
    run(&[&["eval", model.as_str()], &data[..]].concat()).unwrap();
    run(&["export", &model, "--out", &at("grey.safetensors"), "--precision", "f32"]).unwrap();
    run(&["sample", &at("grey.safetensors"), "--count", "2", "--out", &at("samples.png"), "--device", "cpu"]).unwrap();
    let picture = RgbImage::from_fn(16, 16, |x, y| Rgb([(x * 9 + y * 5) as u8; 3]));
    picture.save(at("grey.png")).unwrap();
    let [model, latents] = [at("grey.safetensors"), at("latents.safetensors")];
    run(&["encode", &at("grey.png"), "--model", &model, "--out", &latents, "--device", "cpu"]).unwrap();
    run(&["decode", &latents, "--model", &model, "--out", &at("decoded"), "--device", "cpu"]).unwrap();
    assert_eq!(image::open(at("decoded/0000.png")).unwrap().into_rgb8(), picture);
}

#[test]
fn a_model_of_two_channels_is_refused_with_the_sizes() {
    let dir = tempfile::tempdir().unwrap();
    let error = train(dir.path(), 2).unwrap_err();
    assert!(error.contains("3×16×16") && error.contains("2×16×16"), "{error}");
}

#[test]
fn sheets_do_not_become_training_pictures() {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..6 {
        RgbImage::from_pixel(16, 16, Rgb([i * 9, 0, 0])).save(dir.path().join(format!("{i}.png"))).unwrap();
    }
    let (photos, out) = (dir.path().display().to_string(), dir.path().join("run").display().to_string());
    let config = config(dir.path(), 3);
    let line = ["train", "--config", &config, "--data", &photos, "--out", &out, "--steps", "1", "--device", "cpu"];
    let error = run(&line).unwrap_err();
    assert!(error.contains("--out") && error.contains("among the images"), "{error}");
    assert!(!dir.path().join("run").exists());
}

#[test]
fn a_damaged_checkpoint_is_an_error_and_no_panic() {
    let dir = tempfile::tempdir().unwrap();
    let run_folder = train(dir.path(), 3).unwrap();
    let whole = std::fs::read(run_folder.join("checkpoints/step-00000002.ckpt")).unwrap();
    let path = dir.path().join("damaged.ckpt");
    let mut refused = 0;
    // The header, and the record of the model behind it: its names, types and shapes.
    for at in (0..whole.len().min(6000)).step_by(29) {
        for change in [0x01, 0x40, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= change;
            std::fs::write(&path, &bytes).unwrap();
            if let Err(error) = load(&path, Which::Last) {
                let error = error.to_string();
                assert!(error.contains("damaged.ckpt"), "{at}: {error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 100, "{refused}");
}
