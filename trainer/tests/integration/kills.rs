//! What a run leaves when it is killed at random moments, ended by the system, or has no room to write.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use trainer::device::Cpu;
use trainer::train::checkpoint::{self, Run};
use trainer::train::newest;

use super::runs::{TINY, command, metrics, names, run, weights};

/// Steps between two checkpoints.
const INTERVAL: u64 = 3;

/// Kills, unless `RG_FLOW_KILLS` says otherwise.
const KILLS: usize = 100;

/// The checkpoints of a run, each of which must be whole. Gives the newest one's step, 0 if there is none.
fn whole_checkpoints(run: &Path) -> u64 {
    let mut found = checkpoint::list(&run.join("checkpoints")).unwrap();
    found.extend(Some(run.join("best.ckpt")).filter(|best| best.exists()));
    let step = |path: &PathBuf| {
        let loaded = Run::<Cpu>::load(path, &Default::default());
        loaded.unwrap_or_else(|error| panic!("{error}")).state.step
    };
    found.iter().map(step).max().unwrap_or(0)
}

/// The last step that the metrics speak of; their last line may be cut.
fn last_step(run: &Path) -> u64 {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap_or_default();
    let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    lines
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["step"].as_u64().unwrap())
        .max()
        .unwrap_or(0)
}

/// That a run came to the same as one that nothing happened to.
fn assert_like(parts: &Path, whole: &Path) {
    assert_eq!(metrics(parts), metrics(whole));
    assert!(weights(parts) == weights(whole), "the weights differ");
    let sheets = |run: &Path| {
        let mut files = names(&run.join("samples"));
        files.sort();
        files.into_iter().map(|name| (fs::read(run.join("samples").join(&name)).unwrap(), name)).collect::<Vec<_>>()
    };
    assert!(sheets(parts) == sheets(whole), "the sheets differ");
}

fn line(steps: u64) -> String {
    format!("train {TINY} --steps {steps} --checkpoint-every {INTERVAL} --log-every 2 --keep 2 --out {{}}")
}

/// The command that begins a run, or goes on with what is there.
fn go_on(line: &str, run: &Path) -> Command {
    let resume = if newest(run).is_ok_and(|path| path.is_file()) { " --resume {}" } else { "" };
    let mut command = command(&format!("{line}{resume}"), &[run, run]);
    command.stdout(Stdio::null());
    command
}

#[test]
#[ignore = "takes minutes: `cargo xtask test --only kills`"]
fn a_run_killed_at_random_moments_loses_one_interval_at_most_and_ends_as_one_that_is_not() {
    let kills = std::env::var("RG_FLOW_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    let line = line(24);
    let start = Instant::now();
    assert!(command(&line, &[&whole]).stdout(Stdio::null()).status().unwrap().success());
    let usual = start.elapsed();
    let mut rng = ChaCha8Rng::seed_from_u64(20);
    let (mut killed, mut runs, mut without_checkpoint) = (0, 0, 0);
    while killed < kills {
        runs += 1;
        let parts = dir.path().join(format!("parts-{runs}"));
        let mut reached = 0;
        loop {
            let mut child = go_on(&line, &parts).stderr(Stdio::null()).spawn().unwrap();
            // Anywhere: while it starts, trains, writes, or after its end.
            let moment = Instant::now() + usual.mul_f64(rng.random_range(0.0..0.9));
            while Instant::now() < moment && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_micros(300));
            }
            let ended = child.try_wait().unwrap();
            if let Some(status) = ended {
                assert!(status.success(), "the run failed after {killed} kills");
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            killed += 1;
            let now = whole_checkpoints(&parts);
            assert!(now >= reached, "a checkpoint of step {reached} is gone, the newest is of step {now}");
            let lost = last_step(&parts).saturating_sub(now);
            assert!(lost <= INTERVAL, "{lost} steps are lost behind step {now}");
            without_checkpoint += usize::from(now == 0);
            reached = now;
        }
        assert_like(&parts, &whole);
        assert!(names(&parts).iter().all(|name| !name.ends_with(".tmp")));
        fs::remove_dir_all(&parts).unwrap();
    }
    println!(
        "{killed} kills in {runs} runs of {:.1} s, {without_checkpoint} before the first checkpoint",
        usual.as_secs_f64()
    );
}

