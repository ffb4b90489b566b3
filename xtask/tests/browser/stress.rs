//! The page where everything goes wrong at once: damaged caches, servers that answer with something else, a monkey at the
//! controls, two tabs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::faulty::{Answer, dist, serve as serve_badly};
use super::harness::{Browser, in_full};
use super::memory::{Taken, measured};
use super::offline::kept;
use super::page::{PATIENCE, serve, shown};
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

/// What servers say that have lost a file, are out of order, or want a login first.
const OTHERWISE: [&str; 2] = [
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlate",
    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\nConnection: close\r\n\r\n<h1>Log in</h1>",
];

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_server_that_answers_with_something_else_does_not_replace_what_was_kept() {
    for answer in OTHERWISE {
        let out_of_order = Arc::new(AtomicBool::new(false));
        let heard = Arc::clone(&out_of_order);
        let url = serve_badly(&dist(), 0, move |path| {
            let right = path == "/" || !heard.load(Ordering::SeqCst);
            if right { Answer::Right } else { Answer::Words(answer) }
        });
        let browser = kept(&url).await;
        let pictures = shown(&browser).await;
        browser.open("about:blank").await.unwrap();
        out_of_order.store(true, Ordering::SeqCst);
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

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_monkey_at_the_controls_breaks_nothing_and_its_address_leads_where_it_stopped() {
    let (browser, server, _dir) = measured().await;
    let hundreds = if in_full() { 20 } else { 5 };
    for (seed, panel) in (1..).zip(["sample", "mix", "explore", "inpaint", "train", "about"]) {
        afresh(&browser, &format!("{}#panel={panel}&model=msds1", server.url())).await;
        let mut before = None;
        for round in 0..hundreds {
            let told = browser.eval(&monkey(panel, seed * 1000 + round, 100)).await.unwrap();
            let told: serde_json::Value = serde_json::from_str(told.as_str().unwrap()).unwrap();
            assert_eq!(told["faults"], serde_json::json!([]), "{panel}: {told}");
            assert!(told["count"].as_u64().unwrap() > 50, "{panel}: {told}");
            // By then it has opened what there is to open; what takes the most memory it might have missed.
            if round == hundreds / 2 - 1 {
                let most =
                    "document.querySelectorAll('#explore-search, #explore-make-strips').forEach((b) => b.click())";
                browser.eval(most).await.unwrap();
                browser.wait_for(QUIET, PATIENCE).await.unwrap();
                before = Some(Taken::by(&browser).await);
            }
        }
        browser.wait_for(QUIET, PATIENCE).await.unwrap();
        let (before, after) = (before.unwrap(), Taken::by(&browser).await);
        println!("{panel}: from {before:?} to {after:?}");
        // At any event a model of one's own may be opened: its weights go through the page's program.
        let spare = if panel == "train" { 6.0 } else { 1.0 };
        assert!(after.is_flat_since(before, spare), "{panel}: from {before:?} to {after:?}");
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
