//! The built page in a real browser: does it show what the native engine computes?

use std::path::{Path, PathBuf};
use std::time::Duration;

use burn::backend::Flex;
use serde_json::{Value, json};
use shared::logit::to_pixel;
use shared::prior::draw_latents;
use shared::sampler::Latents;
use shared::weights::ModelFile;
use shared::{RgFlowConfig, Temperature};
use xtask::server::Server;

use super::harness::Browser;

pub const PATIENCE: Duration = Duration::from_secs(120);
pub const DONE: &str = "document.documentElement.dataset.state === 'done'";

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The page below a prefix, as a project page has it.
pub fn serve() -> Server {
    let dist = root().join("dist");
    assert!(dist.join("index.html").is_file(), "build the page first: `cargo xtask test --only page`");
    Server::start(&dist, 0, "/some/project/").unwrap()
}

/// A copy of the page, to be changed.
pub fn copied() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    copy(&root().join("dist"), dir.path());
    dir
}

/// Copies a folder.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Runs JavaScript before a script of a copy.
pub fn prepend(dir: &Path, name: &str, script: &str) {
    let path = dir.join(name);
    let rest = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{script}\n{rest}")).unwrap();
}

/// What the native engine draws with a shipped model.
pub fn native(model: &str, seed: u64, temperature: f32, latents: Latents) -> (RgFlowConfig, Vec<Vec<u8>>) {
    let bytes = std::fs::read(root().join("web/models").join(format!("{model}.safetensors"))).unwrap();
    native_of(&bytes, seed, temperature, latents)
}

/// The latents of a sample, as the page draws them.
pub fn drawn(file: &ModelFile, seed: u64, index: u64, temperature: f32, latents: Latents) -> Vec<f32> {
    let temperature = Temperature::uniform(temperature);
    match (&file.sampler, latents) {
        (Some(sampler), Latents::Joint) => sampler.draw(&file.config, seed, index, &temperature).unwrap(),
        _ => draw_latents(&file.config, seed, index, &temperature),
    }
}

/// What the native engine draws: 16 pictures of RGB bytes, pixel by pixel.
pub fn native_of(model: &[u8], seed: u64, temperature: f32, latents: Latents) -> (RgFlowConfig, Vec<Vec<u8>>) {
    let file = ModelFile::from_bytes(model).unwrap();
    let drawn = (0..16).flat_map(|index| drawn(&file, seed, index, temperature, latents)).collect();
    let flow = file.into_flow::<Flex>(&Default::default()).unwrap();
    let samples = flow.inverse(flow.batch(drawn, &Default::default()).unwrap()).0;
    let logits = samples.into_data().to_vec::<f32>().unwrap();
    let config = flow.config().clone();
    let plane = config.size * config.size;
    let picture = |planar: &[f32]| (0..plane * 3).map(|i| to_pixel(planar[i % 3 * plane + i / 3])).collect();
    (config.clone(), logits.chunks_exact(config.dims()).map(picture).collect())
}

/// The RGB bytes of the 16 canvases.
pub async fn shown(browser: &Browser) -> Vec<Vec<u8>> {
    let script = "[...document.querySelectorAll('canvas[data-index]')]
        .sort((a, b) => a.dataset.index - b.dataset.index)
        .map(c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].filter((_, i) => i % 4 < 3))";
    let value: Value = browser.eval(script).await.unwrap();
    serde_json::from_value(value).unwrap()
}

pub fn largest_difference(a: &[Vec<u8>], b: &[Vec<u8>]) -> u8 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .flat_map(|(a, b)| {
            assert_eq!(a.len(), b.len());
            a.iter().zip(b)
        })
        .map(|(a, b)| a.abs_diff(*b))
        .max()
        .unwrap_or(255)
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn the_grid_shows_what_the_native_engine_draws() {
    let server = serve();
    let browser = Browser::start(&[]).await.unwrap();
    browser.open(&format!("{}#model=faces&seed=7&t=0.8", server.url())).await.unwrap();
    browser.wait_for(DONE, PATIENCE).await.unwrap();
    browser.screenshot("samples").await.unwrap();
    // What was fetched early is what was needed: two versions would be two addresses of one file.
    let early =
        "performance.getEntriesByType('resource').map(e => new URL(e.name)).filter(u => u.search.startsWith('?v='))";
    let versions = browser.eval(&format!("new Set({early}.map(u => u.search)).size")).await.unwrap();
    let names =
        browser.eval(&format!("[...new Set({early}.map(u => u.pathname.split('/').pop()))].sort().join()")).await;
    assert_eq!((versions, names.unwrap()), (json!(1), json!("engine.js,worker.js,worker_bg.wasm")));
    let (_, expected) = native("faces", 7, 0.8, Latents::Independent);
    let pictures = shown(&browser).await;
    assert_eq!(pictures.len(), 16);
    let off = largest_difference(&pictures, &expected);
    assert!(off <= 2, "the page differs from the native engine by {off}/255");
    for (i, picture) in pictures.iter().enumerate() {
        let (low, high) = (picture.iter().min().unwrap(), picture.iter().max().unwrap());
        assert!(high - low > 20, "picture {i} is constant");
        assert!(pictures[..i].iter().all(|other| other != picture), "picture {i} is there twice");
    }
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn new_samples_are_new_and_their_seed_repeats_them() {
    let server = serve();
    let browser = Browser::start(&[]).await.unwrap();
    browser.open(&format!("{}#t=0.8", server.url())).await.unwrap();
    browser.wait_for(DONE, PATIENCE).await.unwrap();
    let first = shown(&browser).await;
    browser
        .eval("(document.documentElement.dataset.state = 'asked', document.querySelector('#new-samples').click())")
        .await
        .unwrap();
    browser.wait_for(DONE, PATIENCE).await.unwrap();
    let second = shown(&browser).await;
    assert!(largest_difference(&first, &second) > 50);
    let seed = browser.eval("document.documentElement.dataset.seed").await.unwrap();
    let seed: u64 = seed.as_str().unwrap().parse().unwrap();
    let (config, expected) = native("faces", seed, 0.8, Latents::Joint);
    assert_eq!(second[0].len(), config.size * config.size * 3);
    assert!(largest_difference(&second, &expected) <= 2);
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_phone_has_no_horizontal_scroll() {
    let server = serve();
    let browser = Browser::start(&["--window-size=360,800"]).await.unwrap();
    browser.open(&server.url()).await.unwrap();
    browser.wait_for(DONE, PATIENCE).await.unwrap();
    browser.screenshot("samples-phone").await.unwrap();
    let excess =
        browser.eval("document.documentElement.scrollWidth - document.documentElement.clientWidth").await.unwrap();
    assert_eq!(excess.as_i64(), Some(0));
    browser.finish().await.unwrap();
}
