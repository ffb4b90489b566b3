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

    /// The profile of its programs, as in index.html.
    fn profile(self) -> &'static str {
        match self {
            Self::Quick => "demo",
            Self::Small => "web",
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
    // All programs in one go: the last step of each keeps one core busy, and trunk would take them one after the other.
    let mut programs = Command::new("cargo");
    env.wasm_env(&mut programs)?;
    run(programs
        .args(["build", "--target", "wasm32-unknown-unknown", "--package", "web", "--bins"])
        .args(["--profile", build.profile()]))?;
    let mut trunk = Command::new(env.find("trunk").unwrap_or_else(|| "trunk".into()));
    env.wasm_env(&mut trunk)?;
    run(trunk.args(build.args()))?;
    println!("web: built {} in {:.1} s", env.dist().display(), start.elapsed().as_secs_f64());
    Ok(())
}

/// The variable with the address that the page will have.
const SITE: &str = "RG_FLOW_SITE";
/// The variable with the address of its source.
const SOURCE: &str = "RG_FLOW_SOURCE";

/// Sets up and builds the page to be published, at this address and with a link to its source, where these are known.
pub fn web(env: &Env, site: Option<String>, source: Option<String>) -> Result<()> {
    let known = |given: Option<String>, name| given.or_else(|| std::env::var(name).ok()).filter(|url| !url.is_empty());
    // Before minutes of building.
    let tags = known(site, SITE).as_deref().map(share_tags).transpose()?;
    let link = known(source, SOURCE).as_deref().map(source_link).transpose()?;
    setup(env, Needs::Page)?;
    build(env, Build::Small)?;
    if tags.is_none() {
        println!("web: without its address (--site URL or {SITE}), no picture is shown beside links to it");
    }
    if link.is_none() {
        println!("web: without the address of its source (--source URL or {SOURCE}), it has no link to that");
    }
    let path = env.dist().join("index.html");
    let mut page = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    if let Some(tags) = tags {
        page = with_tags(&page, &tags)?;
    }
    if let Some(link) = link {
        page = with_link(&page, &link)?;
    }
    std::fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))
}

/// The address, if a page can hold it as it is.
fn checked<'a>(url: &'a str, what: &str, example: &str) -> Result<&'a str> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "\"'<>&?#".contains(c);
    if !(url.starts_with("https://") || url.starts_with("http://")) || url.contains(odd) {
        bail!("{url:?} is not {what}: give one like {example}");
    }
    Ok(url.trim_end_matches('/'))
}

/// The link to the page's source.
fn source_link(source: &str) -> Result<String> {
    let source = checked(source, "the address of the source", "https://example.org/me/rg-flow")?;
    Ok(format!("<a href=\"{source}\">Source</a>"))
}

/// What sites need to show a picture beside a link to the page: they follow absolute addresses alone.
fn share_tags(site: &str) -> Result<String> {
    let site = checked(site, "the page's address", "https://example.org/rg-flow/")?;
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

/// The page with one more link at its foot, beside the paper's.
fn with_link(page: &str, link: &str) -> Result<String> {
    let foot = page.rfind("<footer").context("dist/index.html has no footer")?;
    let end = page[foot..].find("</a>").context("dist/index.html has no link in its footer")? + foot + "</a>".len();
    Ok(format!("{} · {link}{}", &page[..end], &page[end..]))
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
            assert!(share_tags(site).is_err() && source_link(site).is_err(), "{site}");
        }
    }

    #[test]
    fn the_page_links_to_its_source_where_that_is_known() {
        let page = include_str!("../../index.html");
        let made = with_link(page, &source_link("https://example.org/me/rg-flow/").unwrap()).unwrap();
        let foot = made.rsplit("<footer").next().unwrap();
        assert!(foot.contains("The paper</a> · <a href=\"https://example.org/me/rg-flow\">Source</a>"), "{foot}");
        assert_eq!(made.len() - page.len(), " · <a href=\"https://example.org/me/rg-flow\">Source</a>".len());
        assert!(with_link("no foot", "").is_err());
    }
}
