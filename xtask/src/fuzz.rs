//! `cargo xtask fuzz`: libFuzzer on every reader of what comes from outside (`hostile`), in fuzz/.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::env::Env;
use crate::process::{output, run, shown};
use crate::setup::cargo_tool::{CARGO_FUZZ, ensure};
use crate::versions;

/// What to run.
#[derive(Debug, PartialEq)]
pub struct Options {
    /// This target alone.
    pub target: Option<String>,
    /// Minutes for each target.
    pub minutes: f64,
    /// Whether what covers most is kept in fuzz/corpus, to be replayed by the ordinary tests.
    pub keep: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { target: None, minutes: 5.0, keep: false }
    }
}

/// Most inputs and bytes that are kept of a target.
const MOST_KEPT: (usize, u64) = (40, 18_000);
/// An input may take so long, in seconds, on a machine that has other things to do too.
const SLOWEST: u32 = 10;
/// Megabytes that a target may take: a picture of 8192×8192 pixels is decoded whole.
const MEMORY: u32 = 1024;

/// Runs the targets one after the other, and ends with a table of them.
///
/// # Errors
/// A target that does not build, or an input that breaks one: it lies in fuzz/artifacts.
pub fn fuzz(env: &Env, options: &Options) -> Result<()> {
    let all = targets(&env.root)?;
    let chosen: Vec<&String> =
        all.iter().filter(|name| options.target.as_ref().is_none_or(|wanted| wanted == *name)).collect();
    if chosen.is_empty() {
        bail!("there is no such target: there are {}", all.join(", "));
    }
    fs::create_dir_all(&env.cache)?;
    ensure(env, &CARGO_FUZZ, versions::CARGO_FUZZ)?;
    let program = build(env)?;
    let (mut table, mut broken) = (Vec::new(), Vec::new());
    for name in chosen {
        println!("\n== {name}");
        let target = Target { env, name, program: &program };
        let (line, passed) = target.run(options.minutes)?;
        println!("{line}");
        table.push(line);
        if !passed {
            broken.push(name.as_str());
        } else if options.keep {
            target.keep()?;
        }
    }
    println!("\n{}", table.join("\n"));
    if !broken.is_empty() {
        bail!("broken: {}; what broke them lies in fuzz/artifacts", broken.join(", "));
    }
    Ok(())
}

