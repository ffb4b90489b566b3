//! One picture: decode, crop to a square, resize, and lay out its channels in planes.

use std::io::Cursor;
use std::path::Path;

use image::imageops::{FilterType, crop_imm, resize};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits, Rgb, RgbImage};

use super::complete;
use super::container::MAX_FILE;
use super::profile::{Colours, to_srgb};
use super::set::CHANNELS;
use super::sniff::sniff;
use crate::error::{Error, Result};
use crate::files::read_limited;
use crate::panics::caught;

/// A set's pixels may take this much memory unless the user says otherwise.
pub(crate) const DEFAULT_MEMORY_LIMIT: usize = 8 << 30;

/// The longest edge of a picture that is decoded.
const MAX_EDGE: u32 = 8192;

/// The most memory a decoder may use for one picture: 8192×8192 pixels with alpha.
const MAX_DECODED: u64 = 256 << 20;

/// The largest edge a set may have.
const MAX_SIZE: usize = 4096;

/// Which part of a picture is kept before resizing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crop {
    /// The largest square about the centre.
    Square,
    /// CelebA's aligned faces: 178×218 pixels, of which the middle 148×148.
    Celeba,
}

/// A picture ready for a set.
pub(crate) struct Decoded {
    /// Planar, `[3, size, size]`.
    pub(crate) pixels: Vec<u8>,
    /// What was done about its colour profile.
    pub(crate) colours: Colours,
}

/// Decodes `bytes` into a planar `[3, size, size]` picture; `file` names it in errors.
///
/// A picture that is `size`×`size` already keeps its exact pixels. Others are resized with a
/// Lanczos window of 3, which averages when it shrinks. Transparency is laid on white. A rotation
/// noted by a camera is applied, and so is a colour profile. Of an animation, the first frame counts.
pub(crate) fn decode(bytes: &[u8], file: &str, crop: Crop, size: usize) -> Result<Decoded> {
    let (picture, colours) = open(bytes, file)?;
    let square = cropped(&opaque(picture), file, crop)?;
    Ok(Decoded { pixels: planar(&resized(square, size)), colours })
}

/// Decodes a whole picture, upright and in sRGB, with its transparency.
pub(crate) fn open(bytes: &[u8], file: &str) -> Result<(DynamicImage, Colours)> {
    let refuse = |problem: String, advice: &str| Error::content(file, problem, advice);
    if complete::is_cut(bytes) {
        return Err(refuse("not a picture that can be read: the file ends before the picture does".into(), FETCH));
    }
    // Decoders meet files that nobody thought of.
    caught(|| open_unguarded(bytes, file)).unwrap_or_else(|panic| {
        Err(refuse(format!("not a picture that can be read: its decoder gave up ({panic})"), "replace or remove it"))
    })
}

const FETCH: &str = "download it again, or remove it";

fn open_unguarded(bytes: &[u8], file: &str) -> Result<(DynamicImage, Colours)> {
    let unreadable = |source| Error::Image { file: file.to_string(), source };
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|source| unreadable(image::ImageError::IoError(source)))?;
    if let (None, Some(what)) = (reader.format(), sniff(bytes)) {
        let advice = if what.ends_with("picture") { "save it as PNG or JPEG" } else { FETCH };
        return Err(Error::content(file, format!("not a picture that can be read: it is {what}"), advice));
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_EDGE);
    limits.max_image_height = Some(MAX_EDGE);
    limits.max_alloc = Some(MAX_DECODED);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(unreadable)?;
    let (width, height) = decoder.dimensions();
    if width.max(height) > MAX_EDGE || decoder.total_bytes() > MAX_DECODED {
        let problem = format!("{width}x{height} pixels are too many to decode safely");
        let advice = format!("shrink it to at most {MAX_EDGE} pixels on each side");
        return Err(Error::content(file, problem, advice));
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten();
    let picture = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    let (mut picture, colours) = to_srgb(picture, profile.as_deref());
    picture.apply_orientation(orientation);
    Ok((picture, colours))
}

/// Reads a picture file as a planar `[3, size, size]` picture: its middle square, resized.
///
/// # Errors
/// A file that cannot be read, is too large, or is not a picture.
pub fn read_picture(path: &Path, size: usize) -> Result<Vec<u8>> {
    let bytes = read_limited(path, MAX_FILE)?;
    Ok(decode(&bytes, &path.display().to_string(), Crop::Square, size)?.pixels)
}

/// Without transparency: what shines through is white.
fn opaque(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [r, g, b, alpha] = picture.get_pixel(x, y).0.map(u32::from);
        let over = |c: u32| ((c * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        Rgb([over(r), over(g), over(b)])
    })
}

