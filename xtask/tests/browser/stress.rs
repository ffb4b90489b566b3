//! The page where everything goes wrong at once: damaged caches, servers that answer with something else, a monkey at the
//! controls, two tabs.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;

use xtask::server::Server;

use super::harness::Browser;
use super::page::{PATIENCE, copied, serve, shown};
use super::panels::{QUIET, afresh};

/// Puts other bytes in place of every kept file of weights; `of` makes them of the true ones.
fn poisoned(of: &str) -> String {
    format!(
        "(async () => {{
            const cache = await caches.open('rg-flow-models-1');
            let count = 0;
            for (const request of await cache.keys()) {{
                const bytes = new Uint8Array(await (await cache.match(request)).arrayBuffer());
                await cache.put(request, new Response(({of})(bytes)));
                count += 1;
            }}
            return count;
        }})()"
    )
}

const LENGTHS: &str = "(async () => {
    const cache = await caches.open('rg-flow-models-1');
    const lengths = [];
    for (const request of await cache.keys()) lengths.push((await (await cache.match(request)).arrayBuffer()).byteLength);
    return lengths.join(' ');
})()";

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn damaged_weights_that_were_kept_are_noticed_and_fetched_again() {
    let server = serve();
    let browser = Browser::start(&[]).await.unwrap();
    browser.open(&server.url()).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    let (pictures, lengths) = (shown(&browser).await, browser.eval(LENGTHS).await.unwrap());
    for of in [
        "bytes => bytes.slice(0, bytes.length / 2)",
        "bytes => bytes.slice(0, 0)",
        "bytes => bytes.fill(7, bytes.length / 2)",
        "bytes => new Uint8Array([...bytes, 0])",
    ] {
        let count = browser.eval(&poisoned(of)).await.unwrap();
        assert!(count.as_u64().unwrap() > 0, "no weights were kept");
        afresh(&browser, &server.url()).await;
        assert!(shown(&browser).await == pictures, "{of}");
        // What is kept now is whole again.
        assert_eq!(browser.eval(LENGTHS).await.unwrap(), lengths, "{of}");
    }
    browser.finish().await.unwrap();
}

/// A server at a port that has the page's index alone, and answers everything else alike.
fn other_server(port: u16, index: String, answer: &'static str) {
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut first = String::new();
            // A browser opens connections on which it says nothing.
            stream.set_read_timeout(Some(std::time::Duration::from_secs(1))).unwrap();
            if BufReader::new(&stream).read_line(&mut first).is_err() {
                continue;
            }
            let text = if first.starts_with("GET / ") {
                format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{index}",
                    index.len()
                )
            } else {
                answer.to_owned()
            };
            let _ = stream.write_all(text.as_bytes());
        }
    });
}

/// What servers say that have lost a file, are out of order, or want a login first.
const OTHERWISE: [&str; 2] = [
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlate",
    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\nConnection: close\r\n\r\n<h1>Log in</h1>",
];

/// Until the page and all its files are kept.
const KEPT: &str = "Boolean((await navigator.serviceWorker.ready).active) && \
    (k => k.includes('worker_bg.wasm') && k.includes('app') && k.includes('index.json') && k.includes('style'))\
    ((await (await caches.open('rg-flow-page')).keys()).map(r => r.url).join(' '))";

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_server_that_answers_with_something_else_does_not_replace_what_was_kept() {
    for answer in OTHERWISE {
        let dir = copied();
        let server = Server::start(dir.path(), 0, "/").unwrap();
        let (url, port) = (server.url(), server.port());
        let browser = Browser::start(&[]).await.unwrap();
        for _ in 0..2 {
            browser.open(&url).await.unwrap();
            browser.wait_for(QUIET, PATIENCE).await.unwrap();
            browser.wait_for(KEPT, PATIENCE).await.unwrap();
        }
        let pictures = shown(&browser).await;
        browser.open("about:blank").await.unwrap();
        drop(server);
        let index = std::fs::read_to_string(Path::new(dir.path()).join("index.html")).unwrap();
        other_server(port, index, answer);
        // Twice: the first visit must not have kept what the server said.
        for _ in 0..2 {
            browser.open(&url).await.unwrap();
            browser.wait_for(QUIET, PATIENCE).await.unwrap();
            assert!(shown(&browser).await == pictures, "{answer}");
            browser.open("about:blank").await.unwrap();
        }
        // That the server gave nothing is logged, and is no fault here.
        browser.console().await.unwrap();
        browser.finish().await.unwrap();
    }
}

