//! The demo inside another page.

use xtask::server::Server;

use super::harness::Browser;
use super::page::{PATIENCE, copy, root};

const PAGE: &str = r#"<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>Someone's notes</title>
<script type="module" src="demo/embed.js"></script>
<h1>Notes</h1>
<rg-flow-demo panel="mix" model="faces"></rg-flow-demo>"#;

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn another_page_shows_a_panel() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("notes.html"), PAGE).unwrap();
    copy(&root().join("dist"), &dir.path().join("demo"));
    let server = Server::start(dir.path(), 0, "/").unwrap();
    let browser = Browser::start(&[]).await.unwrap();
    browser.open(&format!("{}notes.html", server.url())).await.unwrap();
    let inside = "document.querySelector('rg-flow-demo')?.shadowRoot?.querySelector('iframe')?.contentDocument";
    let quiet = format!(
        "(d => d?.dataset.state === 'done' && d.dataset.busy === 'false' && d.dataset.embed === 'mix')\
         ({inside}?.documentElement)"
    );
    browser.wait_for(&quiet, PATIENCE).await.unwrap();
    browser.screenshot("embed").await.unwrap();
    let visible = async |selector: &str| {
        let script = format!("{inside}.querySelector('{selector}').checkVisibility()");
        browser.eval(&script).await.unwrap()
    };
    assert_eq!(visible("#mix-ab").await, true);
    for hidden in [".brand", ".tabs", "footer", "#grid"] {
        assert_eq!(visible(hidden).await, false, "{hidden}");
    }
    browser.eval("document.querySelector('rg-flow-demo').setAttribute('panel', 'about')").await.unwrap();
    browser.wait_for(&quiet.replace("'mix'", "'about'"), PATIENCE).await.unwrap();
    // The link leads to the whole page.
    let shared = format!("{inside}.querySelector('#link').value");
    browser.eval(&format!("{inside}.querySelector('#copy-link').click()")).await.unwrap();
    browser.wait_for(&format!("{shared} !== ''"), PATIENCE).await.unwrap();
    let link = browser.eval(&shared).await.unwrap().as_str().unwrap().to_owned();
    assert!(link.contains("/demo/#panel=about&model=faces"), "{link}");
    // So does the small credit.
    assert_eq!(visible("#credit").await, true);
    let credit = browser.eval(&format!("{inside}.querySelector('#credit').href")).await.unwrap();
    assert_eq!(credit, link.as_str());
    // The element is moved, taken out and put back.
    let moved = "(demo => { document.body.prepend(demo); const p = demo.parentNode; demo.remove(); p.append(demo); \
                 return demo.shadowRoot.querySelectorAll('iframe').length; })(document.querySelector('rg-flow-demo'))";
    assert_eq!(browser.eval(moved).await.unwrap(), 1);
    browser.wait_for(&quiet.replace("'mix'", "'about'"), PATIENCE).await.unwrap();
    browser.finish().await.unwrap();
}

/// The element's height and that of what is in it.
const HEIGHTS: &str = "(demo => [demo.offsetHeight, \
    demo.shadowRoot.querySelector('iframe').contentDocument.documentElement.scrollHeight])\
    (document.querySelector('rg-flow-demo'))";

async fn notes(element: &str) -> (Browser, Server, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let start = PAGE.split("<rg-flow-demo").next().unwrap();
    std::fs::write(dir.path().join("notes.html"), format!("{start}{element}")).unwrap();
    copy(&root().join("dist"), &dir.path().join("demo"));
    let server = Server::start(dir.path(), 0, "/").unwrap();
    let browser = Browser::start(&[]).await.unwrap();
    browser.open(&format!("{}notes.html", server.url())).await.unwrap();
    browser.wait_for(QUIET_INSIDE, PATIENCE).await.unwrap();
    (browser, server, dir)
}

const QUIET_INSIDE: &str = "(d => d?.dataset.state === 'done' && d.dataset.busy === 'false')\
    (document.querySelector('rg-flow-demo')?.shadowRoot?.querySelector('iframe')?.contentDocument?.documentElement)";

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn the_element_becomes_as_high_as_its_panel() {
    let (browser, _server, _dir) =
        notes("<rg-flow-demo panel=\"mix\" model=\"faces32\" theme=\"dark\"></rg-flow-demo>").await;
    browser.wait_for(&format!("(([a, b]) => a === b && a > 750)({HEIGHTS})"), PATIENCE).await.unwrap();
    let inside = "document.querySelector('rg-flow-demo').shadowRoot.querySelector('iframe').contentDocument";
    let paper = browser.eval(&format!("getComputedStyle({inside}.body).backgroundColor")).await.unwrap();
    assert_eq!(paper, "rgb(20, 23, 31)");
    browser.screenshot("embed-dark").await.unwrap();
    // Nobody else is heard, such as a script of this page.
    let before = browser.eval(HEIGHTS).await.unwrap();
    browser.eval("(postMessage({ rgFlow: { height: 60 } }, '*'), 0)").await.unwrap();
    browser.eval("await new Promise(done => setTimeout(done, 300))").await.unwrap();
    assert_eq!(browser.eval(HEIGHTS).await.unwrap(), before);
    // A narrower page makes the panel higher, and the element with it.
    browser.eval("(document.querySelector('rg-flow-demo').style.width = '380px')").await.unwrap();
    browser.wait_for(&format!("(([a, b]) => a === b && a > {})({HEIGHTS})", before[0]), PATIENCE).await.unwrap();
    // The page's own height wins.
    browser.eval("(document.querySelector('rg-flow-demo').style.height = '600px')").await.unwrap();
    browser.wait_for(&format!("{HEIGHTS}[0] === 600"), PATIENCE).await.unwrap();
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_small_frame_shows_a_panel_whole() {
    for (panel, selectors) in [
        ("sample", &["#scope", "#scope-depth", "#grid"][..]),
        ("mix", &["#mix-a", "#mix-b", "#mix-ab", "#mix-ba", "#mix-cut"]),
        ("explore", &["#explore-board", "#explore-value", "#explore-direction-sliders"]),
        ("inpaint", &["#inpaint-board", "#inpaint-choices"]),
        ("train", &["#train-sheet", "#train-go"]),
    ] {
        let style = "style=\"display: block; width: 640px; height: 480px\"";
        let (browser, _server, _dir) =
            notes(&format!("<rg-flow-demo panel=\"{panel}\" model=\"faces32\" {style}></rg-flow-demo>")).await;
        browser.screenshot(&format!("embed-small-{panel}")).await.unwrap();
        assert_eq!(browser.eval(&format!("{HEIGHTS}[1]")).await.unwrap(), 480, "{panel}");
        for selector in selectors {
            let extent = format!(
                "(r => [r.top, r.bottom])(document.querySelector('rg-flow-demo').shadowRoot.querySelector('iframe')\
                 .contentDocument.querySelector('{selector}').getBoundingClientRect())"
            );
            let extent = browser.eval(&extent).await.unwrap();
            let (top, bottom) = (extent[0].as_f64().unwrap(), extent[1].as_f64().unwrap());
            assert!(top >= 0.0 && bottom <= 480.0, "{selector}: {top} to {bottom}");
        }
        browser.finish().await.unwrap();
    }
}