fn cropped(picture: &RgbImage, file: &str, crop: Crop) -> Result<RgbImage> {
    let (width, height) = picture.dimensions();
    let edge = match crop {
        Crop::Square => width.min(height),
        Crop::Celeba if (width, height) == (178, 218) => 148,
        Crop::Celeba => {
            let problem = format!("{width}x{height} pixels, where CelebA's aligned faces are 178x218");
            return Err(Error::content(file, problem, "use the official img_align_celeba.zip"));
        }
    };
    if edge == 0 {
        return Err(Error::content(file, "the picture has no pixels", "remove it"));
    }
    Ok(crop_imm(picture, (width - edge) / 2, (height - edge) / 2, edge, edge).to_image())
}

fn resized(square: RgbImage, size: usize) -> RgbImage {
    if square.width() as usize == size {
        return square;
    }
    resize(&square, size as u32, size as u32, FilterType::Lanczos3)
}

fn planar(picture: &RgbImage) -> Vec<u8> {
    let channel = |c: usize| picture.as_raw().iter().skip(c).step_by(CHANNELS);
    (0..CHANNELS).flat_map(channel).copied().collect()
}

/// The picture of planar pixels `[3, size, size]`, or nothing if there are not as many.
pub(crate) fn interleaved(planes: &[u8], size: usize) -> Option<RgbImage> {
    let plane = size * size;
    let at = |i: usize| (0..CHANNELS).map(move |c| planes.get(c * plane + i).copied());
    let pixels: Option<Vec<u8>> = (0..plane).flat_map(at).collect();
    RgbImage::from_raw(size as u32, size as u32, pixels?)
}

/// Resizes a planar picture from one edge to another; the same edge keeps the exact pixels.
pub(crate) fn resize_planar(planes: Vec<u8>, from: usize, to: usize) -> Vec<u8> {
    if from == to {
        return planes;
    }
    interleaved(&planes, from).map_or(planes, |picture| planar(&resized(picture, to)))
}

