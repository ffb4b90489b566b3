//! Convolutions on maps of features: plain loops over vectors of four numbers.

use wide::f32x4;

/// Numbers in a vector.
const LANES: usize = 4;
/// Vectors of output channels that are summed at once, in registers.
const BLOCK: usize = 4;

/// Features on a grid of places, row by row, all channels of a place side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// Places in a column.
    pub height: usize,
    /// Places in a row.
    pub width: usize,
    /// Features of a place.
    pub channels: usize,
    /// The features.
    pub data: Vec<f32>,
}

/// A matrix [inputs, outputs] that is applied to the features of each place, and a bias [outputs].
#[derive(Clone, Debug)]
pub struct Dense {
    inputs: usize,
    outputs: usize,
    /// For each block of outputs, input by input; what is missing in the last block is 0.
    weights: Vec<[f32x4; BLOCK]>,
    bias: Vec<[f32x4; BLOCK]>,
}

/// A 3×3 filter for each channel, [3, 3, channels].
#[derive(Clone, Debug)]
pub struct Depthwise(pub Vec<f32>);

/// What surrounds a map, in places, before it is filtered.
#[derive(Clone, Copy, Debug)]
pub struct Padding {
    /// Above and to the left.
    pub before: usize,
    /// Below and to the right.
    pub after: usize,
}

impl Padding {
    /// None.
    pub const NONE: Self = Self { before: 0, after: 0 };
    /// One place on all sides.
    pub const ALL: Self = Self { before: 1, after: 1 };
    /// What a 3×3 filter in steps of two takes to halve an even edge.
    pub const HALVING: Self = Self { before: 0, after: 1 };
}

impl Dense {
    /// From a matrix, row by row, and its bias.
    pub fn new(matrix: &[f32], bias: &[f32]) -> Self {
        let outputs = bias.len();
        let inputs = matrix.len() / outputs.max(1);
        let blocks = outputs.div_ceil(LANES * BLOCK);
        let block = |row: &[f32], block: usize| {
            std::array::from_fn(|vector| {
                let first = (block * BLOCK + vector) * LANES;
                f32x4::from(std::array::from_fn(|lane| row.get(first + lane).copied().unwrap_or(0.0)))
            })
        };
        let row = |input: usize| &matrix[input * outputs..][..outputs];
        Self {
            inputs,
            outputs,
            weights: (0..blocks).flat_map(|b| (0..inputs).map(move |input| block(row(input), b))).collect(),
            bias: (0..blocks).map(|b| block(bias, b)).collect(),
        }
    }

    /// Applies it to what each of so many places sees: parts of equal length, one after the other.
    fn run<'a, const PARTS: usize>(&self, places: usize, see: impl Fn(usize) -> [&'a [f32]; PARTS], out: &mut [f32]) {
        for (block, bias) in self.bias.iter().enumerate() {
            let weights = &self.weights[block * self.inputs..][..self.inputs];
            let first = block * BLOCK * LANES;
            let last = (first + BLOCK * LANES).min(self.outputs);
            for place in (0..places).step_by(2) {
                // Two places at once, so that a weight is read once for both.
                let (one, two) = (see(place), see((place + 1).min(places - 1)));
                let mut sums = [*bias; 2];
                let parts = weights.chunks_exact(self.inputs / PARTS);
                for ((weights, one), two) in parts.zip(one).zip(two) {
                    for ((weight, &one), &two) in weights.iter().zip(one).zip(two) {
                        add(&mut sums[0], weight, one);
                        add(&mut sums[1], weight, two);
                    }
                }
                for (out, sums) in out[place * self.outputs..].chunks_mut(self.outputs).zip(&sums) {
                    store(&mut out[first..last], sums);
                }
            }
        }
    }

    /// The features of one place, or a vector.
    pub fn apply(&self, input: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; self.outputs];
        self.run(1, |_| [input], &mut out);
        out
    }
}

#[inline(always)]
fn add(sums: &mut [f32x4; BLOCK], weights: &[f32x4; BLOCK], input: f32) {
    let input = f32x4::splat(input);
    for (sum, &weight) in sums.iter_mut().zip(weights) {
        *sum += weight * input;
    }
}

/// Writes as many sums as are wanted. In pieces of known length: in wasm, copying any other is a call.
#[inline(always)]
fn store(out: &mut [f32], sums: &[f32x4; BLOCK]) {
    let (whole, rest) = out.as_chunks_mut();
    let mut sums = sums.iter().map(|sum| sum.to_array());
    for (out, sum) in whole.iter_mut().zip(sums.by_ref()) {
        *out = sum;
    }
    if let Some(sum) = sums.next() {
        rest.iter_mut().zip(sum).for_each(|(out, value)| *out = value);
    }
}

