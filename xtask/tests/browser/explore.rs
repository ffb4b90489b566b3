//! Explore: leading directions, strips, strengths, and two priors side by side.

use super::page::PATIENCE;
use super::panels::{QUIET, afresh, click, open, pixels, slide};

const BOARD: &str = "#explore-board canvas";

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_leading_direction_moves_the_whole_picture_and_its_link_repeats_it() {
    let (browser, _server) = open("panel=explore&model=faces32").await;
    let before = pixels(&browser, BOARD).await;
    let sliders = "document.querySelectorAll('#explore-directions input').length";
    assert_eq!(browser.eval(sliders).await.unwrap(), 8);
    slide(&browser, "#explore-direction-1", "-2.5").await;
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    let moved = pixels(&browser, BOARD).await;
    let changed = before.chunks(3).zip(moved.chunks(3)).filter(|(a, b)| a != b).count();
    assert!(changed > 900, "{changed} of 1024 pixels");
    browser.wait_for("location.hash.includes('d=1:-2.5')", PATIENCE).await.unwrap();
    browser.screenshot("explore-direction").await.unwrap();
    let link = browser.eval("location.href").await.unwrap();
    click(&browser, "#explore-undo").await;
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    assert_eq!(pixels(&browser, BOARD).await, before);
    afresh(&browser, link.as_str().unwrap()).await;
    assert_eq!(pixels(&browser, BOARD).await, moved);
    // Another model has other directions, or none.
    browser
        .eval("(s => { s.value = 'msds1'; s.dispatchEvent(new Event('change')); })(document.querySelector('#model'))")
        .await
        .unwrap();
    browser.wait_for("location.hash.includes('model=msds1')", PATIENCE).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    assert_eq!(browser.eval("document.querySelector('#explore-directions').hidden").await.unwrap(), true);
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn outlines_come_with_the_hand() {
    let (browser, _server) = open("panel=explore&model=faces32").await;
    let marked = "(c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 0))\
                  (document.querySelector('#explore-board .layer'))";
    assert_eq!(browser.eval(marked).await.unwrap(), false);
    let point =
        |name: &str| format!("document.querySelector('#explore-board').dispatchEvent(new PointerEvent('{name}'))");
    browser.eval(&point("pointerenter")).await.unwrap();
    browser.wait_for(marked, PATIENCE).await.unwrap();
    browser.eval(&point("pointerleave")).await.unwrap();
    browser.wait_for(&format!("!({marked})"), PATIENCE).await.unwrap();
    click(&browser, "#explore-field").await;
    browser.wait_for(marked, PATIENCE).await.unwrap();
    // Names stand beside the picture: many of them above it would push it down.
    let beside = "((names, board) => names.left >= board.right && Math.abs(names.top - board.top) < 60)\
                  (...['#explore-names', '#explore-board'].map(s => document.querySelector(s).getBoundingClientRect()))";
    assert_eq!(browser.eval(beside).await.unwrap(), true);
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn strips_show_factors_and_two_priors_are_compared() {
    let (browser, _server) = open("panel=explore&model=cartoon").await;
    click(&browser, "#explore-make-strips").await;
    let made = |id: &str, count: usize| {
        format!("document.querySelectorAll('#{id} .strip-row canvas[data-painted]').length === {count}")
    };
    browser.wait_for(&made("explore-strips", 8 * 5), PATIENCE).await.unwrap();
    click(&browser, "#explore-strips .strip-row:nth-child(2) button").await;
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    browser
        .wait_for("document.querySelector('#explore-names :nth-child(2)').ariaPressed === 'true'", PATIENCE)
        .await
        .unwrap();
    click(&browser, "#explore-compare").await;
    browser.wait_for(&made("explore-twin-0", 25), PATIENCE).await.unwrap();
    browser.wait_for(&made("explore-twin-1", 25), PATIENCE).await.unwrap();
    browser.screenshot("explore-twins").await.unwrap();
    let at_zero = "#explore-twin-0 .strip-row canvas:nth-of-type(3)";
    assert_ne!(pixels(&browser, at_zero).await, pixels(&browser, "#explore-twin-1 .strip-row canvas").await);
    click(&browser, "#explore-search").await;
    browser.wait_for("document.querySelectorAll('#explore-strengths rect').length > 10", PATIENCE).await.unwrap();
    let label = "document.querySelector('#explore-strengths-chart').getAttribute('aria-label')";
    assert!(browser.eval(label).await.unwrap().as_str().unwrap().contains("of 48 above one"));
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn many_names_do_not_widen_a_phones_page() {
    let (browser, _server) = open("panel=explore&model=faces32").await;
    let phone = serde_json::json!({"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": true});
    browser.chromium("Emulation.setDeviceMetricsOverride", phone).await.unwrap();
    let fits = "innerWidth === 390 && document.documentElement.scrollWidth === 390 && \
                (e => e.scrollWidth > e.clientWidth)(document.querySelector('#explore-names'))";
    browser.wait_for(fits, PATIENCE).await.unwrap();
    browser.finish().await.unwrap();
}
