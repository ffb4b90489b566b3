//! Where things are: the project, the cache of tools, and the environment that wasm builds want.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{find_in, on_path, output};
use crate::versions::{self, DEBIAN_TOOLCHAIN, WASM_TARGET};

/// Which compiler builds for the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WasmToolchain {
    /// The one that also builds the native programs, with rustup's `wasm32-unknown-unknown` target.
    Default,
    /// The one made from Debian's packages (see `setup`).
    Debian,
}

/// The project's folders and the tools that belong to it.
#[derive(Clone, Debug)]
pub struct Env {
    /// The workspace's root.
    pub root: PathBuf,
    /// Tools and the wasm standard library, shared by all clones on this machine.
    pub cache: PathBuf,
    /// The wasm-bindgen version that `Cargo.lock` asks for.
    pub wasm_bindgen: String,
}

impl Env {
    /// Reads it from the running program's surroundings.
    pub fn new() -> Result<Self> {
        let root =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask is not inside a workspace")?.to_path_buf();
        let var = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let cache =
            cache_dir(var).context("no place for tools: set RG_FLOW_TOOLS to a folder of yours (HOME is not set)")?;
        let lock = std::fs::read_to_string(root.join("Cargo.lock")).unwrap_or_default();
        let wasm_bindgen = locked_version(&lock, "wasm-bindgen").unwrap_or_else(|| versions::WASM_BINDGEN.to_owned());
        Ok(Self { root, cache, wasm_bindgen })
    }

    /// Cargo, at the workspace's root.
    pub fn cargo(&self) -> Command {
        let mut cmd = Command::new("cargo");
        cmd.current_dir(&self.root);
        cmd
    }

    /// Where `cargo install` puts one version of one tool. The version is part of the path, so that two clones that
    /// want different ones do not undo each other's work.
    pub fn tool_root(&self, package: &str, version: &str) -> PathBuf {
        self.cache.join(format!("{package}-{version}"))
    }

    /// Where npm puts `wasm-opt`.
    pub fn npm_root(&self) -> PathBuf {
        self.cache.join(format!("binaryen-{}", versions::BINARYEN))
    }

    /// Where npm puts `axe-core`.
    pub fn axe_root(&self) -> PathBuf {
        self.cache.join(format!("axe-core-{}", versions::AXE))
    }

    /// The script of `axe-core`.
    pub fn axe(&self) -> PathBuf {
        self.axe_root().join("node_modules/axe-core/axe.min.js")
    }

    /// The folder of the compiler made from Debian's packages.
    pub fn debian_root(&self) -> PathBuf {
        self.cache.join("debian-wasm")
    }

    fn own_dirs(&self) -> Vec<PathBuf> {
        vec![
            self.tool_root("wasm-bindgen-cli", &self.wasm_bindgen).join("bin"),
            self.tool_root("trunk", versions::TRUNK).join("bin"),
            self.tool_root("cargo-deny", versions::CARGO_DENY).join("bin"),
            self.tool_root("cargo-llvm-cov", versions::CARGO_LLVM_COV).join("bin"),
            self.tool_root("cargo-fuzz", versions::CARGO_FUZZ).join("bin"),
            self.npm_root().join("node_modules/.bin"),
        ]
    }

    /// `PATH` with the project's own tools first.
    pub fn path(&self) -> Result<OsString> {
        let old = std::env::var_os("PATH").unwrap_or_default();
        let dirs = self.own_dirs().into_iter().chain(std::env::split_paths(&old));
        std::env::join_paths(dirs).context("a folder in PATH or RG_FLOW_TOOLS has a ':' in its name")
    }

    /// A tool of the project's own, or else one on `PATH`.
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        find_in(name, self.own_dirs().iter().map(PathBuf::as_path)).or_else(|| on_path(name))
    }

    /// Cargo's target folder for native builds.
    pub fn target_dir(&self) -> PathBuf {
        match std::env::var_os("CARGO_TARGET_DIR") {
            Some(dir) if !dir.is_empty() => self.root.join(dir),
            _ => self.root.join("target"),
        }
    }

    /// Cargo's target folder for wasm builds: with one folder for both, each kind of build could undo the other's.
    pub fn wasm_target_dir(&self) -> PathBuf {
        self.target_dir().join("wasm")
    }

    /// Where `trunk` writes the page.
    pub fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }

    /// The compiler that builds for the browser on this machine, if there is one. `RG_FLOW_WASM=debian` or
    /// `RG_FLOW_WASM=rustup` leaves only that one.
    pub fn wasm_toolchain(&self) -> Option<WasmToolchain> {
        let wanted = wanted_toolchain();
        let default = || {
            let mut rustc = Command::new("rustc");
            rustc.args(["--print", "target-libdir", "--target", WASM_TARGET]).current_dir(&self.root);
            output(&mut rustc).is_some_and(|dir| has_core(Path::new(&dir)))
        };
        if wanted != Some(WasmToolchain::Debian) && default() {
            return Some(WasmToolchain::Default);
        }
        let debian = || crate::setup::debian::is_current(self);
        (wanted != Some(WasmToolchain::Default) && debian()).then_some(WasmToolchain::Debian)
    }

    /// Gives `cmd` what a wasm build needs: the tools, the compiler and its own target folder.
    pub fn wasm_env(&self, cmd: &mut Command) -> Result<()> {
        let toolchain =
            self.wasm_toolchain().context("nothing here builds for the browser yet: run `cargo xtask setup`")?;
        if toolchain == WasmToolchain::Debian {
            cmd.env("RUSTUP_TOOLCHAIN", DEBIAN_TOOLCHAIN);
        }
        cmd.current_dir(&self.root)
            .env("PATH", self.path()?)
            .env(WASM_RUSTFLAGS, remapped(&crate_sources()))
            .env("CARGO_TARGET_DIR", self.wasm_target_dir())
            .env("TRUNK_OFFLINE", "true")
            .env("TRUNK_SKIP_VERSION_CHECK", "true");
        apart_from_the_shell(cmd, std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()));
        Ok(())
    }
}

