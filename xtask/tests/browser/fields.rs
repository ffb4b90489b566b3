//! A model of fields: signs have colours, scales have nats and a magnetisation, and every panel takes them.

use serde_json::Value;
use shared::weights::ModelFile;
use shared::{DataKind, Temperature};

use super::harness::Browser;
use super::page::{PATIENCE, root};
use super::panels::{FILLED, QUIET, click, open, pixels};

async fn text(browser: &Browser, selector: &str) -> String {
    let text = browser.eval(&format!("document.querySelector('{selector}').textContent")).await.unwrap();
    text.as_str().unwrap().to_owned()
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_critical_field_is_the_native_one_and_says_its_magnetisation() {
    let (browser, _server) = open("model=phi4&seed=5").await;
    browser.wait_for("document.querySelectorAll('#bits-chart .bar').length > 0", PATIENCE).await.unwrap();
    let bytes = std::fs::read(root().join("web/models/phi4.safetensors")).unwrap();
    let file = ModelFile::from_bytes(&bytes).unwrap();
    assert_eq!(file.config.data, DataKind::Field);
    let device = Default::default();
    let flow = file.into_flow::<burn::backend::Flex>(&device).unwrap();
    let fields = flow.sample(5, 0..16, &Temperature::uniform(1.0), &device);
    let fields: Vec<f32> = fields.into_data().iter::<f32>().collect();
    for (place, field) in fields.chunks_exact(flow.config().dims()).enumerate() {
        let rgb = pixels(&browser, &format!("#grid [data-index=\"{place}\"]")).await;
        for (pixel, phi) in rgb.chunks_exact(3).zip(field).filter(|(_, phi)| phi.abs() > 0.05) {
            assert_eq!(pixel[0] > pixel[2], *phi > 0.0, "sample {place}: {phi} is {pixel:?}");
        }
    }
    let first = &fields[..flow.config().dims()];
    let mean = first.iter().sum::<f32>() / first.len() as f32;
    let caption = text(&browser, "#scope-caption").await;
    let expected = format!("the magnetisation, is {:+.2}.", (mean * 100.0).round() / 100.0 + 0.0).replace('-', "−");
    assert!(caption.ends_with(&expected), "{caption} {expected}");
    assert_eq!(text(&browser, "#bits-title").await, "The field’s nats by scale");
    assert_eq!(text(&browser, "#bits-word").await, "nats/site");
    assert!(text(&browser, "#status").await.contains("nats/site"));
    // Nothing but the coarsest scale: the magnetisation is nearly decided.
    click(&browser, "#scope-steps .scale:nth-child(1) button").await;
    browser.wait_for("document.querySelector('#scope-caption').textContent.startsWith('4×4')", PATIENCE).await.unwrap();
    assert!(text(&browser, "#scope-caption").await.contains("magnetisation"));
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn every_panel_takes_a_field() {
    let (browser, _server) = open("panel=mix&model=phi4&seed=5").await;
    let painted = |selector: &str| format!("document.querySelectorAll('{selector}').length > 0");
    browser.wait_for(&painted("#mix-strip canvas[data-painted]"), PATIENCE).await.unwrap();
    click(&browser, "#tabs [aria-controls=panel-explore]").await;
    browser.wait_for(&painted("#explore-board canvas"), PATIENCE).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    click(&browser, "#explore-search").await;
    browser.wait_for(&painted("#explore-leading .cell"), PATIENCE).await.unwrap();
    click(&browser, "#tabs [aria-controls=panel-inpaint]").await;
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    click(&browser, "#inpaint-presets button").await;
    browser.wait_for(FILLED, PATIENCE).await.unwrap();
    click(&browser, "#inpaint-reveal").await;
    // Decibels are of grey levels.
    let scored = browser.eval("document.querySelector('#inpaint-scored').hidden").await.unwrap();
    assert_eq!(scored, Value::Bool(true));
    assert!(!text(&browser, "#inpaint-choices").await.contains("dB"));
    click(&browser, "#tabs [aria-controls=panel-about]").await;
    browser.wait_for(&painted("#about-steps canvas[data-painted]"), PATIENCE).await.unwrap();
    assert!(text(&browser, "#model-facts").await.contains("Nats/site"));
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn one_file_draws_fields_of_three_sizes() {
    let (browser, _server) = open("model=phi4-64&seed=5").await;
    browser.wait_for("document.querySelectorAll('#bits-chart .bar').length === 5", PATIENCE).await.unwrap();
    let facts = text(&browser, "#model-facts").await;
    assert!(facts.contains("64×64, 5 levels, grown") && !facts.contains("Nats/site"), "{facts}");
    assert_eq!(pixels(&browser, "#grid [data-index=\"0\"]").await.len(), 3 * 64 * 64);
    // The next size is in the cache already.
    browser
        .eval("(document.querySelector('#model').value = 'phi4-128', document.querySelector('#model').dispatchEvent(new Event('change')))")
        .await
        .unwrap();
    browser.wait_for("document.querySelectorAll('#bits-chart .bar').length === 6", PATIENCE).await.unwrap();
    let facts = text(&browser, "#model-facts").await;
    assert!(facts.contains("128×128, 6 levels, grown") && facts.contains("from this browser’s cache"), "{facts}");
    assert_eq!(pixels(&browser, "#grid [data-index=\"0\"]").await.len(), 3 * 128 * 128);
    browser.finish().await.unwrap();
}
