//! `cargo xtask coverage`: which lines the native tests run.

use anyhow::{Context, Result};

use crate::env::Env;
use crate::process::run;
use crate::setup::cargo_tool::{CARGO_LLVM_COV, ensure};
use crate::test::ON_CPU;
use crate::versions;

/// Runs the native tests with counters, and prints a table of the files of shared/ and trainer/.
///
/// # Errors
/// A test that fails, or a compiler without its `llvm-tools`.
pub fn coverage(env: &Env) -> Result<()> {
    std::fs::create_dir_all(&env.cache)?;
    ensure(env, &CARGO_LLVM_COV, versions::CARGO_LLVM_COV)?;
    let mut cmd = env.cargo();
    cmd.args(["llvm-cov", "test"])
        .args(&ON_CPU[1..])
        .args(["--ignore-filename-regex", "(web|xtask|hostile)/"])
        .env("CARGO_TARGET_DIR", env.root.join("target/coverage"))
        .env("PATH", env.path()?);
    run(&mut cmd).context("if it lacks llvm-tools, `rustup component add llvm-tools` installs them")
}
