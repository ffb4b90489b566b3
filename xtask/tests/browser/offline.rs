//! What was kept is there when the server is not, or answers with an error.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use shared::sampler::Latents;
use xtask::server::Server;

use super::faulty::{self, Answer, dist};
use super::harness::Browser;
use super::page::{PATIENCE, copied, largest_difference, native, prepend, shown};
use super::panels::{QUIET, afresh, pixels};

/// Until the page and all its files are kept.
const KEPT: &str = "Boolean((await navigator.serviceWorker.ready).active) && \
    (k => k.includes('worker_bg.wasm') && k.includes('app') && k.includes('index.json') && k.includes('style'))\
    ((await (await caches.open('rg-flow-page')).keys()).map(r => r.url).join(' '))";

/// Opens the page until it is kept.
pub async fn kept(url: &str) -> Browser {
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
    let pictures = pixels(&browser, "canvas[data-index]").await;
    // The server has a part of the page only, then none at all.
    for part in ["app-", "index.html", ".js", ".css"] {
        remove(dir.path(), part);
        afresh(&browser, &server.url()).await;
        assert_eq!(pixels(&browser, "canvas[data-index]").await, pictures, "without {part}");
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

/// Does something to the kept copy of each part of the page whose address has `part` in it; `of` makes other bytes of the true
/// ones. What stands beside the bytes stays.
fn damaged(part: &str, of: &str) -> String {
    format!(
        "(async () => {{
            const cache = await caches.open('rg-flow-page');
            let count = 0;
            for (const request of await cache.keys()) {{
                if (!request.url.includes('{part}')) continue;
                const response = await cache.match(request);
                const bytes = new Uint8Array(await response.arrayBuffer());
                await cache.put(request, new Response(({of})(bytes), {{ headers: response.headers }}));
                count += 1;
            }}
            return count;
        }})()"
    )
}

/// Whether what is kept of each part is what the server has.
const TRUE_COPIES: &str = "await (async () => {
    const cache = await caches.open('rg-flow-page');
    for (const request of await cache.keys()) {
        const kept = new Uint8Array(await (await cache.match(request)).arrayBuffer());
        const own = new Uint8Array(await (await fetch(request.url, { cache: 'reload' })).arrayBuffer());
        if (kept.length !== own.length || kept.some((byte, i) => byte !== own[i])) return request.url;
    }
    return '';
})()";

/// Parts of the page, each with what becomes of its kept copy and what is said without a network.
const DAMAGES: [(&str, &str, &str); 6] = [
    ("/app-", "bytes => bytes.slice(0, bytes.length / 2)", "did not load in full"),
    ("/style-", "bytes => bytes.slice(0, bytes.length / 2)", "style-"),
    ("/boot-", "bytes => bytes.fill(32, bytes.length - 9)", "boot-"),
    ("/worker_bg.wasm", "bytes => bytes.fill(7, bytes.length - 99)", "did not start"),
    ("/models/index.json", "bytes => bytes.slice(0, 0)", "list of models could not be fetched"),
    ("/engine.js", "bytes => new Uint8Array([...bytes, 10])", "could not be loaded"),
];

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn damaged_parts_that_were_kept_are_noticed_and_fetched_again() {
    let gone = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&gone);
    let url =
        faulty::serve(&dist(), 0, move |_| if heard.load(Ordering::SeqCst) { Answer::Gone } else { Answer::Right });
    let browser = kept(&url).await;
    let pictures = pixels(&browser, "canvas[data-index]").await;
    for (part, of, words) in DAMAGES {
        let count = browser.eval(&damaged(part, of)).await.unwrap();
        assert!(count.as_u64().unwrap() > 0, "{part} is not kept");
        gone.store(true, Ordering::SeqCst);
        browser.open("about:blank").await.unwrap();
        browser.open(&url).await.unwrap();
        browser.wait_for("document.documentElement.dataset.state === 'error'", PATIENCE).await.unwrap();
        let cover = browser.eval("document.querySelector('#cover').innerText").await.unwrap();
        assert!(cover.as_str().unwrap().contains(words), "{part}: {cover}");
        // With a network, the button brings the page back, and the copies with it.
        gone.store(false, Ordering::SeqCst);
        browser.eval("document.querySelector('#retry').click()").await.unwrap();
        browser.wait_for(QUIET, PATIENCE).await.unwrap();
        assert_eq!(pixels(&browser, "canvas[data-index]").await, pictures, "{part}");
        browser.wait_for(&format!("{KEPT} && {TRUE_COPIES} === ''"), PATIENCE).await.unwrap();
    }
    // The page itself.
    browser.eval(&damaged("/", "bytes => bytes.slice(0, 999)")).await.unwrap();
    gone.store(true, Ordering::SeqCst);
    browser.open("about:blank").await.unwrap();
    browser.open(&url).await.unwrap();
    let text = browser.eval("document.body.innerText").await.unwrap();
    assert!(text.as_str().unwrap().contains("damaged, and there is no network"), "{text}");
    gone.store(false, Ordering::SeqCst);
    afresh(&browser, &url).await;
    browser.console().await.unwrap();
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_server_that_keeps_silent_is_not_waited_for() {
    let silent = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&silent);
    let url =
        faulty::serve(&dist(), 0, move |_| if heard.load(Ordering::SeqCst) { Answer::Silence } else { Answer::Right });
    let browser = kept(&url).await;
    let pictures = pixels(&browser, "canvas[data-index]").await;
    silent.store(true, Ordering::SeqCst);
    afresh(&browser, &url).await;
    assert_eq!(pixels(&browser, "canvas[data-index]").await, pictures);
    browser.console().await.unwrap();
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_download_that_breaks_off_is_said_and_started_again() {
    let broken = Arc::new(AtomicBool::new(true));
    let heard = Arc::clone(&broken);
    let url = faulty::serve(&dist(), 0, move |path| {
        let cut = path.ends_with("/msds1.safetensors") && heard.load(Ordering::SeqCst);
        if cut { Answer::Cut(1_500_000) } else { Answer::Right }
    });
    let browser = Browser::start(&[]).await.unwrap();
    browser.open(&format!("{url}#model=msds1&seed=3&t=0.8")).await.unwrap();
    browser.wait_for("!document.querySelector('#retry').hidden", PATIENCE).await.unwrap();
    let cover = browser.eval("document.querySelector('#cover').innerText").await.unwrap();
    assert!(cover.as_str().unwrap().contains("arrived incomplete: 1500000 of "), "{cover}");
    browser.screenshot("broken-off").await.unwrap();
    let kept = "(await (await caches.open('rg-flow-models-1')).keys()).length";
    assert_eq!(browser.eval(kept).await.unwrap(), 0, "half a model was kept");
    broken.store(false, Ordering::SeqCst);
    browser.eval("document.querySelector('#retry').click()").await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    let (_, expected) = native("msds1", 3, 0.8, Latents::Independent);
    assert!(largest_difference(&shown(&browser).await, &expected) <= 2);
    browser.console().await.unwrap();
    browser.finish().await.unwrap();
}
