//! How good samples are, in numbers, each beside its floor: what training pictures score against the same test pictures.
//!
//! - By scale: sliced Wasserstein distances of patches of the Laplacian pyramid (`swd.rs`). They see blur, noise and colour
//!   at the scale where they are.
//! - As a whole: the Fréchet distance on 64 principal components, in pixels of [−1, 1] and whitened, and precision and
//!   recall in the first 32 (`gaussian.rs`). They see what does not belong together, outliers, and what is missing.
//!
//! No one of them follows the eye: a change of a default wants a blind count, too (`trainer blind`).

mod gaussian;
mod pyramid;
mod reference;
mod swd;

pub use pyramid::edges;
pub use reference::{Reference, Scores};
