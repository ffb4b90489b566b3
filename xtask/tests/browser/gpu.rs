//! WebGPU on the built page: right where there is one, and no more than a line of text where there is none.
//!
//! The browser's GPU is a program here, right and slow, so the model is a small one with random weights.

use std::path::Path;

use sha2::{Digest, Sha256};
use shared::RgFlowConfig;
use shared::sampler::Latents;
use web::index::{ModelEntry, ModelIndex};
use xtask::server::Server;

use super::harness::Browser;
use super::page::{DONE, PATIENCE, largest_difference, native_of, prepend, root, shown};

pub const WEBGPU: &str = "--enable-unsafe-webgpu";
pub const ON_GPU: &str = "document.documentElement.dataset.backend === 'WebGPU'";
pub const ON_CPU: &str = "document.documentElement.dataset.backend === 'CPU (SIMD)'";
const NEW_SAMPLES: &str =
    "(document.documentElement.dataset.state = 'asked', document.querySelector('#new-samples').click())";

/// Dispatches since this was asked last.
const COUNT: &str = "await new Promise(resolve => {
    const line = new BroadcastChannel('test');
    line.onmessage = event => resolve(event.data);
    line.postMessage('count');
})";

/// A copy of the page with a small model.
pub struct Page {
    dir: tempfile::TempDir,
    server: Server,
    model: Vec<u8>,
}

impl Page {
    pub fn new() -> Self {
        let dist = root().join("dist");
        assert!(dist.join("index.html").is_file(), "build the page first: `cargo xtask test --only page`");
        let dir = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(&dist).unwrap() {
            let entry = entry.unwrap();
            if entry.path().is_file() {
                std::fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
            }
        }
        let model = web::engine::random::model_bytes(&RgFlowConfig::tiny(), "random").unwrap();
        add_model(dir.path(), &model);
        let server = Server::start(dir.path(), 0, "/").unwrap();
        Self { dir, server, model }
    }

    /// Runs JavaScript before any worker loads its program.
    pub fn prepend(&self, script: &str) {
        prepend(self.dir.path(), "engine.js", script);
    }

    /// The same for the worker with the GPU.
    pub fn spoil(&self, script: &str) {
        self.prepend(&format!("if (self.name === 'gpu') {{ {script} }}"));
    }

    pub async fn open(&self, browser: &Browser, backend: &str) {
        browser.open(&format!("{}?backend={backend}#seed=5&t=0.8", self.server.url())).await.unwrap();
        browser.wait_for(DONE, PATIENCE).await.unwrap();
        self.check(browser).await;
    }

    /// Whether the pictures are those of the seed, whatever made them.
    pub async fn check(&self, browser: &Browser) {
        let seed = browser.eval("document.documentElement.dataset.seed").await.unwrap();
        let (_, expected) = native_of(&self.model, seed.as_str().unwrap().parse().unwrap(), 0.8, Latents::Independent);
        let off = largest_difference(&shown(browser).await, &expected);
        assert!(off <= 2, "the page differs from the native engine by {off}/255");
    }

    async fn check_new_samples(&self, browser: &Browser) {
        browser.eval(NEW_SAMPLES).await.unwrap();
        browser.wait_for(DONE, PATIENCE).await.unwrap();
        self.check(browser).await;
    }
}

fn add_model(dir: &Path, model: &[u8]) {
    let entry = ModelEntry {
        id: "random".into(),
        title: "Noise".into(),
        file: "random.safetensors".into(),
        bytes: model.len() as u64,
        sha256: Sha256::digest(model).iter().map(|byte| format!("{byte:02x}")).collect(),
        description: String::new(),
        licence: String::new(),
        default: true,
        ..ModelEntry::default()
    };
    let index = ModelIndex { format: 1, models: vec![entry] };
    std::fs::create_dir(dir.join("models")).unwrap();
    std::fs::write(dir.join("models/random.safetensors"), model).unwrap();
    std::fs::write(dir.join("models/index.json"), serde_json::to_vec(&index).unwrap()).unwrap();
}

/// The page's note on what it runs on has these words.
pub fn noted(words: &str) -> String {
    format!("document.querySelector('#backend-note').textContent.includes('{words}')")
}

