//! Steps that several workers take together: each finds the gradient of its share of the pictures, the run's worker sums
//! them, and all take the same step, so that the others' replicas stay equal to the run.

use burn::tensor::{Tensor, TensorData};
use burn_flex::Flex;
use shared::train::{Share, parts};

use super::Training;
use super::kept::{floats, le_bytes};
use crate::error::{Error, Result};

/// Some of the pictures of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which of the step's pictures the first is.
    pub first: u32,
    /// The pictures, one after the other, planar.
    pub pixels: Vec<u8>,
}

/// What is summed in a step, beginning with the share of the run's own worker.
pub struct Sum {
    own: Share<Flex>,
    numbers: Vec<f32>,
}

impl Sum {
    /// Adds what another worker answered.
    ///
    /// # Errors
    /// [`Error::Learning`] if it is not as many numbers, or not finite; the sum stays as it was.
    pub fn add(&mut self, answer: &[u8]) -> Result<()> {
        let numbers = floats(answer).filter(|numbers| numbers.len() == self.numbers.len());
        let numbers = numbers.ok_or_else(|| Error::Learning("a share’s gradient is damaged".to_owned()))?;
        self.numbers.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number);
        Ok(())
    }

    /// The sum as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        le_bytes(&self.numbers)
    }
}

impl Training<Flex> {
    /// The pictures of the next step, in so many parts.
    pub fn parts(&mut self, count: usize) -> Vec<Part> {
        let (pixels, dims) = (self.pixels(), self.config.dims());
        let part = |range: std::ops::Range<usize>| Part {
            first: range.start as u32,
            pixels: pixels[range.start * dims..range.end * dims].to_vec(),
        };
        parts(self.recipe.batch, count).map(part).collect()
    }

    /// The run's own share of the next step, to which the others' are added.
    ///
    /// # Errors
    /// [`Error::Learning`] if its numbers cannot be read.
    pub async fn own_share(&self, part: Part) -> Result<Sum> {
        let own = self.share(part.first as usize, part.pixels).await;
        let numbers = numbers(self, &own)?;
        Ok(Sum { own, numbers })
    }

    /// Takes a step with the sum of all shares.
    ///
    /// # Errors
    /// As [`Training::step`].
    pub async fn take_sum(self, sum: Sum) -> (Self, Result<()>) {
        let Sum { own, numbers } = sum;
        let whole = own.with(&self.model, tensor(numbers));
        self.settle(whole).await
    }
}

/// The run as another worker has it.
pub struct Replica {
    pub(super) run: Training<Flex>,
    /// What it found last, and how many numbers that is, until it hears the sum.
    share: Option<(Share<Flex>, usize)>,
}

impl Replica {
    /// From [`Training::without_pictures`].
    ///
    /// # Errors
    /// As [`Training::from_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Ok(Self { run: Training::from_bytes(bytes, Default::default())?, share: None })
    }

    /// Its share of a step, as bytes.
    ///
    /// # Errors
    /// [`Error::Learning`] if it stands before another step, or these are no pictures.
    pub async fn share(&mut self, step: u64, part: Part) -> Result<Vec<u8>> {
        let batch = self.run.recipe.batch * self.run.config.dims();
        let len = part.pixels.len();
        if step != self.run.step || len == 0 || len > batch || !len.is_multiple_of(self.run.config.dims()) {
            return Err(apart());
        }
        let share = self.run.share(part.first as usize, part.pixels).await;
        let numbers = numbers(&self.run, &share)?;
        self.share = Some((share, numbers.len()));
        Ok(le_bytes(&numbers))
    }

    /// Takes the step with the sum of all shares, at this learning rate.
    ///
    /// # Errors
    /// [`Error::Learning`] if it has no share in it, or these are not its numbers; and as [`Training::step`].
    pub async fn settle(mut self, rate: f64, sum: &[u8]) -> Result<Self> {
        let (share, len) = self.share.take().ok_or_else(apart)?;
        let numbers = floats(sum).filter(|numbers| numbers.len() == len).ok_or_else(apart)?;
        self.run.set_rate(rate);
        let whole = share.with(&self.run.model, tensor(numbers));
        let (run, taken) = self.run.settle(whole).await;
        taken?;
        Ok(Self { run, share: None })
    }
}

/// Loss and gradient of a share, as numbers.
fn numbers(run: &Training<Flex>, share: &Share<Flex>) -> Result<Vec<f32>> {
    let numbers = share.flat(&run.model).into_data().to_vec();
    numbers.map_err(|e| Error::Learning(format!("a gradient could not be read: {e:?}")))
}

fn tensor(numbers: Vec<f32>) -> Tensor<Flex, 1> {
    let len = numbers.len();
    Tensor::from_data(TensorData::new(numbers, [len]), &Default::default())
}

fn apart() -> Error {
    Error::Learning("a worker is not where the others are".to_owned())
}
