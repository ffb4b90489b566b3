//! The page's own film, for the README: the mix of two faces as the dividing level moves. `cargo xtask film` keeps it.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use xtask::film::{FILE, MAX_BYTES};

use super::harness::Browser;
use super::page::{PATIENCE, serve};
use super::panels::{QUIET, pixels, slide};

/// Two samples of `faces` that differ in light, complexion and expression.
const PAIR: &str = "panel=mix&model=faces&seed=3&t=0.45,0.45,0.7,0.7,0.7&latents=joint&a=3.12&b=3.6&cut=0";
/// The dividing levels, one after the other.
const CUTS: [u8; 8] = [0, 1, 2, 3, 4, 3, 2, 1];
/// Hundredths of a second for each.
const DELAY: u16 = 110;
/// The film's width in pixels; its height follows from the panel's.
const WIDTH: f64 = 800.0;

/// A picture of the screen, RGBA.
struct Shot {
    width: usize,
    pixels: Vec<u8>,
}

async fn shot(browser: &Browser, clip: &serde_json::Value) -> Shot {
    let answer = browser.chromium("Page.captureScreenshot", json!({"format": "png", "clip": clip})).await.unwrap();
    let bytes = BASE64_STANDARD.decode(answer["data"].as_str().unwrap()).unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    pixels.truncate(info.buffer_size());
    if info.color_type == png::ColorType::Rgb {
        pixels = pixels.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect();
    }
    Shot { width: info.width as usize, pixels }
}

/// The smallest rectangle, `[left, top, width, height]`, outside of which both are equal.
fn changed(before: &Shot, after: &Shot) -> Option<[usize; 4]> {
    let differs = |i: usize| before.pixels[4 * i..4 * i + 4] != after.pixels[4 * i..4 * i + 4];
    let places: Vec<_> =
        (0..after.pixels.len() / 4).filter(|&i| differs(i)).map(|i| (i % after.width, i / after.width)).collect();
    let ends = |of: fn(&(usize, usize)) -> usize| Some((places.iter().map(of).min()?, places.iter().map(of).max()?));
    let ((left, right), (top, bottom)) = (ends(|p| p.0)?, ends(|p| p.1)?);
    Some([left, top, right - left + 1, bottom - top + 1])
}

/// The frames, each after the first as what differs from the one before.
fn film(shots: &[Shot]) -> Vec<u8> {
    let (width, height) = (shots[0].width, shots[0].pixels.len() / 4 / shots[0].width);
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, width as u16, height as u16, &[]).unwrap();
    encoder.set_repeat(gif::Repeat::Infinite).unwrap();
    for (i, shot) in shots.iter().enumerate() {
        let before = i.checked_sub(1).map(|before| &shots[before]);
        let [left, top, w, h] = before.map_or([0, 0, width, height], |before| changed(before, shot).unwrap());
        let row = |y: usize| shot.pixels[4 * (y * width + left)..4 * (y * width + left + w)].iter().copied();
        let mut part: Vec<u8> = (top..top + h).flat_map(row).collect();
        let mut frame = gif::Frame::from_rgba_speed(w as u16, h as u16, &mut part, 5);
        (frame.left, frame.top, frame.delay) = (left as u16, top as u16, DELAY);
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);
    bytes
}

#[tokio::test]
#[ignore = "needs Chromium and the built page: run `cargo xtask test --only browser`"]
async fn a_film_of_a_mix_can_be_made() {
    let server = serve();
    let browser = Browser::start(&["--window-size=1000,1000"]).await.unwrap();
    browser.open(&format!("{}#{PAIR}", server.url())).await.unwrap();
    browser.wait_for(QUIET, PATIENCE).await.unwrap();
    let bottom = browser.eval("document.querySelector('#mix-cut').getBoundingClientRect().bottom").await.unwrap();
    let width = browser.eval("document.documentElement.clientWidth").await.unwrap().as_f64().unwrap();
    let clip =
        json!({"x": 0, "y": 0, "width": width, "height": bottom.as_f64().unwrap() + 16.0, "scale": WIDTH / width});
    let (mut shots, mut mixtures) = (Vec::new(), Vec::new());
    for cut in CUTS {
        slide(&browser, "#mix-cut", &cut.to_string()).await;
        browser.wait_for(QUIET, PATIENCE).await.unwrap();
        shots.push(shot(&browser, &clip).await);
        mixtures.push(pixels(&browser, "#mix-ab").await);
    }
    // Up and down again: the same levels show the same pictures. (A screenshot's edges may differ by a pixel's shade.)
    assert!(mixtures[3] == mixtures[5] && mixtures[0] != mixtures[4]);
    let bytes = film(&shots);
    assert!(bytes.len() < MAX_BYTES, "{} bytes", bytes.len());
    std::fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join(FILE), bytes).unwrap();
    browser.finish().await.unwrap();
}
