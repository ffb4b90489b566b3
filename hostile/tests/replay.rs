//! Runs the seeds and the inputs that fuzzing kept, as `cargo xtask fuzz` would: none may break anything.

// A test's helpers may fail as the test itself does.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::Path;

use hostile::TARGETS;

fn corpus() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus"))
}

#[test]
fn no_input_that_was_ever_kept_breaks_anything() {
    let mut run = 0;
    for target in TARGETS {
        let kept = fs::read_dir(corpus().join(target.name)).unwrap();
        let kept = kept.map(|entry| fs::read(entry.unwrap().path()).unwrap());
        for input in kept.chain((target.seeds)()) {
            (target.run)(&input);
            run += 1;
        }
    }
    assert!(run > 500, "{run}");
}

/// Every seed cut short and with each of some bytes changed, where that is cheap: what fuzzing does in its first second.
#[test]
fn seeds_that_are_cut_or_changed_break_nothing() {
    for target in TARGETS {
        for seed in (target.seeds)().iter().filter(|seed| seed.len() < 1500) {
            for at in (0..seed.len()).step_by(seed.len() / 16 + 1) {
                (target.run)(&seed[..at]);
                let mut changed = seed.clone();
                changed[at] ^= 1 << (at % 8);
                (target.run)(&changed);
            }
        }
    }
}

/// `cargo xtask fuzz` goes by the folders.
#[test]
fn every_target_has_its_folder_and_no_folder_is_without_one() {
    let folders = fs::read_dir(corpus()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names = TARGETS.map(|target| target.name.to_owned());
    names.sort();
    let mut folders: Vec<String> = folders.collect();
    folders.sort();
    assert_eq!(folders, names);
}
