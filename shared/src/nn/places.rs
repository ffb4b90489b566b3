//! Where a block is: a few learned numbers for each place, which condition the couplings beside a block's own numbers.
//!
//! Blocks share their weights and see nothing but themselves. For data in which places have a meaning, such as aligned faces,
//! the nets of a stage with place features know which block they work on. A block's cone stays what it was.

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};

use crate::shape::StageShape;

/// The features of a stage's places.
///
/// Both halves of a row get them as further numbers, so that they are there whichever half conditions the other. No coupling
/// changes them: their scales are zero.
#[derive(Clone, Debug)]
pub struct Places<B: Backend> {
    /// `[blocks, features]`
    pub features: Tensor<B, 2>,
}

impl<B: Backend> Places<B> {
    /// Of some blocks alone, in this order.
    pub fn of(&self, blocks: &[usize]) -> Self {
        let blocks: Vec<i32> = blocks.iter().map(|&block| block as i32).collect();
        let blocks = Tensor::<B, 1, Int>::from_ints(blocks.as_slice(), &self.features.device());
        Self { features: self.features.clone().select(0, blocks) }
    }

    /// Puts the features into rows of all blocks, picture by picture.
    ///
    /// # Shapes
    /// - rows: `[batch · blocks, dim]`; output: `[batch · blocks, dim + 2 · features]`
    pub fn widen(&self, rows: Tensor<B, 2>) -> Tensor<B, 2> {
        let [n, dim] = rows.dims();
        let [blocks, features] = self.features.dims();
        let batch = n / blocks;
        let of_rows = self.features.clone().reshape([1, blocks, 1, features]).expand([batch, blocks, 2, features]);
        let rows = rows.reshape([batch, blocks, 2, dim / 2]);
        Tensor::cat(vec![rows, of_rows], 3).reshape([n, dim + 2 * features])
    }

    /// Takes the features out again.
    ///
    /// # Shapes
    /// - rows: `[n, dim + 2 · features]`; output: `[n, dim]`
    pub fn narrow(&self, rows: Tensor<B, 2>) -> Tensor<B, 2> {
        let ([n, wide], features) = (rows.dims(), self.features.dims()[1]);
        let half = wide / 2 - features;
        rows.reshape([n, 2, wide / 2]).narrow(2, 0, half).reshape([n, 2 * half])
    }

    /// [`Places::widen`] of the rows' tangents, along which no feature changes.
    ///
    /// # Shapes
    /// - tangents: `[n, k, dim]`; output: `[n, k, dim + 2 · features]`
    pub fn widen_tangents(&self, tangents: Tensor<B, 3>) -> Tensor<B, 3> {
        let ([n, k, dim], features) = (tangents.dims(), self.features.dims()[1]);
        let zeros = Tensor::zeros([n, k, 2, features], &tangents.device());
        Tensor::cat(vec![tangents.reshape([n, k, 2, dim / 2]), zeros], 3).reshape([n, k, dim + 2 * features])
    }

    /// [`Places::narrow`] of the rows' tangents.
    ///
    /// # Shapes
    /// - tangents: `[n, k, dim + 2 · features]`; output: `[n, k, dim]`
    pub fn narrow_tangents(&self, tangents: Tensor<B, 3>) -> Tensor<B, 3> {
        let [n, k, wide] = tangents.dims();
        let rows = self.narrow(tangents.reshape([n * k, wide]));
        let dim = rows.dims()[1];
        rows.reshape([n, k, dim])
    }
}

/// The couplings' scales, zero where they would change a feature.
///
/// # Shapes
/// - scale, output: `[nets, outputs]`
pub fn spare<B: Backend>(scale: Tensor<B, 2>, shape: &StageShape) -> Tensor<B, 2> {
    let (half, own) = (shape.couplings.half(), shape.dim / 2);
    let keep: Vec<f32> = (0..shape.couplings.outputs()).map(|o| f32::from(u8::from(o % half < own))).collect();
    let keep = Tensor::<B, 1>::from_floats(keep.as_slice(), &scale.device());
    scale * keep.unsqueeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;

    #[test]
    fn features_stand_at_the_end_of_both_halves() {
        let device = Default::default();
        let places = Places { features: Tensor::<Flex, 2>::from_floats([[0.1], [0.2]], &device) };
        let rows = Tensor::<Flex, 1, Int>::arange(0..16, &device).float().reshape([4, 4]);
        let wide: Vec<f32> = places.widen(rows.clone()).into_data().to_vec().unwrap();
        assert_eq!(wide[..12], [0.0, 1.0, 0.1, 2.0, 3.0, 0.1, 4.0, 5.0, 0.2, 6.0, 7.0, 0.2]);
        assert_eq!(wide[12..15], [8.0, 9.0, 0.1]);
        let back = places.narrow(places.widen(rows.clone()));
        assert_eq!(back.into_data(), rows.clone().into_data());
        let second = places.of(&[1]).widen(rows.clone().narrow(0, 0, 1));
        assert_eq!(second.into_data().to_vec::<f32>().unwrap(), [0.0, 1.0, 0.2, 2.0, 3.0, 0.2]);
        let tangents = rows.reshape([2, 2, 4]);
        let wide = places.widen_tangents(tangents.clone());
        assert_eq!(wide.clone().into_data().to_vec::<f32>().unwrap()[..6], [0.0, 1.0, 0.0, 2.0, 3.0, 0.0]);
        assert_eq!(places.narrow_tangents(wide).into_data(), tangents.into_data());
    }
}
