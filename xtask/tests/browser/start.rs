//! A page that cannot start says why, and how to go on.

use std::time::Duration;

use super::faulty::{Answer, dist, serve};
use super::harness::Browser;
use super::page::{DONE, PATIENCE};

const FAILED: &str = "document.documentElement.dataset.state === 'error' && !document.querySelector('#retry').hidden";
const DETAIL: &str = "document.querySelector('#cover-detail').textContent";

/// What the page says when it cannot start.
async fn said(browser: &Browser) -> String {
    browser.wait_for(FAILED, PATIENCE).await.unwrap();
    let text = browser.eval(DETAIL).await.unwrap().as_str().unwrap().to_owned();
    // That files were refused is logged, and is no fault here.
    browser.console().await.unwrap();
    text
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_page_that_was_opened_as_a_file_says_that_it_wants_a_server() {
    let browser = Browser::start(&[]).await.unwrap();
    browser.open(&format!("file://{}", dist().join("index.html").canonicalize().unwrap().display())).await.unwrap();
    let said = said(&browser).await;
    assert!(said.contains("opened as a file") && said.contains("http.server"), "{said}");
    browser.screenshot("file").await.unwrap();
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_file_that_is_missing_or_of_a_wrong_type_is_named() {
    let browser = Browser::start(&[]).await.unwrap();
    for (part, answer) in [("boot-", Answer::Typed("text/plain")), ("style-", Answer::Gone)] {
        let url = serve(&dist(), 0, move |path| if path.contains(part) { answer } else { Answer::Right });
        browser.open(&url).await.unwrap();
        let said = said(&browser).await;
        assert!(said.contains(part) && said.contains("did not arrive, or its server gives it a wrong type"), "{said}");
    }
    // A program with any type is compiled all the same, and a worker's script with a wrong one is told of by the page.
    let url = serve(&dist(), 0, |path| {
        if path.ends_with(".wasm") { Answer::Typed("application/octet-stream") } else { Answer::Right }
    });
    browser.open(&url).await.unwrap();
    browser.wait_for(DONE, PATIENCE).await.unwrap();
    let url = serve(
        &dist(),
        0,
        |path| {
            if path.ends_with("/engine.js") { Answer::Typed("text/plain") } else { Answer::Right }
        },
    );
    browser.open(&url).await.unwrap();
    let said = said(&browser).await;
    assert!(said.contains("engine could not be loaded"), "{said}");
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_sandboxed_frame_is_told_of() {
    let dir = super::page::copied();
    let around =
        |sandbox: &str| format!("<!doctype html><title>x</title><iframe sandbox='{sandbox}' src='./'></iframe>");
    std::fs::write(dir.path().join("strict.html"), around("allow-scripts")).unwrap();
    std::fs::write(dir.path().join("open.html"), around("allow-scripts allow-same-origin")).unwrap();
    let url = serve(dir.path(), 0, |_| Answer::Right);
    let browser = Browser::start(&[]).await.unwrap();
    browser.open(&format!("{url}strict.html")).await.unwrap();
    browser.driver().enter_frame(0).await.unwrap();
    let said = said(&browser).await;
    assert!(said.contains("sandboxed frame") && said.contains("allow-same-origin"), "{said}");
    browser.open(&format!("{url}open.html")).await.unwrap();
    browser.driver().enter_frame(0).await.unwrap();
    browser.wait_for(DONE, PATIENCE).await.unwrap();
    browser.console().await.unwrap();
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_server_that_does_not_answer_is_told_of_and_waited_for() {
    let browser = Browser::start(&[]).await.unwrap();
    let url = serve(&dist(), 0, |path| {
        // The program's script is late, and all else a little.
        let late = path.contains("/app-") && path.ends_with(".js");
        Answer::After(Duration::from_millis(if late { 12_000 } else { 300 }))
    });
    // The page's `load` event waits for the program.
    browser.eval(&format!("void (location.href = '{url}')")).await.unwrap();
    let title = "document.querySelector('#cover-title')?.textContent";
    browser.wait_for(&format!("{title} === 'Still loading the page'"), PATIENCE).await.unwrap();
    assert!(browser.eval(DETAIL).await.unwrap().as_str().unwrap().contains("does not answer"));
    browser.wait_for(DONE, PATIENCE).await.unwrap();
    browser.finish().await.unwrap();
}
