//! The holes that methods are compared on.

/// Their names, and top, left, bottom and right as shares of the image's edge.
pub const HOLES: [(&str, [f32; 4]); 5] = [
    ("left-half", [0.0, 0.0, 1.0, 0.5]),
    ("lower-half", [0.5, 0.0, 1.0, 1.0]),
    ("centre", [0.344, 0.344, 0.656, 0.656]),
    ("eyes", [0.281, 0.125, 0.469, 0.844]),
    ("mouth", [0.625, 0.281, 0.844, 0.719]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use shared::edit::inpaint::Mask;

    #[test]
    fn the_holes_are_the_same_share_of_every_size() {
        for size in [32, 64, 128] {
            for (name, shares) in HOLES {
                let share = Mask::region(size, shares).unwrap().pixels().len() as f32 / (size * size) as f32;
                let area = (shares[2] - shares[0]) * (shares[3] - shares[1]);
                assert!((share / area - 1.0).abs() < 0.15, "{name} of {size}: {share}");
            }
        }
    }
}
