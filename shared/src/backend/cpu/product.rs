//! The three products of a linear, on strips.
//!
//! A general gemm packs its operands at every call, which for tiles of a few dozen rows costs a good part of the
//! product. In strips the rows are the vectors and the weights are broadcast: nothing needs packing, the bias is where
//! the sums start, and the weights' gradient is added where it belongs.

use pulp::{Scalar, Simd, WithSimd};

use super::strip::Lane;
use super::vectors::arch_for;

/// A linear's weights as used, a matrix of `inputs`×`outputs` inside a flat vector.
#[derive(Clone, Copy, Debug)]
pub struct Matrix {
    /// Where it starts.
    pub start: usize,
    /// Numbers in.
    pub inputs: usize,
    /// Numbers out.
    pub outputs: usize,
    /// Distance from the start of one input's weights to the next one's.
    pub stride: usize,
}

/// y = wᵀx + bias, on one strip.
pub fn apply<const N: usize>(theta: &[f32], w: Matrix, bias: &[f32], x: &[Lane<N>], y: &mut [Lane<N>]) {
    let (x, y) = (&x[..w.inputs], &mut y[..w.outputs]);
    arch_for::<N>().dispatch(Product { source: Columns { theta, w, bias }, x, y });
}

/// dx = w·dy, on one strip.
pub fn apply_transposed<const N: usize>(theta: &[f32], w: Matrix, dy: &[Lane<N>], dx: &mut [Lane<N>]) {
    let (dy, dx) = (&dy[..w.outputs], &mut dx[..w.inputs]);
    arch_for::<N>().dispatch(Product { source: Rows { theta, w }, x: dy, y: dx });
}

/// d_theta += x·dyᵀ, summed over all rows of all strips.
pub fn add_outer<const N: usize>(d_theta: &mut [f32], w: Matrix, x: &[Lane<N>], dy: &[Lane<N>]) {
    arch_for::<N>().dispatch(Outer { d_theta, w, x, dy });
}

/// Without an instruction that multiplies and adds at once, every product takes a register before it is added.
const SHORT_OF_REGISTERS: bool = cfg!(target_arch = "wasm32");

/// Where a product's terms come from.
trait Source {
    /// What the sums of results j .. j + M start from.
    fn start<const M: usize>(&self, j: usize) -> [f32; M];

    /// The factors of x[k] in results j .. j + M, as a function of k.
    fn factors<const M: usize>(&self, j: usize) -> impl Fn(usize) -> [f32; M];
}

struct Columns<'a> {
    theta: &'a [f32],
    w: Matrix,
    bias: &'a [f32],
}

impl Source for Columns<'_> {
    #[inline(always)]
    fn start<const M: usize>(&self, j: usize) -> [f32; M] {
        let mut start = [0.0; M];
        start.copy_from_slice(&self.bias[j..j + M]);
        start
    }

    #[inline(always)]
    fn factors<const M: usize>(&self, j: usize) -> impl Fn(usize) -> [f32; M] {
        let Matrix { start, stride, .. } = self.w;
        let from_here = &self.theta[start + j..];
        move |k| {
            let mut factors = [0.0; M];
            factors.copy_from_slice(&from_here[k * stride..][..M]);
            factors
        }
    }
}

struct Rows<'a> {
    theta: &'a [f32],
    w: Matrix,
}

impl Source for Rows<'_> {
    #[inline(always)]
    fn start<const M: usize>(&self, _: usize) -> [f32; M] {
        [0.0; M]
    }

    #[inline(always)]
    fn factors<const M: usize>(&self, j: usize) -> impl Fn(usize) -> [f32; M] {
        let Matrix { start, outputs, stride, .. } = self.w;
        let mut rows: [&[f32]; M] = [&[]; M];
        for (i, row) in rows.iter_mut().enumerate() {
            *row = &self.theta[start + (j + i) * stride..][..outputs];
        }
        move |k| {
            let mut factors = [0.0; M];
            for (factor, row) in factors.iter_mut().zip(&rows) {
                *factor = row[k];
            }
            factors
        }
    }
}

struct Product<'a, W, const N: usize> {
    source: W,
    x: &'a [Lane<N>],
    y: &'a mut [Lane<N>],
}

