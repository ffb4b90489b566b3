//! Colour profiles: pictures that carry one are turned into sRGB, as browsers show them.

use std::cell::RefCell;
use std::sync::Arc;

use image::{DynamicImage, RgbImage, RgbaImage};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformExecutor, TransformOptions};

/// What was done about a picture's profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colours {
    /// There is none, or it says what is assumed anyway.
    Plain,
    /// The colours were converted.
    Converted,
    /// There is one that cannot be used; the numbers were taken as sRGB.
    Unknown,
}

/// How the numbers of pictures with one profile become sRGB.
#[derive(Clone)]
struct Conversion {
    rgb: Arc<dyn TransformExecutor<u8> + Send + Sync>,
    rgba: Arc<dyn TransformExecutor<u8> + Send + Sync>,
}

/// What a profile means for a picture.
#[derive(Clone)]
enum Meaning {
    Srgb,
    Rgb(Conversion),
    /// The colour of each grey.
    Grey(Box<[u8; 768]>),
    Unknown,
}

/// Colours that are no further off than this are sRGB's own: rounding, and the many descriptions of sRGB.
const SAME: u8 = 2;

/// Turns a picture with this profile into sRGB.
pub(crate) fn to_srgb(picture: DynamicImage, profile: Option<&[u8]>) -> (DynamicImage, Colours) {
    let Some(profile) = profile.filter(|profile| !profile.is_empty()) else {
        return (picture, Colours::Plain);
    };
    let grey = !picture.color().has_color();
    match meaning_of(profile) {
        Meaning::Srgb => (picture, Colours::Plain),
        Meaning::Rgb(conversion) => convert(picture, &conversion),
        Meaning::Grey(colours) if grey => (recolour(picture, &colours), Colours::Converted),
        Meaning::Grey(_) | Meaning::Unknown => (picture, Colours::Unknown),
    }
}

fn meaning_of(profile: &[u8]) -> Meaning {
    thread_local! {
        // Pictures of one set mostly share their profile, and a conversion is expensive to set up.
        static LAST: RefCell<Option<(Vec<u8>, Meaning)>> = const { RefCell::new(None) };
    }
    let known = LAST.with_borrow(|last| last.as_ref().filter(|(of, _)| of == profile).map(|(_, m)| m.clone()));
    known.unwrap_or_else(|| {
        let meaning = read(profile).unwrap_or(Meaning::Unknown);
        LAST.set(Some((profile.to_vec(), meaning.clone())));
        meaning
    })
}

fn read(profile: &[u8]) -> Option<Meaning> {
    let profile = ColorProfile::new_from_slice(profile).ok()?;
    let srgb = ColorProfile::new_srgb();
    // Browsers take the profile's own intent.
    let options = TransformOptions { rendering_intent: profile.rendering_intent, ..TransformOptions::default() };
    let transform = |from, to| profile.create_transform_8bit(from, &srgb, to, options).ok();
    match profile.color_space {
        DataColorSpace::Rgb => {
            let rgb = transform(Layout::Rgb, Layout::Rgb)?;
            let rgba = transform(Layout::Rgba, Layout::Rgba)?;
            let lattice = lattice();
            let mut converted = vec![0; lattice.len()];
            rgb.transform(&lattice, &mut converted).ok()?;
            let same = lattice.iter().zip(&converted).all(|(a, b)| a.abs_diff(*b) <= SAME);
            Some(if same { Meaning::Srgb } else { Meaning::Rgb(Conversion { rgb, rgba }) })
        }
        DataColorSpace::Gray => {
            let greys: Vec<u8> = (0..=255).collect();
            let mut colours = Box::new([0; 768]);
            transform(Layout::Gray, Layout::Rgb)?.transform(&greys, &mut *colours).ok()?;
            let same = colours.iter().enumerate().all(|(i, c)| c.abs_diff((i / 3) as u8) <= SAME);
            Some(if same { Meaning::Srgb } else { Meaning::Grey(colours) })
        }
        _ => None,
    }
}

/// Colours all over the cube.
fn lattice() -> Vec<u8> {
    const STEPS: [u8; 5] = [0, 64, 128, 192, 255];
    STEPS.iter().flat_map(|&r| STEPS.iter().flat_map(move |&g| STEPS.iter().flat_map(move |&b| [r, g, b]))).collect()
}

