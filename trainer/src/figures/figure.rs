//! Figures: pictures in labelled rows and columns, heat maps, animations.

use std::path::Path;

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, DynamicImage, Frame, Rgb, RgbImage, imageops};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::plot::font;
use super::sheet::fits;
use crate::error::{Error, Result};
use crate::files::write_whole;

/// Pictures side by side under one name.
#[derive(Clone)]
pub struct Row {
    /// The text to their left.
    pub label: String,
    /// The pictures, from left to right; they may differ in size.
    pub pictures: Vec<RgbImage>,
}

/// Pixels of a letter's height.
const TEXT: u32 = 15;
const GAP: u32 = 4;

/// Every picture `edge` pixels wide and high, enlarged without smoothing; column names above, row labels to the left.
///
/// # Errors
/// [`Error::Plot`] if a name cannot be drawn.
pub fn figure(columns: &[String], rows: &[Row], edge: u32) -> Result<RgbImage> {
    let across = rows.iter().map(|row| row.pictures.len()).max().unwrap_or(0);
    fits(across, rows.len(), edge as usize)?;
    font();
    let width = |row: &Row| match row.label.as_str() {
        "" => Ok(0),
        text => ("sans-serif", TEXT).into_font().box_size(text).map(|(width, _)| width + 10).map_err(|e| unable(&e)),
    };
    let left = rows.iter().map(width).collect::<Result<Vec<_>>>()?.into_iter().max().unwrap_or(0);
    let top = if columns.iter().any(|c| !c.is_empty()) { TEXT + 9 } else { 0 };
    let at = |k: usize| GAP + k as u32 * (edge + GAP);
    let (width, height) = (left + at(across), top + at(rows.len()));
    let mut image = RgbImage::from_pixel(width, height, Rgb([255; 3]));
    for (r, row) in rows.iter().enumerate() {
        for (c, picture) in row.pictures.iter().enumerate() {
            let large = imageops::resize(picture, edge, edge, imageops::FilterType::Nearest);
            imageops::replace(&mut image, &large, i64::from(left + at(c)), i64::from(top + at(r)));
        }
    }
    let names = columns.iter().enumerate().map(|(c, name)| (name, HPos::Center, left + at(c) + edge / 2, top / 2 + 2));
    let labels =
        rows.iter().enumerate().map(|(r, row)| (&row.label, HPos::Right, left - left.min(4), top + at(r) + edge / 2));
    write_texts(&mut image, names.chain(labels))?;
    Ok(image)
}

fn write_texts<'a>(image: &mut RgbImage, texts: impl Iterator<Item = (&'a String, HPos, u32, u32)>) -> Result<()> {
    let size = image.dimensions();
    let buffer: &mut [u8] = image;
    let area = BitMapBackend::with_buffer(buffer, size).into_drawing_area();
    for (text, side, x, y) in texts.filter(|(text, ..)| !text.is_empty()) {
        let style = TextStyle::from(("sans-serif", TEXT)).pos(Pos::new(side, VPos::Center));
        area.draw_text(text, &style, (x as i32, y as i32)).map_err(|e| unable(&e))?;
    }
    area.present().map_err(|e| unable(&e))
}

fn unable(e: &dyn std::fmt::Display) -> Error {
    Error::Plot(format!("a figure's names: {e}"))
}

/// A field of numbers ≥ 0 as a heat map; the largest is the brightest.
pub fn heat(field: &[f32], size: usize) -> RgbImage {
    let most = field.iter().copied().fold(0f32, f32::max).max(f32::MIN_POSITIVE);
    RgbImage::from_fn(size as u32, size as u32, |x, y| {
        let value = field.get(y as usize * size + x as usize).copied().unwrap_or(0.0);
        let colour = colorous::INFERNO.eval_continuous(f64::from(value / most).clamp(0.0, 1.0));
        Rgb([colour.r, colour.g, colour.b])
    })
}

/// Writes an endless animation.
///
/// # Errors
/// [`Error::Io`] or [`Error::Draw`] if it cannot be written.
pub fn animation(path: &Path, frames: Vec<RgbImage>, milliseconds: u32) -> Result<()> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut bytes, 10);
    encoder.set_repeat(Repeat::Infinite).map_err(Error::draw(path))?;
    let delay = Delay::from_numer_denom_ms(milliseconds, 1);
    let frame = |image| Frame::from_parts(DynamicImage::ImageRgb8(image).into_rgba8(), 0, 0, delay);
    encoder.encode_frames(frames.into_iter().map(frame)).map_err(Error::draw(path))?;
    drop(encoder);
    write_whole(path, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::AnimationDecoder;
    use image::codecs::gif::GifDecoder;

    fn plain(level: u8, size: u32) -> RgbImage {
        RgbImage::from_pixel(size, size, Rgb([level; 3]))
    }

    #[test]
    fn pictures_stand_under_their_names() {
        let row = |label: &str, levels: [u8; 2]| Row {
            label: label.into(),
            pictures: vec![plain(levels[0], 2), plain(levels[1], 4)],
        };
        let rows = [row("first", [10, 20]), row("two", [30, 40])];
        let named = figure(&["a".into(), "b".into()], &rows, 8).unwrap();
        let top = TEXT + 9;
        let (left, height) = (named.width() - 28, named.height());
        assert_eq!(height, top + 28);
        assert!((20..80).contains(&left), "{left}");
        let at = |c: u32, r: u32| named.get_pixel(left + GAP + 4 + c * 12, top + GAP + 4 + r * 12).0[0];
        assert_eq!([at(0, 0), at(1, 0), at(0, 1), at(1, 1)], [10, 20, 30, 40]);
        let dark = |x: std::ops::Range<u32>, y: std::ops::Range<u32>| {
            x.flat_map(|x| y.clone().map(move |y| (x, y))).any(|(x, y)| named.get_pixel(x, y).0[0] < 128)
        };
        assert!(dark(0..left, top..top + 28) && dark(left..left + 28, 0..top), "names are missing");
        let bare = figure(&[], &[Row { label: String::new(), pictures: vec![plain(7, 2)] }], 4).unwrap();
        assert_eq!(bare.dimensions(), (12, 12));
    }

    #[test]
    fn the_largest_number_is_the_brightest() {
        let image = heat(&[0.0, 0.5, 2.0, 1.0], 2);
        let sum = |x, y| image.get_pixel(x, y).0.iter().map(|&c| u32::from(c)).sum::<u32>();
        assert!(sum(0, 0) < sum(1, 0) && sum(1, 0) < sum(1, 1) && sum(1, 1) < sum(0, 1));
        assert_eq!(heat(&[0.0; 4], 2).get_pixel(0, 0), image.get_pixel(0, 0));
    }

    #[test]
    fn animations_have_all_frames() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.gif");
        animation(&path, (0..3).map(|i| plain(i * 100, 4)).collect(), 50).unwrap();
        let file = std::io::BufReader::new(std::fs::File::open(&path).unwrap());
        let frames = GifDecoder::new(file).unwrap().into_frames().collect_frames().unwrap();
        assert_eq!(frames.len(), 3);
        assert!(frames[2].buffer().get_pixel(0, 0).0[0] > 150);
        assert!(animation(&path.join("b.gif"), Vec::new(), 50).unwrap_err().to_string().contains("b.gif"));
    }
}
