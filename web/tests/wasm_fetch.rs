//! Downloads in a worker, as the page's own does them.
#![cfg(target_arch = "wasm32")]

use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web::Error;
use web::worker::fetch;

wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// Ten bytes without a server.
const TEN: &str = "data:application/octet-stream,0123456789";

#[wasm_bindgen_test]
async fn a_file_arrives_and_tells_how_far_it_is() {
    let mut heard = Vec::new();
    let bytes = fetch::file(TEN, "it", 10, |loaded, total| {
        heard.push((loaded, total));
        Ok(())
    });
    assert_eq!(bytes.await.unwrap(), b"0123456789");
    assert_eq!((heard[0], heard[heard.len() - 1]), ((0, 10), (10, 10)));
}

#[wasm_bindgen_test]
async fn a_file_of_another_length_is_refused() {
    let more = fetch::file(TEN, "it", 9, |_, _| Ok(())).await;
    assert!(matches!(more, Err(Error::TooLarge { limit: 9, .. })), "{more:?}");
    let less = fetch::file(TEN, "it", 11, |_, _| Ok(())).await;
    assert!(matches!(less, Err(Error::Truncated { loaded: 10, total: 11, .. })), "{less:?}");
}

#[wasm_bindgen_test]
async fn a_download_can_be_stopped() {
    let stopped = fetch::file(TEN, "it", 10, |loaded, _| if loaded > 0 { Err(Error::Cancelled) } else { Ok(()) }).await;
    assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
}

#[wasm_bindgen_test]
async fn no_answer_and_a_wrong_answer_are_told_apart() {
    // Nothing listens at port 9.
    let silence = fetch::index("http://127.0.0.1:9/index.json", 100).await;
    assert!(matches!(silence, Err(Error::Offline { .. })), "{silence:?}");
    let here = js_sys::Reflect::get(&js_sys::global(), &"origin".into()).unwrap().as_string().unwrap();
    let missing = fetch::index(&format!("{here}/no-such-file"), 100).await;
    assert!(matches!(missing, Err(Error::Http { status: 404, .. })), "{missing:?}");
}
