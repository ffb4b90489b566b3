//! Helpers of the tests.

use std::fs::File;
use std::io::{Cursor, Write};
use std::path::Path;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use zip::write::SimpleFileOptions;

/// A picture whose every pixel tells where it is.
pub(crate) fn gradient(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, y as u8, (x ^ y) as u8]))
}

/// A one-coloured picture as png.
pub(crate) fn plain(edge: u32, colour: [u8; 3]) -> Vec<u8> {
    let picture = RgbImage::from_pixel(edge, edge, Rgb(colour));
    encoded(&DynamicImage::ImageRgb8(picture), ImageFormat::Png)
}

pub(crate) fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A JPEG that carries a colour profile.
pub(crate) fn with_profile(picture: &RgbImage, profile: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 100);
    image::ImageEncoder::set_icc_profile(&mut encoder, profile.to_vec()).unwrap();
    encoder.encode_image(picture).unwrap();
    bytes
}

/// A PNG of 2×2 pixels whose palette has one byte too many, at which its decoder panics.
pub(crate) const PANICKING_PNG: [u8; 84] = *b"\x89PNG\r\n\x1a\n\
    \0\0\0\x0dIHDR\0\0\0\x02\0\0\0\x02\x08\x03\0\0\0\x45\x68\xfd\x16\
    \0\0\0\x04PLTE\0\0\0\0\xb4\xa3\xae\x7a\
    \0\0\x00\x0bIDATx\x9cc`\0\x01\0\0\x06\0\x01\xfe\x8cg\xc8\
    \0\0\0\0IEND\xae\x42\x60\x82";

/// Writes an archive; names that end in `/` are folders.
pub(crate) fn write_zip(path: &Path, entries: &[(&str, &[u8])]) {
    let mut zip = zip::ZipWriter::new(File::create(path).unwrap());
    for (name, bytes) in entries {
        if name.ends_with('/') {
            zip.add_directory(*name, SimpleFileOptions::default()).unwrap();
        } else {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
    }
    zip.finish().unwrap();
}

pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}