impl<W: Source, const N: usize> WithSimd for Product<'_, W, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // A block's sums must fit the registers, with some to spare, and be enough to hide the latency of an addition.
        match (self.y.len(), N / S::F32_LANES) {
            (_, 0) => self.blocks::<Scalar, 1, N>(Scalar),
            (2.., vectors) if SHORT_OF_REGISTERS && vectors.is_multiple_of(4) => self.blocks::<S, 2, 4>(simd),
            (6.., vectors) if vectors.is_multiple_of(2) => self.blocks::<S, 6, 2>(simd),
            (6.., _) => self.blocks::<S, 6, 1>(simd),
            _ => self.blocks::<S, 1, 1>(simd),
        }
    }
}

impl<W: Source, const N: usize> Product<'_, W, N> {
    /// All results, M of them and V vectors of rows at a time. The last block begins early rather than being smaller.
    #[inline(always)]
    fn blocks<S: Simd, const M: usize, const V: usize>(self, simd: S) {
        for v in (0..N / S::F32_LANES).step_by(V) {
            for j in (0..self.y.len()).step_by(M) {
                let j = j.min(self.y.len() - M);
                let factors = self.source.factors::<M>(j);
                let mut sums = [[simd.splat_f32s(0.0); V]; M];
                for (sums, start) in sums.iter_mut().zip(self.source.start::<M>(j)) {
                    *sums = [simd.splat_f32s(start); V];
                }
                for (k, x) in self.x.iter().enumerate() {
                    let x = &S::as_simd_f32s(&x.0).0[v..v + V];
                    let factors = factors(k);
                    for (sums, factor) in sums.iter_mut().zip(factors) {
                        let factor = simd.splat_f32s(factor);
                        for (sum, x) in sums.iter_mut().zip(x) {
                            *sum = simd.mul_add_e_f32s(factor, *x, *sum);
                        }
                    }
                }
                for (y, sums) in self.y[j..j + M].iter_mut().zip(sums) {
                    S::as_mut_simd_f32s(&mut y.0).0[v..v + V].copy_from_slice(&sums);
                }
            }
        }
    }
}

/// Outputs whose gradients are used for all inputs before the next ones are loaded.
const OUTPUTS: usize = 16;

struct Outer<'a, const N: usize> {
    d_theta: &'a mut [f32],
    w: Matrix,
    x: &'a [Lane<N>],
    dy: &'a [Lane<N>],
}

impl<const N: usize> WithSimd for Outer<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::F32_LANES > N {
            self.blocks::<Scalar, 1, 1>(Scalar);
        } else if S::F32_LANES >= 16 && self.w.inputs >= 4 && self.w.outputs >= 4 {
            // AVX-512 has 32 registers.
            self.blocks::<S, 4, 4>(simd);
        } else if SHORT_OF_REGISTERS && self.w.inputs >= 4 && self.w.outputs >= 2 {
            self.blocks::<S, 4, 2>(simd);
        } else if self.w.inputs >= 6 && self.w.outputs >= 2 {
            self.blocks::<S, 6, 2>(simd);
        } else {
            self.blocks::<S, 1, 1>(simd);
        }
    }
}

impl<const N: usize> Outer<'_, N> {
    /// All weights: some outputs with all inputs, then the next outputs, so that gradients stay in the nearest cache.
    #[inline(always)]
    fn blocks<S: Simd, const I: usize, const O: usize>(self, simd: S) {
        let Matrix { start, inputs, outputs, stride } = self.w;
        for group in (0..outputs).step_by(OUTPUTS) {
            let width = OUTPUTS.min(outputs - group);
            for first in (0..inputs).step_by(I) {
                // The last blocks begin early rather than being smaller, and leave out what is done.
                let at_in = first.min(inputs - I);
                let mut sums = [[0.0; OUTPUTS]; I];
                for at_out in (group..group + width).step_by(O).map(|at| at.min(outputs - O)) {
                    let block = self.block::<S, I, O>(simd, at_in, at_out);
                    for o in (0..O).filter(|o| at_out + o >= group) {
                        for (sums, block) in sums.iter_mut().zip(&block) {
                            sums[at_out + o - group] = block[o];
                        }
                    }
                }
                for (i, sums) in sums.iter().enumerate().skip(first - at_in) {
                    let row = &mut self.d_theta[start + (at_in + i) * stride + group..][..width];
                    row.iter_mut().zip(sums).for_each(|(weight, sum)| *weight += sum);
                }
            }
        }
    }

    /// The sums for I inputs and O outputs.
    #[inline(always)]
    fn block<S: Simd, const I: usize, const O: usize>(&self, simd: S, at_in: usize, at_out: usize) -> [[f32; O]; I] {
        let Matrix { inputs, outputs, .. } = self.w;
        let mut sums = [[simd.splat_f32s(0.0); O]; I];
        for (x, dy) in self.x.chunks_exact(inputs).zip(self.dy.chunks_exact(outputs)) {
            let (x, dy) = (&x[at_in..at_in + I], &dy[at_out..at_out + O]);
            for v in 0..N / S::F32_LANES {
                for (sums, x) in sums.iter_mut().zip(x) {
                    let x = S::as_simd_f32s(&x.0).0[v];
                    for (sum, dy) in sums.iter_mut().zip(dy) {
                        *sum = simd.mul_add_e_f32s(x, S::as_simd_f32s(&dy.0).0[v], *sum);
                    }
                }
            }
        }
        let mut totals = [[0.0; O]; I];
        for (totals, sums) in totals.iter_mut().zip(&sums) {
            for (total, sum) in totals.iter_mut().zip(sums) {
                *total = simd.reduce_sum_f32s(*sum);
            }
        }
        totals
    }
}

