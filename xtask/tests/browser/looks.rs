//! How the page looks where that is easily lost: while it waits, without motion, in the reader's own colours.

use serde_json::json;
use xtask::server::Server;

use super::harness::Browser;
use super::page::{PATIENCE, copied, prepend, serve};
use super::panels::{QUIET, click, open};

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn the_story_has_its_room_before_it_has_its_pictures() {
    let dir = copied();
    // An engine that never answers a panel.
    prepend(
        dir.path(),
        "engine.js",
        "{ const say = self.postMessage.bind(self); \
           self.postMessage = (message, ...rest) => { if (!message?.last?.last?.answer) say(message, ...rest); }; }",
    );
    let server = Server::start(dir.path(), 0, "/").unwrap();
    for (width, file) in [(1280, "about-waiting"), (390, "about-waiting-phone")] {
        let browser = Browser::start(&[&format!("--window-size={width},1000")]).await.unwrap();
        browser.open(&format!("{}#panel=about&model=faces32", server.url())).await.unwrap();
        browser.wait_for("document.querySelectorAll('#about-cones canvas').length === 4", PATIENCE).await.unwrap();
        browser.screenshot(file).await.unwrap();
        let sizes = "[...document.querySelectorAll('.shots canvas')].map(c => c.getBoundingClientRect().width)";
        let largest = browser.eval(&format!("Math.max(...{sizes})")).await.unwrap().as_f64().unwrap();
        assert!(largest < 130.0, "{largest} pixels at {width}");
        let excess = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.eval(excess).await.unwrap(), 0);
        // Nothing but the pictures themselves is still to come.
        assert_eq!(browser.eval("document.querySelectorAll('.shots').length * 4").await.unwrap(), 24);
        assert_eq!(browser.eval(&format!("{sizes}.length")).await.unwrap(), 24);
        browser.finish().await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn what_is_selected_is_told_in_the_readers_own_colours() {
    let (browser, _server) = open("panel=mix&model=faces32&cut=2").await;
    let forced = json!({"features": [{"name": "forced-colors", "value": "active"}]});
    browser.chromium("Emulation.setEmulatedMedia", forced).await.unwrap();
    assert_eq!(browser.eval("matchMedia('(forced-colors: active)').matches").await.unwrap(), true);
    browser.screenshot("mix-forced-colours").await.unwrap();
    let look = "(e => (s => [s.backgroundColor, s.color, s.borderBottomColor].join())(getComputedStyle(e)))";
    for (selected, other) in
        [("#tab-mix", "#tab-explore"), (".column[aria-pressed=true]", ".column[aria-pressed=false]")]
    {
        let pair = format!("['{selected}', '{other}'].map(s => document.querySelector(s)).map({look})");
        let pair = browser.eval(&pair).await.unwrap();
        assert_ne!(pair[0], pair[1], "{selected}");
        let background = |i: usize| pair[i].as_str().unwrap().split("),").next().unwrap().to_owned();
        assert_ne!(background(0), background(1), "{selected}");
    }
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_latent_chosen_far_below_brings_its_slider_into_sight() {
    let server = serve();
    let browser = Browser::start(&["--window-size=1280,700"]).await.unwrap();
    browser.open(&format!("{}#panel=explore&model=faces32", server.url())).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    click(&browser, "#explore-search").await;
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    let seen = "(r => r.top >= -1 && r.bottom <= innerHeight + 1)(document.querySelector('#explore-value').getBoundingClientRect())";
    let last = "#explore-leading .factors:last-child .cell:last-child";
    browser.eval(&format!("document.querySelector('{last}').scrollIntoView()")).await.unwrap();
    browser.wait_for(&format!("!{seen}"), PATIENCE).await.unwrap();
    click(&browser, last).await;
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    assert_eq!(browser.eval(seen).await.unwrap(), true);
    assert_eq!(browser.eval("document.activeElement.id").await.unwrap(), "explore-value");
    browser.screenshot("explore-leading").await.unwrap();
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn fields_that_are_not_in_sight_yet_follow_the_address() {
    let (browser, _server) = open("panel=mix&model=faces32&seed=7&t=0.3&cut=4").await;
    assert_eq!(browser.eval("document.querySelector('#seed').value").await.unwrap(), "7");
    assert_eq!(browser.eval("document.querySelector('#temperature').value").await.unwrap(), "0.3");
    assert_eq!(browser.eval("document.querySelector('#status').textContent").await.unwrap(), "");
    // At either end of Θ both mixtures are one of the pictures, and say so.
    assert_eq!(browser.eval("document.querySelector('#mix-caption-ab').textContent").await.unwrap(), "all of B");
    browser.finish().await.unwrap();
}