#[cfg(unix)]
#[test]
fn a_run_that_the_system_ends_saves_first() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let line = format!("train {TINY} --steps 100000 --checkpoint-every 100000 --log-every 1 --out {{}}");
    let mut reached = 0;
    for (signal, code) in [("-TERM", 143), ("-INT", 130), ("-HUP", 129)] {
        let mut child = go_on(&line, &out).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        while last_step(&out) < reached + 2 {
            assert_eq!(child.try_wait().unwrap(), None, "it has ended");
            std::thread::sleep(Duration::from_millis(5));
        }
        let pid = child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        let [text, error] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        // A script sees that it did not finish, and a reader that it saved.
        assert_eq!(output.status.code(), Some(code), "{error}");
        assert!(text.contains("stopped before step 100000") && text.contains("--resume"), "{text}");
        assert!(error.contains("saving") && !error.contains("error"), "{error}");
        // Every step that it took is in the checkpoint.
        assert!(last_step(&out) >= reached + 2 && whole_checkpoints(&out) == last_step(&out));
        reached = last_step(&out);
    }
    // One that is stopped by the clock has done what it was told.
    assert!(go_on(&format!("{line} --max-minutes 0"), &out).status().unwrap().success());
}

#[test]
fn a_run_whose_checkpoints_vanish_goes_on_and_writes_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let mut child = command(&line(40), &[&out]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let folder = out.join("checkpoints");
    while child.try_wait().unwrap().is_none() && !names(&folder).iter().any(|name| name.ends_with(".ckpt")) {
        std::thread::sleep(Duration::from_millis(1));
    }
    // It may be writing into the folder.
    while child.try_wait().unwrap().is_none() && fs::remove_dir_all(&folder).is_err() {}
    let output = child.wait_with_output().unwrap();
    // Either it never noticed, or it was writing just then and says so.
    if output.status.success() {
        assert_eq!(whole_checkpoints(&out), 40);
    } else {
        assert!(String::from_utf8_lossy(&output.stderr).contains("checkpoints"), "{output:?}");
    }
}

/// Runs a shell command where `$ROOM` is a folder of `options`' size or kind; nothing where the system has none for us.
#[cfg(target_os = "linux")]
fn in_small_room(room: &Path, options: &str, script: &str) -> Option<Output> {
    let shell = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", script]);
        command.env("ROOM", room).env("OPTIONS", options).env("TRAINER", env!("CARGO_BIN_EXE_trainer"));
        command.output()
    };
    fs::create_dir_all(room).unwrap();
    let mount = "mount -t tmpfs -o \"$OPTIONS\" none \"$ROOM\"";
    if !shell(mount).is_ok_and(|output| output.status.success()) {
        println!("skipped: this system lets nobody but its administrator mount a small file system");
        return None;
    }
    Some(shell(&format!("{mount} && {script}")).unwrap())
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_leaves_the_last_good_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let [whole, room, copy] = ["whole", "room", "copy"].map(|name| dir.path().join(name));
    let line = format!("train {TINY} --steps 12 --checkpoint-every 1 --log-every 1 --keep 100 --out {{}}");
    run(&line, &[&whole]).unwrap();
    let one = fs::metadata(newest(&whole).unwrap()).unwrap().len();
    // Room for some of the checkpoints.
    for checkpoints in [1, 3, 5] {
        let size = format!("size={}k", one * checkpoints / 1024 + 90);
        let words = line.replace("{}", "\"$ROOM/run\"");
        let script = format!("\"$TRAINER\" {words}; code=$?; cp -r \"$ROOM/run\" {}; exit $code", copy.display());
        let Some(output) = in_small_room(&room, &size, &script) else { return };
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{size}: {error}");
        assert!(error.contains("room/run") && error.contains("space"), "{error}");
        whole_checkpoints(&copy);
        assert!(names(&copy.join("checkpoints")).iter().all(|name| !name.ends_with(".tmp")));
        // With room again it goes on, and comes to the same.
        assert!(go_on(&line, &copy).status().unwrap().success());
        assert_like(&copy, &whole);
        fs::remove_dir_all(&copy).unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_is_said_before_anything_is_computed() {
    let dir = tempfile::tempdir().unwrap();
    let words = format!("train {TINY} --steps 1000000 --out \"$ROOM/run\"");
    let Some(output) = in_small_room(&dir.path().join("room"), "ro", &format!("\"$TRAINER\" {words}")) else { return };
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("room/run") && error.contains("cannot create it"), "{error}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("step "), "{output:?}");
}
