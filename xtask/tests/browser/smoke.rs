//! The harness itself: what page tests rely on.

use std::time::Duration;

use serde_json::json;
use thirtyfour::prelude::*;
use xtask::server::Server;

use super::harness::Browser;

const PAGE: &str = r#"<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<title>smoke</title><button>count</button><output>0</output>
<script type="module">
document.querySelector("button").onclick = () => {
  setTimeout(() => { document.querySelector("output").textContent++; }, 100);
};
window.answer = (await (await fetch("answer.json")).json()).answer;
</script>"#;

#[tokio::test]
#[ignore = "needs Chromium: run `cargo xtask test --only browser`"]
async fn a_page_below_a_prefix_can_be_driven() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("index.html"), PAGE).unwrap();
    std::fs::write(dir.path().join("answer.json"), r#"{"answer": 42}"#).unwrap();
    let server = Server::start(dir.path(), 0, "/sub/path/").unwrap();

    let browser = Browser::start(&[]).await.unwrap();
    browser.open(&server.url()).await.unwrap();
    assert_eq!(browser.driver().title().await.unwrap(), "smoke");
    browser
        .wait_for("window.answer === 42", Duration::from_secs(10))
        .await
        .unwrap();
    browser
        .driver()
        .find(By::Tag("button"))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
    let count = "document.querySelector('output').textContent";
    browser
        .wait_for(&format!("{count} === '1'"), Duration::from_secs(10))
        .await
        .unwrap();
    assert_eq!(
        browser
            .eval("await Promise.resolve([1, 'x'])")
            .await
            .unwrap(),
        json!([1, "x"])
    );

    let picture = browser.screenshot("smoke").await.unwrap();
    assert!(std::fs::read(picture).unwrap().starts_with(b"\x89PNG"));
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium: run `cargo xtask test --only browser`"]
async fn errors_of_the_page_are_seen() {
    let dir = tempfile::tempdir().unwrap();
    let page = r#"<link rel="icon" href="data:,"><script>console.error("as it should");</script>"#;
    std::fs::write(dir.path().join("index.html"), page).unwrap();
    let server = Server::start(dir.path(), 0, "/").unwrap();

    let browser = Browser::start(&[]).await.unwrap();
    browser.open(&server.url()).await.unwrap();
    let threw = browser.eval("nothing.here").await.unwrap_err();
    assert!(
        threw.to_string().contains("nothing is not defined"),
        "{threw}"
    );
    let late = browser
        .wait_for("1 === 2", Duration::from_millis(200))
        .await
        .unwrap_err();
    assert!(late.to_string().contains("as it should"), "{late}");

    browser.eval("console.error('once more')").await.unwrap();
    let err = browser.finish().await.unwrap_err();
    assert!(err.to_string().contains("once more"), "{err}");
}
