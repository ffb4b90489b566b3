//! Runs through the command line: what a folder may hold, what a resumed run takes, what a kill leaves.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use clap::Parser;
use safetensors::SafeTensors;
use trainer::cli::{self, Cli};
use trainer::files::FolderLock;
use trainer::train::checkpoint;
use trainer::train::newest;
use trainer::train::state::RunState;

/// A model that trains in a blink.
pub const TINY: &str = "--preset tiny --data msds1 --limit 32 --test-limit 8 --test-images 8 --device cpu";

/// The words of a command line; those of `paths` stand for `{}`.
fn words(line: &str, paths: &[&Path]) -> Vec<String> {
    let mut paths = paths.iter();
    let word = |word: &str| match word {
        "{}" => paths.next().unwrap().display().to_string(),
        word => word.to_owned(),
    };
    line.split_whitespace().map(word).collect()
}

/// In this process.
pub fn run(line: &str, paths: &[&Path]) -> Result<(), String> {
    let words = ["trainer".to_owned()].into_iter().chain(words(line, paths));
    let cli = Cli::try_parse_from(words).map_err(|error| error.to_string())?;
    cli::run(cli).map_err(|error| error.to_string())
}

/// In its own.
pub fn command(line: &str, paths: &[&Path]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
    command.args(words(line, paths));
    command
}

pub fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// That two folders held the same, or which files differ.
fn assert_same(now: &BTreeMap<PathBuf, Vec<u8>>, before: &BTreeMap<PathBuf, Vec<u8>>) {
    let all: std::collections::BTreeSet<_> = now.keys().chain(before.keys()).collect();
    let differ: Vec<_> = all.into_iter().filter(|path| now.get(*path) != before.get(*path)).collect();
    assert!(differ.is_empty(), "{differ:?}");
}

/// All files below a folder, with what they hold.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path))
        } else {
            drop(found.insert(path.clone(), fs::read(path).unwrap()))
        }
    }
    found
}

/// The same without TensorBoard's event files, of which every start has its own.
fn files_without_events(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files(folder).into_iter().filter(|(path, _)| !path.to_string_lossy().contains("tfevents")).collect()
}

/// The lines of the metrics as they stand there, but for the time.
pub fn metrics(run: &Path) -> Vec<serde_json::Map<String, serde_json::Value>> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let line = |line: &str| {
        let mut line: serde_json::Map<_, _> = serde_json::from_str(line).unwrap();
        assert!(line.remove("seconds").unwrap().as_f64().unwrap() >= 0.0);
        line
    };
    text.lines().map(line).collect()
}

fn steps(run: &Path) -> Vec<u64> {
    metrics(run).iter().map(|line| line["step"].as_u64().unwrap()).collect()
}

/// The weights that a run ended with.
pub fn weights(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let out = run.join("weights.safetensors");
    self::run("export {} --which last --precision f32 --device cpu --out {}", &[run, &out]).unwrap();
    let bytes = fs::read(out).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    tensors.tensors().into_iter().map(|(name, tensor)| (name, tensor.data().to_vec())).collect()
}

#[test]
fn a_second_run_in_a_folder_is_refused_and_touches_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    run(&format!("train {TINY} --steps 4 --checkpoint-every 2 --out {{}}"), &[&out]).unwrap();
    let before = files(&out);
    let second = format!("train {TINY} --steps 3 --checkpoint-every 1 --seed 1 --out {{}}");
    let error = run(&second, &[&out]).unwrap_err();
    assert!(["step 4", "--resume", "another --out"].iter().all(|part| error.contains(part)), "{error}");
    assert_same(&files(&out), &before);
    // Nor by way of another run's checkpoint.
    let other = dir.path().join("other");
    run(&second, &[&other]).unwrap();
    assert!(run("train --resume {} --steps 9 --out {}", &[&other, &out]).unwrap_err().contains("another --out"));
    assert_same(&files(&out), &before);
}

#[test]
fn two_runs_at_once_do_not_share_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let lock = FolderLock::take(dir.path()).unwrap();
    let line = format!("train {TINY} --steps 1 --out {{}}");
    let output = command(&line, &[dir.path()]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains("another run") && error.contains("--out"), "{error}");
    assert_eq!(files(dir.path()).len(), 1);
    drop(lock);
    run(&line, &[dir.path()]).unwrap();
}

