//! `cargo xtask bench`: every benchmark in one run, and docs/benchmarks.md made of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::env::Env;
use crate::process::{on_path, run};

/// Measures, with PyTorch as a peer where Python is there, and writes the tables.
pub fn bench(env: &Env, peers: bool) -> Result<()> {
    let target = env.root.join("target/bench");
    let cargo = |words: &[&str]| {
        let mut cmd = env.cargo();
        cmd.args(words).env("CARGO_TARGET_DIR", &target);
        cmd
    };
    run(&mut cargo(&["bench", "--manifest-path", "bench/Cargo.toml"]))?;
    let measured = target.join("criterion");
    let mut table =
        cargo(&["run", "--release", "--quiet", "--manifest-path", "bench/Cargo.toml", "--bin", "table", "--"]);
    table.args([&measured, Path::new("docs/benchmarks.md")]);
    if peers {
        table.arg(torch(env, &target)?);
    }
    run(&mut table)
}

/// PyTorch's rates, in a file; PyTorch is fetched for it, into a folder of its own.
fn torch(env: &Env, target: &Path) -> Result<PathBuf> {
    let python = on_path("python3").context("no python3: use `cargo xtask bench --no-peers`")?;
    let (venv, out) = (target.join("python"), target.join("torch.json"));
    let inside = venv.join("bin/python");
    if !inside.is_file() {
        run(Command::new(python).args(["-m", "venv"]).arg(&venv))?;
    }
    let script = |name: &str| env.root.join("bench/peers").join(name);
    run(Command::new(&inside).args(["-m", "pip", "install", "--quiet", "-r"]).arg(script("requirements.txt")))?;
    run(Command::new(&inside).arg(script("torch_bench.py")).arg("--out").arg(&out))?;
    Ok(out)
}