/// Refuses what would not fit into memory, before any is taken.
pub(crate) fn check_memory(file: &str, count: usize, size: usize, limit: usize) -> Result<()> {
    if !(1..=MAX_SIZE).contains(&size) {
        let problem = format!("a picture size of {size} pixels");
        return Err(Error::usage(file, problem, format!("use 1 to {MAX_SIZE}, for instance 32")));
    }
    let needed = count as u128 * (CHANNELS * size * size) as u128;
    if needed > limit as u128 {
        let mib = |bytes: u128| bytes.div_ceil(1 << 20);
        let (needed, limit) = (mib(needed), mib(limit as u128));
        let problem = format!("{count} pictures of {size}x{size} need {needed} MiB, more than the limit of {limit}");
        let advice = "load fewer, by --limit and --test-limit, or smaller ones";
        return Err(Error::usage(file, problem, advice));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::{encoded, gradient};
    use image::{ImageFormat, Rgba, RgbaImage};

    const FORMATS: [ImageFormat; 6] =
        [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::WebP, ImageFormat::Gif, ImageFormat::Jpeg, ImageFormat::Tiff];

    fn lossless(picture: &RgbImage) -> Vec<u8> {
        encoded(&DynamicImage::ImageRgb8(picture.clone()), ImageFormat::Png)
    }

    fn pixels(bytes: &[u8], size: usize) -> Vec<u8> {
        decode(bytes, "p", Crop::Square, size).unwrap().pixels
    }

    fn refusal(bytes: &[u8], file: &str) -> String {
        decode(bytes, file, Crop::Square, 8).err().unwrap().to_string()
    }

    #[test]
    fn a_file_is_read_or_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.png");
        let bytes = lossless(&gradient(9, 9));
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(read_picture(&path, 4).unwrap(), pixels(&bytes, 4));
        std::fs::write(&path, b"no picture").unwrap();
        assert!(read_picture(&path, 4).unwrap_err().to_string().contains("a.png"));
    }

    #[test]
    fn the_right_size_keeps_its_pixels_in_planes() {
        let picture = gradient(8, 8);
        let planes = pixels(&lossless(&picture), 8);
        for (x, y, pixel) in picture.enumerate_pixels() {
            for c in 0..3 {
                assert_eq!(planes[c * 64 + (y * 8 + x) as usize], pixel.0[c]);
            }
        }
        assert_eq!(interleaved(&planes, 8).unwrap(), picture);
        assert_eq!(resize_planar(planes.clone(), 8, 8), planes);
        assert!(interleaved(&planes[1..], 8).is_none());
    }

    #[test]
    fn every_format_is_decoded() {
        let picture = DynamicImage::ImageRgb8(RgbImage::from_pixel(8, 8, Rgb([200, 40, 90])));
        for format in FORMATS {
            let planes = pixels(&encoded(&picture, format), 8);
            let near = |at: usize, c: u8| planes[at].abs_diff(c) <= 4;
            assert!(near(9, 200) && near(64 + 9, 40) && near(128 + 9, 90), "{format:?}");
        }
    }

    #[test]
    fn the_middle_square_is_kept() {
        let mut wide = RgbImage::from_pixel(30, 10, Rgb([255, 0, 0]));
        for x in 10..20 {
            for y in 0..10 {
                wide.put_pixel(x, y, Rgb([0, 0, 255]));
            }
        }
        let planes = pixels(&lossless(&wide), 5);
        assert!(planes[..50].iter().all(|&c| c == 0) && planes[50..].iter().all(|&c| c == 255));
    }

    #[test]
    fn shrinking_averages() {
        let checks = RgbImage::from_fn(64, 64, |x, y| Rgb([((x + y) % 2 * 255) as u8; 3]));
        let planes = pixels(&lossless(&checks), 8);
        assert!(planes.iter().all(|&c| c.abs_diff(127) < 8), "{planes:?}");
        let planes: Vec<u8> = planar(&checks);
        assert!(resize_planar(planes, 64, 8).iter().all(|&c| c.abs_diff(127) < 8));
    }

    #[test]
    fn transparency_is_white() {
        let mut picture = RgbaImage::from_pixel(2, 1, Rgba([10, 20, 30, 255]));
        picture.put_pixel(1, 0, Rgba([10, 20, 30, 0]));
        let rgb = opaque(DynamicImage::ImageRgba8(picture));
        assert_eq!((rgb.get_pixel(0, 0).0, rgb.get_pixel(1, 0).0), ([10, 20, 30], [255; 3]));
    }

    #[test]
    fn celeba_keeps_148_from_15_and_35() {
        let face = RgbImage::from_fn(178, 218, |x, y| {
            let inside = (15..163).contains(&x) && (35..183).contains(&y);
            Rgb(if inside { [x as u8, y as u8, 0] } else { [0, 0, 255] })
        });
        let planes = decode(&lossless(&face), "p", Crop::Celeba, 148).unwrap().pixels;
        assert_eq!((planes[0], planes[147], planes[148 * 148], planes[2 * 148 * 148 - 1]), (15, 162, 35, 182));
        assert!(planes[2 * 148 * 148..].iter().all(|&blue| blue == 0));
        let error = decode(&lossless(&gradient(178, 178)), "f.jpg", Crop::Celeba, 32).err().unwrap();
        assert!(error.to_string().starts_with("f.jpg: 178x178"), "{error}");
    }

    #[test]
    fn hostile_pictures_are_errors() {
        let whole = lossless(&gradient(40, 40));
        for bytes in [&b""[..], b"GIF89a", b"not a picture", &whole[..whole.len() / 2], &whole[..30]] {
            let error = refusal(bytes, "bad.png");
            assert!(error.starts_with("bad.png: not a picture"), "{error}");
        }
        let jpeg = encoded(&DynamicImage::ImageRgb8(gradient(64, 64)), ImageFormat::Jpeg);
        assert!(decode(&jpeg[..jpeg.len() / 2], "cut.jpg", Crop::Square, 8).is_err());
        // A png that claims 60,000×60,000 pixels: the header alone, with a valid checksum.
        let mut huge = whole[..33].to_vec();
        huge[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        let mut crc = flate2::Crc::new();
        crc.update(&huge[12..29]);
        huge[29..33].copy_from_slice(&crc.sum().to_be_bytes());
        huge.extend_from_slice(&whole[33..]);
        assert!(refusal(&huge, "huge.png").contains("huge.png"));
    }

    #[test]
    fn a_cut_picture_is_whole_or_refused() {
        let picture = DynamicImage::ImageRgb8(gradient(24, 20));
        for format in FORMATS {
            let whole = encoded(&picture, format);
            let expected = pixels(&whole, 20);
            for length in 0..whole.len() {
                if let Ok(found) = decode(&whole[..length], "p", Crop::Square, 20) {
                    assert!(found.pixels == expected, "{format:?}: {length} of {} bytes", whole.len());
                }
            }
        }
    }

    #[test]
    fn changed_pictures_never_panic() {
        let picture = DynamicImage::ImageRgb8(gradient(12, 9));
        for format in FORMATS {
            let whole = encoded(&picture, format);
            for at in 0..whole.len() {
                let mut changed = whole.clone();
                changed[at] ^= 1 << (at % 8);
                let _ = decode(&changed, "p", Crop::Square, 8);
            }
        }
        let panics = refusal(&crate::data::testing::PANICKING_PNG, "plte.png");
        assert!(panics.starts_with("plte.png: not a picture"), "{panics}");
    }

    #[test]
    fn memory_is_checked_without_overflow() {
        assert!(check_memory("s", 10, 32, 30_720).is_ok());
        let error = check_memory("s", 11, 32, 30_720).unwrap_err().to_string();
        assert!(error.starts_with("s: 11 pictures of 32x32 need"), "{error}");
        assert!(check_memory("s", usize::MAX, 4096, usize::MAX).is_err());
        assert!(check_memory("s", 1, 0, 100).is_err() && check_memory("s", 1, 5000, usize::MAX).is_err());
    }
}
