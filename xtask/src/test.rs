//! `cargo xtask test`: everything that must hold before a change is taken, in one command.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::env::Env;
use crate::process::run;
use crate::setup::{Needs, browser, setup};
use crate::versions::WASM_TARGET;
use crate::{budget, deny, licences, page, python};

/// What to run.
#[derive(Debug, Default)]
pub struct Options {
    /// Leave out what needs a browser.
    pub skip_browser: bool,
    /// Run this step alone.
    pub only: Option<String>,
}

/// How a step that did not fail ended.
enum Done {
    Passed,
    Skipped(String),
}

struct Step {
    name: &'static str,
    browser: bool,
    run: fn(&Env) -> Result<Done>,
}

/// Run only when asked for by name: they fetch much or take minutes.
const ON_REQUEST: &[Step] =
    &[Step { name: "python", browser: false, run: in_python }, Step { name: "kills", browser: false, run: kills }];

/// The cheap ones first, so that a slip shows early.
const STEPS: &[Step] = &[
    Step { name: "fmt", browser: false, run: fmt },
    Step { name: "clippy", browser: false, run: clippy },
    Step { name: "doc", browser: false, run: doc },
    Step { name: "native", browser: false, run: native },
    Step { name: "events", browser: false, run: events },
    Step { name: "wasm", browser: true, run: wasm },
    Step { name: "page", browser: false, run: build_page },
    Step { name: "browser", browser: true, run: in_browser },
    Step { name: "licences", browser: false, run: told_licences },
    Step { name: "deny", browser: false, run: denied },
];

/// Runs the steps until one fails, and ends with a table of them.
pub fn test(env: &Env, options: &Options) -> Result<()> {
    let steps = chosen(options)?;
    let start = Instant::now();
    let mut table = Vec::new();
    // What runs on request alone needs neither the page nor a browser.
    if steps.iter().any(|step| usual_names().any(|name| name == step.name)) {
        setup(env, if options.skip_browser { Needs::Page } else { Needs::PageAndBrowser })?;
        table.push(line("setup", start.elapsed(), "passed"));
    }
    let mut failed = None;
    for step in steps {
        println!("\n== {}", step.name);
        let start = Instant::now();
        let (result, end) = match (step.run)(env) {
            Ok(Done::Passed) => (None, "passed".to_owned()),
            Ok(Done::Skipped(why)) => (None, format!("SKIPPED: {why}")),
            Err(err) => (Some(err), "FAILED".to_owned()),
        };
        table.push(line(step.name, start.elapsed(), &end));
        if let Some(err) = result {
            failed = Some((step.name, err));
            break;
        }
    }
    println!("\n{}\n{}", table.join("\n"), line("total", start.elapsed(), ""));
    match failed {
        None => Ok(()),
        Some((name, err)) => {
            Err(err.context(format!("step {name} failed: repeat it with `cargo xtask test --only {name}`")))
        }
    }
}

fn line(name: &str, time: Duration, end: &str) -> String {
    format!("{name:<8} {:>8.1} s  {end}", time.as_secs_f64()).trim_end().to_owned()
}

fn chosen(options: &Options) -> Result<Vec<&'static Step>> {
    let Some(only) = &options.only else {
        return Ok(STEPS.iter().filter(|step| !(step.browser && options.skip_browser)).collect());
    };
    let names = || step_names().collect::<Vec<_>>().join(", ");
    let step = STEPS.iter().chain(ON_REQUEST).find(|step| step.name == only);
    Ok(vec![step.with_context(|| format!("no step is called {only}: there are {}", names()))?])
}

fn passed(cmd: &mut Command) -> Result<Done> {
    run(cmd).map(|()| Done::Passed)
}

fn fmt(env: &Env) -> Result<Done> {
    passed(env.cargo().args(["fmt", "--all", "--check"]))
}

/// The trainer's devices that its default build leaves out.
const ALL_DEVICES: [&str; 2] = ["--features", "trainer/wgpu,trainer/candle"];

fn clippy(env: &Env) -> Result<Done> {
    passed(
        env.cargo().args(["clippy", "--workspace", "--all-targets"]).args(ALL_DEVICES).args(["--", "-D", "warnings"]),
    )
}

fn doc(env: &Env) -> Result<Done> {
    passed(env.cargo().args(["doc", "--workspace", "--no-deps"]).args(ALL_DEVICES).env("RUSTDOCFLAGS", "-D warnings"))
}

/// Tests without the native GPU backends, which no test runs: they are a fifth of the crates, and slow to compile. Clippy
/// has checked them, and the browser runs the GPU's kernel.
pub(crate) const ON_CPU: [&str; 5] = ["test", "--workspace", "--no-default-features", "--features", "trainer/candle"];

fn native(env: &Env) -> Result<Done> {
    passed(env.cargo().args(ON_CPU))
}

/// TensorBoard's own reader on a run's event files, where Python has it.
fn events(env: &Env) -> Result<Done> {
    let found = Command::new("python3").args(["-c", "import tensorboard"]).output();
    if !found.is_ok_and(|output| output.status.success()) {
        return Ok(Done::Skipped("Python has no tensorboard; `pip install tensorboard` installs it".to_owned()));
    }
    passed(env.cargo().args(ON_CPU).args(["--test", "integration", "--", "--ignored", "tensorboard_reads"]))
}

/// The packages with tests for wasm, in files called `tests/wasm*.rs`.
const WASM_PACKAGES: [&str; 2] = ["shared", "web"];

