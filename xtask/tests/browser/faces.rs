//! Photographs of the reader's own: the face in them is found, and what was cut out of them stays.

use serde_json::json;
use thirtyfour::prelude::*;
use xtask::server::Server;

use super::harness::Browser;
use super::own::put;
use super::page::{PATIENCE, serve};
use super::panels::{QUIET, afresh, click, pixels};

/// The picture A of the panel, a sample of the model, in a larger picture: turned by 20°, and once more, smaller, if wanted.
fn photo(twice: bool) -> String {
    let second = if twice { "d.drawImage(a, 40, 60, 150, 150);" } else { "" };
    format!(
        "await new Promise(done => {{ const a = document.querySelector('#mix-picture-a'); \
         const c = document.createElement('canvas'); [c.width, c.height] = [640, 480]; \
         const d = c.getContext('2d'); d.fillStyle = '#788890'; d.fillRect(0, 0, 640, 480); {second} \
         d.translate(430, 250); d.rotate(20 * Math.PI / 180); d.drawImage(a, -130, -130, 260, 260); c.toBlob(done); }})"
    )
}

const NO_FACE: &str = "await new Promise(done => { const c = document.createElement('canvas'); \
    [c.width, c.height] = [400, 200]; const d = c.getContext('2d'); d.fillStyle = 'rgb(40, 90, 160)'; \
    d.fillRect(0, 0, 400, 200); d.fillStyle = 'rgb(200, 60, 40)'; d.fillRect(0, 0, 200, 200); c.toBlob(done); })";

/// A page with the picker at a photograph, which has been looked at.
async fn chosen(photo: &str) -> (Browser, Server) {
    let server = serve();
    let browser = Browser::start(&[]).await.unwrap();
    browser.open(&format!("{}#panel=mix&model=faces&a=3.0", server.url())).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    click(&browser, "#mix-choose-b").await;
    choose(&browser, photo).await;
    (browser, server)
}

async fn choose(browser: &Browser, photo: &str) {
    browser.eval(&put("#picker-file", "me.png", "image/png", photo)).await.unwrap();
    browser.wait_for("!document.querySelector('#picker-crop').hidden", PATIENCE).await.unwrap();
    browser.wait_for("!document.querySelector('#crop-said').textContent.includes('Looking')", PATIENCE).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
}

async fn said(browser: &Browser) -> String {
    let said = browser.eval("document.querySelector('#crop-said').textContent").await.unwrap();
    said.as_str().unwrap().to_owned()
}

async fn turn(browser: &Browser) -> f64 {
    browser.eval("Number(document.querySelector('#crop-turn').value)").await.unwrap().as_f64().unwrap()
}

/// Grey levels between two pictures, on average.
fn difference(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64
}

