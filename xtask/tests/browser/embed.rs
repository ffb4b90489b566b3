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
    for hidden in ["header", ".tabs", "footer", "#grid"] {
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
    // The element is moved, taken out and put back.
    let moved = "(demo => { document.body.prepend(demo); const p = demo.parentNode; demo.remove(); p.append(demo); \
                 return demo.shadowRoot.querySelectorAll('iframe').length; })(document.querySelector('rg-flow-demo'))";
    assert_eq!(browser.eval(moved).await.unwrap(), 1);
    browser.wait_for(&quiet.replace("'mix'", "'about'"), PATIENCE).await.unwrap();
    browser.finish().await.unwrap();
}
