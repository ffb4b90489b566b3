//! Changes of pictures, each at a scale of its own.

use std::io::Cursor;

use clap::ValueEnum;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::blur;
use image::{ImageFormat, RgbImage, load_from_memory_with_format};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::data::ImageSet;
use crate::error::{Error, Result};

/// Deviation of the blur, in pixels.
const BLUR: f32 = 1.0;
/// Quality of the JPEG, of 100.
const QUALITY: u8 = 20;
/// One pixel of so many is broken.
const BROKEN: u32 = 50;
/// Seed of the broken pixels.
const SEED: u64 = 0xB20C;

/// A change of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Change {
    /// Mirrored left to right.
    Mirrored,
    /// Blurred by a Gaussian of one pixel.
    Blurred,
    /// Saved as a JPEG of quality 20.
    Jpeg20,
    /// One pixel in 50 replaced by a colour drawn at random.
    Broken,
    /// Cut out an eighth of the edge to the right and below; what is missing is mirrored at the border.
    Moved,
}

impl Change {
    /// Colour pictures, changed.
    ///
    /// # Errors
    /// [`Error::Image`] if one cannot be saved as a JPEG.
    pub fn of(self, images: &ImageSet) -> Result<ImageSet> {
        let size = images.size;
        let mut pixels = Vec::with_capacity(images.len() * images.image_len());
        for (i, image) in images.iter().enumerate() {
            pixels.extend(self.of_picture(image, size, i as u64).map_err(|source| {
                let file = format!("picture {i} of {}, {self:?}", images.name);
                Error::Image { file, source }
            })?);
        }
        ImageSet::new(format!("{}, {self:?}", images.name).to_lowercase(), size, pixels, None)
    }

    /// A planar picture, `[3, size, size]`, changed; `index` says which.
    fn of_picture(self, planar: &[u8], size: usize, index: u64) -> image::ImageResult<Vec<u8>> {
        Ok(match self {
            Self::Mirrored => moved(planar, size, |row, col| (row, size - 1 - col)),
            Self::Moved => {
                let by = size / 8;
                let inside = |i: usize| if i < size { i } else { 2 * size - 1 - i };
                moved(planar, size, |row, col| (inside(row + by), inside(col + by)))
            }
            Self::Blurred => to_planar(&blur(&to_rgb(planar, size), BLUR)),
            Self::Jpeg20 => {
                let mut bytes = Vec::new();
                JpegEncoder::new_with_quality(Cursor::new(&mut bytes), QUALITY).encode_image(&to_rgb(planar, size))?;
                to_planar(&load_from_memory_with_format(&bytes, ImageFormat::Jpeg)?.to_rgb8())
            }
            Self::Broken => {
                let mut rng = ChaCha8Rng::seed_from_u64(SEED);
                rng.set_stream(index);
                let (mut broken, plane) = (planar.to_vec(), size * size);
                for pixel in 0..plane {
                    if rng.random_ratio(1, BROKEN) {
                        (0..planar.len() / plane).for_each(|c| broken[c * plane + pixel] = rng.random());
                    }
                }
                broken
            }
        })
    }
}

/// Every pixel from another place.
fn moved(planar: &[u8], size: usize, from: impl Fn(usize, usize) -> (usize, usize)) -> Vec<u8> {
    let plane = size * size;
    let pixel = |i: usize| {
        let (row, col) = from(i % plane / size, i % size);
        planar[i / plane * plane + row * size + col]
    };
    (0..planar.len()).map(pixel).collect()
}

fn to_rgb(planar: &[u8], size: usize) -> RgbImage {
    let plane = size * size;
    RgbImage::from_fn(size as u32, size as u32, |x, y| {
        let i = y as usize * size + x as usize;
        image::Rgb([planar[i], planar[plane + i], planar[2 * plane + i]])
    })
}

fn to_planar(picture: &RgbImage) -> Vec<u8> {
    (0..3).flat_map(|c| picture.pixels().map(move |pixel| pixel.0[c])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 16;

    fn set() -> ImageSet {
        let value = |i: usize| ((i % 16 * 9) ^ (i / 16 % 16 * 13)) as u8 ^ (i / 256 * 40) as u8;
        ImageSet::new("set", SIZE, (0..40 * 768).map(|i| value(i % 768)).collect(), None).unwrap()
    }

    fn differing(a: &[u8], b: &[u8]) -> usize {
        a.iter().zip(b).filter(|(a, b)| a != b).count()
    }

    #[test]
    fn each_change_does_what_it_says() {
        let set = set();
        let of = |change: Change| change.of(&set).unwrap();
        let original = set.image(0);
        for change in Change::value_variants() {
            let changed = of(*change);
            assert_eq!((changed.len(), changed.size, changed.channels), (set.len(), SIZE, 3));
            assert!(differing(changed.image(0), original) > 0, "{change:?}");
            assert_eq!(changed, of(*change));
        }
        assert_eq!(Change::Mirrored.of(&of(Change::Mirrored)).unwrap().image(0), original);
        let moved = of(Change::Moved);
        assert_eq!((moved.image(0)[0], moved.image(0)[255]), (original[2 * 16 + 2], original[14 * 16 + 14]));
        // A blur keeps the mean and takes the contrast.
        let moments = |image: &[u8]| {
            let mean = image.iter().map(|&v| f64::from(v)).sum::<f64>() / 768.0;
            (mean, image.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / 768.0)
        };
        let ((mean, spread), (blurred, less)) = (moments(original), moments(of(Change::Blurred).image(0)));
        assert!((mean - blurred).abs() < 6.0 && less < 0.9 * spread, "{mean} {blurred} {spread} {less}");
        let jpeg = moments(of(Change::Jpeg20).image(0));
        assert!((mean - jpeg.0).abs() < 6.0 && jpeg != (mean, spread));
    }

    #[test]
    fn one_pixel_in_fifty_is_broken_and_not_the_same_ones() {
        let (set, broken) = (set(), Change::Broken.of(&set()).unwrap());
        let pixels = |image: usize| -> Vec<usize> {
            let differs =
                |&i: &usize| (0..3).any(|c| set.image(image)[c * 256 + i] != broken.image(image)[c * 256 + i]);
            (0..256).filter(differs).collect()
        };
        let count: usize = (0..40).map(|i| pixels(i).len()).sum();
        // 205 of 10,240 are expected, with a deviation of 14.
        assert!((150..260).contains(&count), "{count}");
        assert_ne!(pixels(0), pixels(1));
    }
}
