//! What may end at any moment: the GPU, the engine, the reader's look at the page.

use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use xtask::server::Server;

use super::gpu::{LOST_WHEN_TOLD, ON_CPU, ON_GPU, Page, WEBGPU, noted};
use super::harness::{Browser, in_full};
use super::page::{PATIENCE, copied, prepend, shown};
use super::panels::{FILLED, QUIET, click, open};

/// Panels whose pictures the engine draws, each with something that gives it work.
const WORK: [(&str, &str); 5] = [
    ("sample", "document.querySelector('#new-samples').click()"),
    (
        "mix",
        "(s => { s.value = s.value === '1' ? 2 : 1; s.dispatchEvent(new Event('input', { bubbles: true })); })(document.querySelector('#mix-cut'))",
    ),
    (
        "explore",
        "(s => { s.value = -s.value || 1; s.dispatchEvent(new Event('input', { bubbles: true })); })(document.querySelector('#explore-value'))",
    ),
    ("inpaint", "document.querySelector('#inpaint-again').click()"),
    ("about", "document.querySelector('#new-samples').click()"),
];

/// Chooses what models run on.
fn choose(backend: &str) -> String {
    format!(
        "(s => {{ s.value = '{backend}'; s.dispatchEvent(new Event('change')); }})(document.querySelector('#backend'))"
    )
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_gpu_may_be_lost_at_any_moment_of_any_panels_work() {
    let page = Page::new();
    page.spoil(LOST_WHEN_TOLD);
    let browser = Browser::start(&[WEBGPU]).await.unwrap();
    page.open(&browser, "webgpu").await;
    let mut random = ChaCha8Rng::seed_from_u64(20);
    for (panel, work) in WORK {
        for moment in 0..if in_full() { 20 } else { 1 } {
            click(&browser, "#tab-sample").await;
            browser.eval(&choose("cpu")).await.unwrap();
            browser.wait_for(ON_CPU, PATIENCE).await.unwrap();
            browser.eval(&choose("webgpu")).await.unwrap();
            browser.wait_for(ON_GPU, PATIENCE).await.unwrap();
            click(&browser, &format!("#tab-{panel}")).await;
            browser.wait_for(QUIET, PATIENCE).await.unwrap();
            let late = random.random_range(0..if in_full() { 400 } else { 100 });
            let lose = format!(
                "({work}, await new Promise((done) => setTimeout(done, {late})), \
                 new BroadcastChannel('test').postMessage('lose'), null)"
            );
            browser.eval(&lose).await.unwrap();
            // The page hears of it when it next wants the GPU.
            click(&browser, "#tab-sample").await;
            click(&browser, "#new-samples").await;
            browser.wait_for(&noted("WebGPU is not used"), PATIENCE).await.unwrap();
            browser.wait_for(QUIET, PATIENCE).await.unwrap();
            assert_eq!(browser.eval(ON_CPU).await.unwrap(), true, "{panel}, {moment}: lost after {late} ms");
            page.check(&browser).await;
        }
    }
    // What the browser itself logs of a lost device is no fault of the page.
    browser.console().await.unwrap();
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn an_engine_that_breaks_down_is_told_of_and_starts_again_where_it_was() {
    let dir = copied();
    prepend(
        dir.path(),
        "engine.js",
        "if (self.name === '') new BroadcastChannel('test').onmessage = () => { throw new Error('killed'); };",
    );
    let server = Server::start(dir.path(), 0, "/").unwrap();
    let browser = Browser::start(&[]).await.unwrap();
    browser.open(&format!("{}#model=msds1&seed=3", server.url())).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(21);
    for (panel, work) in WORK {
        for moment in 0..if in_full() { 20 } else { 1 } {
            click(&browser, &format!("#tab-{panel}")).await;
            browser.wait_for(QUIET, PATIENCE).await.unwrap();
            let late = random.random_range(0..400);
            let kill = format!(
                "({work}, await new Promise((done) => setTimeout(done, {late})), \
                 new BroadcastChannel('test').postMessage('die'), null)"
            );
            browser.eval(&kill).await.unwrap();
            let told = "document.querySelector('#cover').innerText.includes('broke down') && \
                        !document.querySelector('#retry').hidden";
            browser.wait_for(told, PATIENCE).await.unwrap();
            click(&browser, "#retry").await;
            browser.wait_for(QUIET, PATIENCE).await.unwrap();
            let still = format!("document.querySelector('#tab-{panel}').ariaSelected === 'true'");
            assert_eq!(browser.eval(&still).await.unwrap(), true, "{panel}, {moment}: killed after {late} ms");
        }
    }
    // The pictures are those that a new visit to the address shows.
    click(&browser, "#tab-sample").await;
    browser.wait_for(&format!("{QUIET} && location.hash.includes('seed=')"), PATIENCE).await.unwrap();
    let pictures = shown(&browser).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    let address = browser.eval("location.href").await.unwrap();
    super::panels::afresh(&browser, address.as_str().unwrap()).await;
    assert!(shown(&browser).await == pictures, "{address}");
    browser.console().await.unwrap();
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_page_that_nobody_looks_at_goes_on_when_somebody_does() {
    let (browser, _server) = open("panel=inpaint&model=faces32&p=3.0").await;
    browser.wait_for(FILLED, PATIENCE).await.unwrap();
    let note = "(self.seen = [], document.addEventListener('visibilitychange', () => seen.push(document.visibilityState)), null)";
    browser.eval(note).await.unwrap();
    let driver = browser.driver();
    let first = driver.window().await.unwrap();
    click(&browser, "#inpaint-again").await;
    // Another tab comes before it, then the browser stops its timers and scripts for a while.
    let other = driver.new_tab().await.unwrap();
    driver.switch_to_window(other).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    driver.close_window().await.unwrap();
    driver.switch_to_window(first).await.unwrap();
    for state in ["frozen", "active"] {
        browser.chromium("Page.setWebLifecycleState", json!({ "state": state })).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    browser.wait_for(FILLED, PATIENCE).await.unwrap();
    let seen = browser.eval("seen.join()").await.unwrap();
    assert!(seen.as_str().unwrap().starts_with("hidden,visible"), "{seen}");
    // And its pictures are on the screen.
    let painted = "document.querySelectorAll('#inpaint-choices canvas[data-painted]').length > 3";
    browser.wait_for(painted, PATIENCE).await.unwrap();
    browser.finish().await.unwrap();
}
