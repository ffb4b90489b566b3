//! What people drop, and where it lands.

use super::harness::Browser;
use super::page::PATIENCE;
use super::panels::{QUIET, click, open, pixels};

/// `drop(selector, fill)` drops what `fill` puts into a DataTransfer on what the selector finds; `hold` only holds it
/// there. `file(name, type, parts)` is a file.
const HANDS: &str = "(() => {
    self.file = (name, type = '', parts = ['x']) => new File(parts, name, { type });
    const send = (kind, selector, fill) => {
        const data = new DataTransfer();
        fill(data);
        const target = selector ? document.querySelector(selector) : document;
        return target.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
    };
    self.hold = (selector, fill) => send('dragover', selector, fill);
    self.drop = (selector, fill) => { self.hold(selector, fill); return send('drop', selector, fill); };
    self.paint = async (type = 'image/png') => {
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [64, 64];
        const drawing = canvas.getContext('2d');
        drawing.fillStyle = 'rgb(30, 200, 90)';
        drawing.fillRect(0, 0, 64, 64);
        return new Promise((done) => canvas.toBlob(done, type));
    };
})()";

async fn said(browser: &Browser, words: &str) {
    let told = format!(
        "[...document.querySelectorAll('#picker-problem, #notices')].map(e => e.textContent).join(' ').includes('{words}')"
    );
    browser.wait_for(&told, PATIENCE).await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn each_wrong_file_is_named_with_what_to_do() {
    let (browser, _server) = open("model=faces").await;
    browser.eval(HANDS).await.unwrap();
    for (fill, words) in [
        ("d.items.add(file('step-00000500.ckpt'))", "trainer export"),
        ("d.items.add(file('celeba32.state'))", "trainer import celeba32.state"),
        ("d.items.add(file('FACES.SAFETENSORS'))", "not a complete safetensors file"),
        ("d.items.add(file('faces.safetensors.txt', 'text/plain'))", "not weights, whatever its name says"),
        ("d.setData('text/uri-list', 'https://example.org/a.png')", "paste it here"),
        ("d.items.add(file('photos.zip', 'application/zip'))", "one picture at a time"),
        ("d.items.add(file('notes.txt', 'text/plain', ['hello']))", "a text file, not a picture"),
        ("d.items.add(file('IMG_1.HEIC', '', ['\\0\\0\\0\\x24ftypheic\\0\\0\\0\\0']))", "HEIC photograph"),
        ("d.items.add(file('empty.png', 'image/png', []))", "is empty"),
        (
            "(d.items.add(file('a.png', 'image/png')), d.items.add(file('b.png', 'image/png')))",
            "Only the first of 2 files was taken: “a.png”",
        ),
    ] {
        browser.eval(&format!("drop(null, (d) => {fill})")).await.unwrap();
        said(&browser, words).await;
    }
    // A JPEG that broke off.
    browser
        .eval(
            "paint('image/jpeg').then(b => b.slice(0, 200)).then(b => drop(null, d => d.items.add(file('half.jpg', '', [b]))))",
        )
        .await
        .unwrap();
    said(&browser, "“half.jpg” is called a JPEG file or begins like one").await;
    browser.screenshot("dropped").await.unwrap();
    // A text on its way into a field is none of the page's business.
    let free = "hold('#seed', (d) => d.setData('text/plain', '7'))";
    assert_eq!(browser.eval(free).await.unwrap(), true);
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_picture_lands_where_it_is_dropped() {
    let (browser, _server) = open("panel=mix&model=faces").await;
    browser.eval(HANDS).await.unwrap();
    let a = pixels(&browser, "#mix-picture-a").await;
    browser.eval("hold('#mix-b', (d) => d.items.add(file('me.png', 'image/png')))").await.unwrap();
    assert_eq!(browser.eval("document.querySelector('.landing').id").await.unwrap(), "mix-b");
    assert_eq!(browser.eval("document.querySelector('#drop-hint').checkVisibility()").await.unwrap(), true);
    browser.screenshot("drop-hint").await.unwrap();
    let onto = |selector: &str| {
        format!("paint().then(b => drop('{selector}', d => d.items.add(file('me.png', 'image/png', [b]))))")
    };
    let crop = "!document.querySelector('#picker-crop').hidden && document.querySelector('#picker').open";
    browser.eval(&onto("#mix-b")).await.unwrap();
    browser.wait_for(crop, PATIENCE).await.unwrap();
    assert_eq!(browser.eval("document.querySelector('.landing')").await.unwrap(), serde_json::Value::Null);
    assert_eq!(browser.eval("document.querySelector('#picker-title').textContent").await.unwrap(), "Choose picture B");
    click(&browser, "#crop-use").await;
    browser.wait_for("location.hash.includes('b=own.')", PATIENCE).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    assert_eq!(pixels(&browser, "#mix-picture-b").await[..3], [30, 200, 90]);
    assert_eq!(pixels(&browser, "#mix-picture-a").await, a);
    // Where no panel takes one, the reader says which should.
    browser.wait_for("!document.querySelector('#picker').open", PATIENCE).await.unwrap();
    click(&browser, "#tab-about").await;
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    browser.eval(&onto("#panel-about")).await.unwrap();
    browser.wait_for(crop, PATIENCE).await.unwrap();
    browser.wait_for("document.querySelector('#picker-place').checkVisibility()", PATIENCE).await.unwrap();
    browser.screenshot("drop-anywhere").await.unwrap();
    assert_eq!(browser.eval("document.querySelector('#tab-about').ariaSelected").await.unwrap(), "true");
    browser.eval("(document.querySelector('#picker-slot').value = 'mix-a', null)").await.unwrap();
    click(&browser, "#crop-use").await;
    browser.wait_for("location.hash.includes('a=own.')", PATIENCE).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    // And can go back to where the picture was dropped.
    browser.eval("history.back()").await.unwrap();
    browser.wait_for("document.querySelector('#tab-about').ariaSelected === 'true'", PATIENCE).await.unwrap();
    browser.finish().await.unwrap();
}
