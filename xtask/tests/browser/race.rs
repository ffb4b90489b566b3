//! Completions to choose from, and the race against Real NVP.

use super::page::PATIENCE;
use super::panels::{FILLED, afresh, click, open, pixels, slide};

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_completion_is_chosen_and_the_truth_is_revealed() {
    let (browser, _server) = open("panel=inpaint&model=faces32").await;
    browser.wait_for(FILLED, PATIENCE).await.unwrap();
    // Board and choices are on a laptop's screen together.
    let below = "Math.max(...['#inpaint-board', '.choices'].map(s => \
                 document.querySelector(s).getBoundingClientRect().bottom)) - scrollY <= 1000";
    assert_eq!(browser.eval(below).await.unwrap(), true);
    let best = pixels(&browser, "#inpaint-board canvas").await;
    click(&browser, "#inpaint-choices button:nth-child(4)").await;
    let chosen = pixels(&browser, "#inpaint-board canvas").await;
    assert_ne!(chosen, best);
    assert_eq!(chosen, pixels(&browser, "#inpaint-choices button:nth-child(4) canvas").await);
    browser.wait_for("location.hash.includes('choice=3')", PATIENCE).await.unwrap();
    // Nothing gives the truth away before it is asked for.
    let scored = "document.querySelectorAll('#inpaint-choices span').values().some(s => s.textContent.endsWith(' dB'))";
    assert_eq!(browser.eval(scored).await.unwrap(), false);
    assert!(pixels(&browser, "#inpaint-original").await.iter().all(|&value| value == 0));
    click(&browser, "#inpaint-reveal").await;
    assert_eq!(browser.eval(scored).await.unwrap(), true);
    assert_ne!(pixels(&browser, "#inpaint-board canvas").await, chosen);
    browser.screenshot("inpaint-truth").await.unwrap();
    // The link shows the same choice.
    let link = browser.eval("location.href").await.unwrap();
    afresh(&browser, link.as_str().unwrap()).await;
    browser.wait_for(FILLED, PATIENCE).await.unwrap();
    assert_eq!(pixels(&browser, "#inpaint-board canvas").await, chosen);
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_hole_over_everything_is_said_to_be_one() {
    // 32 × 32 pixels, all unknown.
    let mask = format!("32.{}", "_".repeat(170) + "8");
    let (browser, _server) = open(&format!("panel=inpaint&model=faces32&mask={mask}")).await;
    let said = "document.querySelector('#inpaint-said').textContent";
    assert_eq!(browser.eval(said).await.unwrap(), "Nothing is left to go by. Undo, or erase part of the hole.");
    let unable = "document.querySelector('#notices').hidden && document.querySelector('#race-start').disabled \
                  && document.querySelector('#inpaint-again').ariaDisabled === 'true' \
                  && document.querySelector('#inpaint-clear').ariaDisabled === 'false'";
    assert_eq!(browser.eval(unable).await.unwrap(), true);
    // A smaller one is mended, and another model gets the same hole, not one of its own.
    click(&browser, "#inpaint-presets button:nth-child(2)").await;
    browser.wait_for(FILLED, PATIENCE).await.unwrap();
    browser.finish().await.unwrap();
    let painted = format!("32.{}D{}", "A".repeat(90), "A".repeat(80));
    let (browser, _server) = open(&format!("panel=inpaint&model=faces32&mask={painted}")).await;
    slide(&browser, "#model", "faces").await;
    browser.wait_for(&format!("{said}.startsWith('8 pixels are unknown')"), PATIENCE).await.unwrap();
    browser.wait_for(FILLED, PATIENCE).await.unwrap();
    browser.finish().await.unwrap();
}

/// A number that the page shows with commas.
async fn count(browser: &super::harness::Browser, id: &str) -> f64 {
    let script = format!("parseFloat(document.querySelector('#{id}').textContent.replaceAll(',', ''))");
    browser.eval(&script).await.unwrap().as_f64().unwrap()
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn both_models_race_over_the_same_hole() {
    // The faces at 64×64 have no rival; the page leads to those that have one.
    let (browser, _server) = open("panel=inpaint&model=faces").await;
    let fetched = "performance.getEntriesByType('resource').some(entry => entry.name.includes('realnvp'))";
    let label = "document.querySelector('#race-start').textContent";
    assert!(browser.eval(label).await.unwrap().as_str().unwrap().starts_with("Race on"));
    click(&browser, "#race-start").await;
    let over = "document.documentElement.dataset.busy === 'false' && \
                document.querySelector('#race-score-1').textContent.endsWith(' dB')";
    browser.wait_for(over, PATIENCE).await.unwrap();
    assert_eq!(browser.eval("location.hash.includes('model=faces32')").await.unwrap(), true);
    browser.screenshot("race").await.unwrap();
    // The page itself fetched nothing: its worker did, and keeps the file for visits without a network.
    assert_eq!(browser.eval(fetched).await.unwrap(), false);
    let kept = "(await (await caches.open('rg-flow-models-1')).keys()).some(r => r.url.includes('faces-realnvp'))";
    assert_eq!(browser.eval(kept).await.unwrap(), true);
    let (touched, reach) = (count(&browser, "race-touched-0").await, count(&browser, "race-reach-0").await);
    assert!(touched > 0.0 && touched <= reach && reach < 3072.0, "{touched} of {reach}");
    assert_eq!(count(&browser, "race-reach-1").await, 3072.0);
    assert!(count(&browser, "race-touched-1").await > 0.0);
    let [ours, theirs] = [pixels(&browser, "#race-picture-0").await, pixels(&browser, "#race-picture-1").await];
    let truth = pixels(&browser, "#race-original").await;
    assert!(ours != theirs && ours != truth);
    let upper = truth.len() / 2;
    assert!(ours[..upper] == truth[..upper] && theirs[..upper] == truth[..upper], "a known pixel changed");
    // A dot a model for each of the four sizes that half a picture of 32×32 fits into.
    let dots = "document.querySelectorAll('#race-chart circle').length";
    assert_eq!(browser.eval(dots).await.unwrap(), 8);
    assert_eq!(browser.eval("document.querySelector('#race-start').textContent").await.unwrap(), "Race again");
    assert_eq!(browser.eval("location.hash.includes('race=1')").await.unwrap(), true);
    // Another hole ends it, and the chart follows.
    let label = "document.querySelector('#race-chart').getAttribute('aria-label')";
    let before = browser.eval(label).await.unwrap();
    click(&browser, "#inpaint-presets button:nth-child(4)").await;
    browser.wait_for(FILLED, PATIENCE).await.unwrap();
    assert_ne!(browser.eval(label).await.unwrap(), before);
    assert_eq!(browser.eval("document.querySelector('#race-lanes').hidden").await.unwrap(), true);
    browser.finish().await.unwrap();
}
