//! Fingers: they scroll, tap and pinch.

use serde_json::json;

use super::harness::Browser;
use super::page::{PATIENCE, serve};
use super::panels::{QUIET, click};

async fn phone(fragment: &str) -> (Browser, xtask::server::Server) {
    let server = serve();
    let browser = Browser::start(&["--window-size=390,844", "--touch-events=enabled"]).await.unwrap();
    browser.open(&format!("{}#{fragment}", server.url())).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    (browser, server)
}

/// The middle of an element that is scrolled into sight.
async fn middle(browser: &Browser, selector: &str) -> (f64, f64) {
    let script = format!(
        "(e => {{ e.scrollIntoView({{block: 'center'}}); const r = e.getBoundingClientRect(); \
         return [r.x + r.width / 2, r.y + r.height / 2]; }})(document.querySelector('{selector}'))"
    );
    let value = browser.eval(&script).await.unwrap();
    (value[0].as_f64().unwrap(), value[1].as_f64().unwrap())
}

async fn tap(browser: &Browser, (x, y): (f64, f64)) {
    for (kind, points) in [("touchStart", json!([{"x": x, "y": y}])), ("touchEnd", json!([]))] {
        browser.chromium("Input.dispatchTouchEvent", json!({"type": kind, "touchPoints": points})).await.unwrap();
    }
}

async fn swipe(browser: &Browser, (x, y): (f64, f64), by: f64) {
    const STEPS: u32 = 10;
    let at = |step: u32| json!([{"x": x, "y": y + by * f64::from(step) / f64::from(STEPS)}]);
    let moves = (1..=STEPS).map(|step| ("touchMove", at(step)));
    for (kind, points) in [("touchStart", at(0))].into_iter().chain(moves).chain([("touchEnd", json!([]))]) {
        browser.chromium("Input.dispatchTouchEvent", json!({"type": kind, "touchPoints": points})).await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_swipe_on_a_board_scrolls_and_a_tap_chooses() {
    let (browser, _server) = phone("panel=explore&model=faces32").await;
    let chosen = "document.querySelector('#explore-said').textContent";
    let first = browser.eval(chosen).await.unwrap();
    for selector in ["#explore-board", "#explore-pyramid figure:last-child .board"] {
        let at = middle(&browser, selector).await;
        let before = browser.eval("scrollY").await.unwrap().as_f64().unwrap();
        swipe(&browser, at, -150.0).await;
        browser.wait_for(&format!("scrollY > {before} + 50"), PATIENCE).await.unwrap();
        assert_eq!(browser.eval(chosen).await.unwrap(), first, "{selector}");
    }
    // A little into the place right below the middle.
    let (x, y) = middle(&browser, "#explore-board").await;
    tap(&browser, (x + 4.0, y + 4.0)).await;
    let said = "document.querySelector('#explore-said').textContent.includes('The pixel in row 17, column 17')";
    browser.wait_for(said, PATIENCE).await.unwrap();
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_finger_paints_holes_and_scrolls_nothing() {
    let (browser, _server) = phone("panel=inpaint&model=faces").await;
    let board = "getComputedStyle(document.querySelector('#inpaint-board')).touchAction";
    assert_eq!(browser.eval(board).await.unwrap(), "none");
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_pinch_enlarges_the_cut_out() {
    let (browser, _server) = phone("panel=explore&model=faces").await;
    click(&browser, "#explore-choose").await;
    let photo = "(async () => { const c = document.createElement('canvas'); [c.width, c.height] = [400, 400]; \
                 c.getContext('2d').fillRect(0, 0, 200, 200); const blob = await new Promise(done => c.toBlob(done)); \
                 const files = new DataTransfer(); files.items.add(new File([blob], 'me.png', {type: 'image/png'})); \
                 const input = document.querySelector('#picker-file'); input.files = files.files; \
                 input.dispatchEvent(new Event('change')); })()";
    browser.eval(photo).await.unwrap();
    browser.wait_for("!document.querySelector('#picker-crop').hidden", PATIENCE).await.unwrap();
    let (x, y) = middle(&browser, "#crop").await;
    let fingers = |apart: f64| json!([{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}]);
    for (kind, points) in [
        ("touchStart", fingers(40.0)),
        ("touchMove", fingers(60.0)),
        ("touchMove", fingers(80.0)),
        ("touchEnd", json!([])),
    ] {
        browser.chromium("Input.dispatchTouchEvent", json!({"type": kind, "touchPoints": points})).await.unwrap();
    }
    // Twice as large: a fifth of the way to thirty-two times.
    let zoom = "Math.abs(document.querySelector('#crop-zoom').value - 1 / 5) < 0.02";
    browser.wait_for(zoom, PATIENCE).await.unwrap();
    browser.screenshot("crop-phone").await.unwrap();
    browser.finish().await.unwrap();
}
