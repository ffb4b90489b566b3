//! Tools that cargo installs, each version into a folder of its own in the cache.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{Outcome, run_aloud};
use crate::env::Env;
use crate::process::{on_path, output, run};

/// A program that `cargo install` builds.
#[derive(Debug)]
pub struct CargoTool {
    /// The package's name.
    pub package: &'static str,
    /// The program's name.
    pub program: &'static str,
    /// How it is asked for its version: some are cargo's commands, and no others.
    pub asked: &'static [&'static str],
    /// More arguments for `cargo install`.
    pub args: &'static [&'static str],
    /// How long building it takes on two cores.
    pub usually: &'static str,
}

const VERSION: &[&str] = &["--version"];

/// Writes the JavaScript beside a wasm module, and runs wasm tests.
pub const WASM_BINDGEN: CargoTool =
    CargoTool { package: "wasm-bindgen-cli", program: "wasm-bindgen", asked: VERSION, args: &[], usually: "1 minute" };

/// Builds the page.
pub const TRUNK: CargoTool = CargoTool {
    package: "trunk",
    program: "trunk",
    asked: VERSION,
    // Without its update check and its OpenSSL: half the time to build.
    args: &["--no-default-features", "--features", "rustls"],
    usually: "3 minutes",
};

/// Checks licences and advisories.
pub const CARGO_DENY: CargoTool =
    CargoTool { package: "cargo-deny", program: "cargo-deny", asked: VERSION, args: &[], usually: "5 minutes" };

/// Counts the lines that tests run.
pub const CARGO_LLVM_COV: CargoTool = CargoTool {
    package: "cargo-llvm-cov",
    program: "cargo-llvm-cov",
    asked: &["llvm-cov", "--version"],
    args: &[],
    usually: "1 minute",
};

/// Builds programs for libFuzzer.
pub const CARGO_FUZZ: CargoTool =
    CargoTool { package: "cargo-fuzz", program: "cargo-fuzz", asked: VERSION, args: &[], usually: "1 minute" };

/// The program in the right version, if it is in the cache or on `PATH`.
pub fn is_there(env: &Env, tool: &CargoTool, version: &str) -> Option<String> {
    let program = env.find(tool.program)?;
    let shown = output(Command::new(&program).args(tool.asked))?;
    (shown.split_whitespace().nth(1) == Some(version)).then(|| format!("{version}, {}", program.display()))
}

/// Installs the tool unless the right version is there: its authors' program where cargo-binstall is at hand and finds
/// one, else built here.
///
/// # Errors
/// A build that fails, or gives another version.
pub fn ensure(env: &Env, tool: &CargoTool, version: &str) -> Result<Outcome> {
    if let Some(found) = is_there(env, tool, version) {
        return Ok(Outcome::There(found));
    }
    let fetched = on_path("cargo-binstall").is_some_and(|program| fetch(&program, env, tool, version).is_ok());
    if !fetched {
        build(env, tool, version)?;
    }
    match is_there(env, tool, version) {
        Some(found) => Ok(Outcome::Installed(found)),
        None => bail!(
            "{} {version} was installed, but `{} {}` does not say so",
            tool.package,
            tool.program,
            tool.asked.join(" ")
        ),
    }
}

fn fetch(binstall: &Path, env: &Env, tool: &CargoTool, version: &str) -> Result<()> {
    println!("setup: cargo binstall {} {version}", tool.package);
    let fetched = run(&mut binstall_command(binstall, env, tool, version));
    if fetched.is_err() {
        println!("setup: cargo-binstall has no {} for this machine; building it", tool.package);
    }
    fetched
}

fn binstall_command(binstall: &Path, env: &Env, tool: &CargoTool, version: &str) -> Command {
    let mut cmd = Command::new(binstall);
    // Where there is no program to fetch we build it, faster than with its own release profile.
    cmd.args(["--no-confirm", "--locked", "--disable-strategies", "compile", "--root"])
        .arg(env.tool_root(tool.package, version))
        .arg(format!("{}@{version}", tool.package))
        .current_dir(&env.cache);
    cmd
}

fn build(env: &Env, tool: &CargoTool, version: &str) -> Result<()> {
    println!("setup: cargo install {} {version} (about {} on two cores, once per machine)", tool.package, tool.usually);
    let target = env.cache.join(format!("build-{}", tool.package));
    let mut cmd = Command::new("cargo");
    cmd.args(["install", tool.package, "--version", version, "--locked", "--force", "--quiet"])
        .args(tool.args)
        .arg("--root")
        .arg(env.tool_root(tool.package, version))
        .arg("--target-dir")
        .arg(&target)
        // Not in the project's folder: its flags are not meant for tools.
        .current_dir(&env.cache);
    build_quickly(&mut cmd);
    run_aloud(&mut cmd, tool.package)?;
    remove(&target)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::shown;

    #[test]
    fn a_fetched_tool_goes_where_a_built_one_would() {
        let env = Env { root: "/p".into(), cache: "/c".into(), wasm_bindgen: "0.2.1".into() };
        let cmd = binstall_command(Path::new("/b/cargo-binstall"), &env, &TRUNK, "0.21.14");
        assert_eq!(
            shown(&cmd),
            "/b/cargo-binstall --no-confirm --locked --disable-strategies compile --root /c/trunk-0.21.14 trunk@0.21.14"
        );
        assert!(env.tool_root("trunk", "0.21.14").starts_with("/c"));
    }
}
