//! Each panel's main action, in a real browser.

use burn::backend::Flex;
use serde_json::Value;
use shared::edit::mix::by_level;
use shared::geometry::{LatentAddress, generation_cone};
use shared::logit::to_pixel;
use shared::sampler::Latents;
use shared::weights::ModelFile;
use thirtyfour::prelude::*;

use super::harness::Browser;
use super::page::{PATIENCE, drawn, largest_difference, root, serve, shown};

/// Nothing is on its way any more.
pub const QUIET: &str =
    "document.documentElement.dataset.state === 'done' && document.documentElement.dataset.busy === 'false'";

/// A hole is filled, and others beside it.
pub const FILLED: &str = "document.documentElement.dataset.busy === 'false' && \
    (p => p.max > 1 && p.value === p.max)(document.querySelector('#inpaint-progress'))";

/// RGB bytes of the canvas that a selector finds.
pub async fn pixels(browser: &Browser, selector: &str) -> Vec<u8> {
    let script = format!(
        "(c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].filter((_, i) => i % 4 < 3))\
         (document.querySelector('{selector}'))"
    );
    let value: Value = browser.eval(&script).await.unwrap();
    serde_json::from_value(value).unwrap()
}

/// Clicks what a selector finds.
pub async fn click(browser: &Browser, selector: &str) {
    browser.eval(&format!("document.querySelector('{selector}').click()")).await.unwrap();
}

/// Moves a slider.
pub async fn slide(browser: &Browser, selector: &str, value: &str) {
    let script = format!(
        "(s => {{ s.value = '{value}'; s.dispatchEvent(new Event('input', {{bubbles: true}})); \
         s.dispatchEvent(new Event('change', {{bubbles: true}})); }})(document.querySelector('{selector}'))"
    );
    browser.eval(&script).await.unwrap();
}

/// Opens an address as a new visit would, until all is quiet.
pub async fn afresh(browser: &Browser, url: &str) {
    browser.open("about:blank").await.unwrap();
    browser.open(url).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
}

/// A browser at the page, with this address, when all is quiet.
pub async fn open(fragment: &str) -> (Browser, xtask::server::Server) {
    open_after("", fragment).await
}