#[cfg(test)]
mod tests {
    use super::super::strip::{NARROW, WIDE};
    use super::*;
    use std::array::from_fn;

    fn numbers(len: usize, seed: usize) -> Vec<f32> {
        (0..len).map(|i| (((i + 1) * 7919 + seed * 104_729) % 1009) as f32 / 504.5 - 1.0).collect()
    }

    fn lanes<const N: usize>(len: usize, seed: usize) -> Vec<Lane<N>> {
        numbers(len * N, seed).chunks_exact(N).map(|lane| Lane(from_fn(|i| lane[i]))).collect()
    }

    /// The three products of a part of a linear, number by number, in f64.
    fn check<const N: usize>(inputs: usize, outputs: usize, strips: usize) {
        let w = Matrix { start: 5, inputs, outputs, stride: outputs + 3 };
        let len = w.start + inputs * w.stride;
        let (theta, bias) = (numbers(len, 1), numbers(outputs, 2));
        let weight = |i: usize, o: usize| theta[w.start + i * w.stride + o] as f64;
        let (x, dy) = (lanes::<N>(strips * inputs, 3), lanes::<N>(strips * outputs, 4));
        let close = |got: f32, want: f64| {
            assert!((got as f64 - want).abs() < 1e-5 * (1.0 + want.abs()), "{inputs} {outputs}: {got} {want}");
        };

        let (mut y, mut dx) = (lanes::<N>(outputs, 5), lanes::<N>(inputs, 6));
        apply(&theta, w, &bias, &x[..inputs], &mut y);
        apply_transposed(&theta, w, &dy[..outputs], &mut dx);
        for row in 0..N {
            for (o, y) in y.iter().enumerate() {
                let sum: f64 = x[..inputs].iter().enumerate().map(|(i, x)| weight(i, o) * x.0[row] as f64).sum();
                close(y.0[row], bias[o] as f64 + sum);
            }
            for (i, dx) in dx.iter().enumerate() {
                let sum = dy[..outputs].iter().enumerate().map(|(o, dy)| weight(i, o) * dy.0[row] as f64).sum();
                close(dx.0[row], sum);
            }
        }

        let before = numbers(len, 7);
        let mut d_theta = before.clone();
        add_outer(&mut d_theta, w, &x, &dy);
        let mut expected: Vec<f64> = before.iter().map(|&b| b as f64).collect();
        for (x, dy) in x.chunks_exact(inputs).zip(dy.chunks_exact(outputs)) {
            for (i, x) in x.iter().enumerate() {
                for (o, dy) in dy.iter().enumerate() {
                    let sum: f64 = x.0.iter().zip(&dy.0).map(|(x, dy)| *x as f64 * *dy as f64).sum();
                    expected[w.start + i * w.stride + o] += sum;
                }
            }
        }
        d_theta.iter().zip(expected).for_each(|(got, want)| close(*got, want));
    }

    #[test]
    fn products_agree_with_their_definition_at_every_width() {
        for (inputs, outputs) in [(1, 1), (2, 9), (5, 3), (6, 2), (7, 8), (24, 13), (9, 35), (12, 17)] {
            check::<WIDE>(inputs, outputs, 2);
            check::<NARROW>(inputs, outputs, 3);
        }
    }
}
