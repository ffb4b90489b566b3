//! Makes the page's stored pictures in a folder: `pictures [FOLDER]`, by default web/pictures; `cargo xtask pictures`.
//!
//! `first.png` has the samples that the page opens with, to be seen while the model is on its way. `share.png` is what
//! other sites show beside a link to the page. web/tests/pictures.rs fails when they are not those of the shipped model.

use std::error::Error;
use std::fs::File;
use std::future::Future;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use burn_flex::Flex;
use shared::Temperature;
use shared::sampler::Latents;
use web::address::GOOD_SEED;
use web::engine::Engine;
use web::index::ModelIndex;
use web::protocol::{Drawing, Source};

/// Pictures in a row of `first.png`, and rows.
const COLUMNS: usize = 4;
/// The sample that grows in `share.png`, and those below it: chosen by looking.
const GROWS: u32 = 12;
const OTHERS: [usize; COLUMNS] = [11, 14, 4, 7];
/// The size of `share.png`, as sites recommend it.
const SHARE: [usize; 2] = [1200, 630];
/// Edge of a picture in it, and what is between two.
const CELL: usize = 280;
const GAP: usize = 16;
const BACKGROUND: [u8; 3] = [20, 23, 31];

/// A picture of RGB bytes.
struct Rgb {
    width: usize,
    height: usize,
    bytes: Vec<u8>,
}

impl Rgb {
    fn new(width: usize, height: usize, colour: [u8; 3]) -> Self {
        Self { width, height, bytes: colour.repeat(width * height) }
    }

    /// From four bytes per pixel.
    fn square(rgba: &[u8], size: usize) -> Self {
        let bytes = rgba.chunks_exact(4).flat_map(|pixel| &pixel[..3]).copied().collect();
        Self { width: size, height: size, bytes }
    }

    fn at(&self, x: isize, y: isize, channel: usize) -> f32 {
        let inside = |v: isize, length: usize| v.clamp(0, length as isize - 1) as usize;
        f32::from(self.bytes[(inside(y, self.height) * self.width + inside(x, self.width)) * 3 + channel])
    }

    fn paste(&mut self, other: &Self, left: usize, top: usize) {
        for row in 0..other.height {
            let (to, from) = (((top + row) * self.width + left) * 3, row * other.width * 3);
            self.bytes[to..to + other.width * 3].copy_from_slice(&other.bytes[from..from + other.width * 3]);
        }
    }

    /// In crisp squares.
    fn in_squares(&self, edge: usize) -> Self {
        let source = |v: usize| (v * self.width / edge) as isize;
        self.made(edge, |x, y, channel| self.at(source(x), source(y), channel))
    }

    /// Smooth, by Catmull and Rom's cubic.
    fn smooth(&self, edge: usize) -> Self {
        let taps = |v: usize| {
            let place = (v as f32 + 0.5) * self.width as f32 / edge as f32 - 0.5;
            (place.floor() as isize, weights(place - place.floor()))
        };
        self.made(edge, |x, y, channel| {
            let ((left, across), (top, down)) = (taps(x), taps(y));
            let row = |y: isize| -> f32 { (-1..3).zip(across).map(|(i, w)| w * self.at(left + i, y, channel)).sum() };
            (-1..3).zip(down).map(|(i, w)| w * row(top + i)).sum()
        })
    }

    fn made(&self, edge: usize, pixel: impl Fn(usize, usize, usize) -> f32) -> Self {
        let all =
            (0..edge * edge * 3).map(|i| pixel(i / 3 % edge, i / 3 / edge, i % 3).round().clamp(0.0, 255.0) as u8);
        Self { width: edge, height: edge, bytes: all.collect() }
    }

    fn save(&self, path: &Path) -> Result<(), Box<dyn Error>> {
        let mut encoder = png::Encoder::new(BufWriter::new(File::create(path)?), self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.bytes)?;
        writer.finish()?;
        println!("{}: {} bytes", path.display(), path.metadata()?.len());
        Ok(())
    }
}

/// Of four neighbours, for a place `t` of the way from the second to the third.
fn weights(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [-t3 + 2.0 * t2 - t, 3.0 * t3 - 5.0 * t2 + 2.0, -3.0 * t3 + 4.0 * t2 + t, t3 - t2].map(|w| w / 2.0)
}

/// The CPU answers at once.
fn now<T>(future: impl Future<Output = T>) -> Result<T, Box<dyn Error>> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Ok(value),
        Poll::Pending => Err("the CPU made us wait".into()),
    }
}

/// A row of steps from which a sample grows, coarse ones in squares, and below it a row of others.
fn share(steps: &[Rgb], others: &[&Rgb]) -> Rgb {
    let mut sheet = Rgb::new(SHARE[0], SHARE[1], BACKGROUND);
    let margin = |length: usize, count: usize| (length - count * CELL - (count - 1) * GAP) / 2;
    let mut put = |cell: Rgb, row: usize, column: usize| {
        let at = |i: usize, length: usize, count: usize| margin(length, count) + i * (CELL + GAP);
        sheet.paste(&cell, at(column, SHARE[0], COLUMNS), at(row, SHARE[1], 2));
    };
    let shown = &steps[steps.len().saturating_sub(COLUMNS)..];
    for (column, step) in shown.iter().enumerate() {
        put(if column + 1 < shown.len() { step.in_squares(CELL) } else { step.smooth(CELL) }, 0, column);
    }
    others.iter().enumerate().for_each(|(column, other)| put(other.smooth(CELL), 1, column));
    sheet
}

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = std::env::args().nth(1).map_or_else(|| here.join("pictures"), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    let models = here.join("models");
    let index = ModelIndex::parse(&std::fs::read(models.join("index.json"))?)?;
    let entry = index.first_choice().ok_or("there is no model")?;
    let engine = Engine::<Flex>::from_bytes(&std::fs::read(models.join(&entry.file))?, Default::default())?;
    let latents = if engine.is_joint() { Latents::Joint } else { Latents::Independent };
    let temperature = engine.card().recommended(latents).unwrap_or_else(|| Temperature::uniform(0.8));
    let drawing = Drawing { latents, temperature };
    let size = engine.config().size;
    let indices: Vec<u32> = (0..(COLUMNS * COLUMNS) as u32).collect();
    let mut first = Rgb::new(COLUMNS * size, COLUMNS * size, BACKGROUND);
    let samples: Vec<Rgb> = now(engine.samples(GOOD_SEED, &indices, &drawing))??
        .iter()
        .map(|drawn| Rgb::square(&drawn.rgba, size))
        .collect();
    for (place, sample) in samples.iter().enumerate() {
        first.paste(sample, place % COLUMNS * size, place / COLUMNS * size);
    }
    first.save(&folder.join("first.png"))?;
    let source = Source::Sample { seed: GOOD_SEED, index: GROWS, drawing };
    let steps: Vec<Rgb> =
        now(engine.steps(&source))??.images.iter().map(|image| Rgb::square(&image.rgba, image.size as usize)).collect();
    share(&steps, &OTHERS.map(|index| &samples[index])).save(&folder.join("share.png"))
}
