//! The page on a slow line: its first samples are stored beside it and show long before the model is there.

use serde_json::{Value, json};

use super::harness::Browser;
use super::page::{PATIENCE, largest_difference, serve, shown};
use super::panels::QUIET;

/// Bytes a second: 1.6 Mbit/s, as the third generation of mobile networks has.
const SLOW: u64 = 200_000;

async fn slow() -> Browser {
    let browser = Browser::start(&[]).await.unwrap();
    browser.chromium("Network.enable", json!({})).await.unwrap();
    limit(&browser, SLOW as i64).await;
    browser
}

async fn limit(browser: &Browser, bytes: i64) {
    let line = json!({"offline": false, "latency": 100, "downloadThroughput": bytes, "uploadThroughput": bytes});
    browser.chromium("Network.emulateNetworkConditions", line).await.unwrap();
}

/// What is in sight: a picture in every cell, and no card on top of all of them.
const STORED: &str = "document.documentElement.dataset.preview === 'shown' && \
    document.querySelectorAll('canvas[data-index][data-painted]').length === 16";

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn stored_samples_show_at_once_and_the_live_ones_are_equal() {
    let server = serve();
    let browser = slow().await;
    browser.open(&server.url()).await.unwrap();
    // The sheet as it is, even before the program has made cells for its pictures.
    let early = "document.documentElement.dataset.preview === 'shown' && \
        (document.querySelectorAll('#grid .cell').length === 16 || \
        getComputedStyle(document.querySelector('#grid')).backgroundImage.includes('first.png'))";
    browser.wait_for(early, PATIENCE).await.unwrap();
    browser.wait_for(STORED, PATIENCE).await.unwrap();
    assert_eq!(browser.eval("document.documentElement.dataset.state").await.unwrap(), "loading");
    browser.screenshot("stored-samples").await.unwrap();
    let stored = shown(&browser).await;
    limit(&browser, -1).await;
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    let live = shown(&browser).await;
    assert_eq!(stored.len(), 16);
    let off = largest_difference(&stored, &live);
    assert!(off <= 2, "the stored samples differ from the live ones by {off}/255");
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn an_address_with_other_pictures_fetches_no_stored_ones() {
    let server = serve();
    for fragment in ["seed=8", "model=cartoon", "panel=mix"] {
        let browser = Browser::start(&[]).await.unwrap();
        browser.open(&format!("{}#{fragment}", server.url())).await.unwrap();
        browser.wait_for(QUIET, PATIENCE).await.unwrap();
        let fetched = "performance.getEntriesByType('resource').some(e => e.name.includes('pictures/first'))";
        assert_eq!(browser.eval(fetched).await.unwrap(), Value::Bool(false), "{fragment}");
        assert_eq!(browser.eval("document.documentElement.dataset.preview").await.unwrap(), "");
        browser.finish().await.unwrap();
    }
}
