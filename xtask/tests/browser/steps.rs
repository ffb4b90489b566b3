//! The browser's Back and Forward: what counts as a step, and what a dialog's step does.

use serde_json::json;

use super::harness::Browser;
use super::page::{PATIENCE, shown};
use super::panels::{QUIET, click, open, slide};

async fn quiet_with(browser: &Browser, condition: &str) {
    browser.wait_for(&format!("{condition} && {QUIET}"), PATIENCE).await.unwrap();
}

async fn back(browser: &Browser) {
    browser.eval("history.back()").await.unwrap();
}

async fn forward(browser: &Browser) {
    browser.eval("history.forward()").await.unwrap();
}

async fn length(browser: &Browser) -> u64 {
    browser.eval("history.length").await.unwrap().as_u64().unwrap()
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_panel_a_model_and_new_samples_are_steps_and_sliders_are_not() {
    let (browser, _server) = open("model=faces32").await;
    let first = shown(&browser).await;
    let start = length(&browser).await;
    for value in ["0.3", "0.4", "0.5"] {
        slide(&browser, "#temperature", value).await;
    }
    quiet_with(&browser, "location.hash.includes('t=0.5')").await;
    assert_eq!(length(&browser).await, start);
    let warm = shown(&browser).await;
    assert_ne!(first, warm);

    browser.eval("document.querySelector('#new-samples').click()").await.unwrap();
    quiet_with(&browser, "!location.hash.includes('seed=3&')").await;
    click(&browser, "#tab-mix").await;
    quiet_with(&browser, "location.hash.includes('panel=mix')").await;
    let choose = "(s => { s.value = 'cartoon'; s.dispatchEvent(new Event('change', {bubbles: true})); })\
                  (document.querySelector('#model'))";
    browser.eval(choose).await.unwrap();
    quiet_with(&browser, "location.hash.includes('model=cartoon')").await;
    assert_eq!(length(&browser).await, start + 3);

    back(&browser).await;
    quiet_with(&browser, "location.hash.includes('model=faces32') && location.hash.includes('panel=mix')").await;
    assert_eq!(browser.eval("document.querySelector('#model').value").await.unwrap(), "faces32");
    back(&browser).await;
    quiet_with(&browser, "document.querySelector('#tab-sample').ariaSelected === 'true'").await;
    back(&browser).await;
    quiet_with(&browser, "document.documentElement.dataset.seed === '3'").await;
    assert_eq!(shown(&browser).await, warm);
    forward(&browser).await;
    quiet_with(&browser, "document.documentElement.dataset.seed !== '3'").await;
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn forward_does_not_lead_to_a_dialog_that_was_left() {
    let (browser, _server) = open("model=faces32&panel=mix").await;
    let picker = "document.querySelector('#picker').open";
    click(&browser, "#mix-choose-a").await;
    browser.wait_for(picker, PATIENCE).await.unwrap();
    // New samples in the dialog are no step of their own: the dialog's is the last.
    let before = length(&browser).await;
    click(&browser, "#picker-more").await;
    quiet_with(&browser, "!location.hash.includes('seed=3&')").await;
    assert_eq!(length(&browser).await, before);
    back(&browser).await;
    browser.wait_for(&format!("!{picker}"), PATIENCE).await.unwrap();
    let address = browser.eval("location.hash").await.unwrap();
    forward(&browser).await;
    // There and back again, whereupon the entry is an ordinary one.
    browser.eval("await new Promise(done => setTimeout(done, 500))").await.unwrap();
    browser.wait_for("history.state === null", PATIENCE).await.unwrap();
    assert_eq!(browser.eval(picker).await.unwrap(), json!(false));
    assert_eq!(browser.eval("location.hash").await.unwrap(), address);
    // The page goes on as ever.
    click(&browser, "#tab-explore").await;
    quiet_with(&browser, "location.hash.includes('panel=explore')").await;
    back(&browser).await;
    quiet_with(&browser, "document.querySelector('#tab-mix').ariaSelected === 'true'").await;
    assert_eq!(browser.eval("location.hash").await.unwrap(), address);
    browser.finish().await.unwrap();
}