fn wasm(env: &Env) -> Result<Done> {
    let browser = browser::find().context("no Chromium or no chromedriver: run `cargo xtask setup`")?;
    let mut done = Done::Skipped("no tests/wasm*.rs".into());
    for package in WASM_PACKAGES {
        for name in wasm_tests(&env.root.join(package)) {
            let mut cmd = env.cargo();
            env.wasm_env(&mut cmd)?;
            // Without WebGPU, which takes minutes to build; the browser tests load the very bundle that has it.
            cmd.args(["test", "--package", package, "--no-default-features", "--target", WASM_TARGET, "--test", &name])
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", "wasm-bindgen-test-runner")
                .env("CHROMEDRIVER", &browser.driver)
                // Seconds: two cores run a model's tests under a debug build slowly.
                .env("WASM_BINDGEN_TEST_TIMEOUT", "300");
            done = passed(&mut cmd)?;
        }
    }
    Ok(done)
}

/// The names of a package's tests for wasm, in order.
fn wasm_tests(package: &Path) -> Vec<String> {
    let files = std::fs::read_dir(package.join("tests")).into_iter().flatten().flatten();
    let mut names: Vec<String> = files
        .filter_map(|file| file.file_name().to_str()?.strip_suffix(".rs").map(str::to_owned))
        .filter(|name| name.starts_with("wasm"))
        .collect();
    names.sort();
    names
}

fn build_page(env: &Env) -> Result<Done> {
    page::build(env, page::Build::Small)?;
    budget::check(env).map(|()| Done::Passed)
}

fn in_browser(env: &Env) -> Result<Done> {
    browser_tests(env, "").map(|()| Done::Passed)
}

/// Runs the browser's tests with `filter` in their names; the page must be in `dist/`.
pub fn browser_tests(env: &Env, filter: &str) -> Result<()> {
    let browser = browser::find().context("no Chromium or no chromedriver: run `cargo xtask setup`")?;
    let mut cmd = env.cargo();
    // Built as the native tests were. Two tests at a time: each starts a browser, whose programs fill about one core; on two
    // cores more of them would wait longer than they have patience for.
    cmd.args(ON_CPU)
        .args(["--test", "browser", "--", "--include-ignored", "--test-threads=2", filter])
        .env("CHROME", &browser.chrome)
        .env("CHROMEDRIVER", &browser.driver);
    run(&mut cmd)
}

/// The lists of licences tell of every package.
fn told_licences(env: &Env) -> Result<Done> {
    licences::check(env).map(|()| Done::Passed)
}

fn denied(env: &Env) -> Result<Done> {
    if !deny::available(env) {
        return Ok(Done::Skipped("cargo-deny is not here; `cargo xtask deny` installs it".into()));
    }
    deny::check(env).map(|()| Done::Passed)
}

/// The reader in Python against the library, and checkpoints as PyTorch writes them.
fn in_python(env: &Env) -> Result<Done> {
    let python = match python::with_torch(env) {
        Ok(python) => python,
        Err(why) => return Ok(Done::Skipped(why)),
    };
    let mut cmd = env.cargo();
    cmd.args(ON_CPU).args(["--test", "integration", "--", "--ignored", "--nocapture", "python::"]);
    passed(cmd.env("RG_FLOW_PYTHON", python))
}

/// A run that is killed a hundred times.
fn kills(env: &Env) -> Result<Done> {
    passed(env.cargo().args(ON_CPU).args([
        "--test",
        "integration",
        "--",
        "--ignored",
        "--nocapture",
        "killed_at_random",
    ]))
}

fn usual_names() -> impl Iterator<Item = &'static str> {
    STEPS.iter().map(|step| step.name)
}

/// The names that `--only` takes.
pub fn step_names() -> impl Iterator<Item = &'static str> {
    usual_names().chain(ON_REQUEST.iter().map(|step| step.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(options: &Options) -> Vec<&'static str> {
        chosen(options).unwrap().iter().map(|step| step.name).collect()
    }

    #[test]
    fn options_choose_steps() {
        assert_eq!(names(&Options::default()), usual_names().collect::<Vec<_>>());
        let without = names(&Options { skip_browser: true, only: None });
        assert!(without.contains(&"native") && without.contains(&"page"), "{without:?}");
        assert!(!without.contains(&"browser") && !without.contains(&"wasm"), "{without:?}");
        let only = |name: &str| Options { skip_browser: false, only: Some(name.into()) };
        assert_eq!(names(&only("doc")), ["doc"]);
        assert_eq!(names(&only("python")), ["python"]);
        assert!(!names(&Options::default()).contains(&"python"));
        let Err(err) = chosen(&only("docs")) else { panic!("there is no step docs") };
        assert!(err.to_string().contains("clippy"), "{err}");
    }

    #[test]
    fn the_page_is_built_before_the_browser_loads_it() {
        let at = |name| step_names().position(|step| step == name).unwrap();
        assert!(at("page") < at("browser"));
    }

    #[test]
    fn wasm_tests_are_found_by_their_names() {
        let dir = tempfile::tempdir().unwrap();
        assert!(wasm_tests(dir.path()).is_empty());
        std::fs::create_dir(dir.path().join("tests")).unwrap();
        for name in ["wasm_b.rs", "wasm.rs", "native.rs", "wasm.txt"] {
            std::fs::write(dir.path().join("tests").join(name), "").unwrap();
        }
        assert_eq!(wasm_tests(dir.path()), ["wasm", "wasm_b"]);
    }
}
