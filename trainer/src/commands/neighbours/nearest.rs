//! Nearest training images.

use rayon::prelude::*;

use crate::progress::Progress;

/// Root-mean-square distance of each picture, of 255, to the nearest of `others`, and which that is. Mirrored pictures
/// count as the same, since training mirrors.
pub fn nearest(pictures: &[u8], others: &[u8], dims: usize, edge: usize) -> Vec<(f64, usize)> {
    let progress = Progress::new("images compared", pictures.len() / dims);
    pictures
        .par_chunks_exact(dims)
        .map(|picture| {
            let mut mirrored = picture.to_vec();
            mirrored.chunks_exact_mut(edge).for_each(<[u8]>::reverse);
            let squared = |other: &[u8]| distance(picture, other).min(distance(&mirrored, other));
            let best = others.chunks_exact(dims).map(squared).enumerate().min_by_key(|&(_, d)| d);
            progress.add(1);
            best.map_or((f64::INFINITY, 0), |(i, d)| ((d as f64 / dims as f64).sqrt(), i))
        })
        .collect()
}

fn distance(a: &[u8], b: &[u8]) -> u64 {
    // A row at a time in 32 bits, which vectorises and cannot overflow.
    let row = |(a, b): (&[u8], &[u8])| {
        u64::from(a.iter().zip(b).map(|(&a, &b)| u32::from(a.abs_diff(b)).pow(2)).sum::<u32>())
    };
    a.chunks(1024).zip(b.chunks(1024)).map(row).sum()
}

/// The value below which a share of the distances lies.
pub fn quantile(distances: &[(f64, usize)], share: f64) -> f64 {
    let mut sorted: Vec<f64> = distances.iter().map(|d| d.0).collect();
    sorted.sort_by(f64::total_cmp);
    let at = (share * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_and_mirrored_copies_are_found() {
        let others: Vec<u8> = (0..3 * 12).map(|i| (i * 37 % 256) as u8).collect();
        let copy = others[12..24].to_vec();
        let mirrored: Vec<u8> = copy.chunks(2).flat_map(|row| [row[1], row[0]]).collect();
        let off: Vec<u8> = copy.iter().map(|v| v.saturating_sub(3)).collect();
        let found = nearest(&[copy, mirrored, off].concat(), &others, 12, 2);
        assert_eq!(found[..2], [(0.0, 1), (0.0, 1)]);
        assert!(found[2].1 == 1 && found[2].0 > 1.0 && found[2].0 <= 3.0, "{found:?}");
    }

    #[test]
    fn quantiles_are_of_the_sorted_distances() {
        let distances = [(3.0, 0), (1.0, 0), (2.0, 0)];
        assert_eq!([0.0, 0.5, 1.0].map(|q| quantile(&distances, q)), [1.0, 2.0, 3.0]);
    }
}
