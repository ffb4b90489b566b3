//! The first screen: one picture from coarse to fine, re-rolled, kept, and carried to the other panels.

use serde_json::json;

use super::harness::Browser;
use super::page::{PATIENCE, serve};
use super::panels::{QUIET, click, open};

/// The numbers of a canvas of the strip, by step.
fn pixels(step: usize) -> String {
    format!(
        "(c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].join())\
         (document.querySelectorAll('#scope-steps canvas')[{step}])"
    )
}

async fn is(browser: &Browser, condition: &str) {
    browser.wait_for(condition, PATIENCE).await.unwrap();
}

async fn text(browser: &Browser, selector: &str) -> String {
    let text = browser.eval(&format!("document.querySelector('{selector}').textContent")).await.unwrap();
    text.as_str().unwrap().to_owned()
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_reroll_keeps_the_coarse_picture_and_changes_the_fine_one() {
    let (browser, _server) = open("model=faces&seed=3&latents=auto").await;
    is(&browser, "document.querySelectorAll('#scope-steps canvas[data-painted]').length === 5").await;
    let [coarse, fine] = [pixels(1), pixels(4)];
    let before = [browser.eval(&coarse).await.unwrap(), browser.eval(&fine).await.unwrap()];
    // Below 8×8.
    click(&browser, "#scope-steps .scale:nth-child(2) .reroll").await;
    is(&browser, QUIET).await;
    is(&browser, "location.hash.includes('~3-')").await;
    is(&browser, "document.querySelector('#scope-depth').value === '5'").await;
    let after = [browser.eval(&coarse).await.unwrap(), browser.eval(&fine).await.unwrap()];
    assert_eq!(before[0], after[0]);
    assert_ne!(before[1], after[1]);
    // A link leads to the very picture.
    browser.eval("(history.replaceState(null, '', location.href), location.reload())").await.unwrap();
    is(&browser, QUIET).await;
    is(&browser, "document.querySelectorAll('#scope-steps canvas[data-painted]').length === 5").await;
    assert_eq!(browser.eval(&fine).await.unwrap(), after[1]);
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn slider_wheel_and_keys_go_from_coarse_to_fine() {
    let (browser, _server) = open("model=faces&seed=3&depth=2").await;
    let depth = |depth: usize| format!("document.querySelector('#scope-depth').value === '{depth}'");
    is(&browser, &depth(2)).await;
    assert!(text(&browser, "#scope-caption").await.starts_with("8×8 decides "));
    assert_eq!(browser.eval("document.querySelectorAll('#scope-stack .on').length").await.unwrap(), 2);
    let turn = |by: i32| {
        format!(
            "document.querySelector('#scope').dispatchEvent(\
             new WheelEvent('wheel', {{deltaY: {by}, bubbles: true, cancelable: true}}))"
        )
    };
    // While there is somewhere to go the page does not scroll.
    assert_eq!(browser.eval(&turn(100)).await.unwrap(), false);
    is(&browser, &depth(3)).await;
    for _ in 0..2 {
        browser.eval(&turn(100)).await.unwrap();
    }
    is(&browser, &depth(5)).await;
    assert_eq!(browser.eval(&turn(100)).await.unwrap(), true);
    assert_eq!(browser.eval("location.hash.includes('depth')").await.unwrap(), false);
    click(&browser, "#scope-steps .scale:nth-child(1) .cell").await;
    is(&browser, &depth(1)).await;
    is(&browser, "location.hash.includes('depth=1')").await;
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_picture_grows_when_asked_and_by_itself_only_where_motion_is_welcome() {
    for (flags, by_itself) in [(&["--force-prefers-reduced-motion"][..], false), (&[][..], true)] {
        let server = serve();
        let browser = Browser::start(flags).await.unwrap();
        // Every value that the slider takes.
        let watch = "addEventListener('DOMContentLoaded', () => { const seen = self.seen = []; setInterval(() => \
                     { const v = +document.querySelector('#scope-depth').value; if (seen.at(-1) !== v) seen.push(v); }, 40) })";
        browser.before_pages(watch).await.unwrap();
        browser.open(&server.url()).await.unwrap();
        is(&browser, QUIET).await;
        if by_itself {
            is(&browser, "self.seen.slice(-5).join() === '1,2,3,4,5'").await;
        }
        browser.eval("(self.seen.length = 0, 1)").await.unwrap();
        click(&browser, "#scope-play").await;
        is(&browser, "self.seen.slice(-5).join() === '1,2,3,4,5'").await;
        if !by_itself {
            let motion = "getComputedStyle(document.querySelector('#scope-stack canvas')).transitionDuration";
            assert_eq!(browser.eval(motion).await.unwrap(), "0s");
        }
        browser.finish().await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn what_was_looked_at_is_not_lost_and_goes_anywhere() {
    let (browser, _server) = open("model=faces&seed=3").await;
    is(&browser, "document.querySelectorAll('#scope-steps canvas[data-painted]').length === 5").await;
    let kept = |count: usize| format!("document.querySelectorAll('#history-list .kept').length === {count}");
    for (place, count) in [(1, 2), (7, 3)] {
        click(&browser, &format!("#grid .cell:nth-child({place})")).await;
        is(&browser, &kept(count)).await;
    }
    // The first of the new ones is looked at, too.
    click(&browser, "#new-samples").await;
    is(&browser, QUIET).await;
    is(&browser, &kept(4)).await;
    // The oldest is pinned, so it comes first; chosen in another panel it is used there.
    click(&browser, "#history-list .kept:nth-child(4) .pin").await;
    let pinned = "document.querySelector('#history-list .kept .pin')?.ariaPressed === 'true'";
    is(&browser, pinned).await;
    // All are there when the page is loaded again.
    browser.eval("(window.old = true, location.reload())").await.unwrap();
    is(&browser, &format!("window.old === undefined && {} && {pinned}", kept(4))).await;
    is(&browser, QUIET).await;
    click(&browser, "#tab-explore").await;
    is(&browser, QUIET).await;
    click(&browser, "#history-list .kept .cell").await;
    is(&browser, "location.hash.includes('x=3.14')").await;
    // Dragged to a tab it is used in that tab's panel.
    let drop = "(data => (data.setData('application/x-rg-flow-picture', '3.0'), \
                document.querySelector('#tab-inpaint').dispatchEvent(new DragEvent('drop', \
                {dataTransfer: data, bubbles: true, cancelable: true}))))(new DataTransfer())";
    browser.eval(drop).await.unwrap();
    is(&browser, "location.hash.includes('panel=inpaint') && location.hash.includes('p=3.0')").await;
    is(&browser, QUIET).await;
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn the_doors_take_the_picture_along() {
    let (browser, _server) = open("model=faces&seed=3&main=3.6").await;
    for (door, panel, key) in [("mix", "mix", "a"), ("mend", "inpaint", "p"), ("move", "explore", "x")] {
        click(&browser, &format!("#door-{door}")).await;
        is(&browser, &format!("location.hash.includes('panel={panel}') && location.hash.includes('{key}=3.6')")).await;
        is(&browser, QUIET).await;
        browser.eval("history.back()").await.unwrap();
        is(&browser, "document.querySelector('#tab-sample').ariaSelected === 'true'").await;
        is(&browser, QUIET).await;
    }
    click(&browser, "#door-own").await;
    is(&browser, "document.querySelector('#picker').open").await;
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn the_tour_drives_the_panels_and_can_be_linked_to() {
    let (browser, _server) = open("model=faces&seed=3").await;
    assert_eq!(browser.eval("document.querySelector('#tour').hidden").await.unwrap(), true);
    click(&browser, "#tour-start").await;
    let panels = ["sample", "sample", "sample", "mix", "explore", "explore", "inpaint", "explore", "sample"];
    for (stop, panel) in panels.iter().enumerate() {
        is(&browser, &format!("location.hash.includes('tour={}')", stop + 1)).await;
        is(&browser, &format!("document.querySelector('#tab-{panel}').ariaSelected === 'true'")).await;
        is(&browser, QUIET).await;
        is(&browser, "document.querySelectorAll('.toured').length === 1").await;
        browser.screenshot(&format!("tour-{}", stop + 1)).await.unwrap();
        // Nothing lies over what it speaks of.
        let free = "(e => e.contains(document.elementFromPoint(...(r => [r.x + r.width / 2, r.y + Math.min(r.height, 60) / 2])\
                    (e.getBoundingClientRect()))))(document.querySelector('.toured'))";
        is(&browser, free).await;
        click(&browser, "#tour-next").await;
    }
    is(&browser, "document.querySelector('#tour').hidden && !location.hash.includes('tour')").await;
    browser.eval("location.hash = '#panel=mix&tour=4'").await.unwrap();
    is(&browser, "!document.querySelector('#tour').hidden").await;
    assert_eq!(text(&browser, "#tour-count").await, "4 of 9");
    click(&browser, "#tour-close").await;
    is(&browser, "document.querySelector('#tour').hidden").await;
    assert_eq!(json!(0), browser.eval("document.querySelectorAll('.toured').length").await.unwrap());
    // Left in the middle of a search, it leaves nothing behind: the page is free, and the next choice counts.
    browser.eval("location.hash = '#model=faces&seed=3'").await.unwrap();
    is(&browser, QUIET).await;
    click(&browser, "#tour-start").await;
    for stop in 2..8 {
        click(&browser, "#tour-next").await;
        is(&browser, &format!("location.hash.includes('tour={stop}')")).await;
    }
    click(&browser, "#tour-close").await;
    is(&browser, QUIET).await;
    browser
        .eval("(m => { m.value = 'msds1'; m.dispatchEvent(new Event('change')); })(document.querySelector('#model'))")
        .await
        .unwrap();
    is(&browser, "location.hash.includes('model=msds1')").await;
    is(&browser, QUIET).await;
    assert_eq!(browser.eval("document.querySelector('#model').value").await.unwrap(), "msds1");
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn an_exercise_takes_its_text_along() {
    let (browser, _server) = open("panel=about&model=msds1").await;
    click(&browser, "#exercises li:nth-child(7) a").await;
    is(
        &browser,
        "document.querySelector('#tab-sample').ariaSelected === 'true' && !document.querySelector('#tour').hidden",
    )
    .await;
    is(&browser, QUIET).await;
    assert_eq!(text(&browser, "#tour-title").await, "Exercise 7: Step back from a magnet.");
    let said = text(&browser, "#tour-text").await;
    assert!(said.starts_with("Go from 4×4 to 32×32"), "{said}");
    // It stays while the reader goes about, until it is closed.
    click(&browser, "#tab-explore").await;
    is(&browser, "location.hash.includes('panel=explore') && location.hash.includes('exercise=7')").await;
    click(&browser, "#tour-close").await;
    is(&browser, "document.querySelector('#tour').hidden && !location.hash.includes('exercise')").await;
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_picture_is_weighed_scale_by_scale() {
    let (browser, _server) = open("model=faces&seed=3").await;
    let label = "document.querySelector('#bits-chart').ariaLabel";
    is(&browser, "document.querySelectorAll('#bits-chart .bar').length === 5").await;
    is(&browser, &format!("{label}.includes('64×64: ') && {label}.split('usual').length === 6")).await;
    // A sample is drawn below temperature 1, and plainer than photographs at some scale.
    let says = text(&browser, "#bits-says").await;
    assert!(says.contains("than test pictures do"), "{says}");
    // Another picture, and another model with fewer scales.
    let first = browser.eval(label).await.unwrap();
    click(&browser, "#grid .cell:nth-child(2)").await;
    is(&browser, &format!("{label} !== {first}")).await;
    browser.eval("location.hash = '#model=faces32&seed=3'").await.unwrap();
    is(&browser, QUIET).await;
    is(&browser, "document.querySelectorAll('#bits-chart .bar').length === 4").await;
    // Nothing sticks out of the chart, on a phone neither.
    for width in [1280, 390] {
        let screen = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500});
        browser.chromium("Emulation.setDeviceMetricsOverride", screen).await.unwrap();
        let inside = "(c => [...c.querySelectorAll('text')].every(t => t.getBoundingClientRect().right <= \
                      c.getBoundingClientRect().right + 1))(document.querySelector('#bits-chart'))";
        is(&browser, inside).await;
    }
    browser.finish().await.unwrap();
}