#[test]
fn a_resumed_run_takes_what_it_can_and_says_it() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    run(&format!("train {TINY} --steps 4 --out {{}}"), &[&out]).unwrap();
    let first = RunState::read(&newest(&out).unwrap()).unwrap();
    // Nothing but the run's name: its own data, folder and recipe, though no default is like them.
    run("train --resume {} --steps 5 --device cpu", &[&out]).unwrap();
    let same = RunState::read(&newest(&out).unwrap()).unwrap();
    assert_eq!((same.part.limit, same.part.images, same.step, same.recipe.batch), (Some(32), Some(32), 5, 16));
    let change = "--steps 8 --learning-rate 1e-5 --warmup 3 --batch 4 --weight-decay 0.5 --clip 2 --ema 0.5 --no-flips \
                  --data msds2 --limit 20 --test-limit 8 --licence mine --device cpu";
    let text = said(&command(&format!("train --resume {{}} {change}"), &[&out]).output().unwrap());
    for part in [
        "resumes at step 5",
        "steps 5 → 8",
        "learning rate 0.012 → 0.00001",
        "warm-up 0 → 3",
        "batch 16 → 4",
        "weight decay 0.01 → 0.5",
        "clip 1 → 2",
        "average 0.998 → 0.5",
        "mirrored at random → never",
        "data msds1 → msds2",
        "limit 32 → 20",
        "licence “mine”",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let state = RunState::read(&newest(&out).unwrap()).unwrap();
    assert_eq!((state.step, state.images(), state.earlier_data), (8, 5 * 16 + 3 * 4, vec!["msds1".to_owned()]));
    let recipe = first.recipe.clone();
    assert_eq!((state.recipe.learning_rate, state.recipe.batch, state.recipe.flips), (1e-5, 4, false));
    assert_eq!((state.recipe.seed, state.recipe.cosine, state.config), (recipe.seed, recipe.cosine, first.config));
    assert_eq!((state.data.as_str(), state.licence.as_deref()), ("msds2", Some("mine")));
    assert_eq!(metrics(&out).last().unwrap()["images"], 92);
    let text = said(&command("info {}", &[&out]).output().unwrap());
    assert!(text.contains("msds1, then msds2") && text.contains("0.00001") && text.contains("\"batch\": 4"), "{text}");
    // Mirroring can be turned on again.
    run("train --resume {} --steps 9 --flips --device cpu", &[&out]).unwrap();
    assert!(RunState::read(&newest(&out).unwrap()).unwrap().recipe.flips);
}

#[test]
fn a_resumed_run_refuses_to_become_another_and_names_every_reason() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    run(&format!("train {TINY} --steps 2 --seed 3 --prior gaussian --out {{}}"), &[&out]).unwrap();
    let before = files(&out);
    let other = "--steps 4 --learning-rate 1e-5 --seed 9 --recipe official --preset demo --prior laplace --data msds2";
    let error = run(&format!("train --resume {{}} {other}"), &[&out]).unwrap_err();
    for part in ["--seed", "--recipe", "--preset", "--prior", "another --out", "learning rate 0.012 → 0.00001", "msds2"]
    {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert_same(&files(&out), &before);
    // The same command line as before, with --resume, is no other run.
    let same = format!("train {TINY} --steps 4 --seed 3 --prior gaussian --recipe cosine --out {{}} --resume {{}}");
    run(&same, &[&out, &out]).unwrap();
    assert_eq!(steps(&out), [2, 4]);
    // What it was trained on must be found again.
    let images = dir.path().join("images");
    run("data msds1 --limit 20 --size 16 --out {}", &[&images]).unwrap();
    let own = dir.path().join("own");
    run("train --preset tiny --data {} --steps 1 --device cpu --out {}", &[&images.join("train"), &own]).unwrap();
    fs::rename(&images, dir.path().join("moved")).unwrap();
    let error = run("train --resume {} --steps 2 --device cpu", &[&own]).unwrap_err();
    assert!(error.starts_with("--data: ") && error.contains("images/train"), "{error}");
    run("train --resume {} --data {} --steps 2 --device cpu", &[&own, &dir.path().join("moved/train")]).unwrap();
    let copy = dir.path().join("copy.ckpt");
    fs::copy(newest(&out).unwrap(), &copy).unwrap();
    assert!(run("train --resume {} --steps 5", &[&copy]).unwrap_err().contains("--out"));
}

