//! What a run says where it goes wrong, and what is left of it.

use std::fs;
use std::path::Path;
use std::process::Output;

use trainer::train::checkpoint;

use super::runs::{TINY, command, names, said};

/// A run of forty steps, with all of its checkpoints.
fn trained(out: &Path) {
    let line = format!("train {TINY} --ema 0 --batch 4 --steps 40 --checkpoint-every 10 --keep 9 --out {{}}");
    said(&command(&line, &[out]).output().unwrap());
}

/// The same run, gone on with.
fn go_on(out: &Path, line: &str) -> Output {
    command(&format!("train --resume {{}} --warmup 0 --device cpu {line}"), &[out]).output().unwrap()
}

fn checkpoints(out: &Path) -> Vec<(String, Vec<u8>)> {
    let all = checkpoint::list(&out.join("checkpoints")).unwrap();
    all.iter().map(|path| (path.display().to_string(), fs::read(path).unwrap())).collect()
}

#[test]
fn steps_without_numbers_are_told_and_too_many_end_the_run_with_nothing_lost() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    trained(&out);
    let before = checkpoints(&out);
    // Its first step leads beyond all numbers; checkpoints fall among those that follow.
    let output = go_on(&out, "--learning-rate 1000 --steps 90 --checkpoint-every 3 --keep 1 --test-images 0");
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    let notes: Vec<&str> = error.lines().filter(|line| line.starts_with("note: step ")).collect();
    assert!(
        notes.len() == 4 && notes[0].contains("the step is skipped") && notes[0].contains("10 in a row"),
        "{error}"
    );
    let last = out.join("checkpoints").join(checkpoint::name(40));
    let advice = format!("--resume {} --learning-rate 250", last.display());
    assert!(error.contains("10 such steps in a row") && error.contains(&advice), "{error}");
    assert!(checkpoints(&out) == before, "{:?}", names(&out.join("checkpoints")));
    // What cannot be seen to be good is not saved at the run's end either.
    let output = go_on(&out, "--learning-rate 1000 --steps 43 --test-images 0");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && error.contains("2 such steps in a row"), "{error}");
    assert!(checkpoints(&out) == before);
    // And as it says, it goes on.
    said(&go_on(&out, "--learning-rate 0.003 --steps 42 --test-images 0"));
}

#[test]
fn a_loss_that_leaves_is_told_and_the_checkpoint_to_go_back_to_stays() {
    let dir = tempfile::tempdir().unwrap();
    let [scored, unscored] = ["scored", "unscored"].map(|name| dir.path().join(name));
    trained(&scored);
    let line = format!("train {TINY} --test-images 0 --ema 0 --batch 4 --steps 40 --checkpoint-every 10 --out {{}}");
    let line = line.replacen("--test-images 8 ", "", 1);
    said(&command(&line, &[&unscored]).output().unwrap());
    let forty = unscored.join("checkpoints").join(checkpoint::name(40));
    for (out, images, good) in [(&scored, 8, scored.join("best.ckpt")), (&unscored, 0, forty.clone())] {
        let options = format!("--learning-rate 1 --steps 100 --checkpoint-every 30 --keep 1 --test-images {images}");
        let output = go_on(out, &options);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        said(&output);
        let told: Vec<&str> = error.lines().filter(|line| line.contains("far above the")).collect();
        let advice = format!("`trainer train --resume {} --learning-rate 0.25`", good.display());
        assert!(told.len() == 1 && told[0].starts_with("note: step 59: ") && told[0].contains(&advice), "{error}");
        assert!(good.exists());
    }
    // Without it, one would have been kept.
    assert_eq!(names(&unscored.join("checkpoints")).len(), 2);
    // A run that learns is told nothing.
    let quiet = dir.path().join("quiet");
    let output = command(&format!("train {TINY} --steps 60 --out {{}}"), &[&quiet]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_warm_up_that_is_not_the_usual_one_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let train = |name: &str, options: &str| {
        let line = format!("train {TINY} --batch 2 {options} --test-images 0 --out {{}}");
        let line = line.replacen("--test-images 8 ", "", 1);
        said(&command(&line, &[&dir.path().join(name)]).output().unwrap())
    };
    let text = train("short", "--steps 10");
    assert!(text.contains("warm-up over 2 steps, a fifth of the run, instead of 200; --warmup"), "{text}");
    let text = train("long", "--steps 4 --warmup 8");
    assert!(text.contains("the warm-up takes 8 steps and the run 4") && text.contains("6.00e-3"), "{text}");
    for (name, options) in [("asked", "--steps 10 --warmup 2"), ("official", "--steps 2 --recipe official")] {
        let text = train(name, options);
        assert!(!text.contains("warm-up"), "{text}");
    }
    // It is over where a run goes on.
    let line = "train --resume {} --steps 11 --test-images 0 --device cpu";
    let text = said(&command(line, &[&dir.path().join("short")]).output().unwrap());
    assert!(!text.contains("warm-up over"), "{text}");
}
