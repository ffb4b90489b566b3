//! The bijector of a block, which knows nothing of where blocks are, unless the model has place features ([`Places`]).
//!
//! A type whose name begins with `Folded` is ready to run; the others are trainable. A *linear* is a layer of the
//! couplings' nets, a *map* the learned linear map before or after all couplings.
//!
//! | | trainable | folded |
//! |---|---|---|
//! | a bijector: map, couplings, map | [`Bijector`] | [`FoldedBijector`] |
//! | a layer of the nets | [`Linear`] | [`FoldedLinear`], of which [`Couplings`] are made |
//! | a map | [`InvertibleMap`] | [`FoldedMap`] |

mod bijector;
mod couplings;
mod dual;
mod folded;
mod linear_map;
mod places;
mod spline;

pub use bijector::{Bijector, Linear};
pub use couplings::{Couplings, FoldedLinear};
pub use folded::FoldedBijector;
pub use linear_map::{FoldedMap, InvertibleMap};
pub use places::Places;
