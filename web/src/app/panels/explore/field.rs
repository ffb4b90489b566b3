//! The outline of a receptive field.

/// Where a field is stronger than its mean over the pixels that it reaches. A tint would hide the picture's colours,
/// which are what coarse latents change.
///
/// A coarse latent's field has the grain of the picture, which would fray the outline: it is averaged over the distance
/// `radius` first.
pub(super) fn strong(field: &[f32], size: usize, radius: usize) -> Vec<(usize, usize)> {
    let reached = field.iter().filter(|value| **value > 0.0).count();
    let mean = field.iter().sum::<f32>() / reached.max(1) as f32;
    let near = |x: usize| x.saturating_sub(radius)..(x + radius + 1).min(size);
    let average = |row: usize, col: usize| {
        let around = near(row).flat_map(|r| near(col).map(move |c| field[r * size + c]));
        around.sum::<f32>() / (near(row).len() * near(col).len()) as f32
    };
    let places = (0..field.len()).map(|i| (i / size, i % size));
    places.filter(|&(row, col)| field[row * size + col] > 0.0 && average(row, col) > mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_outlined_where_it_is_strong_without_its_grain() {
        assert_eq!(strong(&[0.0, 0.5, 0.2, 1.0, 0.0, 0.0, 0.0, 0.6, 0.0], 3, 0), [(1, 0), (2, 1)]);
        // A dark spot within a bright square, and a bright one in the dark.
        let mut field = [0.1; 64];
        (0..16).for_each(|i| field[(i / 4) * 8 + i % 4] = 1.0);
        (field[9], field[54]) = (0.2, 0.9);
        let places = strong(&field, 8, 1);
        assert!(places.contains(&(1, 1)) && !places.contains(&(6, 6)), "{places:?}");
        assert!(strong(&field, 8, 0).contains(&(6, 6)));
    }
}
