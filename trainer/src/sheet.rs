//! Sheets of pictures.

use std::path::Path;

use image::{Rgb, RgbImage, imageops};

use crate::error::{Error, Result};

/// Pictures in rows of `columns`, enlarged `zoom` times without smoothing, with a thin gap.
///
/// Each picture is planar, `[channels, size, size]`; one channel is shown as grey.
pub fn sheet(pictures: &[Vec<u8>], size: usize, channels: usize, columns: usize, zoom: u32) -> RgbImage {
    let (columns, gap) = (columns.max(1), zoom.max(2));
    let edge = size as u32 * zoom;
    let rows = pictures.len().div_ceil(columns) as u32;
    let (width, height) = (columns as u32 * (edge + gap) + gap, rows * (edge + gap) + gap);
    let mut sheet = RgbImage::from_pixel(width, height, Rgb([255; 3]));
    for (i, picture) in pictures.iter().enumerate() {
        let small = picture_of(picture, size, channels);
        let large = imageops::resize(&small, edge, edge, imageops::FilterType::Nearest);
        let at = |k: usize| i64::from(gap) + k as i64 * i64::from(edge + gap);
        imageops::replace(&mut sheet, &large, at(i % columns), at(i / columns));
    }
    sheet
}

/// A planar picture as an image.
pub fn picture_of(planar: &[u8], size: usize, channels: usize) -> RgbImage {
    let plane = size * size;
    RgbImage::from_fn(size as u32, size as u32, |x, y| {
        let at = y as usize * size + x as usize;
        Rgb([0, 1, 2].map(|c| planar.get(c.min(channels - 1) * plane + at).copied().unwrap_or(0)))
    })
}

/// Writes an image in the format of its name.
///
/// # Errors
/// [`Error::Io`] or [`Error::Draw`] if it cannot be written.
pub fn save(image: &RgbImage, path: &Path) -> Result<()> {
    image.save(path).map_err(Error::draw(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_stand_in_reading_order() {
        let pictures: Vec<Vec<u8>> = (0..3).map(|i| vec![i * 50; 12]).collect();
        let sheet = sheet(&pictures, 2, 3, 2, 3);
        assert_eq!(sheet.dimensions(), (2 * 9 + 3, 2 * 9 + 3));
        let at = |x, y| sheet.get_pixel(x, y).0[0];
        assert_eq!((at(3, 3), at(12, 3), at(3, 12), at(12, 12), at(0, 0)), (0, 50, 100, 255, 255));
    }

    #[test]
    fn planes_become_colours_and_grey() {
        let planar: Vec<u8> = (0..12).collect();
        assert_eq!(picture_of(&planar, 2, 3).get_pixel(1, 0).0, [1, 5, 9]);
        assert_eq!(picture_of(&planar[..4], 2, 1).get_pixel(1, 1).0, [3, 3, 3]);
    }

    #[test]
    fn saving_says_where_it_failed() {
        let dir = tempfile::tempdir().unwrap();
        let image = RgbImage::new(2, 2);
        save(&image, &dir.path().join("a.png")).unwrap();
        for (name, part) in [("no/such/b.png", "cannot write it"), ("without-an-ending", "ends in .png")] {
            let message = save(&image, &dir.path().join(name)).unwrap_err().to_string();
            assert!(message.contains(name) && message.contains(part), "{message}");
        }
    }
}
