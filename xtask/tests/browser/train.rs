//! A model learns in the page, beside everything else that the page does.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use burn::backend::Flex;
use shared::logit::{bits_per_dim, image_to_logit};
use shared::msds::{Msds, Part};
use shared::weights::ModelFile;

use super::harness::Browser;
use super::page::{PATIENCE, copied, prepend, serve};
use super::panels::{QUIET, click, pixels, slide};
use xtask::server::Server;

/// How the worker that trains stands.
pub fn stands(word: &str) -> String {
    format!("document.documentElement.dataset.train === '{word}'")
}

/// A fact about the run: the number that stands first in it.
pub fn fact(name: &str) -> String {
    format!(
        "(row => row ? parseFloat(row.querySelector('dd').textContent.replaceAll(',', '')) : NaN)\
         ([...document.querySelectorAll('#train-facts div')].find(row => row.querySelector('dt').textContent === '{name}'))"
    )
}

/// What the panel says of what it trains on has these words.
pub fn runs_on(words: &str) -> String {
    format!(
        "([...document.querySelectorAll('#train-facts div')].find(row => row.querySelector('dt').textContent === 'Runs on')\
         ?.querySelector('dd').textContent ?? '').includes('{words}')"
    )
}

pub async fn number(browser: &Browser, expression: &str) -> f64 {
    browser.eval(expression).await.unwrap().as_f64().unwrap_or(f64::NAN)
}

pub async fn open(browser: &Browser, url: &str) {
    browser.open("about:blank").await.unwrap();
    browser.open(url).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
}

/// Makes files for the page: `pictures(n, alike)` are n PNGs, `zip(files)` an archive of files, every other one deflated;
/// `choose(files)` puts files into the field.
const TOOLS: &str = "(() => {
    self.pictures = async (count, alike = false) => {
        const files = [];
        for (let i = 0; i < count; i++) {
            const canvas = document.createElement('canvas');
            [canvas.width, canvas.height] = [80, 64];
            const drawing = canvas.getContext('2d');
            drawing.fillStyle = `hsl(${alike ? 0 : i * 47 % 360}, 70%, 50%)`;
            drawing.fillRect(0, 0, 80, 64);
            drawing.fillStyle = '#fff';
            drawing.fillRect(alike ? 8 : 8 + i % 24, alike ? 4 : 4 + i * 5 % 30, 24, 24);
            files.push(new File([await new Promise((done) => canvas.toBlob(done))], `p${i}.png`, { type: 'image/png' }));
        }
        return files;
    };
    self.zip = async (files) => {
        const encode = (text) => new TextEncoder().encode(text);
        const numbers = (...pairs) => {
            const bytes = [];
            for (const [value, count] of pairs) for (let i = 0; i < count; i++) bytes.push(value >>> (8 * i) & 255);
            return new Uint8Array(bytes);
        };
        const parts = [], directory = [];
        let at = 0;
        for (const [i, file] of files.entries()) {
            const bytes = new Uint8Array(await file.arrayBuffer());
            const deflated = i % 2 === 1;
            const stream = () => new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate-raw'));
            const packed = deflated ? new Uint8Array(await new Response(stream()).arrayBuffer()) : bytes;
            const name = encode(`photos/${file.name}`);
            const sizes = [[0, 4], [packed.length, 4], [bytes.length, 4], [name.length, 2], [0, 2]];
            const local = numbers([0x04034b50, 4], [20, 2], [0, 2], [deflated ? 8 : 0, 2], [0, 4], ...sizes);
            directory.push(numbers([0x02014b50, 4], [20, 2], [20, 2], [0, 2], [deflated ? 8 : 0, 2], [0, 4], ...sizes,
                [0, 2], [0, 2], [0, 2], [0, 4], [at, 4]), name);
            parts.push(local, name, packed);
            at += local.length + name.length + packed.length;
        }
        const length = directory.reduce((sum, part) => sum + part.length, 0);
        const end = numbers([0x06054b50, 4], [0, 4], [files.length, 2], [files.length, 2], [length, 4], [at, 4], [0, 2]);
        return new File([...parts, ...directory, end], 'photos.zip', { type: 'application/zip' });
    };
    self.choose = (files) => {
        const data = new DataTransfer();
        for (const file of files) data.items.add(file);
        const input = document.querySelector('#train-files');
        input.files = data.files;
        input.dispatchEvent(new Event('change', { bubbles: true }));
    };
})()";

/// What is said of the reader's own pictures.
fn says(words: &str) -> String {
    format!(
        "(document.querySelector('#train-count').textContent + document.querySelector('#train-skipped').textContent)\
         .includes('{words}')"
    )
}

