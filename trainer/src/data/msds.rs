//! The synthetic multi-scale sets with their labels.

use rayon::prelude::*;
use shared::msds::{Msds, Oval, Part, TILE};

use super::images::{DEFAULT_MEMORY_LIMIT, check_memory};
use super::labels::Labels;
use super::set::ImageSet;
use crate::error::{Error, Result};

/// Labels per oval.
const FACTORS: [&str; 6] = ["x", "y", "angle", "r", "g", "b"];

/// `count` pictures of `size`×`size` pixels (a multiple of 8: one oval per 8×8 tile).
///
/// Labels, per oval, tiles row by row: `oval00.x`, `oval00.y` (the tile's corner in pixels,
/// jitter included, so −1 is possible), `oval00.angle` (degrees counter-clockwise), `oval00.r`,
/// `oval00.g`, `oval00.b`.
///
/// # Errors
/// [`Error::Usage`] for another size, no pictures, or more than fit into memory.
pub fn generate(kind: Msds, size: usize, count: usize, seed: u64, part: Part) -> Result<ImageSet> {
    if size == 0 || !size.is_multiple_of(TILE) {
        let problem = format!("{size} pixels are not a multiple of 8, the edge of a tile");
        return Err(Error::usage(kind.name(), problem, "use a size that is a multiple of 8"));
    }
    // Labels are f32, six per 8×8 tile: an eighth of the pixels' bytes.
    check_memory(kind.name(), count.saturating_add(count / 8), size, DEFAULT_MEMORY_LIMIT)?;
    if count == 0 {
        return Err(Error::usage(kind.name(), "a set of 0 pictures", "ask for at least 1"));
    }
    let tiles = size / TILE;
    let per_image = tiles * tiles * FACTORS.len();
    let mut values = vec![0.0; count * per_image];
    values.par_chunks_exact_mut(per_image).enumerate().for_each(|(i, labels)| {
        let ovals = kind.ovals(tiles, seed, part, i as u64);
        ovals.iter().zip(labels.chunks_exact_mut(FACTORS.len())).for_each(|(oval, label)| write_label(oval, label));
    });
    // The labels at once, the pictures as they are needed: turning the ovals is nine tenths of the work.
    let picture = move |i: usize| kind.picture(tiles, seed, part, i as u64).into_boxed_slice();
    let names: Vec<String> =
        (0..tiles * tiles).flat_map(|tile| FACTORS.map(|factor| format!("oval{tile:02}.{factor}"))).collect();
    let suffix = match part {
        Part::Train => "train",
        Part::Test => "test",
    };
    let labels = Labels::numbers(&names, values)?;
    ImageSet::made(format!("{}-{suffix}", kind.name()), size, count, Some(labels), picture)
}

