//! A model learns on WebGPU as it does on the CPU, and goes on where the GPU does not.
//!
//! The browser's GPU is a program here, right and slow: each test takes minutes. So all but the first run where tests are to
//! go on for long ([`in_full`]).

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use burn::backend::Flex;
use burn::tensor::read_sync;
use web::training::{Training, parameters};

use super::gpu::{LOST_WHEN_TOLD, WEBGPU};
use super::harness::{Browser, in_full};
use super::page::{PATIENCE, copied, prepend};
use super::panels::{QUIET, click};
use super::train::{fact, number, open, runs_on, stands};
use xtask::server::Server;

/// A trial takes a few steps.
const LONG: Duration = Duration::from_secs(480);

const ON_GPU: &str = "WebGPU. It takes the same steps";

/// A page whose worker that trains on the GPU runs this script first, on the panel, with a new run that pauses while
/// WebGPU is on trial: else the two would be in each other's way.
async fn tried(script: &str) -> (tempfile::TempDir, Server, Browser) {
    let dir = copied();
    prepend(dir.path(), "engine.js", &format!("if (self.name === 'train-gpu') {{ {script} }}"));
    let server = Server::start(dir.path(), 0, "/").unwrap();
    let browser = Browser::start(&[WEBGPU]).await.unwrap();
    open(&browser, &format!("{}?backend=webgpu#panel=train", server.url())).await;
    browser.wait_for(&stands("ready"), PATIENCE).await.unwrap();
    click(&browser, "#train-go").await;
    browser.wait_for(&runs_on("WebGPU"), LONG).await.unwrap();
    pause(&browser).await;
    (dir, server, browser)
}

async fn pause(browser: &Browser) {
    click(browser, "#train-go").await;
    browser.wait_for(&stands("paused"), LONG).await.unwrap();
}

/// Goes on, and waits until more was learned than before.
async fn go_on(browser: &Browser) {
    click(browser, "#train-go").await;
    browser.wait_for(&stands("learning"), PATIENCE).await.unwrap();
    learns(browser).await;
}

async fn learns(browser: &Browser) {
    let seen = number(browser, &fact("Seen")).await;
    browser.wait_for(&format!("{} > {seen}", fact("Seen")), LONG).await.unwrap();
}

/// The run that the browser keeps.
async fn kept(browser: &Browser) -> Vec<u8> {
    let text = "await (async () => {
        const kept = await (await (await caches.open('rg-flow-run-1')).match('kept-run')).blob();
        const reader = new FileReader();
        await new Promise((done) => { reader.onload = done; reader.readAsDataURL(kept); });
        return reader.result.split(',')[1];
    })()";
    BASE64_STANDARD.decode(browser.eval(text).await.unwrap().as_str().unwrap()).unwrap()
}

/// Bits/dim of new pictures at the newest look, and the trainable parameters.
fn stand(run: &[u8], training: &mut Training<Flex>) -> (f64, Vec<f32>) {
    let learned = read_sync(training.look(false)).unwrap();
    (f64::from(learned.curve.last().unwrap().held_out), parameters(run).unwrap())
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn on_webgpu_it_takes_the_steps_of_the_native_engine() {
    let (_dir, _server, browser) = tried("").await;
    browser.wait_for(&runs_on(ON_GPU), LONG).await.unwrap();
    let before = kept(&browser).await;
    // From here on every step is the GPU's.
    go_on(&browser).await;
    browser.screenshot("train-webgpu").await.unwrap();
    // The other panels can use it while it learns there.
    click(&browser, "#train-use").await;
    let used = "document.querySelector('#train-used').textContent !== ''";
    browser.wait_for(used, LONG).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    assert_eq!(browser.eval(&stands("learning")).await.unwrap(), true);
    pause(&browser).await;
    assert_eq!(browser.eval(&runs_on(ON_GPU)).await.unwrap(), true);
    let after = kept(&browser).await;
    let of = |run: &[u8]| Training::<Flex>::from_bytes(run, Default::default()).unwrap();
    let (mut native, mut page) = (of(&before), of(&after));
    let (first, steps) = (parameters(&before).unwrap(), page.steps() - native.steps());
    assert!(steps > 0);
    for _ in 0..steps {
        let (next, taken) = read_sync(native.step());
        taken.unwrap();
        native = next;
        native.spend(1.0);
    }
    let expected = read_sync(native.to_bytes()).unwrap();
    let ((bits, ours), (expected, theirs)) = (stand(&after, &mut page), stand(&expected, &mut native));
    let distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt();
    let off = distance(&ours, &theirs) / distance(&first, &theirs);
    // Four millionths of the way were measured.
    assert!((bits - expected).abs() < 1e-3 && off < 0.02, "{steps} steps: {bits}, not {expected}; off by {off}");
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_gpu_that_is_lost_while_it_trains_leaves_the_run_to_the_cpu() {
    if !in_full() {
        return;
    }
    let (_dir, _server, browser) = tried(LOST_WHEN_TOLD).await;
    browser.wait_for(&runs_on(ON_GPU), LONG).await.unwrap();
    go_on(&browser).await;
    browser.eval("new BroadcastChannel('test').postMessage('lose')").await.unwrap();
    browser.wait_for(&runs_on("CPU (SIMD). WebGPU is not used: the GPU was lost"), LONG).await.unwrap();
    assert_eq!(browser.eval(&runs_on("The CPU went on from step")).await.unwrap(), true);
    assert_eq!(browser.eval(&stands("learning")).await.unwrap(), true);
    learns(&browser).await;
    pause(&browser).await;
    // What the browser itself logs of a lost device is no fault of the page.
    browser.console().await.unwrap();
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_gpu_that_learns_something_else_is_not_used() {
    if !in_full() {
        return;
    }
    // The run that it gives back is the one that it was lent.
    let (_dir, _server, browser) = tried(
        "let lent = null;
         self.addEventListener('message', (event) => { lent = event.data.serve?.task.take?.run.slice() ?? lent; });
         const say = self.postMessage.bind(self);
         self.postMessage = (message) => { if (message.last?.last.file) message.last.last.file = lent; say(message); };",
    )
    .await;
    browser.wait_for(&runs_on("its steps differ from the CPU"), LONG).await.unwrap();
    go_on(&browser).await;
    assert_eq!(browser.eval(&runs_on("CPU (SIMD).")).await.unwrap(), true);
    browser.finish().await.unwrap();
}
