//! Dialogs: what is in them when they open, and how one leaves them.

use super::harness::Browser;
use super::page::PATIENCE;
use super::panels::{QUIET, click, open};

const PICKER: &str = "document.querySelector('#picker').open";

async fn is(browser: &Browser, condition: &str) {
    browser.wait_for(condition, PATIENCE).await.unwrap();
}

fn selected(panel: &str) -> String {
    format!("document.querySelector('#tab-{panel}').ariaSelected === 'true'")
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn the_gallery_is_there_when_its_dialog_opens() {
    let (browser, _server) = open("model=faces&seed=3").await;
    for (panel, button) in [("mix", "#mix-choose-b"), ("explore", "#explore-choose"), ("inpaint", "#inpaint-choose")] {
        click(&browser, &format!("#tab-{panel}")).await;
        is(&browser, QUIET).await;
        click(&browser, button).await;
        is(&browser, PICKER).await;
        // The samples have been here for long: nothing more will come.
        let painted = "document.querySelectorAll('#picker-gallery .cell:enabled canvas[data-painted]').length";
        assert_eq!(browser.eval(painted).await.unwrap(), 16, "{panel}");
        browser.screenshot(&format!("gallery-{panel}")).await.unwrap();
        click(&browser, "#picker-close").await;
        is(&browser, &format!("!{PICKER}")).await;
    }
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn back_closes_a_dialog_and_changes_nothing_else() {
    let (browser, _server) = open("model=faces&seed=3").await;
    click(&browser, "#door-own").await;
    is(&browser, PICKER).await;
    browser.eval("history.back()").await.unwrap();
    is(&browser, &format!("!{PICKER}")).await;
    click(&browser, "#tab-mix").await;
    is(&browser, QUIET).await;
    click(&browser, "#mix-choose-a").await;
    is(&browser, PICKER).await;
    // What is set behind the dialog is not taken back.
    let before = browser.eval("location.hash").await.unwrap().as_str().unwrap().to_owned();
    click(&browser, "#picker-more").await;
    is(&browser, &format!("location.hash !== '{before}'")).await;
    is(&browser, QUIET).await;
    let address = browser.eval("location.hash").await.unwrap().as_str().unwrap().to_owned();
    browser.eval("history.back()").await.unwrap();
    is(&browser, &format!("!{PICKER}")).await;
    is(&browser, &selected("mix")).await;
    is(&browser, &format!("location.hash === '{address}'")).await;
    // A choice closes it too, and leaves no step of its own in the history.
    click(&browser, "#mix-choose-a").await;
    is(&browser, PICKER).await;
    let before = browser.eval("location.hash").await.unwrap().as_str().unwrap().to_owned();
    click(&browser, "#picker-gallery button:nth-child(8)").await;
    is(&browser, &format!("!{PICKER} && location.hash !== '{before}' && location.hash.includes('.7')")).await;
    is(&browser, "history.state === null").await;
    is(&browser, QUIET).await;
    browser.eval("history.back()").await.unwrap();
    is(&browser, &selected("sample")).await;
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_chosen_sample_stays_whatever_temperature_is_set_later() {
    let (browser, _server) = open("panel=mix&model=faces&t=0.7&a=3.0&b=4.2").await;
    let shown = super::panels::pixels(&browser, "#mix-picture-a").await;
    click(&browser, "#tab-sample").await;
    is(&browser, QUIET).await;
    super::panels::slide(&browser, "#temperature", "0.3").await;
    is(&browser, QUIET).await;
    click(&browser, "#tab-mix").await;
    is(&browser, QUIET).await;
    assert_eq!(super::panels::pixels(&browser, "#mix-picture-a").await, shown);
    let name = browser.eval("document.querySelector('#mix-name-a').textContent").await.unwrap();
    assert_eq!(name, "Sample 1 of seed 3, temperature 0.7");
    browser.finish().await.unwrap();
}