/// A click at a place of an element, in shares of its edges.
async fn click_at(browser: &Browser, selector: &str, x: f64, y: f64) {
    let script = format!(
        "(e => {{ const r = e.getBoundingClientRect(); e.dispatchEvent(new MouseEvent('click', {{bubbles: true, \
         clientX: r.x + {x} * r.width, clientY: r.y + {y} * r.height}})); }})(document.querySelector('{selector}'))"
    );
    browser.eval(&script).await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_photograph_is_aligned_without_a_click_and_stays_after_a_reload() {
    let (browser, _server) = chosen(&photo(false)).await;
    assert!(said(&browser).await.starts_with("A face was found"), "{}", said(&browser).await);
    browser.screenshot("aligned").await.unwrap();
    let turned = turn(&browser).await;
    assert!((turned - 20.0).abs() < 5.0, "turned by {turned}°");
    // Back where it was before it was turned and moved.
    let (preview, face) = (pixels(&browser, "#crop-preview").await, pixels(&browser, "#mix-picture-a").await);
    let off = difference(&preview, &face);
    assert!(off < 20.0, "{off} grey levels");
    // The weights were fetched for it, and are kept for a visit without a network.
    let kept =
        "(await (await caches.open('rg-flow-models-1')).keys()).some(r => r.url.includes('/faces/faces.safetens'))";
    browser.wait_for(kept, PATIENCE).await.unwrap();
    click(&browser, "#crop-use").await;
    browser.wait_for("location.hash.includes('b=own.')", PATIENCE).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    assert_eq!(pixels(&browser, "#mix-picture-b").await, preview);
    // On another visit, in another panel.
    let url = browser.eval("location.href.split('#')[0]").await.unwrap().as_str().unwrap().to_owned();
    afresh(&browser, &format!("{url}#panel=explore&model=faces")).await;
    click(&browser, "#explore-choose").await;
    browser.wait_for("document.querySelector('#picker-own').checkVisibility()", PATIENCE).await.unwrap();
    browser.screenshot("own-pictures").await.unwrap();
    assert_eq!(pixels(&browser, "#picker-own-pictures canvas").await, preview);
    click(&browser, "#picker-own-pictures .cell").await;
    browser.wait_for("location.hash.includes('x=own.')", PATIENCE).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    // Gone for good.
    click(&browser, "#explore-choose").await;
    click(&browser, "#picker-own-pictures .button").await;
    browser.wait_for("!document.querySelector('#picker-own').checkVisibility()", PATIENCE).await.unwrap();
    assert_eq!(browser.eval("localStorage.length").await.unwrap(), 0);
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn where_no_face_is_found_two_taps_do_with_or_without_a_pointer() {
    let (browser, _server) = chosen(NO_FACE).await;
    assert!(said(&browser).await.starts_with("No face was found. Tap both eyes"), "{}", said(&browser).await);
    browser.screenshot("tap-both-eyes").await.unwrap();
    // The picture, 400 by 200, lies in the middle of the square. Below it there is nothing to tap.
    click_at(&browser, "#crop", 0.5, 0.95).await;
    click_at(&browser, "#crop", 0.4, 0.4).await;
    assert_eq!(said(&browser).await, "Now tap the other eye.");
    click_at(&browser, "#crop", 0.6, 0.6).await;
    browser
        .wait_for("document.querySelector('#crop-said').textContent.includes('on the crosses')", PATIENCE)
        .await
        .unwrap();
    assert_eq!(turn(&browser).await, 45.0);
    // By keys alone: the cross begins in the middle.
    click(&browser, "#crop-tap").await;
    let crop = browser.driver().find(By::Id("crop")).await.unwrap();
    crop.send_keys(Key::Left + Key::Enter).await.unwrap();
    crop.send_keys(Key::Right + Key::Right + Key::Right + Key::Right + Key::Enter).await.unwrap();
    browser
        .wait_for("document.querySelector('#crop-said').textContent.includes('on the crosses')", PATIENCE)
        .await
        .unwrap();
    assert_eq!(turn(&browser).await, 0.0);
    // Shift and an arrow turn it, one degree a key; so does the slider.
    crop.send_keys(Key::Shift + Key::Right + Key::Right).await.unwrap();
    assert_eq!(turn(&browser).await, 2.0);
    let slider = browser.driver().find(By::Id("crop-turn")).await.unwrap();
    slider.send_keys(Key::Left).await.unwrap();
    assert_eq!(turn(&browser).await, 1.0);
    assert_eq!(browser.eval("document.querySelector('output[for=crop-turn]').textContent").await.unwrap(), "1°");
    // The wheel enlarges what is under the pointer, and nothing else scrolls.
    let zoom = "Number(document.querySelector('#crop-zoom').value)";
    let before = browser.eval(zoom).await.unwrap().as_f64().unwrap();
    let wheel = "(e => { const r = e.getBoundingClientRect(); e.dispatchEvent(new WheelEvent('wheel', \
                 {deltaY: -100, clientX: r.x + 10, clientY: r.y + 10, bubbles: true, cancelable: true})); })\
                 (document.querySelector('#crop'))";
    browser.eval(wheel).await.unwrap();
    assert!(browser.eval(zoom).await.unwrap().as_f64().unwrap() > before);
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn of_several_faces_the_largest_is_taken_and_another_can_be_chosen() {
    let (browser, _server) = chosen(&photo(true)).await;
    let pressed = "[...document.querySelectorAll('#crop-faces button')].map(b => b.getAttribute('aria-pressed'))";
    assert_eq!(browser.eval(pressed).await.unwrap(), json!(["true", "false"]));
    browser.screenshot("several-faces").await.unwrap();
    assert!((turn(&browser).await - 20.0).abs() < 5.0);
    click(&browser, "#crop-faces button:nth-child(2)").await;
    assert_eq!(browser.eval(pressed).await.unwrap(), json!(["false", "true"]));
    assert!(turn(&browser).await.abs() < 5.0);
    let face = pixels(&browser, "#mix-picture-a").await;
    let off = difference(&pixels(&browser, "#crop-preview").await, &face);
    assert!(off < 20.0, "{off} grey levels");
    // A click into the first one's box: the photograph, 640 by 480, fills the height of the canvas.
    click_at(&browser, "#crop-overview", 0.5 + (430.0 / 640.0 - 0.5) * 0.75, 250.0 / 480.0).await;
    assert_eq!(browser.eval(pressed).await.unwrap(), json!(["true", "false"]));
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_browser_that_keeps_nothing_is_said_so_and_works() {
    let server = serve();
    let browser = Browser::start(&[]).await.unwrap();
    let full = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };";
    browser.before_pages(full).await.unwrap();
    browser.open(&format!("{}#panel=mix&model=faces32", server.url())).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    click(&browser, "#mix-choose-b").await;
    choose(&browser, NO_FACE).await;
    click(&browser, "#crop-use").await;
    browser.wait_for("location.hash.includes('b=own.')", PATIENCE).await.unwrap();
    click(&browser, "#mix-choose-a").await;
    let note = "document.querySelector('#picker-own-note').textContent.includes('lost when the page is closed')";
    browser.wait_for(note, PATIENCE).await.unwrap();
    assert_eq!(browser.eval("document.querySelectorAll('#picker-own-pictures canvas').length").await.unwrap(), 1);
    browser.finish().await.unwrap();
}
