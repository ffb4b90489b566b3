//! A tile: some rows of activations as one matrix, multiplied by Flex's gemm.

use burn::tensor::ops::FloatTensorOps;
use burn::tensor::{Bytes, DType, Shape};
use burn_flex::{Flex, FlexTensor, Layout};

/// A row-major matrix that owns its numbers.
pub struct Tile {
    tensor: FlexTensor,
}

impl Tile {
    /// From `rows`·`cols` numbers.
    pub fn new(values: Vec<f32>, rows: usize, cols: usize) -> Self {
        Self {
            tensor: FlexTensor::new(
                Bytes::from_elems(values),
                Layout::contiguous(Shape::new([rows, cols])),
                DType::F32,
            ),
        }
    }

    /// All zero.
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Self::new(vec![0.0; rows * cols], rows, cols)
    }

    /// All numbers, row by row.
    pub fn values(&self) -> &[f32] {
        self.tensor.storage()
    }

    /// All numbers, to change them.
    pub fn values_mut(&mut self) -> &mut [f32] {
        self.tensor.storage_mut()
    }

    /// self · weights, where `weights` may be any view.
    pub fn matmul(&self, weights: FlexTensor) -> Self {
        Self { tensor: Flex::float_matmul(self.tensor.clone(), weights) }
    }

    /// selfᵀ · other.
    pub fn transposed_matmul(&self, other: &Self) -> Self {
        let layout = self.tensor.layout().transpose(0, 1);
        Self { tensor: Flex::float_matmul(self.tensor.clone().with_layout(layout), other.tensor.clone()) }
    }
}

/// A window of a flat vector seen as a matrix: `rows`×`cols`, with the given strides.
pub fn window(
    flat: &FlexTensor,
    start: usize,
    [rows, cols]: [usize; 2],
    [row_stride, col_stride]: [usize; 2],
) -> FlexTensor {
    let layout = Layout::new(Shape::new([rows, cols]), vec![row_stride as isize, col_stride as isize], start);
    FlexTensor::from_arc(flat.data_arc(), layout, DType::F32)
}