#[test]
fn without_a_terminal_there_are_lines_and_the_metrics_have_them_all() {
    let dir = tempfile::tempdir().unwrap();
    let line = format!("train {TINY} --steps 7 --log-every 2 --checkpoint-every 5 --out {{}}");
    let text = said(&command(&line, &[dir.path()]).output().unwrap());
    for step in [2, 4, 6] {
        let line = text.lines().find(|line| line.starts_with(&format!("step {step} of 7: "))).unwrap();
        for part in ["bits/dim", "gradient norm", "images/s", "left"] {
            assert!(line.contains(part), "{line}");
        }
    }
    assert!(text.lines().any(|line| line.starts_with("step 5: ") && line.contains("test images")), "{text}");
    assert_eq!(steps(dir.path()), [2, 4, 5, 6, 7]);
    let tested: Vec<bool> = metrics(dir.path()).iter().map(|line| line.contains_key("test")).collect();
    assert_eq!(tested, [false, false, true, false, true]);
    // A line is the mean since the last one: every step alone gives the same sum.
    let single = tempfile::tempdir().unwrap();
    run(&format!("train {TINY} --steps 7 --log-every 1 --checkpoint-every 5 --out {{}}"), &[single.path()]).unwrap();
    let each: Vec<f64> = metrics(single.path()).iter().map(|line| line["train"].as_f64().unwrap()).collect();
    let means: Vec<f64> = metrics(dir.path()).iter().map(|line| line["train"].as_f64().unwrap()).collect();
    let expected = [each[0] + each[1], each[2] + each[3], 2.0 * each[4], 2.0 * each[5], 2.0 * each[6]];
    assert!(means.iter().zip(expected).all(|(mean, sum)| (2.0 * mean - sum).abs() < 1e-9 * sum), "{means:?} {each:?}");
}

#[test]
fn a_finished_run_that_is_resumed_adds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    run(&format!("train {TINY} --steps 3 --out {{}}"), &[dir.path()]).unwrap();
    let before = files(dir.path());
    let text = said(&command("train --resume {} --device cpu", &[dir.path()]).output().unwrap());
    assert!(text.contains("larger --steps") && text.contains("bits/dim on test images"), "{text}");
    assert_same(&files(dir.path()), &before);
    let elsewhere = tempfile::tempdir().unwrap();
    run("train --resume {} --out {} --device cpu", &[dir.path(), elsewhere.path()]).unwrap();
    assert!(!elsewhere.path().join("metrics.jsonl").exists());
}

#[test]
fn what_a_kill_left_out_after_a_checkpoint_is_made_up_for() {
    let dir = tempfile::tempdir().unwrap();
    let line = format!("train {TINY} --steps 5 --log-every 2 --out {{}}");
    run(&line, &[dir.path()]).unwrap();
    let (whole, path) = (files_without_events(dir.path()), dir.path().join("metrics.jsonl"));
    let sheet = dir.path().join("samples/step-00000005.png");
    // As if the process had died between the checkpoint and the rest, and another one while it wrote.
    let lines = fs::read_to_string(&path).unwrap();
    let kept: String = lines.lines().take(2).map(|line| format!("{line}\n")).collect();
    fs::write(&path, kept + "{\"step\":5,\"ima").unwrap();
    fs::remove_file(&sheet).unwrap();
    let half = [dir.path().join("samples/.rg-flow-half.tmp"), dir.path().join("checkpoints/.rg-flow-half.tmp")];
    half.iter().for_each(|path| fs::write(path, "half").unwrap());
    run("train --resume {} --device cpu", &[dir.path()]).unwrap();
    assert_same(&files_without_events(dir.path()), &whole);
}

#[test]
fn a_run_resumes_whatever_the_clock_says() {
    let dir = tempfile::tempdir().unwrap();
    let runs = ["plain", "late"].map(|name| dir.path().join(name));
    for run in &runs {
        self::run(&format!("train {TINY} --steps 4 --checkpoint-every 2 --log-every 2 --out {{}}"), &[run]).unwrap();
    }
    // The clock was set back: the older a file is, the later it seems to have been written, and most of them after today.
    let mut paths: Vec<PathBuf> = files(&runs[1]).into_keys().collect();
    paths.sort();
    for (i, path) in paths.iter().rev().enumerate() {
        let time = std::time::UNIX_EPOCH + Duration::from_secs(i as u64 * 1_000_000_000);
        fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    }
    for run in &runs {
        self::run("train --resume {} --steps 6 --device cpu", &[run]).unwrap();
    }
    let [plain, late] = &runs;
    assert_eq!((steps(late), metrics(late)), (vec![2, 4, 6], metrics(plain)));
    assert!(weights(late) == weights(plain), "the weights differ");
}

