//! What a page takes of memory, and whether that grows: 10,000 samples and 1,000 inpaintings, in full.

use xtask::server::Server;

use super::gpu::Page;
use super::harness::{Browser, in_full};
use super::page::{PATIENCE, copied, prepend};
use super::panels::{FILLED, QUIET};

/// Flags for a browser whose memory is measured.
pub const MEASURED: [&str; 2] = ["--enable-precise-memory-info", "--js-flags=--expose-gc"];

/// Takes note of the memories that programs get, and in a page of the workers that run models for it.
const NOTE: &str = "if (self.document) {
    self.workers = new Set();
    new BroadcastChannel('memory').onmessage = ({ data: { name } }) => name !== undefined && workers.add(name);
}
for (const name of ['instantiate', 'instantiateStreaming']) {
    const old = WebAssembly[name].bind(WebAssembly);
    WebAssembly[name] = async (...of) => {
        const made = await old(...of);
        (self.memories ??= []).push((made.instance ?? made).exports.memory);
        return made;
    };
}";

/// Has the engine's worker, and its helper, tell how much their programs have.
const TELL: &str = "if (self.name === '' || self.name === 'helper') {
    const line = new BroadcastChannel('memory');
    line.postMessage({ name: self.name });
    line.onmessage = ({ data }) =>
        data === 'ask' && line.postMessage({ name: self.name, bytes: self.memories[0].buffer.byteLength });
}";

/// The page, its workers and the page's JavaScript, each in bytes, when what is no longer used was let go.
const TAKEN: &str = "(async () => {
    for (let i = 0; i < 3; i++) { gc(); await new Promise((done) => setTimeout(done, 50)); }
    const line = new BroadcastChannel('memory');
    const bytes = {};
    await new Promise((done) => {
        line.onmessage = ({ data }) => {
            if (data.bytes) bytes[data.name] = data.bytes;
            if ([...workers].every((name) => name in bytes)) done();
        };
        line.postMessage('ask');
    });
    const engine = Object.values(bytes).reduce((sum, some) => sum + some, 0);
    line.close();
    return [self.memories[0].buffer.byteLength, engine, performance.memory.usedJSHeapSize];
})()";

/// Bytes that a page takes.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    page: f64,
    engine: f64,
    scripts: f64,
}

impl Taken {
    /// Now.
    pub async fn by(browser: &Browser) -> Self {
        let numbers: [f64; 3] = serde_json::from_value(browser.eval(TAKEN).await.unwrap()).unwrap();
        let [page, engine, scripts] = numbers;
        Self { page, engine, scripts }
    }

    /// Whether it is no more than it was, but for a fifth and some megabytes, which come and go with the moment.
    pub fn is_flat_since(self, before: Self, megabytes: f64) -> bool {
        let flat = |now: f64, then: f64| now <= then * 1.2 + megabytes * 1e6;
        flat(self.page, before.page) && flat(self.engine, before.engine) && flat(self.scripts, before.scripts)
    }
}

/// A copy of the page whose memory can be measured, and a browser for it.
pub async fn measured() -> (Browser, Server, tempfile::TempDir) {
    let dir = copied();
    prepend(dir.path(), "engine.js", &format!("{NOTE}\n{TELL}"));
    let server = Server::start(dir.path(), 0, "/").unwrap();
    let browser = Browser::start(&MEASURED).await.unwrap();
    browser.before_pages(NOTE).await.unwrap();
    (browser, server, dir)
}

/// Asks for new samples so many times; each time there are sixteen.
fn samples(times: usize) -> String {
    format!(
        "(async () => {{
            const root = document.documentElement.dataset;
            for (let i = 0; i < {times}; i++) {{
                root.state = 'asked';
                document.querySelector('#new-samples').click();
                while (root.state !== 'done' || root.busy !== 'false') await new Promise((done) => setTimeout(done, 5));
            }}
        }})()"
    )
}

/// Has holes filled, one after the other; gives how many completions there were.
fn completions(holes: usize) -> String {
    format!(
        "(async () => {{
            const progress = document.querySelector('#inpaint-progress');
            let count = 0;
            for (let i = 0; i < {holes}; i++) {{
                document.querySelectorAll('#inpaint-presets button')[i % 2].click();
                while (progress.value === progress.max) await new Promise((done) => setTimeout(done, 1));
                while (!({FILLED})) await new Promise((done) => setTimeout(done, 5));
                count += document.querySelectorAll('#inpaint-choices button').length;
            }}
            return count;
        }})()"
    )
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn thousands_of_samples_and_inpaintings_take_no_more_memory_than_some() {
    let page = Page::new();
    page.prepend(&format!("{NOTE}\n{TELL}"));
    let browser = Browser::start(&MEASURED).await.unwrap();
    browser.before_pages(NOTE).await.unwrap();
    let (sheets, mended) = if in_full() { (630, 1000.0) } else { (12, 40.0) };
    page.open(&browser, "cpu").await;
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    // What is kept for Back and Forward, and what grows once, is there after these.
    browser.eval(&samples(10)).await.unwrap();
    let before = Taken::by(&browser).await;
    for _ in 0..sheets / 6 {
        browser.eval(&samples(6)).await.unwrap();
    }
    let after = Taken::by(&browser).await;
    println!("{} samples: from {before:?} to {after:?}", sheets * 16);
    assert!(after.is_flat_since(before, 1.0), "from {before:?} to {after:?}");
    browser.eval("document.querySelector('#tab-inpaint').click()").await.unwrap();
    browser.wait_for(FILLED, PATIENCE).await.unwrap();
    browser.eval(&completions(4)).await.unwrap();
    let (before, mut count) = (Taken::by(&browser).await, 0.0);
    while count < mended {
        count += browser.eval(&completions(4)).await.unwrap().as_f64().unwrap();
    }
    let after = Taken::by(&browser).await;
    println!("{count} inpaintings: from {before:?} to {after:?}");
    assert!(after.is_flat_since(before, 1.0), "from {before:?} to {after:?}");
    browser.finish().await.unwrap();
}
