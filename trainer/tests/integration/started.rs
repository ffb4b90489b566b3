//! What runs start from, what size they are, and which of their checkpoints is used.

use std::fs;
use std::path::Path;

use shared::ModelConfig;
use trainer::train::best::{Which, chosen};
use trainer::train::newest;
use trainer::train::state::RunState;

use super::runs::{TINY, command, metrics, run, said, whitened};

/// The first number of what a command prints.
fn first_number(text: &str) -> f64 {
    text.split_whitespace().find_map(|word| word.parse().ok()).unwrap()
}

fn test_bits(run: &Path) -> Vec<f64> {
    metrics(run).iter().filter_map(|line| line.get("test")?.as_f64()).collect()
}

#[test]
fn weights_from_a_file_or_a_run_are_where_training_starts() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::write(at("maps.json"), whitened()).unwrap();
    let (first, file) = (at("first"), at("first.safetensors"));
    let part = "--limit 200 --test-limit 16 --test-images 16 --device cpu";
    run(&format!("train --data msds1 --config {{}} --steps 30 {part} --out {{}}"), &[&at("maps.json"), &first])
        .unwrap();
    run("export {} --which last --precision f32 --licence CC0 --device cpu --out {}", &[&first, &file]).unwrap();
    // On other data, before the first step, the model is what the file holds: nothing was whitened anew.
    let eval = said(&command("eval {} --data msds2 --test-limit 16 --device cpu", &[&file]).output().unwrap());
    let before = first_number(&eval);
    let start = at("start");
    run(&format!("train --from {{}} --data msds2 {part} --steps 0 --out {{}}"), &[&file, &start]).unwrap();
    assert!((test_bits(&start)[0] - before).abs() < 1e-3, "{:?} {before}", test_bits(&start));
    // Then it gets better on them.
    for (from, out) in [(&file, at("tuned")), (&first, at("tuned-run"))] {
        run(&format!("train --from {{}} --data msds2 {part} --steps 60 --out {{}}"), &[from, &out]).unwrap();
        let after = test_bits(&out);
        assert!(after[0] < before - 0.1, "{after:?} {before}");
        let state = RunState::read(&newest(&out).unwrap()).unwrap();
        assert_eq!(
            (state.step, state.data.as_str(), &state.earlier_data[..]),
            (60, "msds2", &["msds1".to_owned()][..])
        );
    }
    let about = said(&command("info {}", &[&at("tuned")]).output().unwrap());
    for part in ["msds1, then msds2", "from first.safetensors: 60 steps", "CC0"] {
        assert!(about.contains(part), "{part}: {about}");
    }
    // A resumed run remembers it.
    run("train --resume {} --steps 61 --device cpu", &[&at("tuned")]).unwrap();
    assert!(said(&command("info {}", &[&at("tuned")]).output().unwrap()).contains("from first.safetensors: 61 steps"));
}

#[test]
fn weights_keep_their_architecture_and_say_why() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    run(&format!("train {TINY} --steps 1 --out {{}}"), &[&out]).unwrap();
    let other = dir.path().join("other");
    let line = "train --from {} --limit 16 --test-limit 2 --steps 1 --device cpu --out {}";
    for (options, parts) in [
        ("--preset demo --prior gaussian", &["--preset", "weights fit no other", "--prior", "were trained"][..]),
        ("--size 32", &["--size", "size of 16", "without --from"]),
        ("--preset tiny --size 32", &["--preset, --size"]),
    ] {
        let error = run(&format!("{line} {options}"), &[&out, &other]).unwrap_err();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        assert!(!other.exists());
    }
    run(&format!("{line} --preset tiny --size 16 --prior laplace"), &[&out, &other]).unwrap();
    assert!(run("train --from {} --resume {}", &[&out, &out]).unwrap_err().contains("cannot be used with"));
    assert!(run(line, &[&dir.path().join("none.safetensors"), &dir.path().join("no")]).unwrap_err().contains("none"));
}

#[test]
fn a_preset_is_trained_at_another_size() {
    let dir = tempfile::tempdir().unwrap();
    let [small, large] = ["small", "large"].map(|name| dir.path().join(name));
    let part = "--limit 20 --test-limit 4 --test-images 4 --batch 4 --steps 1 --device cpu --out {}";
    run(&format!("train --preset tiny --size 8 {part}"), &[&small]).unwrap();
    run(&format!("train --preset realnvp_tiny --size 32 {part}"), &[&large]).unwrap();
    for (run, preset, size) in [(&small, "tiny", 8), (&large, "realnvp_tiny", 32)] {
        let config = RunState::read(&newest(run).unwrap()).unwrap().config;
        assert_eq!(config, ModelConfig::preset(preset).unwrap().resized(size).unwrap());
    }
    let error = run(&format!("train --preset tiny --size 24 {part}"), &[&dir.path().join("no")]).unwrap_err();
    assert!(error.contains("--size: ") && error.contains("size is 24") && error.contains("4·2^k"), "{error}");
    // A run keeps its size.
    let error = run("train --resume {} --size 16 --steps 2", &[&small]).unwrap_err();
    assert!(error.contains("its image size of 8 (--size)"), "{error}");
    run("train --resume {} --size 8 --place-features 0 --steps 2 --device cpu", &[&small]).unwrap();
}

