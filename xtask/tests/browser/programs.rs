//! The page's programs: each is fetched when it is first needed, kept, and started again if it breaks down.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use xtask::server::Server;

use super::faulty::{Answer, dist, serve};
use super::harness::Browser;
use super::offline::kept;
use super::page::{PATIENCE, copied, prepend};
use super::panels::{FILLED, QUIET, afresh, click};

/// The page at a server that takes note of what is asked for, and has the later program while it may.
fn noted(may: &Arc<AtomicBool>) -> (String, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let (noted, may) = (Arc::clone(&asked), Arc::clone(may));
    let url = serve(&dist(), 0, move |path| {
        noted.lock().unwrap().push(path.to_owned());
        if is_late(path) && !may.load(Ordering::SeqCst) { Answer::Gone } else { Answer::Right }
    });
    (url, asked)
}

fn is_late(path: &str) -> bool {
    path.contains("/later")
}

fn has_late(asked: &Mutex<Vec<String>>) -> bool {
    asked.lock().unwrap().iter().any(|path| is_late(path))
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn only_who_fills_holes_or_trains_fetches_what_that_takes() {
    for (panel, done) in [("inpaint", FILLED), ("train", "document.documentElement.dataset.train === 'ready'")] {
        let (url, asked) = noted(&Arc::new(AtomicBool::new(true)));
        let browser = Browser::start(&[]).await.unwrap();
        afresh(&browser, &format!("{url}#model=faces32")).await;
        for other in ["mix", "explore", "about", "sample"] {
            click(&browser, &format!("#tab-{other}")).await;
            browser.wait_for(QUIET, PATIENCE).await.unwrap();
        }
        assert!(asked.lock().unwrap().iter().any(|path| path == "/worker_bg.wasm"));
        assert!(!has_late(&asked), "before {panel}: {:?}", asked.lock().unwrap());
        click(&browser, &format!("#tab-{panel}")).await;
        browser.wait_for(done, PATIENCE).await.unwrap();
        assert!(has_late(&asked), "{panel}");
        browser.finish().await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_link_to_a_hole_fetches_both_programs_at_once() {
    let (url, asked) = noted(&Arc::new(AtomicBool::new(true)));
    let browser = Browser::start(&[]).await.unwrap();
    afresh(&browser, &format!("{url}#panel=inpaint&model=faces32&p=3.0")).await;
    browser.wait_for(FILLED, PATIENCE).await.unwrap();
    let asked = asked.lock().unwrap().clone();
    let at = |name: &str| asked.iter().position(|path| path == name);
    assert!(at("/later_bg.wasm").unwrap() < at("/models/faces32.safetensors").unwrap(), "{asked:?}");
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_program_that_was_fetched_later_is_there_without_a_network_too() {
    let dir = copied();
    let server = Server::start(dir.path(), 0, "/").unwrap();
    let url = server.url();
    let browser = kept(&url).await;
    click(&browser, "#tab-inpaint").await;
    browser.wait_for(FILLED, PATIENCE).await.unwrap();
    let here = "(k => k.includes('later.js') && k.includes('later_bg.wasm'))\
        ((await (await caches.open('rg-flow-page')).keys()).map(r => r.url).join(' '))";
    browser.wait_for(here, PATIENCE).await.unwrap();
    drop(server);
    for (panel, done) in [("inpaint", FILLED), ("train", "document.documentElement.dataset.train === 'ready'")] {
        afresh(&browser, &format!("{url}#panel={panel}")).await;
        browser.wait_for(done, PATIENCE).await.unwrap();
    }
    // That there is no server is logged, and is no fault here.
    browser.console().await.unwrap();
    browser.finish().await.unwrap();
}

/// What the page says of holes that cannot be filled, whatever the reason.
const TOLD: &str = "document.querySelector('#notices').textContent.includes('the program for this failed')";

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_program_that_does_not_come_is_told_of_and_asked_for_again() {
    let may = Arc::new(AtomicBool::new(false));
    let (url, _) = noted(&may);
    let browser = Browser::start(&[]).await.unwrap();
    afresh(&browser, &format!("{url}#model=faces32")).await;
    click(&browser, "#tab-inpaint").await;
    browser.wait_for(TOLD, PATIENCE).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    browser.screenshot("inpaint-gone").await.unwrap();
    may.store(true, Ordering::SeqCst);
    click(&browser, "#inpaint-again").await;
    browser.wait_for(FILLED, PATIENCE).await.unwrap();
    // That it did not come is logged, and is no fault here.
    browser.console().await.unwrap();
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn who_leaves_a_hole_does_not_wait_for_its_program() {
    let dir = copied();
    // Its program never comes.
    let silence = "if (self.name === 'helper') await new Promise(() => {});";
    prepend(dir.path(), "engine.js", silence);
    let server = Server::start(dir.path(), 0, "/").unwrap();
    let browser = Browser::start(&[]).await.unwrap();
    afresh(&browser, &format!("{}#model=faces32", server.url())).await;
    click(&browser, "#tab-inpaint").await;
    let asked = "document.documentElement.dataset.busy === 'true'";
    browser.wait_for(asked, PATIENCE).await.unwrap();
    click(&browser, "#tab-sample").await;
    click(&browser, "#new-samples").await;
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_worker_that_breaks_down_over_a_hole_takes_nothing_along() {
    let dir = copied();
    let dies =
        "if (self.name === 'helper') new BroadcastChannel('test').onmessage = () => { throw new Error('killed'); };";
    prepend(dir.path(), "engine.js", dies);
    let server = Server::start(dir.path(), 0, "/").unwrap();
    let browser = Browser::start(&[]).await.unwrap();
    afresh(&browser, &format!("{}#panel=inpaint&model=faces32&p=3.0", server.url())).await;
    browser.wait_for(FILLED, PATIENCE).await.unwrap();
    // While it fills a hole…
    let kill = "(document.querySelector('#inpaint-again').click(), await new Promise((done) => setTimeout(done, 20)), \
                new BroadcastChannel('test').postMessage('die'), null)";
    browser.eval(kill).await.unwrap();
    browser.wait_for(&format!("{QUIET} && {TOLD}"), PATIENCE).await.unwrap();
    click(&browser, "#inpaint-again").await;
    browser.wait_for(FILLED, PATIENCE).await.unwrap();
    // …and while it has nothing to do, which nobody need hear of.
    browser.eval("(new BroadcastChannel('test').postMessage('die'), null)").await.unwrap();
    click(&browser, "#inpaint-again").await;
    browser.wait_for(&format!("{QUIET} && {FILLED}"), PATIENCE).await.unwrap();
    // That it broke down is logged, and is no fault here.
    browser.console().await.unwrap();
    browser.finish().await.unwrap();
}
