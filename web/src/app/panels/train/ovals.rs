//! Some of the ovals that there are to learn from.

use std::rc::Rc;

use shared::msds::{Msds, Part, TILE};

use crate::protocol::{Image, TRAINING_EDGE};

/// As many as there are places for them.
const COUNT: u64 = 16;

/// The ovals.
pub fn some() -> Vec<Rc<Image>> {
    let (edge, tiles) = (TRAINING_EDGE as usize, TRAINING_EDGE as usize / TILE);
    let picture = |i| {
        let planar = Msds::Msds1.picture(tiles, 0, Part::Train, i);
        let pixel = |at: usize| [planar[at], planar[edge * edge + at], planar[2 * edge * edge + at], u8::MAX];
        Rc::new(Image { size: TRAINING_EDGE, rgba: (0..edge * edge).flat_map(pixel).collect::<Vec<u8>>().into() })
    };
    (0..COUNT).map(picture).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_a_picture_of_colours_on_black() {
        for image in some() {
            assert_eq!((image.size, image.rgba.len()), (32, 4096));
            let dark = image.rgba.chunks(4).filter(|pixel| pixel[..3] == [0, 0, 0]).count();
            assert!((100..900).contains(&dark), "{dark}");
        }
    }
}
