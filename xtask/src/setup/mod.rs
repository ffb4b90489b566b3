//! `cargo xtask setup`: whatever building and testing the page needs, once per machine.

pub mod apt;
mod axe;
pub mod browser;
pub mod cargo_tool;
pub mod debian;
pub mod npm;
mod wasm_opt;
mod wasm_target;

use std::fs::File;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::env::Env;
use crate::process::run_long;
use crate::versions;

/// How a step ended.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing to do: what was found.
    There(String),
    /// What was installed.
    Installed(String),
}

/// What the caller is going to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Build the page.
    Page,
    /// Build it and test it in a browser.
    PageAndBrowser,
}

/// Makes sure of everything in `needs`, and says what it does and how long it takes.
pub fn setup(env: &Env, needs: Needs) -> Result<()> {
    let start = Instant::now();
    std::fs::create_dir_all(&env.cache)
        .with_context(|| format!("cannot make {}: set RG_FLOW_TOOLS to a folder of yours", env.cache.display()))?;
    let _lock = lock(env)?;
    step("wasm target", || wasm_target::ensure(env))?;
    step("wasm-opt", || wasm_opt::ensure(env))?;
    if needs == Needs::PageAndBrowser {
        step("Chromium", browser::ensure)?;
        step("axe-core", || axe::ensure(env))?;
    }
    step("wasm-bindgen", || {
        cargo_tool::ensure(env, &cargo_tool::WASM_BINDGEN, &env.wasm_bindgen).with_context(|| {
            let (locked, known) = (&env.wasm_bindgen, versions::WASM_BINDGEN);
            format!("Cargo.lock asks for {locked}; {known} is known to install: pin `wasm-bindgen = \"={known}\"`")
        })
    })?;
    step("trunk", || cargo_tool::ensure(env, &cargo_tool::TRUNK, versions::TRUNK))?;
    println!("setup: ready after {:.1} s, tools in {}", start.elapsed().as_secs_f64(), env.cache.display());
    Ok(())
}

/// Two set-ups at once would build the same things into the same folders.
fn lock(env: &Env) -> Result<File> {
    let path = env.cache.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    if file.try_lock().is_err() {
        println!("setup: waiting for another set-up on this machine ({})", path.display());
        file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    }
    Ok(file)
}

/// Runs a build that prints nothing for minutes, and says now and then that it goes on.
fn run_aloud(cmd: &mut Command, what: &str) -> Result<()> {
    run_long(cmd, Duration::from_secs(30), |passed| {
        println!("setup: still building {what}, {} s so far", passed.as_secs());
    })
}

fn step(name: &str, run: impl FnOnce() -> Result<Outcome>) -> Result<()> {
    let start = Instant::now();
    let outcome = run().with_context(|| format!("set-up of {name} failed"))?;
    let seconds = start.elapsed().as_secs_f64();
    match outcome {
        Outcome::There(what) => println!("setup: {name:<13} there      {seconds:>6.1} s  {what}"),
        Outcome::Installed(what) => {
            println!("setup: {name:<13} installed  {seconds:>6.1} s  {what}")
        }
    }
    Ok(())
}
