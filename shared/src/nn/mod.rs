//! The bijector of a block, which knows nothing of where blocks are.

mod bijector;
mod dual;
mod folded;
mod layered;
mod linear;
mod shape;
mod spline;

pub use bijector::{Bijector, SwishLinear};
pub use folded::{BijectorWeights, FoldedBijector};
pub use layered::{Layered, LayeredLinear};
pub use linear::{InvertibleLinear, LinearMap};
pub use shape::{BijectorShape, LinearShape};
