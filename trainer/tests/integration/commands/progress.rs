//! What commands say while they work.

use std::process::{Command, Output};

use super::Room;

/// Commands that may take long, and works that each of them says it does.
const WORKS: [(&str, &[&str]); 13] = [
    ("inpaint @a.png @mask.png --model @m.safetensors --samples 1 --out @i.png", &["gradients of the completions"]),
    (
        "eval-inpaint @m.safetensors --data @images --images 2 --samples 1 --hole centre",
        &["images read", "images completed by m"],
    ),
    (
        "factors @m.safetensors --data msds1 --images 64 --only-scores --out @factors",
        &["images encoded", "scores of level 0", "scores of level 2"],
    ),
    (
        "receptive-fields @m.safetensors --count 1 --samples 2 --out @r.png --histogram @s.png",
        &["strengths of all latents", "receptive fields"],
    ),
    ("neighbours @m.safetensors --data @images --count 3", &["samples drawn", "images compared"]),
    (
        "fit-latents @m.safetensors --data msds1 --limit 40 --test-limit 1 --directions 2 --out @f.safetensors",
        &["images encoded", "leading directions"],
    ),
    (
        "quality @m.safetensors --data msds1 --limit 20 --test-limit 16 --count 16",
        &["measuring the test images", "samples drawn", "measuring the samples", "measuring training images"],
    ),
    ("scales @m.safetensors --data msds1 --limit 1 --test-limit 16 --against mirrored", &["likelihoods of images"]),
    ("ovals @m.safetensors --limit 1 --test-limit 1 --images 1", &["latents tried"]),
    ("pinwheel --steps 2 --out @p.png", &["steps with the Gaussian prior", "steps with the Laplace prior"]),
    ("eval @m.safetensors --data @images", &["likelihoods of images"]),
    ("encode @a.png --model @m.safetensors --out @z.safetensors", &["images encoded"]),
    ("sample @m.safetensors --count 2 --out @s.png", &["samples drawn"]),
];

fn trainer(room: &Room, line: &str, progress: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
    command.args(room.words(&format!("{line} --device cpu"))).env("RG_FLOW_PROGRESS", progress);
    command.output().unwrap()
}

/// The lines of a command's errors, and all that it printed.
fn said(room: &Room, line: &str, progress: &str) -> (Vec<String>, String) {
    let output = trainer(room, line, progress);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{line}: {errors}");
    (errors.lines().map(str::to_owned).collect(), String::from_utf8(output.stdout).unwrap())
}

/// A piece of work that is told to be done is done to its last part.
fn assert_told(lines: &[String], works: &[&str]) {
    for work in works {
        let told = lines.iter().find(|line| line.starts_with(work)).unwrap_or_else(|| panic!("{work}: {lines:?}"));
        let count = told.split_once(": ").unwrap().1.split_once(" in ").unwrap().0;
        let whole = count.split_once(" of ").is_none_or(|(done, total)| done == total && done != "0");
        assert!(whole && (count == "done" || count.contains(" of ")), "{told}");
    }
}

#[test]
fn work_is_told_on_standard_error_alone() {
    let room = Room::new();
    for (line, works) in WORKS {
        let (lines, printed) = said(&room, line, "0");
        assert_told(&lines, works);
        assert!(!works.iter().any(|work| printed.contains(work)), "{printed}");
        assert_eq!(said(&room, line, "off").0, [""; 0], "{line}");
    }
}

#[test]
fn fields_are_drawn_and_weighed_aloud() {
    let room = Room::new();
    let data = "--data phi4:beta=0.5 --limit 40 --test-limit 8 --test-images 8";
    let (lines, _) = said(&room, &format!("train --preset phi4 --size 8 --steps 1 --batch 4 {data} --out @run"), "0");
    assert_told(&lines, &["fields drawn"]);
    // What a run measures at its checkpoints is a part of the run.
    assert!(!lines.iter().any(|line| line.starts_with("samples") || line.starts_with("likelihoods")), "{lines:?}");
    let (lines, _) = said(&room, "physics @run --count 50", "0");
    assert_told(&lines, &["fields drawn", "images generated", "likelihoods of fields", "observables", "log Z"]);
    // Those drawn on the way to log Z are parts of it.
    assert_eq!(lines.iter().filter(|line| line.starts_with("fields drawn")).count(), 1, "{lines:?}");
}

#[test]
fn what_is_no_number_of_seconds_is_refused() {
    let room = Room::new();
    let output = trainer(&room, "sample @m.safetensors --count 1 --out @s.png", "often");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && error.contains("RG_FLOW_PROGRESS") && error.contains("off"), "{error}");
    let help = Command::new(env!("CARGO_BIN_EXE_trainer")).arg("--help").output().unwrap();
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    assert!(["RG_FLOW_PROGRESS", "RG_FLOW_VECTORS", "143"].iter().all(|part| help.contains(part)), "{help}");
}