#[test]
fn a_model_may_know_places() {
    let dir = tempfile::tempdir().unwrap();
    let [first, second, third, none] = ["first", "second", "third", "none"].map(|name| dir.path().join(name));
    run(&format!("train {TINY} --place-features 2 --steps 3 --out {{}}"), &[&first]).unwrap();
    let ModelConfig::RgFlow(config) = RunState::read(&newest(&first).unwrap()).unwrap().config else { panic!() };
    assert_eq!(config.place_features, 2);
    let on = "train --from {} --place-features 2 --limit 16 --test-limit 2 --steps 1 --device cpu --out {}";
    run(on, &[&first, &second]).unwrap();
    let file = dir.path().join("places.safetensors");
    run("export {} --out {}", &[&second, &file]).unwrap();
    run("eval {} --limit 4 --data msds1 --device cpu", &[&file]).unwrap();
    // Weights without them can get them, and keep them from then on.
    let plain = dir.path().join("plain");
    run(&format!("train {TINY} --steps 1 --out {{}}"), &[&plain]).unwrap();
    let learns = on.replace("--place-features 2", "--place-features 2 --places-from 1");
    run(&learns, &[&plain, &third]).unwrap();
    let ModelConfig::RgFlow(config) = RunState::read(&newest(&third).unwrap()).unwrap().config else { panic!() };
    assert_eq!((config.place_features, config.places_from), (2, 1));
    let error = run(&learns.replace("from 1", "from 0"), &[&third, &none]).unwrap_err();
    assert!(error.contains("place features"), "{error}");
    let rival = "train --preset realnvp_tiny --place-features 2 --steps 1 --out {}";
    assert!(run(rival, &[&none]).unwrap_err().contains("--place-features") && !none.exists());
}

#[test]
fn all_levels_may_share_their_weights() {
    let dir = tempfile::tempdir().unwrap();
    let [first, second, none] = ["first", "second", "none"].map(|name| dir.path().join(name));
    run(&format!("train {TINY} --share-levels --steps 3 --out {{}}"), &[&first]).unwrap();
    let config = |run: &Path| match RunState::read(&newest(run).unwrap()).unwrap().config {
        ModelConfig::RgFlow(config) => config,
        ModelConfig::RealNvp(_) => panic!(),
    };
    assert_eq!(config(&first), shared::RgFlowConfig::tiny().shared());
    run("train --resume {} --share-levels --steps 4 --device cpu", &[&first]).unwrap();
    // It goes on at another size, is evaluated at a third, and draws at a fourth.
    let on = "train --from {} --size 32 --limit 16 --test-limit 2 --steps 1 --device cpu --out {}";
    run(on, &[&first, &second]).unwrap();
    assert_eq!(config(&second), config(&first).resized(32).unwrap());
    let file = dir.path().join("shared.safetensors");
    run("export {} --out {}", &[&second, &file]).unwrap();
    let line = "eval {} --size 8 --limit 4 --data msds1 --test-limit 4 --device cpu";
    assert!(first_number(&said(&command(line, &[&file]).output().unwrap())).is_finite());
    let sheet = dir.path().join("sheet.png");
    run("sample {} --size 64 --count 1 --zoom 1 --device cpu --out {}", &[&file, &sheet]).unwrap();
    assert_eq!(image::image_dimensions(&sheet).unwrap().0 / 64, 1);
    for (line, part) in [
        ("train --preset realnvp_tiny --share-levels --steps 1 --out {}", "--share-levels"),
        ("train --preset tiny --share-levels --place-features 2 --steps 1 --out {}", "place_features"),
    ] {
        let error = run(line, &[&none]).unwrap_err();
        assert!(error.contains(part) && !none.exists(), "{error}");
    }
    let other = dir.path().join("other");
    run(&format!("train {TINY} --steps 1 --out {{}}"), &[&other]).unwrap();
    let error = run("train --resume {} --share-levels --steps 2 --device cpu", &[&other]).unwrap_err();
    assert!(error.contains("--share-levels"), "{error}");
    let error = run("eval {} --size 24 --data msds1 --test-limit 4 --device cpu", &[&first]).unwrap_err();
    assert!(error.contains("size is 24"), "{error}");
}

