//! Rows in strips: one number of many rows side by side, so that vector instructions work across rows and a row's
//! length is free.

use std::ops::Range;

use pulp::Simd;

/// Rows of a wide strip, for many rows: four vectors of AVX-512, eight of AVX2, sixteen of wasm's.
pub const WIDE: usize = 64;
/// Rows of a narrow strip, for few rows: one vector of AVX2.
pub const NARROW: usize = 8;

/// One number of each of N rows. On x86 it begins on a cache line, so that no vector lies on two: 1.05 times as fast with
/// AVX-512.
#[derive(Clone, Copy)]
#[cfg_attr(target_arch = "x86_64", repr(align(64)))]
#[cfg_attr(not(target_arch = "x86_64"), repr(align(32)))]
pub struct Lane<const N: usize>(pub [f32; N]);

impl<const N: usize> Lane<N> {
    /// All zero.
    pub const ZERO: Self = Self([0.0; N]);
}

/// A lane's vectors: [`arch_for`](super::vectors::arch_for) chooses such that nothing is left over.
#[inline(always)]
pub fn vectors<S: Simd, const N: usize>(lane: &Lane<N>) -> &[S::f32s] {
    S::as_simd_f32s(&lane.0).0
}

/// The same, to be changed.
#[inline(always)]
pub fn vectors_mut<S: Simd, const N: usize>(lane: &mut Lane<N>) -> &mut [S::f32s] {
    S::as_mut_simd_f32s(&mut lane.0).0
}

/// The numbers of all strips: for each strip one lane for each column.
pub type Lanes<const N: usize> = Vec<Lane<N>>;

/// Some columns of rows of `dim` numbers, in strips; the last strip is filled up with zeros.
pub fn gather<const N: usize>(rows: &[f32], dim: usize, columns: Range<usize>) -> Lanes<N> {
    let mut lanes = Vec::with_capacity(rows.len() / dim * columns.len() / N + columns.len());
    for rows in rows.chunks(N * dim) {
        for column in columns.clone() {
            let mut lane = Lane::ZERO;
            for (number, row) in lane.0.iter_mut().zip(rows.chunks_exact(dim)) {
                *number = row[column];
            }
            lanes.push(lane);
        }
    }
    lanes
}

/// The inverse of [`gather`]: writes the columns into rows of `dim` numbers.
pub fn scatter<const N: usize>(lanes: &[Lane<N>], rows: &mut [f32], dim: usize, columns: Range<usize>) {
    for (rows, lanes) in rows.chunks_mut(N * dim).zip(lanes.chunks_exact(columns.len())) {
        for (column, lane) in columns.clone().zip(lanes) {
            for (number, row) in lane.0.iter().zip(rows.chunks_exact_mut(dim)) {
                row[column] = *number;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_from_their_strips() {
        let rows: Vec<f32> = (0..11 * 6).map(|i| i as f32).collect();
        let lanes = gather::<NARROW>(&rows, 6, 2..5);
        assert_eq!(lanes.len(), 2 * 3);
        // Column 3 of row 1, and of row 9 in the second strip; there is no row 11.
        assert_eq!((lanes[1].0[1], lanes[4].0[1], lanes[4].0[3]), (9.0, 57.0, 0.0));
        let mut back = vec![-1.0; rows.len()];
        scatter(&lanes, &mut back, 6, 2..5);
        let expected = |i: usize| if (2..5).contains(&(i % 6)) { i as f32 } else { -1.0 };
        assert!(back.iter().enumerate().all(|(i, &x)| x == expected(i)));
    }
}