#[test]
fn a_run_that_goes_back_keeps_what_it_leaves() {
    let dir = tempfile::tempdir().unwrap();
    let run_at = |line: &str, paths: &[&Path]| run(&format!("{line} --device cpu --test-images 4"), paths).unwrap();
    run_at(
        &format!(
            "train {} --steps 6 --checkpoint-every 2 --out {{}}",
            TINY.replace("--test-images 8 --device cpu", "")
        ),
        &[dir.path()],
    );
    let kept = dir.path().join("checkpoints");
    let [two, six] = [2, 6].map(|step| kept.join(checkpoint::name(step)));
    let last = fs::read(&six).unwrap();
    run_at("train --resume {} --steps 3 --keep 1", &[&two]);
    assert_eq!(fs::read(kept.join("step-00000006.ckpt.old")).unwrap(), last);
    assert_eq!(newest(dir.path()).unwrap(), kept.join(checkpoint::name(3)));
    assert_eq!(steps(dir.path()), [2, 3]);
    // Into another folder goes the history, and nothing is missing from the old one.
    let before = files(dir.path());
    let branch = tempfile::tempdir().unwrap();
    run_at("train --resume {} --out {} --steps 4", &[dir.path(), branch.path()]);
    assert_eq!(steps(branch.path()), [2, 3, 4]);
    assert_same(&files(dir.path()), &before);
}

/// A small architecture whose maps and mean image are computed from the data.
pub fn whitened() -> String {
    let level = serde_json::json!({ "layers": 1, "res_blocks": 1, "mlp": 1, "hidden": 8 });
    let whitened = serde_json::json!({
        "size": 16, "channels": 3, "block": 4, "order": "paper", "prior": "laplace", "levels": [level, level, level],
        "linear_maps": true, "mean_image": true,
    });
    whitened.to_string()
}

#[test]
fn a_few_steps_on_a_few_images_give_numbers_that_mean_something() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("whitened.json");
    fs::write(&config, whitened()).unwrap();
    for limit in [1, 2, 4, 16] {
        let out = dir.path().join(limit.to_string());
        let line = format!("train --data msds1 --limit {limit} --test-limit 16 --steps 3 --log-every 1 --device cpu");
        run(&format!("{line} --config {{}} --out {{}}"), &[&config, &out]).unwrap();
        let lines = metrics(&out);
        let bits = |key: &str| lines.iter().filter_map(|line| line.get(key)?.as_f64()).fold(0.0, f64::max);
        // 8 is what a picture takes without a model.
        assert!(bits("train") < 16.0 && bits("test") < 16.0, "{limit}: {lines:?}");
    }
}

/// Waits for what may come, or for the end.
fn until(child: &mut Child, mut come: impl FnMut() -> bool) {
    while child.try_wait().unwrap().is_none() && !come() {
        std::thread::sleep(Duration::from_micros(200));
    }
}

pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect()
}

#[test]
fn a_run_that_is_killed_again_and_again_ends_as_one_that_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let [whole, parts] = ["whole", "parts"].map(|name| dir.path().join(name));
    let line = format!("train {TINY} --steps 16 --checkpoint-every 3 --log-every 2 --keep 2 --out {{}}");
    run(&line, &[&whole]).unwrap();
    let checkpoints = parts.join("checkpoints");
    let count = || fs::read(parts.join("metrics.jsonl")).unwrap_or_default().len();
    let begin = || {
        let resume = if newest(&parts).is_ok_and(|path| path.is_file()) { " --resume {}" } else { "" };
        let mut command = command(&format!("{line}{resume}"), &[&parts, &parts]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    // Between a checkpoint and the rest, while a file is written, after a line, and while nothing is.
    let temporary = |folder: &Path| names(folder).iter().any(|name| name.ends_with(".tmp"));
    for window in 0..8 {
        let (seen, lines) = (names(&checkpoints), count());
        let mut child = begin();
        until(&mut child, || match window % 4 {
            0 => names(&checkpoints).iter().any(|name| name.ends_with(".ckpt") && !seen.contains(name)),
            1 => temporary(&checkpoints) || temporary(&parts.join("samples")) || temporary(&parts),
            2 => count() > lines,
            _ => parts.join(".lock").exists() && count() > 0,
        });
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(begin().wait().unwrap().success());
    assert_eq!(metrics(&parts), metrics(&whole));
    assert!(weights(&parts) == weights(&whole), "the weights differ");
    let best = |run: &Path| RunState::read(&run.join("best.ckpt")).unwrap().step;
    assert_eq!(best(&parts), best(&whole));
    for folder in ["checkpoints", "samples"] {
        let of = |run: &Path| names(&run.join(folder)).into_iter().collect::<std::collections::BTreeSet<_>>();
        assert_eq!(of(&parts), of(&whole));
    }
    let sheets = |run: &Path| files(&run.join("samples")).into_values().collect::<Vec<_>>();
    assert!(sheets(&parts) == sheets(&whole), "the sheets differ");
    assert!(!temporary(&parts));
}