#[test]
fn the_best_checkpoint_is_kept_and_used() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let line = format!("train {TINY} --ema 0 --steps 20 --checkpoint-every 10 --keep 1 --out {{}}");
    run(&line, &[&out]).unwrap();
    // Steps that are far too long make it worse.
    run("train --resume {} --learning-rate 0.3 --warmup 0 --steps 40 --checkpoint-every 10 --keep 1 --test-images 8 --device cpu", &[&out])
        .unwrap();
    let bits = test_bits(&out);
    assert!(bits.len() == 4 && bits[1] < bits[0] && bits[3] > bits[1] + 0.1, "{bits:?}");
    let [best, last] = [Which::Best, Which::Last].map(|which| chosen(&out, which).unwrap());
    let step = |path: &Path| RunState::read(path).unwrap().step;
    assert_eq!((step(&best), step(&last)), (20, 40));
    assert_eq!(best, out.join("best.ckpt"));
    // Every command that opens a run takes it, unless it is told otherwise.
    for (options, expected) in [("", 20), ("--which best", 20), ("--which last", 40)] {
        let about = said(&command(&format!("info {{}} {options}"), &[&out]).output().unwrap());
        assert!(about.contains(&format!("\nstep   {expected}, best by bits")), "{options}: {about}");
    }
    let eval = |options: &str| {
        let line = format!("eval {{}} --data msds1 --limit 32 --test-limit 8 --device cpu {options}");
        first_number(&said(&command(&line, &[&out]).output().unwrap()))
    };
    assert!((eval("") - bits[1]).abs() < 1e-3 && (eval("--which last") - bits[3]).abs() < 1e-3);
    // A run goes on from the last one, or back from the best one.
    let text = said(&command("train --resume {} --steps 41 --test-images 8 --device cpu", &[&out]).output().unwrap());
    assert!(text.contains("resumes at step 40"), "{text}");
    let text = said(&command("train --resume {} --steps 22 --test-images 8 --device cpu", &[&best]).output().unwrap());
    assert!(text.contains("resumes at step 20") && text.contains("renamed"), "{text}");
    assert_eq!(step(&newest(&out).unwrap()), 22);
}

#[test]
fn a_run_taken_back_behind_its_best_checkpoint_finds_another() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    run(&format!("train {TINY} --steps 30 --checkpoint-every 10 --out {{}}"), &[&out]).unwrap();
    let best = || RunState::read(&out.join("best.ckpt")).unwrap().step;
    assert_eq!(best(), 30);
    let ten = out.join("checkpoints/step-00000010.ckpt");
    run(
        "train --resume {} --steps 12 --checkpoint-every 10 --learning-rate 1e-9 --test-images 0 --device cpu",
        &[&ten],
    )
    .unwrap();
    assert_eq!(best(), 10);
    assert_eq!(RunState::read(&out.join("best.ckpt.old")).unwrap().step, 30);
    // On other images, what was scored before does not count.
    run("train --resume {} --data msds2 --limit 32 --test-limit 8 --steps 13 --test-images 8 --device cpu", &[&out])
        .unwrap();
    assert_eq!(best(), 13);
    let error =
        run(&format!("train {TINY} --best-by quality --steps 1 --out {{}}"), &[&dir.path().join("q")]).unwrap_err();
    assert!(error.contains("--best-by") && error.contains("256"), "{error}");
}

#[test]
fn the_best_checkpoint_may_be_the_one_with_the_best_samples() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let line =
        "train --preset tiny --data msds1 --limit 300 --test-limit 300 --test-images 8 --batch 4 --device cpu --ema 0";
    run(
        &format!("{line} --best-by quality --steps 3 --checkpoint-every 1 --learning-rate 0.1 --warmup 0 --out {{}}"),
        &[&out],
    )
    .unwrap();
    let mean = |line: &serde_json::Map<String, serde_json::Value>| {
        let swd: Vec<(usize, f64)> = serde_json::from_value(line["quality"]["swd"].clone()).unwrap();
        swd.iter().map(|(_, distance)| distance).sum::<f64>()
    };
    let scores: Vec<f64> = metrics(&out).iter().map(mean).collect();
    let lowest = (0..3).min_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap();
    assert_eq!(RunState::read(&out.join("best.ckpt")).unwrap().step, lowest as u64 + 1, "{scores:?}");
    assert!(said(&command("info {}", &[&out]).output().unwrap()).contains("best by quality"));
}
