//! Pictures of every format.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use trainer::data::{read_mask, read_picture};

use crate::scratch::Scratch;

/// A picture's file, as a picture and as a mask.
pub fn picture(bytes: &[u8]) {
    let scratch = Scratch::new();
    let path = scratch.write("x.png", bytes);
    if let Ok(pixels) = read_picture(&path, 8) {
        assert_eq!(pixels.len(), 3 * 8 * 8);
    }
    let _ = read_mask(&path, 8);
}

/// A picture in a format.
pub fn encoded(picture: DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A one-coloured PNG.
pub fn plain(width: u32, height: u32) -> Vec<u8> {
    encoded(RgbImage::from_pixel(width, height, Rgb([200, 40, 90])).into(), ImageFormat::Png)
}

pub fn seeds() -> Vec<Vec<u8>> {
    const FORMATS: [ImageFormat; 6] =
        [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::WebP, ImageFormat::Gif, ImageFormat::Jpeg, ImageFormat::Tiff];
    let colours = RgbImage::from_fn(9, 8, |x, y| Rgb([(x * 28) as u8, (y * 31) as u8, 7]));
    let clear = RgbaImage::from_fn(5, 6, |x, y| Rgba([(x * 50) as u8, (y * 40) as u8, 7, (x * 51) as u8]));
    let grey = DynamicImage::ImageRgb8(colours.clone()).into_luma16();
    let mut seeds: Vec<_> = FORMATS.iter().map(|&format| encoded(colours.clone().into(), format)).collect();
    for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif, ImageFormat::Tiff] {
        seeds.push(encoded(clear.clone().into(), format));
    }
    seeds.push(encoded(grey.clone().into(), ImageFormat::Png));
    seeds.push(encoded(grey.into(), ImageFormat::Tiff));
    seeds
}
