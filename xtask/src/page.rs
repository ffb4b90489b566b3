//! `cargo xtask web`, `demo` and `serve`: the page, built and served.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

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

/// The variable with the address that the page will have.
const SITE: &str = "RG_FLOW_SITE";

/// Sets up and builds the page to be published, at this address if it is known.
pub fn web(env: &Env, site: Option<String>) -> Result<()> {
    let site = site.or_else(|| std::env::var(SITE).ok()).filter(|site| !site.is_empty());
    // Before minutes of building.
    let tags = site.as_deref().map(share_tags).transpose()?;
    setup(env, Needs::Page)?;
    build(env, Build::Small)?;
    let Some(tags) = tags else {
        println!("web: without its address (--site URL or {SITE}), no picture is shown beside links to it");
        return Ok(());
    };
    let path = env.dist().join("index.html");
    let page = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    std::fs::write(&path, with_tags(&page, &tags)?).with_context(|| format!("cannot write {}", path.display()))
}

/// What sites need to show a picture beside a link to the page: they follow absolute addresses alone.
fn share_tags(site: &str) -> Result<String> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "\"'<>&?#".contains(c);
    if !(site.starts_with("https://") || site.starts_with("http://")) || site.contains(odd) {
        bail!("{site:?} is not the page's address: give one like https://example.org/rg-flow/");
    }
    let site = site.trim_end_matches('/');
    let picture = format!("{site}/pictures/share.png");
    Ok([
        format!("<meta property=\"og:url\" content=\"{site}/\">"),
        format!("<meta property=\"og:image\" content=\"{picture}\">"),
        "<meta property=\"og:image:width\" content=\"1200\">".to_owned(),
        "<meta property=\"og:image:height\" content=\"630\">".to_owned(),
        format!("<meta property=\"og:image:alt\" content=\"{PICTURE}\">"),
        "<meta name=\"twitter:card\" content=\"summary_large_image\">".to_owned(),
        format!("<meta name=\"twitter:image\" content=\"{picture}\">"),
        format!("<meta name=\"twitter:image:alt\" content=\"{PICTURE}\">"),
    ]
    .join("\n"))
}

/// What is to be seen on it.
const PICTURE: &str = "A face growing from coarse squares to a picture, and four other faces, all made up by the model";

/// The page with more in its head.
fn with_tags(page: &str, tags: &str) -> Result<String> {
    let (head, rest) = page.split_once("</head>").context("dist/index.html has no head")?;
    Ok(format!("{head}{tags}\n</head>{rest}"))
}

/// Makes the pictures in web/pictures, which web/tests/pictures.rs compares with the shipped model.
pub fn pictures(env: &Env) -> Result<()> {
    // Without WebGPU, which takes minutes to compile.
    let words = ["run", "--quiet", "--package", "web", "--no-default-features", "--example", "pictures"];
    run(env.cargo().args(words))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_have_a_picture_where_the_address_is_known() {
        let page = "<html><head><title>x</title></head><body></body></html>";
        for site in ["https://example.org/rg-flow", "https://example.org/rg-flow/"] {
            let made = with_tags(page, &share_tags(site).unwrap()).unwrap();
            let picture = "<meta property=\"og:image\" content=\"https://example.org/rg-flow/pictures/share.png\">";
            assert!(made.split("</head>").next().unwrap().contains(picture), "{made}");
            assert!(made.contains("og:url\" content=\"https://example.org/rg-flow/\"") && made.ends_with("</html>"));
        }
        assert!(with_tags("no page", "").is_err());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for site in
            ["", "example.org", "/rg-flow/", "https://x/\"><script>", "https://x/ y", "https://x/?a", "ftp://x/"]
        {
            assert!(share_tags(site).is_err(), "{site}");
        }
    }
}
