//! `wasm-opt`, from npm's `binaryen`.

use std::process::Command;

use anyhow::{Result, bail};

use super::{Outcome, npm};
use crate::env::Env;
use crate::process::output;
use crate::versions;

fn is_there(env: &Env) -> Option<String> {
    let program = env.find("wasm-opt")?;
    // "wasm-opt version 132 (version_132)"
    let shown = output(Command::new(&program).arg("--version"))?;
    let version = shown.split_whitespace().nth(2)?.to_owned();
    (versions::BINARYEN.split('.').next() == Some(&version)).then(|| format!("{version}, {}", program.display()))
}

pub(super) fn ensure(env: &Env) -> Result<Outcome> {
    if let Some(found) = is_there(env) {
        return Ok(Outcome::There(found));
    }
    npm::install(&env.npm_root(), "binaryen", versions::BINARYEN)?;
    match is_there(env) {
        Some(found) => Ok(Outcome::Installed(found)),
        None => bail!("npm installed binaryen, but wasm-opt does not run: is Node.js 18 or newer there?"),
    }
}
