//! A compiler for wasm where rustup cannot fetch one: Debian's `rustc-web` and a standard library built from
//! Debian's sources of the same version, linked as a rustup toolchain. Cargo and the linker are rustup's.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{apt, run_aloud};
use crate::env::{Env, crate_sources};
use crate::process::{output, run};
use crate::versions::{DEBIAN_TOOLCHAIN, WASM_TARGET};

const RUSTC: &str = "/usr/bin/rustc";
/// Raised when what this file builds changes, so that it is built again.
const RECIPE: u32 = 2;

struct Layout {
    sysroot: PathBuf,
    stamp: PathBuf,
    source: PathBuf,
    target: PathBuf,
}

impl Layout {
    fn new(env: &Env) -> Self {
        let root = env.debian_root();
        Self {
            sysroot: root.join("sysroot"),
            stamp: root.join("stamp"),
            source: root.join("library"),
            target: root.join("target"),
        }
    }
}

/// What the built library fits: the compiler, to its last byte of description, and this recipe.
fn fingerprint() -> Option<String> {
    let described = output(Command::new(RUSTC).arg("-vV"))?;
    Some(format!("{described}\nrecipe: {RECIPE}\n"))
}

/// Whether the toolchain is there and fits the compiler.
pub fn is_current(env: &Env) -> bool {
    let layout = Layout::new(env);
    let linked = output(Command::new("rustup").args(["toolchain", "list"]))
        .is_some_and(|list| list.lines().any(|line| line.split_whitespace().next() == Some(DEBIAN_TOOLCHAIN)));
    linked && std::fs::read_to_string(&layout.stamp).ok().is_some_and(|stamp| Some(stamp) == fingerprint())
}

/// Installs the packages, builds the library and links the toolchain.
pub fn build(env: &Env) -> Result<()> {
    apt::ensure(&["rustc-web", "rust-web-src"], "building for the browser")?;
    let fingerprint = fingerprint().with_context(|| format!("{RUSTC} does not run"))?;
    let version = output(Command::new(RUSTC).arg("-V"))
        .and_then(|line| line.split_whitespace().nth(1).map(str::to_owned))
        .with_context(|| format!("{RUSTC} does not tell its version"))?;
    let official = official_sysroot(env)?;
    let host = official_host()?;
    let layout = Layout::new(env);
    make_sysroot(&layout, &official, &host)?;
    if std::fs::read_to_string(&layout.stamp).ok() != Some(fingerprint.clone()) {
        let source = PathBuf::from(format!("/usr/src/rustc-{version}/library"));
        if !source.is_dir() {
            bail!("no {}: rustc-web and rust-web-src must have the same version", source.display());
        }
        build_std(&layout, &source, &version, &host)?;
        std::fs::write(&layout.stamp, fingerprint)?;
    }
    run(Command::new("rustup").args(["toolchain", "link", DEBIAN_TOOLCHAIN]).arg(&layout.sysroot))
}

/// The sysroot of the toolchain that builds the native programs.
fn official_sysroot(env: &Env) -> Result<PathBuf> {
    let mut cmd = Command::new("rustc");
    cmd.args(["--print", "sysroot"]).current_dir(&env.root);
    output(&mut cmd).map(PathBuf::from).context("rustc does not run: install Rust with rustup")
}

fn official_host() -> Result<String> {
    output(Command::new("rustc").args(["--print", "host-tuple"])).context("rustc does not tell its host")
}

fn make_sysroot(layout: &Layout, official: &Path, host: &str) -> Result<()> {
    let sysroot = &layout.sysroot;
    let bin = sysroot.join("bin");
    let rustlib = sysroot.join("lib/rustlib");
    let host_bin = rustlib.join(host).join("bin");
    for dir in [&bin, &host_bin, &rustlib.join(WASM_TARGET).join("lib")] {
        std::fs::create_dir_all(dir)?;
    }
    for tool in ["rustc", "rustdoc"] {
        let wrapper = bin.join(tool);
        // In single quotes, with any quote in the path closed, escaped and opened again.
        let quoted = sysroot.display().to_string().replace('\'', r"'\''");
        std::fs::write(&wrapper, format!("#!/bin/sh\nexec /usr/bin/{tool} --sysroot '{quoted}' \"$@\"\n"))?;
        std::fs::set_permissions(&wrapper, std::fs::Permissions::from_mode(0o755))?;
    }
    link(&official.join("bin/cargo"), &bin.join("cargo"))?;
    // The host's own library, for build scripts and macros, is Debian's: it fits Debian's compiler.
    link(&Path::new("/usr/lib/rustlib").join(host).join("lib"), &rustlib.join(host).join("lib"))?;
    let tools = official.join("lib/rustlib").join(host).join("bin");
    for entry in std::fs::read_dir(&tools).with_context(|| format!("no linker in {}", tools.display()))? {
        let entry = entry?;
        link(&entry.path(), &host_bin.join(entry.file_name()))?;
    }
    Ok(())
}

fn link(to: &Path, at: &Path) -> Result<()> {
    if at.symlink_metadata().is_ok() {
        std::fs::remove_file(at)?;
    }
    symlink(to, at).with_context(|| format!("cannot link {} to {}", at.display(), to.display()))
}

/// What the compiler's own build does for its package `sysroot`.
fn build_std(layout: &Layout, source: &Path, version: &str, host: &str) -> Result<()> {
    for dir in [&layout.source, &layout.target] {
        if dir.exists() {
            std::fs::remove_dir_all(dir)?;
        }
    }
    // A copy: cargo writes beside a manifest, and /usr/src is not ours.
    run(Command::new("cp").arg("-r").arg(source).arg(&layout.source))?;
    let mut flags: Vec<String> =
        ["-Zforce-unstable-if-unmarked", "-Zunstable-options", "-Cembed-bitcode=yes"].map(str::to_owned).into();
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    flags.push(remap(&layout.source, &format!("/rustc/{version}/library")));
    // Names of this machine's folders would stand in every page, as the places of panics.
    flags.extend(crate_sources().iter().map(|dir| remap(dir, "/rust/deps")));
    let mut cmd = Command::new(layout.sysroot.join("bin/cargo"));
    cmd.args(["build", "--locked", "--quiet", "--release", "--target", WASM_TARGET])
        .args(["--manifest-path", "sysroot/Cargo.toml"])
        .args(["--features", "panic-unwind backtrace compiler-builtins-mem"])
        .arg("--target-dir")
        .arg(&layout.target)
        .current_dir(&layout.source)
        .env("RUSTC", layout.sysroot.join("bin/rustc"))
        // The 0x1f byte keeps a path with a space in one piece.
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .env("RUSTC_BOOTSTRAP", "1")
        .env("__CARGO_DEFAULT_LIB_METADATA", "stablestd")
        .env("CFG_RELEASE_CHANNEL", "stable")
        .env("CFG_COMPILER_BUILD_TRIPLE", host)
        .env("RUSTC_INSTALL_BINDIR", "bin")
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1");
    run_aloud(&mut cmd, "the standard library")?;
    let lib = layout.sysroot.join("lib/rustlib").join(WASM_TARGET).join("lib");
    std::fs::remove_dir_all(&lib)?;
    std::fs::create_dir_all(&lib)?;
    let built = layout.target.join(WASM_TARGET).join("release/deps");
    for entry in std::fs::read_dir(&built)? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|extension| extension == "rlib") {
            std::fs::copy(entry.path(), lib.join(entry.file_name()))?;
        }
    }
    std::fs::remove_dir_all(&layout.target)?;
    std::fs::remove_dir_all(&layout.source)?;
    Ok(())
}
