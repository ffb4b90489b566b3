//! The mix panel: its pair, its table, and the card that it ends in.

use super::page::PATIENCE;
use super::panels::{QUIET, click, open, open_after, pixels, slide};

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn each_model_opens_with_its_pair_and_says_what_it_shows() {
    let (browser, _server) = open("panel=mix&model=faces").await;
    let says = "document.querySelector('#mix-says').textContent";
    let said = browser.eval(says).await.unwrap();
    assert_eq!(said, "B lends eyes, nose and mouth; A keeps the light, the colours and the hair.");
    let hash = browser.eval("location.hash").await.unwrap();
    assert!(hash.as_str().unwrap().contains("cut=4") || hash.as_str().unwrap() == "#panel=mix&model=faces", "{hash}");
    browser.screenshot("mix-pair").await.unwrap();
    // Another model has another pair, unless the reader chose one.
    browser
        .eval("(m => { m.value = 'cartoon'; m.dispatchEvent(new Event('change')); })(document.querySelector('#model'))")
        .await
        .unwrap();
    browser.wait_for("location.hash.includes('model=cartoon')", PATIENCE).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    browser.wait_for(&format!("{says}.includes('brows')"), PATIENCE).await.unwrap();
    slide(&browser, "#mix-cut", "0").await;
    browser.wait_for(&format!("{says}.startsWith('All of A')"), PATIENCE).await.unwrap();
    assert_eq!(pixels(&browser, "#mix-ab").await, pixels(&browser, "#mix-picture-a").await);
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_mixture_of_the_table_becomes_the_pair() {
    let (browser, _server) = open("panel=mix&model=faces32&a=3.1&b=3.2&cut=2").await;
    let cell = "#mix-table button:nth-of-type(7)";
    let (before, sources) = (pixels(&browser, &format!("{cell} canvas")).await, "#mix-table .source:nth-of-type");
    // Four fine sources come first, then each row's coarse one.
    let (coarse, fine) = (
        pixels(&browser, &format!("{sources}(6) canvas")).await,
        pixels(&browser, &format!("{sources}(3) canvas")).await,
    );
    let at = browser.driver().find(thirtyfour::By::Css(cell)).await.unwrap();
    at.send_keys(thirtyfour::Key::Enter).await.unwrap();
    browser.wait_for("!location.hash.includes('a=3.1&')", PATIENCE).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    assert_eq!(pixels(&browser, "#mix-ab").await, before);
    assert_eq!(pixels(&browser, "#mix-picture-a").await, coarse);
    assert_eq!(pixels(&browser, "#mix-picture-b").await, fine);
    browser.finish().await.unwrap();
}

/// A browser that shares whatever it is given, and remembers it; and that remembers files instead of saving them.
const SHARES: &str = "self.made = []; self.shared = null; \
    URL.createObjectURL = blob => (self.made.push(blob), 'data:,'); \
    navigator.canShare = data => data.files.every(file => file.type === 'image/png'); \
    navigator.share = async data => { self.shared = data; };";

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_card_is_made_saved_and_shared() {
    let (browser, _server) = open_after(SHARES, "panel=mix&model=faces").await;
    click(&browser, "#mix-make-card").await;
    browser.wait_for("document.querySelector('#mix-card').open", PATIENCE).await.unwrap();
    browser.screenshot("mix-card").await.unwrap();
    // The pictures are on it, and the link.
    let colours = "new Set(new Uint32Array(document.querySelector('#card-canvas').getContext('2d')\
                   .getImageData(0, 0, 1200, 630).data.buffer)).size";
    assert!(browser.eval(colours).await.unwrap().as_u64().unwrap() > 2000);
    let head = |i: usize| {
        format!("String.fromCharCode(...new Uint8Array(await window.made[{i}].arrayBuffer()).slice(0, 6)).slice(1, 4)")
    };
    click(&browser, "#card-save").await;
    browser.wait_for("window.made.length === 1", PATIENCE).await.unwrap();
    assert_eq!(browser.eval(&head(0)).await.unwrap(), "PNG");
    click(&browser, "#card-film").await;
    browser.wait_for("window.made.length === 2", PATIENCE).await.unwrap();
    assert_eq!(browser.eval(&head(1)).await.unwrap(), "IF8");
    click(&browser, "#card-share").await;
    browser.wait_for("window.shared !== null", PATIENCE).await.unwrap();
    let shared = "[shared.url === location.href, shared.files[0].name, shared.text.startsWith('B lends')].join()";
    assert_eq!(browser.eval(shared).await.unwrap(), "true,rg-flow-card.png,true");
    let link = browser.eval("shared.url").await.unwrap();
    assert!(link.as_str().unwrap().contains("panel=mix") && link.as_str().unwrap().contains("&a="), "{link}");
    // Back closes it.
    browser.eval("history.back()").await.unwrap();
    browser.wait_for("!document.querySelector('#mix-card').open", PATIENCE).await.unwrap();
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn where_nothing_can_be_shared_nothing_offers_to() {
    let (browser, _server) = open_after("delete Navigator.prototype.share;", "panel=mix&model=faces32").await;
    click(&browser, "#mix-make-card").await;
    browser.wait_for("document.querySelector('#mix-card').open", PATIENCE).await.unwrap();
    assert_eq!(browser.eval("document.querySelector('#card-share').checkVisibility()").await.unwrap(), false);
    browser.finish().await.unwrap();
}