/// Flags besides those in `.cargo/config.toml`: cargo joins the two, which it would not do with `RUSTFLAGS`.
const WASM_RUSTFLAGS: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS";

/// Flags for every target take the place of those for one, and the page would lose its vector instructions.
const FLAGS_OF_THE_SHELL: [&str; 3] = ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"];

/// Keeps what a user's shell has set for other builds away from this one.
fn apart_from_the_shell(cmd: &mut Command, no_colour: bool) {
    FLAGS_OF_THE_SHELL.iter().for_each(|name| {
        cmd.env_remove(name);
    });
    // Any value means no colours, but trunk takes two alone.
    if no_colour {
        cmd.env("NO_COLOR", "true");
    } else {
        cmd.env_remove("NO_COLOR");
    }
}

/// Keeps the names of this machine's folders out of the page, where they would stand as the places of panics.
fn remapped(sources: &[PathBuf]) -> String {
    // The variable is cut at white space: a folder with some in its name keeps it.
    let dirs = sources.iter().map(|dir| dir.display().to_string());
    dirs.filter(|dir| !dir.contains(char::is_whitespace))
        .map(|dir| format!("--remap-path-prefix={dir}=/rust/deps"))
        .collect::<Vec<_>>()
        .join(" ")
}

/// The folders into which cargo unpacks crates, in order.
pub fn crate_sources() -> Vec<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cargo")));
    let entries = home.and_then(|home| std::fs::read_dir(home.join("registry/src")).ok());
    let mut dirs: Vec<PathBuf> = entries.into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    dirs.sort();
    dirs
}

/// What `RG_FLOW_WASM` asks for.
pub fn wanted_toolchain() -> Option<WasmToolchain> {
    match std::env::var("RG_FLOW_WASM").as_deref() {
        Ok("debian") => Some(WasmToolchain::Debian),
        Ok("rustup") => Some(WasmToolchain::Default),
        _ => None,
    }
}

fn has_core(dir: &Path) -> bool {
    std::fs::read_dir(dir)
        .is_ok_and(|entries| entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-")))
}

fn cache_dir(var: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    if let Some(dir) = var("RG_FLOW_TOOLS") {
        return std::path::absolute(dir).ok();
    }
    let base = var("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|dir| dir.is_absolute())
        .or_else(|| var("HOME").map(|home| Path::new(&home).join(".cache")))?;
    Some(base.join("rg-flow"))
}

/// The version of `package` in the text of a `Cargo.lock`.
fn locked_version(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines();
    lines.find(|line| line.trim() == name)?;
    let version = lines.next()?.trim().strip_prefix("version = \"")?;
    Some(version.strip_suffix('"')?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_lock_names_the_version() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"1.0.0\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.129\"\nsource = \"x\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen").as_deref(), Some("0.2.129"));
        assert_eq!(locked_version(lock, "bindgen"), None);
        assert_eq!(locked_version("", "wasm-bindgen"), None);
    }

    #[test]
    fn flags_and_colours_of_the_shell_do_not_reach_the_page() {
        let set = |no_colour| {
            let mut cmd = Command::new("trunk");
            apart_from_the_shell(&mut cmd, no_colour);
            let envs = cmd.get_envs().map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned)));
            envs.collect::<std::collections::BTreeMap<_, _>>()
        };
        for name in FLAGS_OF_THE_SHELL {
            assert_eq!(set(false).get(std::ffi::OsStr::new(name)), Some(&None), "{name}");
        }
        let colour = |no_colour| set(no_colour).remove(std::ffi::OsStr::new("NO_COLOR")).unwrap();
        assert_eq!((colour(true), colour(false)), (Some("true".into()), None));
    }

    #[test]
    fn folders_of_crates_are_renamed_in_the_page() {
        let flags = remapped(&["/c/src/a".into(), "/c d/src/a".into(), "/c/src/b".into()]);
        assert_eq!(flags, "--remap-path-prefix=/c/src/a=/rust/deps --remap-path-prefix=/c/src/b=/rust/deps");
    }

    #[test]
    fn the_cache_follows_the_environment() {
        let with = |vars: &'static [(&str, &str)]| {
            cache_dir(move |name| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
        };
        assert_eq!(with(&[("HOME", "/h")]), Some("/h/.cache/rg-flow".into()));
        assert_eq!(with(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/c")]), Some("/c/rg-flow".into()));
        assert_eq!(with(&[("HOME", "/h"), ("XDG_CACHE_HOME", "relative")]), Some("/h/.cache/rg-flow".into()));
        assert_eq!(with(&[("HOME", "/h"), ("RG_FLOW_TOOLS", "/t")]), Some("/t".into()));
        assert_eq!(with(&[]), None);
    }
}
