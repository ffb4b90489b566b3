//! Numbers from a device. Reading from a GPU is a wait, so whatever is wanted at one time is read together.

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, Transaction};

/// The numbers of some tensors, in their order. The CPU answers at once; for a GPU's answer a native program may block
/// ([`burn::tensor::read_sync`]), and a browser has to wait.
///
/// # Panics
/// If the device fails, as Burn's own reading does.
pub async fn numbers<B: Backend>(tensors: impl IntoIterator<Item = Tensor<B, 1>>) -> Vec<Vec<f32>> {
    let mut tensors = tensors.into_iter().peekable();
    if tensors.peek().is_none() {
        return Vec::new();
    }
    let transaction = tensors.fold(Transaction::default(), Transaction::register);
    match transaction.execute_async().await {
        Ok(read) => read.into_iter().map(|data| data.iter::<f32>().collect()).collect(),
        Err(error) => panic!("reading from the device failed: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::{Autodiff, Flex};
    use burn::tensor::read_sync;

    #[test]
    fn tensors_are_read_in_their_order() {
        let device = Default::default();
        let tensors =
            [[1.0, 2.0].as_slice(), &[3.0], &[]].map(|of| Tensor::<Autodiff<Flex>, 1>::from_data(of, &device));
        assert_eq!(read_sync(numbers(tensors)), [vec![1.0, 2.0], vec![3.0], vec![]]);
        assert!(read_sync(numbers::<Flex>([])).is_empty());
    }
}