fn write_label(oval: &Oval, label: &mut [f32]) {
    let [r, g, b] = oval.colour.map(|c| c as f32);
    label.copy_from_slice(&[oval.x as f32, oval.y as f32, oval.angle as f32, r, g, b]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::checksum;

    fn sample(kind: Msds) -> ImageSet {
        generate(kind, 32, 40, 5, Part::Train).unwrap()
    }

    fn ovals(set: &ImageSet, i: usize) -> Vec<&[f32]> {
        set.labels().unwrap().row(i).chunks_exact(6).collect()
    }

    fn spread(values: impl Iterator<Item = f32> + Clone) -> f32 {
        values.clone().fold(f32::MIN, f32::max) - values.fold(f32::MAX, f32::min)
    }

    #[test]
    fn a_seed_gives_the_same_pictures_on_any_number_of_threads() {
        for kind in [Msds::Msds1, Msds::Msds2] {
            let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
            let five = rayon::ThreadPoolBuilder::new().num_threads(5).build().unwrap();
            assert_eq!(one.install(|| sample(kind)), five.install(|| sample(kind)));
            let fewer = generate(kind, 32, 7, 5, Part::Train).unwrap();
            assert_eq!(fewer, sample(kind).subset(&[0, 1, 2, 3, 4, 5, 6]).unwrap());
            let other = generate(kind, 32, 40, 6, Part::Train).unwrap();
            let test = generate(kind, 32, 40, 5, Part::Test).unwrap();
            assert_ne!(other.pixels(), sample(kind).pixels());
            assert_ne!(test.pixels(), sample(kind).pixels());
            assert_eq!((test.name.as_str(), test.len()), (format!("{}-test", kind.name()).as_str(), 40));
        }
    }

    #[test]
    fn the_pictures_of_a_seed_never_change() {
        let sum = |kind: Msds| {
            let set = generate(kind, 32, 16, 0, Part::Train).unwrap();
            checksum(&set.pixels())
        };
        assert_eq!((sum(Msds::Msds1), sum(Msds::Msds2)), (353_956_632, 2_301_388_298));
    }

    #[test]
    fn msds1_shares_the_colour_and_msds2_the_direction() {
        let (one, two) = (sample(Msds::Msds1), sample(Msds::Msds2));
        let mut widest = [0.0f32; 2];
        for i in 0..one.len() {
            let (first, second) = (ovals(&one, i), ovals(&two, i));
            for channel in 3..6 {
                assert!(spread(first.iter().map(|oval| oval[channel])) <= 64.0);
                assert!(spread(second.iter().map(|oval| oval[channel])) > 100.0);
            }
            assert!(spread(first.iter().map(|oval| oval[2])) > 60.0);
            assert!(spread(second.iter().map(|oval| oval[2])) <= 45.0);
            widest[0] = widest[0].max(spread(first.iter().map(|oval| oval[3])));
            widest[1] = widest[1].max(spread(second.iter().map(|oval| oval[2])));
        }
        assert!(widest[0] > 55.0 && widest[1] > 40.0, "{widest:?}");
        let bases = (0..two.len()).map(|i| ovals(&two, i)[0][2]);
        assert!(spread(bases) > 120.0);
    }

    #[test]
    fn labels_stay_in_range_and_use_all_of_it() {
        for (kind, most) in [(Msds::Msds1, 180.0), (Msds::Msds2, 225.0)] {
            let set = sample(kind);
            let mut jitter = [0; 3];
            for i in 0..set.len() {
                for (tile, oval) in ovals(&set, i).iter().enumerate() {
                    let dx = oval[0] - (tile % 4 * 8) as f32;
                    let dy = oval[1] - (tile / 4 * 8) as f32;
                    assert!(dx.abs() <= 1.0 && dy.abs() <= 1.0);
                    jitter[(dx + 1.0) as usize] += 1;
                    jitter[(dy + 1.0) as usize] += 1;
                    assert!((0.0..most).contains(&oval[2]));
                    assert!(oval[3..].iter().all(|c| (0.0..=255.0).contains(c)));
                }
            }
            let expected = set.len() * 16 * 2 / 3;
            assert!(jitter.iter().all(|&n| n > expected * 8 / 10 && n < expected * 12 / 10));
        }
    }

    #[test]
    fn pixels_show_what_the_labels_say() {
        for kind in [Msds::Msds1, Msds::Msds2] {
            let set = sample(kind);
            for i in 0..set.len() {
                let image = set.image(i);
                let boxes = ovals(&set, i);
                for oval in &boxes {
                    // The oval's middle is half a pixel off the point it is turned about.
                    let (sin, cos) = f64::from(oval[2]).to_radians().sin_cos();
                    let x = f64::from(oval[0]) + 4.0 + 0.5 * (cos + sin);
                    let y = f64::from(oval[1]) + 4.0 + 0.5 * (cos - sin);
                    let at = y as usize * 32 + x as usize;
                    for channel in 0..3 {
                        let (seen, said) = (f32::from(image[channel * 1024 + at]), oval[3 + channel]);
                        assert!((seen - said).abs() <= 2.0 + 0.15 * said, "{seen} {said}");
                    }
                }
                for at in (0..1024).filter(|at| (0..3).any(|c| image[c * 1024 + at] > 0)) {
                    let (x, y) = ((at % 32) as f32, (at / 32) as f32);
                    let within =
                        |oval: &&[f32]| (oval[0]..oval[0] + 8.0).contains(&x) && (oval[1]..oval[1] + 8.0).contains(&y);
                    assert!(boxes.iter().any(within));
                }
            }
        }
    }

    #[test]
    fn other_sizes_have_more_tiles_or_are_refused() {
        let large = generate(Msds::Msds1, 64, 1, 0, Part::Train).unwrap();
        let labels = large.labels().unwrap();
        assert_eq!(labels.columns(), 64 * 6);
        assert_eq!(labels.names()[6 * 63 + 2], "oval63.angle");
        let error = generate(Msds::Msds1, 36, 1, 0, Part::Train).unwrap_err().to_string();
        assert!(error.contains("36") && error.contains("multiple of 8"), "{error}");
        assert!(generate(Msds::Msds1, 0, 1, 0, Part::Train).is_err());
        assert!(generate(Msds::Msds1, 32, 0, 0, Part::Train).is_err());
        assert!(generate(Msds::Msds1, 32, usize::MAX / 4, 0, Part::Train).is_err());
    }
}
