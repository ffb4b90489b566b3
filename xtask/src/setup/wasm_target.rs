//! A compiler for `wasm32-unknown-unknown`.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Outcome, apt, debian};
use crate::env::{Env, WasmToolchain, wanted_toolchain};
use crate::process::{on_path, run_within};
use crate::versions::WASM_TARGET;

/// A download of 20 MB; where rustup reaches nothing it would try for longer than anyone waits.
const RUSTUP_LIMIT: Duration = Duration::from_secs(120);

pub(super) fn ensure(env: &Env) -> Result<Outcome> {
    if let Some(toolchain) = env.wasm_toolchain() {
        return Ok(Outcome::There(described(toolchain)));
    }
    if wanted_toolchain() != Some(WasmToolchain::Debian) && on_path("rustup").is_some() {
        println!("setup: rustup target add {WASM_TARGET}");
        let mut cmd = Command::new("rustup");
        cmd.args(["target", "add", WASM_TARGET]).current_dir(&env.root);
        if let Err(err) = run_within(&mut cmd, RUSTUP_LIMIT) {
            println!("setup: {err:#}");
        }
    }
    if env.wasm_toolchain().is_none() {
        if wanted_toolchain() == Some(WasmToolchain::Default) || !apt::available() {
            bail!("run `rustup target add {WASM_TARGET}` where rustup has a network");
        }
        println!(
            "setup: building the standard library for {WASM_TARGET} from Debian's sources (about 2 minutes on two cores)"
        );
        debian::build(env)?;
    }
    let toolchain = env.wasm_toolchain().context("the new compiler has no standard library for wasm")?;
    Ok(Outcome::Installed(described(toolchain)))
}

fn described(toolchain: WasmToolchain) -> String {
    match toolchain {
        WasmToolchain::Default => format!("{WASM_TARGET} of the default toolchain"),
        WasmToolchain::Debian => format!("{WASM_TARGET} of Debian's compiler"),
    }
}
