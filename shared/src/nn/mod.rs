//! The bijector of a block, which knows nothing of where blocks are.

mod bijector;
mod folded;
mod layered;
mod shape;

pub(crate) use bijector::norm_weights;
pub use bijector::{Bijector, SwishLinear};
pub use folded::FoldedBijector;
pub use layered::{Layered, LayeredLinear};
pub use shape::{BijectorShape, LinearShape};