fn convert(picture: DynamicImage, conversion: &Conversion) -> (DynamicImage, Colours) {
    let (width, height) = (picture.width(), picture.height());
    let converted = if picture.color().has_alpha() {
        let pixels = picture.to_rgba8();
        let mut to = vec![0; pixels.len()];
        let done = conversion.rgba.transform(&pixels, &mut to).ok();
        done.and_then(|()| RgbaImage::from_raw(width, height, to)).map(DynamicImage::ImageRgba8)
    } else {
        let pixels = picture.to_rgb8();
        let mut to = vec![0; pixels.len()];
        let done = conversion.rgb.transform(&pixels, &mut to).ok();
        done.and_then(|()| RgbImage::from_raw(width, height, to)).map(DynamicImage::ImageRgb8)
    };
    converted.map_or((picture, Colours::Unknown), |converted| (converted, Colours::Converted))
}

/// A grey picture with each grey's colour.
fn recolour(picture: DynamicImage, colours: &[u8; 768]) -> DynamicImage {
    let mut picture = picture.into_rgba8();
    for pixel in picture.pixels_mut() {
        let grey = usize::from(pixel.0[0]) * 3;
        pixel.0[..3].copy_from_slice(&colours[grey..grey + 3]);
    }
    DynamicImage::ImageRgba8(picture)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayImage, Luma, Rgb, Rgba};

    fn one(colour: [u8; 3]) -> DynamicImage {
        DynamicImage::ImageRgb8(RgbImage::from_pixel(2, 1, Rgb(colour)))
    }

    fn icc(profile: &ColorProfile) -> Vec<u8> {
        profile.encode().unwrap()
    }

    fn near(found: [u8; 3], wanted: [u8; 3]) -> bool {
        found.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 3)
    }

    #[test]
    fn a_display_p3_colour_is_more_vivid_in_srgb() {
        let p3 = icc(&ColorProfile::new_display_p3());
        // By hand, with the matrix from the one set of primaries to the other.
        for (from, to) in [([220, 30, 30], [240, 0, 0]), ([40, 60, 210], [34, 61, 218]), ([128; 3], [128; 3])] {
            let (converted, colours) = to_srgb(one(from), Some(&p3));
            assert_eq!(colours, Colours::Converted);
            assert!(near(converted.to_rgb8().get_pixel(1, 0).0, to), "{converted:?}");
        }
        let clear = RgbaImage::from_pixel(1, 1, Rgba([220, 30, 30, 77]));
        let (converted, _) = to_srgb(DynamicImage::ImageRgba8(clear), Some(&p3));
        let [r, g, b, alpha] = converted.to_rgba8().get_pixel(0, 0).0;
        assert!(near([r, g, b], [240, 0, 0]) && alpha == 77);
    }

    #[test]
    fn srgb_and_no_profile_leave_every_number() {
        for profile in [None, Some(vec![]), Some(icc(&ColorProfile::new_srgb()))] {
            let (same, colours) = to_srgb(one([13, 200, 77]), profile.as_deref());
            assert_eq!((same, colours), (one([13, 200, 77]), Colours::Plain));
        }
    }

    #[test]
    fn greys_of_another_gamma_are_converted() {
        let linear = icc(&ColorProfile::new_gray_with_gamma(1.0));
        let grey = DynamicImage::ImageLuma8(GrayImage::from_pixel(1, 1, Luma([55])));
        let (converted, colours) = to_srgb(grey, Some(&linear));
        // 55 of 255 of the light is about half of sRGB's range.
        assert!(near(converted.to_rgb8().get_pixel(0, 0).0, [128; 3]), "{converted:?}");
        assert_eq!(colours, Colours::Converted);
        assert_eq!(to_srgb(one([1, 2, 3]), Some(&linear)), (one([1, 2, 3]), Colours::Unknown));
    }

    #[test]
    fn a_damaged_profile_leaves_the_numbers_and_is_told() {
        let whole = icc(&ColorProfile::new_display_p3());
        for profile in [&b"no profile"[..], &whole[..whole.len() / 2], &whole[..100]] {
            assert_eq!(to_srgb(one([1, 2, 3]), Some(profile)), (one([1, 2, 3]), Colours::Unknown));
        }
    }
}
