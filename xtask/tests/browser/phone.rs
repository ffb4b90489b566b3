//! A phone, upright and on its side: one line of header, the picture and its slider above the fold, room for fingers.

use serde_json::json;

use super::harness::Browser;
use super::page::{PATIENCE, serve};
use super::panels::{afresh, click};
use super::share::COPIED;

/// CSS pixels of a usual phone.
const UPRIGHT: (u32, u32) = (390, 844);
const ON_ITS_SIDE: (u32, u32) = (844, 390);

/// Panels, the main picture of each, and the slider or the button that moves it if there is one.
const MAIN: [(&str, &str, Option<&str>); 5] = [
    ("sample", "#scope", Some("#scope-depth")),
    ("mix", "#mix-ab", Some("#mix-cut")),
    ("explore", "#explore-board", Some("#explore-value")),
    ("inpaint", "#inpaint-board", None),
    ("train", "#train-sheet", Some("#train-go")),
];

async fn phone((width, height): (u32, u32)) -> Browser {
    let browser = Browser::start(&[]).await.unwrap();
    let screen = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": true});
    browser.chromium("Emulation.setDeviceMetricsOverride", screen).await.unwrap();
    browser.chromium("Emulation.setTouchEmulationEnabled", json!({"enabled": true})).await.unwrap();
    browser
}

async fn show(browser: &Browser, url: &str, panel: &str) {
    afresh(browser, &format!("{url}#panel={panel}&model=faces32")).await;
}

/// Top and bottom of an element in the window.
async fn extent(browser: &Browser, selector: &str) -> (f64, f64) {
    let script = format!("(r => [r.top, r.bottom])(document.querySelector('{selector}').getBoundingClientRect())");
    let value = browser.eval(&script).await.unwrap();
    (value[0].as_f64().unwrap(), value[1].as_f64().unwrap())
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn the_picture_and_its_slider_are_above_the_fold() {
    let server = serve();
    for (screen, name) in [(UPRIGHT, "upright"), (ON_ITS_SIDE, "on-its-side")] {
        let browser = phone(screen).await;
        let height = f64::from(screen.1);
        for (panel, picture, slider) in MAIN {
            show(&browser, &server.url(), panel).await;
            browser.screenshot(&format!("phone-{name}-{panel}")).await.unwrap();
            let (_, header) = extent(&browser, "header").await;
            assert!(header < 56.0, "the header of {panel} has {header} pixels");
            for selector in [Some(picture), slider].into_iter().flatten() {
                let (top, bottom) = extent(&browser, selector).await;
                assert!(top >= 0.0 && bottom <= height, "{selector} {name}: from {top} to {bottom}");
            }
            let excess = "document.documentElement.scrollWidth - innerWidth";
            assert_eq!(browser.eval(excess).await.unwrap(), 0, "{panel} {name}");
        }
        browser.finish().await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn the_picture_and_its_slider_stay_while_one_scrolls() {
    let server = serve();
    for screen in [UPRIGHT, ON_ITS_SIDE] {
        let browser = phone(screen).await;
        for (panel, picture, slider) in MAIN {
            show(&browser, &server.url(), panel).await;
            browser.eval("window.scrollTo(0, 200)").await.unwrap();
            browser.wait_for("scrollY > 100", PATIENCE).await.unwrap();
            for selector in [Some(picture), slider].into_iter().flatten() {
                let (top, bottom) = extent(&browser, selector).await;
                assert!(top >= 0.0 && bottom <= f64::from(screen.1), "{selector} at {screen:?}: {top} to {bottom}");
            }
        }
        browser.finish().await.unwrap();
    }
}

/// What a finger is meant for and is smaller than 44 pixels, as WCAG's criterion 2.5.5 counts: words within a text are not.
const SMALL: &str = "[...document.querySelectorAll('button:not(.word), select, summary, label.check, label.file, [role=tab], \
    input:not([type=checkbox], [type=radio], [type=file])')] \
    .filter(e => e.checkVisibility({ visibilityProperty: true })) \
    .map(e => [e, e.getBoundingClientRect()]).filter(([, r]) => r.width < 44 || r.height < 44) \
    .map(([e, r]) => `${e.id || e.className || e.textContent} ${r.width.toFixed()}×${r.height.toFixed()}`)";

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn nothing_is_too_small_for_a_finger() {
    let server = serve();
    let browser = phone(UPRIGHT).await;
    for panel in ["sample", "mix", "explore", "inpaint", "train", "about"] {
        show(&browser, &server.url(), panel).await;
        assert_eq!(browser.eval(SMALL).await.unwrap(), json!([]), "{panel}");
    }
    click(&browser, ".menu").await;
    browser.wait_for("document.querySelector('#tools').matches(':popover-open')", PATIENCE).await.unwrap();
    browser.screenshot("phone-menu").await.unwrap();
    assert_eq!(browser.eval(SMALL).await.unwrap(), json!([]));
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn the_menu_holds_what_the_line_has_no_room_for() {
    let server = serve();
    let browser = phone(UPRIGHT).await;
    browser.before_pages(COPIED).await.unwrap();
    show(&browser, &server.url(), "mix").await;
    let visible = async |selector: &str| {
        browser.eval(&format!("document.querySelector('{selector}').checkVisibility()")).await.unwrap()
    };
    assert_eq!((visible("#copy-link").await, visible(".menu").await), (json!(false), json!(true)));
    click(&browser, ".menu").await;
    for tool in ["#model", "#smooth", "#copy-link", "#save"] {
        assert_eq!(visible(tool).await, true, "{tool}");
    }
    click(&browser, "#copy-link").await;
    browser.wait_for("document.querySelector('#told').textContent === 'Link copied'", PATIENCE).await.unwrap();
    assert_eq!(visible("#told").await, true);
    // Escape leaves it, and the focus is where it was.
    browser.eval("document.querySelector('#tools').hidePopover()").await.unwrap();
    assert_eq!(visible("#copy-link").await, false);
    // On a wide screen it lies open, in the same line.
    let screen = json!({"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": false});
    browser.chromium("Emulation.setDeviceMetricsOverride", screen).await.unwrap();
    browser.wait_for("document.querySelector('#copy-link').checkVisibility()", PATIENCE).await.unwrap();
    assert_eq!(visible(".menu").await, false);
    let (top, bottom) = extent(&browser, "header").await;
    assert!(bottom - top < 60.0, "{}", bottom - top);
    for tool in ["#model", "#smooth", "#copy-link", "#save", "#tabs", "h1"] {
        let (from, to) = extent(&browser, tool).await;
        assert!(from >= top && to <= bottom, "{tool}");
    }
    browser.finish().await.unwrap();
}
