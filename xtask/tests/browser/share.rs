//! What is taken out of the page: links and files.

use super::harness::Browser;
use super::page::PATIENCE;
use super::panels::{QUIET, click, open, open_after, slide};

/// Keeps what the page copies.
pub const COPIED: &str = "self.copied = null; Object.defineProperty(Navigator.prototype, 'clipboard', \
                          { get: () => ({ writeText: async (text) => { self.copied = text; } }) });";
const TOLD: &str = "document.querySelector('#told').textContent";

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn without_a_clipboard_the_page_says_how_to_copy() {
    for clipboard in
        ["undefined", "({ writeText: () => Promise.reject(new DOMException('denied', 'NotAllowedError')) })"]
    {
        let script = format!(
            "Object.defineProperty(Navigator.prototype, 'clipboard', {{ get: () => {clipboard} }}); \
             self.may = false; Document.prototype.execCommand = () => self.may;"
        );
        let (browser, _server) = open_after(&script, "model=faces&seed=4").await;
        click(&browser, "#copy-link").await;
        browser.wait_for(&format!("{TOLD}.includes('address bar')"), PATIENCE).await.unwrap();
        let same = "document.querySelector('#link').value === location.href && location.hash.includes('seed=4')";
        assert_eq!(browser.eval(same).await.unwrap(), true);
        browser.screenshot("copy-by-hand").await.unwrap();
        // The next change leaves nothing of it.
        slide(&browser, "#temperature", "0.3").await;
        browser.wait_for("document.querySelector('#link').hidden", PATIENCE).await.unwrap();
        assert_eq!(browser.eval(TOLD).await.unwrap(), "");
        // The old way, where the browser still has it.
        browser.eval("(self.may = true)").await.unwrap();
        click(&browser, "#copy-link").await;
        browser.wait_for(&format!("{TOLD} === 'Link copied'"), PATIENCE).await.unwrap();
        assert_eq!(browser.eval("document.querySelector('#link').hidden").await.unwrap(), true);
        browser.finish().await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_link_holds_what_is_seen_though_nothing_was_touched() {
    let script = "self.copied = null; Object.defineProperty(Navigator.prototype, 'clipboard', \
                  { get: () => ({ writeText: async (text) => { self.copied = text; } }) });";
    let (browser, _server) = open_after(script, "smooth=0").await;
    click(&browser, "#copy-link").await;
    browser.wait_for(&format!("{TOLD} === 'Link copied'"), PATIENCE).await.unwrap();
    let link = browser.eval("self.copied").await.unwrap().as_str().unwrap().to_owned();
    assert!(link.contains("model=faces&v=") && link.contains("seed=3") && link.ends_with("smooth=0"), "{link}");
    browser.finish().await.unwrap();
}

/// The colours of a saved picture of one red and one blue half, along a row.
const SAVE: &str = "(async () => {
    self.saved = [];
    // The browser's own, however often this runs.
    self.make ??= URL.createObjectURL;
    URL.createObjectURL = (blob) => { self.saved.push(blob); return self.make.call(URL, blob); };
    document.querySelector('#save').click();
})()";

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn pictures_are_saved_as_they_are_seen() {
    let (browser, _server) = open("panel=explore&model=faces").await;
    // Colours in the first row of the file: 64 if every pixel is a square.
    let colours = "await (async () => { const bitmap = await createImageBitmap(self.saved[0]); \
                   const c = document.createElement('canvas'); [c.width, c.height] = [bitmap.width, bitmap.height]; \
                   const d = c.getContext('2d'); d.drawImage(bitmap, 0, 0); \
                   const row = d.getImageData(0, 4, c.width, 1).data; let changes = 0; \
                   for (let i = 4; i < row.length; i += 4) \
                       changes += row[i] !== row[i - 4] || row[i + 1] !== row[i - 3] || row[i + 2] !== row[i - 2]; \
                   return changes; })()";
    for smooth in [true, false] {
        if !smooth {
            click(&browser, "#smooth").await;
            browser.wait_for("location.hash.includes('smooth=0')", PATIENCE).await.unwrap();
        }
        browser.eval(SAVE).await.unwrap();
        browser.wait_for("self.saved.length === 1", PATIENCE).await.unwrap();
        let changes = browser.eval(colours).await.unwrap().as_u64().unwrap();
        assert_eq!(changes > 63, smooth, "{changes} changes of colour");
    }
    browser.screenshot("explore-squares").await.unwrap();
    // And after a reload.
    browser.driver().refresh().await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    let still = "!document.querySelector('#smooth').checked && !document.body.classList.contains('smooth')";
    assert_eq!(browser.eval(still).await.unwrap(), true);
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_files_address_outlives_the_click() {
    let script = "self.made = 0; self.revoked = 0; const make = URL.createObjectURL, revoke = URL.revokeObjectURL;
        URL.createObjectURL = (blob) => { self.made += 1; return make.call(URL, blob); };
        URL.revokeObjectURL = (url) => { self.revoked += 1; return revoke.call(URL, url); };";
    let (browser, _server) = open_after(script, "model=faces").await;
    click(&browser, "#save").await;
    browser.wait_for("self.made === 1", PATIENCE).await.unwrap();
    // Longer than any browser takes to begin.
    browser.eval("await new Promise((done) => setTimeout(done, 1500))").await.unwrap();
    assert_eq!(browser.eval("self.revoked").await.unwrap(), 0);
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn title_and_description_follow_the_panel() {
    let (browser, _server) = open("model=faces32").await;
    let told = "[document.title, document.querySelector('meta[name=description]').content].join()";
    let first = browser.eval(told).await.unwrap();
    let tags = "['og:title', 'og:description'].map(name => document.querySelector(`meta[property=\"${name}\"]`).content).join()";
    assert_eq!(browser.eval(tags).await.unwrap(), first);
    click(&browser, "#tab-mix").await;
    browser.wait_for("document.title === 'Mix · RG-Flow'", PATIENCE).await.unwrap();
    let mix = browser.eval(told).await.unwrap();
    assert!(mix.as_str().unwrap().contains("mix two faces"), "{mix}");
    browser.eval("history.back()").await.unwrap();
    browser.wait_for(&format!("{told} === {first}"), PATIENCE).await.unwrap();
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn the_address_chooses_the_theme_and_links_do_not_carry_it() {
    let server = super::page::serve();
    let browser = Browser::start(&[]).await.unwrap();
    browser.before_pages(COPIED).await.unwrap();
    let paper = "getComputedStyle(document.body).backgroundColor";
    let (light, dark) = ("rgb(247, 244, 238)", "rgb(20, 23, 31)");
    for (device, query, expected) in [
        ("light", "", light),
        ("dark", "", dark),
        ("light", "?theme=dark", dark),
        ("dark", "?theme=light", light),
        ("dark", "?theme=auto", dark),
        ("light", "?theme=%3Cscript%3E", light),
    ] {
        let features = serde_json::json!({"features": [{"name": "prefers-color-scheme", "value": device}]});
        browser.chromium("Emulation.setEmulatedMedia", features).await.unwrap();
        browser.open("about:blank").await.unwrap();
        browser.open(&format!("{}{query}#model=faces32", server.url())).await.unwrap();
        assert_eq!(browser.eval(paper).await.unwrap(), expected, "{device} {query}");
    }
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    let choose = "(s => { s.value = 'dark'; s.dispatchEvent(new Event('change', {bubbles: true})); })\
                  (document.querySelector('#theme'))";
    browser.eval(choose).await.unwrap();
    browser.wait_for(&format!("{paper} === '{dark}' && location.search === '?theme=dark'"), PATIENCE).await.unwrap();
    click(&browser, "#copy-link").await;
    browser.wait_for("self.copied !== null", PATIENCE).await.unwrap();
    let link = browser.eval("self.copied").await.unwrap().as_str().unwrap().to_owned();
    assert!(!link.contains("theme") && link.contains("#model=faces32"), "{link}");
    // A reload keeps it, since the address does; nothing else does.
    browser.driver().refresh().await.unwrap();
    assert_eq!(browser.eval(paper).await.unwrap(), dark);
    assert_eq!(browser.eval("localStorage.length + document.cookie.length").await.unwrap(), 0);
    browser.finish().await.unwrap();
}
