//! `cargo xtask web`, `demo` and `serve`: the page, built and served.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Result, bail};

use crate::env::Env;
use crate::process::{on_path, run};
use crate::server::Server;
use crate::setup::{Needs, setup};

/// How the page is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// In as little time as it takes, to look at.
    Quick,
    /// Small, to be published.
    Small,
}

impl Build {
    /// What trunk is told: it takes the profile `demo` or `web` from index.html.
    fn args(self) -> &'static [&'static str] {
        match self {
            Self::Quick => &["build"],
            Self::Small => &["build", "--release"],
        }
    }

    /// How long it takes on two cores from nothing.
    fn usually(self) -> &'static str {
        match self {
            Self::Quick => "2 minutes",
            Self::Small => "5 minutes",
        }
    }
}

/// Builds the page into `dist/`.
pub fn build(env: &Env, build: Build) -> Result<()> {
    if !env.root.join("index.html").is_file() {
        bail!("no index.html in {}: is this a whole checkout?", env.root.display());
    }
    let start = Instant::now();
    // Trunk, kept from downloading tools, keeps cargo from downloading crates.
    let mut fetch = Command::new("cargo");
    env.wasm_env(&mut fetch)?;
    run(fetch.args(["fetch", "--quiet"]))?;
    println!("web: building the page (about {} on two cores the first time)", build.usually());
    let mut trunk = Command::new(env.find("trunk").unwrap_or_else(|| "trunk".into()));
    env.wasm_env(&mut trunk)?;
    run(trunk.args(build.args()))?;
    println!("web: built {} in {:.1} s", env.dist().display(), start.elapsed().as_secs_f64());
    Ok(())
}

/// Sets up, builds and serves the page.
pub fn demo(env: &Env, port: u16, open: bool) -> Result<()> {
    setup(env, Needs::Page)?;
    build(env, Build::Quick)?;
    let server = Server::start_near(&env.dist(), port, "/")?;
    if server.port() != port && port != 0 {
        println!("demo: port {port} is in use");
    }
    println!("demo: {}  (Ctrl-C stops it)", server.url());
    if open {
        show(&server.url());
    }
    server.wait();
    Ok(())
}

/// Serves a folder.
pub fn serve(dir: &Path, port: u16, prefix: &str) -> Result<()> {
    let server = Server::start(dir, port, prefix)?;
    println!("serve: {} at {}  (Ctrl-C stops it)", dir.display(), server.url());
    server.wait();
    Ok(())
}

/// Opens `url` in a browser where there is a screen; the address was printed, so that failing is no error.
fn show(url: &str) {
    let screen = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    let opener = if cfg!(target_os = "macos") { Some("open") } else { screen.then_some("xdg-open") };
    if let Some(opener) = opener.and_then(on_path) {
        let _ = Command::new(opener).arg(url).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    }
}