/// Bits/dim of ovals that no run learns from.
fn bits_of_ovals(model: &[u8]) -> f64 {
    let flow = ModelFile::from_bytes(model).unwrap().into_flow::<Flex>(&Default::default()).unwrap();
    let count = 32;
    let mut state = 1u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    };
    let pictures = (0..count).map(|i| image_to_logit(&Msds::Msds1.picture(4, 99, Part::Test, i), &mut noise));
    let (logits, log_dets): (Vec<_>, Vec<_>) = pictures.unzip();
    let batch = flow.batch(logits.concat(), &Default::default()).unwrap();
    let log_probs = flow.log_prob(batch).into_data().to_vec::<f32>().unwrap();
    let sum: f64 = log_probs.iter().zip(log_dets).map(|(p, d)| f64::from(p + d)).sum();
    bits_per_dim(sum / count as f64, flow.config().dims())
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_model_learns_ovals_while_the_other_panels_work_and_then_work_with_it() {
    let server = serve();
    let browser = Browser::start(&[]).await.unwrap();
    let url = format!("{}#panel=train", server.url());
    open(&browser, &url).await;
    browser.wait_for(&stands("ready"), PATIENCE).await.unwrap();
    browser.screenshot("train-ready").await.unwrap();
    click(&browser, "#train-go").await;
    browser.wait_for(&stands("learning"), PATIENCE).await.unwrap();
    let painted = "document.querySelectorAll('#train-sheet canvas[data-painted]').length === 16";
    browser.wait_for(painted, PATIENCE).await.unwrap();
    let first = (pixels(&browser, "#train-sheet canvas").await, number(&browser, &fact("Bits/dim")).await);
    // The other panels' worker has nothing to do with it.
    click(&browser, "#tab-mix").await;
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    let mixed = pixels(&browser, "#mix-ab").await;
    slide(&browser, "#mix-cut", "3").await;
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    assert_ne!(pixels(&browser, "#mix-ab").await, mixed);
    assert_eq!(browser.eval(&stands("learning")).await.unwrap(), true);
    click(&browser, "#tab-train").await;
    // On a machine that is busy with other things ten seconds may be few steps.
    let learned = format!("{} >= 10 && {} >= 1000", fact("Time"), fact("Seen"));
    browser.wait_for(&learned, PATIENCE).await.unwrap();
    browser.screenshot("train-learning").await.unwrap();
    click(&browser, "#train-go").await;
    browser.wait_for(&stands("paused"), PATIENCE).await.unwrap();
    let (samples, bits) = (pixels(&browser, "#train-sheet canvas").await, number(&browser, &fact("Bits/dim")).await);
    assert_ne!(samples, first.0);
    assert!(bits < first.1 - 0.3 && bits < BOUND, "{} to {bits}", first.1);
    let said = browser.eval("document.querySelector('#train-chart').getAttribute('aria-label')").await.unwrap();
    assert!(said.as_str().unwrap().contains("new pictures went from"), "{said}");

    // The other panels work with it.
    click(&browser, "#train-use").await;
    let used = "document.querySelector('#train-used').textContent.includes('as it is now')";
    browser.wait_for(used, PATIENCE).await.unwrap();
    click(&browser, "#train-to-mix").await;
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    let mixed = pixels(&browser, "#mix-ab").await;
    assert!(mixed.len() == 32 * 32 * 3 && mixed.iter().any(|byte| *byte != mixed[0]));
    assert_eq!(
        browser.eval("document.querySelector('#model').selectedOptions[0].text").await.unwrap(),
        "Yours (ovals)"
    );
    browser.screenshot("train-mixed").await.unwrap();

    // What is saved is what was learned, as the native engine sees it.
    click(&browser, "#tab-train").await;
    let hook = "(window.made = [], URL.createObjectURL = blob => (window.made.push(blob), 'data:,'), null)";
    browser.eval(hook).await.unwrap();
    click(&browser, "#train-save").await;
    browser.wait_for("window.made.length === 1", PATIENCE).await.unwrap();
    let text = "new Promise(done => { const reader = new FileReader(); \
                reader.onload = () => done(reader.result.split(',')[1]); reader.readAsDataURL(window.made[0]); })";
    let text = browser.eval(&format!("await {text}")).await.unwrap();
    let model = BASE64_STANDARD.decode(text.as_str().unwrap()).unwrap();
    let native = bits_of_ovals(&model);
    assert!((native - bits).abs() < 0.15, "{native} natively, {bits} in the page");

    // It survives a reload, goes on, and is deleted when that is wanted.
    let seen = number(&browser, &fact("Seen")).await;
    open(&browser, &url).await;
    browser.wait_for(&stands("paused"), PATIENCE).await.unwrap();
    assert_eq!(number(&browser, &fact("Seen")).await, seen);
    assert_eq!(pixels(&browser, "#train-sheet canvas").await, samples);
    browser.screenshot("train-found").await.unwrap();
    click(&browser, "#train-go").await;
    browser.wait_for(&format!("{} > {seen}", fact("Seen")), PATIENCE).await.unwrap();
    click(&browser, "#train-reset").await;
    browser.wait_for("document.querySelector('#train-over').open", PATIENCE).await.unwrap();
    click(&browser, "#train-over-no").await;
    browser.wait_for("!document.querySelector('#train-over').open", PATIENCE).await.unwrap();
    assert_eq!(browser.eval(&stands("learning")).await.unwrap(), true);
    click(&browser, "#train-reset").await;
    click(&browser, "#train-over-yes").await;
    browser.wait_for(&stands("ready"), PATIENCE).await.unwrap();
    open(&browser, &url).await;
    browser.wait_for(&stands("ready"), PATIENCE).await.unwrap();
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_model_learns_from_ones_own_pictures_and_whatever_is_none_is_named() {
    let server = serve();
    let browser = Browser::start(&[]).await.unwrap();
    open(&browser, &format!("{}#panel=train&train=own", server.url())).await;
    browser.wait_for(&stands("ready"), PATIENCE).await.unwrap();
    browser.eval(TOOLS).await.unwrap();
    let idle = "document.querySelector('#train-go').getAttribute('aria-disabled') === 'true'";
    for (files, words) in [
        (
            "[new File(['hello'], 'notes.txt'), new File([], 'empty.png')]",
            "no picture in it that this browser can read",
        ),
        ("await pictures(1)", "1 picture. It takes at least 20"),
        ("[new File(['PK', 'broken'], 'photos.zip')]", "“photos.zip” (is no zip archive, or a damaged one"),
        ("await pictures(30, true)", "All 30 pictures are the same"),
        ("[await zip(await pictures(12))]", "12 pictures. It takes at least 20: add 8 more."),
    ] {
        browser.eval(&format!("choose({files})")).await.unwrap();
        browser.wait_for(&says(words), PATIENCE).await.unwrap();
        assert_eq!(browser.eval(idle).await.unwrap(), true, "{files}");
        browser.eval("document.querySelector('#train-empty').click()").await.unwrap();
        browser.wait_for("document.querySelector('#train-empty').hidden", PATIENCE).await.unwrap();
    }
    // A zip and files together, with something else among them.
    let both = "choose([await zip([...await pictures(30), new File(['x'], 'notes.txt'), new File(['x'], '.DS_Store')]), \
                new File([(await pictures(1))[0].slice(0, 60)], 'cut.png')])";
    browser.eval(both).await.unwrap();
    browser.wait_for(&says("30 pictures."), PATIENCE).await.unwrap();
    browser.wait_for(&says("“notes.txt” (a text), “cut.png” (damaged)"), PATIENCE).await.unwrap();
    // Each is the square in the middle: 8 of the 80 columns go on either side.
    let shown = pixels(&browser, "#train-sheet canvas").await;
    assert_eq!(shown.len(), 32 * 32 * 3);
    assert_eq!((&shown[..3], &shown[(2 * 32) * 3..(2 * 32) * 3 + 3]), (&[217, 38, 38][..], &[255, 255, 255][..]));
    browser.screenshot("train-own").await.unwrap();
    click(&browser, "#train-go").await;
    browser.wait_for(&stands("learning"), PATIENCE).await.unwrap();
    browser.wait_for(&format!("{} > 0", fact("Seen")), PATIENCE).await.unwrap();
    assert_eq!(browser.eval("!document.querySelector('#train-examples').hidden").await.unwrap(), true);
    click(&browser, "#train-go").await;
    browser.wait_for(&stands("paused"), PATIENCE).await.unwrap();
    browser.finish().await.unwrap();
}

/// How much the pictures in the sheet differ from the first, in grey levels on average.
async fn spread(browser: &Browser) -> f64 {
    let mut pictures = Vec::new();
    for k in 1..=16 {
        pictures.push(pixels(browser, &format!("#train-sheet canvas:nth-child({k})")).await);
    }
    let differences = pictures.iter().flat_map(|other| pictures[0].iter().zip(other));
    let count = (pictures.len() * pictures[0].len()) as f64;
    differences.map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / count
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn faces_are_put_into_one_place_unless_that_is_not_wanted() {
    let server = serve();
    let browser = Browser::start(&[]).await.unwrap();
    open(&browser, &format!("{}#model=faces", server.url())).await;
    browser.eval(TOOLS).await.unwrap();
    click(&browser, "#tab-train").await;
    browser.wait_for(&stands("ready"), PATIENCE).await.unwrap();
    click(&browser, "#train-own").await;
    // One face of nobody, at twenty places, turned and of several sizes.
    let photos = "(async () => { const face = document.querySelector('canvas[data-index=\"0\"]'); const files = []; \
        for (let i = 0; i < 20; i++) { const c = document.createElement('canvas'); [c.width, c.height] = [640, 480]; \
        const d = c.getContext('2d'); d.fillStyle = '#788890'; d.fillRect(0, 0, 640, 480); \
        d.translate(200 + i * 13 % 240, 200 + i * 7 % 80); d.rotate((i * 5 % 31 - 15) * Math.PI / 180); \
        const edge = 220 + i * 11 % 100; d.drawImage(face, -edge / 2, -edge / 2, edge, edge); \
        files.push(new File([await new Promise(done => c.toBlob(done))], `${i}.png`)); } choose(files); })()";
    browser.eval(photos).await.unwrap();
    browser.wait_for(&says("show a face"), PATIENCE).await.unwrap();
    assert_eq!(browser.eval("document.querySelector('#train-align').checked").await.unwrap(), true);
    browser.screenshot("train-aligned").await.unwrap();
    let aligned = spread(&browser).await;
    // All are read again without that.
    click(&browser, "#train-align").await;
    let again = format!("{} && !{}", says("20 pictures."), says("show a face"));
    browser.wait_for(&again, PATIENCE).await.unwrap();
    let unaligned = spread(&browser).await;
    assert!(aligned < 0.5 * unaligned, "{aligned} aligned, {unaligned} not");
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn of_ten_thousand_pictures_the_first_are_taken() {
    let server = serve();
    let browser = Browser::start(&[]).await.unwrap();
    open(&browser, &format!("{}#panel=train&train=own", server.url())).await;
    browser.eval(TOOLS).await.unwrap();
    let many = "(async () => { const few = await pictures(40); \
                choose(Array.from({length: 10000}, (_, i) => new File([few[i % 40]], `${i}.png`))); })()";
    browser.eval(many).await.unwrap();
    browser.wait_for(&says("pictures so far"), PATIENCE).await.unwrap();
    browser.wait_for(&says("The first 4,096 pictures were taken"), Duration::from_secs(240)).await.unwrap();
    browser.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_worker_that_breaks_down_takes_nothing_along() {
    let dir = copied();
    // As a phone ends a worker that takes too much memory; and not a second time.
    let script = "if (self.name === 'train') { self.addEventListener('message', (event) => { \
                  if (event.data.serve?.task === 'weights') throw new Error('out of memory'); }); }";
    prepend(dir.path(), "engine.js", script);
    let server = Server::start(dir.path(), 0, "/").unwrap();
    let browser = Browser::start(&[]).await.unwrap();
    open(&browser, &format!("{}#panel=train", server.url())).await;
    browser.wait_for(&stands("ready"), PATIENCE).await.unwrap();
    click(&browser, "#train-go").await;
    browser.wait_for(&format!("{} > 0", fact("Seen")), PATIENCE).await.unwrap();
    // Pausing keeps it.
    click(&browser, "#train-go").await;
    browser.wait_for(&stands("paused"), PATIENCE).await.unwrap();
    let seen = number(&browser, &fact("Seen")).await;
    click(&browser, "#train-use").await;
    browser.wait_for(&stands("gone"), PATIENCE).await.unwrap();
    let said = browser.eval("document.querySelector('#train-status').textContent").await.unwrap();
    assert!(said.as_str().unwrap().contains("out of memory"), "{said}");
    browser.screenshot("train-gone").await.unwrap();
    // The page's own worker is as it was.
    assert_eq!(browser.eval(QUIET).await.unwrap(), true);
    click(&browser, "#train-go").await;
    browser.wait_for(&stands("paused"), PATIENCE).await.unwrap();
    assert_eq!(number(&browser, &fact("Seen")).await, seen);
    // That it broke down is logged, and is no fault here.
    browser.console().await.unwrap();
    browser.finish().await.unwrap();
}

/// Bits/dim of ovals after ten seconds and a thousand pictures, at most: 4.2 was measured, and 4.9 before the first step.
const BOUND: f64 = 4.6;
