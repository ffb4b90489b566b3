//! What users do with a trained model.

mod ascent;
mod inpaint;
mod langevin;
mod mask;

pub use inpaint::{Inpainting, Phase, Schedule, Variables};
pub use mask::Mask;
