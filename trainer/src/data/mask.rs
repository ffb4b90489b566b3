//! Masks of unknown pixels, as people draw them.

use std::path::Path;

use image::imageops::FilterType;
use image::{DynamicImage, GrayImage, Luma, RgbaImage};
use shared::edit::inpaint::Mask;

use super::container::MAX_FILE;
use super::images::open;
use crate::error::{Error, Result};
use crate::files::read_limited;

/// Colours that differ by less are one colour: a brush's, with its soft rim.
const ONE_COLOUR: u8 = 48;

/// Reads the mask of a picture of edge `size`: its middle square, resized like a picture's.
///
/// White pixels are unknown. Of a mask on a transparent layer the painted part is, whatever its colour; of a picture, or
/// of one large sheet, with transparent places, those are: they were erased.
///
/// # Errors
/// A file that cannot be read or is not a picture; a mask that marks nothing or everything.
pub fn read_mask(path: &Path, size: usize) -> Result<Mask> {
    mask_of(&read(path)?, path, size)
}

/// The same for the picture in a file, whose shape the mask must have.
///
/// # Errors
/// As [`read_mask`], and a mask of another shape than the picture's.
pub fn read_mask_for(picture: &Path, path: &Path, size: usize) -> Result<Mask> {
    let (of, mask) = (read(picture)?, read(path)?);
    let [(w, h), (width, height)] = [&of, &mask].map(|image| (u64::from(image.width()), u64::from(image.height())));
    // Other numbers of pixels are welcome, to within the rounding of the shorter edge.
    if (w * height).abs_diff(h * width) > w.max(h) {
        let problem = format!("the mask has {width}x{height} pixels, but {} has {w}x{h}", picture.display());
        return Err(Error::content(path.display(), problem, "draw it on the picture, or crop both to the same shape"));
    }
    mask_of(&mask, path, size)
}

fn read(path: &Path) -> Result<DynamicImage> {
    Ok(open(&read_limited(path, MAX_FILE)?, &path.display().to_string())?.0)
}

fn mask_of(image: &DynamicImage, path: &Path, size: usize) -> Result<Mask> {
    let marks = marks(&image.to_rgba8());
    let edge = marks.width().min(marks.height());
    let mut marks = DynamicImage::ImageLuma8(marks);
    let square = marks.crop((marks.width() - edge) / 2, (marks.height() - edge) / 2, edge, edge);
    let scaled = if edge as usize == size {
        square
    } else {
        square.resize_exact(size as u32, size as u32, FilterType::Lanczos3)
    };
    let unknown = scaled.into_luma8().pixels().map(|pixel| pixel.0[0] > 127).collect();
    Mask::new(size, unknown).map_err(Error::model(path))
}

/// White where the mask marks.
fn marks(image: &RgbaImage) -> GrayImage {
    let opaque = |pixel: &[u8; 4]| pixel[3] > 127;
    let light = |[r, g, b, _]: &[u8; 4]| (299 * u32::from(*r) + 587 * u32::from(*g) + 114 * u32::from(*b)) / 1000 > 127;
    let painted: Vec<[u8; 4]> = image.pixels().map(|pixel| pixel.0).filter(opaque).collect();
    let all = image.pixels().len();
    let by_light = painted.len() == all || is_black_and_white(&painted);
    let by_paint = is_one_colour(&painted) && 2 * painted.len() <= all;
    let marked = |pixel: &[u8; 4]| match opaque(pixel) {
        true if by_light => light(pixel),
        true => by_paint,
        false => !by_light && !by_paint,
    };
    GrayImage::from_fn(image.width(), image.height(), |x, y| {
        Luma([if marked(&image.get_pixel(x, y).0) { 255 } else { 0 }])
    })
}

fn is_one_colour(pixels: &[[u8; 4]]) -> bool {
    let spread = |c: usize| {
        let channel = || pixels.iter().map(|pixel| pixel[c]);
        channel().max().unwrap_or(0) - channel().min().unwrap_or(0)
    };
    (0..3).all(|c| spread(c) < ONE_COLOUR)
}

