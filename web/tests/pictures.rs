//! The page's stored pictures are those of the model that it opens with: else `cargo xtask pictures` makes them again.
#![cfg(not(target_arch = "wasm32"))]
// A test's helpers may fail as the test itself does.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::File;
use std::future::Future;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use burn_flex::Flex;
use shared::sampler::Latents;
use web::address::GOOD_SEED;
use web::engine::{Drawn, Engine};
use web::index::ModelIndex;
use web::protocol::Drawing;

/// Differences that another processor's rounding may make.
const TOLERANCE: u8 = 2;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Width, height and RGB bytes.
fn read(name: &str) -> (usize, usize, Vec<u8>) {
    let decoder = png::Decoder::new(BufReader::new(File::open(folder("pictures").join(name)).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    assert_eq!(info.color_type, png::ColorType::Rgb);
    bytes.truncate(info.buffer_size());
    (info.width as usize, info.height as usize, bytes)
}

/// The samples that the page opens with, and their edge.
fn samples(count: u32) -> (usize, Vec<Drawn>) {
    let index = ModelIndex::parse(&std::fs::read(folder("models/index.json")).unwrap()).unwrap();
    let file = folder("models").join(&index.first_choice().unwrap().file);
    let engine = Engine::<Flex>::from_bytes(&std::fs::read(file).unwrap(), Default::default()).unwrap();
    assert!(engine.is_joint());
    let temperature = engine.card().recommended(Latents::Joint).unwrap();
    let drawing = Drawing { latents: Latents::Joint, temperature };
    let indices: Vec<u32> = (0..count).collect();
    let future = engine.samples(GOOD_SEED, &indices, &drawing);
    let Poll::Ready(drawn) = pin!(future).poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("the CPU answers at once");
    };
    (engine.config().size, drawn.unwrap())
}

#[test]
fn the_stored_samples_are_those_that_the_page_draws() {
    let (width, height, stored) = read("first.png");
    let (size, drawn) = samples(16);
    assert_eq!((width, height), (4 * size, 4 * size));
    for (place, sample) in drawn.iter().enumerate() {
        let off = (0..size * size * 3).map(|i| {
            let (x, y) = (place % 4 * size + i / 3 % size, place / 4 * size + i / 3 / size);
            sample.rgba[i / 3 * 4 + i % 3].abs_diff(stored[(y * width + x) * 3 + i % 3])
        });
        let off = off.max().unwrap();
        assert!(off <= TOLERANCE, "sample {place} differs by {off}/255: run `cargo xtask pictures`");
    }
}

#[test]
fn the_picture_beside_links_ends_in_the_models_sample() {
    let (width, height, stored) = read("share.png");
    assert_eq!((width, height), (1200, 630));
    let (size, drawn) = samples(13);
    // The fourth of four in the upper of two rows.
    let (edge, gap) = (280, 16);
    let (left, top) = ((width - 4 * edge - 3 * gap) / 2 + 3 * (edge + gap), (height - 2 * edge - gap) / 2);
    let mean = |x: usize, y: usize, channel: usize| {
        let part = |v: usize| (v * edge / size)..((v + 1) * edge / size);
        let all: Vec<f32> = part(y)
            .flat_map(|row| part(x).map(move |col| (row, col)))
            .map(|(row, col)| f32::from(stored[((top + row) * width + left + col) * 3 + channel]))
            .collect();
        all.iter().sum::<f32>() / all.len() as f32
    };
    let off: f32 = (0..size * size * 3)
        .map(|i| (mean(i / 3 % size, i / 3 / size, i % 3) - f32::from(drawn[12].rgba[i / 3 * 4 + i % 3])).abs())
        .sum();
    let off = off / (size * size * 3) as f32;
    assert!(off < 4.0, "it differs by {off}/255 in the mean: run `cargo xtask pictures`");
}
