//! The Laplacian pyramid (Burt & Adelson 1983): a picture as one band of detail for each scale, and what is left.

/// The smallest edge that is halved no further.
const SMALLEST: usize = 8;

/// One scale of a picture: planar, `[channels, edge, edge]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    /// Pixels along an edge.
    pub edge: usize,
    /// The values, in the picture's units.
    pub values: Vec<f32>,
}

/// The edges of a picture's bands, finest first: halved down to 8 pixels, or to an odd edge.
pub fn edges(size: usize) -> Vec<usize> {
    let half = |&edge: &usize| (edge > SMALLEST && edge % 2 == 0).then_some(edge / 2);
    std::iter::successors(Some(size), half).collect()
}

/// The bands of a planar picture, finest first. All but the last hold what the next coarser one does not say; upsampled
/// and summed they are the picture.
pub fn bands(picture: &[u8], size: usize) -> Vec<Band> {
    let mut current: Vec<f32> = picture.iter().map(|&v| f32::from(v)).collect();
    let edges = edges(size);
    let mut bands = Vec::with_capacity(edges.len());
    for pair in edges.windows(2) {
        let coarse = down(&current, pair[0]);
        let smooth = up(&coarse, pair[1]);
        let values = current.iter().zip(&smooth).map(|(fine, smooth)| fine - smooth).collect();
        bands.push(Band { edge: pair[0], values });
        current = coarse;
    }
    bands.push(Band { edge: edges.last().copied().unwrap_or(size), values: current });
    bands
}

/// The binomial kernel, of sum one.
const KERNEL: [f32; 5] = [1.0 / 16.0, 4.0 / 16.0, 6.0 / 16.0, 4.0 / 16.0, 1.0 / 16.0];

/// Smooths planes of an edge both ways, mirrored at the borders.
fn smooth(planes: &[f32], edge: usize) -> Vec<f32> {
    let last = edge as isize - 1;
    let mirrored = |i: isize| if i < 0 { -i } else { last - (i - last).abs() }.clamp(0, last) as usize;
    let pass = |source: &[f32], at: &dyn Fn(usize, usize) -> usize| -> Vec<f32> {
        let sum = |row: usize, col: usize| {
            (0..5).map(|k| KERNEL[k] * source[at(row, mirrored(col as isize + k as isize - 2))]).sum::<f32>()
        };
        (0..edge * edge).map(|i| sum(i / edge, i % edge)).collect()
    };
    let both = |plane: &[f32]| {
        let rows = pass(plane, &|row, col| row * edge + col);
        // The second pass runs down the columns; its result stands transposed.
        let columns = pass(&rows, &|row, col| col * edge + row);
        (0..edge * edge).map(move |i| columns[i % edge * edge + i / edge]).collect::<Vec<_>>()
    };
    planes.chunks_exact(edge * edge).flat_map(both).collect()
}

/// Smoothed, and every second pixel.
fn down(planes: &[f32], edge: usize) -> Vec<f32> {
    let half = edge / 2;
    let every_second =
        |plane: &[f32]| -> Vec<f32> { (0..half * half).map(|i| plane[i / half * 2 * edge + i % half * 2]).collect() };
    smooth(planes, edge).chunks_exact(edge * edge).flat_map(every_second).collect()
}

/// Twice the edge: pixels with zeros between them, smoothed and multiplied by four.
fn up(planes: &[f32], edge: usize) -> Vec<f32> {
    let double = 2 * edge;
    let apart = |plane: &[f32]| {
        let mut large = vec![0.0; double * double];
        plane.iter().enumerate().for_each(|(i, v)| large[i / edge * 2 * double + i % edge * 2] = 4.0 * v);
        large
    };
    let large: Vec<f32> = planes.chunks_exact(edge * edge).flat_map(apart).collect();
    smooth(&large, double)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(size: usize) -> Vec<u8> {
        (0..3 * size * size).map(|i| (i * 7919 % 251) as u8).collect()
    }

    #[test]
    fn edges_end_at_eight_or_at_an_odd_one() {
        assert_eq!(edges(32), [32, 16, 8]);
        assert_eq!(edges(64), [64, 32, 16, 8]);
        assert_eq!((edges(8), edges(4), edges(24), edges(36)), (vec![8], vec![4], vec![24, 12, 6], vec![36, 18, 9]));
    }

    #[test]
    fn the_bands_upsampled_and_summed_are_the_picture() {
        let picture = picture(32);
        let bands = bands(&picture, 32);
        let mut sum = bands[2].values.clone();
        for band in bands[..2].iter().rev() {
            sum = up(&sum, band.edge / 2).iter().zip(&band.values).map(|(a, b)| a + b).collect();
        }
        assert!(sum.iter().zip(&picture).all(|(a, &b)| (a - f32::from(b)).abs() < 1e-3));
    }

    #[test]
    fn a_flat_picture_has_no_detail() {
        let bands = bands(&[100; 3 * 256], 16);
        assert_eq!(bands.iter().map(|band| band.edge).collect::<Vec<_>>(), [16, 8]);
        assert!(bands[0].values.iter().all(|v| v.abs() < 1e-3), "{:?}", &bands[0].values[..4]);
        assert!(bands[1].values.iter().all(|v| (v - 100.0).abs() < 1e-3));
    }
}
