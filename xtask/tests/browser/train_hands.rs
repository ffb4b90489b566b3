//! Several workers share each batch of a model that learns in the page, and one of them may break down.

use super::harness::Browser;
use super::page::{PATIENCE, copied, prepend};
use super::panels::{QUIET, click};
use super::train::{fact, number, open, runs_on, stands};
use xtask::server::Server;

/// A processor that takes three workers, of which sharing is faster by far, whatever else this machine does: while it
/// shares, the clock of the worker that trains is slow. The others say that they are there.
const THREE: &str = "if (self.name === 'train') {
    Object.defineProperty(navigator, 'hardwareConcurrency', { get: () => 3 });
    const clock = performance.now.bind(performance);
    let [at, shown, pace] = [clock(), clock(), 1];
    performance.now = () => {
        const time = clock();
        shown += (time - at) * pace;
        at = time;
        return shown;
    };
    const turn = (name, then) => {
        const old = Worker.prototype[name];
        Worker.prototype[name] = function (...of) {
            performance.now();
            pace = then;
            return old.apply(this, of);
        };
    };
    turn('postMessage', 0.2);
    turn('terminate', 1);
}
if (self.name === 'hand') {
    const line = new BroadcastChannel('hands');
    line.onmessage = ({ data }) => data === 'who' && line.postMessage('here');
}";

/// How many of the others are there.
const OTHERS: &str = "await new Promise((done) => {
    const line = new BroadcastChannel('hands');
    let count = 0;
    line.onmessage = ({ data }) => { count += data === 'here'; };
    line.postMessage('who');
    setTimeout(() => (line.close(), done(count)), 1000);
})";

const SHARED: &str = "3 workers share each batch.";

/// The panel of a page where the others run this script first; it begins to learn.
async fn learning(script: &str) -> (tempfile::TempDir, Server, Browser) {
    let dir = copied();
    prepend(dir.path(), "engine.js", &format!("{THREE}\nif (self.name === 'hand') {{ {script} }}"));
    let server = Server::start(dir.path(), 0, "/").unwrap();
    let browser = Browser::start(&[]).await.unwrap();
    open(&browser, &format!("{}#panel=train", server.url())).await;
    browser.wait_for(&stands("ready"), PATIENCE).await.unwrap();
    click(&browser, "#train-go").await;
    (dir, server, browser)
}

/// Waits until more was learned.
async fn learns(browser: &Browser) {
    let seen = number(browser, &fact("Seen")).await;
    browser.wait_for(&format!("{} > {seen}", fact("Seen")), PATIENCE).await.unwrap();
}

async fn pause(browser: &Browser) {
    click(browser, "#train-go").await;
    browser.wait_for(&stands("paused"), PATIENCE).await.unwrap();
    assert_eq!(browser.eval(OTHERS).await.unwrap(), 0);
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn workers_share_each_batch_for_as_long_as_the_run_learns() {
    let (_dir, _server, browser) = learning("").await;
    browser.wait_for(&format!("{} > 0", fact("Seen")), PATIENCE).await.unwrap();
    let bits = number(&browser, &fact("Bits/dim")).await;
    browser.wait_for(&runs_on(SHARED), PATIENCE).await.unwrap();
    assert_eq!(browser.eval(OTHERS).await.unwrap(), 2);
    learns(&browser).await;
    learns(&browser).await;
    browser.screenshot("train-shared").await.unwrap();
    // The other panels can use it, and the rate can change, while it learns.
    click(&browser, "#train-use").await;
    browser.wait_for("document.querySelector('#train-used').textContent !== ''", PATIENCE).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    let rate = "(slider => { slider.value = slider.min; slider.dispatchEvent(new Event('input', { bubbles: true })); })\
                (document.querySelector('#train-rate'))";
    browser.eval(rate).await.unwrap();
    learns(&browser).await;
    assert_eq!(browser.eval(&runs_on(SHARED)).await.unwrap(), true);
    pause(&browser).await;
    assert!(number(&browser, &fact("Bits/dim")).await < bits - 0.1, "it does not learn from {bits}");

    // It goes on, with others anew.
    click(&browser, "#train-go").await;
    browser.wait_for(&format!("!{}", runs_on(SHARED)), PATIENCE).await.unwrap();
    browser.wait_for(&runs_on(SHARED), PATIENCE).await.unwrap();
    assert_eq!(browser.eval(OTHERS).await.unwrap(), 2);
    learns(&browser).await;
    pause(&browser).await;
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_worker_that_no_longer_takes_its_share_leaves_the_run_learning() {
    // How, and whether shares came before.
    for (what, script, shared) in [
        ("its program is not there", "self.fetch = async () => new Response('', { status: 404 });", false),
        ("it never comes", "await new Promise(() => {});", false),
        (
            "it breaks down",
            "let count = 0;
             self.addEventListener('message', () => { if (++count > 40) throw new Error('out of memory'); });",
            true,
        ),
        (
            "it falls silent",
            "const say = self.postMessage.bind(self);
             let count = 0;
             self.postMessage = (message) => { if (++count <= 40) say(message); };",
            true,
        ),
        (
            "it finds no numbers",
            "const say = self.postMessage.bind(self);
             let count = 0;
             self.postMessage = (message) => { if (++count > 40) message.last?.last.file?.fill(255); say(message); };",
            true,
        ),
    ] {
        let (_dir, _server, browser) = learning(script).await;
        browser.wait_for(&stands("learning"), PATIENCE).await.unwrap();
        if shared {
            browser.wait_for(&runs_on(SHARED), PATIENCE).await.unwrap();
            browser.wait_for(&format!("!{}", runs_on(SHARED)), PATIENCE).await.unwrap();
        }
        browser.wait_for(&format!("{} > 0", fact("Seen")), PATIENCE).await.unwrap();
        learns(&browser).await;
        assert_eq!(browser.eval(&runs_on("share each batch")).await.unwrap(), false, "{what}");
        assert_eq!(browser.eval(&stands("learning")).await.unwrap(), true, "{what}");
        pause(&browser).await;
        // What the browser itself logs of it is no fault of the page.
        browser.console().await.unwrap();
        browser.finish().await.unwrap();
    }
}
