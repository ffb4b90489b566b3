//! The inpaint panel: holes are painted into a picture, and filled from the latents that they reach (fig. 7).

mod address;
mod growth;
mod holes;
mod race;
mod score;
pub mod state;
mod view;

pub use state::Inpaint;
pub use view::InpaintView;

#[cfg(test)]
mod tests;