/// Whether there is both black and white, and nothing else.
fn is_black_and_white(pixels: &[[u8; 4]]) -> bool {
    let is = |pixel: &[u8; 4], value: u8| pixel[..3].iter().all(|c| c.abs_diff(value) < ONE_COLOUR);
    let any = |value| pixels.iter().any(|pixel| is(pixel, value));
    any(0) && any(255) && pixels.iter().all(|pixel| is(pixel, 0) || is(pixel, 255))
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageFormat, Rgba};

    /// A picture of edge 32 by each pixel's place, and whether it is in the hole.
    fn drawn(colour: impl Fn(u32, u32, bool) -> [u8; 4]) -> DynamicImage {
        let inside = |x, y| (10..20).contains(&x) && (10..20).contains(&y);
        DynamicImage::ImageRgba8(RgbaImage::from_fn(32, 32, |x, y| Rgba(colour(x, y, inside(x, y)))))
    }

    fn hole() -> Vec<(usize, usize)> {
        (0..100).map(|i| (10 + i / 10, 10 + i % 10)).collect()
    }

    const CLEAR: [u8; 4] = [0; 4];

    #[test]
    fn a_hole_means_the_same_however_it_is_drawn() {
        let ways = [
            ("white on black", drawn(|_, _, inside| if inside { [255; 4] } else { [0, 0, 0, 255] })),
            ("white on a transparent layer", drawn(|_, _, inside| if inside { [255; 4] } else { CLEAR })),
            ("black on a transparent layer", drawn(|_, _, inside| if inside { [0, 0, 0, 255] } else { CLEAR })),
            ("red on transparent white", drawn(|_, _, i| if i { [230, 20, 20, 255] } else { [255, 255, 255, 0] })),
            ("erased from a picture", drawn(|x, y, i| if i { CLEAR } else { [x as u8 * 8, y as u8 * 8, 90, 255] })),
            ("erased from a white sheet", drawn(|_, _, inside| if inside { CLEAR } else { [255; 4] })),
            (
                "black and white with a clear rim",
                drawn(|x, _, inside| match (x, inside) {
                    (0..2, _) => CLEAR,
                    (_, true) => [250, 250, 250, 255],
                    (_, false) => [0, 0, 0, 255],
                }),
            ),
        ];
        let dir = tempfile::tempdir().unwrap();
        for (way, image) in ways {
            let path = dir.path().join("mask.png");
            image.save(&path).unwrap();
            assert_eq!(read_mask(&path, 32).unwrap().pixels(), hole(), "{way}");
            image.resize_exact(128, 128, FilterType::Nearest).save(&path).unwrap();
            assert_eq!(read_mask(&path, 32).unwrap().pixels(), hole(), "{way}, four times as large");
        }
    }

    #[test]
    fn a_mask_of_another_shape_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let white = |x: u32, _, _| if x < 9 { [255; 4] } else { [0, 0, 0, 255] };
        drawn(white).save(at("picture.png")).unwrap();
        let wide = drawn(white).resize_exact(64, 32, FilterType::Nearest);
        wide.save(at("wide.png")).unwrap();
        let error = read_mask_for(&at("picture.png"), &at("wide.png"), 32).unwrap_err().to_string();
        assert!(
            error.contains("wide.png: the mask has 64x32 pixels") && error.contains("picture.png has 32x32"),
            "{error}"
        );
        drawn(white).resize_exact(128, 128, FilterType::Nearest).save(at("large.png")).unwrap();
        let mask = read_mask_for(&at("picture.png"), &at("large.png"), 32).unwrap();
        assert_eq!(mask, read_mask(&at("picture.png"), 32).unwrap());
        assert_eq!(read_mask_for(&at("wide.png"), &at("wide.png"), 32).unwrap().size(), 32);
    }

    #[test]
    fn a_mask_that_says_nothing_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mask.png");
        for image in [drawn(|_, _, _| [0, 0, 0, 255]), drawn(|_, _, _| [255; 4])] {
            image.save(&path).unwrap();
            assert!(read_mask(&path, 32).unwrap_err().to_string().contains("mask.png"));
        }
        let bytes = crate::data::testing::encoded(&drawn(|_, _, _| [1; 4]), ImageFormat::WebP);
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert!(read_mask(&path, 32).unwrap_err().to_string().contains("ends before the picture"));
    }
}
