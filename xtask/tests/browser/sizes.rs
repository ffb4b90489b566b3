//! Weights of other sizes than the shipped ones': every panel takes them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use shared::sampler::Latents;
use shared::{LevelConfig, RgFlowConfig};

use super::own::put;
use super::page::{PATIENCE, largest_difference, native_of, shown};
use super::panels::{QUIET, click, open, pixels, slide};

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn weights_of_every_size_work_in_every_panel() {
    let (browser, _server) = open("seed=5&t=0.8").await;
    for (size, levels) in [(16, 3), (128, 6)] {
        let level = LevelConfig { layers: 1, res_blocks: 1, mlp: 1, hidden: 8 };
        let config = RgFlowConfig::new(size, vec![level; levels]);
        let model = web::engine::random::model_bytes(&config, "random").unwrap();
        click(&browser, "#tab-sample").await;
        let blob = format!("Uint8Array.from(atob('{}'), (c) => c.charCodeAt(0))", BASE64_STANDARD.encode(&model));
        let name = format!("{size}.safetensors");
        browser.eval(&put("#weights-file", &name, "", &blob)).await.unwrap();
        let edge = format!("{QUIET} && document.querySelector('canvas[data-index]').width === {size}");
        browser.wait_for(&edge, PATIENCE).await.unwrap();
        slide(&browser, "#temperature", "0.8").await;
        browser.wait_for(QUIET, PATIENCE).await.unwrap();
        let seed = browser.eval("document.documentElement.dataset.seed").await.unwrap();
        let seed = seed.as_str().unwrap().parse().unwrap();
        let expected = native_of(&model, seed, 0.8, Latents::Independent).1;
        assert!(largest_difference(&shown(&browser).await, &expected) <= 2, "{size}");
        for (panel, canvas) in
            [("mix", "#mix-ab"), ("explore", "#explore-board canvas"), ("inpaint", "#inpaint-board canvas")]
        {
            click(&browser, &format!("#tab-{panel}")).await;
            browser.wait_for(QUIET, PATIENCE).await.unwrap();
            assert_eq!(pixels(&browser, canvas).await.len(), size * size * 3, "{panel} at {size}");
        }
        let notices = browser.eval("document.querySelector('#notices').textContent").await.unwrap();
        assert_eq!(notices.as_str().unwrap().trim(), "", "{size}");
    }
    browser.finish().await.unwrap();
}