/// Plays at random with what a panel has, and what all panels share: clicks, slides, chooses, strokes. Gives what it did
/// last, and errors that nobody caught.
fn monkey(panel: &str, seed: u32, events: u32) -> String {
    format!(
        "(async () => {{
            let state = {seed};
            const random = () => {{
                state = (state + 0x6D2B79F5) | 0;
                let t = Math.imul(state ^ (state >>> 15), 1 | state);
                t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
                return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
            }};
            const one = (list) => list[Math.floor(random() * list.length)];
            const faults = [];
            window.addEventListener('error', (event) => faults.push(event.message));
            window.addEventListener('unhandledrejection', (event) => faults.push(String(event.reason)));
            // What leads away, takes the machine's own things or writes files is left alone.
            const away = '[id^=door], [data-panel], [download], [href^=http], [type=file], #model, #backend, [id*=camera], [id*=share], [id*=save], [id*=copy], [id*=film], [id*=card], [id*=gif]';
            const done = [];
            for (let i = 0; i < {events}; i++) {{
                for (const dialog of document.querySelectorAll('dialog[open]')) if (random() < 0.5) dialog.close();
                const own = [...document.querySelectorAll('#panel-{panel} :is(button, input, select, canvas, summary, [tabindex])')];
                const shared = [...document.querySelectorAll('dialog[open] :is(button, canvas), #history :is(button, canvas)')];
                const element = one((random() < 0.85 || !shared.length ? own : shared).filter((e) => !e.disabled && !e.matches(away) && e.getClientRects().length));
                if (!element) {{
                    // Somebody led away.
                    document.getElementById('tab-{panel}').click();
                    continue;
                }}
                done.push(element.id || element.className || element.tagName);
                const say = (type, Kind = Event, more = {{}}) => element.dispatchEvent(new Kind(type, {{ bubbles: true, cancelable: true, ...more }}));
                const box = element.getBoundingClientRect();
                const at = () => ({{ clientX: box.left + random() * box.width, clientY: box.top + random() * box.height, pointerId: 1, button: 0, buttons: 1, isPrimary: true }});
                if (element.type === 'range' || element.type === 'number') {{
                    const [low, high] = [Number(element.min || 0), Number(element.max || 9)];
                    element.value = low + random() * (high - low);
                    say('input');
                    if (random() < 0.7) say('change');
                }} else if (element.tagName === 'SELECT') {{
                    element.selectedIndex = Math.floor(random() * element.options.length);
                    say('input');
                    say('change');
                }} else if (element.tagName === 'CANVAS' && random() < 0.7) {{
                    say('pointerdown', PointerEvent, at());
                    for (let k = random() * 4; k > 0; k--) say('pointermove', PointerEvent, at());
                    say('pointerup', PointerEvent, at());
                    say('click', MouseEvent, at());
                }} else if (random() < 0.2) {{
                    say('keydown', KeyboardEvent, {{ key: one(['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Enter', ' ', 'Escape', 'Home', 'End']) }});
                }} else {{
                    element.click();
                }}
                if (i % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 15));
            }}
            document.querySelectorAll('dialog[open]').forEach((dialog) => dialog.close());
            return JSON.stringify({{ faults, last: done.slice(-8), count: done.length }});
        }})()"
    )
}

/// The monkey's events at each panel.
const EVENTS: u32 = 500;

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_monkey_at_the_controls_breaks_nothing_and_its_address_leads_where_it_stopped() {
    let server = serve();
    let browser = Browser::start(&[]).await.unwrap();
    for (seed, panel) in (1..).zip(["sample", "mix", "explore", "inpaint", "train", "about"]) {
        afresh(&browser, &format!("{}#panel={panel}&model=msds1", server.url())).await;
        for round in 0..EVENTS / 100 {
            let told = browser.eval(&monkey(panel, seed * 1000 + round, 100)).await.unwrap();
            let told: serde_json::Value = serde_json::from_str(told.as_str().unwrap()).unwrap();
            assert_eq!(told["faults"], serde_json::json!([]), "{panel}: {told}");
            assert!(told["count"].as_u64().unwrap() > 50, "{panel}: {told}");
        }
        browser.wait_for(QUIET, PATIENCE).await.unwrap();
        // The address is written a moment later.
        tokio::time::sleep(std::time::Duration::from_millis(600)).await;
        let address = browser.eval("location.href").await.unwrap().as_str().unwrap().to_owned();
        afresh(&browser, &address).await;
        tokio::time::sleep(std::time::Duration::from_millis(600)).await;
        let again = browser.eval("location.href").await.unwrap();
        let hash = |url: &str| url.split_once('#').map(|(_, hash)| hash.to_owned());
        assert_eq!(hash(again.as_str().unwrap()), hash(&address), "{panel}");
        let errors: Vec<String> =
            browser.console().await.unwrap().into_iter().filter(|line| line.starts_with("SEVERE")).collect();
        assert!(errors.is_empty(), "{panel}: {errors:?}");
    }
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn two_tabs_do_not_disturb_each_other() {
    let server = serve();
    let browser = Browser::start(&[]).await.unwrap();
    let driver = browser.driver();
    let url = |seed: u32| format!("{}#model=msds1&seed={seed}&t=0.7", server.url());
    let first = driver.window().await.unwrap();
    let second = driver.new_tab().await.unwrap();
    // Both fetch and keep the same files at once, and show their own.
    let mut pictures = Vec::new();
    for (tab, seed) in [(&first, 3), (&second, 4)] {
        driver.switch_to_window(tab.clone()).await.unwrap();
        browser.eval(&format!("void (location.href = '{}')", url(seed))).await.unwrap();
    }
    for tab in [&first, &second] {
        driver.switch_to_window(tab.clone()).await.unwrap();
        browser.wait_for(&format!("location.href.startsWith('{}')", server.url()), PATIENCE).await.unwrap();
        browser.wait_for(QUIET, PATIENCE).await.unwrap();
        pictures.push(shown(&browser).await);
    }
    assert!(pictures[0] != pictures[1]);
    // What one of them throws away, the other still has on its screen, and gets again.
    browser.eval("caches.delete('rg-flow-models-1')").await.unwrap();
    driver.switch_to_window(first).await.unwrap();
    assert!(shown(&browser).await == pictures[0]);
    browser.open(&url(4)).await.unwrap();
    browser.wait_for(&format!("location.hash.includes('seed=4') && {QUIET}"), PATIENCE).await.unwrap();
    assert!(shown(&browser).await == pictures[1]);
    browser.finish().await.unwrap();
}
