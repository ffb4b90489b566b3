//! `cargo xtask bench` and `bench-gpu`: every benchmark in one run, and a document made of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::env::Env;
use crate::page;
use crate::process::{on_path, run};
use crate::setup::{Needs, browser, npm, setup};
use crate::versions::ONNX_RUNTIME_WEB;

/// The weights that the browser's engines are timed with, as bench/peers/browser/engine.mjs names them.
const MODEL: &str = "web/models/faces32.safetensors";

/// Measures and writes docs/benchmarks.md: the CPU alone, or with peers the browser too, and what they are beside.
pub fn bench(env: &Env, peers: bool) -> Result<()> {
    let bench = Bench::new(env);
    // Before anything is measured: what is built or fetched meanwhile would be measured too.
    let peers = if peers {
        setup(env, Needs::PageAndBrowser)?;
        page::build(env, page::Build::Small)?;
        let peers = Peers::fetch(env, &bench.target)?;
        npm::install(&peers.runtime(), "onnxruntime-web", ONNX_RUNTIME_WEB)?;
        Some(peers)
    } else {
        None
    };
    run(&mut bench.cargo(&["bench"], &[]))?;
    let mut table = bench.cargo(&["run", "--release", "--quiet"], &["--bin", "table", "--"]);
    table.args([&bench.target.join("criterion"), Path::new("docs/benchmarks.md")]);
    if let Some(peers) = peers {
        table.arg(peers.torch(&[])?).arg(peers.browser()?);
    }
    run(&mut table)
}

/// The architectures that training is timed with on a card.
const ON_A_CARD: [&str; 3] = ["official_celeba32", "demo", "bench"];

/// Measures training on a CUDA card, PyTorch beside it, and writes docs/benchmarks-gpu.md. bench/card.sh does so on a
/// machine that has no Rust.
pub fn bench_gpu(env: &Env, peers: bool) -> Result<()> {
    let bench = Bench::new(env);
    let peers = if peers { Some(Peers::fetch(env, &bench.target)?) } else { None };
    let ours = bench.target.join("gpu.json");
    std::fs::create_dir_all(&bench.target).with_context(|| format!("cannot make {}", bench.target.display()))?;
    std::fs::write(&ours, "{}").with_context(|| format!("cannot write {}", ours.display()))?;
    for preset in ON_A_CARD {
        // A process each: memory of the card that a process had once it keeps.
        let mut cmd = env.cargo();
        cmd.args(["run", "--release", "--package", "trainer", "--", "bench", preset, "--only", "train"]);
        run(cmd.args(["--device", "cuda", "--seconds", "20", "--out"]).arg(&ours))?;
    }
    let mut table = bench.cargo(&["run", "--release", "--quiet"], &["--bin", "table", "--", "--gpu"]);
    table.args([&ours, Path::new("docs/benchmarks-gpu.md")]);
    if let Some(peers) = peers {
        let mut words = ON_A_CARD.to_vec();
        words.extend(["--device", "cuda", "--groups", "train", "--compile"]);
        table.arg(peers.torch(&words)?);
    }
    run(&mut table)
}

/// The benchmarks' own workspace.
struct Bench<'a> {
    env: &'a Env,
    target: PathBuf,
}

impl<'a> Bench<'a> {
    fn new(env: &'a Env) -> Self {
        Self { env, target: env.root.join("target/bench") }
    }

    fn cargo(&self, before: &[&str], after: &[&str]) -> Command {
        let mut cmd = self.env.cargo();
        cmd.args(before)
            .args(["--manifest-path", "bench/Cargo.toml"])
            .args(after)
            .env("CARGO_TARGET_DIR", &self.target);
        cmd
    }
}

/// What our speed is compared with: fetched at bench time only, into the benchmarks' folder.
struct Peers<'a> {
    env: &'a Env,
    target: &'a Path,
}

impl<'a> Peers<'a> {
    fn fetch(env: &'a Env, target: &'a Path) -> Result<Self> {
        let python = on_path("python3").context("no python3: add --no-peers to do without")?;
        let peers = Self { env, target };
        if !target.join("python/bin/python").is_file() {
            run(Command::new(python).args(["-m", "venv"]).arg(target.join("python")))?;
        }
        run(peers.python().args(["-m", "pip", "install", "--quiet", "-r"]).arg(peers.file("requirements.txt")))?;
        Ok(peers)
    }

    fn python(&self) -> Command {
        let mut cmd = Command::new(self.target.join("python/bin/python"));
        // Nothing is left beside the scripts.
        cmd.env("PYTHONDONTWRITEBYTECODE", "1");
        cmd
    }

    fn file(&self, name: &str) -> PathBuf {
        self.env.root.join("bench/peers").join(name)
    }

    /// Where ONNX Runtime Web is.
    fn runtime(&self) -> PathBuf {
        self.target.join("onnxruntime-web")
    }

    /// PyTorch's rates, in a file.
    fn torch(&self, words: &[&str]) -> Result<PathBuf> {
        let out = self.target.join("torch.json");
        run(self.python().arg(self.file("torch_bench.py")).args(words).arg("--out").arg(&out))?;
        Ok(out)
    }

    /// What the built page costs, and its engine beside ONNX Runtime Web, in a file.
    fn browser(&self) -> Result<PathBuf> {
        let found = browser::find().context("no Chromium or no chromedriver: run `cargo xtask setup`")?;
        let out = self.target.join("browser.json");
        let mut race = self.python();
        race.arg(self.file("browser/run.py"));
        for batch in ["1", "16"] {
            let onnx = self.target.join(format!("{batch}.onnx"));
            let export = [&self.file("export_onnx.py"), &self.env.root.join(MODEL), &onnx];
            run(self.python().args(export).args(["--batch", batch]))?;
            race.arg(onnx);
        }
        race.arg("--ort").arg(self.runtime().join("node_modules/onnxruntime-web/dist")).arg("--out").arg(&out);
        run(race.env("CHROME", found.chrome).env("CHROMEDRIVER", found.driver))?;
        Ok(out)
    }
}