/// A GPU that is lost at a word on the channel "test".
pub const LOST_WHEN_TOLD: &str = "const request = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (...of) {
        const device = await request.apply(this, of);
        new BroadcastChannel('test').onmessage = () => device.destroy();
        return device;
    };";

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn webgpu_draws_what_the_native_engine_draws() {
    let page = Page::new();
    page.spoil(
        "let count = 0;
         const dispatch = GPUComputePassEncoder.prototype.dispatchWorkgroups;
         GPUComputePassEncoder.prototype.dispatchWorkgroups = function (...of) {
             count += 1;
             dispatch.apply(this, of);
         };
         const line = new BroadcastChannel('test');
         line.onmessage = () => { line.postMessage(count); count = 0; };",
    );
    let browser = Browser::start(&[WEBGPU]).await.unwrap();
    page.open(&browser, "webgpu").await;
    browser.wait_for(ON_GPU, PATIENCE).await.unwrap();
    browser.wait_for(&noted("the same pictures as the CPU"), PATIENCE).await.unwrap();
    browser.screenshot("webgpu").await.unwrap();
    browser.eval(COUNT).await.unwrap();
    page.check_new_samples(&browser).await;
    assert_eq!(browser.eval(ON_GPU).await.unwrap(), true);
    let count = browser.eval(COUNT).await.unwrap().as_u64().unwrap();
    assert!((1..80).contains(&count), "{count} dispatches");
    // The reader's control.
    let choose = "(document.querySelector('#backend').value = 'cpu', \
                   document.querySelector('#backend').dispatchEvent(new Event('change')))";
    browser.eval(choose).await.unwrap();
    browser.wait_for(ON_CPU, PATIENCE).await.unwrap();
    page.check_new_samples(&browser).await;
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_program_in_a_gpus_place_is_not_fetched_for() {
    let page = Page::new();
    let browser = Browser::start(&[WEBGPU]).await.unwrap();
    std::fs::remove_file(page.dir.path().join("gpu_bg.wasm")).unwrap();
    page.open(&browser, "auto").await;
    browser.wait_for(&noted("WebGPU is not used"), PATIENCE).await.unwrap();
    assert_eq!(browser.eval(ON_CPU).await.unwrap(), true);
    // Also that nothing was missing.
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn without_a_gpu_the_page_says_so_and_fetches_nothing_for_it() {
    let page = Page::new();
    let browser = Browser::start(&[]).await.unwrap();
    std::fs::remove_file(page.dir.path().join("gpu_bg.wasm")).unwrap();
    page.open(&browser, "webgpu").await;
    browser.wait_for(&noted("WebGPU is not used: this browser"), PATIENCE).await.unwrap();
    page.check_new_samples(&browser).await;
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_gpu_that_draws_something_else_is_not_used() {
    let page = Page::new();
    page.spoil(
        "const say = self.postMessage.bind(self);
         self.postMessage = message => { message.part?.part.picture?.rgba.fill(0); say(message); };",
    );
    let browser = Browser::start(&[WEBGPU]).await.unwrap();
    page.open(&browser, "webgpu").await;
    browser.wait_for(&noted("differ from the CPU"), PATIENCE).await.unwrap();
    page.check_new_samples(&browser).await;
    assert_eq!(browser.eval(ON_CPU).await.unwrap(), true);
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_gpu_that_is_lost_leaves_the_page_to_the_cpu() {
    let page = Page::new();
    page.spoil(LOST_WHEN_TOLD);
    let browser = Browser::start(&[WEBGPU]).await.unwrap();
    page.open(&browser, "webgpu").await;
    browser.wait_for(ON_GPU, PATIENCE).await.unwrap();
    // Pictures are under way when it happens.
    browser.eval(NEW_SAMPLES).await.unwrap();
    browser.eval("new BroadcastChannel('test').postMessage('lose')").await.unwrap();
    browser.wait_for(&noted("the GPU was lost"), PATIENCE).await.unwrap();
    browser.wait_for(DONE, PATIENCE).await.unwrap();
    page.check(&browser).await;
    page.check_new_samples(&browser).await;
    assert_eq!(browser.eval(ON_CPU).await.unwrap(), true);
    // What the browser itself logs of a lost device is no fault of the page.
    browser.console().await.unwrap();
    browser.finish().await.unwrap();
}

/// What some browsers lack or refuse, each with words of the note that says why there is no WebGPU, if there is none.
const LACKS: [(&str, &str, &str); 7] = [
    (
        "no WebGPU",
        "Object.defineProperty(Object.getPrototypeOf(self.navigator), 'gpu', { get: () => undefined });",
        "this browser has no WebGPU",
    ),
    (
        "no adapter",
        "GPU.prototype.requestAdapter = async () => null;",
        "offers WebGPU, but no GPU for it",
    ),
    (
        "no timestamps",
        "{ const has = GPUSupportedFeatures.prototype.has;
           GPUSupportedFeatures.prototype.has = function (name) { return name !== 'timestamp-query' && has.call(this, name); }; }",
        "does not offer timestamp queries",
    ),
    (
        "no device",
        "GPUAdapter.prototype.requestDevice = () => Promise.reject(new DOMException('limit', 'OperationError'));",
        "offers a GPU, but then does not give it",
    ),
    (
        "small buffers",
        "Object.defineProperty(GPUSupportedLimits.prototype, 'maxStorageBufferBindingSize', { get: () => 134217728 });",
        "",
    ),
    (
        "no caches",
        "Object.defineProperty(self, 'caches', { get() { throw new DOMException('The operation is insecure.', 'SecurityError'); } });",
        "",
    ),
    (
        "a full cache",
        "Cache.prototype.put = () => Promise.reject(new DOMException('full', 'QuotaExceededError'));",
        "",
    ),
];

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn whatever_a_browser_lacks_there_are_pictures_and_a_word_about_it() {
    for (what, script, words) in LACKS {
        let page = Page::new();
        prepend(page.dir.path(), "engine.js", script);
        let browser = Browser::start(&[WEBGPU]).await.unwrap();
        // Pages have the same browser as their workers; its note comes when the trial is over.
        browser.before_pages(script).await.unwrap();
        page.open(&browser, "webgpu").await;
        let told = "(t => t !== '' && !t.includes('Trying'))(document.querySelector('#backend-note').textContent)";
        browser.wait_for(told, PATIENCE).await.unwrap();
        let note = browser.eval("document.querySelector('#backend-note').textContent").await.unwrap();
        assert!(note.as_str().unwrap().contains(words), "{what}: {note}");
        assert!(words.is_empty() || browser.eval(ON_CPU).await.unwrap() == true, "{what}");
        page.check_new_samples(&browser).await;
        // What the browser itself logs of it is no fault of the page.
        browser.console().await.unwrap();
        browser.finish().await.unwrap();
    }
}