impl Map {
    /// All 0.
    pub fn new(height: usize, width: usize, channels: usize) -> Self {
        Self { height, width, channels, data: vec![0.0; height * width * channels] }
    }

    fn row(&self, row: usize) -> &[f32] {
        let length = self.width * self.channels;
        &self.data[row * length..][..length]
    }

    /// With 0 around it.
    fn padded(&self, padding: Padding) -> Self {
        let around = padding.before + padding.after;
        let mut out = Self::new(self.height + around, self.width + around, self.channels);
        let length = self.width * self.channels;
        for row in 0..self.height {
            let start = ((row + padding.before) * out.width + padding.before) * self.channels;
            out.data[start..start + length].copy_from_slice(self.row(row));
        }
        out
    }

    /// A 1×1 convolution.
    pub fn pointwise(&self, dense: &Dense) -> Self {
        let mut out = Self::new(self.height, self.width, dense.outputs);
        let place = |place: usize| [&self.data[place * self.channels..][..self.channels]];
        dense.run(self.height * self.width, place, &mut out.data);
        out
    }

    /// A 3×3 convolution in steps of `stride`; the matrix has a row for each place of the filter and channel.
    pub fn convolved(&self, dense: &Dense, padding: Padding, stride: usize) -> Self {
        let map = self.padded(padding);
        let mut out = Self::new((map.height - 3) / stride + 1, (map.width - 3) / stride + 1, dense.outputs);
        let (width, length) = (out.width, 3 * map.channels);
        for (y, out) in out.data.chunks_exact_mut(width * dense.outputs).enumerate() {
            let rows = map.three_rows(y * stride);
            dense.run(width, |x| rows.map(|row| &row[x * stride * map.channels..][..length]), out);
        }
        out
    }

    /// A 3×3 filter for each channel, in steps of `stride`. Channels come in fours.
    pub fn filtered(&self, filter: &Depthwise, padding: Padding, stride: usize) -> Self {
        let map = self.padded(padding);
        let mut out = Self::new((map.height - 3) / stride + 1, (map.width - 3) / stride + 1, map.channels);
        let (width, count, filter) = (out.width, map.channels / LANES, vectors(&filter.0));
        for (y, out) in out.data.chunks_exact_mut(width * map.channels).enumerate() {
            let (out, rows) = (out.as_chunks_mut().0, map.three_rows(y * stride).map(vectors));
            for vector in 0..count {
                let weights: [f32x4; 9] = std::array::from_fn(|i| f32x4::from(filter[i * count + vector]));
                for x in 0..width {
                    let mut sum = f32x4::ZERO;
                    for (row, weights) in rows.iter().zip(weights.as_chunks::<3>().0) {
                        for (dx, &weight) in weights.iter().enumerate() {
                            sum += weight * f32x4::from(row[(x * stride + dx) * count + vector]);
                        }
                    }
                    out[x * count + vector] = sum.to_array();
                }
            }
        }
        out
    }

    fn three_rows(&self, first: usize) -> [&[f32]; 3] {
        std::array::from_fn(|dy| self.row(first + dy))
    }

    /// The largest of each 2×2 places, in steps of `stride`; beyond the edge there is nothing. Channels come in fours.
    pub fn pooled(&self, stride: usize) -> Self {
        let mut out = Self::new(self.height.div_ceil(stride), self.width.div_ceil(stride), self.channels);
        let (width, count) = (out.width, self.channels / LANES);
        for (y, out) in out.data.chunks_exact_mut(width * self.channels).enumerate() {
            let [upper, lower] = [0, 1].map(|dy| vectors(self.row((y * stride + dy).min(self.height - 1))));
            for (i, out) in out.as_chunks_mut().0.iter_mut().enumerate() {
                let (x, vector) = (i / count * stride, i % count);
                let columns = [x, (x + 1).min(self.width - 1)].map(|x| x * count + vector);
                let [left, right] = columns.map(|at| f32x4::from(upper[at]).fast_max(f32x4::from(lower[at])));
                *out = left.fast_max(right).to_array();
            }
        }
        out
    }

    /// The mean of all places.
    pub fn mean(&self) -> Vec<f32> {
        let mut sum = vec![0.0; self.channels];
        for place in self.data.chunks_exact(self.channels) {
            sum.iter_mut().zip(place).for_each(|(sum, value)| *sum += value);
        }
        sum.iter().map(|sum| sum / (self.height * self.width) as f32).collect()
    }

