//! Faults of accessibility, as axe-core finds them.

use serde_json::Value;
use xtask::env::Env;

use super::harness::Browser;
use super::page::serve;
use super::panels::afresh;

#[tokio::test]
#[ignore = "needs Chromium, axe-core and the built page: run `cargo xtask test --only browser`"]
async fn no_panel_has_a_fault_of_accessibility() {
    let axe = Env::new().unwrap().axe();
    let script = std::fs::read_to_string(&axe).expect("no axe-core: run `cargo xtask setup`");
    let server = serve();
    let browser = Browser::start(&[]).await.unwrap();
    for panel in ["sample", "mix", "explore", "inpaint", "train", "about"] {
        afresh(&browser, &format!("{}#panel={panel}", server.url())).await;
        // By the driver, since the page's own policy lets in no script.
        browser.driver().execute(&script, Vec::new()).await.unwrap();
        let found = browser
            .eval("(await axe.run()).violations.map(v => `${v.id}: ${v.nodes.map(n => n.target).join(' ')}`)")
            .await
            .unwrap();
        assert_eq!(found, Value::Array(vec![]), "{panel}");
    }
    browser.finish().await.unwrap();
}
