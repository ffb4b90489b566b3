//! Tools that cargo installs, each version into a folder of its own in the cache.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Outcome;
use crate::env::Env;
use crate::process::{output, run};

/// A program that `cargo install` builds.
#[derive(Debug)]
pub struct CargoTool {
    /// The package's name.
    pub package: &'static str,
    /// The program's name.
    pub program: &'static str,
    /// More arguments for `cargo install`.
    pub args: &'static [&'static str],
}

/// Writes the JavaScript beside a wasm module, and runs wasm tests.
pub const WASM_BINDGEN: CargoTool = CargoTool {
    package: "wasm-bindgen-cli",
    program: "wasm-bindgen",
    args: &[],
};

/// Builds the page.
pub const TRUNK: CargoTool = CargoTool {
    package: "trunk",
    program: "trunk",
    // Without its update check and its OpenSSL: half the time to build.
    args: &["--no-default-features", "--features", "rustls"],
};

/// Checks licences and advisories.
pub const CARGO_DENY: CargoTool = CargoTool {
    package: "cargo-deny",
    program: "cargo-deny",
    args: &[],
};

/// The program in the right version, if it is in the cache or on `PATH`.
pub fn is_there(env: &Env, tool: &CargoTool, version: &str) -> Option<String> {
    let program = env.find(tool.program)?;
    let shown = output(Command::new(&program).arg("--version"))?;
    (shown.split_whitespace().nth(1) == Some(version))
        .then(|| format!("{version}, {}", program.display()))
}

/// Installs the tool unless the right version is there.
pub fn ensure(env: &Env, tool: &CargoTool, version: &str) -> Result<Outcome> {
    if let Some(found) = is_there(env, tool, version) {
        return Ok(Outcome::There(found));
    }
    println!(
        "setup: cargo install {} {version} (minutes, once per machine)",
        tool.package
    );
    let target = env.cache.join(format!("build-{}", tool.package));
    let mut cmd = Command::new("cargo");
    cmd.args([
        "install",
        tool.package,
        "--version",
        version,
        "--locked",
        "--force",
        "--quiet",
    ])
    .args(tool.args)
    .arg("--root")
    .arg(env.tool_root(tool.package, version))
    .arg("--target-dir")
    .arg(&target)
    // Not in the project's folder: its flags are not meant for tools.
    .current_dir(&env.cache);
    build_quickly(&mut cmd);
    run(&mut cmd)?;
    remove(&target)?;
    match is_there(env, tool, version) {
        Some(found) => Ok(Outcome::Installed(found)),
        None => bail!(
            "{} {version} was installed, but `{} --version` does not say so",
            tool.package,
            tool.program
        ),
    }
}

/// A tool that runs for seconds is not worth minutes of optimisation.
fn build_quickly(cmd: &mut Command) {
    cmd.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
        .env("CARGO_PROFILE_RELEASE_STRIP", "symbols");
}

fn remove(dir: &Path) -> Result<()> {
    if dir.exists() {
        std::fs::remove_dir_all(dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    }
    Ok(())
}
