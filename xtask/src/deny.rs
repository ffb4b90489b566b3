//! `cargo xtask deny`: the licences of what the project is built from, and known faults in it.

use std::process::Command;

use anyhow::Result;

use crate::env::Env;
use crate::process::{output, run};
use crate::setup::cargo_tool::{CARGO_DENY, ensure, is_there};
use crate::versions;

/// Whether cargo-deny is installed.
pub fn available(env: &Env) -> bool {
    is_there(env, &CARGO_DENY, versions::CARGO_DENY).is_some()
}

/// Checks licences, bans and sources, and advisories where their database can be had; installs cargo-deny first.
pub fn deny(env: &Env) -> Result<()> {
    std::fs::create_dir_all(&env.cache)?;
    ensure(env, &CARGO_DENY, versions::CARGO_DENY)?;
    check(env)
}

/// As [`deny`], with cargo-deny already there.
pub fn check(env: &Env) -> Result<()> {
    run(cargo_deny(env)?.args(["check", "licenses", "bans", "sources"]))?;
    let fetched = output(cargo_deny(env)?.args(["fetch", "db"])).is_some();
    if fetched {
        run(cargo_deny(env)?.args(["--offline", "check", "advisories"]))
    } else {
        println!("deny: the advisory database is out of reach: known faults were NOT looked for");
        Ok(())
    }
}

fn cargo_deny(env: &Env) -> Result<Command> {
    let mut cmd = Command::new(env.find("cargo-deny").unwrap_or_else(|| "cargo-deny".into()));
    cmd.current_dir(&env.root).env("PATH", env.path()?);
    Ok(cmd)
}