    /// Right and left exchanged.
    pub fn mirrored(&self) -> Self {
        let mut out = self.clone();
        let length = self.width * self.channels;
        for (out, row) in out.data.chunks_exact_mut(length).zip(self.data.chunks_exact(length)) {
            for (out, place) in out.chunks_exact_mut(self.channels).zip(row.chunks_exact(self.channels).rev()) {
                out.copy_from_slice(place);
            }
        }
        out
    }

    /// Adds another map of this size.
    pub fn add(&mut self, other: &Self) {
        self.data.iter_mut().zip(&other.data).for_each(|(a, b)| *a += b);
    }

    /// Values below 0 become `slope` times as large.
    pub fn rectify(&mut self, slope: f32) {
        let (vectors, rest) = self.data.as_chunks_mut();
        for vector in vectors {
            let values = f32x4::from(*vector);
            *vector = values.fast_max(values * slope).to_array();
        }
        rest.iter_mut().for_each(|value| *value = value.max(slope * *value));
    }
}

/// Numbers, in vectors.
fn vectors(numbers: &[f32]) -> &[[f32; LANES]] {
    numbers.as_chunks().0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A map whose numbers are 0, 1, 2…
    fn counted(height: usize, width: usize, channels: usize) -> Map {
        let data = (0..height * width * channels).map(|i| i as f32).collect();
        Map { height, width, channels, data }
    }

    #[test]
    fn a_matrix_is_applied_to_each_place() {
        // Three places, so that one has no partner; 18 outputs, so that the last block is not full.
        let (map, outputs) = (counted(1, 3, 2), 18);
        let matrix: Vec<f32> = (0..2 * outputs).map(|i| i as f32).collect();
        let bias: Vec<f32> = (0..outputs).map(|i| 100.0 * i as f32).collect();
        let out = map.pointwise(&Dense::new(&matrix, &bias));
        for (place, input) in out.data.chunks(outputs).zip(map.data.chunks(2)) {
            for (o, value) in place.iter().enumerate() {
                let (o, first, second) = (o as f32, o as f32, (o + outputs) as f32);
                assert_eq!(*value, 100.0 * o + input[0] * first + input[1] * second);
            }
        }
    }

    #[test]
    fn a_convolution_is_the_sum_over_its_neighbourhood() {
        let (map, ones) = (counted(4, 4, 4), Dense::new(&[1.0; 36], &[0.5]));
        let row = |y: usize, x: usize| map.data[y * 16 + x * 4..][..12].iter().sum::<f32>();
        let whole = |y: usize, x: usize| (y..y + 3).map(|y| row(y, x)).sum::<f32>();
        let out = map.convolved(&ones, Padding::NONE, 1);
        assert_eq!((out.height, out.width), (2, 2));
        assert_eq!(out.data, [whole(0, 0), whole(0, 1), whole(1, 0), whole(1, 1)].map(|sum| sum + 0.5));
        // Steps of two halve an even edge, and the filters of channels do not mix them.
        let out = map.filtered(&Depthwise(vec![1.0; 36]), Padding::HALVING, 2);
        let of = |c: usize| -> f32 { (0..3).flat_map(|y| (0..3).map(move |x| (16 * y + 4 * x + c) as f32)).sum() };
        assert_eq!((out.height, out.width), (2, 2));
        assert_eq!(out.data[..4], [of(0), of(1), of(2), of(3)]);
    }

    #[test]
    fn pooling_takes_the_largest_and_mirroring_the_other_side() {
        let in_fours =
            |places: &[f32]| -> Vec<f32> { places.iter().flat_map(|&value| [value, 0.0, -value, 1.0]).collect() };
        let map = Map { channels: 4, data: in_fours(&counted(3, 3, 1).data), ..counted(3, 3, 1) };
        let firsts = |map: Map| map.data.chunks(4).map(|place| (place[0], place[2])).collect::<Vec<_>>();
        assert_eq!(firsts(map.pooled(2)), [(4.0, 0.0), (5.0, -2.0), (7.0, -6.0), (8.0, -8.0)]);
        assert_eq!(firsts(map.pooled(1))[..4], [(4.0, 0.0), (5.0, -1.0), (5.0, -2.0), (7.0, -3.0)]);
        let map = counted(3, 3, 1);
        assert_eq!(map.mirrored().data, [2.0, 1.0, 0.0, 5.0, 4.0, 3.0, 8.0, 7.0, 6.0]);
        assert_eq!(map.mean(), [4.0]);
        // Five numbers: a vector and one over.
        let mut low = Map { height: 1, width: 5, channels: 1, data: vec![-2.0, 2.0, 0.0, -1.0, -3.0] };
        low.rectify(0.5);
        assert_eq!(low.data, [-1.0, 2.0, 0.0, -0.5, -1.5]);
    }
}
