//! Sheets of pictures.

use std::io::Cursor;
use std::path::Path;

use image::{ImageFormat, Rgb, RgbImage, imageops};

use crate::error::{Error, Result};
use crate::files::write_whole;

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

/// Most pixels of a sheet or figure: 400 MB in memory.
const MOST_PIXELS: u64 = 1 << 27;

/// Whether a sheet of `columns` × `rows` pictures of `edge` pixels can be drawn.
///
/// # Errors
/// [`Error::Usage`] says how large it would be.
pub fn fits(columns: usize, rows: usize, edge: usize) -> Result<()> {
    let (width, height) = (columns.saturating_mul(edge) as u64, rows.saturating_mul(edge) as u64);
    if width.saturating_mul(height) <= MOST_PIXELS {
        return Ok(());
    }
    let problem = format!("{columns}×{rows} pictures of {edge} pixels make a sheet of {width}×{height} pixels");
    Err(Error::usage("--zoom", problem, "ask for fewer pictures, or a smaller --zoom"))
}

/// A planar picture as an image.
pub fn picture_of(planar: &[u8], size: usize, channels: usize) -> RgbImage {
    let plane = size * size;
    RgbImage::from_fn(size as u32, size as u32, |x, y| {
        let at = y as usize * size + x as usize;
        Rgb([0, 1, 2].map(|c| planar.get(c.min(channels - 1) * plane + at).copied().unwrap_or(0)))
    })
}

/// Writes an image in the format of its name, whole or not at all.
///
/// # Errors
/// [`Error::Draw`] for a name without a format, else as [`write_whole`].
pub fn save(image: &RgbImage, path: &Path) -> Result<()> {
    let mut bytes = Cursor::new(Vec::new());
    let format = ImageFormat::from_path(path).map_err(Error::draw(path))?;
    image.write_to(&mut bytes, format).map_err(Error::draw(path))?;
    write_whole(path, bytes.get_ref())
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
    fn the_largest_sheet_is_known() {
        fits(8, 4, 1024).unwrap();
        let error = fits(100, 100, 1024).unwrap_err().to_string();
        assert!(error.contains("102400×102400") && error.contains("--zoom"), "{error}");
        assert!(fits(usize::MAX, usize::MAX, 4096).is_err());
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
        for (name, part) in [("a.png/b.png", "cannot write it"), ("without-an-ending", "ends in .png")] {
            let message = save(&image, &dir.path().join(name)).unwrap_err().to_string();
            assert!(message.contains(name) && message.contains(part), "{message}");
        }
    }
}
