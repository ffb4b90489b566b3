//! What was kept is there when the server is not, or answers with an error.

use std::path::Path;

use xtask::server::Server;

use super::harness::Browser;
use super::page::{PATIENCE, copied, prepend};
use super::panels::{QUIET, afresh, pixels};

/// Until the page and all its files are kept.
const KEPT: &str = "Boolean((await navigator.serviceWorker.ready).active) && \
    (k => k.includes('worker_bg.wasm') && k.includes('app') && k.includes('index.json') && k.includes('style'))\
    ((await (await caches.open('rg-flow-page')).keys()).map(r => r.url).join(' '))";

/// Opens the page until it is kept.
async fn kept(url: &str) -> Browser {
    let browser = Browser::start(&[]).await.unwrap();
    for _ in 0..2 {
        browser.open(url).await.unwrap();
        browser.wait_for(QUIET, PATIENCE).await.unwrap();
        browser.wait_for(KEPT, PATIENCE).await.unwrap();
    }
    browser
}

/// Without a file the server answers 404.
fn remove(dir: &Path, part: &str) {
    let mut found = 0;
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && path.file_name().unwrap().to_str().unwrap().contains(part) {
            std::fs::remove_file(path).unwrap();
            found += 1;
        }
    }
    assert!(found > 0, "no file of the page is called {part}");
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_whole_kept_copy_wins_over_a_servers_error() {
    let dir = copied();
    let server = Server::start(dir.path(), 0, "/").unwrap();
    let browser = kept(&server.url()).await;
    let shown = pixels(&browser, "canvas[data-index]").await;
    // The server has a part of the page only, then none at all.
    for part in ["app-", "index.html", ".js", ".css"] {
        remove(dir.path(), part);
        afresh(&browser, &server.url()).await;
        assert_eq!(pixels(&browser, "canvas[data-index]").await, shown, "without {part}");
    }
    // That the server lacks files is logged, and is no fault here.
    browser.console().await.unwrap();
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn half_a_new_version_does_not_replace_a_whole_old_one() {
    let dir = copied();
    let server = Server::start(dir.path(), 0, "/").unwrap();
    let browser = kept(&server.url()).await;
    let url = server.url();
    // A new page is there, whose program is not.
    let index = std::fs::read_to_string(dir.path().join("index.html")).unwrap();
    std::fs::write(dir.path().join("index.html"), index.replace("app-", "app-0123456789")).unwrap();
    browser.open("about:blank").await.unwrap();
    browser.open(&server.url()).await.unwrap();
    browser.wait_for("document.documentElement.dataset.state === 'error'", PATIENCE).await.unwrap();
    drop(server);
    afresh(&browser, &url).await;
    browser.console().await.unwrap();
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn where_nothing_may_be_kept_the_page_works() {
    let dir = copied();
    let forbidden =
        "Object.defineProperty(self, 'caches', { get() { throw new DOMException('insecure', 'SecurityError'); } });";
    prepend(dir.path(), "engine.js", forbidden);
    let server = Server::start(dir.path(), 0, "/").unwrap();
    let browser = Browser::start(&[]).await.unwrap();
    let sandboxed = "Object.defineProperty(Navigator.prototype, 'serviceWorker', \
                     { get() { throw new DOMException('sandboxed', 'SecurityError'); } });";
    browser.before_pages(&format!("{forbidden}{sandboxed}")).await.unwrap();
    browser.open(&server.url()).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    browser.finish().await.unwrap();
}
