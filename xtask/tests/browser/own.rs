//! What the reader brings along: a picture, weights; and what stays without a network.

use super::harness::Browser;
use super::page::{PATIENCE, serve};
use super::panels::{QUIET, afresh, click, pixels};

/// Puts a file into an input, as a choice of the reader's would.
pub fn put(input: &str, name: &str, kind: &str, blob: &str) -> String {
    format!(
        "(async () => {{ const files = new DataTransfer(); \
         files.items.add(new File([{blob}], '{name}', {{type: '{kind}'}})); \
         const input = document.querySelector('{input}'); input.files = files.files; \
         input.dispatchEvent(new Event('change', {{bubbles: true}})); }})()"
    )
}

/// Whether there are guides for a face.
const GUIDES: &str = "document.querySelector('#crop-guides-row').checkVisibility()";

/// A picture twice as wide as high, red on the left, as a PNG.
const PHOTO: &str = "await new Promise(done => { const c = document.createElement('canvas'); \
    c.width = 400; c.height = 200; const d = c.getContext('2d'); d.fillStyle = 'rgb(40, 90, 160)'; \
    d.fillRect(0, 0, 400, 200); d.fillStyle = 'rgb(200, 60, 40)'; d.fillRect(0, 0, 200, 200); c.toBlob(done); })";

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_picture_of_ones_own_is_cut_out_mixed_and_linked() {
    let server = serve();
    let browser = Browser::start(&[]).await.unwrap();
    browser.open(&format!("{}#panel=mix&model=faces", server.url())).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    click(&browser, "#mix-choose-b").await;
    browser.eval(&put("#picker-file", "me.png", "image/png", PHOTO)).await.unwrap();
    browser.wait_for("!document.querySelector('#picker-crop').hidden", PATIENCE).await.unwrap();
    browser.screenshot("crop").await.unwrap();
    assert_eq!(browser.eval(GUIDES).await.unwrap(), true);
    click(&browser, "#crop-use").await;
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    let shown = pixels(&browser, "#mix-picture-b").await;
    // The middle square: red to the left, blue to the right, each pixel exactly as it was cut out.
    for row in shown.chunks(64 * 3) {
        assert_eq!((&row[..3], &row[189..]), (&[200, 60, 40][..], &[40, 90, 160][..]));
    }
    let link = browser.eval("location.href").await.unwrap().as_str().unwrap().to_owned();
    assert!(link.contains("b=own.") && link.len() < 1500, "{link}");
    afresh(&browser, &link).await;
    assert_eq!(pixels(&browser, "#mix-picture-b").await, shown);
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn ovals_have_no_eyes_and_one_picture_is_no_pair() {
    let server = serve();
    let browser = Browser::start(&[]).await.unwrap();
    browser.open(&format!("{}#panel=mix&model=msds1&a=1.0&b=1.0", server.url())).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    let same = "document.querySelector('#mix-said').textContent.includes('the same picture')";
    assert_eq!(browser.eval(same).await.unwrap(), true);
    click(&browser, "#mix-choose-b").await;
    browser.eval(&put("#picker-file", "me.png", "image/png", PHOTO)).await.unwrap();
    browser.wait_for("!document.querySelector('#picker-crop').hidden", PATIENCE).await.unwrap();
    assert_eq!(browser.eval(GUIDES).await.unwrap(), false);
    click(&browser, "#crop-use").await;
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    browser.wait_for(&format!("!{same}"), PATIENCE).await.unwrap();
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn weights_of_ones_own_run_and_damaged_ones_are_refused() {
    let server = serve();
    let browser = Browser::start(&[]).await.unwrap();
    browser.open(&format!("{}#panel=about", server.url())).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    let broken = "(await (await fetch('models/faces.safetensors')).arrayBuffer()).slice(0, 5000)";
    browser.eval(&put("#weights-file", "broken.safetensors", "", broken)).await.unwrap();
    let said = "document.querySelector('#notices').textContent.includes('not a complete safetensors file')";
    browser.wait_for(said, PATIENCE).await.unwrap();
    let whole = "await (await fetch('models/faces.safetensors')).arrayBuffer()";
    browser.eval(&put("#weights-file", "mine.safetensors", "", whole)).await.unwrap();
    let there = "document.querySelector('#model-description').textContent.includes('Your own weights')";
    browser.wait_for(there, PATIENCE).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    assert!(!browser.eval("location.hash").await.unwrap().as_str().unwrap().contains("model="));
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn after_the_first_visit_it_needs_no_network() {
    let server = serve();
    let browser = Browser::start(&[]).await.unwrap();
    let url = server.url();
    browser.open(&url).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    let kept = "(await (await caches.open('rg-flow-page')).keys()).map(r => r.url).join(' ')";
    let ready = format!(
        "Boolean((await navigator.serviceWorker.ready).active) && (k => k.includes('worker_bg.wasm') && \
         k.includes('app') && k.includes('index.json') && k.includes('style'))({kept})"
    );
    browser.wait_for(&ready, PATIENCE).await.unwrap();
    let shown = pixels(&browser, "canvas[data-index]").await;
    drop(server);
    browser.open(&url).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    assert_eq!(pixels(&browser, "canvas[data-index]").await, shown);
    // That no server answers is logged, and is no fault here.
    browser.console().await.unwrap();
    browser.finish().await.unwrap();
}