/// The same, in a browser that runs a script before the page's own.
pub async fn open_after(script: &str, fragment: &str) -> (Browser, xtask::server::Server) {
    let server = serve();
    let browser = Browser::start(&[]).await.unwrap();
    browser.before_pages(script).await.unwrap();
    browser.open(&format!("{}#{fragment}", server.url())).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    (browser, server)
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn latents_are_drawn_jointly_or_as_in_the_paper() {
    let (browser, server) = open("model=faces").await;
    let joint = shown(&browser).await;
    let offered = "!document.querySelector('#joint').hidden && !document.querySelector('#independent').checked";
    assert_eq!(browser.eval(offered).await.unwrap(), true);
    click(&browser, "#independent").await;
    browser.wait_for("location.hash.includes('seed=') && !location.hash.includes('latents')", PATIENCE).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    let independent = shown(&browser).await;
    assert!(largest_difference(&joint, &independent) > 20);
    browser.screenshot("samples-independent").await.unwrap();
    click(&browser, "#independent").await;
    browser.wait_for("location.hash.includes('latents=joint')", PATIENCE).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    assert_eq!(largest_difference(&joint, &shown(&browser).await), 0);
    // A model without a sampler leaves no choice.
    afresh(&browser, &format!("{}#model=msds1", server.url())).await;
    assert_eq!(browser.eval("document.querySelector('#joint').hidden").await.unwrap(), true);
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_mixture_is_the_librarys_and_its_link_repeats_it() {
    let (browser, server) = open("panel=mix&model=faces&t=0.7&a=3.0&b=4.2&cut=2").await;
    browser.screenshot("mix").await.unwrap();
    let bytes = std::fs::read(root().join("web/models/faces.safetensors")).unwrap();
    let device = Default::default();
    let file = ModelFile::from_bytes(&bytes).unwrap();
    let flow = file.clone().into_flow::<Flex>(&device).unwrap();
    let latents = |seed, index| flow.batch(drawn(&file, seed, index, 0.7, Latents::Joint), &device).unwrap();
    let mixed = by_level(flow.config(), latents(3, 0), latents(4, 2), 2).unwrap();
    let logits = flow.inverse(mixed).0.into_data().to_vec::<f32>().unwrap();
    let plane = flow.config().size.pow(2);
    let expected: Vec<u8> = (0..plane * 3).map(|i| to_pixel(logits[i % 3 * plane + i / 3])).collect();
    let shown = pixels(&browser, "#mix-ab").await;
    assert!(largest_difference(std::slice::from_ref(&shown), &[expected]) <= 2);
    let other = pixels(&browser, "#mix-ba").await;
    assert!(largest_difference(std::slice::from_ref(&shown), &[other]) > 50);

    slide(&browser, "#mix-cut", "3").await;
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    let moved = pixels(&browser, "#mix-ab").await;
    assert_ne!(moved, shown);
    let link = browser.eval("location.href").await.unwrap();
    let link = link.as_str().unwrap().to_owned();
    assert!(link.contains("cut=3"), "{link}");
    afresh(&browser, &link).await;
    assert_eq!(pixels(&browser, "#mix-ab").await, moved);
    browser.finish().await.unwrap();
    drop(server);
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn mixing_needs_no_mouse() {
    let (browser, _server) = open("seed=3").await;
    let press = async |key: Key| {
        let focused = browser.driver().active_element().await.unwrap();
        focused.send_keys(key).await.unwrap();
    };
    let focused = async || browser.eval("document.activeElement.id").await.unwrap();
    browser.eval("document.querySelector('#tab-sample').focus()").await.unwrap();
    press(Key::Right).await;
    assert_eq!(focused().await, "tab-mix");
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    // From the tab through the bar and the pictures to the slider.
    for _ in 0..12 {
        if focused().await == "mix-cut" {
            break;
        }
        press(Key::Tab).await;
    }
    assert_eq!(focused().await, "mix-cut");
    let before = pixels(&browser, "#mix-ab").await;
    press(Key::Right).await;
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    assert_ne!(pixels(&browser, "#mix-ab").await, before);
    // And a picture is chosen: the dialog takes the focus.
    browser.eval("document.querySelector('#mix-choose-a').focus()").await.unwrap();
    press(Key::Enter).await;
    browser.wait_for("document.querySelector('#picker').open", PATIENCE).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    browser.eval("document.querySelectorAll('#picker-gallery button')[7].focus()").await.unwrap();
    press(Key::Enter).await;
    browser.wait_for("!document.querySelector('#picker').open", PATIENCE).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    browser.wait_for("location.hash.includes('a=3.7')", PATIENCE).await.unwrap();
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_latent_moves_its_cone_and_nothing_else() {
    let (browser, _server) = open("panel=explore&model=faces&t=0.7&x=3.0&at=0.15.9.1").await;
    let before = pixels(&browser, "#explore-board canvas").await;
    slide(&browser, "#explore-value", "4").await;
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    browser.screenshot("explore").await.unwrap();
    let after = pixels(&browser, "#explore-board canvas").await;
    assert_ne!(before, after);
    let bytes = std::fs::read(root().join("web/models/faces.safetensors")).unwrap();
    let config = ModelFile::from_bytes(&bytes).unwrap().config;
    let at = LatentAddress { level: 0, row: 15, col: 9, channel: 1 };
    let cone = &generation_cone(&config, &[(at.level, (at.row, at.col))])[0].pixels;
    for (i, (before, after)) in before.chunks(3).zip(after.chunks(3)).enumerate() {
        assert!(before == after || cone.contains(&(i / config.size, i % config.size)), "pixel {i}");
    }
    // The latent's walk as an animation.
    browser
        .eval("(window.made = [], URL.createObjectURL = blob => (window.made.push(blob), 'data:,'), null)")
        .await
        .unwrap();
    click(&browser, "#explore-film").await;
    browser.wait_for("window.made.length === 1", PATIENCE).await.unwrap();
    let head = "(b => [String.fromCharCode(...b.slice(0, 6)), b[6] + 256 * b[7]].join())(\
                new Uint8Array(await window.made[0].arrayBuffer()))";
    assert_eq!(browser.eval(head).await.unwrap(), "GIF89a,256");
    // A pixel's cone, and back.
    browser.eval("document.querySelector('#explore-board').focus()").await.unwrap();
    let board = browser.driver().find(By::Id("explore-board")).await.unwrap();
    board.send_keys(Key::Right + Key::Enter).await.unwrap();
    let said = "document.querySelector('#explore-said').textContent.includes('row 1, column 2')";
    browser.wait_for(said, PATIENCE).await.unwrap();
    click(&browser, "#explore-undo").await;
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    assert_eq!(pixels(&browser, "#explore-board canvas").await, before);
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_latents_name_chooses_it() {
    let (browser, _server) = open("panel=explore&model=faces").await;
    let bytes = std::fs::read(root().join("web/models/faces.safetensors")).unwrap();
    let factors = ModelFile::from_bytes(&bytes).unwrap().card.factors;
    let pressed = "document.querySelector('#explore-names [aria-pressed=true]').textContent";
    assert_eq!(browser.eval(pressed).await.unwrap(), factors[0].name.as_str());
    click(&browser, "#explore-names button:nth-child(3)").await;
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    assert_eq!(browser.eval(pressed).await.unwrap(), factors[2].name.as_str());
    let link = browser.eval("location.hash").await.unwrap();
    assert!(link.as_str().unwrap().contains(&format!("at={}", factors[2].at)), "{link}");
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_hole_is_filled_and_all_else_stays() {
    let (browser, _server) = open("panel=inpaint&model=faces&t=0.7&p=3.0").await;
    // The panel opens with the lower half under way.
    browser.wait_for(FILLED, PATIENCE).await.unwrap();
    // The truth is shown on demand; then back to the most likely completion.
    click(&browser, "#inpaint-reveal").await;
    let original = pixels(&browser, "#inpaint-original").await;
    assert_eq!(pixels(&browser, "#inpaint-board canvas").await, original);
    click(&browser, "#inpaint-choices button").await;
    let changed = |now: &[u8]| -> Vec<(usize, usize)> {
        let both = original.chunks(3).zip(now.chunks(3)).enumerate();
        both.filter(|(_, (a, b))| a != b).map(|(i, _)| (i / 64, i % 64)).collect()
    };
    let lower = changed(&pixels(&browser, "#inpaint-board canvas").await);
    assert!(lower.len() > 1600 && lower.iter().all(|&(row, _)| row >= 32), "{lower:?}");
    browser.screenshot("inpaint").await.unwrap();
    // A preset replaces it.
    click(&browser, "#inpaint-presets button:nth-child(4)").await;
    browser.wait_for(FILLED, PATIENCE).await.unwrap();
    let completed = pixels(&browser, "#inpaint-board canvas").await;
    let mouth = changed(&completed);
    assert!(!mouth.is_empty());
    assert!(mouth.iter().all(|&(row, col)| (40..54).contains(&row) && (18..46).contains(&col)), "{mouth:?}");
    assert_ne!(pixels(&browser, "#inpaint-choices button:nth-child(2) canvas").await, completed);
    click(&browser, "#inpaint-undo").await;
    browser.wait_for(FILLED, PATIENCE).await.unwrap();
    assert_eq!(changed(&pixels(&browser, "#inpaint-board canvas").await), lower);
    click(&browser, "#inpaint-clear").await;
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    assert_eq!(pixels(&browser, "#inpaint-board canvas").await, original);
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn the_story_has_its_pictures() {
    let (browser, _server) = open("panel=about&model=faces32").await;
    browser.screenshot("about").await.unwrap();
    for (id, count) in [("about-steps", 4), ("about-levels", 4), ("about-mix", 4), ("about-coarse", 3)] {
        let painted = browser.eval(&format!("document.querySelectorAll('#{id} canvas[data-painted]').length")).await;
        assert_eq!(painted.unwrap(), count, "{id}");
    }
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_hostile_link_gives_a_message_and_the_default() {
    let (browser, _server) = open("panel=evil&seed=-3&a=own.AAAA&mask=99.x&t=9&model=<b>").await;
    let notices = browser.eval("document.querySelector('#notices').textContent").await.unwrap();
    assert_eq!(notices.as_str().unwrap().matches("was ignored").count(), 6, "{notices}");
    let shown = browser.eval("!document.querySelector('#panel-sample').hidden").await.unwrap();
    assert_eq!(shown, true);
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn no_panel_scrolls_sideways_on_a_phone() {
    let server = serve();
    let browser = Browser::start(&["--window-size=360,800"]).await.unwrap();
    for panel in ["sample", "mix", "explore", "inpaint", "train", "about"] {
        afresh(&browser, &format!("{}#panel={panel}", server.url())).await;
        browser.screenshot(&format!("{panel}-phone")).await.unwrap();
        let excess = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.eval(excess).await.unwrap().as_i64(), Some(0), "{panel}");
    }
    browser.finish().await.unwrap();
}