/// The targets' names: those of the folders with what was kept of them.
fn targets(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("fuzz/corpus");
    let folders = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?.flatten();
    let mut names: Vec<String> = folders.filter_map(|folder| folder.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// Builds the program of all targets.
fn build(env: &Env) -> Result<PathBuf> {
    let folder = env.root.join("target/fuzz");
    // What is fuzzed is what is built: the same versions of everything.
    fs::copy(env.root.join("Cargo.lock"), env.root.join("fuzz/Cargo.lock")).context("cannot copy Cargo.lock")?;
    let mut cmd = env.cargo();
    // The project has no unsafe code that a sanitizer could find fault with, and without one the stable compiler will do.
    cmd.args(["fuzz", "build", "--sanitizer", "none", "--strip-dead-code", "--target-dir"]).arg(&folder);
    run(cmd.env("PATH", env.path()?))?;
    let host = output(Command::new("rustc").args(["--print", "host-tuple"])).context("rustc does not say its host")?;
    Ok(folder.join(host).join("release/any"))
}

struct Target<'a> {
    env: &'a Env,
    name: &'a str,
    program: &'a Path,
}

impl Target<'_> {
    /// A folder of this target's.
    fn folder(&self, kind: &str) -> Result<PathBuf> {
        let folder = self.env.root.join("fuzz").join(kind).join(self.name);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }

    fn command(&self) -> Command {
        let mut cmd = Command::new(self.program);
        // Threads would only wait for each other.
        cmd.env("RG_FLOW_TARGET", self.name)
            .env("RAYON_NUM_THREADS", "1")
            .args([format!("-timeout={SLOWEST}"), format!("-rss_limit_mb={MEMORY}")]);
        cmd
    }

    /// Lets it run, and says how it went and whether nothing broke.
    fn run(&self, minutes: f64) -> Result<(String, bool)> {
        let (work, seeds, kept) = (self.folder("work")?, self.folder("work/seeds")?, self.folder("corpus")?);
        let log = self.env.root.join(format!("fuzz/work/{}.log", self.name));
        let mut cmd = self.command();
        cmd.env("RG_FLOW_SEEDS", &seeds)
            .arg(format!("-max_total_time={}", (minutes * 60.0).ceil()))
            .arg(format!("-dict={}", self.env.root.join("fuzz/words.dict").display()))
            .arg(format!("-artifact_prefix={}/", self.folder("artifacts")?.display()))
            .args(["-print_final_stats=1", "-use_value_profile=1"])
            .args([&work, &seeds, &kept])
            .stderr(File::create(&log).with_context(|| format!("cannot write {}", log.display()))?);
        let status = cmd.status().with_context(|| format!("could not start `{}`", shown(&cmd)))?;
        let said = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        Ok((line(self.name, &said, status.success()), status.success()))
    }

    /// Keeps inputs of those that together cover everything, in place of those kept before.
    fn keep(&self) -> Result<()> {
        let (work, seeds, kept) = (self.folder("work")?, self.folder("work/seeds")?, self.folder("corpus")?);
        let merged = self.folder("work/merged")?;
        fs::remove_dir_all(&merged)?;
        fs::create_dir(&merged)?;
        let mut cmd = self.command();
        run(cmd.arg("-merge=1").args([&merged, &seeds, &kept, &work]).stderr(std::process::Stdio::null()))?;
        let mut files = Vec::new();
        for entry in fs::read_dir(&merged)? {
            let entry = entry?;
            files.push((entry.metadata()?.len(), entry.path()));
        }
        files.sort();
        fs::remove_dir_all(&kept)?;
        fs::create_dir(&kept)?;
        for path in within(&files, MOST_KEPT) {
            fs::copy(path, kept.join(path.file_name().unwrap_or_default()))?;
        }
        Ok(())
    }
}

/// Files of a list that is sorted by size: so many, from the smallest to the largest alike, but for the largest that are too
/// many bytes.
fn within(files: &[(u64, PathBuf)], (most, bytes): (usize, u64)) -> Vec<&Path> {
    let count = files.len().min(most);
    let place = |i: usize| i * files.len().saturating_sub(1) / count.saturating_sub(1).max(1);
    let mut sum = 0;
    let fits = |(size, _): &&(u64, PathBuf)| {
        sum += size;
        sum <= bytes
    };
    (0..count).map(|i| &files[place(i)]).take_while(fits).map(|(_, path)| path.as_path()).collect()
}

/// What libFuzzer's statistics say.
fn line(name: &str, said: &str, passed: bool) -> String {
    let stat = |key: &str| {
        let found = said.lines().rev().find_map(|line| line.strip_prefix(&format!("stat::{key}:")));
        found.map_or("?", str::trim)
    };
    let (executions, slowest, memory) =
        (stat("number_of_executed_units"), stat("slowest_unit_time_sec"), stat("peak_rss_mb"));
    let end = if passed { "" } else { "  BROKEN" };
    format!("{name:<10} {executions:>10} executions, slowest {slowest} s, {memory} MB{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statistics_are_read() {
        let said =
            "#9 DONE\nstat::number_of_executed_units: 812\nstat::slowest_unit_time_sec:   1\nstat::peak_rss_mb: 95\n";
        assert_eq!(line("own", said, true), "own               812 executions, slowest 1 s, 95 MB");
        assert!(line("own", "", false).ends_with("BROKEN"));
    }

    #[test]
    fn inputs_of_every_size_are_kept_up_to_a_bound() {
        let files: Vec<(u64, PathBuf)> = [10, 20, 30].map(|size| (size, size.to_string().into())).to_vec();
        assert_eq!(within(&files, (9, 59)), [Path::new("10"), Path::new("20")]);
        assert_eq!(within(&files, (1, 99)), [Path::new("10")]);
        assert_eq!(within(&files, (2, 99)), [Path::new("10"), Path::new("30")]);
        assert!(within(&[], (2, 99)).is_empty());
    }

    #[test]
    fn the_targets_are_found() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        assert!(targets(root).unwrap().contains(&"weights".to_owned()));
    }
}
